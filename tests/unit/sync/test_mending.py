"""What did not match, and how its user mends it (http-api.md, Sync: unmatched and overrides)."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.sync.test_sending import Refusing
from tests.upstreams import Library, film, series
from tests.world import NOW, World
from watchferry.errors import Problem, RetryLater
from watchferry.models import Title, iso
from watchferry.storage.unmatched import Unmatched
from watchferry.sync import answers, mending
from watchferry.sync.bodies import Mend

USER = "harry"
DAY = 86_400
CONCERT, LOST, SILO, GONE = 10, 11, 90, 91


@pytest.fixture
def world() -> World:
    """A film that Trakt has twice, one that it has under another name, a show whose third episode is a special there,
    and a show that it knows by another id."""
    library = Library(NOW)
    concert = film(library, "Концерт / The Concert", 2009, None, item=CONCERT, type="concert")
    library.catalogue.add_movie(title="The Concert", year=2009, imdb="tt1320082")
    lost = film(library, "Потерянный / The Lost One", 2020, "tt9899991", item=LOST, known=False)
    library.catalogue.add_movie(title="The Lost One and Found", year=2021, imdb="tt9899992", trakt=777)
    silo = series(
        library, "Укрытие / Silo", 2023, "tt14688458", {1: 4}, item=SILO, without=[(1, 3), (1, 4)], only_trakt={0: 2}
    )
    gone = series(library, "Пропажа / Gone", 2015, "tt9899993", {1: 2}, item=GONE, known=False)
    library.catalogue.add_show(title="Gone Again", year=2016, imdb="tt9899994", trakt=888, seasons={2: [11, 12]})
    for title in (concert, lost):
        library.finish(USER, title, title.units[0], NOW - DAY)
    for show in (silo, gone):
        for n, unit in enumerate(show.units):
            library.finish(USER, show, unit, NOW - 3 * DAY + n * 3600)
    return World(library)


def shown(world: World) -> list[dict[str, Any]]:
    return mending.with_candidates(world.mending, list(world.shop.unmatched.page(USER, limit=50, after=None)))


def keys(world: World) -> list[str]:
    return [row.key for row in world.shop.unmatched.page(USER, limit=50, after=None)]


def mend(world: World, key: str, **wanted: Any) -> None:
    mending.mend(world.mending, USER, key, Mend(**wanted))


def said(world: World) -> list[answers.Override]:
    return [mending.said(override) for override in world.shop.overrides.all(USER)]


def refused(world: World, key: str, **wanted: Any) -> tuple[int, str]:
    with pytest.raises(Problem) as raised:
        mend(world, key, **wanted)
    return raised.value.status, raised.value.detail


def trakt_plays(world: World, trakt_id: int) -> int:
    return sum(play.thing.trakt == trakt_id for play in world.upstreams.trakt.users[USER].plays)


def show_of(world: World, item: int) -> Any:
    return world.upstreams.library.titles[item].trakt


# ---------------------------------------------------------------- the list


@pytest.mark.parametrize("mode", ["sync", "preview"])
def test_each_title_and_each_episode_that_did_not_match_is_listed(world: World, mode: Any) -> None:
    """After a preview already: it is the first thing that a person sees."""
    run = world.run(mode=mode)
    if mode == "preview":  # what Trakt does not know by IMDb id shows when it is sent
        world.confirm(run.run_id)
        world.drain()
    rows = {row["key"]: row for row in shown(world)}
    assert {key: row["reason"] for key, row in rows.items()} == {
        "10": "ambiguous",
        "11": "not_found",
        "90-1-3": "episode_not_found",
        "90-1-4": "episode_not_found",
        "91": "not_found",
    }
    assert {name: rows["10"][name] for name in ("title", "year", "type", "seen")} == {
        "title": "Концерт / The Concert",
        "year": 2009,
        "type": "movie",
        "seen": 1,
    }
    assert (rows["91"]["type"], rows["91"]["seen"]) == ("episode", 2)
    assert "season" not in rows["91"]
    assert (rows["90-1-3"]["season"], rows["90-1-3"]["episode"]) == (1, 3)


def test_candidates_come_from_trakts_search(world: World) -> None:
    """For an episode the show itself comes first; each can be told from the other by title and year."""
    world.run()
    rows = {row["key"]: row["candidates"] for row in shown(world)}
    assert {each["year"] for each in rows["10"]} == {2009}
    assert len({each["trakt_id"] for each in rows["10"]}) == 2
    assert rows["90-1-3"][0]["trakt_id"] == show_of(world, SILO).trakt
    assert 777 in {each["trakt_id"] for each in rows["11"]}
    assert rows["10"][0]["ids"]["trakt"] == rows["10"][0]["trakt_id"]


def test_a_search_is_remembered(world: World) -> None:
    """The page asks often; other users with the same title ask too."""
    world.run()
    shown(world)
    world.upstreams.trakt.forget()
    assert shown(world)[0]["candidates"]
    assert world.upstreams.trakt.requests() == []


def test_one_show_is_searched_for_once(world: World) -> None:
    """However many of its episodes are missing: by its id, and by its name."""
    world.run()
    world.upstreams.trakt.forget()
    shown(world)
    asked = [request.query for request in world.upstreams.trakt.requests("^/search/show")]
    assert len(asked) == len(set(map(str, asked))) == 2  # the names of Silo and of Gone


def test_the_show_itself_is_a_candidate_whatever_its_name(world: World) -> None:
    """Trakt calls it otherwise than Kinopub, so that a search by name does not find it."""
    world.run()
    show = show_of(world, SILO)
    world.upstreams.trakt.faults.add(path="^/search/show", status=200, body="[]", times=None)
    rows = {row["key"]: row["candidates"] for row in shown(world)}
    assert [each["trakt_id"] for each in rows["90-1-3"]] == [show.trakt]


def test_a_slow_trakt_keeps_nobody_waiting_for_the_list(world: World) -> None:
    """After some seconds no more searches begin; what was found by then is there, the rest the next time."""
    world.run()
    world.latency = 5.0
    before = world.now
    found = [bool(row["candidates"]) for row in shown(world)]
    assert not all(found)
    assert world.now - before <= 5 * 2 * mending.SEARCHES_AT_ONCE
    world.latency = 0.0
    assert all(row["candidates"] for row in shown(world))


def test_without_trakt_the_list_is_there_without_candidates(world: World) -> None:
    """And the next look tries again."""
    world.run()
    world.upstreams.trakt.faults.add(path="^/search/", preset="unavailable", times=None)
    assert [row["candidates"] for row in shown(world)] == [[]] * 5
    world.upstreams.trakt.faults.clear()
    assert shown(world)[0]["candidates"]


def test_what_comes_to_match_leaves_the_list(world: World) -> None:
    """Trakt has got the episodes meanwhile."""
    world.run()
    show = show_of(world, SILO)
    for number in (3, 4):
        world.upstreams.library.catalogue.add_episode(show, show.seasons[1], number)
    world.now += DAY + 1
    assert world.run().counts["sent"] == 2
    assert keys(world) == ["10", "11", "91"]


def test_unmatched_titles_are_looked_at_again_and_less_and_less_often(world: World) -> None:
    """Daily while the view is fresh, for a new episode is on Kinopub first; weekly later."""
    world.run()
    calls = []
    for _ in range(45):
        world.now += DAY + 60
        calls.append(world.run().calls["kinopub"])
    # Four titles; the one that Trakt refused by its IMDb id is not sent again until it is mended.
    assert calls[:10] == [4] * 10
    assert sum(calls[20:]) < 60


# ---------------------------------------------------------------- mending


def test_a_film_is_mended_with_another_of_trakts(world: World) -> None:
    """The next run sends it, at its time, and it leaves the list at once."""
    world.run()
    mend(world, "11", trakt_id=777)
    assert "11" not in keys(world)
    run = world.run()
    assert (run.counts["sent"], trakt_plays(world, 777)) == (1, 1)
    assert world.run(full=True).counts["sent"] == 0


def test_an_ambiguous_film_is_mended_by_choosing(world: World) -> None:
    world.run()
    chosen = shown(world)[0]["candidates"][1]["trakt_id"]
    mend(world, "10", trakt_id=chosen)
    assert world.run().counts["sent"] == 1
    assert trakt_plays(world, chosen) == 1


def test_an_episode_is_mended_by_an_offset(world: World) -> None:
    """S1E3 is Trakt's S0E1; the others stay where they are."""
    world.run()
    show = show_of(world, SILO)
    mend(world, "90-1-3", trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    assert keys(world) == ["10", "11", "90-1-4", "91"]
    assert world.run().counts["sent"] == 1
    assert trakt_plays(world, show.seasons[0].episodes[1].trakt) == 1
    assert keys(world) == ["10", "11", "90-1-4", "91"]


def test_a_season_is_mended_at_once(world: World) -> None:
    """By the key of the season; what was sent before is not sent anew."""
    world.run()
    show = show_of(world, SILO)
    mend(world, "90-1", trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    assert keys(world) == ["10", "11", "91"]
    assert world.run().counts["sent"] == 2
    assert [trakt_plays(world, show.seasons[0].episodes[n].trakt) for n in (1, 2)] == [1, 1]
    assert world.run(full=True).counts["sent"] == 0


def test_a_show_is_mended_as_a_whole(world: World) -> None:
    world.run()
    mend(world, "91", trakt_id=888, season_offset=1, episode_offset=10)
    assert world.run().counts["sent"] == 2
    assert "91" not in keys(world)


def test_the_narrowest_key_counts(world: World) -> None:
    world.run()
    show = show_of(world, SILO)
    mend(world, "90-1", trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    mend(world, "90-1-4", ignore=True)
    run = world.run()
    assert (run.counts["sent"], run.counts["skipped"]["ignored"]) == (1, 1)


def test_what_is_ignored_is_skipped_as_such(world: World) -> None:
    """It leaves the list, costs no call of Trakt, and later runs say `ignored` too."""
    world.run()
    mend(world, "91", ignore=True)
    assert "91" not in keys(world)
    run = world.run()
    assert (run.counts["skipped"]["ignored"], run.calls["trakt"]) == (2, 0)
    full = world.run(full=True)
    assert full.counts["skipped"]["ignored"] == 2
    assert "91" not in keys(world)


def test_an_override_is_taken_back(world: World) -> None:
    """The title is mapped by itself again, and is back on the list."""
    world.run()
    mend(world, "91", ignore=True)
    world.run()
    mending.forget(world.mending, USER, "91")
    run = world.run()
    assert run.counts["skipped"]["not_found"] == 2
    assert "91" in keys(world)
    with pytest.raises(Problem) as raised:
        mending.forget(world.mending, USER, "91")
    assert raised.value.status == 404


def test_an_override_is_the_users_own() -> None:
    """What one says of a title changes nothing for another."""
    library = Library(NOW)
    lost = film(library, "Потерянный / The Lost One", 2020, "tt9899991", item=LOST, known=False)
    library.catalogue.add_movie(title="The Lost One", year=2020, imdb="tt9899992", trakt=777)
    for user in ("harry", "ron"):
        library.finish(user, lost, lost.units[0], NOW - DAY)
    world = World(library, ("harry", "ron"))
    for user in ("harry", "ron"):
        world.run(user)
    mend(world, "11", trakt_id=777)
    assert world.run("harry").counts["sent"] == 1
    assert world.run("ron", full=True).counts["sent"] == 0
    assert [row.key for row in world.shop.unmatched.page("ron", limit=5, after=None)] == ["11"]


def test_an_override_before_the_first_confirmation(world: World) -> None:
    """A person mends what the preview shows, and previews again."""
    world.run(mode="preview")
    mend(world, "10", trakt_id=shown(world)[0]["candidates"][0]["trakt_id"])
    preview = world.run(mode="preview")
    world.confirm(preview.run_id)
    world.drain()
    assert world.get(preview.run_id).counts["skipped"]["ambiguous"] == 0


def test_an_override_before_a_confirmation(world: World) -> None:
    """The preview's plan is older than what was said since: the run after it sends the title, not one a week later."""
    preview = world.run(mode="preview")
    mend(world, "10", trakt_id=shown(world)[0]["candidates"][0]["trakt_id"])
    world.confirm(preview.run_id)
    world.drain()
    assert world.run().counts["sent"] == 1


def test_an_override_taken_back_before_a_confirmation(world: World) -> None:
    """The preview took the title for one to be ignored, with which there is nothing left to do."""
    world.run()
    mend(world, "91", ignore=True)
    mend(world, "10", trakt_id=shown(world)[0]["candidates"][0]["trakt_id"])
    preview = world.run(mode="preview")
    assert (preview.status, preview.counts["skipped"]["ignored"]) == ("awaiting_confirmation", 2)
    mending.forget(world.mending, USER, "91")
    world.confirm(preview.run_id)
    world.drain()
    assert world.run().counts["skipped"]["not_found"] == 2


def test_an_override_while_a_run_maps(world: World) -> None:
    """The run has not heard of it; the next one has, and sends the title."""
    world.run()
    world.now += DAY + 1
    said = lambda: mend(world, "91", trakt_id=888, season_offset=1, episode_offset=10)  # noqa: E731
    world.upstreams.trakt.faults.add(path="^/search/", when="after", meanwhile=said)
    assert world.run().counts["sent"] == 0
    assert world.run().counts["sent"] == 2
    assert keys(world) == ["10", "11", "90-1-3", "90-1-4"]


def test_an_override_taken_back_while_a_run_maps(world: World) -> None:
    """The run goes by what was true when it looked; the next one maps the title by itself."""
    world.run()
    mend(world, "91", ignore=True)
    world.now += DAY + 1
    said = lambda: mending.forget(world.mending, USER, "91")  # noqa: E731
    world.upstreams.trakt.faults.add(path="^/search/", when="after", meanwhile=said)
    assert world.run().counts["skipped"]["ignored"] == 2
    assert world.run().counts["skipped"]["not_found"] == 2


def test_what_was_said_can_be_seen(world: World) -> None:
    """With what it is called at Trakt; what was taken back is no more there."""
    world.run()
    show = show_of(world, SILO)
    mend(world, "11", trakt_id=777)
    mend(world, "90-1-3", trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    mend(world, "91", ignore=True)
    film, shifted, ignored = said(world)
    assert film == {
        "key": "11",
        "title": "Потерянный / The Lost One",
        "year": 2020,
        "type": "movie",
        "ignore": False,
        "trakt_id": 777,
        "trakt_title": "The Lost One and Found",
        "trakt_year": 2021,
        "season_offset": 0,
        "episode_offset": 0,
        "at": iso(world.now),
    }
    assert (shifted["key"], shifted["trakt_year"], shifted["season_offset"]) == ("90-1-3", 2023, -1)
    assert (ignored["key"], ignored["ignore"], ignored["trakt_id"], ignored["trakt_title"]) == ("91", True, None, None)
    mending.forget(world.mending, USER, "11")
    assert [each["key"] for each in said(world)] == ["90-1-3", "91"]


# ---------------------------------------------------------------- what leads nowhere


def test_trakt_must_have_it(world: World) -> None:
    """Nothing is stored, and it is said what is wrong."""
    world.run()
    show = show_of(world, SILO)
    assert refused(world, "11", trakt_id=999_999_999) == (400, "trakt_id: Trakt has no such film")
    assert refused(world, "91", trakt_id=999_999_999) == (400, "trakt_id: Trakt has no such show")
    status, detail = refused(world, "90-1-3", trakt_id=show.trakt, season_offset=5)
    assert (status, "S6E3" in detail) == (400, True)
    assert refused(world, "11", trakt_id=777, season_offset=1)[0] == 400
    assert keys(world) == ["10", "11", "90-1-3", "90-1-4", "91"]
    assert world.shop.overrides.rules(USER).by_item == {}


@pytest.mark.parametrize(("key", "wrong"), [("90-1-3", "S6E1"), ("90-1", "season 6")])
def test_what_was_mended_before_is_checked_as_well(world: World, key: str, wrong: str) -> None:
    """Nothing of it waits any more; what the key names has to be there all the same."""
    world.run()
    show = show_of(world, SILO)
    mend(world, key, trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    status, detail = refused(world, key, trakt_id=show.trakt, season_offset=5, episode_offset=-2)
    assert (status, wrong in detail) == (400, True)
    assert world.shop.overrides.rules(USER).by_item[SILO][key].season_offset == -1


def test_unknown_keys(world: World) -> None:
    world.run()
    for key in ("12", "901", "1", "9-1-3"):
        assert refused(world, key, ignore=True)[0] == 404


def test_trakt_away_stores_nothing(world: World) -> None:
    world.run()
    world.upstreams.trakt.faults.add(preset="unavailable", times=None)
    with pytest.raises(RetryLater):
        mend(world, "11", trakt_id=777)
    assert world.shop.overrides.rules(USER).by_item == {}


def test_the_documented_season_form_is_understood(world: World) -> None:
    """Seasons without episodes in the one call: each is asked for by itself."""
    world.run()
    world.upstreams.trakt.options.documented_season_form = True
    mend(world, "91", trakt_id=888, season_offset=1, episode_offset=10)
    assert refused(world, "90-1-3", trakt_id=show_of(world, SILO).trakt, season_offset=3)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"trakt_id": 1, "ignore": True},
        {"ignore": False},
        {"ignore": True, "season_offset": 1},
        {"trakt_id": 0},
        {"trakt_id": "1"},
        {"trakt_id": 1, "season_offset": 1.5},
        {"trakt_id": 1, "offset": 1},
    ],
)
def test_a_body_says_one_thing(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Mend.model_validate(body)


@pytest.mark.parametrize("offset", [-3000, -2009, 0, 2009, 3000])
def test_seasons_may_be_years_on_one_side(offset: int) -> None:
    assert Mend.model_validate({"trakt_id": 1, "season_offset": offset}).season_offset == offset
    for beyond in (-3001, 3001):
        with pytest.raises(ValidationError):
            Mend.model_validate({"trakt_id": 1, "season_offset": beyond})


def test_a_season_that_is_a_year_at_trakt(world: World) -> None:
    made = world.upstreams.library.catalogue.add_show(title="Years", year=2010, seasons={2010: [1, 2]})
    world.run()
    mend(world, "91", trakt_id=made.trakt, season_offset=2009)
    assert world.run().counts["sent"] == 2


def test_seasons_that_show_nothing_refuse_no_answer(world: World) -> None:
    """Of what Trakt counts and does not show, nobody can say that it is not there."""
    world.run()
    show = show_of(world, SILO)
    faults = world.upstreams.trakt.faults
    bare = [{"number": n, "episode_count": 2, "episodes": []} for n in (0, 1)]
    faults.add(path="/seasons$", status=200, body=bare, times=None)
    mend(world, "90-1-3", trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    assert keys(world) == ["10", "11", "90-1-4", "91"]
    faults.add(path=r"/seasons/\d+$", status=200, body=[], times=None)
    with pytest.raises(RetryLater):
        mend(world, "90-1-4", trakt_id=show.trakt, season_offset=-1, episode_offset=-2)
    assert keys(world) == ["10", "11", "90-1-4", "91"]


def test_rows_survive_storage(world: World) -> None:
    """Specials have season 0, which is a season."""
    title = Title(5, "serial", "A", None, None, False, {1: 2})
    row = Unmatched("5-0-3", title, "episode", "episode_not_found", ((0, 3),), 1, 42)
    world.shop.unmatched.add(USER, [row])
    assert list(world.shop.unmatched.page(USER, limit=5, after=None)) == [row]


# ---------------------------------------------------------------- what Trakt did not take


def refusing(world: World, *bad: str) -> list[str]:
    """Trakt answers 422 to a batch with one of these in it."""
    refused = list(bad)
    Refusing(world, refused).install()  # type: ignore[arg-type]
    return refused


def test_a_film_that_trakt_does_not_take_is_listed_and_mended(world: World) -> None:
    """It stays refused under its own ids, run after run; under those that its user chooses it is sent, once."""
    library = world.upstreams.library
    matrix = film(library, "Матрица / The Matrix", 1999, "tt0133093", item=12)
    library.finish(USER, matrix, matrix.units[0], NOW - DAY)
    refusing(world, "tt0133093")
    run = world.run()
    assert (run.status, run.counts["skipped"]["rejected_by_trakt"]) == ("succeeded", 1)
    row = next(row for row in shown(world) if row["key"] == "12")
    assert (row["reason"], row["type"], row["title"], row["seen"]) == ("rejected_by_trakt", "movie", matrix.name, 1)
    assert matrix.trakt.trakt in {each["trakt_id"] for each in row["candidates"]}  # type: ignore[union-attr]
    assert world.run(full=True).counts["planned"] == 0
    assert "12" in keys(world)
    mend(world, "12", trakt_id=777)
    assert "12" not in keys(world)
    assert (world.run().counts["sent"], trakt_plays(world, 777)) == (1, 1)
    assert world.run(full=True).counts["planned"] == 0
    assert "12" not in keys(world)


def test_an_episode_that_trakt_does_not_take_is_listed_alone_and_mended(world: World) -> None:
    """By an offset, as one that the show lacks; the show's others are sent."""
    show = show_of(world, SILO)
    refusing(world, f'"trakt":{show.seasons[1].episodes[2].trakt}}}')
    run = world.run()
    assert (run.status, run.counts["skipped"]["rejected_by_trakt"]) == ("succeeded", 1)
    row = next(row for row in shown(world) if row["key"] == "90-1-2")
    assert {name: row[name] for name in ("reason", "type", "season", "episode", "title")} == {
        "reason": "rejected_by_trakt",
        "type": "episode",
        "season": 1,
        "episode": 2,
        "title": "Укрытие / Silo",
    }
    world.run(full=True)
    assert "90-1-2" in keys(world)
    mend(world, "90-1-2", trakt_id=show.trakt, season_offset=-1)
    assert world.run().counts["sent"] == 1
    assert trakt_plays(world, show.seasons[0].episodes[2].trakt) == 1
    assert "90-1-2" not in keys(world)


def test_what_trakt_does_not_take_can_be_ignored(world: World) -> None:
    show = show_of(world, SILO)
    refusing(world, f'"trakt":{show.seasons[1].episodes[2].trakt}}}')
    world.run()
    mend(world, "90-1-2", ignore=True)
    run = world.run()
    assert (run.counts["sent"], run.counts["skipped"]["ignored"]) == (0, 1)
    assert "90-1-2" not in keys(world)


def test_the_same_ids_are_refused_all_the_same(world: World) -> None:
    """Whoever chooses what Trakt did not take sends it no second time; it is back on the list."""
    show = show_of(world, SILO)
    refusing(world, f'"trakt":{show.seasons[1].episodes[2].trakt}}}')
    world.run()
    mend(world, "90-1-2", trakt_id=show.trakt)
    run = world.run()
    assert (run.counts["planned"], run.counts["skipped"]["rejected_by_trakt"]) == (0, 1)
    assert "90-1-2" in keys(world)
