"""Query strings as they were sent: byte for byte, in their order, but for the credentials that are taken out."""

import functools
import re
from collections.abc import Collection, Iterator
from urllib.parse import unquote_plus, unquote_to_bytes

from watchferry.errors import Problem
from watchferry.storage.api_tokens import PREFIX

LONGEST = 8192

PERSONAL = frozenset(
    {"api_key", "apikey", "access_token", "client_secret", "guest_session_id", "request_token", "session_id", "token"}
)
"""Names of credentials. An answer to one of them may be somebody's own, whatever the endpoint: it is never cached."""

_OURS = re.compile(PREFIX + r"(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{65})", re.ASCII)
"""A token in full (storage/api_tokens.py): of the page, or of a program."""

_SENDABLE = re.compile(r"[!-~]*", re.ASCII)


def checked(raw: str) -> str:
    """Raises Problem 400 for what cannot stand in a request line: spaces, control characters, other alphabets, `#`."""
    if len(raw) > LONGEST or "#" in raw or not _SENDABLE.fullmatch(raw):
        raise Problem(400, "validation", "the query string is too long or not percent-encoded")
    return raw


def values(raw: str, name: str) -> list[str]:
    """Decoded, in their order."""
    return [value for found, value in _pairs(raw) if found == name]


def without(raw: str, names: Collection[str]) -> str:
    """Without these names, and without what is a token of ours: by its form under any name, by its beginning under
    the name of a credential.
    """
    if not names and PREFIX not in raw and "%" not in raw:
        return raw
    return "&".join([part for part in raw.split("&") if not _is_out(part, names)])


def named(raw: str, names: Collection[str]) -> set[str]:
    """These names as they are spelt here, in whatever case: some servers make no difference."""
    return {name for name, _ in _pairs(raw) if name.lower() in names}


def meant(raw: str) -> list[tuple[str, str]]:
    """What it says, byte for byte, however it is encoded: the same for `%20`, `+` and `%2B`, `%2b`."""
    parts = [part.replace("+", " ").partition("=") for part in raw.split("&") if part]
    return [
        (unquote_to_bytes(name).decode("latin-1"), unquote_to_bytes(value).decode("latin-1"))
        for name, _, value in parts
    ]


def is_personal(raw: str) -> bool:
    return any(unquote_plus(part.partition("=")[0]).lower() in PERSONAL for part in raw.split("&"))


@functools.lru_cache(256)
def canonical(raw: str) -> str:
    """Names in order, the values of each name in theirs: what all three upstreams read as the same question.

    Percent-encoding is left as it is. Two spellings of one question are two keys, which costs a call; two questions
    under one key would be a wrong answer.
    """
    parts = [part for part in raw.split("&") if part]
    return "&".join(sorted(parts, key=lambda part: part.partition("=")[0]))


def _is_out(part: str, names: Collection[str]) -> bool:
    name, _, value = part.partition("=")
    name, value = unquote_plus(name), unquote_plus(value)
    return name in names or bool(_OURS.fullmatch(value)) or (value.startswith(PREFIX) and name.lower() in PERSONAL)


def _pairs(raw: str) -> Iterator[tuple[str, str]]:
    for part in raw.split("&") if raw else ():
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value)
