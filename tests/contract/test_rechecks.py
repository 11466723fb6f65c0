"""Rechecks: titles in which something was begun, asked again once a day."""

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.models import Title
from watchferry.storage.rechecks import DAY, Rechecks


@pytest.fixture
def rechecks(backend: Backend, clock: Clock) -> Rechecks:
    return Rechecks(backend.table("Rechecks"), clock)


def title(item: int, **rows: int) -> Title:
    seen = {int(media): at for media, at in rows.items()} or {7: 1_700_000_000}
    return Title(item, "serial", "Укрытие / Silo", 2023, "tt14688458", True, seen)


def test_asked_again_after_a_day(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """Whole, and not before; of that user alone."""
    rechecks.ask(user, [title(1), title(2, **{"7": 5, "8": 6})], days=1)
    clock.advance(DAY - 1)
    assert rechecks.due(user) == []
    clock.advance(1)
    assert sorted(rechecks.due(user), key=lambda each: each.item) == [title(1), title(2, **{"7": 5, "8": 6})]
    assert rechecks.due(user + "x") == []


def test_put_off_by_asking(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """What was asked for is due a day later again, as it is then."""
    rechecks.ask(user, [title(1)], days=1)
    clock.advance(DAY)
    rechecks.ask(user, [title(1, **{"9": 9})], days=1)
    assert rechecks.due(user) == []
    clock.advance(DAY)
    assert rechecks.due(user) == [title(1, **{"9": 9})]


def test_forgotten(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """What is finished is not asked for any more; what was never there may be forgotten too."""
    rechecks.ask(user, [title(1), title(2)], days=1)
    rechecks.forget(user, [1, 99])
    rechecks.forget(user, [])
    clock.advance(DAY)
    assert rechecks.due(user) == [title(2)]


def test_very_many(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """More than one write or page takes."""
    rechecks.ask(user, [title(item) for item in range(1, 131)], days=1)
    clock.advance(DAY)
    assert {each.item for each in rechecks.due(user)} == set(range(1, 131))
    rechecks.forget(user, range(1, 131))
    assert rechecks.due(user) == []


def test_asked_at_once(rechecks: Rechecks, user: str) -> None:
    """In the next run, whatever was said before."""
    rechecks.ask(user, [title(1)], days=7)
    rechecks.ask(user, [title(1)], days=0)
    assert rechecks.due(user) == [title(1)]


def test_all_of_a_user_s(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """With when they are due, due or not."""
    rechecks.ask(user, [title(1)], days=1)
    assert list(rechecks.all(user)) == [(int(clock.now) + DAY, title(1))]
