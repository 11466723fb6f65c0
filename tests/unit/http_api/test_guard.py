"""Who may write, and from where: the CSRF rule of http-api.md, Who is calling."""

from collections.abc import Mapping

import pytest

from tests.browser import Browser, event, reply
from tests.conftest import Clock
from watchferry.http_api import Api
from watchferry.wiring import Wiring

SITE = "https://watchferry.test"
BODY = {"mode": "sync"}
NONE = {"X-CSRF": "", "Origin": "", "Sec-Fetch-Site": ""}
BY_THE_PAGE = {"X-CSRF": "1", "Origin": SITE, "Sec-Fetch-Site": "same-origin"}

FROM_HERE: list[Mapping[str, str]] = [
    {},
    {"Origin": SITE},
    {"Origin": SITE.upper()},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": SITE, "Sec-Fetch-Site": "same-origin"},
]
FROM_ELSEWHERE: list[Mapping[str, str]] = [
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": f"{SITE}.evil.test"},
    {"Origin": f"{SITE}:8443"},
    {"Origin": "http://watchferry.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": SITE, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("headers", FROM_HERE)
def test_our_page_and_programs_may_write(visitor: Browser, member: Browser, headers: Mapping[str, str]) -> None:
    """With X-CSRF where there is a cookie; an Origin that is there is ours."""
    assert member.post("/auth/open", BODY, {**NONE, **headers, "X-CSRF": "1"}).status == 200
    assert visitor.post("/auth/open", BODY, {**NONE, **headers}).status == 200


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_other_sites_may_not(visitor: Browser, member: Browser, headers: Mapping[str, str]) -> None:
    """403 `csrf`, cookie or not, X-CSRF or not."""
    for browser in (visitor, member):
        for csrf in ("", "1"):
            said = browser.post("/auth/open", BODY, {**NONE, **headers, "X-CSRF": csrf})
            assert (said.status, said.code) == (403, "csrf")


@pytest.mark.parametrize("csrf", ["", "0", "true", "11"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_cookie_needs_the_header(member: Browser, method: str, csrf: str) -> None:
    """X-CSRF: 1 and nothing else; no form of another site can send it."""
    path = {"POST": "/auth/open", "DELETE": "/sync/things/t"}[method]
    said = member.send(method, path, headers={"X-CSRF": csrf})
    assert (said.status, said.code) == (403, "csrf")


def test_a_stale_cookie_needs_it_too(visitor: Browser) -> None:
    """The rule does not depend on whose cookie it is."""
    visitor.cookies["__Host-session"] = "stale"
    assert visitor.post("/auth/open", BODY, {"X-CSRF": ""}).code == "csrf"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_free(member: Browser, method: str) -> None:
    """From a link elsewhere, an address typed in, an image."""
    headers = {**NONE, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    assert member.send(method, "/sync/mine", headers=headers).status == 200


@pytest.mark.parametrize("elsewhere", FROM_ELSEWHERE)
def test_a_program_with_a_token_is_let_off(visitor: Browser, token: str, elsewhere: Mapping[str, str]) -> None:
    """No browser sends Authorization by itself; with a cookie beside it, whoever's, the rule holds."""
    headers = {**NONE, "Authorization": f"Bearer {token}", **elsewhere}
    assert visitor.send("DELETE", "/sync/things/t", headers=headers).status == 204
    visitor.cookies["__Host-session"] = "any"
    assert visitor.send("DELETE", "/sync/things/t", headers=headers).code == "csrf"
    assert visitor.send("DELETE", "/sync/things/t", headers={**headers, "X-CSRF": "1"}).code == "csrf"
    assert visitor.send("DELETE", "/sync/things/t", headers={**headers, **BY_THE_PAGE}).status == 204


@pytest.mark.parametrize(
    "header", ["Bearer abc", "Bearer WF_abc", "Bearerwf_abc", "Basic wf_abc", "wf_abc", "Bearer x wf_abc", "Bearer"]
)
def test_foreign_credentials_let_nobody_off(visitor: Browser, member: Browser, header: str) -> None:
    """What is no token of ours says nothing about who sends it: 403 `csrf` from elsewhere, signed in or about to be."""
    for browser in (visitor, member):
        headers = {**NONE, "Authorization": header, "Origin": "https://evil.test"}
        assert browser.post("/auth/open", BODY, headers).code == "csrf"
        assert browser.post("/auth/open", BODY, {**headers, "X-CSRF": "1"}).code == "csrf"
    assert member.get("/sync/mine", {"Authorization": header}).status == 200
    assert visitor.get("/sync/mine", {"Authorization": header}).code == "unauthenticated"


def test_the_proxy_asks_only_with_a_cookie(visitor: Browser, member: Browser) -> None:
    """A program's own origin is nothing to us under /trakt."""
    headers = {**NONE, "Origin": "https://desktop.test"}
    assert visitor.post("/trakt/proxied", None, headers).status == 200
    assert member.post("/trakt/proxied", None, headers).code == "csrf"


def test_routes_are_closed_unless_open(visitor: Browser) -> None:
    """401 `unauthenticated` without a session, whatever is asked."""
    for path in ("/sync/mine", "/sync/things/t", "/sync/table"):
        assert ((said := visitor.get(path)).status, said.code) == (401, "unauthenticated")


@pytest.mark.parametrize("cookie", ["", "x", "A" * 43, "../../etc/passwd", "ä"])
def test_a_cookie_that_is_no_session(visitor: Browser, cookie: str) -> None:
    """401 as well."""
    visitor.cookies["__Host-session"] = cookie
    assert visitor.get("/sync/mine").code == "unauthenticated"


def test_a_session_without_its_account(member: Browser, wiring: Wiring) -> None:
    """The account went first: 401."""
    wiring.accounts.table.delete({"user_id": "u-1"})
    assert member.get("/sync/mine").code == "unauthenticated"


def test_an_old_session(member: Browser, clock: Clock) -> None:
    """401 after the idle lifetime."""
    clock.advance(30 * 86400)
    assert member.get("/sync/mine").code == "unauthenticated"


def test_cookies_come_in_two_ways(member: Browser, api: Api) -> None:
    """As API Gateway's list, and in the header of the local cloud (local-cloud.md); among others."""
    cookies = {"theme": "dark", **member.cookies, "x": "a=b"}
    for in_header in (False, True):
        said = reply(api(event("GET", "/sync/mine", cookies=cookies, in_header=in_header), None))
        assert said.status == 200
