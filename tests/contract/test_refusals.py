"""Refusals: which upstreams refuse this deployment's application; one row for each, for all users."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.accounts import TELL_WITHIN
from watchferry.storage.refusals import LOOK_EVERY, PROVIDERS, Refusals


@pytest.fixture
def refusals(backend: Backend, clock: Clock) -> Iterator[Refusals]:
    """The rows have fixed keys: nothing of them is left behind."""
    made = Refusals(backend.table("Accounts"), clock)
    yield made
    for refusal in made.all():
        made.end(refusal)


def test_nothing_is_refused(refusals: Refusals) -> None:
    """There is no row, no look is due, and nobody has anything to tell."""
    assert refusals.all() == []
    for provider in PROVIDERS:
        assert refusals.get(provider) is None
        assert not refusals.claim_look(provider)
        refusals.told(provider)
        assert refusals.get(provider) is None


def test_the_first_who_notes_it_tells(refusals: Refusals, clock: Clock) -> None:
    """However many come upon it at once; when it began and what was refused stay the first one's."""
    with ThreadPoolExecutor(10) as threads:
        told = list(threads.map(lambda n: refusals.note("trakt", f"/path/{n}"), range(10)))
    assert told.count(True) == 1
    noted = refusals.get("trakt")
    assert noted is not None
    assert (noted.provider, noted.since, noted.path) == ("trakt", int(clock.now), f"/path/{told.index(True)}")
    clock.advance(1000)
    refusals.told("trakt")
    assert not refusals.note("trakt", "/other")
    assert refusals.get("trakt") == noted


def test_whoever_died_before_telling_has_a_successor(refusals: Refusals, clock: Clock) -> None:
    """The next who comes upon it tells, and then nobody does."""
    assert refusals.note("trakt", None)
    clock.advance(TELL_WITHIN)
    assert not refusals.note("trakt", None)
    clock.advance(1)
    assert refusals.note("trakt", None)
    refusals.told("trakt")
    clock.advance(TELL_WITHIN + 1)
    assert not refusals.note("trakt", None)


def test_one_look_an_hour(refusals: Refusals, clock: Clock) -> None:
    """Whoever claims it first, and not before its time."""
    refusals.note("trakt", None)
    clock.advance(LOOK_EVERY - 1)
    assert not refusals.claim_look("trakt")
    clock.advance(1)
    with ThreadPoolExecutor(5) as threads:
        assert list(threads.map(lambda _: refusals.claim_look("trakt"), range(5))).count(True) == 1
    clock.advance(LOOK_EVERY)
    assert refusals.claim_look("trakt")
    assert 1800 < LOOK_EVERY < 3600


def test_it_is_over(refusals: Refusals, clock: Clock) -> None:
    """The row is gone; one of another upstream, and one that has begun anew meanwhile, stay."""
    refusals.note("trakt", "/search")
    refusals.note("kinopub", None)
    old = refusals.get("trakt")
    assert old is not None
    refusals.end(old)
    assert [refusal.provider for refusal in refusals.all()] == ["kinopub"]
    clock.advance(1)
    assert refusals.note("trakt", "/search")
    refusals.end(old)
    assert [refusal.provider for refusal in refusals.all()] == ["trakt", "kinopub"]
