"""A play that Trakt has is found, however oddly Trakt's history is paged; what cannot be read whole decides nothing."""

from collections import Counter
from typing import Any

import pytest

from tests.upstreams import Library, film, series
from tests.world import NOW, World
from watchferry.errors import StopRun
from watchferry.models import Ids
from watchferry.sync.keys import Plays
from watchferry.sync.trakt_history import MOST_PASSES, HistoryReader

USER = "harry"
DAY = 86_400
MARKED = int(NOW) - 5 * DAY - 17
"""The second in which a whole season was marked as watched."""
HERE = {"path": "^/sync/history/", "method": "GET"}


def season(episodes: int, *, at: int = MARKED, apart: int = 0) -> World:
    """A season whose episodes were finished at one time, or so many seconds apart."""
    library = Library(NOW)
    show = series(library, "Укрытие / Silo", 2023, "tt14688458", {1: episodes}, item=90)
    for n, unit in enumerate(show.units):
        library.finish(USER, show, unit, at + n * apart)
    return World(library)


def had(world: World, *, but: int = 0) -> None:
    """Trakt has the season's plays from elsewhere already; not those of so many episodes at its end."""
    (show,) = world.upstreams.library.titles.values()
    for unit in show.units[: len(show.units) - but]:
        at = world.upstreams.library.viewers[USER].states[unit.media].updated
        world.upstreams.trakt.add_play(USER, show.trakt_episode(unit), at)


def others(world: World, plays: int, at: int) -> None:
    """Plays of another show, a minute apart, the newest at this time."""
    other = series(world.upstreams.library, "Другое / Other", 2001, "tt0000201", {1: plays}, item=91)
    for n, unit in enumerate(other.units):
        world.upstreams.trakt.add_play(USER, other.trakt_episode(unit), at - 60 * n)


def plays(world: World) -> Counter[tuple[int, int]]:
    return Counter((play.thing.trakt, play.at // 60_000) for play in world.upstreams.trakt.users[USER].plays)


def odd(world: World, **switches: Any) -> None:
    world.upstreams.trakt.options.set(**switches)


def history_calls(world: World) -> int:
    return len(world.upstreams.trakt.requests("^/sync/history", "GET"))


@pytest.mark.parametrize("seed", range(12))
def test_plays_of_one_time_across_a_page_border(seed: int) -> None:
    """Trakt orders equal times anew for each request: a row may be on neither page. None is sent twice."""
    world = season(10)
    had(world)
    others(world, 12, MARKED + 9 * 60)
    world.upstreams.trakt.random.seed(seed)
    odd(world, page_cap=14, shuffles_equal_times=True)
    before = plays(world)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 0, 10)
    assert plays(world) == before


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("missing", [0, 3])
def test_more_plays_of_one_minute_than_a_page_holds(seed: int, missing: int) -> None:
    """Then each title's own history tells which of them are there."""
    world = season(12)
    had(world, but=missing)
    world.upstreams.trakt.random.seed(seed)
    odd(world, page_cap=5, shuffles_equal_times=True)
    run = world.run()
    assert (run.status, run.counts["sent"]) == ("succeeded", missing)
    assert set(plays(world).values()) == {1}
    assert len(plays(world)) == 12


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("times", [1, 2, -1])
def test_an_empty_page_is_not_the_end(page: int, times: int) -> None:
    """A page may be empty since its rows are of hidden titles, or once, for no reason."""
    world = season(30, apart=120)
    had(world)
    odd(world, page_cap=10, empty_pages={page: times})
    before = plays(world)
    run = world.run()
    if times != -1:
        assert (run.status, run.counts["sent"]) == ("succeeded", 0)
        assert plays(world) == before
    else:
        # What is never on a first page cannot be read in any way. All else is found, read by its time alone.
        assert (run.status, run.counts["sent"]) == ("succeeded", 10 if page == 1 else 0)


def test_a_hidden_show_before_ours() -> None:
    """Its rows fill a page in the middle, which is empty then; what comes after it is read, and all of it ends."""
    world = season(10, at=MARKED - 3 * DAY, apart=120)
    had(world)
    others(world, 20, MARKED)
    (_, other) = world.upstreams.library.titles.values()
    odd(world, page_cap=10, hidden_titles=[f"show:{other.trakt.trakt}"])
    run = world.run()
    assert (run.status, run.counts["sent"]) == ("succeeded", 0)
    assert history_calls(world) <= 2 * 4 + 2


@pytest.mark.parametrize("headers", ["none", "zero_pages", "item_count_off"])
def test_without_numbers_that_can_be_believed(headers: str) -> None:
    world = season(35, apart=120)
    had(world)
    odd(world, page_cap=10, pagination_headers=headers)
    run = world.run()
    assert (run.status, run.counts["sent"]) == ("succeeded", 0)
    assert history_calls(world) <= 2 * 10


@pytest.mark.parametrize("switch", [{"activities_lag": 600}, {"activities_empty": True}])
def test_last_activities_decides_nothing(switch: dict[str, Any]) -> None:
    """It may be minutes behind, or empty, while another app's play is in the history."""
    world = season(1, at=int(NOW) - 9 * DAY)
    assert world.run().counts["sent"] == 1
    library = world.upstreams.library
    (show,) = library.titles.values()
    world.now += 3600
    library.watch(USER, show.id, 1, 1, at=world.now - 120)
    world.upstreams.trakt.add_play(USER, show.trakt_episode(show.units[0]), int(world.now) - 120)
    odd(world, **switch)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 0, 1)


@pytest.mark.parametrize("headers", ["all", "none"])
def test_full_pages_for_ever(headers: str) -> None:
    """A bound, then trouble with a name; nothing is sent, and the next run goes on."""
    world = season(30, apart=120)
    odd(world, page_cap=10, endless_history=True, pagination_headers=headers)
    others(world, 30, MARKED + 4 * 3600)
    before = plays(world)
    run = world.run()
    assert (run.status, run.error and run.error["code"]) == ("failed", "upstream_incomplete")
    assert "Trakt's history" in run.error["detail"]  # type: ignore[index]
    assert (plays(world), history_calls(world) <= 5) == (before, True)
    odd(world, endless_history=False, pagination_headers="all")
    again = world.run()
    assert (again.status, again.counts["sent"]) == ("succeeded", 30)


def test_a_history_that_never_holds_still() -> None:
    """Somebody adds plays between all readings: it cannot be made whole, and nothing is sent."""
    world = season(3, apart=120)
    others(world, 1, MARKED + 3600)
    other = list(world.upstreams.library.titles.values())[1]

    def one_more() -> None:
        world.upstreams.trakt.add_play(USER, other.trakt_episode(other.units[0]), MARKED + 7200 + history_calls(world))

    world.upstreams.trakt.faults.add(path="^/sync/history/", method="GET", times=None, when="after", meanwhile=one_more)
    run = world.run()
    assert (run.status, run.error and run.error["code"]) == ("failed", "upstream_incomplete")
    assert not world.upstreams.trakt.requests("^/sync/history", "POST")
    assert history_calls(world) == MOST_PASSES
    world.upstreams.trakt.faults.clear()
    assert world.run().counts["sent"] == 3


def test_a_play_that_comes_during_the_reading_is_seen() -> None:
    """Two passes differ once: a third settles it."""
    world = season(3, apart=120)
    (show,) = world.upstreams.library.titles.values()

    def ours() -> None:
        world.upstreams.trakt.add_play(USER, show.trakt_episode(show.units[0]), MARKED)

    world.upstreams.trakt.faults.add(path="^/sync/history/", method="GET", times=1, when="after", meanwhile=ours)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 2, 1)
    assert set(plays(world).values()) == {1}


def test_few_views_and_a_long_history_are_decided_by_their_titles() -> None:
    """An old episode would have all of the history read; its own takes two calls. What takes fewer calls decides."""
    world = season(1, at=int(NOW) - 300 * DAY)
    had(world)
    others(world, 200, int(NOW) - DAY)
    odd(world, page_cap=10)
    run = world.run()
    assert (run.status, run.counts["sent"], history_calls(world)) == ("succeeded", 0, 3)


def test_a_film_by_its_imdb_id_alone_is_decided_by_its_title_too() -> None:
    """Its number at Trakt is looked up; one that Trakt does not know has no plays."""
    library = Library(NOW)
    for item, imdb, known in ((1, "tt0133093", True), (2, "tt9899991", False)):
        title = film(library, f"Фильм {item} / Film {item}", 1999, imdb, item=item, known=known)
        library.finish(USER, title, title.units[0], int(NOW) - 300 * DAY)
    world = World(library)
    known = library.find("Film 1")
    world.upstreams.trakt.add_play(USER, known.trakt, int(NOW) - 300 * DAY)
    other = film(library, "Другой / Other", 2001, "tt0000201", item=3)
    for n in range(200):
        world.upstreams.trakt.add_play(USER, other.trakt, int(NOW) - 200 * DAY + 60 * n)
    odd(world, page_cap=10)
    run = world.run()
    assert (run.counts["sent"], run.counts["skipped"]["duplicate"]) == (0, 1)
    assert len([play for play in world.upstreams.trakt.users[USER].plays if play.thing is known.trakt]) == 1


def read(world: World, wanted: list[tuple[Ids, int]], **more: Any) -> Plays:
    with world.shop.clients(USER, "none", world.now + 300) as (trakt, _):
        return HistoryReader(trakt).read("episode", wanted, **more)


def test_what_cannot_be_told_is_not_said() -> None:
    """A minute with more plays than a page holds, and a view without a number at Trakt to ask for."""
    world = season(12)
    had(world)
    odd(world, page_cap=5, shuffles_equal_times=True)
    with pytest.raises(StopRun) as raised:
        read(world, [({"tvdb": 1}, MARKED)])
    assert raised.value.code == "upstream_incomplete"


@pytest.mark.parametrize("second", [0, 29, 59])
def test_times_are_compared_by_the_minute(second: int) -> None:
    """Trakt keeps 10:00:55 as 10:00:00: a window that begins later than that would miss it."""
    minute = MARKED // 60 * 60
    world = season(1, at=minute + second)
    odd(world, minute_times=True)
    had(world)
    (play,) = world.upstreams.trakt.users[USER].plays
    assert play.at == minute * 1000
    (show,) = world.upstreams.library.titles.values()
    found = read(world, [({"trakt": show.trakt_episode(show.units[0]).trakt}, minute + second)])
    assert found.have("episode", {"trakt": play.thing.trakt}, minute + second)
