"""A tick: one job for everybody who is due (http-api.md, Scheduler)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_dynamo import MemoryDynamo
from tests.unit.sync.examples import NOON, steadily
from watchferry.storage._dynamo import Table
from watchferry.storage.accounts import SHARDS, Accounts
from watchferry.storage.keep_alive import EVERY, KeepAlive
from watchferry.storage.refusals import LOOK_EVERY, Refusals
from watchferry.sync.queues import KeepAliveJob, LookJob, PlanJob
from watchferry.sync.schedule import enqueue_due, enqueue_keep_alive, scheduled_job
from watchferry.sync.schedule import tick as scheduler_tick


class Queue:
    def __init__(self) -> None:
        self.calls: list[Sequence[tuple[PlanJob, float]]] = []
        self.look_calls: list[Sequence[tuple[KeepAliveJob, float]]] = []
        self.asked: list[LookJob] = []

    def plan(self, jobs: Sequence[tuple[PlanJob, float]]) -> None:
        self.calls.append(jobs)

    def keep_alive(self, jobs: Sequence[tuple[KeepAliveJob, float]]) -> None:
        self.look_calls.append(jobs)

    def look(self, job: LookJob) -> None:
        self.asked.append(job)

    @property
    def looks(self) -> list[tuple[KeepAliveJob, float]]:
        return [job for call in self.look_calls for job in call]

    @property
    def jobs(self) -> list[tuple[PlanJob, float]]:
        return [job for call in self.calls for job in call]


def with_users(count: int) -> Accounts:
    """So many users who are due."""
    accounts = Accounts(Table(MemoryDynamo(), "Accounts"), lambda: NOON)  # type: ignore[arg-type]
    for number in range(count):
        add(accounts, f"user-{number}")
    return accounts


def add(
    accounts: Accounts, user: str, *, enabled: bool = True, providers: Sequence[str] = ("trakt", "kinopub")
) -> None:
    accounts.sign_in(user, {"slug": user, "name": user})
    for provider in providers:
        accounts.connect(user, provider)  # type: ignore[arg-type]
    accounts.change_settings(user, enabled=enabled)


def tick(accounts: Accounts, at: float = NOON, spread: int = 900) -> Queue:
    queue = Queue()
    assert enqueue_due(accounts, queue, at=at, spread=spread) == len(queue.jobs)  # type: ignore[arg-type]
    return queue


@steadily
@given(st.integers(0, 35))
def test_everybody_who_is_due_gets_one_job_ten_to_a_call(count: int) -> None:
    queue = tick(with_users(count))
    assert sorted(job.user_id for job, _ in queue.jobs) == sorted(f"user-{number}" for number in range(count))
    assert len(queue.calls) == -(-count // 10)
    assert {job.trigger for job, _ in queue.jobs} <= {"schedule"}


def test_nobody_else_gets_one() -> None:
    """Switched off, paused, or with only one account connected; whoever is again due is enqueued again."""
    accounts = with_users(1)
    add(accounts, "off", enabled=False)
    add(accounts, "no-kinopub", providers=["trakt"])
    add(accounts, "no-trakt", providers=["kinopub"])
    add(accounts, "paused")
    accounts.pause("paused", "account_limit")
    assert [job.user_id for job, _ in tick(accounts).jobs] == ["user-0"]
    add(accounts, "paused")
    add(accounts, "no-trakt")
    assert sorted(job.user_id for job, _ in tick(accounts).jobs) == ["no-trakt", "paused", "user-0"]


def test_one_tick_makes_one_run_however_often_it_comes() -> None:
    """The same tick, delivered twice, names the same runs; the next tick names others; no two users share one."""
    accounts = with_users(12)
    first, again, later = tick(accounts), tick(accounts), tick(accounts, NOON + 3600)
    assert first.jobs == again.jobs
    assert not {job.run_id for job, _ in first.jobs} & {job.run_id for job, _ in later.jobs}
    assert len({job.run_id for job, _ in first.jobs}) == 12


@steadily
@given(st.text(min_size=1, max_size=20), st.integers(0, 10**9))
def test_a_run_is_named_by_its_tick_and_its_user(user: str, at: int) -> None:
    """And its name sorts by time."""
    assert scheduled_job(user, at) == scheduled_job(user, at + 0.4)
    assert scheduled_job(user, at).run_id < scheduled_job(user, at + 1).run_id


def test_users_are_spread_and_each_keeps_its_place() -> None:
    """Over the whole time given; with 0, as in the local stack, all come at once."""
    accounts = with_users(200)
    delays = {job.user_id: delay for job, delay in tick(accounts).jobs}
    assert all(0 <= delay < 900 for delay in delays.values())
    for quarter in range(4):
        assert sum(quarter * 225 <= delay < (quarter + 1) * 225 for delay in delays.values()) > 25
    assert {job.user_id: delay for job, delay in tick(accounts, NOON + 3600).jobs} == delays
    assert {delay for _, delay in tick(accounts, spread=0).jobs} == {0}


def test_everybody_is_looked_after_whose_week_is_over() -> None:
    """Switched off or paused too; ten to a call, each in the same place of the hour."""
    memory = MemoryDynamo()
    now = [NOON]
    accounts = Accounts(Table(memory, "Accounts"), lambda: now[0])  # type: ignore[arg-type]
    for number in range(23):
        add(accounts, f"user-{number}", enabled=number % 2 == 0)
    add(accounts, "no-kinopub", providers=["trakt"])
    due = KeepAlive(accounts.table, lambda: now[0])
    for passed, expected in ((EVERY - 1, 0), (1, 23)):
        now[0] += passed
        queue = Queue()
        assert enqueue_keep_alive(due, queue, spread=900) == expected == len(queue.looks)  # type: ignore[arg-type]
    assert {job.user_id for job, _ in queue.looks} == {f"user-{number}" for number in range(23)}
    assert [len(call) for call in queue.look_calls] == [10, 10, 3]
    assert all(0 <= delay < 900 for _, delay in queue.looks)
    assert len({delay for _, delay in queue.looks}) > 5


def test_a_tick_is_remembered() -> None:
    """`next_run_at` is the last tick and the interval."""
    accounts = with_users(0)
    assert accounts.last_tick() is None
    accounts.tick()
    assert accounts.last_tick() == NOON


class CutOff(Exception):
    """The function's time is over."""


class Slow(Queue):
    """Takes so many calls before the tick is cut off."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def plan(self, jobs: Sequence[tuple[PlanJob, float]]) -> None:
        self._take()
        super().plan(jobs)

    def keep_alive(self, jobs: Sequence[tuple[KeepAliveJob, float]]) -> None:
        self._take()
        super().keep_alive(jobs)

    def _take(self) -> None:
        if not self.left:
            raise CutOff
        self.left -= 1


def test_who_is_behind_the_cut_is_before_it_another_time() -> None:
    """Far more is due than a tick has time for: within two rounds through the shards everybody's turn has come."""
    now = [NOON]
    accounts = Accounts(Table(MemoryDynamo(), "Accounts"), lambda: now[0])  # type: ignore[arg-type]
    everybody = {f"user-{number}" for number in range(200)}
    for user in everybody:
        add(accounts, user)
    now[0] += EVERY
    due = KeepAlive(accounts.table, lambda: now[0])
    synced, looked_after = set(), set()
    for _ in range(2 * SHARDS):
        queue = Slow(calls=4)  # of some forty
        with pytest.raises(CutOff):
            refusals = Refusals(accounts.table, lambda: now[0])
            scheduler_tick(accounts, refusals, due, queue, at=now[0], spread=900)  # type: ignore[arg-type]
        synced |= {job.user_id for job, _ in queue.jobs}
        looked_after |= {job.user_id for job, _ in queue.looks}
    assert synced == looked_after == everybody


def test_no_two_users_share_a_run_of_a_tick() -> None:
    """A plan's pages are found by the run's id alone: among very many users no two may be the same."""
    assert len({scheduled_job(f"user-{number}", 1_790_000_000).run_id for number in range(200_000)}) == 200_000


class Hours:
    """A deployment with three users, whose week for Kinopub is over, hour by hour."""

    def __init__(self) -> None:
        self.now = NOON
        self.accounts = Accounts(Table(MemoryDynamo(), "Accounts"), lambda: self.now)  # type: ignore[arg-type]
        self.refusals = Refusals(self.accounts.table, lambda: self.now)
        for number in range(3):
            add(self.accounts, f"user-{number}")
        self.now += EVERY

    def tick(self) -> tuple[int, int, list[LookJob]]:
        """How many were enqueued to sync and to be kept alive, and the looks; then an hour passes."""
        queue = Queue()
        due = KeepAlive(self.accounts.table, lambda: self.now)
        said = scheduler_tick(self.accounts, self.refusals, due, queue, at=self.now, spread=0)  # type: ignore[arg-type]
        assert said == {"enqueued": len(queue.jobs), "kept_alive": len(queue.looks), "looks": len(queue.asked)}
        self.now += 3600
        return len(queue.jobs), len(queue.looks), queue.asked


def test_while_trakt_refuses_the_application_nobody_is_enqueued() -> None:
    """One look with every tick; Kinopub's sign-ins are kept alive; when it is over, the next tick enqueues all."""
    at = Hours()
    assert at.tick() == (3, 3, [])
    at.refusals.note("trakt", "/sync/history")
    assert at.tick() == (0, 3, [])
    for _ in range(3):
        assert at.tick() == (0, 3, [LookJob("trakt")])
    for refusal in at.refusals.all():
        at.refusals.end(refusal)
    assert at.tick() == (3, 3, [])


def test_while_kinopub_refuses_it_no_sign_in_is_refreshed() -> None:
    """It could not be; whose time is over is looked after later."""
    at = Hours()
    at.refusals.note("kinopub", None)
    assert at.tick()[:2] == (0, 0)
    assert at.tick() == (0, 0, [LookJob("kinopub")])
    for refusal in at.refusals.all():
        at.refusals.end(refusal)
    assert at.tick() == (3, 3, [])


def test_a_schedule_of_minutes_looks_no_more_often() -> None:
    """One look in LOOK_EVERY seconds, however often it ticks."""
    at = Hours()
    at.refusals.note("trakt", None)
    looks = 0
    for _ in range(3 * LOOK_EVERY // 300):
        looks += len(at.tick()[2])
        at.now += 300 - 3600
    assert 2 <= looks <= 3
