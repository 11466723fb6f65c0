"""The OAuth facade, as a Trakt client sees it (http-api.md, OAuth facade; sync document 6.1)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser import Browser, event, reply
from tests.conftest import Clock, NewWiring
from tests.tables import everything_stored
from tests.unit.auth.conftest import sign_in
from tests.unit.auth.program import IDS, Program
from tests.upstreams import Upstreams
from watchferry.storage.api_tokens import ACCESS_LIFETIME, REFRESHED_AGAIN_WITHIN
from watchferry.wiring import Wiring

GRANT = {"access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at"}


def test_a_device_flow(program: Program, upstreams: Upstreams, wiring: Wiring) -> None:
    """Trakt's own shapes; the tokens are ours, in no table, and none of Trakt's or of the browser's is in an answer."""
    begun = program.begin()
    assert begun.keys() == {"device_code", "user_code", "verification_url", "expires_in", "interval"}
    assert begun["device_code"] not in upstreams.trakt.devices.flows
    granted = program.sign_in()
    assert granted.keys() == GRANT
    assert (granted["token_type"], granted["scope"]) == ("bearer", "public")
    assert (granted["expires_in"], granted["created_at"]) == (ACCESS_LIFETIME, int(program.clock.now))
    assert {granted["access_token"][:3], granted["refresh_token"][:3]} == {"wf_"}
    kept = everything_stored(wiring.dynamo)
    assert not [name for name in ("access_token", "refresh_token") if granted[name][25:] in kept]
    assert program.works(granted)


def test_statuses_of_a_poll(program: Program, upstreams: Upstreams) -> None:
    """400 while it waits, at once too; 429 for a hurry; 409 once it was used; none of them has a body."""
    begun = program.begin()
    said = [program.poll(begun), program.poll(begun)]
    program.clock.advance(begun["interval"])
    said.append(program.poll(begun))
    upstreams.trakt.approve(begun["user_code"], "harry")
    program.clock.advance(begun["interval"])
    assert program.poll(begun).status == 200
    said.append(program.poll(begun))
    assert [(each.status, each.body) for each in said] == [(400, ""), (429, ""), (400, ""), (409, "")]


def test_endings_of_a_flow(program: Program, upstreams: Upstreams) -> None:
    """410 when it is over, 418 when the person says no, 404 for what never was a code."""
    old, denied = program.begin(), program.begin()
    upstreams.trakt.deny(denied["user_code"])
    program.clock.advance(denied["interval"])
    assert program.poll(denied).status == 418
    program.clock.advance(old["expires_in"])
    assert program.poll(old).status == 410
    for code in ("A" * 43, "", "x", "\ud800", None, 7, {"a": "b"}):
        assert program.post("/oauth/device/token", {"code": code}).status == 404
    for body in (b"", b"[]", b"null", b"{", b"[" * 50_000, b"\xff\xfe"):
        assert program.post("/oauth/device/token", body).status == 404


def test_trakts_slow_down(program: Program, upstreams: Upstreams) -> None:
    """Is the client's, too."""
    begun = program.begin()
    upstreams.trakt.faults.add(path="/oauth/device/token", status=429)
    program.clock.advance(begun["interval"])
    assert program.poll(begun).status == 429


def test_who_is_not_served(new_wiring: NewWiring, upstreams: Upstreams, clock: Clock) -> None:
    """418 in words; nothing is made, and Trakt's tokens are revoked."""
    wiring = new_wiring(allowed_trakt_users="ron")
    program = Program(wiring, upstreams, clock)
    begun = program.begin()
    upstreams.trakt.approve(begun["user_code"], "harry")
    clock.advance(begun["interval"])
    said = program.poll(begun)
    assert (said.status, said.json["error"]) == (418, "access_denied")
    assert "wf_" not in said.body
    assert all(grant.ended for grant in upstreams.trakt.by_access.values())
    assert program.poll(begun).status == 409


def test_a_flow_is_of_who_began_it(program: Program, upstreams: Upstreams) -> None:
    """A browser's code gets no tokens here, and a program's no session there: 404."""
    browser = Browser(program.auth)
    for begun, theirs in ((browser.post("/auth/trakt/device/code").json, False), (program.begin(), True)):
        upstreams.trakt.approve(begun["user_code"], "harry")
        program.clock.advance(begun["interval"])
        body = {"device_code": begun["device_code"]}
        said = browser.post("/auth/trakt/device/token", body) if theirs else program.poll(begun)
        assert said.status == 404
    assert not browser.cookies


def test_refreshed(program: Program) -> None:
    """With an old Bearer beside it, as a form, without ids: the pair is new, the old one dead."""
    granted = program.sign_in()
    program.clock.advance(ACCESS_LIFETIME)
    assert not program.works(granted)
    said = program.refresh(granted["refresh_token"], authorization=f"Bearer {granted['access_token']}")
    assert (said.status, said.json.keys()) == (200, GRANT)
    form = {"grant_type": "refresh_token", "refresh_token": said.json["refresh_token"]}
    newest = program.post("/oauth/token", urlencode(form).encode(), **{"content-type": "x-www-form-urlencoded"})
    assert newest.status == 200
    assert not program.works(said.json)
    assert program.works(newest.json)


def test_a_refresh_whose_answer_was_lost(program: Program) -> None:
    """The program asks again within a minute, or two processes of it do: the same answer, word for word."""
    granted = program.sign_in()
    newer = program.refresh(granted["refresh_token"])
    program.clock.advance(REFRESHED_AGAIN_WITHIN - 1)
    again = program.refresh(granted["refresh_token"])
    assert (again.status, again.json) == (200, newer.json)
    assert program.works(again.json)
    assert not program.works(granted)


def test_a_refresh_token_that_comes_again_late(program: Program) -> None:
    """400 `invalid_grant`, and the program has to sign in again; others go on."""
    other, granted = program.sign_in(), program.sign_in()
    newer = program.refresh(granted["refresh_token"]).json
    program.clock.advance(REFRESHED_AGAIN_WITHIN)
    said = program.refresh(granted["refresh_token"])
    assert (said.status, said.json.keys()) == (400, {"error", "error_description"})
    assert said.json["error"] == "invalid_grant"
    assert not program.works(newer)
    assert program.refresh(newer["refresh_token"]).status == 400
    assert program.works(other)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://x.test"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ([], "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": None}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "\ud800"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "wf_" + "A" * 65}, "invalid_grant"),
    ],
)
def test_what_the_token_endpoint_refuses(program: Program, body: Any, error: str) -> None:
    """400 in OAuth's words."""
    said = program.post("/oauth/token", body)
    assert (said.status, said.json["error"]) == (400, error)


def test_revoked(program: Program, signed_in: Browser) -> None:
    """200 `{}`; that program's tokens alone: sessions, API tokens, other programs and Trakt's own stay."""
    token = signed_in.post("/auth/api-tokens", {"name": "x"}).json["token"]
    granted, other = program.sign_in(), program.sign_in()
    for given in (granted["access_token"], "wf_" + "A" * 65, token, "unknown", granted["access_token"]):
        said = program.post("/oauth/revoke", {"token": given, **IDS})
        assert (said.status, said.json) == (200, {})
    assert not program.works(granted)
    assert program.refresh(granted["refresh_token"]).status == 400
    assert program.works(other)
    assert program.works({"access_token": token})
    assert signed_in.get("/auth/session").json["trakt"]["connected"]


@pytest.mark.parametrize(
    "path", ["/tmdb/3/movie/603", "/kinopub/v1/history", "/auth/session", "/auth/api-tokens", "/account/export"]
)
def test_what_its_tokens_do_not_open(program: Program, path: str) -> None:
    """403 `session_required` outside /trakt, wherever the token stands; the refresh token opens nothing: 401."""
    granted = program.sign_in()
    api = program.proxy if path.startswith(("/tmdb", "/kinopub")) else program.auth
    for name, status in (("access_token", 403), ("refresh_token", 401)):
        token = granted[name]
        for asked in (
            event("GET", path, headers={"authorization": f"Bearer {token}"}),
            event("GET", f"{path}?api_key={token}&access_token={token}"),
        ):
            said = reply(api(asked, None))
            assert said.status in {status, 401}, said
    assert program.get("/trakt/users/settings", authorization=f"Bearer {granted['refresh_token']}").status == 401


def test_in_the_place_of_the_api_key(program: Program) -> None:
    """Clients that read what is public send no Authorization (http-api.md, Fine print)."""
    granted = program.sign_in()
    said = program.get("/trakt/movies/trending", **{"trakt-api-key": granted["access_token"]})
    assert said.status == 200
    assert program.get("/trakt/movies/trending", **{"trakt-api-key": "whatever"}).status == 401


def test_the_person_sees_and_ends_it(program: Program, signed_in: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """By the name that it gave itself; ended there it is over at once."""
    granted = program.sign_in()
    [listed] = signed_in.get("/auth/api-tokens").json["items"]
    assert listed["name"] == "pytrakt/4"
    assert signed_in.delete(f"/auth/api-tokens/{listed['id']}").status == 204
    assert not program.works(granted)
    assert program.refresh(granted["refresh_token"]).status == 400


def test_strangers_begin_few_flows(program: Program, upstreams: Upstreams) -> None:
    """Ten at once, then one a second: 429 with Retry-After, and Trakt is not asked."""
    for _ in range(10):
        program.begin()
    said = program.post("/oauth/device/code", {})
    assert (said.status, said.code, said.headers["retry-after"]) == (429, "rate_limited", "1")
    assert len(upstreams.trakt.requests("/oauth/device/code")) == 10
    program.clock.advance(1)
    program.begin()


def test_no_authorize_and_no_get(program: Program) -> None:
    """404 `unknown_endpoint`."""
    for method, path in (("GET", "authorize"), ("POST", "authorize"), ("GET", "device/code"), ("POST", "introspect")):
        for api in (program.auth, program.proxy):
            if (method, api) == ("POST", program.proxy):
                continue  # handed over
            assert reply(api(event(method, f"/trakt/oauth/{path}"), None)).code == "unknown_endpoint"


def test_a_browser_elsewhere(program: Program, upstreams: Upstreams, clock: Clock) -> None:
    """A cookie in the request asks for X-CSRF here as well: 403."""
    browser = Browser(program.auth)
    sign_in(browser, upstreams, clock)
    assert browser.post("/trakt/oauth/device/code", {}, headers={"X-CSRF": ""}).code == "csrf"
