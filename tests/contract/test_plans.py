"""Plans: a batch's way from PLANNED to SENT, one owner at a time; reports; checkpoints."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from tests.contract.views import event
from watchferry.models import Event
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.plans import Batch, Plans, Undoing, batch_name, halves

LIVES, SETTLE = 60.0, 10.0


@pytest.fixture
def plans(backend: Backend, clock: Clock) -> Plans:
    return Plans(backend.table("Plans"), clock)


@pytest.fixture
def run_id(user: str) -> str:
    return user


@pytest.fixture
def batch(plans: Plans, run_id: str) -> Batch:
    """Four events, planned."""
    plans.write(run_id, 1, [[event(number) for number in range(4)]], [])
    return found(plans, run_id)


def found(plans: Plans, run_id: str, name: str = batch_name(1, 0)) -> Batch:
    now = plans.batch(run_id, name)
    assert now is not None
    return now


def claimed(plans: Plans, batch: Batch, owner: str = "a") -> Batch | None:
    return plans.claim(batch, owner=owner, until=plans.clock() + LIVES, settle=SETTLE)


def owned(plans: Plans, batch: Batch, owner: str = "a") -> Batch:
    mine = claimed(plans, batch, owner)
    assert mine is not None
    return mine


def settle(plans: Plans, batch: Batch, status: Any = "SENT", outcomes: Any = None) -> None:
    transact(plans.table.client, [plans.settling(batch, status, outcomes or {})])


# ---------------------------------------------------------------- confirmed, split, undone


def test_left_out(plans: Plans, batch: Batch) -> None:
    """What is not to be sent after all is skipped in the report from then on; it goes with its half."""
    plans.leave_out(batch, {"1": "duplicate", "3": "ignored"})
    reported = [(event.outcome, event.reason) for event in found(plans, batch.run_id).report()]
    assert reported == [("planned", None), ("skipped", "duplicate"), ("planned", None), ("skipped", "ignored")]
    mine = owned(plans, batch)
    assert mine.outcomes == {"1": "duplicate", "3": "ignored"}
    transact(plans.table.client, plans.splitting(mine))
    parts = [found(plans, batch.run_id, name).outcomes for name in halves(batch)]
    assert parts == [{"1": "duplicate"}, {"1": "ignored"}]


def test_left_out_too_late(plans: Plans, batch: Batch) -> None:
    """Once somebody sends it, it is sent as it is."""
    owned(plans, batch)
    plans.leave_out(batch, {"1": "duplicate"})
    assert found(plans, batch.run_id).outcomes == {}


def test_given_up_with_some_of_it_there(plans: Plans, batch: Batch) -> None:
    mine = owned(plans, batch)
    transact(plans.table.client, [plans.settling(mine, "FAILED", {}, {2})])
    assert [event.outcome for event in found(plans, batch.run_id).report()] == ["planned", "planned", "sent", "planned"]


def test_an_undo_is_kept_with_its_plays(plans: Plans, batch: Batch, run_id: str) -> None:
    """History ids, some of which may be gone: then nothing is removed, and the report says so."""
    undoing = Undoing(batch.run_id, batch.name, [0, 2], [9_000_000_000_001, None])
    plans.write_undo(run_id + "u", 1, [((event(0), event(2)), undoing)])
    planned = found(plans, run_id + "u")
    assert (planned.undoing, planned.events) == (undoing, (event(0), event(2)))
    settle(plans, owned(plans, planned), outcomes={"1": "already_removed"})
    told = [(each.outcome, each.reason) for each in found(plans, run_id + "u").report()]
    assert told == [("removed", None), ("skipped", "already_removed")]


def test_what_was_removed_adds_up(plans: Plans, batch: Batch) -> None:
    """Batch by batch of an undo, and of a second one."""
    settle(plans, owned(plans, batch))
    undoing = Undoing(batch.run_id, batch.name, [0, 2, 3], [7, None, 8])
    for removed, gone in (([0], [1]), ([2], []), ([2], [1])):
        transact(plans.table.client, [plans.removing(undoing, removed, gone)])
    now = found(plans, batch.run_id)
    assert (now.removed, now.gone) == ({0, 3}, {2})
    told = [(each.outcome, each.reason) for each in now.report()]
    assert told == [("removed", None), ("sent", None), ("skipped", "already_removed"), ("removed", None)]


# ---------------------------------------------------------------- pages


def test_a_plan_is_read_as_written(plans: Plans, run_id: str) -> None:
    """Batches in their order, then what is skipped, page after page, from anywhere."""
    batches = [[event(number)] for number in range(12)]
    skips = [event(100 + number, outcome="skipped", reason="duplicate") for number in range(1_100)]
    plans.write(run_id, 1, batches, skips)
    pages = list(plans.report(run_id, 1))
    assert [each for _, events in pages for each in events] == [*(each for [each] in batches), *skips]
    assert [batch.events for batch in plans.batches(run_id, 1)] == [tuple(events) for events in batches]
    for number, (name, _) in enumerate(pages):
        assert list(plans.report(run_id, 1, after=name)) == pages[number + 1 :]


def test_plans_of_other_attempts(plans: Plans, run_id: str) -> None:
    """A planner that lost its lease writes pages that nobody reads."""
    plans.write(run_id, 1, [[event(1)]], [event(2, outcome="skipped", reason="duplicate")])
    plans.write(run_id, 2, [[event(3)], [event(4)]], [])
    assert [events for _, events in plans.report(run_id, 2)] == [[event(3)], [event(4)]]
    assert [batch.name for batch in plans.batches(run_id, 1)] == [batch_name(1, 0)]
    assert plans.batch(run_id, batch_name(3, 0)) is None
    assert plans.batch(run_id + "x", batch_name(1, 0)) is None


def test_the_report_says_what_became_of_it(plans: Plans, batch: Batch) -> None:
    """Planned until it is settled; then sent, or skipped with its reason."""
    [(_, before)] = plans.report(batch.run_id, 1)
    assert {each.outcome for each in before} == {"planned"}
    settle(plans, owned(plans, batch), "SENT", {"2": "not_found"})
    [(_, after)] = plans.report(batch.run_id, 1)
    assert [(each.outcome, each.reason) for each in after] == [
        ("sent", None),
        ("sent", None),
        ("skipped", "not_found"),
        ("sent", None),
    ]


def test_large_batches(plans: Plans, run_id: str) -> None:
    """250 views with long names fit into one row, and come back whole."""
    noise = Random(1)
    name = "".join(chr(noise.randrange(0x400, 0x4FF)) for _ in range(200))
    events = [Event(event(number).view, "planned", None, {"trakt": number, "slug": name}) for number in range(250)]
    plans.write(run_id, 1, [events], [])
    assert found(plans, run_id).events == tuple(events)


# ---------------------------------------------------------------- a batch's way


def test_one_owner(plans: Plans, batch: Batch) -> None:
    """Of many who claim it at once, one has it; by the same one it may be claimed again."""
    with ThreadPoolExecutor(10) as threads:
        got = list(threads.map(lambda number: claimed(plans, batch, f"w{number}"), range(10)))
    [mine] = [each for each in got if each]
    assert (mine.status, mine.attempts) == ("SENDING", 0)
    assert claimed(plans, batch, "late") is None
    assert owned(plans, batch, mine.owner or "").owner == mine.owner


def test_taken_over_when_it_is_settled(plans: Plans, batch: Batch, clock: Clock) -> None:
    """A dead owner's batch is free when its time and the settling time are over, and is known as posted or not."""
    dead = owned(plans, batch, "dead")
    assert plans.posting(dead) is not None
    clock.advance(LIVES + SETTLE - 1)
    assert claimed(plans, batch, "heir") is None
    clock.advance(3)
    heir = owned(plans, batch, "heir")
    assert (heir.attempts, heir.answered) == (1, 0)
    assert plans.posting(dead) is None
    plans.put_back(dead)
    plans.leave_unknown(dead, answered=True)
    with pytest.raises(ConditionFailed):
        settle(plans, dead)
    assert found(plans, batch.run_id) == heir


def test_put_back(plans: Plans, batch: Batch) -> None:
    """What certainly was not sent is as if nobody had ever had it."""
    plans.put_back(owned(plans, batch))
    assert found(plans, batch.run_id) == batch
    posting = plans.posting(owned(plans, batch, "b"))
    assert posting is not None
    plans.put_back(posting)
    assert (found(plans, batch.run_id), owned(plans, batch, "c").attempts) == (batch, 0)


def test_left_unknown(plans: Plans, batch: Batch, clock: Clock) -> None:
    """Nobody owns it; it can be had after the settling time, with the number of posts and answers."""
    for number in (1, 2):
        mine = owned(plans, batch, f"w{number}")
        posting = plans.posting(mine)
        assert posting is not None
        assert posting.attempts == number
        plans.leave_unknown(posting, answered=True)
        left = found(plans, batch.run_id)
        assert (left.status, left.owner, left.attempts, left.answered) == ("SENDING", None, number, number)
        assert claimed(plans, batch, "early") is None
        clock.advance(SETTLE + 2)


def test_settled_for_good(plans: Plans, batch: Batch, clock: Clock) -> None:
    """In one transaction with what it counts for, and once; nobody can have it after."""
    mine = owned(plans, batch)
    settle(plans, mine, "SENT", {"1": "rejected_by_trakt"})
    settled = found(plans, batch.run_id)
    assert (settled.status, settled.is_settled, settled.outcomes) == ("SENT", True, {"1": "rejected_by_trakt"})
    with pytest.raises(ConditionFailed):
        settle(plans, mine, "FAILED")
    clock.advance(10_000)
    assert claimed(plans, batch, "b") is None
    assert found(plans, batch.run_id) == settled


def test_split(plans: Plans, batch: Batch, clock: Clock) -> None:
    """Two halves take its place, in the report as well; what may have been posted, the halves inherit."""
    mine = owned(plans, batch)
    posting = plans.posting(mine)
    assert posting is not None
    transact(plans.table.client, plans.splitting(posting))
    with pytest.raises(ConditionFailed):
        transact(plans.table.client, plans.splitting(posting))
    assert found(plans, batch.run_id).status == "SPLIT"
    parts = [found(plans, batch.run_id, name) for name in halves(batch)]
    assert [part.events for part in parts] == [batch.events[:2], batch.events[2:]]
    assert [(part.status, part.attempts) for part in parts] == [("SENDING", 1)] * 2
    assert [each for _, events in plans.report(batch.run_id, 1) for each in events] == list(batch.events)
    clock.advance(SETTLE + 1)
    settle(plans, owned(plans, parts[0], "b"))
    assert [each.outcome for _, events in plans.report(batch.run_id, 1) for each in events] == [
        "sent",
        "sent",
        "planned",
        "planned",
    ]


def test_split_before_any_post(plans: Plans, batch: Batch) -> None:
    """Then the halves are as good as planned."""
    transact(plans.table.client, plans.splitting(owned(plans, batch)))
    assert [found(plans, batch.run_id, name).status for name in halves(batch)] == ["PLANNED"] * 2


# ---------------------------------------------------------------- checkpoints


def test_checkpoints(plans: Plans, run_id: str) -> None:
    """The last one counts; other names and runs are others'."""
    assert plans.saved(run_id, "collected") is None
    for value in ({"a": [1, None, "Ё"]}, {"b": 2}):
        plans.save(run_id, "collected", value)
        assert plans.saved(run_id, "collected") == value
    assert plans.saved(run_id, "confirmed") is None
    assert plans.saved(run_id + "x", "collected") is None


def test_checkpoints_of_any_size(plans: Plans, run_id: str) -> None:
    """Larger than a row may be, then smaller again."""
    large = Random(2).randbytes(700_000).hex()
    plans.save(run_id, "collected", large)
    assert plans.saved(run_id, "collected") == large
    plans.save(run_id, "collected", "small")
    assert plans.saved(run_id, "collected") == "small"


def test_a_checkpoint_that_was_not_finished(plans: Plans, run_id: str) -> None:
    """Of a write that ended in the middle the first part is missing: it is as if there were none, never a mixture."""
    large = Random(3).randbytes(500_000).hex()
    plans.save(run_id, "collected", large)
    plans.table.delete({"run_id": run_id, "row": "work#collected#000"})
    assert plans.saved(run_id, "collected") is None


def test_all_of_a_run_goes(plans: Plans, run_id: str) -> None:
    """Batches, pages and checkpoints; nothing of another run."""
    other = f"{run_id}-other"
    for each in (run_id, other):
        plans.write(each, 1, [[event(number)] for number in range(30)], [event(50, outcome="skipped")])
        plans.save(each, "collected", {"some": "work"})
    plans.delete(run_id)
    assert list(plans.report(run_id, 1)) == []
    assert plans.saved(run_id, "collected") is None
    assert len(list(plans.report(other, 1))) == 31
    plans.delete(run_id)
