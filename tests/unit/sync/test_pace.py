"""Trakt's POST a second, kept by several workers whose clocks differ, while nothing takes the same time twice.

Virtual time, one worker at a time: what happens is the same on every machine.
"""

import heapq
import itertools
import random
import threading
from collections.abc import Callable
from math import ceil
from typing import Any

import pytest

from tests.memory_dynamo import MemoryDynamo
from tests.unit.sync.examples import NOON
from watchferry.errors import RetryLater, Waiting
from watchferry.storage._dynamo import Table
from watchferry.storage.budgets import Budget, Budgets

POSTS = 300


class Stage:
    """Threads that take turns: each runs until it sleeps, then the one that wakes first goes on."""

    def __init__(self) -> None:
        self.now = float(NOON)
        self._asleep: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()

    def sleep(self, seconds: float) -> None:
        mine = threading.Event()
        heapq.heappush(self._asleep, (self.now + seconds, next(self._numbers), mine))
        self._wake()
        mine.wait()

    def _wake(self) -> None:
        if self._asleep:
            self.now, _, first = heapq.heappop(self._asleep)
            first.set()

    def play(self, *parts: Callable[[], None]) -> None:
        def whole(part: Callable[[], None], entry: threading.Event) -> None:
            entry.wait()
            try:
                part()
            finally:
                self._wake()

        threads = []
        for part in parts:
            entry = threading.Event()
            heapq.heappush(self._asleep, (self.now, next(self._numbers), entry))
            threads.append(threading.Thread(target=whole, args=(part, entry)))
        for thread in threads:
            thread.start()
        self._wake()
        for thread in threads:
            thread.join()


class Strict:
    """An upstream that counts a call when it arrives: a second begins with the first of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.opened = stage, 0.0
        self.taken: list[float] = []
        self.refused = 0

    def post(self) -> RetryLater | None:
        now = self.stage.now
        if now < self.opened + 1:
            self.refused += 1
            return RetryLater("rate_limited", "429", after=float(ceil(self.opened + 1 - now)))
        self.opened = now
        self.taken.append(now)
        return None


class Distant(MemoryDynamo):
    """Every call takes some milliseconds."""

    def __init__(self, wait: Callable[[], None]) -> None:
        super().__init__()
        self.wait = wait

    def get_item(self, **request: Any) -> Any:
        self.wait()
        return super().get_item(**request)

    def update_item(self, **request: Any) -> Any:
        self.wait()
        return super().update_item(**request)


def sent(workers: int, answer: float, *, work: float = 0.25, seed: int = 1) -> Strict:
    """Every worker posts again and again, with some work before and after. `answer`: seconds that one takes, about."""
    stage, rolled = Stage(), random.Random(seed)
    upstream = Strict(stage)
    table = Table(Distant(lambda: stage.sleep(rolled.uniform(0.002, 0.02))), "Budgets")  # type: ignore[arg-type]

    def worker() -> None:
        behind = rolled.uniform(-0.01, 0.01)
        budget = Budget(Budgets(table, lambda: stage.now + behind), "harry", stage.sleep)
        while len(upstream.taken) < POSTS:
            stage.sleep(rolled.uniform(0.5, 1.5) * work)
            try:
                budget.before("POST")
            except Waiting as later:
                stage.sleep(later.after or 0)
                continue
            takes = answer * rolled.choice([0.6, 0.8, 1, 1, 1, 1.3, 2])
            there = rolled.uniform(0, takes)
            stage.sleep(there)
            refused = upstream.post()
            stage.sleep(takes - there)
            budget.after("POST")
            if refused:
                budget.limited("POST", refused)

    stage.play(*[worker] * workers)
    return upstream


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("answer", [0.05, 0.3, 1.0])
def test_at_most_one_post_in_a_hundred_is_refused(answer: float, workers: int, seed: int) -> None:
    upstream = sent(workers, answer, seed=seed)
    assert upstream.refused <= (len(upstream.taken) + upstream.refused) / 100


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_post_leaves_nearly_every_second(workers: int) -> None:
    """With answers of 50 ms, whether one worker sends or several; its work is done in the second that has to pass."""
    taken = sent(workers, 0.05).taken
    assert (taken[-1] - taken[0]) / (len(taken) - 1) <= 1.15


def test_several_workers_are_as_quick_as_trakt_when_one_is_too_slow() -> None:
    """The work for one POST goes on while another waits for its turn."""
    alone, together = (sent(workers, 0.05, work=1.6).taken for workers in (1, 3))
    assert (alone[-1] - alone[0]) / POSTS > 1.5
    assert (together[-1] - together[0]) / POSTS <= 1.15
