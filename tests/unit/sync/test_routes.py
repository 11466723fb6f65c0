"""Lists that come in pages, and how the sync stands (http-api.md, Sync)."""

from collections.abc import Callable

import pytest

from tests.browser import Browser
from tests.conftest import Clock
from tests.unit.auth.conftest import NewBrowser, browser, connected, new_browser, signed_in
from tests.unit.notify.conftest import queued
from tests.upstreams import Upstreams
from watchferry.http_api import build_app
from watchferry.models import Title, iso
from watchferry.storage.overrides import Override
from watchferry.storage.unmatched import Unmatched
from watchferry.sync import routes
from watchferry.wiring import Wiring

__all__ = ["NewBrowser", "browser", "connected", "new_browser", "signed_in"]

FILM = Title(1, "movie", "Матрица / The Matrix", 1999, None, True, {1: 2})


def _run(wiring: Wiring, user: str, name: str) -> None:
    wiring.runs.create(user, name, mode="sync", trigger="manual")


def _unmatched(wiring: Wiring, user: str, name: str) -> None:
    wiring.unmatched.add(user, [Unmatched(name, FILM, "movie", "not_found", (), 1, None)])


def _override(wiring: Wiring, user: str, name: str) -> None:
    wiring.overrides.put(user, Override(name, FILM, ignore=True))


@pytest.fixture
def sync(wiring: Wiring, connected: Browser, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Pages have two rows."""
    for size in ("RUNS_A_PAGE", "UNMATCHED_A_PAGE", "OVERRIDES_A_PAGE"):
        monkeypatch.setattr(routes, size, 2)
    api = build_app(lambda: wiring)
    routes.mount(api, lambda: wiring)
    return Browser(api, cookies=connected.cookies)


def test_the_size_of_a_post_may_be_left_to_us(sync: Browser) -> None:
    """Null, as it is at first: it can be set back to that."""
    assert sync.get("/sync/settings").json["batch_size"] is None
    for size in (7, 250, None):
        said = sync.put("/sync/settings", {"batch_size": size})
        assert (said.status, said.json["batch_size"]) == (200, size)
        assert sync.get("/sync/settings").json["batch_size"] == size
    assert [sync.put("/sync/settings", {"batch_size": size}).status for size in (0, 251, "50", 7.5, True)] == [400] * 5


LISTS: dict[str, tuple[str, Callable[[Wiring, str, str], None]]] = {
    "runs": ("id", _run),
    "unmatched": ("key", _unmatched),
    "overrides": ("key", _override),
}
"""Path → the name of a row in its answer, and how one comes to be."""


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5])
def test_pages(sync: Browser, wiring: Wiring, upstreams: Upstreams, path: str, rows: int) -> None:
    """Every row once, none of anybody else's; a cursor where more follow and nowhere else."""
    name, add = LISTS[path]
    wanted = [str(number) for number in range(1, rows + 1)]
    for row in wanted:
        add(wiring, upstreams.trakt.users["harry"].uuid, row)
        add(wiring, "somebody else", f"{row}0")
    pages, cursor = list[list[str]](), ""
    while cursor is not None:
        told = sync.get(f"/sync/{path}?cursor={cursor}").json
        pages.append([row[name] for row in told["items"]])
        cursor = told["next_cursor"]
    assert [len(page) for page in pages] == ([2] * (rows // 2) + [rows % 2] * (rows % 2) or [0])
    assert sorted(row for page in pages for row in page) == wanted


def test_a_refused_application_stands_in_the_state(sync: Browser, wiring: Wiring, clock: Clock) -> None:
    """Which upstream and since when; nothing is due meanwhile. A run can be started, and asks for a look."""
    wiring.accounts.tick()
    sync.put("/sync/settings", {"enabled": True})
    state = sync.get("/sync/state").json
    assert state["app_refused"] is None
    due = state["next_run_at"]
    wiring.refusals.note("trakt", "/sync/history")
    state = sync.get("/sync/state").json
    assert state["app_refused"] == {"service": "trakt", "since": iso(clock.now)}
    assert (state["next_run_at"], state["paused_reason"]) == (None, None)
    assert sync.post("/sync/runs", {"mode": "sync"}).status == 202
    jobs = queued(wiring, "sync_jobs_queue_url")
    assert {"provider": "trakt", "job": "look"} in jobs
    assert len(jobs) == 2
    for refusal in wiring.refusals.all():
        wiring.refusals.end(refusal)
    assert sync.get("/sync/state").json["next_run_at"] == due
