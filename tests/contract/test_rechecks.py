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
    assert rechecks.due(user).titles == []
    clock.advance(1)
    assert sorted(rechecks.due(user).titles, key=lambda each: each.item) == [title(1), title(2, **{"7": 5, "8": 6})]
    assert rechecks.due(user + "x").titles == []


def test_put_off_by_asking(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """What was asked for is due a day later again, as it is then."""
    rechecks.ask(user, [title(1)], days=1)
    clock.advance(DAY)
    rechecks.ask(user, [title(1, **{"9": 9})], days=1)
    assert rechecks.due(user).titles == []
    clock.advance(DAY)
    assert rechecks.due(user).titles == [title(1, **{"9": 9})]


def test_forgotten(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """What is finished is not asked for any more; what was never there may be forgotten too."""
    rechecks.ask(user, [title(1), title(2)], days=1)
    rechecks.forget(user, [1, 99])
    rechecks.forget(user, [])
    clock.advance(DAY)
    assert rechecks.due(user).titles == [title(2)]


def test_very_many(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """More than one write or page takes."""
    rechecks.ask(user, [title(item) for item in range(1, 131)], days=1)
    clock.advance(DAY)
    assert {each.item for each in rechecks.due(user).titles} == set(range(1, 131))
    rechecks.forget(user, range(1, 131))
    assert rechecks.due(user).titles == []


def test_a_wish(rechecks: Rechecks, user: str) -> None:
    """Due at once, whatever runs say of the title, until a run has seen it."""
    rechecks.wish(user, title(1))
    rechecks.ask(user, [title(1)], days=7)
    seen = rechecks.due(user)
    assert (seen.titles, list(seen.wishes)) == ([title(1)], [1])
    rechecks.forget(user, [1])
    assert rechecks.due(user) == seen
    rechecks.fulfilled(user, seen.wishes)
    assert rechecks.due(user).titles == []
    rechecks.fulfilled(user, seen.wishes)


def test_a_wish_that_was_made_anew(rechecks: Rechecks, user: str) -> None:
    """Is not the one that the run has seen."""
    rechecks.wish(user, title(1))
    seen = rechecks.due(user)
    rechecks.wish(user, title(1))
    rechecks.fulfilled(user, seen.wishes)
    assert rechecks.due(user).titles == [title(1)]


def test_all_are_deleted(rechecks: Rechecks, user: str) -> None:
    """With their user: runs' and wishes."""
    rechecks.wish(user, title(1))
    rechecks.ask(user, [title(1), title(2)], days=7)
    rechecks.delete(user)
    assert list(rechecks.all(user)) == []


def test_all_of_a_user_s(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """With when they are due, due or not."""
    rechecks.ask(user, [title(1)], days=1)
    assert list(rechecks.all(user)) == [(int(clock.now) + DAY, title(1))]


def test_what_could_not_be_read_is_known_as_such(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """Due or not, until a run could read it; a wish for it changes nothing of that."""
    rechecks.ask(user, [title(1), title(2)], days=1, unread={2, 3})
    rechecks.wish(user, title(2))
    assert rechecks.due(user).unread == {2}
    clock.now += DAY + 1
    assert {each.item for each in rechecks.due(user).titles} == {1, 2}
    rechecks.ask(user, [title(2)], days=1)
    assert rechecks.due(user).unread == frozenset()


def test_what_could_not_be_read_is_due_with_every_run_for_a_day(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """From when it could not be read for the first time; then once a day, like all others, until it can be read."""
    for _ in range(24):
        rechecks.ask(user, [title(1), title(2)], days=1, unread={2})
        assert {each.item for each in rechecks.due(user).titles} == {2}
        clock.advance(DAY / 24)
    rechecks.forget(user, [1])
    assert rechecks.due(user).titles == [title(2)]
    for _ in range(2):
        rechecks.ask(user, [title(2)], days=1, unread={2})
        assert rechecks.due(user).titles == []
        assert rechecks.due(user).unread == {2}
        clock.advance(DAY)
        assert rechecks.due(user).titles == [title(2)]
    rechecks.ask(user, [title(2)], days=1)
    clock.advance(DAY)
    rechecks.ask(user, [title(2)], days=1, unread={2})
    assert rechecks.due(user).titles == [title(2)]


def test_a_row_without_a_title_waits_too(rechecks: Rechecks, user: str, clock: Clock) -> None:
    """As a title whose id is negative (sync/collect.py)."""
    rechecks.ask(user, [title(-7, **{"7": 5})], days=7)
    clock.now += 7 * DAY + 1
    assert rechecks.due(user).titles == [title(-7, **{"7": 5})]
    rechecks.forget(user, [-7])
    assert rechecks.due(user).titles == []
