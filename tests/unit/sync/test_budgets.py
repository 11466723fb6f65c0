"""Trakt's limits, kept by all workers of a user together (architecture.md, rule 4), however their calls interleave."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_dynamo import MemoryDynamo
from tests.unit.sync.examples import NOON, steadily
from watchferry.errors import Limit, RetryLater, Waiting
from watchferry.storage._dynamo import Table
from watchferry.storage.budgets import LEARNED_FOR, PATIENCE, RATES, SLOWEST_MS, Budget, Budgets, Place, Rate, rate_of

POST = Rate(interval_ms=1000, burst=1)


class Contended(MemoryDynamo):
    """Between a worker's read and its write, others do what is in `meanwhile`: each once, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Iterator[Callable[[], Any]] = iter(())

    def update_item(self, **request: Any) -> Any:
        for act in self.meanwhile:
            act()
            break
        return super().update_item(**request)


class Bench:
    def __init__(self) -> None:
        self.now = float(NOON)
        self.dynamo = Contended()
        self.budgets = Budgets(Table(self.dynamo, "Budgets"), lambda: self.now)  # type: ignore[arg-type]

    def take(self, rate: Rate = POST, *, user: str = "harry", verb: str = "POST", calls: int = 1) -> float:
        """Seconds to wait; 0 if the place was taken."""
        return self.budgets.take(user, verb, rate, calls=calls).wait

    def in_turn(self, calls: int, rate: Rate = POST) -> list[float]:
        """How long each of so many calls had to wait."""
        waited = []
        for _ in range(calls):
            waited.append(0.0)
            while wait := self.take(rate):
                waited[-1] += wait
                self.now += wait
        return [round(wait, 3) for wait in waited]


rates = st.builds(Rate, st.sampled_from([250, 500, 1000, 1050]), st.integers(1, 6))
asks = st.tuples(st.sampled_from([0, 0, 0.25, 1, 3, 30]), st.integers(1, 4))


@steadily
@given(rates, st.lists(asks, min_size=1, max_size=25))
def test_takers_at_the_same_time_never_exceed_the_rate(rate: Rate, wanted) -> None:
    """In any stretch of time start at most `burst` calls and what the rate lets through in it."""
    bench = Bench()
    started: list[tuple[float, int]] = []

    def take(calls: int) -> None:
        if not bench.take(rate, calls=calls):
            started.append((bench.now, calls))

    # Every other ask happens between the reading and the writing of the one before it.
    others = iter(wanted[1::2])
    bench.dynamo.meanwhile = (lambda ask=ask: take(ask[1]) for ask in others)
    for pause, calls in wanted[::2]:
        bench.now += pause
        take(calls)

    for first in range(len(started)):
        for last in range(first, len(started)):
            stretch = (started[last][0] - started[first][0]) * 1000 / rate.interval_ms
            calls = sum(count for _, count in started[first : last + 1])
            assert calls <= max(rate.burst, *(count for _, count in started)) + stretch + 0.01


def test_a_place_is_taken_when_it_is_free_and_not_before() -> None:
    """However often it is asked for, the next one comes no later."""
    bench = Bench()
    assert bench.take() == 0
    for _ in range(5):
        assert bench.take() == 1
    bench.now += 0.999
    assert bench.take() == pytest.approx(0.001)
    bench.now += 0.001
    assert bench.take() == 0


def test_an_idle_budget_does_not_save_up_more_than_its_burst() -> None:
    bench, rate = Bench(), Rate(interval_ms=1000, burst=3)
    bench.take(rate)
    bench.now += 10_000
    assert [bench.take(rate) for _ in range(5)] == [0, 0, 0, 1, 1]


def test_a_call_under_way_keeps_the_budget_closed_until_it_is_answered() -> None:
    """It has not arrived before that for certain. A worker that dies meanwhile keeps nobody waiting for long."""
    bench = Bench()
    place = bench.budgets.take("harry", "POST", RATES["POST"])
    bench.now += 0.3
    bench.budgets.answered("harry", "POST", place)
    assert bench.take(RATES["POST"]) == pytest.approx(1.02)
    bench.now += 1.02
    late = bench.budgets.take("harry", "POST", RATES["POST"])
    assert (late.wait, bench.take(RATES["POST"])) == (0, 3)
    bench.now += 3
    assert bench.take(RATES["POST"]) == 0
    bench.budgets.answered("harry", "POST", late)
    assert bench.take(RATES["POST"]) == 3, "an answer that comes later still opens nothing: another is under way"


@steadily
@given(st.integers(1, 600), st.integers(0, 700))
def test_a_429_blocks_everybody_until_it_is_over(seconds: int, later: int) -> None:
    """Whoever asks before is told how long it still takes; reading, other users and other verbs go on."""
    bench = Bench()
    bench.budgets.block("harry", "POST", seconds=seconds)
    assert (bench.take(verb="GET"), bench.take(user="ron")) == (0, 0)
    bench.now += later
    assert bench.budgets.wait("harry", "POST") == bench.take() == max(0, seconds - later)


def test_a_shorter_429_does_not_end_a_longer_one() -> None:
    bench = Bench()
    for seconds in (60, 2):
        bench.budgets.block("harry", "POST", seconds=seconds)
    assert bench.take() == 60


def test_a_429_that_comes_while_a_place_is_taken_counts() -> None:
    """Between a worker's read and its write: it gets no place."""
    bench = Bench()
    bench.dynamo.meanwhile = iter([lambda: None, lambda: bench.budgets.block("harry", "POST", seconds=9)])
    assert bench.take() == 0
    bench.now += 5
    assert bench.take() == 9


@pytest.mark.parametrize(("learned", "apart"), [(Limit(1, 3), 3.06), (Limit(5, 1), 1.0), (None, 1.0)])
def test_a_slower_limit_is_learned_from_the_upstream(learned: Limit | None, apart: float) -> None:
    """`X-Ratelimit` counts for more than what we know; a faster one does not make us faster."""
    bench = Bench()
    bench.budgets.block("harry", "POST", seconds=1, limit=learned)
    bench.now += 1
    assert bench.in_turn(3) == [0, apart, apart]


def test_what_was_learned_is_forgotten_after_a_day() -> None:
    """However much the budget is used meanwhile: the slower limit may have been for a while only."""
    bench = Bench()
    bench.budgets.block("harry", "POST", seconds=1, limit=Limit(1, 30))
    for _ in range(LEARNED_FOR // 3600 - 1):
        bench.now += 3600 - 30.6
        assert bench.in_turn(2) == [0, 30.6]
    bench.now += 3601
    assert bench.in_turn(2) == [0, 1]


def test_a_lower_limit_of_reads_is_met_once() -> None:
    """500 in five minutes, as some say that it is (reality.md, Limits): after its first 429 the upstream sends none.

    It counts in windows of five minutes from the first call on, so that a burst and what follows fall into one.
    """
    bench, told = Bench(), 0
    budget = Budget(bench.budgets, "harry", pause=lambda seconds: setattr(bench, "now", bench.now + seconds))
    opened, used, reads = bench.now, 0, 0
    while bench.now < NOON + 3600:
        try:
            budget.before("GET")
        except Waiting as wait:
            bench.now += wait.after or 0
            continue
        if bench.now >= opened + 300:
            opened, used = bench.now, 0
        if used < 500:
            used, reads = used + 1, reads + 1
        else:
            told += 1
            after = opened + 300 - bench.now
            budget.limited("GET", RetryLater("rate_limited", "429", after=after, limit=Limit(500, 300)))
    assert told == 1
    assert reads > 12 * 500 / 2


@pytest.mark.parametrize("calls", [1e-300, 0.5, 1, 2, 4, 5, 20, 500, 1e6, 1e300])
@pytest.mark.parametrize("seconds", [1e-300, 1, 300, 86_400, 1e300])
def test_whatever_limit_is_named_the_rate_is_one_that_can_be_kept(calls: float, seconds: float) -> None:
    """Numbers of a size that can be stored and waited for; within them, never more calls than the limit allows."""
    rate = rate_of(Limit(calls, seconds))
    assert 1 <= rate.burst <= 10**6
    assert 0 <= rate.interval_ms <= SLOWEST_MS
    if calls >= 1 and 20 < rate.interval_ms < SLOWEST_MS:
        assert rate.burst + (seconds * 1000 - 1) // rate.interval_ms <= calls
    bench = Bench()
    bench.budgets.block("harry", "POST", seconds=1, limit=Limit(calls, seconds))
    bench.now += 1
    assert bench.take() == 0


def test_a_slower_limit_is_learned_while_a_longer_pause_stands() -> None:
    bench = Bench()
    bench.budgets.block("harry", "POST", seconds=60)
    bench.budgets.block("harry", "POST", seconds=1, limit=Limit(1, 3))
    bench.now += 60
    assert bench.in_turn(3) == [0, 3.06, 3.06]


class Far(Budgets):
    """A table that is some way off: while one thread asks it, the others come along."""

    def take(self, *asked: Any, **more: Any) -> Place:
        time.sleep(0.002)
        return super().take(*asked, **more)


def test_threads_share_the_reads_that_one_of_them_took() -> None:
    """Sixty reads by six threads are sixty of the budget, however the threads meet."""
    bench = Bench()
    budget = Budget(Far(bench.budgets.table, bench.budgets.clock), "harry", pause=lambda _: None)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: budget.before("GET"), range(60)))
    [row] = bench.dynamo.tables["Budgets"].values()
    assert int(row["taken"]["N"]) - NOON * 1000 == 60 * RATES["GET"].interval_ms


def test_who_waits_for_a_place_obeys_a_429_that_comes_meanwhile() -> None:
    """It has no place yet; no read is left over, either."""
    for verb, taken in (("POST", 1), ("GET", RATES["GET"].burst - 8)):
        bench = Bench()
        bench.take(RATES[verb], verb=verb, calls=taken)

        def pause(seconds: float, bench: Bench = bench, verb: str = verb) -> None:
            bench.budgets.block("harry", verb, seconds=9)
            bench.now += seconds

        budget = Budget(bench.budgets, "harry", pause)
        for _ in range(2):
            with pytest.raises(Waiting) as told:
                for _ in range(20):
                    budget.before(verb)
            assert PATIENCE < (told.value.after or 0) <= 9


def test_who_waits_looks_again_as_soon_as_the_call_under_way_may_be_answered() -> None:
    bench = Bench()
    place = bench.budgets.take("harry", "POST", RATES["POST"])
    pauses = []

    def pause(seconds: float) -> None:
        if not pauses:  # while somebody waits
            bench.now += 0.05
            bench.budgets.answered("harry", "POST", place)
            bench.now -= 0.05
        pauses.append(round(seconds, 3))
        bench.now += seconds

    Budget(bench.budgets, "harry", pause).before("POST")
    assert pauses == [1.02, 0.05]


def test_patience_comes_to_an_end() -> None:
    """Of who finds another in its place again and again."""
    bench = Bench()
    bench.take(RATES["POST"])

    def pause(seconds: float) -> None:
        bench.now += seconds
        bench.take(RATES["POST"])

    began = bench.now
    with pytest.raises(Waiting):
        Budget(bench.budgets, "harry", pause).before("POST")
    assert bench.now - began <= PATIENCE


def test_an_answer_that_the_budget_cannot_be_told_of_counts_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """The next call's time comes by itself."""
    bench = Bench()
    budget = Budget(bench.budgets, "harry", pause=lambda seconds: None)
    budget.before("POST")
    bench.dynamo.meanwhile = iter([lambda: 1 / 0])
    budget.after("POST")
    assert "was not told" in caplog.text
    assert bench.take(RATES["POST"]) == 3


def test_the_documented_limits_are_kept() -> None:
    """A POST a second; 1000 GETs in any five minutes, ten spoken for at a time (reality.md, Limits)."""
    bench, calls = Bench(), 0
    while bench.now < NOON + 300:
        if bench.take(RATES["GET"], verb="GET", calls=10):
            bench.now += 1
        else:
            calls += 10
    assert 900 <= calls <= 1000
    assert (RATES["POST"].interval_ms >= 1000, RATES["POST"].burst) == (True, 1)
