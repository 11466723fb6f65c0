"""Who sends a batch goes on with the next; the messages of the others bring another sender only when one is needed."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pytest

from tests.world import ONE_BATCH, SENDER_LIVES, World
from watchferry.storage.budgets import RATES
from watchferry.storage.plans import Batch
from watchferry.sync import actions
from watchferry.sync.queues import SendJob

USER = "harry"
POST = {"path": "^/sync/history$", "method": "POST"}


@pytest.fixture
def world() -> World:
    """Ten batches of two views, planned and queued."""
    made = World("large:20")
    made.settings(batch_size=2)
    made.start()
    made.step()
    return made


def posts(world: World) -> list[float]:
    return [entry.at for entry in world.upstreams.trakt.requests("^/sync/history$", "POST")]


def batches(world: World) -> list[Batch]:
    (run,) = world.shop.runs.newest(USER, limit=1)
    return list(world.shop.plans.batches(run.run_id, run.plan))


def message(world: World, number: int) -> Any:
    """The one of this batch, taken from the queue."""
    name = batches(world)[number].name
    found = next(each for each in world.queues.messages if f'"{name}"' in each.body)
    world.queues.messages.remove(found)
    return found


def test_one_message_sends_a_whole_plan(world: World) -> None:
    """At Trakt's pace, and not at that of the queue; the other messages come behind and find nothing to do."""
    assert world.step() == "; ".join(["sent"] * 10)
    (run,) = world.shop.runs.newest(USER, limit=1)
    assert (run.status, run.counts["sent"]) == ("succeeded", 20)
    assert {round(later - earlier, 2) for earlier, later in pairwise(posts(world))} == {1.02}
    world.drain()
    assert set(world.results[2:]) == {"sent before"}
    assert len(posts(world)) == 10


def test_a_sender_whose_time_is_nearly_over_hands_over(world: World) -> None:
    """The next one begins at once, and waits for the POST before it as that one's sender would have."""
    world.sender_lives = ONE_BATCH
    assert world.step() == "sent"
    follows = world.next_message()
    assert SendJob.of(follows.body).batch == batches(world)[1].name
    world.sender_lives = SENDER_LIVES
    assert world.deliver(follows) == "; ".join(["sent"] * 9)
    assert {round(later - earlier, 2) for earlier, later in pairwise(posts(world))} == {1.02}


def test_a_message_before_its_turn_is_put_off_while_somebody_sends(world: World) -> None:
    """Nothing is claimed, nothing intended: or as many senders would wait for one user as there are messages."""
    place = world.shop.budgets.take(USER, "POST", RATES["POST"])
    assert world.deliver(message(world, 3)).startswith("put off")
    world.shop.budgets.answered(USER, "POST", place)
    assert world.deliver(message(world, 2)).startswith("put off")
    assert {batch.status for batch in batches(world)} == {"PLANNED"}
    assert world.client.tables["Ledger"] == {}


def test_the_next_batch_waits_for_its_turn_itself(world: World) -> None:
    """Not a message later: another program of this user has just posted through the proxy."""
    world.shop.budgets.answered(USER, "POST", world.shop.budgets.take(USER, "POST", RATES["POST"]))
    assert world.deliver(message(world, 0)).startswith("sent; sent")


def test_a_message_goes_on_where_a_sender_has_died(world: World) -> None:
    """Within seconds, though the dead one's own batch can be taken over only when its time is over."""
    dead = message(world, 0)
    job = SendJob.of(dead.body)
    claimed = world.shop.plans.claim(batches(world)[0], owner="dead", until=world.now + SENDER_LIVES, settle=60)
    assert claimed is not None
    began = world.now
    assert world.step() == "; ".join(["sent"] * 9)
    assert posts(world)[0] - began < 15
    world.shop.queues.send([(job, 0)])
    world.drain()
    (run,) = world.shop.runs.newest(USER, limit=1)
    assert (run.status, run.counts["sent"], len(posts(world))) == ("succeeded", 20, 10)
    assert sorted(world.plays()) == sorted(set(world.plays()))


def test_a_batch_of_an_unknown_outcome_holds_up_no_other(world: World) -> None:
    world.upstreams.trakt.faults.add(**POST, preset="bad_gateway", when="after")
    first, *others = world.step().split("; ")
    assert first.startswith("outcome unknown")
    assert others == ["sent"] * 9
    world.drain()
    assert len(posts(world)) == 10


@pytest.mark.parametrize(
    ("fault", "said"),
    [({"preset": "rate_limited"}, "put off"), ({"preset": "locked"}, "stopped")],
)
def test_what_holds_up_all_ends_the_turn(world: World, fault: dict[str, Any], said: str) -> None:
    """A limit, or a refusal of the account: no batch is tried after it."""
    world.upstreams.trakt.faults.add(**POST, **fault)
    assert world.step().startswith(said)
    assert len(posts(world)) == 1
    assert {batch.status for batch in batches(world)} == {"PLANNED"}


def test_a_run_that_is_cancelled_meanwhile_is_not_gone_on_with(world: World) -> None:
    world.upstreams.trakt.faults.add(
        **POST,
        delay=0.1,
        when="after",
        meanwhile=lambda: world.cancel(next(world.shop.runs.newest(USER, limit=1)).run_id),
    )
    assert world.step() == "sent; the run is over"


def test_who_finds_another_at_work_leaves_it_the_following_too(world: World) -> None:
    """Else every message that comes would be one more sender of the same run."""
    assert world.step().startswith("sent; sent")
    for batch in batches(world)[1:4]:
        world.client.tables["Plans"][batch.run_id, f"batch#{batch.name}"]["status"] = {"S": "PLANNED"}
    again = asdict(SendJob(USER, batches(world)[0].run_id, batches(world)[0].name))
    world.shop.queues.send([(SendJob(**again), 0)])
    world.queues.messages = world.queues.messages[-1:]
    assert world.step() == "sent before"


@pytest.mark.parametrize(
    ("runs_before", "mode", "full", "woken"),
    [(0, "sync", False, 1), (0, "preview", False, 0), (1, "sync", False, 0), (1, "sync", True, 1)],
)
def test_a_sender_is_woken_when_somebody_starts_a_long_run(runs_before: int, mode: Any, full: bool, woken: int) -> None:
    """Its process takes a second to start, which is over when the plan is made."""
    world = World("tiny")
    for _ in range(runs_before):
        world.run()
    actions.start(world.shop, world.account(), mode, full=full)
    assert world.queues.woken == woken
    world.drain()
    assert next(world.shop.runs.newest(USER, limit=1)).error is None
