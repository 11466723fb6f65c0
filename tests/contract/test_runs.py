"""Runs: who plans one, what it counts, and that it ends once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.account import Cursor
from watchferry.storage.runs import Run, Runs, new_run_id
from watchferry.sync.views import run_view

CURSOR = Cursor(1_700_000_000, frozenset({"7:1700000000", "8:1699999999"}))
COUNTS = {"history": 9, "completed": 8, "planned": 5}
SENT_NOTHING = {"sent": 0, "removed": 0, "already_removed": 0}


@pytest.fixture
def runs(backend: Backend, clock: Clock) -> Runs:
    return Runs(backend.table("Runs"), clock)


@pytest.fixture
def run(runs: Runs, user: str) -> Run:
    return runs.create(user, "run-1", mode="sync", trigger="manual")


def found(runs: Runs, run: Run) -> Run:
    now = runs.get(run.user_id, run.run_id)
    assert now is not None
    return now


def taken(runs: Runs, run: Run, worker: str = "a", lives: float = 300) -> Run:
    mine = runs.take_up(run, worker=worker, until=runs.clock() + lives)
    assert mine is not None
    return mine


def planned(runs: Runs, run: Run, worker: str = "a", **changes: Any) -> Run | None:
    given: dict[str, Any] = {"status": "sending", "counts": COUNTS, "skipped": {"duplicate": 2}, "batches": 2}
    holds = runs.planning(run, worker=worker, **(given | {"cursor": CURSOR} | changes))
    try:
        transact(runs.table.client, [holds])
    except ConditionFailed:
        return None
    return found(runs, run)


def test_a_new_run(runs: Runs, run: Run, user: str, clock: Clock) -> None:
    """Queued, with nothing counted; of this user alone."""
    assert found(runs, run) == run
    assert (run.status, run.mode, run.trigger, run.full) == ("queued", "sync", "manual", False)
    assert (run.started_at, run.finished_at, run.error, run.plan, run.attempt) == (int(clock.now), None, None, 0, 0)
    nothing = dict.fromkeys(("history", "completed", "planned", "sent", "removed", "already_removed"), 0)
    assert run_view(run)["counts"] == nothing | {"skipped": {}}
    assert runs.get(user, "run-2") is None
    assert runs.get(user + "x", "run-1") is None


def test_created_once(runs: Runs, run: Run, user: str) -> None:
    """Whoever comes again gets the run as it is, and changes nothing."""
    mine = taken(runs, run)
    again = runs.create(user, "run-1", mode="preview", trigger="schedule", full=True)
    assert again == mine
    with ThreadPoolExecutor(10) as threads:
        made = list(threads.map(lambda _: runs.create(user, "run-2", mode="sync", trigger="schedule"), range(10)))
    assert all(each == made[0] for each in made)


def test_ids_sort_by_time() -> None:
    """To the second; the same word at the same time is the same run."""
    ids = [new_run_id(at) for at in (1e9, 1.5e9, 1.6e9, 1.6e9 + 1)]
    assert ids == sorted(ids)
    assert new_run_id(1e9, "x") == new_run_id(1e9 + 0.9, "x") != new_run_id(1e9, "y")
    assert new_run_id(1e9) != new_run_id(1e9)


def test_newest_first(runs: Runs, user: str) -> None:
    """So many, from there on."""
    ids = [new_run_id(1_700_000_000 + 60 * number) for number in range(7)]
    for run_id in ids:
        runs.create(user, run_id, mode="sync", trigger="schedule")
    assert [run.run_id for run in runs.newest(user, limit=10)] == ids[::-1]
    assert [run.run_id for run in runs.newest(user, limit=3)] == ids[:3:-1]
    assert [run.run_id for run in runs.newest(user, limit=3, before=ids[4])] == ids[3:0:-1]
    assert list(runs.newest(user, limit=3, before=ids[0])) == []


def test_one_planner_at_a_time(runs: Runs, run: Run) -> None:
    """Of many at once one takes it up; each that does begins another attempt."""
    until = runs.clock() + 300
    with ThreadPoolExecutor(10) as threads:
        got = list(threads.map(lambda n: runs.take_up(run, worker=f"w{n}", until=until), range(10)))
    [mine] = [each for each in got if each]
    assert (mine.attempt, found(runs, run).worker) == (1, mine.worker)
    assert runs.take_up(run, worker="late", until=until) is None
    runs.let_go(run, worker="late")
    assert runs.take_up(run, worker="late", until=until) is None
    runs.let_go(run, worker=mine.worker or "")
    assert taken(runs, run, "late").attempt == 2


def test_a_dead_planner_is_succeeded(runs: Runs, run: Run, clock: Clock) -> None:
    """When its time is over, not before; the one who lost it can plan nothing any more."""
    dead = taken(runs, run, "dead", lives=300)
    clock.advance(300)
    assert runs.take_up(run, worker="heir", until=clock.now + 300) is None
    clock.advance(2)
    heir = taken(runs, run, "heir")
    assert planned(runs, dead, "dead") is None
    runs.progress(dead, worker="dead", status="mapping", done=1, total=2)
    assert found(runs, run) == heir
    assert planned(runs, heir, "heir") is not None


def test_progress_is_shown(runs: Runs, run: Run) -> None:
    """While it is planned; the plan's own numbers take over then."""
    mine = taken(runs, run)
    runs.progress(mine, worker="a", status="collecting", done=3, total=7)
    shown = run_view(found(runs, run))
    assert (shown["status"], shown["phase_progress"]) == ("collecting", {"done": 3, "total": 7})
    planned(runs, mine)
    runs.progress(mine, worker="a", status="mapping", done=1, total=1)
    shown = run_view(found(runs, run))
    assert (shown["status"], shown["phase_progress"]) == ("sending", {"done": 0, "total": 5})


def test_a_plan_holds_once(runs: Runs, run: Run) -> None:
    """With its numbers and the cursor to be; nobody writes it again or takes it up again."""
    mine = taken(runs, run)
    holds = planned(runs, mine)
    assert holds is not None
    assert found(runs, run) == holds
    assert (holds.status, holds.plan, holds.batches, holds.cursor) == ("sending", 1, 2, CURSOR)
    assert run_view(holds)["counts"] == COUNTS | SENT_NOTHING | {"skipped": {"duplicate": 2}}
    assert planned(runs, mine, batches=3) is None
    assert found(runs, run) == holds
    assert runs.take_up(run, worker="b", until=runs.clock() + 300) is None


def test_calls_add_up(runs: Runs, run: Run) -> None:
    """From many workers at once."""
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: runs.add_calls(run.user_id, run.run_id, {"trakt": 2, "kinopub": 1}), range(10)))
    runs.add_calls(run.user_id, run.run_id, {})
    assert found(runs, run).calls == {"trakt": 20, "kinopub": 10}


def test_batches_count(runs: Runs, run: Run) -> None:
    """What each sent and skipped, and how far the run is; one that was split counts as two."""
    planned(runs, taken(runs, run))
    client = runs.table.client
    transact(client, [runs.batch_split(run.user_id, run.run_id)])
    transact(client, [runs.batch_done(run.user_id, run.run_id, {"sent": 2}, skipped={"not_found": 1})])
    halfway = found(runs, run)
    assert (halfway.batches, halfway.batches_done, halfway.batches_failed) == (3, 1, 0)
    assert run_view(halfway)["phase_progress"] == {"done": 1, "total": 5}
    with ThreadPoolExecutor(2) as threads:
        done = runs.batch_done(run.user_id, run.run_id, {"sent": 1}, failed=True)
        list(threads.map(lambda _: transact(client, [done]), range(2)))
    now = found(runs, run)
    assert (now.batches_done, now.batches_failed, now.counts["sent"]) == (3, 2, 4)
    assert run_view(now)["counts"]["skipped"] == {"duplicate": 2, "not_found": 1}
    assert run_view(now)["phase_progress"] == {"done": 5, "total": 5}


def test_a_run_ends_once(runs: Runs, run: Run, clock: Clock) -> None:
    """The first end holds, with its time and error; a later one changes nothing."""
    error = {"code": "vip_required", "detail": "in words"}
    taken(runs, run)
    transact(runs.table.client, [runs.finishing(run, "failed", error)])
    ended = found(runs, run)
    assert (ended.status, ended.error, ended.finished_at, ended.is_finished) == ("failed", error, int(clock.now), True)
    assert ended.worker is None
    clock.advance(60)
    with pytest.raises(ConditionFailed):
        transact(runs.table.client, [runs.finishing(run, "succeeded")])
    runs.finish(run, "cancelled")
    assert found(runs, run) == ended
    assert runs.take_up(run, worker="b", until=clock.now + 300) is None


def test_ended_by_the_next(runs: Runs, run: Run) -> None:
    """What waits or stands still is ended from outside, without an error of its own."""
    planned(runs, taken(runs, run), status="awaiting_confirmation")
    runs.finish(run, "cancelled")
    assert (found(runs, run).status, found(runs, run).error) == ("cancelled", None)


def test_a_late_batch_corrects_the_end(runs: Runs, run: Run) -> None:
    """`failed` becomes `partial` when something was sent after all; any other end stays."""
    runs.sent_after_all(run)
    assert found(runs, run).status == "queued"
    runs.finish(run, "failed", {"code": "x", "detail": "y"})
    runs.sent_after_all(run)
    assert (found(runs, run).status, found(runs, run).error) == ("partial", {"code": "x", "detail": "y"})


def test_a_deleted_run_does_not_come_back(runs: Runs, run: Run, user: str) -> None:
    """Whatever a worker that was under way writes: its user has left."""
    taken(runs, run)
    runs.delete(user, [run.run_id])
    runs.add_calls(user, run.run_id, {"trakt": 3})
    runs.finish(run, "failed")
    runs.sent_after_all(run)
    runs.progress(run, worker="a", status="mapping", done=1, total=2)
    runs.let_go(run, worker="a")
    assert planned(runs, run) is None
    for part in (
        runs.batch_done(user, run.run_id, {"sent": 1}),
        runs.batch_split(user, run.run_id),
        runs.finishing(run, "succeeded"),
    ):
        with pytest.raises(ConditionFailed):
            transact(runs.table.client, [part])
    assert runs.get(user, run.run_id) is None


def test_all_of_a_user_s(runs: Runs, user: str) -> None:
    """Newest first, and deleted together; nobody else's."""
    names = [f"run-{number:03d}" for number in range(60)]
    for name in names:
        runs.create(user, name, mode="sync", trigger="manual")
    runs.create(f"{user}x", "run-1", mode="sync", trigger="manual")
    assert [run.run_id for run in runs.of(user)] == names[::-1]
    runs.delete(user, names)
    assert list(runs.of(user)) == []
    assert [run.run_id for run in runs.of(f"{user}x")] == ["run-1"]
