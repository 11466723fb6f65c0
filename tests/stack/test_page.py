"""The page in a real browser, on the deployed stack (page.md). Every page once through the accessibility rules."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.cloud.chromium import FLAGS, chromium
from tests.cloud.page import prepare
from tests.stack.deployed import Deployed
from tests.stack.person import Person
from tests.stack.window import PATIENCE_MS, Window, opened

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    prepare(everything=True)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def stranger(browser: Browser, deployed: Deployed) -> Iterator[Window]:
    with opened(browser, deployed.stack.site_url) as window:
        yield window


def test_nobody_is_asked_for(stranger: Window) -> None:
    """A visitor who never signed in causes no question about a session, and so no error."""
    asked = list[str]()
    stranger.page.on("request", lambda request: asked.append(request.url))
    stranger.visit("/")
    stranger.sees(stranger.button("Get a code"))
    assert stranger.page.url.endswith("/connect")
    assert [url for url in asked if "/api/" in url] == []
    stranger.picture("connect")


def test_connecting_both_by_code(stranger: Window, deployed: Deployed) -> None:
    """With a reload in the middle of each, which loses nothing."""
    person = deployed.newcomer("page")
    stranger.visit("/connect")
    for provider, app in (("trakt", deployed.upstreams.trakt), ("kinopub", deployed.upstreams.kinopub)):
        stranger.button("Get a code").click()
        code = stranger.sees(stranger.page.locator("output")).inner_text()
        if provider == "trakt":
            stranger.picture("connect-code")
        stranger.page.reload()
        expect(stranger.page.locator("output")).to_have_text(code, timeout=PATIENCE_MS)
        app.approve(code, person.slug)  # type: ignore[attr-defined]
        stranger.sees(stranger.heading("Connect Kinopub" if provider == "trakt" else "See what will be"))
    stranger.picture("connect-look")


def test_a_refused_code(stranger: Window, deployed: Deployed) -> None:
    """In words, and with a way on."""
    deployed.newcomer("page")
    stranger.visit("/connect")
    stranger.button("Get a code").click()
    code = stranger.sees(stranger.page.locator("output")).inner_text()
    deployed.upstreams.trakt.deny(code)
    stranger.sees(stranger.text("Access was refused"))
    stranger.errors.clear()  # the browser says of every 418 that it was one
    stranger.button("Get a new code").click()
    stranger.sees(stranger.page.locator("output"))


def test_by_way_of_trakt(stranger: Window, deployed: Deployed) -> None:
    """There and back; the code is in no address afterwards, and good once."""
    person = deployed.newcomer("page")
    with deployed.lock:
        deployed.upstreams.trakt.sign_in(person.slug)
        stranger.visit("/connect")
        stranger.button("Sign in on Trakt").click()
        stranger.sees(stranger.heading("Connect Kinopub"))
    assert re.fullmatch(r".*/connect", stranger.page.url)


def test_a_state_of_somebody_else(stranger: Window) -> None:
    """A sign-in that this browser did not begin is not one."""
    stranger.visit("/?code=abc&state=def")
    stranger.sees(stranger.page.get_by_role("alert"))
    stranger.errors.clear()
    stranger.button("Back").click()
    stranger.sees(stranger.button("Get a code"))


@pytest.fixture
def person(deployed: Deployed, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Both accounts connected, and the usual week at Kinopub."""
    made = deployed.person(request.node.name)
    made.usual()
    yield made
    made.settings(enabled=False)


@pytest.fixture
def window(browser: Browser, deployed: Deployed, person: Person) -> Iterator[Window]:
    with opened(browser, deployed.stack.site_url, person) as made:
        yield made
