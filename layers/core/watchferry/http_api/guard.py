"""What a request must be before a handler sees it: of this site, in JSON, with a credential that opens what it asks for
(http-api.md, Who is calling).
"""

from collections.abc import Mapping

from watchferry.errors import Problem
from watchferry.http_api.call import Call
from watchferry.http_api.credentials import bearer
from watchferry.storage.api_tokens import Kind

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = ("/api/auth/", "/api/sync/", "/api/account")
"""Where bodies are JSON and writes come from our own page or from a program; not the proxied upstreams."""

OPENS: Mapping[Kind, tuple[str, ...]] = {"api": ("/api/",), "facade": ("/api/trakt/",)}
"""What a token of each kind opens. A kind that is not named opens nothing."""
FOR_A_PERSON = ("/api/auth/", "/api/account")
"""What no token opens: one that was stolen must not be able to make others, connect accounts, or take all and leave."""
FOR_BOTH = "/api/auth/session"
"""A program may read whose token it has."""


def refuse_other_sites(call: Call) -> None:
    """Raises Problem 403 `csrf`.

    A browser sends cookies by itself, but no other site can make it send `X-CSRF`, nor forge Origin or Sec-Fetch-Site.
    The last two are asked for even without a cookie: nobody may be signed in by another site's doing. A program with a
    token in `Authorization` is let off: no browser sends that by itself, and a page elsewhere only after it has asked
    us (CORS), which we never answer. A token in any other place counts for nothing here.
    """
    if call.method in SAFE:
        return
    if call.cookies and call.headers.get("x-csrf") != "1":
        raise Problem(403, "csrf", "a write with a cookie needs the header X-CSRF: 1")
    if call.cookies or (call.path.startswith(OURS) and bearer(call.headers) is None):
        origin, fetch_site = call.headers.get("origin"), call.headers.get("sec-fetch-site")
        elsewhere = origin is not None and origin.lower() != call.deployment.site_url.lower()
        if elsewhere or (fetch_site or "same-origin").lower() != "same-origin":
            raise Problem(403, "csrf", "this was sent by another site")


def is_for_a_person(call: Call) -> bool:
    """Decided by the rule that matched, not by the path: that can be written in many ways."""
    route = call.route or ""
    return route.startswith(FOR_A_PERSON) and not _is_for_both(call)


def _is_for_both(call: Call) -> bool:
    return call.route == FOR_BOTH and call.method in SAFE


def refuse_token(call: Call) -> None:
    """Raises Problem 403 `session_required` where a token is sent that does not open this, 401 for an unknown one."""
    if call.token is None:
        return
    opened = OPENS.get(call.token.kind, ())
    if is_for_a_person(call) or not (call.route or "").startswith(opened):
        raise Problem(403, "session_required", "this token does not open this; sign in with a browser")


def require_json(call: Call) -> None:
    """Raises Problem 415 for a body of another type, 413 for one that is too long."""
    if call.method in SAFE or not call.path.startswith(OURS) or not call.body:
        return
    if call.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Problem(415, "unsupported_media_type", "the body must be application/json")
