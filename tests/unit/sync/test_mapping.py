"""§4.2: which of Trakt's ids a view gets, and when it gets none. The pure part; test_mapper.py has the calls."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import show, steadily, title
from watchferry.clients.trakt import Episode, SearchHit, Season
from watchferry.sync.mapping import Unmapped, best_hit, index_seasons, names_to_ask, sure_hit

NOT_FOUND, AMBIGUOUS = Unmapped("not_found"), Unmapped("ambiguous")


def hit(trakt: int, score: float | None = None, name: str = "Silo", year: int | None = 2023, kind: str = "show"):
    work = {"title": name, "year": year, "ids": {"trakt": trakt, "imdb": None, "slug": "", "plex": {"guid": "x"}}}
    return SearchHit.model_validate({"type": kind, "score": score, kind: work})


def season(number: int, *episodes: int) -> Season:
    shown = [{"season": number, "number": n, "ids": {"trakt": number * 100 + n, "imdb": None}} for n in episodes]
    return Season.model_validate({"number": number, "ids": {"trakt": number}, "episodes": shown})


# ---------------------------------------------------------------- look-up by IMDb id


@pytest.mark.parametrize(
    ("hits", "found"),
    [
        ([], NOT_FOUND),
        ([hit(1)], {"trakt": 1}),
        ([hit(1), hit(1)], {"trakt": 1}),
        ([hit(1, 10.0), hit(2, 20.5)], {"trakt": 2}),
        ([hit(1, 20.5), hit(2, None)], {"trakt": 1}),
        ([hit(1, 20.5), hit(2, 20.5), hit(3, 1.0)], AMBIGUOUS),
        ([hit(1), hit(2)], AMBIGUOUS),
        ([hit(1), hit(2, 0.0)], AMBIGUOUS),
        ([hit(1, 90.0, kind="movie")], NOT_FOUND),
        ([hit(1, 90.0, kind="movie"), hit(2, 1.0)], {"trakt": 2}),
    ],
)
def test_of_several_hits_the_single_highest_score_is_taken(hits, found) -> None:
    """§4.2.1: none is `not_found`, no single highest `ambiguous`. Nulls and nested records are no ids."""
    assert best_hit(hits, "show") == found


@steadily
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.none() | st.sampled_from([1.0, 2.0, 3.0])), max_size=5, unique_by=lambda h: h[0]
    )
)
def test_the_order_of_the_hits_does_not_matter(scored) -> None:
    hits = [hit(trakt, score) for trakt, score in scored]
    assert best_hit(hits, "show") == best_hit(hits[::-1], "show")


# ---------------------------------------------------------------- search by text


@pytest.mark.parametrize(
    ("hits", "found"),
    [
        ([], NOT_FOUND),
        ([hit(1)], {"trakt": 1}),
        ([hit(1, name="УКРЫТИЕ")], {"trakt": 1}),
        ([hit(1, name=" s i l o ")], {"trakt": 1}),
        ([hit(1, name="«Silo!»")], {"trakt": 1}),
        ([hit(1, name="Sïlo")], NOT_FOUND),
        ([hit(1, name="")], NOT_FOUND),
        ([hit(1), hit(1, name="Укрытие")], {"trakt": 1}),
        ([hit(1), hit(2, name="Silo: The Making of")], {"trakt": 1}),
        ([hit(1), hit(2, year=2022)], {"trakt": 1}),
        ([hit(1), hit(2)], AMBIGUOUS),
        ([hit(1), hit(2, name="Укрытие")], AMBIGUOUS),
        ([hit(1, year=2022)], NOT_FOUND),
        ([hit(1, year=None)], NOT_FOUND),
        ([hit(1, 99.9, name="The Silo")], NOT_FOUND),
        ([hit(1, kind="movie")], NOT_FOUND),
    ],
)
def test_a_hit_counts_when_a_name_and_the_year_are_the_same(hits, found) -> None:
    """Case and spaces aside, of any score; exactly one such hit maps (http-api.md, Fine print)."""
    assert sure_hit(show(imdb=None), hits, "show") == found


@pytest.mark.parametrize("hits", [[hit(1)], [hit(1), hit(2, year=2022)], [hit(1), hit(2)]])
def test_of_a_part_of_the_hits_none_is_the_only_one(hits) -> None:
    """By name nor by id: what was not read may be another such work."""
    assert sure_hit(show(imdb=None), hits, "show", complete=False) == AMBIGUOUS
    assert best_hit(hits, "show", complete=False) == AMBIGUOUS


@pytest.mark.parametrize("ids", [None, [], "x", {}, {"trakt": None}, {"trakt": []}, {"trakt": "x"}])
def test_a_hit_without_a_usable_id_maps_nothing(ids: Any) -> None:
    """But it is a hit: beside another it makes that one doubtful."""
    bare = SearchHit.model_validate({"type": "show", "show": {"title": "Silo", "year": 2023, "ids": ids}})
    assert sure_hit(show(imdb=None), [bare], "show") == sure_hit(show(imdb=None), [bare, hit(1)], "show") == AMBIGUOUS
    assert best_hit([bare], "show") == NOT_FOUND


def test_without_a_year_nothing_is_sure() -> None:
    """Two works without a year are not works of the same year."""
    assert sure_hit(show(imdb=None, year=None), [hit(1, year=None)], "show") == NOT_FOUND
    assert sure_hit(show(imdb=None, year=None), [hit(1)], "show") == NOT_FOUND


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Укрытие / Silo", ["Silo"]),
        ("Silo / Укрытие", ["Silo"]),
        ("Укрытие", ["Укрытие"]),
        ("Silo", ["Silo"]),
        ("Прибытие / Приход", ["Прибытие", "Приход"]),
        ("Амели / Le Fabuleux destin / Amelie", ["Le Fabuleux destin", "Amelie"]),
        ("WALL-E / WALL-E", ["WALL-E"]),
        ("  / Silo /", ["Silo"]),
        ("Без лица / Face/Off", ["Face/Off"]),
        ("24/7", ["24/7"]),
        ("<b>Жирный</b>", ["<b>Жирный</b>"]),
        ("", []),
    ],
)
def test_latin_names_are_asked_for_before_others(name: str, asked: list[str]) -> None:
    """Each once. Trakt's titles are mostly Latin; one name only, or reversed order, occurs (reality.md, Titles)."""
    assert names_to_ask(title(title=name)) == asked


# ---------------------------------------------------------------- seasons


def test_every_season_is_indexed_with_its_gaps_and_specials() -> None:
    """Numbers are what they are: no place in a list, and season 0 is a season."""
    index = index_seasons([season(0, 3), season(1, 1, 2, 4), season(5, 7)])
    assert index is not None
    assert {number: list(found) for number, found in index.items()} == {"0": ["3"], "1": ["1", "2", "4"], "5": ["7"]}
    assert index["1"]["4"] == {"trakt": 104}


def counted(number: int, count: Any, *episodes: int, aired: Any = None) -> Season:
    return season(number, *episodes).model_copy(update={"episode_count": count, "aired_episodes": aired})


def test_seasons_that_are_not_shown_whole_say_that_they_have_to_be_asked_for() -> None:
    """Some leave the episodes out of the one call, or show fewer than they count; a season may be empty, too."""
    bare = [Season(number=1), Season(number=2)]
    assert index_seasons(bare) == {"1": 0, "2": 0}
    assert index_seasons([season(1)]) == {"1": {}}
    assert index_seasons([*bare, season(3, 1)]) == {"1": 0, "2": 0, "3": {"1": {"trakt": 301}}}
    assert index_seasons([]) == {}
    odd = [counted(1, 8), counted(2, 0, aired=3), counted(3, 2, 1), counted(4, 0), counted(5, 1, 1, 2)]
    assert index_seasons(odd) == {
        "1": 8,
        "2": 3,
        "3": 2,
        "4": {},
        "5": {"1": {"trakt": 501}, "2": {"trakt": 502}},
    }


@steadily
@given(st.dictionaries(st.integers(0, 30), st.sets(st.integers(0, 60), max_size=5), max_size=5))
def test_no_episode_is_lost_or_moved(numbers) -> None:
    """Each keeps its season, number and ids."""
    index = index_seasons([season(number, *episodes) for number, episodes in numbers.items()])
    assert index == {
        str(number): {str(n): {"trakt": number * 100 + n} for n in episodes} for number, episodes in numbers.items()
    }


def test_ids_are_what_trakt_has_of_them() -> None:
    """Nulls, empty slugs and nested records are left out; numbers stay numbers."""
    ids = {"trakt": 5, "tvdb": 7, "imdb": None, "slug": "", "plex": {"guid": "g"}, "tvrage": None}
    assert Episode.model_validate({"number": 1, "ids": ids}).known_ids == {"trakt": 5, "tvdb": 7}
