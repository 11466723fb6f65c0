"""The Mapper over the stand-ins: what it asks Trakt for, what it remembers for everybody, and for how long."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.memory_dynamo import MemoryDynamo
from tests.unit.sync.examples import NOON, episode, film, show, title
from tests.upstreams import Library, Upstreams
from tests.upstreams import film as put_film
from tests.upstreams import series as put_series
from tests.world import FixedCredential
from watchferry.clients._transport import Transport
from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import Trakt, trakt_headers
from watchferry.errors import RetryLater
from watchferry.models import Title, View
from watchferry.storage._dynamo import Table
from watchferry.storage.mappings import FOUND, MISSING, Mappings
from watchferry.storage.overrides import Rules
from watchferry.sync.mapping import SEASONS_ASKED_AGAIN_AFTER, SEASONS_KEPT, Mapped, Mapper

LOST = Title(700, "movie", "Пропажа / Lost and Found", 2001, None, True, {700: NOON})


class Bench:
    """Silo with two seasons and specials, two films without an IMDb id, and a clock."""

    def __init__(self) -> None:
        self.now = float(NOON)
        library = Library(self.now)
        self.silo = put_series(
            library, "Укрытие / Silo", 2023, "tt14688458", {0: 1, 1: 3, 2: 2}, item=90, without=[(1, 2)]
        )
        put_film(library, "Пропажа / Lost and Found", 2001, None, item=700, trakt={"trakt": 4711})
        put_film(library, "Нет такого / No Such Thing", 2001, None, item=701, known=False)
        put_film(library, "Вторая / Live: (Take -2!", 2001, "tt0000702", item=702, row_imdb=None)
        self.upstreams = Upstreams(library, clock=lambda: self.now)
        self.dynamo = MemoryDynamo()

    def to(self, upstream: str, url: str) -> Transport:
        http = httpx.Client(transport=self.upstreams.transport())
        headers = trakt_headers(self.upstreams.trakt.client_id, "watchferry-tests")
        return Transport(http, upstream, url, headers, pause=lambda seconds: None)

    def trakt(self) -> Trakt:
        token = FixedCredential(self.upstreams.trakt.grant("harry").access)
        return Trakt(self.to("Trakt", "https://api.trakt.tv"), token)

    def map(self, made: Title, views: Sequence[View]) -> Mapped:
        """As a run of its own would: nothing is remembered but what is in the table."""
        token = FixedCredential(self.upstreams.kinopub.grant("harry").access)
        kinopub = Kinopub(self.to("Kinopub", "https://api.service-kp.com"), token)
        mapper = Mapper(
            self.trakt(),
            kinopub,
            Mappings(Table(self.dynamo, "Mappings"), lambda: self.now),
            lambda: self.now,
            Rules(),
            {},
        )
        mapper.load([made])
        return mapper.map(made, views)

    def calls(self) -> list[str]:
        """Paths asked for since the last time, Trakt's first."""
        apps: list[Any] = [self.upstreams.trakt, self.upstreams.kinopub]
        paths = [entry.path for app in apps for entry in app.requests() if "oauth" not in entry.path]
        for app in apps:
            app.forget()
        return paths

    def trakt_id(self, season: int, number: int) -> int:
        return self.silo.trakt.seasons[season].episodes[number].trakt  # type: ignore[union-attr]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def numbers(*pairs: tuple[int, int]) -> list[View]:
    return [episode(10 * season + number, season=season, number=number) for season, number in pairs]


def reasons(mapped: Mapped) -> list[str | None]:
    return [event.reason for event in mapped.skips]


def test_a_film_with_an_imdb_id_needs_no_call(bench: Bench) -> None:
    mapped = bench.map(title(), [film()])
    assert [ids for _, ids in mapped.views] == [{"imdb": "tt0133093"}]
    assert bench.calls() == []


def test_a_shows_episodes_take_two_calls_and_then_none(bench: Bench) -> None:
    """However many episodes and seasons; the next user's run finds the answers in the table."""
    views = numbers((1, 1), (1, 3), (2, 1), (2, 2), (0, 1))
    mapped = bench.map(show(), views)
    assert [(view.season, view.number, ids["trakt"]) for view, ids in mapped.views] == [
        (view.season, view.number, bench.trakt_id(view.season or 0, view.number or 0)) for view in views
    ]
    assert all({"trakt", "tvdb", "tmdb"} <= ids.keys() and None not in ids.values() for _, ids in mapped.views)
    assert [path.split("/")[1:3] for path in bench.calls()] == [
        ["search", "imdb"],
        ["shows", str(bench.silo.trakt.trakt)],
    ]  # type: ignore[union-attr]
    assert bench.map(show(), views) == mapped
    assert bench.calls() == []


@pytest.mark.parametrize("how", ["nothing", "always"])
def test_the_imdb_id_of_an_episode_is_no_show(bench: Bench, how: str) -> None:
    """Trakt answers with nothing, or with a hit that is an episode and names its show: that show is not meant."""
    bench.upstreams.trakt.options.episode_imdb = how
    imdb = next(each.imdb for each in bench.silo.trakt.episodes() if each.imdb)  # type: ignore[union-attr]
    mapped = bench.map(show(imdb=imdb), [episode(1)])
    assert [skip.reason for skip in mapped.skips] == ["not_found"]


def test_an_episode_that_trakt_lacks_is_skipped_alone(bench: Bench) -> None:
    """A gap, a season that is not there, a number too high; the others of the show go on."""
    mapped = bench.map(show(), numbers((1, 1), (1, 2), (3, 1), (2, 99)))
    assert [(view.season, view.number) for view, _ in mapped.views] == [(1, 1)]
    assert reasons(mapped) == ["episode_not_found"] * 3


def test_a_missing_episode_is_asked_for_again_after_some_hours(bench: Bench) -> None:
    """It may have been added since: not with every run, and not only when the whole season is forgotten."""
    bench.map(show(), numbers((1, 4)))
    bench.calls()
    bench.now += SEASONS_ASKED_AGAIN_AFTER - 60
    assert reasons(bench.map(show(), numbers((1, 4)))) == ["episode_not_found"]
    assert bench.calls() == []
    catalogue = bench.upstreams.library.catalogue
    catalogue.add_episode(bench.silo.trakt, bench.silo.trakt.seasons[1], 4)  # type: ignore[arg-type,union-attr]
    bench.now += 120
    assert reasons(bench.map(show(), numbers((1, 4)))) == []
    assert len(bench.calls()) == 1
    bench.now += SEASONS_KEPT - 60
    bench.map(show(), numbers((1, 4)))
    assert bench.calls() == []


def test_the_documented_season_form_is_understood(bench: Bench) -> None:
    """Seasons without episodes in the one call: then a call for each season that is needed, and only those."""
    bench.upstreams.trakt.options.set(documented_season_form=True)
    views = numbers((1, 1), (1, 3), (2, 2), (7, 1))
    mapped = bench.map(show(), views)
    assert [ids["trakt"] for _, ids in mapped.views] == [
        bench.trakt_id(1, 1),
        bench.trakt_id(1, 3),
        bench.trakt_id(2, 2),
    ]
    assert reasons(mapped) == ["episode_not_found"]
    assert [path.rpartition("/")[2] for path in bench.calls()] == ["tt14688458", "seasons", "1", "2", "7"]


def test_what_one_user_needed_of_the_documented_form_is_not_all_that_there_is(bench: Bench) -> None:
    """Another one needs another season: it is asked for, and not said to be unknown for hours."""
    bench.upstreams.trakt.options.set(documented_season_form=True)
    bench.map(show(), numbers((1, 1)))
    bench.calls()
    assert reasons(bench.map(show(), numbers((2, 2)))) == []
    assert [path.rpartition("/")[2] for path in bench.calls()] == ["seasons", "2"]


def shown_by_trakt(bench: Bench, season: int, *episodes: int, count: int | None = None) -> dict[str, Any]:
    listed = [{"season": season, "number": n, "ids": {"trakt": bench.trakt_id(season, n)}} for n in episodes]
    return {"number": season, "ids": {"trakt": season}, "episode_count": count, "episodes": listed}


def answer(bench: Bench, path: str, body: Any, times: int | None = None) -> None:
    bench.upstreams.trakt.faults.add(path=path, status=200, body=body, times=times)


def memories(bench: Bench) -> list[str]:
    return [key for (key,) in bench.dynamo.tables["Mappings"] if key.startswith("seasons-")]


def test_seasons_that_count_episodes_and_show_none_are_asked_one_by_one(bench: Bench) -> None:
    """Those that are needed, and no other; a season without a count of episodes is merely empty."""
    answer(
        bench, "/seasons$", [shown_by_trakt(bench, n, count=8) for n in (0, 1, 2)] + [shown_by_trakt(bench, 3, count=0)]
    )
    mapped = bench.map(show(), numbers((1, 1), (1, 3), (2, 2), (3, 1)))
    assert [ids["trakt"] for _, ids in mapped.views] == [
        bench.trakt_id(1, 1),
        bench.trakt_id(1, 3),
        bench.trakt_id(2, 2),
    ]
    assert reasons(mapped) == ["episode_not_found"]
    asked = bench.upstreams.trakt.requests("/seasons$")
    assert ("extended", "full,episodes") in asked[0].query
    assert [path.rpartition("/")[2] for path in bench.calls()] == ["tt14688458", "seasons", "1", "2"]


@pytest.mark.parametrize("aired", [None, 0, 3])
def test_seasons_that_show_nothing_are_no_answer(bench: Bench, aired: int | None) -> None:
    """It is later, for this user and all others: nothing is remembered, and soon all is found."""
    seasons = [shown_by_trakt(bench, 1, count=8 if aired is None else None) | {"aired_episodes": aired or 8}]
    answer(bench, "/seasons$", seasons)
    answer(bench, r"/seasons/\d+$", [])
    with pytest.raises(RetryLater) as later:
        bench.map(show(), numbers((1, 1)))
    assert (later.value.code, later.value.service, memories(bench)) == ("upstream_empty", "trakt", [])
    bench.upstreams.trakt.faults.clear()
    bench.upstreams.trakt.faults.add(path=r"/seasons/\d+$", status=404, times=None)
    answer(bench, "/seasons$", seasons)
    with pytest.raises(RetryLater):
        bench.map(show(), numbers((1, 1)))
    bench.upstreams.trakt.faults.clear()
    assert reasons(bench.map(show(), numbers((1, 1)))) == []


def test_a_season_in_trouble_that_nobody_needed_is_not_remembered_as_empty(bench: Bench) -> None:
    """Of the show's other season all is known; who needs this one has it asked for."""
    answer(bench, "/seasons$", [shown_by_trakt(bench, 1, 1, 3, count=2), shown_by_trakt(bench, 2, count=2)])
    assert reasons(bench.map(show(), numbers((1, 1)))) == []
    bench.calls()
    assert reasons(bench.map(show(), numbers((1, 3)))) == []
    assert bench.calls() == []
    assert reasons(bench.map(show(), numbers((2, 2)))) == []


def test_a_season_that_shows_fewer_than_it_counts_is_asked_by_itself(bench: Bench) -> None:
    """What it still lacks then is not there; what was shown stays."""
    answer(bench, "/seasons$", [shown_by_trakt(bench, 1, 1, count=3)])
    assert reasons(bench.map(show(), numbers((1, 1), (1, 3), (1, 2)))) == ["episode_not_found"]
    bench.now += SEASONS_KEPT + 1
    answer(bench, r"/seasons/\d+$", [])
    assert reasons(bench.map(show(), numbers((1, 1), (1, 3)))) == ["episode_not_found"]


def test_a_show_without_seasons_may_have_those_that_are_needed(bench: Bench) -> None:
    answer(bench, "/seasons$", [])
    assert reasons(bench.map(show(), numbers((1, 1), (7, 1)))) == ["episode_not_found"]


def test_seasons_may_be_years_and_numbers_zero(bench: Bench) -> None:
    catalogue = bench.upstreams.library.catalogue
    made = catalogue.add_show(title="Years", year=2010, imdb="tt0000901", seasons={2010: [0, 1, 300]})
    mapped = bench.map(show(imdb="tt0000901"), numbers((2010, 0), (2010, 300)))
    assert [ids["trakt"] for _, ids in mapped.views] == [made.seasons[2010].episodes[n].trakt for n in (0, 300)]


def test_a_show_that_trakt_does_not_know_is_forgotten_sooner(bench: Bench) -> None:
    """A day for what is missing, a month for what is there."""
    unknown = show(imdb="tt9999999")
    for _ in range(2):
        assert reasons(bench.map(unknown, numbers((1, 1), (1, 2)))) == ["not_found", "not_found"]
    assert len(bench.calls()) == 1
    bench.now += MISSING + 1
    bench.map(unknown, numbers((1, 1)))
    assert len(bench.calls()) == 1
    bench.map(show(), numbers((1, 1)))
    bench.calls()
    bench.now += FOUND - 60
    bench.map(show(), numbers((1, 1)))
    assert not [path for path in bench.calls() if "search" in path]


def test_a_film_without_an_imdb_id_is_searched_by_name_once(bench: Bench) -> None:
    """Found: its ids, for the next user too. Not found: a day of silence."""
    lost, nowhere = LOST, Title(701, "movie", "Нет такого / No Such Thing", 2001, None, True, {701: NOON})
    for _ in range(2):
        assert [ids["trakt"] for _, ids in bench.map(lost, [film(700)]).views] == [4711]
        assert reasons(bench.map(nowhere, [film(701)])) == ["not_found"]
    assert bench.calls() == ["/search/movie", "/search/movie"]


def test_a_twin_on_a_later_page_makes_a_title_ambiguous(bench: Bench) -> None:
    """Trakt clamps the page to one hit; its headers say that there are more, and all of them are read."""
    bench.upstreams.trakt.options.set(page_cap=1)
    assert [ids["trakt"] for _, ids in bench.map(LOST, [film(700)]).views] == [4711]
    before = len(bench.calls())
    bench.upstreams.library.catalogue.add_movie(title="Lost and Found", year=2001, imdb="tt0000799")
    bench.now += FOUND + 1
    assert reasons(bench.map(LOST, [film(700)])) == ["ambiguous"]
    assert len(bench.calls()) == before + 1


def test_a_twin_by_the_same_imdb_id_on_a_later_page_makes_a_show_ambiguous(bench: Bench) -> None:
    bench.upstreams.trakt.options.set(page_cap=1)
    bench.upstreams.library.catalogue.add_show(title="Silo", year=2023, imdb="tt14688458", seasons={1: [1]})
    assert reasons(bench.map(show(), numbers((1, 1)))) == ["ambiguous"]


@pytest.mark.parametrize(("most", "complete"), [(1, False), (2, True), (3, True)])
def test_a_search_says_whether_it_was_read_to_its_end(bench: Bench, most: int, complete: bool) -> None:
    bench.upstreams.library.catalogue.add_movie(title="Lost and Found", year=1999, imdb="tt0000799")
    found = bench.trakt().search_text("Lost and Found", "movie", most)
    assert (len(found.hits), found.complete) == (min(most, 2), complete)


@pytest.mark.parametrize("headers", [{}, {"X-Pagination-Page-Count": "x", "X-Pagination-Item-Count": ""}])
def test_a_search_without_headers_is_read_until_a_page_is_short(bench: Bench, headers: dict[str, str]) -> None:
    """Unreadable hits count: one of them may be a twin."""
    hit = {"type": "movie", "movie": {"title": "Lost and Found", "year": 2001, "ids": {"trakt": 1}}}
    pages = [[hit, hit], [hit, hit], [hit]]
    for page in pages:
        bench.upstreams.trakt.faults.add(path="^/search/movie", status=200, headers=headers, body=page)
    found = bench.trakt().search_text("Lost and Found", "movie", 2)
    assert (len(found.hits), found.complete) == (2, False)
    bench.upstreams.trakt.faults.clear()
    bench.upstreams.trakt.faults.add(
        path="^/search/movie", status=200, headers=headers, body=[hit, {"type": "movie"}, 5]
    )
    found = bench.trakt().search_text("Lost and Found", "movie", 9)
    assert found.complete is False


def test_special_characters_of_a_name_are_no_commands(bench: Bench) -> None:
    """`Live: (Take -2!` is a name, not a query."""
    made = Title(702, "movie", "Live: (Take -2!", 2001, None, True, {702: NOON})
    assert len(bench.map(made, [film(702)]).views) == 1


def test_a_row_without_an_imdb_field_has_its_details_asked_for(bench: Bench) -> None:
    """`/v1/items/{id}` knows: one call, and then the film needs none at Trakt."""
    made = Title(702, "movie", "Вторая / Live: (Take -2!", 2001, None, False, {702: NOON})
    ((view, ids),) = bench.map(made, [film(702, imdb=None)]).views
    assert (ids, view.imdb) == ({"imdb": "tt0000702"}, "tt0000702")
    assert bench.calls() == ["/v1/items/702"]


def test_a_title_that_left_the_catalogue_is_searched_for_by_what_its_row_says(bench: Bench) -> None:
    """404 for its details is an answer, not an error."""
    next(made for made in bench.upstreams.library.titles.values() if made.id == 700).removed = True
    made = Title(700, "movie", LOST.title, 2001, None, False, {700: NOON})
    assert [ids["trakt"] for _, ids in bench.map(made, [film(700)]).views] == [4711]
    assert bench.calls() == ["/search/movie", "/v1/items/700"]


def test_an_upstream_in_trouble_is_no_answer(bench: Bench) -> None:
    """Nothing is remembered of it: the next run asks again and finds the show."""
    bench.upstreams.trakt.faults.add(path="/search/imdb", preset="unavailable", times=None)
    with pytest.raises(RetryLater):
        bench.map(show(), numbers((1, 1)))
    bench.upstreams.trakt.faults.clear()
    assert len(bench.map(show(), numbers((1, 1))).views) == 1


@pytest.mark.parametrize("body", ["html_ok", "garbage"])
def test_nonsense_is_no_answer_either(bench: Bench, body: str) -> None:
    """A firewall's page with status 200 does not make a show unknown."""
    bench.upstreams.trakt.faults.add(path="seasons", preset=body, when="after")
    with pytest.raises(RetryLater):
        bench.map(show(), numbers((1, 1)))
    assert len(bench.map(show(), numbers((1, 1))).views) == 1
