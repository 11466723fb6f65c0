"""What becomes of a planner's message: put off, given up, taken over, continued, or found to be nobody's any more.

The crashes are in test_state_machine.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.world import World
from watchferry.settings import Settings
from watchferry.storage.account import RunActive
from watchferry.storage.accounts import RUN_LEASE
from watchferry.storage.runs import Run
from watchferry.sync.planner import LONGEST_TURNS, plan_run
from watchferry.sync.queues import PlanJob
from watchferry.sync.schedule import enqueue_due

USER = "harry"


def newest(world: World) -> Run:
    return next(iter(world.shop.runs.newest(USER, limit=1)))


def times(world: World) -> Iterator[float]:
    """Delivers until nothing is left, and tells when each delivery began, from the first one on."""
    begun = world.now
    while world.queues.messages:
        message = world.next_message()
        yield world.now - begun
        world.deliver(message)


def no_pause(world: World) -> None:
    """The pauses between tries take no time here, so that what is seen are the deferrals."""
    world.shop.pause = lambda seconds: None
    world.shop.upstreams.pause = world.shop.pause  # type: ignore[attr-defined]


# ---------------------------------------------------------------- an upstream in trouble


@pytest.mark.parametrize("preset", ["unavailable", "server_error", "edge_522", "html_ok", "garbage"])
def test_an_upstream_in_trouble_is_asked_again_later_and_then_given_up(world: World, preset: str) -> None:
    """30 s, 60 s, 120 s, 240 s; then the run fails, the cursor stays, and the next run finds everything."""
    no_pause(world)
    world.upstreams.kinopub.faults.add(path="^/v1/watching", preset=preset, times=None)
    world.start()
    assert list(times(world)) == [0, 30, 90, 210, 450]
    run = newest(world)
    assert run.error is not None
    assert (run.status, run.error["code"]) == ("failed", "upstream_unreachable")
    assert (world.account().cursor, world.account().active_run_id) == (None, None)
    world.upstreams.kinopub.faults.clear()
    assert world.run().counts["sent"] == 2


def test_each_read_is_tried_five_times_within_a_turn(world: World) -> None:
    """§5.2, either of two titles; at last it is asked for one once more, to see that it is not the titles'. What was
    read before is in the checkpoint and not read again."""
    no_pause(world)
    world.upstreams.kinopub.faults.add(path="^/v1/watching", preset="bad_gateway", times=None)
    world.run()
    asked = [entry.path for entry in world.upstreams.kinopub.requests()]
    assert asked == ["/v1/history", *["/v1/watching"] * 55]


def test_a_rate_limit_ends_by_itself_and_is_not_given_up_so_soon(world: World) -> None:
    """Trakt says 40 seconds, ten times in a row: the message comes back each time just after that."""
    world.upstreams.trakt.faults.add(path="^/search", status=429, headers={"Retry-After": "40"}, body="", times=10)
    world.start()
    assert list(times(world))[:11] == [pytest.approx(40 * n, abs=2 * n) for n in range(11)]
    assert newest(world).status == "succeeded"


def test_a_rate_limit_that_never_ends_ends_the_run(world: World) -> None:
    """After a hundred times."""
    world.upstreams.trakt.faults.add(path="^/search", status=429, headers={"Retry-After": "40"}, body="", times=None)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.error["code"], run.attempt) == ("failed", "rate_limited", 101)


@pytest.mark.parametrize("status", [429, 503])
def test_kinopub_is_not_asked_before_the_time_that_it_names(world: World, status: int) -> None:
    """An hour, which is longer than a message can be held back: neither this run nor another one asks earlier."""
    faults = world.upstreams.kinopub.faults
    faults.add(path="^/v1/history", status=status, headers={"Retry-After": "3600"}, body="", times=1)
    run_id = world.start()
    for _ in range(3):
        world.step()
    world.cancel(run_id)
    world.start()
    world.drain()
    first, second = (entry.at for entry in world.upstreams.kinopub.requests("^/v1/history"))
    assert 3600 <= second - first < 3700
    assert newest(world).counts["sent"] == 2


def test_a_day_that_kinopub_asks_for_ends_no_run(world: World) -> None:
    """Waiting is no trouble, however many messages it takes."""
    world.upstreams.kinopub.faults.add(path="^/v1/watching", status=429, headers={"Retry-After": "86400"}, body="")
    assert world.run().status == "succeeded"
    assert world.now - world.upstreams.kinopub.requests()[0].at >= 86_400


REFUSALS: dict[str, tuple[str, str | None]] = {
    "unauthorized": ("reauth_required", "reauth_required"),
    "app_refused": ("app_refused", None),
    "firewall": ("upstream_firewall", None),
    "account_limit": ("account_limit", "account_limit"),
    "locked": ("account_locked", "account_locked"),
    "vip_only": ("vip_required", None),
}


@pytest.mark.parametrize("path", ["^/search", "^/sync/history/"])
@pytest.mark.parametrize(("preset", "code", "pause"), [(name, *what) for name, what in REFUSALS.items()])
def test_a_refusal_ends_the_run_and_pauses_where_a_person_must_act(
    world: World, path: str, preset: str, code: str, pause: str | None
) -> None:
    """Whichever call of Trakt meets it; nothing was sent, and nothing is lost."""
    world.upstreams.trakt.faults.add(path=path, preset=preset, times=None)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.error["code"], world.account().paused_reason) == ("failed", code, pause)
    assert (world.account().cursor, world.account().active_run_id) == (None, None)
    world.upstreams.trakt.faults.clear()
    assert world.run().counts["sent"] == 2


def test_kinopubs_401_means_to_connect_kinopub_again(world: World) -> None:
    """One refresh is tried; then the account is paused with the word that the page knows."""
    world.upstreams.kinopub.faults.add(path="^/v1/history", preset="kinopub_unauthorized", times=2)
    run = world.run()
    assert (run.status, world.account().paused_reason) == ("failed", "reauth_required")
    assert len(world.upstreams.kinopub.requests("^/v1/history")) == 2


def test_a_title_that_kinopub_does_not_answer_for_is_not_completed(world: World) -> None:
    """It holds up none of the others."""
    world.upstreams.kinopub.faults.add(path="^/v1/watching", status=404, body={"status": 404}, times=1)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["not_completed"]) == ("succeeded", 1, 1)


# ---------------------------------------------------------------- whose run it is


def test_one_run_of_a_user_at_a_time(world: World) -> None:
    """The second is refused while the first gives signs of life, and takes its place when it does not."""
    first = world.start()
    with pytest.raises(RunActive) as refused:
        world.start()
    assert refused.value.run_id == first
    world.now += RUN_LEASE + 1
    world.start()
    abandoned = world.shop.runs.get(USER, first)
    assert abandoned is not None
    assert abandoned.error is not None
    assert (abandoned.status, abandoned.error["code"]) == ("failed", "abandoned")
    assert {(each.kind, each.code, each.run_id) for each in world.notices.sent} == {("run_failed", "abandoned", first)}
    world.drain()
    assert newest(world).counts["sent"] == 2


def not_for_harry(world: World) -> Settings:
    return replace(world.shop.settings, allowed_trakt_users="ron")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda world: world.settings(enabled=False), "not due any more"),
        (lambda world: world.shop.accounts.pause(USER, "account_locked"), "not due any more"),
        (lambda world: world.shop.accounts.disconnect(USER, "kinopub"), "not due any more"),
        (lambda world: setattr(world.shop, "settings", not_for_harry(world)), "not due any more"),
        (lambda world: world.start(), "another run is active"),
    ],
    ids=["switched off", "paused", "disconnected", "not served any more", "busy"],
)
def test_a_tick_that_is_overtaken_by_events_does_nothing(world: World, spoil: Any, said: str) -> None:
    """What the schedule's index said a quarter of an hour ago is asked again."""
    world.settings(enabled=True)
    enqueue_due(world.shop.accounts, world.queues, at=world.now, spread=0)
    (message,) = world.queues.messages
    world.queues.messages.clear()
    spoil(world)
    assert world.deliver(message) == said
    assert len(list(world.shop.runs.newest(USER, limit=9))) == (1 if said == "another run is active" else 0)


def test_a_tick_delivered_twice_is_one_run(world: World) -> None:
    """The same tick makes the same run id, whoever gets the message."""
    world.settings(enabled=True)
    for _ in range(3):
        enqueue_due(world.shop.accounts, world.queues, at=world.now, spread=0)
    world.drain()
    (run,) = world.shop.runs.newest(USER, limit=9)
    assert (run.status, run.counts["sent"], len(world.upstreams.trakt.requests(method="POST"))) == ("succeeded", 2, 1)


def test_access_is_asked_for_as_long_as_the_worker_lives(world: World) -> None:
    """A refresh that is cut short loses the rotated pair: the broker is told when there is no time for one."""
    world.start()
    for lives in (world.planner_lives, world.sender_lives):
        begun = world.next_message()
        ends_at = world.now + lives
        world.deliver(begun)
        assert world.credentials.until == ends_at


def test_a_message_of_nobody_is_no_trouble(world: World) -> None:
    """The account was deleted meanwhile."""
    job = PlanJob("nobody", "20260101-000000-00000000", "schedule")
    assert plan_run(world.shop, job, worker="w", deadline=world.now + 280) == "no such user"


def test_a_planner_that_finds_another_one_at_work_comes_back_when_that_ones_time_is_over(world: World) -> None:
    """If the other one dies, somebody has to go on."""
    run_id = world.start()
    run = world.shop.runs.get(USER, run_id)
    assert run is not None
    assert world.shop.runs.take_up(run, worker="another", until=world.now + 280) is not None
    assert world.step() == "another worker has it"
    assert world.queues.messages[0].due - world.now >= 280
    world.drain()
    assert newest(world).counts["sent"] == 2


def test_connecting_kinopub_again_ends_a_run_of_the_old_history(world: World) -> None:
    """Its cursor must not be put on another account's history."""
    run_id = world.start()
    world.shop.accounts.connect(USER, "kinopub")
    world.drain()
    superseded = world.shop.runs.get(USER, run_id)
    assert superseded is not None
    assert superseded.error is not None
    assert (superseded.status, superseded.error["code"], world.account().cursor) == ("failed", "superseded", None)


def test_a_run_that_gets_nowhere_is_given_up(world: World) -> None:
    """A planner that has no time for anything is not continued for ever."""
    world.planner_lives = 0.0
    run = world.run()
    assert run.error is not None
    assert (run.status, run.error["code"], run.attempt) == ("failed", "too_long", LONGEST_TURNS)


# ---------------------------------------------------------------- previews


def test_a_preview_sends_nothing_and_waits(world: World) -> None:
    """It stops where a sync hands its batches over; what it found out is not remembered as dealt with."""
    run = world.run(mode="preview")
    assert (run.status, run.counts["planned"], run.counts["sent"]) == ("awaiting_confirmation", 2, 0)
    assert not world.upstreams.trakt.requests(method="POST")
    account = world.account()
    assert (account.awaiting_run_id, account.active_run_id, account.cursor) == (run.run_id, None, None)


def test_a_preview_that_plans_nothing_is_over(world: World) -> None:
    """`succeeded`, and the cursor stays where it was."""
    world.run()
    cursor = world.account().cursor
    run = world.run(mode="preview")
    assert (run.status, world.account().cursor, world.account().awaiting_run_id) == ("succeeded", cursor, None)


def test_a_sync_after_a_preview_cancels_it_and_sends_everything(world: World) -> None:
    """A run that awaits confirmation is not active (http-api.md, Fine print)."""
    preview = world.run(mode="preview")
    assert world.run().counts["sent"] == 2
    cancelled = world.shop.runs.get(USER, preview.run_id)
    assert cancelled is not None
    assert cancelled.status == "cancelled"


def test_a_previews_message_that_comes_again_leaves_it_waiting(world: World) -> None:
    """Its plan holds and the account knows of it, both at once; there is nothing left to do."""
    run_id = world.start(mode="preview")
    message = world.queues.messages[0]
    world.drain()
    assert world.deliver(message) == "waits for a confirmation"
    assert (world.account().awaiting_run_id, world.account().active_run_id) == (run_id, None)


# ---------------------------------------------------------------- titles that are asked again


def test_what_is_finished_without_a_new_row_is_found_within_a_day(world: World) -> None:
    """The title was begun: it is asked again once a day, and no more once it is finished (http-api.md, Fine print)."""
    library = world.upstreams.library
    library.start(USER, "Inception", at=world.now - 3600)
    assert world.run().counts["skipped"]["not_completed"] == 1
    library.watch(USER, "Inception", row=False)
    assert world.run().calls == {"kinopub": 1, "trakt": 0}
    world.now += 86_401
    assert world.run().counts["sent"] == 1
    assert world.run().calls == {"kinopub": 1, "trakt": 0}
    world.now += 86_401
    # Its plan had no row to vouch for it, so it is looked at once more.
    assert world.run().calls == {"kinopub": 2, "trakt": 0}
    world.now += 86_401
    assert world.run().calls == {"kinopub": 1, "trakt": 0}


def test_an_unfinished_title_costs_one_call_a_day(world: World) -> None:
    """And not one an hour."""
    world.upstreams.library.start(USER, "Inception", at=world.now - 3600)
    world.run()
    calls = []
    for _ in range(50):
        world.now += 3600
        calls.append(world.run().calls["kinopub"])
    assert sorted(calls) == [1] * 48 + [2] * 2


class Between:
    """A client that lets something happen between a reading and the next update."""

    def __init__(self, inner: Any, meanwhile: Callable[[], object]) -> None:
        self._inner, self._meanwhile = inner, meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def update_item(self, **request: Any) -> Any:
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return self._inner.update_item(**request)


def test_a_run_that_begins_while_kinopub_is_connected_again_is_ended_too(world: World) -> None:
    """It may have read the old history's cursor, and must not put its own on the new history."""
    table = world.shop.accounts.table
    table.client = Between(table.client, world.start)
    world.shop.accounts.connect(USER, "kinopub")
    assert world.account().active_run_id is None
