"""A browser at the auth API, and the two sign-ins that most tests begin with."""

from collections.abc import Callable

import pytest

from functions.auth_api.app import auth_api
from tests.browser import Browser
from tests.conftest import Clock
from tests.unit.auth.program import Program
from tests.upstreams import Upstreams
from watchferry.wiring import Wiring

NewBrowser = Callable[..., Browser]


@pytest.fixture
def new_browser(wiring: Wiring) -> NewBrowser:
    """Browsers without cookies; each may stand before a wiring of its own."""
    return lambda at=wiring: Browser(auth_api(lambda: at))


@pytest.fixture
def browser(new_browser: NewBrowser) -> Browser:
    return new_browser()


@pytest.fixture
def signed_in(browser: Browser, upstreams: Upstreams, clock: Clock) -> Browser:
    """Harry, by Trakt's device flow."""
    sign_in(browser, upstreams, clock)
    return browser


@pytest.fixture
def connected(signed_in: Browser, upstreams: Upstreams, clock: Clock) -> Browser:
    """Harry with Kinopub too."""
    connect_kinopub(signed_in, upstreams, clock)
    return signed_in


@pytest.fixture
def program(wiring: Wiring, upstreams: Upstreams, clock: Clock) -> Program:
    return Program(wiring, upstreams, clock)


def sign_in(browser: Browser, upstreams: Upstreams, clock: Clock, user: str = "harry") -> None:
    begun = browser.post("/auth/trakt/device/code").json
    upstreams.trakt.approve(begun["user_code"], user)
    clock.advance(begun["interval"])
    said = browser.post("/auth/trakt/device/token", {"device_code": begun["device_code"]})
    assert said.status == 200, said


def connect_kinopub(browser: Browser, upstreams: Upstreams, clock: Clock, user: str = "harry") -> None:
    begun = browser.post("/auth/kinopub/device/code").json
    upstreams.kinopub.approve(begun["user_code"], user)
    clock.advance(begun["interval"])
    said = browser.post("/auth/kinopub/device/token", {"device_code": begun["device_code"]})
    assert said.status == 200, said
