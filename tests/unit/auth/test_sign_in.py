"""Signing in: who is let in, and what the browser gets (http-api.md, Who is calling)."""

import re
from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import Clock, NewWiring
from tests.unit.auth.conftest import NewBrowser, connect_kinopub, sign_in
from tests.upstreams import Upstreams
from watchferry.wiring import Wiring

DAY = 86400


def device(browser: Browser, upstreams: Upstreams, clock: Clock, user: str = "harry") -> Any:
    """A device flow to its end, whatever that is."""
    begun = browser.post("/auth/trakt/device/code").json
    upstreams.trakt.approve(begun["user_code"], user)
    clock.advance(begun["interval"])
    return browser.post("/auth/trakt/device/token", {"device_code": begun["device_code"]})


def test_the_session_cookie(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """Opaque, 256 bits, for this host only, out of reach of scripts and of other sites."""
    cookie, _ = device(browser, upstreams, clock).set_cookies
    pair, *attributes = cookie.split("; ")
    assert re.fullmatch(r"__Host-session=[A-Za-z0-9_-]{43}", pair)
    assert set(attributes) == {"Secure", "HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={180 * DAY}"}


def test_the_hint_of_a_session(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """The page can read that there is a session, but nothing of it; the hint comes and goes with it."""
    _, hint = device(browser, upstreams, clock).set_cookies
    pair, *attributes = hint.split("; ")
    assert pair == "__Host-signed-in=1"
    assert set(attributes) == {"Secure", "SameSite=Strict", "Path=/", f"Max-Age={180 * DAY}"}
    _, gone = browser.post("/auth/logout").set_cookies
    assert gone.startswith("__Host-signed-in=;")
    assert "Max-Age=0" in gone


def test_the_session_changes_at_sign_in(signed_in: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """A new id, and the old one opens nothing any more."""
    before = signed_in.cookies["__Host-session"]
    sign_in(signed_in, upstreams, clock)
    assert signed_in.cookies["__Host-session"] != before
    old = Browser(signed_in.api, cookies={"__Host-session": before})
    assert old.get("/auth/session").code == "unauthenticated"
    assert signed_in.get("/auth/session").status == 200


def test_an_id_that_was_planted_is_not_taken_over(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """Nobody's session becomes somebody's by knowing its id from before."""
    browser.cookies["__Host-session"] = "P" * 43
    sign_in(browser, upstreams, clock)
    assert browser.cookies["__Host-session"] != "P" * 43
    assert Browser(browser.api, cookies={"__Host-session": "P" * 43}).get("/auth/session").status == 401


def test_who_it_is(connected: Browser) -> None:
    """The shape of `GET /auth/session`; no token in it."""
    told = connected.get("/auth/session").json
    assert told["user"] == {"slug": "harry", "name": "Harry", "avatar": told["user"]["avatar"]}
    assert told["user"]["avatar"].startswith("https://")
    assert told["trakt"].keys() == {"connected", "status", "expires_at", "vip", "limits"}
    assert (told["trakt"]["connected"], told["trakt"]["status"], told["trakt"]["vip"]) == (True, "ok", True)
    assert told["trakt"]["limits"]["list"]["count"] == 100
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["trakt"]["expires_at"])
    assert told["kinopub"].keys() == {"connected", "status", "expires_at"}
    assert told["kinopub"]["connected"] is True
    assert told["prowlarr"] == {"configured": False, "base_url": None}


def test_kinopub_comes_later(signed_in: Browser) -> None:
    """Not connected is told as that."""
    assert signed_in.get("/auth/session").json["kinopub"] == {"connected": False, "status": "ok", "expires_at": None}


@pytest.mark.parametrize("reason", ["account_locked", "account_limit", "reauth_required", None])
def test_a_locked_account_is_shown(signed_in: Browser, wiring: Wiring, upstreams: Upstreams, reason: str) -> None:
    """Whoever met the lock paused the account; the page says why."""
    wiring.accounts.pause(upstreams.trakt.users["harry"].uuid, reason)
    expected = "account_locked" if reason == "account_locked" else "ok"
    assert signed_in.get("/auth/session").json["trakt"]["status"] == expected


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_access_lasts(connected: Browser, upstreams: Upstreams, wiring: Wiring, provider: str) -> None:
    """What a device flow brought can be renewed, again and again."""
    credential = wiring.broker.credential(upstreams.trakt.users["harry"].uuid, provider)
    first = credential.token()
    second = credential.renewed(first)
    assert len({first, second, credential.renewed(second)}) == 3
    assert connected.get("/auth/session").json[provider]["status"] == "ok"


def test_nobody(browser: Browser) -> None:
    """401 `unauthenticated`."""
    assert browser.get("/auth/session").code == "unauthenticated"


def test_logging_out(signed_in: Browser) -> None:
    """204, the cookie is removed, and its value opens nothing any more, wherever it was copied to."""
    copy = Browser(signed_in.api, cookies=dict(signed_in.cookies))
    assert signed_in.post("/auth/logout").status == 204
    assert signed_in.cookies == {}
    assert copy.get("/auth/session").code == "unauthenticated"
    assert signed_in.post("/auth/logout").status == 204


def test_the_account_is_the_uuid(
    signed_in: Browser, upstreams: Upstreams, clock: Clock, new_browser: NewBrowser, wiring: Wiring
) -> None:
    """A slug that is renamed stays the same account; a slug that is reused is another one."""
    uuid = upstreams.trakt.users["harry"].uuid
    upstreams.trakt.rename_user("harry", "the-boy-who-lived")
    sign_in(signed_in, upstreams, clock, "the-boy-who-lived")
    assert signed_in.get("/auth/session").json["user"]["slug"] == "the-boy-who-lived"
    account = wiring.accounts.get(uuid)
    assert account is not None
    assert account.slug == "the-boy-who-lived"
    upstreams.trakt.add_user("harry", uuid="0" * 40)
    other = new_browser()
    sign_in(other, upstreams, clock, "harry")
    assert other.get("/auth/session").json["user"]["slug"] == "harry"
    assert signed_in.get("/auth/session").json["user"]["slug"] == "the-boy-who-lived"


def test_connecting_again_ends_the_pause_that_asked_for_it(
    connected: Browser, upstreams: Upstreams, clock: Clock, wiring: Wiring
) -> None:
    """`reauth_required` is over with the sign-in."""
    uuid = upstreams.trakt.users["harry"].uuid
    for again in (sign_in, connect_kinopub):
        wiring.accounts.pause(uuid, "reauth_required")
        again(connected, upstreams, clock)
        account = wiring.accounts.get(uuid)
        assert account is not None
        assert account.paused_reason is None


@pytest.mark.parametrize("refuses", ["trakt", "kinopub"])
def test_who_has_to_connect_again_sees_where(
    connected: Browser, upstreams: Upstreams, clock: Clock, wiring: Wiring, refuses: str
) -> None:
    """An upstream grants tokens and refuses them: the stored pair looks good, but only a new sign-in there helps."""
    uuid = upstreams.trakt.users["harry"].uuid
    wiring.telling.pause(uuid, "reauth_required", "sign in again", to_connect=refuses)
    again = {"trakt": sign_in, "kinopub": connect_kinopub}
    (other,) = again.keys() - {refuses}

    def seen() -> tuple[str | None, dict[str, str]]:
        session, account = connected.get("/auth/session").json, wiring.accounts.get(uuid)
        assert account is not None
        return account.paused_reason, {name: session[name]["status"] for name in again}

    needed = ("reauth_required", {refuses: "reauth_required", other: "ok"})
    assert seen() == needed
    again[other](connected, upstreams, clock)
    assert seen() == needed
    again[refuses](connected, upstreams, clock)
    assert seen() == (None, {refuses: "ok", other: "ok"})


def test_switching_on_again_is_a_try(connected: Browser, upstreams: Upstreams, wiring: Wiring) -> None:
    """Setting `enabled` ends the pause; if it was needed, the next run says so again."""
    wiring.telling.pause(upstreams.trakt.users["harry"].uuid, "reauth_required", "sign in again", to_connect="trakt")
    wiring.accounts.change_settings(upstreams.trakt.users["harry"].uuid, enabled=True)
    assert connected.get("/auth/session").json["trakt"]["status"] == "ok"


@pytest.mark.parametrize("allowed", ["*", "harry", "HARRY", "ron, Harry ,hermione", "ron,*", "{uuid}", "{UUID}"])
def test_allowed_users(
    new_wiring: NewWiring, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock, allowed: str
) -> None:
    """By slug or uuid, in any case, or everybody."""
    uuid = upstreams.trakt.users["harry"].uuid
    wiring = new_wiring(allowed_trakt_users=allowed.format(uuid=uuid, UUID=uuid.upper()))
    assert device(new_browser(wiring), upstreams, clock).status == 200


@pytest.mark.parametrize("allowed", ["ron", "harr", "harry-2", ",", "**", "har*"])
def test_users_that_are_not_served(
    new_wiring: NewWiring, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock, allowed: str
) -> None:
    """403 `not_allowed`: no session, no trace here, and the fresh tokens are revoked."""
    uuid = upstreams.trakt.users["harry"].uuid
    wiring = new_wiring(allowed_trakt_users=allowed)
    browser = new_browser(wiring)
    said = device(browser, upstreams, clock)
    assert (said.status, said.code) == (403, "not_allowed")
    assert browser.cookies == {}
    assert wiring.accounts.get(uuid) is None
    assert wiring.tokens.get(uuid, "trakt") is None
    assert upstreams.trakt.token_counts()["alive"] == 0


def test_a_user_who_is_not_served_any_more(
    new_wiring: NewWiring, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock
) -> None:
    """Taken off the list: 403 to the session and to every token from then on; what is theirs they may take, and go."""
    before = new_browser(new_wiring(allowed_trakt_users="harry,ron"))
    assert device(before, upstreams, clock).status == 200
    token = before.post("/auth/api-tokens", {"name": "a program"}).json["token"]
    now = new_wiring(allowed_trakt_users="ron")
    browser, program = new_browser(now), {"Authorization": f"Bearer {token}"}
    browser.cookies = dict(before.cookies)
    refused = [browser.get("/auth/session"), browser.post("/auth/kinopub/device/code", {})]
    refused.append(new_browser(now).get("/auth/session", headers=program))
    assert [(said.status, said.code) for said in refused] == [(403, "not_allowed")] * 3
    assert browser.get("/account/export").status == 200
    assert browser.delete("/account").status == 204


def test_an_answer_without_a_uuid(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """502: without it nobody knows whose account this is. The tokens are given back."""
    upstreams.trakt.faults.add(path="/users/settings", status=200, body={"user": {"ids": {"slug": "harry"}}})
    said = device(browser, upstreams, clock)
    assert (said.status, said.code) == (502, "upstream_unreachable")
    assert upstreams.trakt.token_counts()["alive"] == 0


def test_an_account_that_trakt_has_locked(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """409 `account_locked`, with what to do about it (sync document 5.1)."""
    upstreams.trakt.users["harry"].locked = True
    said = device(browser, upstreams, clock)
    assert (said.status, said.code) == (409, "account_locked")
    assert "support" in said.json["detail"]


def test_a_profile_of_the_barest_kind(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """Everything but the uuid may be missing or null; limits may be fractions."""
    bare = {"user": {"username": "h", "name": None, "images": None, "ids": {"uuid": "a" * 40}}, "limits": {"x": 1.5}}
    upstreams.trakt.faults.add(path="/users/settings", status=200, body=bare)
    assert device(browser, upstreams, clock).status == 200
    told = browser.get("/auth/session").json
    assert told["user"] == {"slug": "h", "name": "h", "avatar": None}
    assert (told["trakt"]["vip"], told["trakt"]["limits"]) == (False, {"x": 1})


def test_a_short_trouble_at_the_profile(browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """Reads are tried again."""
    upstreams.trakt.faults.add(path="/users/settings", preset="bad_gateway")
    assert device(browser, upstreams, clock).status == 200


def test_health_asks_nobody(browser: Browser, upstreams: Upstreams) -> None:
    """`GET /api/health` is about this program alone."""
    upstreams.trakt.forget()
    said = browser.get("/health")
    assert (said.status, said.json["status"]) == (200, "ok")
    assert said.json["version"]
    assert upstreams.trakt.requests() == upstreams.kinopub.requests() == []
