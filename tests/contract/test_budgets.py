"""Budgets: Trakt's limits, shared by all workers of a user."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.errors import Limit
from watchferry.storage.budgets import Budgets, Rate

POST = Rate(interval_ms=1_050, burst=1)
GET = Rate(interval_ms=300, burst=900)


@pytest.fixture
def budgets(backend: Backend, clock: Clock) -> Budgets:
    return Budgets(backend.table("Budgets"), clock)


def take(budgets: Budgets, user: str, verb: str = "POST", rate: Rate = POST, calls: int = 1) -> float:
    """Seconds to wait; 0 if the place was taken."""
    return round(budgets.take(user, verb, rate, calls=calls).wait, 2)


def test_one_a_second(budgets: Budgets, user: str, clock: Clock) -> None:
    """A place is free again after its time; what was not used is not saved up beyond the burst."""
    assert [take(budgets, user) for _ in range(3)] == [0, 1.05, 1.05]
    clock.advance(1.05)
    assert (budgets.wait(user, "POST"), take(budgets, user)) == (0, 0)
    clock.advance(3_600)
    assert [take(budgets, user) for _ in range(2)] == [0, 1.05]


def test_a_call_under_way(budgets: Budgets, user: str, clock: Clock) -> None:
    """Closes the budget until its answer, and for a second more; only its own answer does anything."""
    slow = Rate(interval_ms=1_000, burst=1, under_way_ms=2_000)
    place = budgets.take(user, "POST", slow)
    assert take(budgets, user, rate=slow) == budgets.wait(user, "POST") == 2
    clock.advance(0.25)
    budgets.answered(user, "POST", place)
    assert take(budgets, user, rate=slow) == budgets.wait(user, "POST") == 1
    clock.advance(1)
    assert take(budgets, user, rate=slow) == 0
    budgets.answered(user, "POST", place)
    assert take(budgets, user, rate=slow) == 2


def test_a_burst(budgets: Budgets, user: str, clock: Clock) -> None:
    """As many at once as the limit's window holds, ten to a write; then at its rate."""
    taken = 0
    while not take(budgets, user, "GET", GET, 10):
        taken += 10
    assert taken == 900
    clock.advance(3)
    assert take(budgets, user, "GET", GET, 10) == 0
    assert take(budgets, user, "GET", GET, 10) == 3


def test_everybody_has_their_own(budgets: Budgets, user: str) -> None:
    """One user's POSTs hold up neither their reads nor anybody else's POSTs."""
    assert take(budgets, user) == 0
    assert take(budgets, user, "GET") == 0
    assert take(budgets, user + "x") == 0
    assert take(budgets, user) > 0


def test_many_workers_at_once(budgets: Budgets, user: str) -> None:
    """One of them gets the place."""
    with ThreadPoolExecutor(12) as threads:
        waits = list(threads.map(lambda _: take(budgets, user), range(12)))
    assert sorted(waits) == [0, *[1.05] * 11]


def test_blocked(budgets: Budgets, user: str, clock: Clock) -> None:
    """After a 429 nobody gets a place until the time that it named; a shorter block does not cut a longer one."""
    budgets.block(user, "POST", seconds=30)
    budgets.block(user, "POST", seconds=5)
    assert take(budgets, user) == budgets.wait(user, "POST") == 30
    assert take(budgets, user, "GET", GET) == 0
    clock.advance(29.9)
    assert take(budgets, user) == 0.1
    clock.advance(0.1)
    assert take(budgets, user) == 0


def test_the_upstreams_own_limit(budgets: Budgets, user: str, clock: Clock) -> None:
    """A slower rate that a 429 named holds for a day; a faster one does not make us any faster."""
    budgets.block(user, "POST", seconds=1, limit=Limit(1, 4))
    budgets.block(user + "x", "POST", seconds=1, limit=Limit(10, 1))
    clock.advance(1)
    for who, interval in ((user, 4.08), (user + "x", 1.05)):
        assert [take(budgets, who) for _ in range(3)] == [0, interval, interval]


def test_all_of_a_user_s(budgets: Budgets, user: str) -> None:
    """By verb; deleted together, and nobody else's."""
    for owner in (user, f"{user}x"):
        take(budgets, owner)
        budgets.block(owner, "GET", seconds=10, limit=Limit(100, 100))
    told = budgets.all(user, ["GET", "POST", "PUT"])
    assert told.keys() == {"GET", "POST"}
    assert (told["GET"]["interval_ms"], told["GET"]["burst"]) == (2000, 48)
    budgets.delete(user, ["GET", "POST", "PUT"])
    assert budgets.all(user, ["GET", "POST"]) == {}
    assert budgets.all(f"{user}x", ["GET", "POST"]).keys() == {"GET", "POST"}
