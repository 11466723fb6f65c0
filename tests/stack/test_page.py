"""The page in a real browser, on the deployed stack (page.md). Every page once through the accessibility rules."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.stack.deployed import HARRY, Deployed, until
from tests.stack.person import Person
from tests.stack.window import PATIENCE_MS, Window, opened

pytestmark = pytest.mark.stack


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


def test_preview_confirm_undo(window: Window, person: Person) -> None:
    """The plan, its confirmation, the run to its end, and all of it taken back: Trakt has what the page says."""
    window.visit("/")
    window.button("Show me").click()
    confirm = window.sees(window.button(r"^Carry \d+ views to Trakt"))
    assert person.plays == person.had
    number = int(re.findall(r"\d+", confirm.inner_text())[0])
    window.sees(window.page.get_by_role("table"))
    window.picture("preview")
    confirm.click()
    window.sees(window.heading(r"\d+ views were carried"))
    assert person.plays == person.wanted
    sent = (person.plays - person.had).total()
    assert sent == number - 1, "what Trakt does not have it says when it is sent"
    window.sees(window.heading(f"^{sent} views were carried"))
    window.picture("run")
    assert person.call("GET", "sync/settings")["enabled"]

    window.button(f"Undo this run .*{sent}").click()
    window.sees(window.page.get_by_role("dialog"))
    assert window.violations() == []
    sending = window.page.url
    window.button(f"^Remove {sent} plays").click()
    window.page.wait_for_url(lambda url: url != sending)
    window.page.go_back()  # while it is at work
    rows = window.page.get_by_role("row")
    for _ in range(2):  # before and after a reload
        window.sees(window.heading(f"^{sent} views were carried to Trakt and taken back"))
        window.sees(window.text("This run was undone"))
        expect(window.button("Undo this run")).to_have_count(0)
        window.button(f"^{sent} removed").click()
        expect(window.page.get_by_role("table")).to_have_attribute("aria-rowcount", str(1 + sent))
        window.sees(rows.get_by_text("removed", exact=True))
        expect(rows.get_by_text("sent", exact=True)).to_have_count(0)
        window.page.reload()
    window.sees(window.text("This run was undone"))
    window.picture("undone")
    window.visit("/runs")
    window.link("^Undo").first.click()
    window.sees(window.heading(f"^{sent} plays were taken back"))
    assert person.plays == person.had


def test_cancelling(window: Window, person: Person) -> None:
    """A run under way, which nothing comes of."""
    with person.held():
        window.visit("/runs")
        window.button("Carry across now").click()
        window.button("Cancel this run").click()
        window.sees(window.text("^cancelled$"))
        [run] = person.runs()
        assert run["status"] == "cancelled"
    until("nothing is under way", lambda: person.state["active_run_id"] is None)
    assert person.plays == person.had


def test_the_table(window: Window, person: Person) -> None:
    """Chosen by reason, searched, sorted; and as a file."""
    run = person.run("preview")
    window.visit(f"/runs/{run['id']}")
    rows = window.page.get_by_role("row")
    window.sees(rows.nth(1))
    everything = int(window.page.get_by_role("table").get_attribute("aria-rowcount") or 0)
    assert everything == 1 + len(person.events(run))
    reason, count = next(iter(run["counts"]["skipped"].items()))
    words = {
        "duplicate": "already at Trakt",
        "not_completed": "not watched to the end",
        "not_found": "does not have it",
    }
    window.button(f"^{count} .*{words.get(reason, '')}").first.click()
    expect(window.page.get_by_role("table")).to_have_attribute("aria-rowcount", str(1 + count))
    window.page.get_by_label("Search titles").fill("no such title anywhere")
    window.sees(window.text("Nothing fits"))
    with window.page.expect_download() as file:
        person.web.post(f"sync/runs/{run['id']}/cancel", json={})
        window.page.reload()
        window.button("Download as CSV").click()
    assert file.value.path().read_text().startswith("type,title,show")


def test_both_languages(window: Window, person: Person) -> None:
    """At a click, and remembered."""
    window.visit("/")
    window.button("Русский").click()
    window.sees(window.heading("Здравствуйте"))
    window.page.reload()
    window.sees(window.heading("Здравствуйте"))
    assert window.page.evaluate("document.documentElement.lang") == "ru"
    window.picture("home-ru")
    for path, heading in (
        ("/runs", "Запуски"),
        ("/needs-you", "Ждут вас"),
        ("/watching", "Досмотреть"),
        ("/settings", "Настройки"),
    ):
        window.visit(path)
        window.sees(window.page.get_by_role("heading", level=1, name=heading))
        assert window.violations() == []
    window.page.get_by_label("Адрес вебхука").fill("ftp://example.org")
    window.page.get_by_role("region", name="Уведомления").get_by_role("button", name="Сохранить").click()
    window.sees(window.text("^Watchferry не обращается по этому адресу"))
    window.sees(window.page.locator("[lang=en]", has_text=" · blocked_address · "))
    window.errors.clear()  # the browser says of every 422 that it was one
    window.picture("settings-ru")
    assert window.violations() == []


def test_every_page(window: Window, person: Person) -> None:
    """Looked at once each, in both colours, wide and on a phone."""
    person.run()
    for path, name in (("/", "home"), ("/runs", "runs"), ("/watching", "watching")):
        window.visit(path)
        window.sees(window.page.get_by_role("heading", level=1))
        window.page.wait_for_load_state("networkidle")
        window.picture(name)
    window.visit("/no-such-page")
    window.sees(window.heading("There is no such page"))


def test_without_a_network(window: Window, person: Person) -> None:
    """The page opens with what was last known, and says so; nothing secret is kept for that."""
    person.run()
    window.visit("/")
    window.sees(window.heading("Latest runs"))
    window.page.wait_for_load_state("networkidle")
    window.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    window.page.reload()  # now by way of the worker
    window.sees(window.link("Run by hand"))
    window.context.set_offline(True)
    window.page.reload()
    window.sees(window.text("No network"))
    window.sees(window.link("Run by hand"))
    window.context.set_offline(False)
    expect(window.text("No network")).to_have_count(0)
    kept = window.kept()
    assert "/api/" not in "\n".join(line for line in kept.splitlines() if line.startswith("http"))
    session = next(c["value"] for c in window.context.cookies() if c["name"] == "__Host-session")
    assert session not in kept
    # Last, since until it was back any question may have failed.
    window.errors[:] = [said for said in window.errors if "ERR_INTERNET_DISCONNECTED" not in said]


@pytest.mark.skipif("not os.environ.get('PICTURES')", reason="make pictures")
def test_pictures(browser: Browser, deployed: Deployed) -> None:
    """For the README: a library like a real one, from the first look to the end of the first run."""
    person = deployed.newcomer("Harry", slug=HARRY)
    person.sign_in()
    person.connect_kinopub()
    preview = person.run("preview")
    with opened(browser, deployed.stack.site_url, person) as window:
        window.visit(f"/runs/{preview['id']}")
        window.sees(window.page.get_by_role("row").nth(3))
        window.page.wait_for_load_state("networkidle")
        window.picture("preview")
        person.call("POST", f"sync/runs/{preview['id']}/confirm", json={})
        until("the run is over", lambda: person.show(preview["id"])["finished_at"], seconds=180)
        for path, name in ((f"/runs/{preview['id']}", "run"), ("/needs-you", "needs-you"), ("/", "home")):
            window.visit(path)
            window.sees(window.page.get_by_role("heading", level=1))
            window.page.wait_for_load_state("networkidle")
            window.picture(name)
        window.button("Русский").click()
        window.sees(window.heading("Здравствуйте"))
        window.picture("home-ru")
        window.visit("/needs-you")
        window.sees(window.heading("Ждут вас"))
        window.page.wait_for_load_state("networkidle")
        window.picture("needs-you-ru")
