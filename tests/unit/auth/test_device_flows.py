"""Device flows of both providers, as a browser sees them (http-api.md, Auth broker)."""

from typing import Any

import pytest

from tests.browser import Browser, Reply
from tests.conftest import Clock, NewWiring
from tests.unit.auth.conftest import NewBrowser, sign_in
from tests.upstreams import Upstreams


class Flow:
    """One provider's device flow in one browser."""

    def __init__(self, provider: str, browser: Browser, upstreams: Upstreams, clock: Clock) -> None:
        self.provider, self.browser, self.clock = provider, browser, clock
        self.upstream: Any = getattr(upstreams, provider)
        if provider == "kinopub":
            sign_in(browser, upstreams, clock)
        self.begun = browser.post(f"/auth/{provider}/device/code").json
        self.polls_at = {"trakt": "/oauth/device/token", "kinopub": "/oauth2/device"}[provider]
        self.upstream.forget()

    def wait(self, seconds: float | None = None) -> None:
        self.clock.advance(self.begun["interval"] if seconds is None else seconds)

    def poll(self) -> Reply:
        return self.browser.post(f"/auth/{self.provider}/device/token", {"device_code": self.begun["device_code"]})

    def asked(self) -> int:
        """How often the upstream was asked."""
        return len(self.upstream.requests(self.polls_at))


@pytest.fixture(params=["trakt", "kinopub"])
def flow(request: pytest.FixtureRequest, browser: Browser, upstreams: Upstreams, clock: Clock) -> Flow:
    return Flow(request.param, browser, upstreams, clock)


@pytest.fixture
def trakt_flow(browser: Browser, upstreams: Upstreams, clock: Clock) -> Flow:
    return Flow("trakt", browser, upstreams, clock)


@pytest.fixture
def kinopub_flow(browser: Browser, upstreams: Upstreams, clock: Clock) -> Flow:
    return Flow("kinopub", browser, upstreams, clock)


def test_a_flow_begins_with_a_handle_of_ours(flow: Flow) -> None:
    """The upstream's device code stays here; the person gets its user code, its page and how long there is time."""
    begun = flow.begun
    assert begun.keys() == {
        "device_code",
        "user_code",
        "verification_url",
        "verification_url_complete",
        "interval",
        "expires_in",
    }
    assert begun["device_code"] not in flow.upstream.devices.flows
    assert begun["user_code"] in {known.user_code for known in flow.upstream.devices.flows.values()}
    assert begun["verification_url"].startswith("https://")


def test_trakts_complete_address_holds_the_code(trakt_flow: Flow) -> None:
    """It is what a QR picture shows."""
    begun = trakt_flow.begun
    assert begun["verification_url_complete"] == f"https://trakt.tv/activate/{begun['user_code']}"


def test_approval_ends_a_flow(flow: Flow) -> None:
    """200 `authorized` with the user, and no token."""
    flow.upstream.approve(flow.begun["user_code"], "harry")
    flow.wait()
    said = flow.poll()
    assert (said.status, said.json) == (
        200,
        {"status": "authorized", "user": {"slug": "harry", "name": "Harry", "avatar": said.json["user"]["avatar"]}},
    )


def test_until_then_it_is_pending(flow: Flow) -> None:
    """202 with the interval to wait."""
    flow.wait()
    assert (said := flow.poll()).status == 202
    assert said.json == {"status": "pending", "interval": flow.begun["interval"]}
    assert flow.asked() == 1


def test_asking_sooner_does_not_reach_the_upstream(flow: Flow) -> None:
    """The interval is kept here, whatever the caller does: also before the first poll."""
    assert flow.poll().status == 202
    assert flow.asked() == 0
    flow.wait()
    for _ in range(5):
        assert flow.poll().json == {"status": "pending", "interval": flow.begun["interval"]}
        flow.wait(0.9)
    assert flow.asked() == 1
    flow.wait()
    flow.poll()
    assert flow.asked() == 2


def test_of_callers_at_once_one_asks(flow: Flow, new_wiring: NewWiring, new_browser: NewBrowser) -> None:
    """The interval holds across processes."""
    flow.wait()
    flow.poll()
    flow.browser.api = new_browser(new_wiring()).api
    flow.poll()
    assert flow.asked() == 1


def test_too_often_for_the_upstream_slows_down(flow: Flow) -> None:
    """A 429 is 202 `slow_down` and adds five seconds, for this poll and the later ones."""
    flow.upstream.faults.add(path=flow.polls_at, preset="edge_429")
    flow.wait()
    slower = flow.begun["interval"] + 5
    assert (said := flow.poll()).status == 202
    assert said.json == {"status": "slow_down", "interval": slower}
    flow.wait(slower - 1)
    assert flow.poll().json == {"status": "pending", "interval": slower}
    assert flow.asked() == 1
    flow.wait(1)
    assert flow.poll().json == {"status": "pending", "interval": slower}
    assert flow.asked() == 2


def test_denial(flow: Flow) -> None:
    """418 `denied`, again and again, and the upstream is asked once."""
    flow.upstream.deny(flow.begun["user_code"])
    flow.wait()
    for _ in range(2):
        assert ((said := flow.poll()).status, said.code) == (418, "denied")
        flow.wait()
    assert flow.asked() == 1


def test_expiry_told_by_the_upstream(flow: Flow) -> None:
    """410 `expired`."""
    for known in flow.upstream.devices.flows.values():
        known.expires_in = 3
    flow.wait()
    assert ((said := flow.poll()).status, said.code) == (410, "expired")
    assert flow.asked() == 1


def test_kinopubs_other_word_for_expiry(kinopub_flow: Flow) -> None:
    """`authorization_expired` is 410 as well."""
    kinopub_flow.upstream.options.set(expired_word="authorization_expired")
    for known in kinopub_flow.upstream.devices.flows.values():
        known.expires_in = 3
    kinopub_flow.wait()
    assert ((said := kinopub_flow.poll()).status, said.code) == (410, "expired")


def test_expiry_by_the_clock(flow: Flow) -> None:
    """410 without asking anybody."""
    flow.wait(flow.begun["expires_in"])
    assert ((said := flow.poll()).status, said.code) == (410, "expired")
    assert flow.asked() == 0


def test_a_code_is_good_once(flow: Flow) -> None:
    """409 `already_used` afterwards."""
    flow.upstream.approve(flow.begun["user_code"], "harry")
    flow.wait()
    assert flow.poll().status == 200
    flow.wait()
    assert ((said := flow.poll()).status, said.code) == (409, "already_used")


def test_a_code_that_trakt_calls_used(trakt_flow: Flow) -> None:
    """Its 409 is ours."""
    for known in trakt_flow.upstream.devices.flows.values():
        known.status = "used"
    trakt_flow.wait()
    assert ((said := trakt_flow.poll()).status, said.code) == (409, "already_used")


def test_a_code_that_the_upstream_does_not_know(flow: Flow) -> None:
    """404 `invalid`."""
    flow.upstream.devices.flows.clear()
    flow.wait()
    assert ((said := flow.poll()).status, said.code) == (404, "invalid")


def test_a_word_that_kinopub_has_never_said(kinopub_flow: Flow) -> None:
    """Unknown words are final: 404 `invalid`."""
    kinopub_flow.upstream.faults.add(path="/oauth2/device", status=400, body={"error": "moon_in_the_seventh_house"})
    kinopub_flow.wait()
    assert ((said := kinopub_flow.poll()).status, said.code) == (404, "invalid")


@pytest.mark.parametrize("body", ["", "<html>wait</html>", {"error": "expired_token"}])
def test_trakts_bodies_say_nothing(trakt_flow: Flow, body: Any) -> None:
    """A 400 is pending, whatever stands in it (reality.md, Token)."""
    trakt_flow.upstream.faults.add(path=trakt_flow.polls_at, status=400, body=body)
    trakt_flow.wait()
    assert trakt_flow.poll().json["status"] == "pending"


@pytest.mark.parametrize("status", [400, 401, 404, 405, 409, 410, 418, 422])
def test_an_edge_ends_no_code(flow: Flow, status: int) -> None:
    """Its page has a status that ends a code, or one without a meaning: pending, and the code is still good."""
    flow.upstream.options.set(poll_edge=status)
    for _ in range(3):
        flow.wait()
        assert ((said := flow.poll()).status, said.json["status"]) == (202, "pending")
    flow.upstream.options.set(poll_edge=0)
    flow.upstream.approve(flow.begun["user_code"], "harry")
    flow.wait()
    assert flow.poll().status == 200


def test_an_edge_does_not_keep_a_code_for_ever(flow: Flow) -> None:
    """The code's own lifetime ends it, whatever the edge says: 410."""
    flow.upstream.options.set(poll_edge=404)
    flow.wait(flow.begun["expires_in"])
    assert ((said := flow.poll()).status, said.code) == (410, "expired")


@pytest.mark.parametrize("status", [302, 401, 403])
def test_what_trakt_never_says_of_a_code(trakt_flow: Flow, status: int) -> None:
    """No body, and a status without a meaning for a code: whatever it is, the code is not ended by it."""
    trakt_flow.upstream.faults.add(path=trakt_flow.polls_at, status=status, body="")
    trakt_flow.upstream.approve(trakt_flow.begun["user_code"], "harry")
    trakt_flow.wait()
    assert trakt_flow.poll().status == (502 if status == 403 else 202)
    trakt_flow.wait()
    assert trakt_flow.poll().status == 200


@pytest.mark.parametrize("status", [404, 409, 410, 418])
def test_trakts_own_endings_have_no_body(trakt_flow: Flow, status: int) -> None:
    """They are what they say, also under a type of HTML that nothing follows."""
    trakt_flow.upstream.faults.add(
        path=trakt_flow.polls_at, status=status, body="", headers={"Content-Type": "text/html; charset=utf-8"}
    )
    trakt_flow.wait()
    assert trakt_flow.poll().status == status


@pytest.mark.parametrize("body", ["", "Bad Request", [], {"message": "no"}, {"error": 7}, {"error": {"code": 1}}])
@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_has_no_word_of_kinopubs(kinopub_flow: Flow, status: int, body: Any) -> None:
    """It is nothing that Kinopub says of a code: pending."""
    kinopub_flow.upstream.faults.add(path="/oauth2/device", status=status, body=body)
    kinopub_flow.upstream.approve(kinopub_flow.begun["user_code"], "harry")
    kinopub_flow.wait()
    assert kinopub_flow.poll().json["status"] == "pending"
    kinopub_flow.wait()
    assert kinopub_flow.poll().status == 200


def test_a_secret_that_is_refused_ends_no_code(flow: Flow) -> None:
    """`invalid_client` is the deployment's trouble: 502 `app_refused`, and the code is good when that is mended."""
    flow.upstream.approve(flow.begun["user_code"], "harry")
    flow.upstream.options.set(app_refused="client" if flow.provider == "trakt" else True)
    flow.wait()
    assert ((said := flow.poll()).status, said.code) == (502, "app_refused")
    flow.upstream.options.set(app_refused="" if flow.provider == "trakt" else False)
    flow.wait()
    assert flow.poll().status == 200


@pytest.mark.parametrize(
    "fault", [{"preset": "bad_gateway"}, {"preset": "html_ok"}, {"reset": True}, {"delay": 60.0, "status": 200}]
)
def test_trouble_on_the_way_is_pending(flow: Flow, fault: dict[str, Any]) -> None:
    """The code is still good; the poll is not sent again by itself, and the next one succeeds."""
    flow.upstream.approve(flow.begun["user_code"], "harry")
    flow.upstream.faults.add(path=flow.polls_at, **fault)
    flow.wait()
    assert flow.poll().json["status"] == "pending"
    assert flow.asked() == 1
    flow.wait()
    assert flow.poll().status == 200


def test_a_lost_answer_of_trakt_that_used_the_code_up(trakt_flow: Flow) -> None:
    """The tokens went with the answer: the next poll is told 409, and the person starts anew."""
    trakt_flow.upstream.approve(trakt_flow.begun["user_code"], "harry")
    trakt_flow.upstream.faults.add(path=trakt_flow.polls_at, reset=True, when="after")
    trakt_flow.wait()
    assert trakt_flow.poll().json["status"] == "pending"
    trakt_flow.wait()
    assert ((said := trakt_flow.poll()).status, said.code) == (409, "already_used")


def test_a_firewall_is_no_refusal_of_the_person(flow: Flow) -> None:
    """403 in HTML is the deployment's trouble: 502, and the flow goes on."""
    flow.upstream.approve(flow.begun["user_code"], "harry")
    flow.upstream.faults.add(path=flow.polls_at, preset="firewall")
    flow.wait()
    assert ((said := flow.poll()).status, said.code) == (502, "upstream_firewall")
    flow.wait()
    assert flow.poll().status == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"reset": True}, 502, "upstream_unreachable"),
        ({"preset": "unavailable"}, 502, "upstream_unreachable"),
        ({"preset": "html_ok"}, 502, "upstream_unreachable"),
        ({"delay": 60.0, "status": 200}, 504, "upstream_timeout"),
        ({"preset": "rate_limited"}, 429, "rate_limited"),
        ({"preset": "firewall"}, 502, "upstream_firewall"),
    ],
)
def test_a_flow_that_cannot_begin(
    flow: Flow, upstreams: Upstreams, fault: dict[str, Any], status: int, code: str
) -> None:
    """The upstream's trouble has its words."""
    flow.upstream.faults.add(path="/device", **fault)
    said = flow.browser.post(f"/auth/{flow.provider}/device/code")
    assert (said.status, said.code) == (status, code)
    if status == 429:
        assert said.headers["retry-after"] == "2"


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_a_deployment_with_a_wrong_key(
    provider: str, new_wiring: NewWiring, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock
) -> None:
    """`invalid_client` is told as what it is."""
    browser = new_browser(new_wiring(**{f"{provider}_client_id": "mistyped"}))
    if provider == "kinopub":
        sign_in(browser, upstreams, clock)
    said = browser.post(f"/auth/{provider}/device/code")
    assert (said.status, said.code) == (502, "app_refused")


def test_a_handle_that_never_was(signed_in: Browser) -> None:
    """404 `invalid` for both."""
    for provider in ("trakt", "kinopub"):
        said = signed_in.post(f"/auth/{provider}/device/token", {"device_code": "A" * 43})
        assert (said.status, said.code) == (404, "invalid")


def test_handles_are_of_one_provider(flow: Flow) -> None:
    """The other one's endpoint does not know it."""
    other = "kinopub" if flow.provider == "trakt" else "trakt"
    if other == "kinopub":
        flow.upstream.approve(flow.begun["user_code"], "harry")
        flow.wait()
        assert flow.poll().status == 200
    said = flow.browser.post(f"/auth/{other}/device/token", {"device_code": flow.begun["device_code"]})
    assert (said.status, said.code) == (404, "invalid")


def test_a_kinopub_handle_is_of_one_user(
    kinopub_flow: Flow, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock
) -> None:
    """404 for another user: nobody connects their Kinopub to somebody else's account (http-api.md, Fine print)."""
    upstreams.add_user("draco")
    other = new_browser()
    sign_in(other, upstreams, clock, "draco")
    kinopub_flow.upstream.approve(kinopub_flow.begun["user_code"], "harry")
    kinopub_flow.wait()
    said = other.post("/auth/kinopub/device/token", {"device_code": kinopub_flow.begun["device_code"]})
    assert (said.status, said.code) == (404, "invalid")
    assert kinopub_flow.asked() == 0
    assert kinopub_flow.poll().status == 200


def test_kinopub_needs_a_session(browser: Browser) -> None:
    """401 `unauthenticated`."""
    for path, body in (("code", None), ("token", {"device_code": "A" * 43})):
        said = browser.post(f"/auth/kinopub/device/{path}", body)
        assert (said.status, said.code) == (401, "unauthenticated")


@pytest.mark.parametrize("refuses_json", [False, True])
def test_kinopub_is_told_the_devices_name(kinopub_flow: Flow, refuses_json: bool) -> None:
    """As JSON, as a form where that is refused (KinoAPI document 1.4)."""
    kinopub_flow.upstream.options.set(notify_refuses_json=refuses_json)
    kinopub_flow.upstream.approve(kinopub_flow.begun["user_code"], "harry")
    kinopub_flow.wait()
    kinopub_flow.poll()
    [(user, told)] = kinopub_flow.upstream.notified
    assert (user, told.keys()) == ("harry", {"title", "hardware", "software"})


@pytest.mark.parametrize("fault", [{"preset": "server_error"}, {"reset": True}, {"delay": 60.0, "status": 200}])
def test_a_login_does_not_hang_on_the_devices_name(kinopub_flow: Flow, fault: dict[str, Any]) -> None:
    """Whatever becomes of the notice, the account is connected."""
    kinopub_flow.upstream.faults.add(path="/v1/device/notify", times=None, **fault)
    kinopub_flow.upstream.approve(kinopub_flow.begun["user_code"], "harry")
    kinopub_flow.wait()
    assert kinopub_flow.poll().status == 200
    assert kinopub_flow.browser.get("/auth/session").json["kinopub"]["connected"] is True


def test_tokens_without_a_type(kinopub_flow: Flow) -> None:
    """`token_type` may be missing (reality.md, Kinopub)."""
    kinopub_flow.upstream.options.set(token_type_missing=True)
    kinopub_flow.upstream.approve(kinopub_flow.begun["user_code"], "harry")
    kinopub_flow.wait()
    assert kinopub_flow.poll().status == 200
