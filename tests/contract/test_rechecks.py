"""Rechecks: titles in which something was begun, asked again once a day."""

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.models import Title
from watchferry.storage.rechecks import EVERY, Rechecks


@pytest.fixture
def rechecks(backend: Backend, clock: Clock) -> Rechecks:
    return Rechecks(backend.table("Rechecks"), clock)


def title(item: int, **rows: int) -> Title:
    seen = {int(media): at for media, at in rows.items()} or {7: 1_700_000_000}
    return Title(item, "serial", "Укрытие / Silo", 2023, "tt14688458", True, seen)


def test_asked_again_after_a_day(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """Whole, and not before; of that user alone."""
    rechecks.ask_tomorrow(user, [title(1), title(2, **{"7": 5, "8": 6})])
    clock.advance(EVERY - 1)
    assert rechecks.due(user) == []
    clock.advance(1)
    assert sorted(rechecks.due(user), key=lambda each: each.item) == [title(1), title(2, **{"7": 5, "8": 6})]
    assert rechecks.due(user + "x") == []


def test_put_off_by_asking(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """What was asked for is due a day later again, as it is then."""
    rechecks.ask_tomorrow(user, [title(1)])
    clock.advance(EVERY)
    rechecks.ask_tomorrow(user, [title(1, **{"9": 9})])
    assert rechecks.due(user) == []
    clock.advance(EVERY)
    assert rechecks.due(user) == [title(1, **{"9": 9})]


def test_forgotten(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """What is finished is not asked for any more; what was never there may be forgotten too."""
    rechecks.ask_tomorrow(user, [title(1), title(2)])
    rechecks.forget(user, [1, 99])
    rechecks.forget(user, [])
    clock.advance(EVERY)
    assert rechecks.due(user) == [title(2)]


def test_very_many(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """More than one write or page takes."""
    rechecks.ask_tomorrow(user, [title(item) for item in range(1, 131)])
    clock.advance(EVERY)
    assert {each.item for each in rechecks.due(user)} == set(range(1, 131))
    rechecks.forget(user, range(1, 131))
    assert rechecks.due(user) == []
