"""Trakt's authorization-code flow: state of this browser, once, for ten minutes (http-api.md; sync document 3, B)."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.browser import Browser, Reply
from tests.conftest import Clock
from tests.unit.auth.conftest import NewBrowser
from tests.upstreams import Upstreams
from tests.upstreams.web import Request
from watchferry.wiring import Wiring


def agree(upstreams: Upstreams, authorize_url: str, user: str = "harry") -> dict[str, str]:
    """The person agrees on Trakt's page: the query with which the browser comes back."""
    upstreams.trakt.sign_in(user)
    asked = urlsplit(authorize_url)
    answer = upstreams.trakt.handle(Request("GET", asked.path, parse_qsl(asked.query), {"user-agent": "a browser"}))
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))  # type: ignore[union-attr]


def begin(browser: Browser, upstreams: Upstreams) -> dict[str, str]:
    return agree(upstreams, browser.post("/auth/trakt/authorize").json["authorize_url"])


def exchange(browser: Browser, came_back: dict[str, str]) -> Reply:
    return browser.post("/auth/trakt/oauth/exchange", came_back)


def test_from_the_page_and_back(browser: Browser, upstreams: Upstreams) -> None:
    """The whole way ends in a session."""
    said = exchange(browser, begin(browser, upstreams))
    assert (said.status, said.json["status"], said.json["user"]["slug"]) == (200, "authorized", "harry")
    assert browser.get("/auth/session").json["trakt"]["connected"] is True


def test_where_the_browser_is_sent(browser: Browser, upstreams: Upstreams) -> None:
    """To TraktAuthUrl, with everything that OAuth asks for, and back to this site."""
    begun = browser.post("/auth/trakt/authorize", {}).json
    url = urlsplit(begun["authorize_url"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://auth.trakt.tv/oauth/authorize"
    assert dict(parse_qsl(url.query)) == {
        "response_type": "code",
        "client_id": upstreams.trakt.client_id,
        "redirect_uri": "https://watchferry.test/",
        "state": begun["state"],
    }


@pytest.mark.parametrize(
    "uri", ["https://watchferry.test", "https://watchferry.test/", "https://watchferry.test/a/b-c"]
)
def test_our_own_addresses(browser: Browser, uri: str) -> None:
    """The site's address or a path of it."""
    begun = browser.post("/auth/trakt/authorize", {"redirect_uri": uri}).json
    assert dict(parse_qsl(urlsplit(begun["authorize_url"]).query))["redirect_uri"] == uri


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.test/",
        "https://watchferry.test.evil.test/",
        "https://watchferry.test@evil.test/",
        "https://watchferry.test:8443/",
        "http://watchferry.test/",
        "//watchferry.test/",
        "/auth",
        "javascript:alert(1)",
        "https://watchferry.test/?next=https://evil.test",
        "https://watchferry.test/#x",
        "https://watchferry.test/\\evil.test",
        "https://watchferry.test/ä",
        "https://watchferry.test/\n",
        "urn:ietf:wg:oauth:2.0:oob",
    ],
)
def test_other_addresses(browser: Browser, uri: str) -> None:
    """400 `validation`: a code must not be sent to another site."""
    said = browser.post("/auth/trakt/authorize", {"redirect_uri": uri})
    assert (said.status, said.code) == (400, "validation")


def test_a_state_is_good_once(browser: Browser, upstreams: Upstreams) -> None:
    """Even with a fresh code."""
    came_back = begin(browser, upstreams)
    assert exchange(browser, came_back).status == 200
    again = begin(browser, upstreams)
    said = exchange(browser, {"code": again["code"], "state": came_back["state"]})
    assert (said.status, said.code) == (400, "invalid_state")


def test_a_state_is_of_one_browser(browser: Browser, new_browser: NewBrowser, upstreams: Upstreams) -> None:
    """Nobody signs somebody else in by sending them a link; and trying does not use the state up."""
    came_back = begin(browser, upstreams)
    for other in (new_browser(), new_browser()):
        said = exchange(other, came_back)
        assert (said.status, said.code) == (400, "invalid_state")
        other.post("/auth/trakt/authorize")
    assert exchange(browser, came_back).status == 200


def test_two_tabs(browser: Browser, upstreams: Upstreams) -> None:
    """Both can be finished."""
    first, second = begin(browser, upstreams), begin(browser, upstreams)
    assert exchange(browser, first).status == 200
    assert exchange(browser, second).status == 200


def test_a_planted_browser_mark_is_not_used(browser: Browser) -> None:
    """The cookie's value is one of ours, or replaced."""
    browser.cookies["__Host-authorize"] = "short"
    browser.post("/auth/trakt/authorize")
    assert len(browser.cookies["__Host-authorize"]) == 43


def test_the_cookie_of_the_state(browser: Browser) -> None:
    """It lives as long as the state."""
    [cookie] = browser.post("/auth/trakt/authorize").set_cookies
    assert set(cookie.split("; ")[1:]) == {"Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=600"}


def test_a_state_that_is_old(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """Ten minutes, by the clock here."""
    came_back = begin(browser, upstreams)
    clock.advance(600)
    assert exchange(browser, came_back).code == "invalid_state"


@pytest.mark.parametrize("state", ["A" * 43, "x"])
def test_a_state_that_never_was(browser: Browser, state: str) -> None:
    """400 `invalid_state`."""
    assert exchange(browser, {"code": "c", "state": state}).code == "invalid_state"


def test_a_device_handle_is_no_state(browser: Browser, upstreams: Upstreams) -> None:
    """Nor the other way round."""
    handle = browser.post("/auth/trakt/device/code").json["device_code"]
    state = begin(browser, upstreams)["state"]
    assert exchange(browser, {"code": "c", "state": handle}).code == "invalid_state"
    assert browser.post("/auth/trakt/device/token", {"device_code": state}).code == "invalid"


@pytest.mark.parametrize("status", [400, 401])
def test_a_code_that_trakt_refuses(browser: Browser, upstreams: Upstreams, status: int) -> None:
    """400 `invalid_grant`, whichever status Trakt uses for it."""
    upstreams.trakt.options.set(oauth_refusal=status)
    came_back = begin(browser, upstreams)
    said = exchange(browser, {**came_back, "code": "made-up"})
    assert (said.status, said.code) == (400, "invalid_grant")


def test_trakt_is_away_at_the_exchange(browser: Browser, upstreams: Upstreams) -> None:
    """502 or 504; it is not sent again: a code is good once."""
    for fault, status in (({"reset": True}, 502), ({"delay": 60.0}, 504)):
        came_back = begin(browser, upstreams)
        upstreams.trakt.forget()
        upstreams.trakt.faults.add(path="/oauth/token", **fault)
        assert exchange(browser, came_back).status == status
        assert len(upstreams.trakt.requests("/oauth/token")) == 1


def test_the_redirect_address_goes_with_the_tokens(browser: Browser, upstreams: Upstreams, wiring: Wiring) -> None:
    """Trakt asks for it again at every refresh."""
    url = browser.post("/auth/trakt/authorize", {"redirect_uri": "https://watchferry.test/back"}).json["authorize_url"]
    assert exchange(browser, agree(upstreams, url)).status == 200
    credential = wiring.broker.credential(upstreams.trakt.users["harry"].uuid, "trakt")
    credential.renewed(credential.token())
    [request] = [entry for entry in upstreams.trakt.requests("/oauth/token") if b"refresh_token" in entry.body]
    assert b'"https://watchferry.test/back"' in request.body
