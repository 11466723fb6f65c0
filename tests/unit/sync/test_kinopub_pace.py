"""How an upstream with a limit that nobody knows is asked: hardly ever too often, and as quickly as it bears.

The whole way of a call is real (collect, gather, the client, the transport, the throttle); the clock is not. One thread
of control runs at a time, in the order of that clock: it is the same every time.
"""

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.memory_dynamo import MemoryDynamo
from tests.unit.sync.examples import NOON
from tests.world import FixedCredential
from watchferry.clients._transport import Transport
from watchferry.clients.kinopub import Kinopub
from watchferry.storage._dynamo import Table
from watchferry.storage.budgets import KINOPUB, Budgets, Silence
from watchferry.storage.pace import LONGEST_PAUSE, Pace
from watchferry.sync import gather as module
from watchferry.sync.collect import Collected, collect
from watchferry.sync.gather import Gather

AT_ONCE = 6


class Time:
    """A clock that jumps to the next thing that happens; also what gather.py needs of concurrent.futures."""

    def __init__(self) -> None:
        self.now = float(NOON)
        self.due: list[tuple[float, int, Task]] = []
        self.numbers = itertools.count()
        self.task: Task | None = None

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        if self.task is not None:
            self.task.sleep_until(until)
            return
        while self.due and self.due[0][0] <= until:
            self.step()
        self.now = until

    def plan(self, at: float, task: "Task") -> None:
        heapq.heappush(self.due, (at, next(self.numbers), task))

    def step(self) -> None:
        at, _, task = heapq.heappop(self.due)
        self.now = max(self.now, at)
        self.task = task
        task.go_on()
        self.task = None

    # In place of ThreadPoolExecutor and wait

    def pool(self, max_workers: int) -> "Time":
        return self

    def __enter__(self) -> "Time":
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        task = Task(self, function, args)
        self.plan(self.now, task)
        return task.future

    def wait(self, futures: Iterable[Future[Any]], return_when: str) -> tuple[list[Future[Any]], list[Future[Any]]]:
        known = list(futures)
        while not any(future.done() for future in known):
            self.step()
        return [future for future in known if future.done()], []


@dataclass
class Task:
    """A thread that runs only between `go_on` and its next sleep, or its end."""

    time: Time
    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: Future[Any] = field(default_factory=Future)
    thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.may_run, self.has_stopped = threading.Semaphore(0), threading.Semaphore(0)

    def go_on(self) -> None:
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, daemon=True)
            self.thread.start()
        self.may_run.release()
        self.has_stopped.acquire()

    def _run(self) -> None:
        self.may_run.acquire()
        try:
            self.future.set_result(self.function(*self.args))
        except BaseException as error:
            self.future.set_exception(error)
        self.has_stopped.release()

    def sleep_until(self, at: float) -> None:
        self.time.plan(at, self)
        self.has_stopped.release()
        self.may_run.acquire()


@dataclass
class Upstream:
    """More than `limit` calls in a second, and for `penalty` seconds every call is a 429, which may begin it anew."""

    time: Time
    latency: Callable[[], float]
    titles: int
    limit: int | None = None
    penalty: float = 0.0
    extends: bool = False
    recent: deque[float] = field(default_factory=deque)
    until: float = 0.0
    calls: int = 0
    limited: int = 0

    def request(self, _method: str, url: str, *, params: dict[str, Any], **_: Any) -> httpx.Response:
        """In place of an HTTP client."""
        latency = self.latency()
        self.time.sleep(latency / 2)
        self.calls += 1
        refused = self.refuses(self.time.now)
        self.limited += refused
        self.time.sleep(latency / 2)
        if refused:
            return httpx.Response(429, json={"status": 429, "error": "Too Many Requests"})
        if url.endswith("/v1/history"):
            return httpx.Response(200, json=self.page(params["page"]))
        item = params["id"]
        return httpx.Response(200, json={"item": {"id": item, "videos": [{"id": item, "status": 1}]}})

    def refuses(self, now: float) -> bool:
        if self.limit is None:
            return False
        if now < self.until:
            self.until = now + self.penalty if self.extends else self.until
            return True
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        self.recent.append(now)
        if len(self.recent) > self.limit:
            self.recent.clear()
            self.until = now + self.penalty
            return True
        return False

    def page(self, page: int) -> dict[str, Any]:
        items = range(self.titles)[(page - 1) * 50 : page * 50]
        rows = [{"last_seen": NOON - item, "item": {"id": item + 1}, "media": {"id": item + 1}} for item in items]
        pages = -(-self.titles // 50)
        return {"history": rows, "pagination": {"total": pages, "perpage": 50, "total_items": self.titles}}


@dataclass
class Job:
    """A planner's reads of Kinopub: the history's pages, then each title."""

    time: Time
    upstream: Upstream
    throttled: bool = True

    def __post_init__(self) -> None:
        budgets = Budgets(Table(MemoryDynamo(), "Budgets"), lambda: self.time.now)  # type: ignore[arg-type]
        self.silence = Silence(budgets, "harry", KINOPUB, self.time.sleep)
        more: Any = {"throttle": self.silence} if self.throttled else {}
        http: Any = self.upstream
        transport = Transport(http, "Kinopub", "https://api.service-kp.com", {}, pause=self.time.sleep, **more)
        self.kinopub = Kinopub(transport, FixedCredential("a token"))

    def run(self, gather: Gather) -> float:
        """Seconds that it took."""
        begun = self.time.now
        collected = collect(self.kinopub, None, Collected(), lambda _: None, pause=self.time.sleep)
        answers: dict[int, Any] = {}
        gather(self.kinopub.watching, list(collected.titles), answers)
        assert len(answers) == self.upstream.titles
        return self.time.now - begun


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(module, "ThreadPoolExecutor", made.pool)
    monkeypatch.setattr(module, "wait", made.wait)
    return made


def gather(time: Time, titles: int) -> Gather:
    return Gather(at_most=AT_ONCE, pause=time.sleep).gently(titles)


def steady(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def uneven() -> Callable[[], float]:
    return itertools.cycle([0.01, 0.3, 0.05, 0.2, 0.02, 0.11, 0.3]).__next__


LATENCIES = {"10 ms": steady(0.01), "100 ms": steady(0.1), "300 ms": steady(0.3), "uneven": uneven()}
SHORT, LONG = (40, ["10 ms", "100 ms", "300 ms", "uneven"]), (600, ["uneven"])


@pytest.mark.parametrize("penalty", [(2.0, False), (3.0, True), (5.0, False), (5.0, True)])
@pytest.mark.parametrize("limit", [2, 4, 10])
@pytest.mark.parametrize(("calls", "latencies"), [SHORT, (193, ["10 ms", "300 ms"]), LONG])
def test_at_most_one_call_in_ten_is_too_many(
    time: Time, calls: int, latencies: list[str], limit: int, penalty: tuple[float, bool]
) -> None:
    """Whatever the upstream takes for an answer, and however often it is asked after the first 429."""
    for latency in latencies:
        titles = calls - -(-calls // 50)
        upstream = Upstream(time, LATENCIES[latency], titles, limit, *penalty)
        took = Job(time, upstream).run(gather(time, titles))
        assert upstream.limited <= upstream.calls / 10, (latency, upstream.limited, upstream.calls)
        assert took <= 2 * calls / limit + 30
        time.sleep(60)


@pytest.mark.parametrize(("titles", "latency"), [(200, 0.05), (600, 0.3), (200, 0.005)])
def test_without_a_limit_nothing_is_slower_than_six_at_once(time: Time, titles: int, latency: float) -> None:
    before = Job(time, Upstream(time, steady(latency), titles), throttled=False)
    took = before.run(Gather(at_most=AT_ONCE, pause=time.sleep))
    now = Job(time, Upstream(time, steady(latency), titles)).run(gather(time, titles))
    assert now <= 1.1 * took


def test_a_single_429_costs_seconds_and_no_more(time: Time) -> None:
    """It may have been meant for another of the account's programs: the job is soon as quick as it was."""
    upstream = Upstream(time, steady(0.05), 200)
    refuses = iter([True])
    upstream.refuses = lambda _: next(refuses, False)  # type: ignore[method-assign]
    assert Job(time, upstream).run(gather(time, 200)) < 60
    assert upstream.limited == 1


def test_an_upstream_that_never_relents_is_given_up(time: Time) -> None:
    """By the pages' reading as well as by the titles', soon enough for the function to live."""
    upstream = Upstream(time, steady(0.05), 200, limit=0, penalty=10**6)
    begun = time.now
    with pytest.raises(module.RetryLater):
        Job(time, upstream).run(gather(time, 200))
    assert time.now - begun < 60
    upstream = Upstream(time, steady(0.05), 200)
    upstream.refuses = lambda _: upstream.calls > 60  # type: ignore[method-assign]
    begun = time.now
    with pytest.raises(module.RetryLater):
        Job(time, upstream).run(gather(time, 200))
    assert time.now - begun < 200


# ---------------------------------------------------------------- the rule by itself


def test_one_call_tries_after_a_pause_that_grows() -> None:
    """Others that come meanwhile are given later times; what was under way at the 429 counts for nothing."""
    pace, now = Pace(), 0.0
    for _ in range(5):
        pace.place(now)
    pauses = []
    for _ in range(4):
        turn = pace.turn
        pace.limited(now)
        assert pace.turn != turn
        pace.answered(now + 0.1)
        first, second = pace.place(now + 0.2), pace.place(now + 0.2)
        assert second - first == pytest.approx(first - now)
        pauses.append(round(first - now, 3))
        now = first + 0.1
    assert pauses == [3.0, 6.0, LONGEST_PAUSE, LONGEST_PAUSE]
    pace.answered(now)
    assert pace.place(now) - now == pytest.approx(pace.apart)


def test_the_rate_that_was_too_high_is_not_reached_again() -> None:
    """Five in a second were: from then on it is half as many, however long all goes well."""
    pace = Pace()
    for n in range(5):
        pace.place(n / 10)
    pace.limited(0.5)
    now = pace.place(0.5)
    pace.answered(now)
    assert 1 / pace.apart == 2.5
    for _ in range(2_000):
        now = pace.place(now)
        pace.answered(now)
    assert 1 / pace.apart == 2.5


def test_a_429_at_the_pace_makes_it_slower() -> None:
    pace, now = Pace(), 0.0
    for _ in range(3):
        pace.place(now)
    for _ in range(3):
        before = pace.apart
        pace.limited(now)
        now = pace.place(now)
        pace.answered(now)
        assert pace.apart > before
        now = pace.place(now)
