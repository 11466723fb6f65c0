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


def test_one_a_second(budgets: Budgets, user: str) -> None:
    """Places are given out one behind the other, as far as patience goes, and never twice."""
    waits = [budgets.take(user, "POST", POST, patience=3) for _ in range(4)]
    assert [place.taken for place in waits] == [True, True, True, False]
    assert [round(place.wait, 2) for place in waits] == [0, 1.05, 2.1, 3.15]
    assert budgets.take(user, "POST", POST, patience=3) == waits[3], "what was not taken is still free"


def test_time_frees_places(budgets: Budgets, user: str, clock: Clock) -> None:
    """A place is free again after its time; what was not used is not saved up beyond the burst."""
    assert budgets.take(user, "POST", POST, patience=0).taken
    assert not budgets.take(user, "POST", POST, patience=0).taken
    clock.advance(1.05)
    assert budgets.take(user, "POST", POST, patience=0).taken
    clock.advance(3_600)
    assert [budgets.take(user, "POST", POST, patience=0).taken for _ in range(2)] == [True, False]


def test_a_burst(budgets: Budgets, user: str, clock: Clock) -> None:
    """As many at once as the limit's window holds, ten to a write; then at its rate."""
    taken = 0
    while budgets.take(user, "GET", GET, calls=10, patience=0).taken:
        taken += 10
    assert taken == 900
    clock.advance(3)
    assert budgets.take(user, "GET", GET, calls=10, patience=0).taken
    assert not budgets.take(user, "GET", GET, calls=10, patience=0).taken


def test_everybody_has_their_own(budgets: Budgets, user: str) -> None:
    """One user's POSTs hold up neither their reads nor anybody else's POSTs."""
    assert budgets.take(user, "POST", POST, patience=0).taken
    assert budgets.take(user, "GET", GET, patience=0).taken
    assert budgets.take(user + "x", "POST", POST, patience=0).taken
    assert not budgets.take(user, "POST", POST, patience=0).taken


def test_many_workers_at_once(budgets: Budgets, user: str) -> None:
    """Each gets a place of its own."""
    with ThreadPoolExecutor(12) as threads:
        places = list(threads.map(lambda _: budgets.take(user, "POST", POST, patience=60), range(12)))
    assert all(place.taken for place in places)
    assert sorted(round(place.wait / 1.05) for place in places) == list(range(12))


def test_blocked(budgets: Budgets, user: str, clock: Clock) -> None:
    """After a 429 nobody gets a place until the time that it named; a shorter block does not cut a longer one."""
    budgets.block(user, "POST", seconds=30)
    budgets.block(user, "POST", seconds=5)
    place = budgets.take(user, "POST", POST, patience=60)
    assert (place.taken, place.wait) == (False, 30)
    assert budgets.take(user, "GET", GET, patience=0).taken
    clock.advance(29.9)
    assert not budgets.take(user, "POST", POST, patience=60).taken
    clock.advance(0.1)
    assert budgets.take(user, "POST", POST, patience=0).taken


def test_the_upstreams_own_limit(budgets: Budgets, user: str, clock: Clock) -> None:
    """A slower rate that a 429 named holds for a day; a faster one does not make us any faster."""
    budgets.block(user, "POST", seconds=1, limit=Limit(1, 4))
    budgets.block(user + "x", "POST", seconds=1, limit=Limit(10, 1))
    clock.advance(1)
    for who, interval in ((user, 4.2), (user + "x", 1.05)):
        waits = [budgets.take(who, "POST", POST, patience=60).wait for _ in range(3)]
        assert [round(wait, 2) for wait in waits] == [0, interval, 2 * interval]


def test_all_of_a_user_s(budgets: Budgets, user: str) -> None:
    """By verb; deleted together, and nobody else's."""
    for owner in (user, f"{user}x"):
        budgets.take(owner, "POST", POST, patience=3)
        budgets.block(owner, "GET", seconds=10, limit=Limit(100, 100))
    told = budgets.all(user, ["GET", "POST", "PUT"])
    assert told.keys() == {"GET", "POST"}
    assert (told["GET"]["interval_ms"], told["GET"]["burst"]) == (2000, 48)
    budgets.delete(user, ["GET", "POST", "PUT"])
    assert budgets.all(user, ["GET", "POST"]) == {}
    assert budgets.all(f"{user}x", ["GET", "POST"]).keys() == {"GET", "POST"}
