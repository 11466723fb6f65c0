"""Signing in and connecting accounts, at the deployed API (http-api.md, Auth broker)."""

import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from tests.stack.deployed import INTERVAL, Deployed
from tests.stack.person import Person
from tests.upstreams.app import Device

pytestmark = pytest.mark.stack

CODE = {"device_code", "user_code", "verification_url", "verification_url_complete", "interval", "expires_in"}
POLLS = {"trakt": "^/oauth/device/token", "kinopub": "^/oauth2/device"}


def flow_of(person: Person, provider: str, begun: dict[str, Any]) -> Device:
    """The upstream's side of a device flow."""
    app: Any = getattr(person.at.upstreams, provider)
    [flow] = [flow for flow in app.devices.flows.values() if flow.user_code == begun["user_code"]]
    assert isinstance(flow, Device)
    return flow


def session_cookie(answer: httpx.Response) -> Any:
    """The one session cookie that an answer sets."""
    [header] = [line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-session=")]
    return SimpleCookie(header)["__Host-session"]


def word(answer: httpx.Response) -> tuple[int, str]:
    """Status and word: of a problem its code, else the status that the body tells."""
    told = answer.json()
    return answer.status_code, told.get("code") or told["status"]


# ---------------------------------------------------------------- Trakt, by code


def test_device_flow(deployed: Deployed) -> None:
    """A code, a wait, a session; the handle is ours, and works once."""
    person = deployed.newcomer("device flow")
    begun = person.call("POST", "auth/trakt/device/code", json={})
    assert begun.keys() == CODE
    flow = flow_of(person, "trakt", begun)
    assert flow.code != begun["device_code"]
    assert begun["user_code"] in begun["verification_url_complete"]
    assert (begun["interval"], begun["expires_in"]) == (flow.interval, flow.expires_in)
    deployed.upstreams.trakt.approve(begun["user_code"], person.slug)
    answer = person.await_device("trakt", begun)
    assert answer.status_code == 200
    assert answer.json().keys() == {"status", "user"}
    assert answer.json()["status"] == "authorized"
    assert answer.json()["user"].keys() == {"slug", "name", "avatar"}
    assert (answer.json()["user"]["slug"], answer.json()["user"]["name"]) == (person.slug, "device flow")
    assert person.session["user"] == answer.json()["user"]
    assert word(person.poll("trakt", begun)) == (409, "already_used")


def test_the_session_cookie(deployed: Deployed) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite=Strict, for the whole site, of 256 random bits, another each time."""
    person = deployed.newcomer("cookie")
    values = set()
    for _ in range(2):
        begun = person.call("POST", "auth/trakt/authorize", json={})
        given = {"code": person.agree(begun), "state": begun["state"]}
        cookie = session_cookie(person.web.post("auth/trakt/oauth/exchange", json=given))
        assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "Strict", "")
        assert cookie["secure"]
        assert cookie["httponly"]
        assert int(cookie["max-age"]) > 86_400
        values.add(cookie.value)
    assert len(values) == 2
    assert all(len(value) >= 43 for value in values)


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_polling_too_fast(deployed: Deployed, provider: str) -> None:
    """Asked sooner than the interval, the broker answers `pending` without a call; never two calls in an interval."""
    person = deployed.newcomer("too fast")
    person.sign_in()
    app: Any = getattr(deployed.upstreams, provider)
    begun = person.call("POST", f"auth/{provider}/device/code", json={})
    flow = flow_of(person, provider, begun)
    until = time.monotonic() + 2.5 * INTERVAL
    while time.monotonic() < until:
        assert word(person.poll(provider, begun)) == (202, "pending")
    assert 1 <= flow.polls <= 3
    assert flow.polled_too_fast == 0
    app.approve(begun["user_code"], person.slug)
    assert person.await_device(provider, begun).status_code == 200


Ends = list[tuple[str, Callable[[Any, Device], object], tuple[int, str]]]

TRAKT_ENDS: Ends = [
    ("denied", lambda app, flow: app.deny(flow.user_code), (418, "denied")),
    ("expired", lambda app, flow: setattr(flow, "created_at", 0), (410, "expired")),
    ("used", lambda app, flow: setattr(flow, "status", "used"), (409, "already_used")),
    ("unknown", lambda app, flow: app.devices.flows.pop(flow.code), (404, "invalid")),
]
KINOPUB_ENDS: Ends = [
    ("denied", lambda app, flow: app.deny(flow.user_code), (418, "denied")),
    ("expired", lambda app, flow: setattr(flow, "created_at", 0), (410, "expired")),
    ("used", lambda app, flow: setattr(flow, "status", "used"), (404, "invalid")),
    ("unknown", lambda app, flow: app.devices.flows.pop(flow.code), (404, "invalid")),
]


@pytest.mark.parametrize(("provider", "ends"), [("trakt", TRAKT_ENDS), ("kinopub", KINOPUB_ENDS)])
def test_how_flows_end(deployed: Deployed, provider: str, ends: Ends) -> None:
    """Each in its own status and word, at the first poll and at every later one, without another call."""
    person = deployed.newcomer("ending flows")
    person.sign_in()
    app: Any = getattr(deployed.upstreams, provider)
    begun = {name: person.call("POST", f"auth/{provider}/device/code", json={}) for name, _, _ in ends}
    for name, change, _ in ends:
        with deployed.upstreams.upstreams.lock:
            change(app, flow_of(person, provider, begun[name]))
    first = {name: person.await_device(provider, flow) for name, flow in begun.items()}
    assert {name: word(answer) for name, answer in first.items()} == {name: end for name, _, end in ends}
    calls = len(app.requests(POLLS[provider]))
    for name, _, end in ends:
        assert word(person.poll(provider, begun[name])) == end
    assert len(app.requests(POLLS[provider])) == calls


def test_slowing_down(deployed: Deployed) -> None:
    """Trakt's 429 raises the interval by five seconds, which the answer names and the broker keeps."""
    person = deployed.newcomer("slowing down")
    begun = person.call("POST", "auth/trakt/device/code", json={})
    fault = deployed.upstreams.trakt.faults.add(path=POLLS["trakt"], status=429)
    time.sleep(begun["interval"])
    answer = person.poll("trakt", begun)
    assert (word(answer), answer.json()["interval"]) == ((202, "slow_down"), begun["interval"] + 5)
    assert fault.struck == 1
    again = person.poll("trakt", begun)
    assert (word(again), again.json()["interval"]) == ((202, "pending"), begun["interval"] + 5)
    assert flow_of(person, "trakt", begun).polls == 0


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}, {"preset": "html_ok"}, {"preset": "garbage"}])
def test_trouble_while_polling(deployed: Deployed, provider: str, fault: dict[str, Any]) -> None:
    """A poll that the upstream fails counts as pending; the next one finds the approval."""
    person = deployed.newcomer("trouble while polling")
    person.sign_in()
    app: Any = getattr(deployed.upstreams, provider)
    begun = person.call("POST", f"auth/{provider}/device/code", json={})
    app.approve(begun["user_code"], person.slug)
    struck = app.faults.add(path=POLLS[provider], **fault)
    time.sleep(begun["interval"])
    assert word(person.poll(provider, begun)) == (202, "pending")
    assert struck.struck == 1
    assert person.await_device(provider, begun).status_code == 200


def test_handles_of_nobody(deployed: Deployed) -> None:
    """A handle that was never given out, or is the other provider's, is 404 `invalid`."""
    person = deployed.newcomer("nobody's handles")
    person.sign_in()
    begun = person.call("POST", "auth/trakt/device/code", json={})
    assert word(person.poll("trakt", {"device_code": "A" * 43})) == (404, "invalid")
    assert word(person.poll("kinopub", begun)) == (404, "invalid")


# ---------------------------------------------------------------- Trakt, by redirect


def test_authorization_code_flow(deployed: Deployed) -> None:
    """There and back with a state that belongs to this browser; at the end a session."""
    person = deployed.newcomer("redirect")
    begun = person.call("POST", "auth/trakt/authorize", json={})
    assert begun.keys() == {"authorize_url", "state"}
    assert begun["authorize_url"].startswith(f"{deployed.upstreams.trakt_auth_url}/oauth/authorize?")
    answer = person.call(
        "POST", "auth/trakt/oauth/exchange", json={"code": person.agree(begun), "state": begun["state"]}
    )
    assert (answer["status"], answer["user"]["slug"]) == ("authorized", person.slug)
    assert person.session["trakt"]["connected"]


def test_a_state_works_once_and_in_its_own_browser(deployed: Deployed) -> None:
    """Another browser, another state, a second time, and a code that Trakt does not know: 400, and no session."""
    person, thief = deployed.newcomer("states"), deployed.newcomer("thief")

    def exchange(who: Person, code: str, state: str) -> tuple[int, str]:
        return word(who.web.post("auth/trakt/oauth/exchange", json={"code": code, "state": state}))

    begun = person.call("POST", "auth/trakt/authorize", json={})
    thief.call("POST", "auth/trakt/authorize", json={})
    code = person.agree(begun)
    assert exchange(thief, code, begun["state"]) == (400, "invalid_state")
    assert exchange(person, code, begun["state"][:-1] + "_") == (400, "invalid_state")
    assert exchange(person, "nonsense", begun["state"]) == (400, "invalid_grant")
    assert exchange(person, code, begun["state"]) == (400, "invalid_state")
    assert thief.web.get("auth/session").status_code == person.web.get("auth/session").status_code == 401


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test/", "{site}.evil.test/", "{site}@evil.test/"])
def test_no_redirect_elsewhere(deployed: Deployed, elsewhere: str) -> None:
    """400 `validation` for an address that is not the site's own."""
    asked = {"redirect_uri": elsewhere.format(site=deployed.stack.site_url)}
    assert word(deployed.web().post("auth/trakt/authorize", json=asked)) == (400, "validation")


# ---------------------------------------------------------------- Kinopub


def test_kinopub_by_code(deployed: Deployed) -> None:
    """The same form; it needs a session, and a handle works for the user who asked for it alone."""
    person, other = deployed.newcomer("kinopub"), deployed.newcomer("another")
    assert word(person.web.post("auth/kinopub/device/code", json={})) == (401, "unauthenticated")
    person.sign_in()
    other.sign_in()
    begun = person.call("POST", "auth/kinopub/device/code", json={})
    assert begun.keys() == CODE
    deployed.upstreams.kinopub.approve(begun["user_code"], person.slug)
    assert word(other.poll("kinopub", begun)) == (404, "invalid")
    answer = person.await_device("kinopub", begun)
    assert word(answer) == (200, "authorized")
    assert person.session["kinopub"]["connected"]
    assert not other.session["kinopub"]["connected"]
    assert deployed.upstreams.kinopub.notified[-1][0] == person.slug


# ---------------------------------------------------------------- sessions


def test_what_a_session_tells(deployed: Deployed) -> None:
    """The user, both connections with their status and end, Trakt's plan; 401 without a session."""
    person = deployed.person("session")
    told = person.session
    assert told.keys() == {"user", "trakt", "kinopub", "prowlarr"}
    assert told["trakt"].keys() == {"connected", "status", "expires_at", "vip", "limits"}
    assert told["kinopub"].keys() == {"connected", "status", "expires_at"}
    assert told["prowlarr"].keys() == {"configured", "base_url"}
    for provider in ("trakt", "kinopub"):
        assert told[provider]["connected"]
        assert told[provider]["status"] == "ok"
        assert told[provider]["expires_at"].endswith("Z")
    assert told["trakt"]["vip"] is True
    assert told["trakt"]["limits"]["list"] == {"count": 100, "item_count": 1000}
    assert word(deployed.web().get("auth/session")) == (401, "unauthenticated")


def test_logout(deployed: Deployed) -> None:
    """The session is gone for good: for this browser, and for whoever kept the cookie. Twice is once."""
    person = deployed.newcomer("logout")
    begun = person.call("POST", "auth/trakt/authorize", json={})
    given = {"code": person.agree(begun), "state": begun["state"]}
    kept = session_cookie(person.web.post("auth/trakt/oauth/exchange", json=given)).value
    with_it = {"cookie": f"__Host-session={kept}"}
    thief = deployed.web()
    assert thief.get("auth/session", headers=with_it).status_code == 200
    answer = person.web.post("auth/logout")
    assert answer.status_code == 204
    assert session_cookie(answer)["max-age"] == "0"
    assert word(person.web.get("auth/session")) == (401, "unauthenticated")
    assert word(thief.get("auth/session", headers=with_it)) == (401, "unauthenticated")
    assert person.web.post("auth/logout").status_code == 204


def test_signing_in_again_ends_the_old_session(deployed: Deployed) -> None:
    """An id that somebody planted before the sign-in is worth nothing after it."""
    person = deployed.newcomer("fixation")
    person.sign_in()
    [before] = [value for value in [_cookie(person)] if value]
    person.sign_in()
    assert _cookie(person) != before
    old = {"cookie": f"__Host-session={before}"}
    assert deployed.web().get("auth/session", headers=old).status_code == 401


def _cookie(person: Person) -> str | None:
    jar: httpx.Cookies = person.web.auth.cookies  # type: ignore[union-attr]
    return jar.get("__Host-session")


def test_disconnecting(deployed: Deployed) -> None:
    """Trakt's tokens are revoked there, both are gone here; the session stays; a second time is the same."""
    person = deployed.person("disconnecting")
    grants = [grant for grant in deployed.upstreams.trakt.grants if grant.user == person.slug]
    for provider in ("trakt", "kinopub", "trakt"):
        assert person.web.delete(f"auth/{provider}").status_code == 204
        assert person.session[provider]["connected"] is False
    assert [grant.ended for grant in grants] == ["revoked"]
    assert word(person.web.post("sync/runs", json={"mode": "sync"})) == (409, "not_connected")
    dynamo, name = deployed.cloud("dynamodb"), deployed.stack.tables["Tokens"]
    for provider in ("trakt", "kinopub"):
        key = {"user_id": {"S": person.user_id}, "provider": {"S": provider}}
        assert "Item" not in dynamo.get_item(TableName=name, Key=key)
    person.sign_in()
    assert person.session["trakt"]["connected"]


def test_who_is_not_served(deployed: Deployed) -> None:
    """403 `not_allowed`, no session, and the tokens that Trakt gave out for it are revoked."""
    person = deployed.newcomer("not on the list", slug="somebody-else")
    begun = person.call("POST", "auth/trakt/device/code", json={})
    deployed.upstreams.trakt.approve(begun["user_code"], person.slug)
    answer = person.await_device("trakt", begun)
    assert word(answer) == (403, "not_allowed")
    assert "set-cookie" not in answer.headers
    assert [grant.ended for grant in deployed.upstreams.trakt.grants if grant.user == person.slug] == ["revoked"]
    assert person.web.get("auth/session").status_code == 401


def test_a_renamed_user(deployed: Deployed) -> None:
    """Accounts are keyed by Trakt's uuid: a new name finds the old account, the old name a new one's."""
    person = deployed.newcomer("renamed")
    person.sign_in()
    was, old_name = person.state["trakt_user_hash"], person.slug
    spare = deployed.newcomer("gives its name").slug
    with deployed.upstreams.upstreams.lock:
        del deployed.upstreams.trakt.users[spare]
        deployed.upstreams.trakt.rename_user(old_name, spare)
    person.slug = spare
    person.sign_in()
    assert person.session["user"]["slug"] == spare
    assert person.state["trakt_user_hash"] == was
    heir = deployed.newcomer("took the old name", slug=old_name, uuid="ffffffff00000000ffffffff0000000000000000")
    heir.sign_in()
    assert heir.state["trakt_user_hash"] != was


# ---------------------------------------------------------------- other sites

WRITES = [
    ("POST", "auth/trakt/device/code"),
    ("POST", "auth/trakt/device/token"),
    ("POST", "auth/trakt/authorize"),
    ("POST", "auth/trakt/oauth/exchange"),
    ("POST", "auth/kinopub/device/code"),
    ("POST", "auth/kinopub/device/token"),
    ("POST", "auth/logout"),
    ("DELETE", "auth/trakt"),
    ("DELETE", "auth/kinopub"),
    ("POST", "auth/api-tokens"),
    ("DELETE", "auth/api-tokens/x"),
    ("DELETE", "account"),
    ("POST", "sync/runs"),
    ("PUT", "sync/settings"),
]


@pytest.fixture(scope="module")
def victim(deployed: Deployed) -> Person:
    made = deployed.newcomer("victim")
    made.sign_in()
    return made


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nobody_writes_from_another_site(deployed: Deployed, victim: Person, method: str, path: str) -> None:
    """403 `csrf` without the header, from another origin, from another site — signed in or about to be."""
    forged = [{"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
    for headers in [*forged, {"sec-fetch-site": "same-site"}, {"x-csrf": ""}, {"x-csrf": "0"}]:
        assert word(victim.web.request(method, path, json={}, headers=headers)) == (403, "csrf"), headers
    for headers in forged:
        assert word(deployed.web().request(method, path, json={}, headers=headers)) == (403, "csrf"), headers
    assert victim.session["trakt"]["connected"]
