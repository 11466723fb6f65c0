"""The page when there is no answer, or none that is wanted, in a real browser on the deployed stack (page.md, Tone)."""

import re

import pytest
from playwright.sync_api import expect

from tests.stack.person import Person
from tests.stack.window import PATIENCE_MS, Window

pytestmark = pytest.mark.stack


def test_back_online(window: Window, person: Person) -> None:
    """A page that was opened without a network asks anew as soon as there is one."""
    window.visit("/settings")
    window.sees(window.page.get_by_role("radio", name=re.compile("Each title once")))
    window.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    window.page.reload()  # now by way of the worker
    chosen = window.page.get_by_role("radio", name=re.compile("Each title once"))
    expect(chosen).not_to_be_checked(timeout=PATIENCE_MS)
    window.page.wait_for_load_state("networkidle")
    window.page.clock.install()
    window.page.clock.fast_forward(60_000)  # what was just told is not asked for again
    window.page.wait_for_load_state("networkidle")
    window.context.set_offline(True)
    window.page.reload()
    expect(chosen).not_to_be_checked(timeout=PATIENCE_MS)
    window.sees(window.text("No network"))
    for _ in range(3):
        window.page.clock.run_for(10_000)  # whatever else it tries is over
    person.settings(rewatch="once")
    window.context.set_offline(False)
    expect(chosen).to_be_checked(timeout=PATIENCE_MS)
    window.errors.clear()  # of the answers that did not come


def test_a_missing_run(window: Window) -> None:
    """Said once, not asked for over and over."""
    asked = list[str]()
    window.page.on("request", lambda request: asked.append(request.url))
    window.page.clock.install()
    window.visit("/runs/no-such-id")
    window.sees(window.heading("There is no such run"))
    window.errors.clear()
    window.page.clock.fast_forward(60_000)
    window.picture("no-such-run")
    assert len([url for url in asked if url.endswith("/sync/runs/no-such-id")]) == 1
    window.link("All runs").click()
    window.sees(window.heading("^Runs$"))


def test_a_run_that_is_not_told(window: Window, person: Person) -> None:
    """The word stays on the screen until there is an answer."""
    run = person.run("preview")
    window.page.route("**/api/sync/runs/*", lambda route: route.fulfill(status=500, json={"code": "internal"}))
    window.visit(f"/runs/{run['id']}")
    alert = window.sees(window.page.get_by_role("alert"))
    window.page.evaluate(
        "window.gone = 0; new MutationObserver(() => document.querySelector('[role=alert]') || window.gone++)"
        ".observe(document.body, { childList: true, subtree: true })"
    )
    for _ in range(2):
        with window.page.expect_response("**/api/sync/runs/*"):
            pass
    expect(alert).to_be_visible()
    assert window.page.evaluate("window.gone") == 0
    window.errors.clear()
    window.page.unroute("**/api/sync/runs/*")
    window.sees(window.button(r"^Carry \d+ views to Trakt"))
    window.errors.clear()


def test_home_without_answers(window: Window, person: Person) -> None:
    """What was last known is shown, and said to be that, with the request's id and a way to ask again."""
    person.run()
    window.visit("/")
    window.sees(window.link("Run by hand"))
    window.page.wait_for_load_state("networkidle")
    problem = {"code": "internal", "detail": "it broke", "request_id": "an-id-of-a-request"}
    window.page.route("**/api/**", lambda route: route.fulfill(status=500, json=problem))
    window.page.reload()
    window.sees(window.link("Run by hand"))
    window.sees(window.text("What stands here is what was last known"))
    expect(window.text("an-id-of-a-request")).to_have_count(1)
    window.picture("home-without-answers")
    window.errors.clear()
    window.page.unroute("**/api/**")
    window.button("Try again").click()
    expect(window.text("What stands here is what was last known")).to_have_count(0, timeout=PATIENCE_MS)
    window.errors.clear()
