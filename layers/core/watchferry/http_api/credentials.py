"""Where a program puts its token (http-api.md, Who is calling). A new place is a new line of `_PLACES`."""

from collections.abc import Callable, Mapping, Sequence

from watchferry.storage.api_tokens import PREFIX

type Place = Callable[[Mapping[str, str]], str | None]
"""Headers, their names in lower case → what stands there, if it looks like a token of ours."""


def bearer(headers: Mapping[str, str]) -> str | None:
    """`Authorization: Bearer wf_…`. No browser sends that by itself: guard.py relies on it."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    return value if scheme.lower() == "bearer" and value.startswith(PREFIX) else None


_PLACES: Sequence[Place] = (bearer,)


def sent_token(headers: Mapping[str, str]) -> str | None:
    """The first one that was sent, known to us or not. Credentials that are not ours count as none."""
    return next((token for place in _PLACES if (token := place(headers))), None)
