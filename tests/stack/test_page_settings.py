"""Settings and leaving, in a real browser on the deployed stack (page.md, Settings)."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.stack import leaks
from tests.stack.deployed import Deployed
from tests.stack.person import Person
from tests.stack.window import Window, held
from tests.upstreams.web import serve
from tests.upstreams.webhooks import NTFY, TOKEN, Receivers

pytestmark = pytest.mark.stack


def test_settings(window: Window, person: Person) -> None:
    """What is changed is changed, and nothing else."""
    before = person.call("GET", "sync/settings")
    window.visit("/settings")
    window.sees(window.heading("Settings"))
    window.picture("settings")
    window.page.get_by_role("radio", name=re.compile("Each title once")).check()
    with held(window.page, "PUT", "**/api/sync/settings"):
        save = window.page.get_by_role("region", name="Watching again").get_by_role("button", name="Save")
        save.click()
        expect(save).to_have_attribute("aria-busy", "true")
        expect(save.get_by_text("Save")).to_be_visible()
        expect(save).to_be_focused()
    window.sees(window.text("Saved"))
    assert person.call("GET", "sync/settings") == before | {"rewatch": "once"}
    with held(window.page, "GET", "**/api/sync/settings"):
        window.page.reload()
        expect(window.page.get_by_role("radio", name=re.compile("Each title once"))).to_be_checked()


def test_the_brake(window: Window, person: Person) -> None:
    """Above a number of one's own also a run that one starts oneself stops, and says why, before anything is sent."""
    window.visit("/settings")
    section = window.page.get_by_role("region", name="Brake")
    section.get_by_role("radio", name=re.compile("Above a number")).check()
    section.get_by_label("Ask above this many plays").fill("3")
    section.get_by_role("button", name="Save").click()
    window.sees(section.get_by_text("Saved"))
    window.visit("/runs")
    window.button("Carry across now").click()
    confirm = window.sees(window.button(r"^Carry \d+ views to Trakt"))
    window.sees(window.text("more than the 3 that you allow without asking"))
    window.picture("braked")
    assert person.plays == person.had
    confirm.click()
    window.sees(window.heading(r"\d+ views were carried"))
    assert person.plays == person.wanted


def test_a_webhook(window: Window, person: Person) -> None:
    """Entered, tried, and the message is there."""
    receiver = Receivers()
    served = serve(receiver)
    person.at.secrets.add(TOKEN)
    try:
        window.visit("/settings")
        section = window.page.get_by_role("region", name="Notifications")
        section.get_by_label("Webhook address").fill(served.url + NTFY)
        section.get_by_role("button", name="Save").click()
        window.sees(section.get_by_text("Send a test to see that it arrives"))
        section.get_by_role("button", name="Send a test").click()
        window.sees(section.get_by_text("A test is on its way"))
        (shown,) = receiver.wait(1)
        assert shown.title == "Watchferry: Your webhook works"
        assert TOKEN not in window.kept()
    finally:
        served.close()


def test_prowlarr(window: Window, person: Person) -> None:
    """Entered and tried; a wrong key is said to be that."""
    at = person.at.upstreams
    person.at.secrets.add(at.prowlarr.api_key)
    window.visit("/settings")
    section = window.page.get_by_role("region", name="Prowlarr")
    for key, said in (
        ("not-the-key", "does not accept the API key"),
        (at.prowlarr.api_key, "It works: Prowlarr answered"),
    ):
        section.get_by_label("Address").fill(at.prowlarr_url)
        section.get_by_label("API key").fill(key)
        section.get_by_role("button", name="Save").click()
        section.get_by_role("button", name="Try it").click()
        window.sees(section.get_by_text(said))
        if key != at.prowlarr.api_key:
            window.errors.clear()  # the browser says of every 401 that it was one
            section.get_by_role("button", name="Change").click()
    assert at.prowlarr.api_key not in window.kept()


def test_an_api_token(window: Window, person: Person, deployed: Deployed) -> None:
    """Shown once, usable, revocable, and nowhere in the browser's storage."""
    window.visit("/settings")
    window.page.get_by_label("Name of a new token").fill("player")
    window.button("Make a token").click()
    token = window.sees(window.page.get_by_text(re.compile("^wf_"))).inner_text()
    assert person.call("GET", "sync/state", headers={"authorization": f"Bearer {token}", "cookie": ""})
    assert token not in window.kept()
    window.button("I have it").click()
    expect(window.page.get_by_text(token)).to_have_count(0)
    window.button("Revoke player").click()
    window.button("^Revoke$").last.click()
    window.sees(window.text("You have no tokens"))
    assert person.call("GET", "auth/api-tokens")["items"] == []


def test_everything_as_a_file(window: Window, person: Person) -> None:
    """What is kept about somebody, to take along: what was done, and nothing that opens a door."""
    run = person.run()
    window.visit("/settings")
    with window.page.expect_download() as file:
        window.link("Download as JSON").click()
    text = file.value.path().read_text()
    assert file.value.suggested_filename.endswith(".json")
    assert run["id"] in text
    assert json.loads(text)
    session = next(c["value"] for c in window.context.cookies() if c["name"] == "__Host-session")
    assert [secret for secret in {session, *leaks.upstream_secrets(person.at)} if secret in text] == []


def test_signing_out_wipes(window: Window, person: Person) -> None:
    """Nothing of the account stays in the browser."""
    window.visit("/settings")
    window.button("Sign out").click()
    window.sees(window.button("Get a code"))
    assert person.slug not in window.kept()
    assert "signed-in" not in window.kept()


def test_deleting_the_account(window: Window, person: Person) -> None:
    """Typed first; then nobody is left."""
    window.visit("/settings")
    window.button("Delete everything").click()
    dialog = window.sees(window.page.get_by_role("dialog"))
    dialog.get_by_role("textbox").fill(person.slug)
    dialog.get_by_role("button", name=re.compile("Delete")).click()
    window.sees(window.button("Get a code"))
    assert person.web.get("auth/session").status_code == 401
    assert person.slug not in window.kept()
