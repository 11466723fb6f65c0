"""Mappings: what Trakt calls a title, remembered for all users, and forgotten in time."""

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.mappings import Mappings


@pytest.fixture
def mappings(backend: Backend, clock: Clock) -> Mappings:
    return Mappings(backend.table("Mappings"), clock)


@pytest.mark.parametrize(
    "value",
    [180_770, "not_found", {"trakt": 481, "imdb": "tt0133093"}, {"1": {"1": {"trakt": 5}}}, {}, "Ё" * 500],
)
def test_remembered(mappings: Mappings, user: str, value: object, clock: Clock) -> None:
    """Whatever was found, or that there was nothing; with the time."""
    told = mappings.put(f"show-{user}", value, kept=60)
    assert (told.value, told.at) == (value, int(clock.now))
    assert mappings.get([f"show-{user}"]) == {f"show-{user}": told}


def test_unknown_titles(mappings: Mappings, user: str) -> None:
    """Are left out; nothing is asked for nothing; twice is once."""
    mappings.put(f"a-{user}", 1, kept=60)
    found = mappings.get([f"a-{user}", f"b-{user}", f"a-{user}"])
    assert {key: each.value for key, each in found.items()} == {f"a-{user}": 1}
    assert mappings.get([]) == {}


def test_many_at_once(mappings: Mappings, user: str) -> None:
    """More than one read can take."""
    keys = [f"{number}-{user}" for number in range(230)]
    for key in keys:
        mappings.put(key, key, kept=60)
    assert {key: each.value for key, each in mappings.get(keys).items()} == {key: key for key in keys}


def test_forgotten(mappings: Mappings, user: str, clock: Clock) -> None:
    """On time, whether or not the table has deleted the row; a new answer takes its place."""
    key = f"show-{user}"
    mappings.put(key, "not_found", kept=60)
    clock.advance(59)
    assert key in mappings.get([key])
    clock.advance(1)
    assert mappings.get([key]) == {}
    mappings.put(key, 5, kept=60)
    assert mappings.get([key])[key].value == 5


def test_long_shows(mappings: Mappings, user: str) -> None:
    """The seasons of a show with some thousand episodes fit into a row."""
    seasons = {
        str(season): {str(n): {"trakt": season * 1000 + n, "tvdb": n, "imdb": f"tt{n:07d}"} for n in range(250)}
        for season in range(20)
    }
    mappings.put(f"seasons-{user}", seasons, kept=60)
    assert mappings.get([f"seasons-{user}"])[f"seasons-{user}"].value == seasons
