"""What a request must be before a handler sees it: of this site, and in JSON (http-api.md, Who is calling)."""

from watchferry.errors import Problem
from watchferry.http_api.call import Call

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = ("/api/auth/", "/api/sync/", "/api/account")
"""Where bodies are JSON and writes come from our own page or from a program; not the proxied upstreams."""


def refuse_other_sites(call: Call) -> None:
    """Raises Problem 403 `csrf`.

    A browser sends cookies by itself, but no other site can make it send `X-CSRF`, nor forge Origin or Sec-Fetch-Site.
    The last two are asked for even without a cookie: nobody may be signed in by another site's doing. A program with a
    token is let off: no browser sends `Authorization` by itself.
    """
    if call.method in SAFE:
        return
    if call.cookies and call.headers.get("x-csrf") != "1":
        raise Problem(403, "csrf", "a write with a cookie needs the header X-CSRF: 1")
    by_token = call.headers.get("authorization", "").lower().startswith("bearer wf_")
    if call.cookies or (call.path.startswith(OURS) and not by_token):
        origin, fetch_site = call.headers.get("origin"), call.headers.get("sec-fetch-site")
        elsewhere = origin is not None and origin.lower() != call.deployment.site_url.lower()
        if elsewhere or (fetch_site or "same-origin").lower() != "same-origin":
            raise Problem(403, "csrf", "this was sent by another site")


def require_json(call: Call) -> None:
    """Raises Problem 415 for a body of another type, 413 for one that is too long."""
    if call.method in SAFE or not call.path.startswith(OURS) or not call.body:
        return
    if call.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Problem(415, "unsupported_media_type", "the body must be application/json")
