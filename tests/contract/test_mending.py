"""Unmatched titles and overrides: one row per user and key (http-api.md, Sync)."""

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from tests.contract.views import event, view
from watchferry.models import Title
from watchferry.storage.overrides import Override, Overrides
from watchferry.storage.unmatched import Unmatched, UnmatchedTitles, unmatched_of

SILO = Title(90, "serial", "Укрытие / Silo", 2023, "tt14688458", True, {7: 1_700_000_000})
FILM = Title(9, "movie", "Матрица / The Matrix", 1999, None, True, {7: 1_700_000_000})


@pytest.fixture
def unmatched(backend: Backend, clock: Clock) -> UnmatchedTitles:
    return UnmatchedTitles(backend.table("Unmatched"), clock)


@pytest.fixture
def overrides(backend: Backend) -> Overrides:
    return Overrides(backend.table("Overrides"))


def row(key: str, title: Title = SILO, **more: object) -> Unmatched:
    given = {"type": "episode", "reason": "episode_not_found", "episodes": ((1, 3),), "seen": 1, "show": 42}
    return Unmatched(key=key, title=title, **{**given, **more})  # type: ignore[arg-type]


def keys(unmatched: UnmatchedTitles, user: str) -> list[str]:
    return [each.key for each in unmatched.page(user, limit=500, after=None)]


def test_a_row_is_read_as_written(unmatched: UnmatchedTitles, user: str) -> None:
    rows = [row("90-1-3"), row("9", FILM, type="movie", reason="ambiguous", episodes=(), show=None)]
    unmatched.add(user, rows)
    assert sorted(unmatched.page(user, limit=5, after=None), key=lambda each: each.key) == [rows[1], rows[0]]
    assert keys(unmatched, user + "x") == []


def test_pages(unmatched: UnmatchedTitles, user: str) -> None:
    """In the order of keys, from anywhere."""
    unmatched.add(user, [row(f"90-1-{number}") for number in range(60)])
    everything = keys(unmatched, user)
    assert len(everything) == 60
    assert [each.key for each in unmatched.page(user, limit=10, after=everything[24])] == everything[25:35]


def test_a_title_that_was_mapped_anew(unmatched: UnmatchedTitles, user: str) -> None:
    """Only what is left of it stays; other titles do, though their ids begin alike."""
    unmatched.add(user, [row("90"), row("90-1-3"), row("90-1-4"), row("901"), row("9", FILM)])
    unmatched.replace(user, [90, 77], [row("90-1-4", seen=2)])
    assert keys(unmatched, user) == ["9", "90-1-4", "901"]
    assert [each.seen for each in unmatched.of_title(user, 90)] == [2]
    assert [each.key for each in unmatched.of_title(user, 9)] == ["9"]


def test_deleted(unmatched: UnmatchedTitles, user: str) -> None:
    unmatched.add(user, [row("90-1-3"), row("90-1-4")])
    unmatched.delete(user, ["90-1-3", "gone"])
    unmatched.delete(user, [])
    assert keys(unmatched, user) == ["90-1-4"]


def test_rows_of_a_titles_views() -> None:
    """A row for each episode that the show lacks; one for all views of a title that is not there at all."""
    lacking = [event(number, outcome="skipped", reason="episode_not_found") for number in (3, 4)]
    assert [each.key for each in unmatched_of(SILO, lacking, 42)] == ["90-1-3", "90-1-4"]
    absent = [event(number, outcome="skipped", reason="not_found") for number in (1, 2, 3)]
    [whole] = unmatched_of(SILO, [*absent, event(4), event(5, outcome="skipped", reason="duplicate")])
    assert (whole.key, whole.seen, whole.episodes) == ("90", 3, ((1, 1), (1, 2), (1, 3)))


def test_the_narrowest_override_counts(overrides: Overrides, user: str) -> None:
    """An episode's, else its season's, else its title's; of that user, and of that title."""
    whole = Override("90", SILO, trakt_id=1, season_offset=1)
    season = Override("90-2", SILO, trakt_id=2, episode_offset=-3)
    episode = Override("90-2-5", SILO, ignore=True)
    film = Override("9", FILM, trakt_id=3, ids={"trakt": 3, "imdb": "tt0133093"})
    for override in (whole, season, episode, film):
        overrides.put(user, override)
    rules = overrides.rules(user)
    assert rules.of(view(90, season=1, number=5)) == whole
    assert rules.of(view(90, season=2, number=4)) == season
    assert rules.of(view(90, season=2, number=5)) == episode
    assert rules.of(view(9, type="movie", season=None, number=None)) == film
    assert rules.of(view(901)) is None
    assert overrides.rules(user + "x").of(view(90)) is None
    assert season.shifted(2, 7) == (2, 4)


def test_overrides_in_pages(overrides: Overrides, user: str) -> None:
    """As they were written, in the order of keys, from behind any key, though it be gone."""
    said = [
        Override(f"90-1-{number:02}", SILO, trakt_id=7, trakt_title="Silo", trakt_year=2023, at=number)
        for number in range(1, 30)
    ]
    for override in said:
        overrides.put(user, override)
    assert list(overrides.all(user)) == said
    overrides.delete(user, said[9].key)
    assert list(overrides.all(user, limit=5, after=said[9].key)) == said[10:15]
    assert list(overrides.all(user + "x")) == []


def test_an_override_is_changed_and_taken_back(overrides: Overrides, user: str) -> None:
    overrides.put(user, Override("90", SILO, trakt_id=1))
    overrides.put(user, Override("90", SILO, ignore=True))
    assert overrides.get(user, "90") == Override("90", SILO, ignore=True)
    overrides.delete(user, "90")
    overrides.delete(user, "90")
    assert overrides.get(user, "90") is None
