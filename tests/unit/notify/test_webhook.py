"""A webhook as a setting: `PUT /sync/settings`, `POST /sync/webhook/test` (http-api.md, Sync)."""

from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import Clock, NewWiring
from tests.tables import everything_stored
from tests.unit.notify.conftest import USER, queued
from tests.upstreams.webhooks import TOKEN
from watchferry.http_api import build_app
from watchferry.http_api.cookies import SESSION_COOKIE
from watchferry.notify.webhook import PURPOSE
from watchferry.sync.routes import mount
from watchferry.vault import Sealed
from watchferry.wiring import Wiring

DISCORD = f"https://discord.com/api/webhooks/1/{TOKEN}"
SHOWN = "https://discord.com/***"


@pytest.fixture
def here(new_wiring: NewWiring) -> Wiring:
    """A deployment that lets public addresses pass alone."""
    wiring = new_wiring(
        resolve=lambda host, _: {"discord.com": ["162.159.128.233"], "nas.local": ["10.0.0.2"]}.get(host, [])
    )
    wiring.accounts.sign_in(USER, {"slug": "harry"})
    return wiring


@pytest.fixture
def browser(here: Wiring) -> Browser:
    api = build_app(lambda: here)
    mount(api, lambda: here)
    return Browser(api, cookies={SESSION_COOKIE: here.sessions.begin(USER)})


def stored(wiring: Wiring) -> str | None:
    row = wiring.webhooks.get(USER)
    return row and wiring.vault.open(Sealed(row.sealed, row.sealed_key), owner=USER, purpose=PURPOSE).decode()


def change(browser: Browser, url: Any) -> Any:
    return browser.put("/sync/settings", {"webhook_url": url})


def test_saved_and_shown_masked(browser: Browser, here: Wiring) -> None:
    """The answer, and every later one, has the host alone; no table has the address."""
    for said in (change(browser, DISCORD), browser.get("/sync/settings")):
        assert (said.status, said.json["webhook_url"]) == (200, SHOWN)
        assert TOKEN not in said.body
    assert stored(here) == DISCORD
    assert TOKEN not in everything_stored(here.dynamo)


def test_what_was_shown_changes_nothing(browser: Browser, here: Wiring) -> None:
    """A page may send back all that it got; the rest of it takes effect."""
    change(browser, DISCORD)
    settings = browser.get("/sync/settings").json
    said = browser.put("/sync/settings", settings | {"batch_size": 7})
    assert (said.status, said.json) == (200, settings | {"batch_size": 7})
    assert stored(here) == DISCORD


def test_a_mask_is_no_address(browser: Browser, here: Wiring) -> None:
    """Of another webhook, or when there is none."""
    assert change(browser, SHOWN).code == "validation"
    change(browser, DISCORD)
    assert change(browser, "https://hooks.slack.com/***").code == "validation"
    assert stored(here) == DISCORD


def test_removed(browser: Browser, here: Wiring) -> None:
    """By null; what is left out stays."""
    change(browser, DISCORD)
    assert browser.put("/sync/settings", {"batch_size": 7}).json["webhook_url"] == SHOWN
    assert change(browser, None).json["webhook_url"] is None
    assert stored(here) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://nas.local/x", "blocked_address"),
        ("http://127.0.0.1/x", "blocked_address"),
        (f"https://user:{TOKEN}@discord.com/", "blocked_address"),
        (f"{DISCORD}#x", "blocked_address"),
        ("", "blocked_address"),
        (f"https://nowhere.example/{TOKEN}", "unresolvable_address"),
    ],
)
def test_refused(browser: Browser, here: Wiring, url: str, code: str) -> None:
    """Nothing of the request takes effect, and its address is not repeated."""
    change(browser, DISCORD)
    said = browser.put("/sync/settings", {"webhook_url": url, "batch_size": 7})
    assert (said.status, said.code) == (422, code)
    assert TOKEN not in said.body
    assert browser.get("/sync/settings").json["batch_size"] != 7
    assert stored(here) == DISCORD


def test_other_settings_are_asked_first(browser: Browser, here: Wiring) -> None:
    """A request that is refused for another field stores no address."""
    assert browser.put("/sync/settings", {"webhook_url": DISCORD, "batch_size": 0}).status == 400
    assert browser.put("/sync/settings", {"webhook_url": DISCORD, "rewatch": "never"}).status == 400
    assert change(browser, 5).code == "validation"
    assert change(browser, "https://discord.com/" + "x" * 2048).code == "validation"
    assert stored(here) is None


def test_testing_it(browser: Browser, here: Wiring, clock: Clock) -> None:
    """A notice to the webhook alone, as often as every ten seconds."""
    assert browser.post("/sync/webhook/test").code == "not_configured"
    change(browser, DISCORD)
    assert browser.post("/sync/webhook/test").status == 202
    (notice,) = queued(here)
    assert (notice["to"], notice["kind"], notice["user_id"], notice["slug"]) == ("webhook", "test", USER, "harry")
    said = browser.post("/sync/webhook/test")
    assert (said.status, said.code, said.headers["retry-after"]) == (429, "rate_limited", "10")
    clock.advance(10)
    assert browser.post("/sync/webhook/test").status == 202
    assert len(queued(here)) == 1


def test_a_session_is_needed(here: Wiring) -> None:
    """Like for every setting."""
    api = build_app(lambda: here)
    mount(api, lambda: here)
    assert Browser(api).post("/sync/webhook/test").code == "unauthenticated"
