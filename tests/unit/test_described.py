"""Every success that openapi.json describes of our own endpoints, met for real and held to it (tests/described.py)."""

from typing import Any

import pytest

from functions.auth_api.app import auth_api
from functions.proxy_api.app import proxy_api
from tests.browser import Browser
from tests.conftest import Clock, NewWiring
from tests.described import described_successes, held_to_description
from tests.unit.account.conftest import Cloud, NewBrowser, browser, cloud, connected, new_browser, signed_in
from tests.unit.auth.conftest import connect_kinopub, sign_in
from tests.unit.auth.test_authorize import begin, exchange
from tests.upstreams import Upstreams
from tests.upstreams.webhooks import TOKEN
from watchferry.http_api import build_app
from watchferry.sync.routes import mount
from watchferry.wiring import Wiring

__all__ = ["NewBrowser", "browser", "cloud", "connected", "new_browser", "signed_in"]


@pytest.fixture
def wiring(new_wiring: NewWiring) -> Wiring:
    """Every name has a public address."""
    return new_wiring(resolve=lambda _host, _port: ["1.1.1.1"])


@pytest.fixture
def everywhere(wiring: Wiring, connected: Browser) -> Browser:
    """Harry in front of all functions."""
    sync = build_app(lambda: wiring)
    mount(sync, lambda: wiring)
    auth, proxy = auth_api(lambda: wiring), proxy_api(lambda: wiring)
    functions = {"auth": auth, "account": auth, "health": auth, "sync": sync}

    def answer(asked: dict[str, Any], context: Any) -> dict[str, Any]:
        return functions.get(asked["rawPath"].split("/")[2], proxy)(asked, context)

    return Browser(answer, cookies=connected.cookies)


def test_every_success_is_as_described(everywhere: Browser, cloud: Cloud, upstreams: Upstreams, clock: Clock) -> None:
    """With rows of every kind in them; not a status or media type of the description is left out."""
    _sync(everywhere, cloud)
    cloud.keep_something_everywhere()
    for path in ("/health", "/openapi.json", "/openapi.html", "/auth/session", "/account/export", "/auth/api-tokens"):
        assert everywhere.get(path).status == 200
    _connect(everywhere, upstreams, clock)
    _look_after(everywhere)
    assert exchange(everywhere, begin(everywhere, upstreams)).status == 200
    for path in ("/auth/kinopub", "/auth/trakt", "/account"):
        assert everywhere.delete(path).status == 204
    assert everywhere.post("/auth/logout").status == 204
    assert everywhere.seen == described_successes()


def _connect(everywhere: Browser, upstreams: Upstreams, clock: Clock) -> None:
    for provider, connect in (("trakt", sign_in), ("kinopub", connect_kinopub)):
        code = everywhere.post(f"/auth/{provider}/device/code").json["device_code"]
        assert everywhere.post(f"/auth/{provider}/device/token", {"device_code": code}).status == 202
        connect(everywhere, upstreams, clock)


def _look_after(everywhere: Browser) -> None:
    made = everywhere.post("/auth/api-tokens", {"name": "Kodi"}).json
    everywhere.delete(f"/auth/api-tokens/{made['id']}")
    everywhere.put("/auth/prowlarr", {"base_url": "https://prowlarr.example", "api_key": "0123456789"})
    everywhere.delete("/auth/prowlarr")
    everywhere.put("/sync/settings", {"webhook_url": f"https://discord.com/api/webhooks/1/{TOKEN}"})
    everywhere.post("/sync/webhook/test")
    for path in ("/sync/settings", "/sync/state", "/sync/unmatched"):
        everywhere.get(path)
    everywhere.put("/sync/overrides/1", {"ignore": True})
    everywhere.get("/sync/overrides")
    everywhere.delete("/sync/overrides/1")


def _sync(everywhere: Browser, cloud: Cloud) -> None:
    """A preview that is confirmed, looked at, and undone; then the undoing is cancelled."""
    run_id = everywhere.post("/sync/runs", {"mode": "preview", "full": True}).json["run_id"]
    cloud.drain()
    everywhere.post(f"/sync/runs/{run_id}/confirm")
    cloud.drain()
    everywhere.get("/sync/runs")
    everywhere.get(f"/sync/runs/{run_id}")
    assert everywhere.get(f"/sync/runs/{run_id}/events").json["items"]
    everywhere.get(f"/sync/runs/{run_id}/events", {"Accept": "text/csv"})
    undo = everywhere.post(f"/sync/runs/{run_id}/undo").json["run_id"]
    everywhere.post(f"/sync/runs/{undo}/cancel")


HEALTH = b'{"status":"ok","version":"1"}'


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (201, "application/json", HEALTH),
        (200, "text/plain", HEALTH),
        (200, "application/json", b'{"status":"ok"}'),
        (200, "application/json", b'{"status":"ok","version":null}'),
        (200, "application/json", b'{"status":"bad","version":"1"}'),
        (200, "application/json", b'{"status":"ok","version":"1","more":1}'),
    ],
)
def test_what_is_not_as_described_is_noticed(status: int, kind: str, body: bytes) -> None:
    """Another status or type, a member that is missing, of another kind, or more than there should be."""
    assert held_to_description("GET", "/health", 200, "application/json", HEALTH)
    with pytest.raises(AssertionError):
        held_to_description("GET", "/health", status, kind, body)
