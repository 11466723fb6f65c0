"""An upstream's answer as ours: which of its headers come back, what may not run on our origin, what is a problem."""

import functools
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from watchferry.clients._transport import rate_limited
from watchferry.errors import Problem
from watchferry.http_api import Answer
from watchferry.proxy.forward import Fetched
from watchferry.proxy.policy import UPSTREAMS, Prefix

# Cookies, hop-by-hop headers, CORS, caching and security rules of another origin are not among them; nor is
# WWW-Authenticate, at which a browser would ask for a password in our name.
_COMES_BACK = re.compile(
    r"content-language|content-disposition|etag|last-modified|retry-after|allow"
    r"|x-pagination-[a-z-]+|x-ratelimit[a-z-]*|ratelimit[a-z-]*|x-sort-[a-z]+|x-applied-sort-[a-z]+|x-trending-[a-z-]+"
    r"|x-account-[a-z-]+|x-upgrade-url|x-vip-user|x-private-user|x-start-date|x-end-date"
)

_RUNS = re.compile(r".*(javascript|ecmascript|jscript|livescript).*|text/css")
"""Types that a page of ours could be made to load from here as a script or a style; nothing needs them."""

_OUR_KEY = frozenset({7, 10, 35})
"""TMDB's status codes for an application's key or token that is wrong, or suspended."""

WORTH_PACKING = 1024
"""Bytes. CloudFront compresses nothing that it does not cache, so it is done here."""


@functools.lru_cache(256)
def comes_back(name: str) -> bool:
    return bool(_COMES_BACK.fullmatch(name))


def is_plain(value: str) -> bool:
    """What API Gateway can carry in a header."""
    return value.isascii() and value.isprintable()


@functools.lru_cache(256)
def _runs(media_type: str) -> bool:
    return bool(_RUNS.fullmatch(media_type))


def answer_of(fetched: Fetched, *, wants_gzip: bool, extra: Mapping[str, str]) -> Answer:
    """Status and body as they are; the type too, unless it is one that runs."""
    headers = {name: value for name, value in fetched.headers.items() if comes_back(name) and is_plain(value)}
    if 300 <= fetched.status < 400 and fetched.status != 304:
        headers |= _location(fetched)
    headers |= extra
    kind = fetched.headers.get("content-type", "")
    if not kind or _runs(fetched.media_type) or not is_plain(kind):
        kind = "application/octet-stream"
        headers["content-disposition"] = "attachment"
    packs = fetched.packed is not None or len(fetched.body) >= WORTH_PACKING
    if packs:
        headers["vary"] = "Accept-Encoding"
    if packs and wants_gzip and fetched.status != 304:
        return Answer(fetched.status, fetched.gzipped, headers | {"content-encoding": "gzip"}, content_type=kind)
    # HEAD has a type and no body; API Gateway would call an answer without a type JSON.
    nothing = not fetched.body and "content-type" not in fetched.headers
    return Answer(fetched.status, None if nothing else fetched.body, headers, content_type=kind)


def raise_for_meaning(prefix: Prefix, fetched: Fetched) -> None:
    """Raises Problem where the answer is about this deployment rather than about the request.

    The status stays (reality.md, Statuses with meaning: a 403's type tells what it is); the upstream's own words come
    along, and what it says of rates. But a 401 for our application's key is 502: the caller's sign-in is in order.
    """
    if fetched.status not in {401, 403, 429}:
        return
    name, said = UPSTREAMS[prefix], _words(fetched)
    code, detail = forbidden(prefix, fetched) if fetched.status == 403 else (None, "")
    if code:
        raise Problem(403, code, detail, **said)
    if fetched.status == 401 and not _about_the_caller(prefix, said):
        raise Problem(502, "app_refused", f"{name} refuses this deployment's own credential (401)", **said)
    if fetched.status == 429 and (prefix == "tmdb" or fetched.media_type == "text/html"):
        detail = f"{name}'s edge limits the rate (429, HTML)"
        if fetched.media_type != "text/html":
            detail = f"{name} limits the rate of this deployment (429, status_code {said.get('status_code', '?')})"
        problem = Problem(429, "rate_limited", detail, **said, **_retry_after(fetched))
        problem.headers = {
            header: value
            for header, value in fetched.headers.items()
            if header.startswith(("x-ratelimit", "ratelimit")) and comes_back(header) and is_plain(value)
        }
        raise problem


def forbidden(prefix: Prefix, fetched: Fetched) -> tuple[str | None, str]:
    """A 403's code and detail: any firewall's page, and the two that Trakt has for an application.

    No code for others, which say it best themselves.
    """
    name = UPSTREAMS[prefix]
    if fetched.media_type == "text/html":
        return "upstream_firewall", f"{name}'s firewall refused the call (403, HTML); wait, or change the User-Agent"
    if prefix != "trakt":
        return None, ""
    if fetched.media_type == "text/plain":
        return "app_refused", f"{name} says that this deployment's application is switched off (403, plain text)"
    if fetched.media_type.endswith("json"):
        return "app_refused", f"{name} refused this deployment's application key (403, {fetched.media_type})"
    return None, ""


def _about_the_caller(prefix: Prefix, said: Mapping[str, Any]) -> bool:
    """Whether TMDB's 401 is about a session or a request token in the query. Its code says so, unless it has none."""
    return prefix == "tmdb" and said.get("status_code", 7) not in _OUR_KEY


def _words(fetched: Fetched) -> dict[str, Any]:
    """What clients of the upstream look for in its errors: flat words and numbers alone."""
    try:
        told = json.loads(fetched.body)
    except (ValueError, RecursionError):
        return {}
    names = ("status_code", "status_message", "success", "error", "error_description")
    told = told if isinstance(told, dict) else {}
    return {name: told[name] for name in names if isinstance(told.get(name), (str, int)) and len(str(told[name])) < 500}


def _retry_after(fetched: Fetched) -> dict[str, int]:
    """In seconds, a date as well."""
    after = rate_limited("", fetched.headers).after
    return {} if after is None else {"retry_after": math.ceil(after)}


def _location(fetched: Fetched) -> dict[str, str]:
    """A redirect comes back unfollowed, and leads to the web or nowhere."""
    where = fetched.headers.get("location", "")
    return {"location": where} if re.fullmatch(r"https?://[!-~]+", where, re.ASCII) else {}
