"""Cookies, read from API Gateway's event and written for browsers."""

from collections.abc import Mapping, Sequence

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

SESSION_COOKIE = "__Host-session"
AUTHORIZE_COOKIE = "__Host-authorize"
"""Ties the authorization-code flow's `state` to the browser that began it."""
HINT_COOKIE = "__Host-signed-in"
"""Readable by the page, which else would have to ask for a session that most visitors do not have."""


def session_cookies(session_id: str, max_age: int) -> list[Cookie]:
    """The session's own, and the hint that there is one; `max_age` 0 removes both."""
    hint = browser_cookie(HINT_COOKIE, "1" if session_id else "", max_age)
    hint.http_only = False
    return [browser_cookie(SESSION_COOKIE, session_id, max_age), hint]


def browser_cookie(name: str, value: str, max_age: int) -> Cookie:
    """`Secure; HttpOnly; SameSite=Strict; Path=/`; `max_age` in seconds, 0 removes it (http-api.md, Who is calling)."""
    return Cookie(name, value, path="/", secure=True, http_only=True, same_site=SameSite.STRICT_MODE, max_age=max_age)


def cookies_of(event_cookies: Sequence[str] | None, header: str) -> Mapping[str, str]:
    """Name → value, the first of a name. API Gateway sends a list, the local cloud just the header (local-cloud.md)."""
    found: dict[str, str] = {}
    for pair in event_cookies or header.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found
