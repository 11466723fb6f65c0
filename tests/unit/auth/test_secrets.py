"""No token of an upstream leaves the broker, and no secret lies anywhere in clear (http-api.md, Auth broker)."""

import logging
from collections.abc import Iterator

import pytest

from tests.browser import Browser
from tests.conftest import Clock
from tests.tables import everything_stored
from tests.unit.auth.conftest import NewBrowser, connect_kinopub, sign_in
from tests.unit.auth.test_authorize import begin, exchange
from tests.upstreams import Upstreams
from watchferry.http_api.cookies import HINT_COOKIE
from watchferry.wiring import Wiring


class Everything:
    """All that was answered and all that was logged during a test."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.answers: list[str] = []
        self.caplog = caplog

    def listen(self, browser: Browser) -> None:
        api = browser.api

        def heard(*request: object) -> object:
            answer = api(*request)  # type: ignore[arg-type]
            self.answers.append(repr(answer))
            return answer

        browser.api = heard  # type: ignore[assignment]

    @property
    def logged(self) -> str:
        return self.caplog.text + repr([vars(record) for record in self.caplog.records])


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[Everything]:
    with caplog.at_level(logging.DEBUG, "watchferry"):
        yield Everything(caplog)


def upstream_secrets(upstreams: Upstreams) -> set[str]:
    """Every token, code and key that an upstream knows."""
    trakt, kinopub = upstreams.trakt, upstreams.kinopub
    return {
        *trakt.by_access,
        *trakt.by_refresh,
        *trakt.devices.flows,
        *trakt.codes,
        *kinopub.by_access,
        *kinopub.by_refresh,
        *kinopub.devices.flows,
        trakt.client_secret,
        kinopub.client_secret,
    }


@pytest.fixture
def lived(
    new_browser: NewBrowser, upstreams: Upstreams, clock: Clock, wiring: Wiring, everything: Everything
) -> list[Browser]:
    """Two browsers that went through all there is, with trouble on the way."""
    browser, other = new_browser(), new_browser()
    for each in (browser, other):
        everything.listen(each)
    browser.post("/auth/trakt/device/code")
    browser.post("/auth/kinopub/device/code")
    sign_in(browser, upstreams, clock)
    connect_kinopub(browser, upstreams, clock)
    exchange(other, begin(other, upstreams))
    for provider, path in (("trakt", "/oauth/token"), ("kinopub", "/oauth2/token")):
        getattr(upstreams, provider).faults.add(path=path, preset="bad_gateway")
        credential = wiring.broker.credential(upstreams.trakt.users["harry"].uuid, provider)
        credential.renewed(credential.token())
    for fault in ("html_ok", "server_error", "garbage"):
        upstreams.trakt.faults.add(path="/oauth/device/token|/users/settings", preset=fault)
        begun = other.post("/auth/trakt/device/code").json
        upstreams.trakt.approve(begun["user_code"], "harry")
        for _ in range(3):
            clock.advance(begun["interval"])
            other.post("/auth/trakt/device/token", {"device_code": begun["device_code"]})
    for each in (browser, other):
        each.get("/auth/session")
    return [browser, other]


def test_no_token_leaves(lived: list[Browser], upstreams: Upstreams, everything: Everything) -> None:
    """Not in a body, a header or a cookie."""
    answers = "".join(everything.answers)
    assert lived
    assert len(everything.answers) > 15
    assert [secret for secret in upstream_secrets(upstreams) - set(upstreams.trakt.codes) if secret in answers] == []


def secret_cookies(browsers: list[Browser]) -> set[str]:
    """All but the one that only says that there is a session."""
    return {value for browser in browsers for name, value in browser.cookies.items() if name != HINT_COOKIE}


def test_no_secret_is_logged(lived: list[Browser], upstreams: Upstreams, everything: Everything) -> None:
    """Upstream's or ours: tokens, codes, sessions, handles."""
    ours = secret_cookies(lived)
    assert everything.logged
    assert [secret for secret in upstream_secrets(upstreams) | ours if secret in everything.logged] == []


def test_nothing_is_stored_in_clear(lived: list[Browser], upstreams: Upstreams, wiring: Wiring) -> None:
    """Tokens and device codes are sealed, sessions, handles and browser marks are hashes."""
    stored = everything_stored(wiring.dynamo)
    ours = secret_cookies(lived)
    assert len(ours) >= 3
    assert [secret for secret in upstream_secrets(upstreams) | ours if secret in stored] == []


def test_handles_are_stored_as_hashes(browser: Browser, wiring: Wiring) -> None:
    """Who reads the table can poll nothing and finish nothing."""
    handle = browser.post("/auth/trakt/device/code").json["device_code"]
    state = browser.post("/auth/trakt/authorize").json["state"]
    stored = everything_stored(wiring.dynamo)
    assert handle not in stored
    assert state not in stored


def test_objects_do_not_show_what_they_hold(upstreams: Upstreams, signed_in: Browser, wiring: Wiring) -> None:
    """A `repr` in a traceback or a debug line tells nothing."""
    credential = wiring.broker.credential(upstreams.trakt.users["harry"].uuid, "trakt")
    credential.token()
    shown = repr(credential) + repr(wiring.broker) + repr(wiring.vault)
    assert [secret for secret in upstream_secrets(upstreams) if secret in shown] == []
