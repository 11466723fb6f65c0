"""An upstream refuses this deployment's application: handled once for the deployment, not once for each user."""

from typing import Any

import pytest

from tests.world import World
from watchferry.storage.keep_alive import KeepAlive
from watchferry.storage.runs import Run
from watchferry.sync.schedule import tick

USERS = ("harry", "ron", "draco")


@pytest.fixture
def world() -> World:
    """Three users with automatic sync, of whom one has something new to carry now and then."""
    made = World("tiny", users=USERS)
    for user in USERS:
        made.settings(user, enabled=True, batch_size=3)
        made.upstreams.library.watch(user, "The Matrix")
    return made


def hour(world: World) -> dict[str, int]:
    """A tick, and all that follows; then an hour has passed."""
    shop, begun = world.shop, world.now
    due = KeepAlive(shop.accounts.table, shop.clock)
    said = tick(shop.accounts, shop.refusals, due, world.queues, at=world.now, spread=0)  # type: ignore[arg-type]
    world.drain()
    world.now = max(world.now, begun + 3600)
    return dict(said)


def newest(world: World, user: str) -> Run:
    return next(iter(world.shop.runs.newest(user, limit=1)))


def told(world: World) -> list[tuple[str, str]]:
    return [(notice.to, notice.kind) for notice in world.notices.sent]


def refuse(world: World, how: str) -> None:
    world.upstreams.trakt.options.set(app_refused=how)


@pytest.mark.parametrize("how", ["text", "json"])
def test_all_users_meet_it_and_the_owner_is_told_once(world: World, how: str) -> None:
    """Each run says what it is; no account is paused, and no user is told of anything."""
    refuse(world, how)
    assert hour(world)["enqueued"] == 3
    for user in USERS:
        run = newest(world, user)
        assert run.error is not None
        assert (run.status, run.error["code"], run.counts["sent"]) == ("failed", "app_refused", 0)
        assert "this deployment's application" in run.error["detail"]
        account = world.account(user)
        assert (account.paused_reason, account.to_connect, account.cursor) == (None, frozenset(), None)
    assert told(world) == [("operator", "app_refused")]


def test_the_tick_asks_once_for_all_until_it_is_over(world: World) -> None:
    """One call an hour, without anybody's token; then everybody is enqueued and everything is carried, once."""
    refuse(world, "text")
    hour(world)
    for _ in range(5):
        world.upstreams.trakt.forget()
        world.upstreams.kinopub.forget()
        assert hour(world) == {"enqueued": 0, "kept_alive": 0, "looks": 1}
        (asked,) = world.upstreams.trakt.requests()
        assert (asked.method, asked.user, asked.status) == ("GET", None, 403)
        assert world.upstreams.kinopub.requests() == []
    refuse(world, "")
    assert hour(world) == {"enqueued": 0, "kept_alive": 0, "looks": 1}
    assert world.shop.refusals.all() == []
    assert hour(world)["enqueued"] == 3
    for user in USERS:
        assert newest(world, user).status == "succeeded"
        assert len(world.plays(user)) == len(set(world.plays(user))) > 0
    assert told(world) == [("operator", "app_refused")]


def test_a_failure_after_that_is_told(world: World) -> None:
    """The refusal was nobody's first failure."""
    refuse(world, "text")
    hour(world)
    refuse(world, "")
    hour(world)
    world.upstreams.kinopub.faults.add(path="^/v1/history", user="ron", preset="firewall", times=None)
    hour(world)
    assert told(world) == [("operator", "app_refused"), ("webhook", "run_failed"), ("operator", "run_failed")]


def test_a_run_in_a_person_s_hand_answers_truthfully(world: World) -> None:
    """It can be started, fails as the schedule's would, and nobody is told once more. When it is over, it works."""
    refuse(world, "text")
    hour(world)
    run = world.run("harry")
    assert run.error is not None
    assert (run.status, run.error["code"]) == ("failed", "app_refused")
    assert told(world) == [("operator", "app_refused")]
    refuse(world, "")
    assert world.run("harry").status == "succeeded"


def test_an_action_asks_for_a_look(world: World) -> None:
    """Who waits for it sees at once that it is over, rather than at the next tick."""
    preview = world.run("harry", mode="preview")
    refuse(world, "text")
    hour(world)
    preview = world.run("ron", mode="preview")
    assert preview.status == "failed"
    refuse(world, "")
    preview = world.run("ron", mode="preview")
    assert len(world.shop.refusals.all()) == 1
    world.confirm(preview.run_id, "ron")
    world.drain()
    assert world.shop.refusals.all() == []
    assert world.get(preview.run_id, "ron").status == "succeeded"


@pytest.mark.parametrize("user", ["harry", None])
def test_a_run_that_is_sending_when_it_begins(world: World, user: str | None) -> None:
    """For all or for that account alone: what was not sent is a later run's, and nothing is sent twice."""
    run_id = world.start("harry")
    world.step()
    faults = world.upstreams.trakt.faults
    faults.add(path="^/sync/history", user=user, preset="app_dead", times=None)
    world.drain()
    run = world.get(run_id, "harry")
    assert run.error is not None
    assert (run.status, run.error["code"], world.plays("harry")) == ("failed", "app_refused", [])
    faults.clear()
    for _ in range(3):  # the first tick comes too soon for a look
        hour(world)
    assert len(world.plays("harry")) == len(set(world.plays("harry"))) > 0


def test_one_account_that_is_refused_stops_nobody_else(world: World) -> None:
    """A free account that has connected another application: it is told, with the likely cause, and tried again."""
    fault = world.upstreams.trakt.faults.add(user="ron", preset="app_dead", times=None)
    assert hour(world)["enqueued"] == 3
    error = newest(world, "ron").error
    assert error is not None
    assert error["code"] == "app_refused"
    assert "for this account alone" in error["detail"]
    assert "only one connected application" in error["detail"]
    assert {newest(world, user).status for user in ("harry", "draco")} == {"succeeded"}
    assert world.shop.refusals.all() == []
    assert told(world) == [("webhook", "run_failed"), ("operator", "run_failed")]
    world.upstreams.trakt.faults.script.remove(fault)
    hour(world)
    assert newest(world, "ron").status == "succeeded"


def test_one_title_that_is_refused_stops_nobody_else(world: World) -> None:
    """Whose run meets it fails; that Trakt lets the application in is asked where every sync asks."""
    world.upstreams.library.watch("ron", "Inception")
    world.upstreams.trakt.faults.add(path="^/(search|shows)", preset="app_refused", times=None)
    hour(world)
    assert world.shop.refusals.all() == []
    assert hour(world)["enqueued"] == 3


def test_two_workers_meet_it_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them asks while the other does: both find out, one tells."""
    refuse(world, "text")
    ask = world.shop.application.asks["trakt"]
    others: list[Any] = ["ron"]

    def meanwhile(path: str | None) -> None:
        if others:
            world.start(others.pop())
            world.drain()
        ask(path)

    monkeypatch.setattr(world.shop.application, "asks", {"trakt": meanwhile})
    world.start("harry")
    world.step()
    assert {newest(world, user).status for user in ("harry", "ron")} == {"failed"}
    assert told(world) == [("operator", "app_refused")]
