"""Signing in, out and in again, and connecting anew, in a real browser on the deployed stack (page.md)."""

import pytest
from playwright.sync_api import Browser, expect

from tests.stack.deployed import Deployed
from tests.stack.person import Person
from tests.stack.window import PATIENCE_MS, Window, opened

pytestmark = pytest.mark.stack

PAGES = ("/runs", "/runs/an-id", "/needs-you", "/watching", "/settings")


def code_in(window: Window, name: str = "Get a code") -> str:
    window.button(name).click()
    return window.sees(window.page.locator("output")).inner_text()


def connect(window: Window, person: Person, provider: str, name: str = "Get a code") -> None:
    """By code, as on another device."""
    getattr(person.at.upstreams, provider).approve(code_in(window, name), person.slug)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_without_a_session(stranger: Window, path: str) -> None:
    """Nobody is asked for anything; signing in comes first, with a word why."""
    asked = list[str]()
    stranger.page.on("request", lambda request: asked.append(request.url))
    stranger.visit(path)
    stranger.sees(stranger.button("Get a code"))
    stranger.sees(stranger.text("You are not signed in"))
    assert stranger.page.url.endswith("/connect")
    assert [url for url in asked if "/api/" in url] == []


@pytest.mark.parametrize("way", ["by code", "at Trakt"])
def test_where_somebody_wanted_to_be(stranger: Window, person: Person, way: str) -> None:
    """After signing in, whichever way."""
    run = person.run("preview")
    stranger.visit(f"/runs/{run['id']}")
    stranger.sees(stranger.button("Get a code"))
    if way == "by code":
        connect(stranger, person, "trakt")
    else:
        with person.at.lock:
            person.at.upstreams.trakt.sign_in(person.slug)
            stranger.button("Sign in on Trakt").click()
            stranger.page.wait_for_url("**/runs/*")
    stranger.sees(stranger.button(r"^Carry \d+ views to Trakt"))
    assert stranger.page.url.endswith(f"/runs/{run['id']}")


def test_signed_out_in_another_tab(window: Window, person: Person) -> None:
    """What this one shows and holds of the account goes with the first answer that says so."""
    window.visit("/settings")
    window.sees(window.text(person.name))
    other = window.context.new_page()
    other.goto(f"{window.site}/settings")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("button", name="Get a code")).to_be_visible(timeout=PATIENCE_MS)
    other.close()
    window.page.get_by_label("Name of a new token").fill("player")
    window.button("Make a token").click()
    window.sees(window.text("You are not signed in"))
    window.errors.clear()  # the browser says of every 401 that it was one
    expect(window.text(person.name)).to_have_count(0)
    expect(window.link("Settings")).to_have_count(0)
    assert person.slug not in window.kept()


def test_going_on_in_a_tab_that_is_signed_out(window: Window, person: Person) -> None:
    """No question without a session, and nothing of the account on the way."""
    window.visit("/settings")
    window.sees(window.text(person.name))
    window.page.wait_for_load_state("networkidle")
    window.context.clear_cookies()
    asked = list[str]()
    window.page.on("request", lambda request: asked.append(request.url))
    window.link("^Runs$").click()
    window.sees(window.text("You are not signed in"))
    expect(window.link("^Runs$")).to_have_count(0)
    assert [url for url in asked if "/api/" in url] == []


def test_connecting_trakt_again(window: Window, person: Person) -> None:
    """Disconnected by its user, with the session as it was. Home can be reached meanwhile."""
    person.run()
    window.visit("/settings")
    window.button("Disconnect Trakt").click()
    window.page.get_by_role("dialog").get_by_role("button", name="Disconnect Trakt").click()
    window.link("^Connect$").click()
    window.sees(window.heading("Connect Trakt"))
    window.link("To the start page").click()
    window.sees(window.heading(f"Hello, {person.name}"))
    window.sees(window.text("Trakt · not connected"))
    window.page.wait_for_load_state("networkidle")
    window.picture("home-without-trakt")
    window.link("^Connect$").click()
    connect(window, person, "trakt")
    window.sees(window.button("Show me"))


def test_a_connection_that_ended(window: Window, person: Person) -> None:
    """Connected again, step 3 offers a preview rather than the run that failed for it."""
    person.at.upstreams.trakt.revoke_tokens(person.slug)
    assert person.run()["error"]["code"] == "reauth_required"
    window.visit("/")
    window.link("Connect again").first.click()
    connect(window, person, "trakt")
    window.button("Show me").click()
    window.sees(window.button(r"^Carry \d+ views to Trakt"))


def test_kinopub_taken_away(window: Window, person: Person) -> None:
    """Who has had runs keeps the start page; who is new begins with the steps."""
    person.run("preview")
    person.call("DELETE", "auth/kinopub")
    window.visit("/")
    window.sees(window.text("Kinopub · not connected"))
    window.link("^Connect$").click()
    window.sees(window.heading("Connect Kinopub"))
    connect(window, person, "kinopub")
    window.sees(window.button(r"^Carry \d+ views to Trakt"))


def test_a_newcomer_at_the_start_page(browser: Browser, deployed: Deployed) -> None:
    person = deployed.newcomer("new")
    person.sign_in()
    with opened(browser, deployed.stack.site_url, person) as window:
        window.visit("/")
        window.sees(window.heading("Connect Kinopub"))
        window.page.wait_for_load_state("networkidle")
        expect(window.link("To the start page")).to_have_count(0)


def test_signed_out_while_kinopub_is_connected(browser: Browser, deployed: Deployed) -> None:
    """The code waits for a session that is gone: back to signing in."""
    person = deployed.newcomer("new")
    person.sign_in()
    with opened(browser, deployed.stack.site_url, person) as window:
        window.visit("/connect")
        window.sees(window.heading("Connect Kinopub"))
        code_in(window)
        person.call("POST", "auth/logout", json={})
        window.sees(window.text("You are not signed in"))
        window.errors.clear()
        window.sees(window.heading("Connect Trakt"))


def test_a_user_who_is_not_served(stranger: Window, deployed: Deployed) -> None:
    """Told so at once, and not that somebody else has used the code."""
    person = deployed.newcomer("uninvited", slug="uninvited")
    stranger.visit("/connect")
    connect(stranger, person, "trakt")
    stranger.sees(stranger.text("not among those whom this Watchferry serves"))
    stranger.errors.clear()
    stranger.sees(stranger.text("another Trakt account"))
    expect(stranger.text("goes on asking|used already")).to_have_count(0)
    stranger.picture("connect-not-served")
    connect(stranger, deployed.newcomer("invited"), "trakt", "Get a new code")
    stranger.sees(stranger.heading("Connect Kinopub"))


def test_trakt_fails_after_the_code_was_used(stranger: Window, deployed: Deployed) -> None:
    """The reason is Trakt, not another window."""
    person = deployed.newcomer("unlucky")
    faults = deployed.upstreams.trakt.faults
    fault = faults.add(path="^/users/settings", user=person.slug, status=503, times=None)
    stranger.visit("/connect")
    connect(stranger, person, "trakt")
    stranger.sees(stranger.text("The code is of no use after this"))
    stranger.sees(stranger.page.get_by_role("alert").get_by_text("cannot be reached"))
    expect(stranger.text("used already|goes on asking")).to_have_count(0)
    stranger.errors.clear()
    faults.script.remove(fault)
    connect(stranger, person, "trakt", "Get a new code")
    stranger.sees(stranger.heading("Connect Kinopub"))


def test_the_code_was_used_in_another_tab(stranger: Window, deployed: Deployed) -> None:
    """Which has connected this browser: this tab goes on as well."""
    person = deployed.newcomer("two tabs")
    stranger.visit("/connect")
    code = code_in(stranger)
    other = stranger.context.new_page()
    other.goto(f"{stranger.site}/connect")
    expect(other.locator("output")).to_have_text(code, timeout=PATIENCE_MS)
    deployed.upstreams.trakt.approve(code, person.slug)
    for page in (stranger.page, other):
        expect(page.get_by_role("heading", name="Connect Kinopub")).to_be_visible(timeout=PATIENCE_MS)
    stranger.errors.clear()  # of a 409


def test_an_expired_code(stranger: Window, deployed: Deployed) -> None:
    """Said by the clock, without a question; a new one is a click away."""
    options = deployed.upstreams.trakt.options
    before = options.device_lifetime
    options.set(device_lifetime=2)
    try:
        stranger.visit("/connect")
        code = code_in(stranger)
    finally:
        options.set(device_lifetime=before)
    stranger.sees(stranger.text("The code has expired"))
    stranger.errors.clear()  # of a 410, should the server's clock be the first
    assert code_in(stranger, "Get a new code") != code


def test_a_preview_that_failed(browser: Browser, deployed: Deployed) -> None:
    """At step 3, where it can be made again."""
    person = deployed.person("unlucky")
    person.usual()
    faults = deployed.upstreams.kinopub.faults
    fault = faults.add(path="^/v1/history", user=person.slug, status=403, body={"error": "forbidden"}, times=None)
    with opened(browser, deployed.stack.site_url, person) as window:
        window.visit("/connect")
        window.button("Show me").click()
        window.sees(window.button("Try again"))
        faults.script.remove(fault)
        window.button("Try again").click()
        window.sees(window.button(r"^Carry \d+ views to Trakt"))
        expect(window.button("Try again")).to_have_count(0)
