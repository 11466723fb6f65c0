"""A user's own Prowlarr: `PUT` and `DELETE /auth/prowlarr`, and what `GET /auth/session` says of it."""

from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import NewWiring, client
from tests.tables import everything_stored
from tests.unit.auth.conftest import NewBrowser
from watchferry.http_api.cookies import SESSION_COOKIE
from watchferry.storage.prowlarr import PURPOSE
from watchferry.vault import Sealed
from watchferry.wiring import Wiring

USER, KEY = "u-1", "prowlarr-api-key-0123456789"
NOTHING = {"configured": False, "base_url": None}


@pytest.fixture
def here(new_wiring: NewWiring) -> Wiring:
    wiring = new_wiring(
        resolve=lambda host, _: {"prowlarr.example": ["1.1.1.1"], "nas.local": ["10.0.0.2"]}.get(host, [])
    )
    wiring.accounts.sign_in(USER, {"slug": "harry"})
    return wiring


@pytest.fixture
def browser(here: Wiring, new_browser: NewBrowser) -> Browser:
    browser = new_browser(here)
    browser.cookies[SESSION_COOKIE] = here.sessions.begin(USER)
    return browser


def save(browser: Browser, base_url: Any, api_key: Any = KEY) -> Any:
    return browser.put("/auth/prowlarr", {"base_url": base_url, "api_key": api_key})


def shown(browser: Browser) -> Any:
    return browser.get("/auth/session").json["prowlarr"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("https://prowlarr.example", "https://prowlarr.example"),
        ("https://prowlarr.example/", "https://prowlarr.example"),
        ("HTTP://Prowlarr.Example:9696/base/", "http://prowlarr.example:9696/base"),
        ("https://prowlarr.example:443/a/b", "https://prowlarr.example/a/b"),
    ],
)
def test_saved(browser: Browser, here: Wiring, given: str, stored: str) -> None:
    """In one form; its key is sealed for this user and shown to nobody."""
    assert shown(browser) == NOTHING
    said = save(browser, given)
    assert (said.status, said.body) == (204, "")
    assert shown(browser) == {"configured": True, "base_url": stored}
    row = here.prowlarrs.get(USER)
    assert row is not None
    assert here.vault.open(Sealed(row.sealed, row.sealed_key), owner=USER, purpose=PURPOSE).decode() == KEY
    assert KEY not in everything_stored(client("dynamodb")) + browser.get("/auth/session").body


def test_forgotten(browser: Browser) -> None:
    """Twice is as good as once."""
    save(browser, "https://prowlarr.example")
    for _ in range(2):
        assert browser.delete("/auth/prowlarr").status == 204
    assert shown(browser) == NOTHING


@pytest.mark.parametrize(
    ("base_url", "code"),
    [
        ("http://nas.local:9696", "blocked_address"),
        ("http://192.168.1.5:9696", "blocked_address"),
        ("https://prowlarr.example/?apikey=x", "blocked_address"),
        ("https://prowlarr.example/%2e", "blocked_address"),
        ("prowlarr.example", "blocked_address"),
        ("https://nowhere.example", "unresolvable_address"),
    ],
)
def test_refused(browser: Browser, base_url: str, code: str) -> None:
    """What was there stays."""
    save(browser, "https://prowlarr.example")
    said = save(browser, base_url)
    assert (said.status, said.code) == (422, code)
    assert KEY not in said.body
    assert shown(browser)["base_url"] == "https://prowlarr.example"


def test_at_home(new_wiring: NewWiring, new_browser: NewBrowser) -> None:
    """Where the deployment allows private addresses."""
    wiring = new_wiring(allow_private_prowlarr="true")
    wiring.accounts.sign_in(USER, {"slug": "harry"})
    browser = new_browser(wiring)
    browser.cookies[SESSION_COOKIE] = wiring.sessions.begin(USER)
    assert save(browser, "http://192.168.1.5:9696").status == 204
    assert save(browser, "http://169.254.169.254").code == "blocked_address"


@pytest.mark.parametrize("key", ["", "with space", "ключ", "a\nb", "x" * 257, 5, None])
def test_keys_that_are_none(browser: Browser, key: Any) -> None:
    """400, and the value is not repeated."""
    said = save(browser, "https://prowlarr.example", key)
    assert (said.status, said.code) == (400, "validation")
    assert shown(browser) == NOTHING


def test_a_session_is_needed(here: Wiring, new_browser: NewBrowser) -> None:
    """For both."""
    assert save(new_browser(here), "https://prowlarr.example").code == "unauthenticated"
    assert new_browser(here).delete("/auth/prowlarr").code == "unauthenticated"
