"""Several reads at once, as many as an upstream bears (architecture.md, rule 4), and nothing paid for is lost."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import steadily
from watchferry.errors import NotThere, RetryLater, WatchferryError
from watchferry.sync.gather import GIVE_UP_AFTER, Gather

SOON = 10.0
"""Seconds after which a test that hangs is broken; nothing waits that long."""


class OutOfTime(WatchferryError):
    pass


def limited(after: float | None = None) -> RetryLater:
    return RetryLater("rate_limited", "slow down", after=after)


@dataclass
class Upstream:
    """Answers with ten times the key, once its script (call number → error) lets it."""

    script: dict[int, Exception] = field(default_factory=dict)
    always: Callable[[int], Exception | None] = lambda key: None
    asked: list[int] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, key: int) -> int:
        with self.lock:
            number = len(self.asked)
            self.asked.append(key)
        if error := self.script.get(number) or self.always(key):
            raise error
        return key * 10

    def gather(self, **more) -> Gather:
        return Gather(pause=self.pauses.append, **more)


errors = st.sampled_from([None, None, limited(), limited(2.0), RetryLater("upstream_timeout", "x"), NotThere("gone")])


@steadily
@given(st.integers(0, 20), st.lists(errors, max_size=12), st.integers(1, 8))
def test_whatever_happens_what_was_answered_is_kept(count: int, script, at_most: int) -> None:
    """Every answer paid for is there and right, and none was paid for twice; without an error, all are there."""
    upstream = Upstream({number: error for number, error in enumerate(script) if error})
    answers: dict[int, int] = {}
    failed = False
    try:
        upstream.gather(at_most=at_most)(upstream.ask, range(count), answers)
    except (RetryLater, NotThere):
        failed = True
    refused = sum(number in upstream.script for number in range(len(upstream.asked)))
    assert len(answers) == len(upstream.asked) - refused
    assert all(answers[key] == key * 10 for key in answers)
    assert failed or answers.keys() == set(range(count))


@steadily
@given(st.sets(st.integers(0, 9)))
def test_what_is_answered_already_is_not_asked_again(known: set[int]) -> None:
    """A checkpoint's answers are taken as they are."""
    upstream, answers = Upstream(), dict.fromkeys(known, -1)
    upstream.gather()(upstream.ask, range(10), answers)
    assert Counter(upstream.asked) == Counter(set(range(10)) - known)
    assert all(answers[key] == (-1 if key in known else key * 10) for key in range(10))


def test_a_429_halves_what_goes_on_at_once_and_is_waited_out() -> None:
    """Four at first; all are limited; after the pause two at once, which meet at a gate for two."""
    four, two = threading.Barrier(4), threading.Barrier(2)
    flying, peak, lock = 0, 0, threading.Lock()
    upstream = Upstream()

    def ask(key: int) -> int:
        nonlocal flying, peak
        if not upstream.pauses:
            four.wait(SOON)
            raise limited(3.0)
        with lock:
            flying += 1
            peak = max(peak, flying)
        two.wait(SOON)
        with lock:
            flying -= 1
        return key

    answers: dict[int, int] = {}
    upstream.gather(at_most=8, at_first=4)(ask, range(4), answers)
    assert (answers, upstream.pauses, peak) == ({key: key for key in range(4)}, [3.0], 2)


def test_success_lets_it_grow_again_slowly_and_not_beyond_the_most() -> None:
    """One at first: each round of successes allows one more, up to three, which meet at a gate."""
    three, flying, peak, lock = threading.Barrier(3), 0, 0, threading.Lock()

    def ask(key: int) -> int:
        nonlocal flying, peak
        with lock:
            flying += 1
            peak = max(peak, flying)
        if key >= 9:
            three.wait(SOON)
        with lock:
            flying -= 1
        return key

    answers: dict[int, int] = {}
    Upstream().gather(at_first=1, at_most=3)(ask, range(12), answers)
    assert (len(answers), peak) == (12, 3)


def test_pauses_double_until_they_would_be_too_long() -> None:
    """An upstream that does not say how long to wait, and never relents, is given up within a minute."""
    upstream = Upstream(always=lambda key: limited())
    with pytest.raises(RetryLater):
        upstream.gather(at_most=1)(upstream.ask, range(3), {})
    assert upstream.pauses == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert len(upstream.asked) == 6


def test_an_upstream_that_never_relents_is_given_up() -> None:
    """Though it asks for short pauses only; the error says how long it would have us wait."""
    upstream = Upstream(always=lambda key: limited(2.0))
    with pytest.raises(RetryLater) as raised:
        upstream.gather(at_most=1)(upstream.ask, range(3), {})
    assert raised.value.after == 2.0
    assert upstream.pauses == [2.0] * (GIVE_UP_AFTER - 1)


def test_progress_between_429s_is_no_reason_to_give_up() -> None:
    """Every other call is limited, thirty times."""
    upstream = Upstream({number: limited(1.0) for number in range(0, 60, 2)})
    answers: dict[int, int] = {}
    upstream.gather(at_most=1)(upstream.ask, range(30), answers)
    assert (len(answers), len(upstream.pauses)) == (30, 30)


def test_a_long_wait_is_somebody_elses() -> None:
    """No function sleeps for minutes: the error goes up at once, with what was answered until then."""
    upstream = Upstream({2: limited(31.0)})
    answers: dict[int, int] = {}
    with pytest.raises(RetryLater) as raised:
        upstream.gather(at_most=1)(upstream.ask, range(9), answers)
    assert (raised.value.after, upstream.pauses, answers) == (31.0, [], {0: 0, 1: 10})


@pytest.mark.parametrize("error", [NotThere("x"), RetryLater("upstream_timeout", "x"), ValueError("a bug of ours")])
def test_any_other_error_ends_it_after_what_is_under_way(error: Exception) -> None:
    """Four are under way when one of them fails: the other three are kept. Alone, it is the last that is asked."""
    gate, upstream = threading.Barrier(4), Upstream({0: error})

    def ask(key: int) -> int:
        if key < 4:
            gate.wait(SOON)
        return upstream.ask(key)

    answers: dict[int, int] = {}
    with pytest.raises(type(error)):
        upstream.gather(at_first=4)(ask, range(9), answers)
    assert len(answers) == len(upstream.asked) - 1 >= 3

    alone, answers = Upstream({2: error}), {}
    with pytest.raises(type(error)):
        alone.gather(at_most=1)(alone.ask, range(9), answers)
    assert (alone.asked, answers) == ([0, 1, 2], {0: 0, 1: 10})


@steadily
@given(st.integers(1, 12), st.integers(1, 6))
def test_out_of_time_keeps_the_answers(last: int, at_most: int) -> None:
    """The tick that ends the turn comes after an answer: it and those under way are kept, nothing new is asked."""
    upstream, ticks = Upstream(), []

    def tick() -> None:
        ticks.append(len(answers))
        if len(ticks) == last:
            raise OutOfTime

    answers: dict[int, int] = {}
    with pytest.raises(OutOfTime):
        upstream.gather(at_most=at_most)(upstream.ask, range(20), answers, tick)
    assert len(answers) == len(upstream.asked) >= last
    assert len(ticks) == last
