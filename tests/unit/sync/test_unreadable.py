"""What cannot be read of Kinopub and Trakt holds up nothing else, is not lost, is no outage (architecture.md, rule 8).

Set aside is what still fails at a run's last try while other things are answered; later runs look at it again.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.chaos.promises import run_problems
from tests.unit.sync.test_planner import newest, no_pause, times
from tests.upstreams import Library, film, series
from tests.upstreams.web import PACKINGS
from tests.world import NOW, World
from watchferry.models import Event
from watchferry.storage.rechecks import DAY
from watchferry.storage.runs import Run

USER = "harry"
MATRIX, SILO, SOLARIS = 113, 90, 308


@dataclass
class Alteration:
    """Of the answers to a path; `title`: as Kinopub is asked for it."""

    path: str
    change: Callable[[Any], Any]
    title: int | None = None
    status: int = 200

    def fits(self, request: httpx.Request) -> bool:
        asked = request.url.params.get("id")
        return bool(re.search(self.path, request.url.path)) and self.title in (None, int(asked or 0))


class Odd(World):
    """Upstreams whose answers are altered, after they were made."""

    def __init__(self, library: Library) -> None:
        self.alterations: list[Alteration] = []
        super().__init__(library)
        no_pause(self)

    def transport(self) -> httpx.BaseTransport:
        return Altered(super().transport(), self)

    def alter(self, path: str, change: Callable[[Any], Any], title: int | None = None, status: int = 200) -> None:
        self.alterations.append(Alteration(path, change, title, status))


class Altered(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport, world: Odd) -> None:
        self._inner, self._world = inner, world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        for each in self._world.alterations:
            if each.fits(request):
                body = each.change(json.loads(response.read() or b"null"))
                response = httpx.Response(each.status, json=body, headers=_pagination(response), request=request)
        return response


def _pagination(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("x-pagination")}


def three_titles() -> Library:
    """Each with one view; Solaris was watched last, and has no IMDb id."""
    library = Library(NOW)
    matrix = film(library, "Матрица / The Matrix", 1999, "tt0133093", item=MATRIX)
    silo = series(library, "Укрытие / Silo", 2023, "tt14688458", {1: 3}, item=SILO)
    solaris = film(library, "Солярис / Solaris", 1972, "tt0069293", item=SOLARIS, shown=None)
    for n, title in enumerate((matrix, silo, solaris)):
        library.finish(USER, title, title.units[0], int(NOW) - 9_000 + 1_000 * n)
    return library


@pytest.fixture
def world() -> Odd:
    return Odd(three_titles())


def plays(world: World) -> int:
    return len(world.upstreams.trakt.users[USER].plays)


def not_completed(world: World, run: Run) -> list[int]:
    events: list[Event] = world.events(run)
    return [event.view.item for event in events if event.reason == "not_completed"]


def within(name: str, value: Any) -> Callable[[Any], Any]:
    """Puts the value in place of what every record in the answer has under this name."""

    def change(answer: Any) -> Any:
        if isinstance(answer, list):
            return [change(each) for each in answer]
        if isinstance(answer, dict):
            return {key: value if key == name else change(each) for key, each in answer.items()}
        return answer

    return change


# ---------------------------------------------------------------- what decides nothing


GARBAGE: list[Any] = [None, "", "x", "2001-2003", "12.5", 12.5, -1, 10**30, True, [], {}, {"a": 1}]


@pytest.mark.parametrize("value", GARBAGE, ids=repr)
@pytest.mark.parametrize(
    "name", ["year", "duration", "time", "first_seen", "counter", "snumber", "thumbnail", "poster"]
)
def test_what_decides_nothing_may_be_anything(world: Odd, name: str, value: Any) -> None:
    """The same three views are sent; but a film without an IMDb id is not found by a wrong year."""
    world.alter("^/v1/(history|watching)", within(name, value))
    run = world.run()
    wrong = name == "year" and value in ("12.5", 12.5, 10**30)
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 2 if wrong else 3)


@pytest.mark.parametrize("value", GARBAGE, ids=repr)
def test_an_odd_pagination_ends_the_reading_where_the_rows_do(world: Odd, value: Any) -> None:
    world.alter("^/v1/history", lambda answer: answer | {"pagination": value})
    assert world.run().counts["sent"] == 3


@pytest.mark.parametrize("value", ["1795000000.5", 1_795_000_000.5, "yesterday", [], 1e300, 1_795_000_000_000])
def test_a_time_is_read_or_missing(world: Odd, value: Any) -> None:
    """Never an error, and never a year that there is not: then the row's own time counts."""
    world.alter("^/v1/watching", within("updated", value))
    assert world.run().counts["sent"] == 3
    rows = world.upstreams.library.viewer(USER).rows.values()
    expected = {1_795_000_000 // 60} if "." in str(value) else {row.last_seen // 60 for row in rows}
    assert {minute for _, minute in world.plays()} == expected


# ---------------------------------------------------------------- a title


ODD_TITLES: dict[str, tuple[Callable[[Any], Any], int]] = {
    "no item": (lambda answer: {"status": 200, "item": None}, 200),
    "a list": (lambda answer: [], 200),
    "seasons that are a text": (lambda answer: {"item": {"seasons": "3", "videos": "3"}}, 200),
    "400": (lambda answer: {"status": 400}, 400),
    "410": (lambda answer: {"status": 410}, 410),
    "500": (lambda answer: {"status": 500}, 500),
    "503": (lambda answer: {"status": 503}, 503),
}


@pytest.mark.parametrize(("change", "status"), ODD_TITLES.values(), ids=ODD_TITLES.keys())
@pytest.mark.parametrize("title", [MATRIX, SILO, SOLARIS])
def test_a_title_that_cannot_be_read_holds_up_no_other(world: Odd, title: int, change: Any, status: int) -> None:
    """The run is put off for it as for an outage; then the others are sent, the cursor moves, and the run says so."""
    world.alter("^/v1/watching", change, title, status)
    world.start()
    begun = list(times(world))
    assert begun[:5] == [0, 30, 90, 210, 450]
    run = newest(world)
    assert run.error is not None
    assert (run.status, run.counts["sent"], run.error["code"]) == ("partial", 2, "not_all_read")
    assert world.upstreams.library.titles[title].name in run.error["detail"]
    assert run.error["service"] == "kinopub"
    assert not_completed(world, run) == [title]
    assert world.account().cursor == run.cursor


@pytest.mark.parametrize(("change", "status"), ODD_TITLES.values(), ids=ODD_TITLES.keys())
def test_for_a_day_it_is_asked_again_by_every_run_and_then_once_a_day(world: Odd, change: Any, status: int) -> None:
    """So that an hour's trouble costs an hour: nothing waits for it any more, and nothing is put off."""
    world.alter("^/v1/watching", change, SILO, status)
    world.run()
    first = world.now
    for _ in range(23):
        world.now += 3600
        begun = world.now
        run = world.run()
        assert (run.status, run.counts["sent"], not_completed(world, run)) == ("succeeded", 0, [SILO])
        assert world.now - begun < 30
    while world.now < first + 3 * DAY:
        world.now += 3600
        world.run()
    days = [int(entry.at - first) // DAY for entry in world.upstreams.kinopub.requests("^/v1/watching")]
    tries = 5 if status in (500, 503) else 1
    assert (days.count(1), days.count(2)) == (tries, tries)
    world.alterations.clear()
    world.now += DAY + 1
    assert (world.run().counts["sent"], plays(world)) == (1, 3)


@pytest.mark.parametrize(("change", "status"), ODD_TITLES.values(), ids=ODD_TITLES.keys())
def test_an_hours_trouble_costs_an_hour(world: Odd, change: Any, status: int) -> None:
    world.alter("^/v1/watching", change, SILO, status)
    world.run()
    world.alterations.clear()
    world.now += 3600
    assert (world.run().counts["sent"], plays(world)) == (1, 3)
    world.now += 3600
    assert world.run().calls == {"kinopub": 1, "trakt": 0}


@pytest.mark.parametrize(("change", "status"), ODD_TITLES.values(), ids=ODD_TITLES.keys())
def test_it_is_asked_again_daily_and_sent_once_when_it_can_be_read(world: Odd, change: Any, status: int) -> None:
    """Nothing waits for it any more: the run of a day later asks it and goes on at once."""
    world.alter("^/v1/watching", change, SILO, status)
    world.run()
    for _ in range(3):
        world.now += DAY + 1
        begun = world.now
        run = world.run()
        assert (run.status, run.counts["sent"], not_completed(world, run)) == ("succeeded", 0, [SILO])
        assert world.now - begun < 30
    world.alterations.clear()
    world.now += DAY + 1
    run = world.run()
    assert (run.status, run.error, run.counts["sent"], plays(world)) == ("succeeded", None, 1, 3)
    for _ in range(3):
        world.now += DAY + 1
        assert world.run(full=True).counts["sent"] == 0
    assert plays(world) == 3


def test_many_that_cannot_be_read_hold_up_no_other_either() -> None:
    """Twelve in a row, the newest: another one that is answered tells them from an outage."""
    library = three_titles()
    for n in range(12):
        title = film(library, f"Фильм {n}", 1990 + n, f"tt00010{n:02d}", item=1000 + n)
        library.finish(USER, title, title.units[0], int(NOW) - 600 + n)
    world = Odd(library)
    for n in range(12):
        world.alter("^/v1/watching", lambda answer: {"item": []}, 1000 + n)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["not_completed"]) == ("partial", 3, 12)
    world.alterations.clear()
    world.now += DAY + 1
    assert world.run().counts["sent"] == 12


def test_the_only_new_title_is_told_from_an_outage_by_an_older_one(world: Odd) -> None:
    """One of the newest page that is no news is asked, once."""
    world.run()
    world.now += 7200
    title = world.upstreams.library.titles[MATRIX]
    world.upstreams.library.finish(USER, title, title.units[0], int(world.now) - 60)
    world.alter("^/v1/watching", lambda answer: {"item": None}, MATRIX)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.error["code"], run.counts["sent"]) == ("succeeded", "not_all_read", 0)
    assert world.account().cursor == run.cursor


@pytest.mark.parametrize(("change", "status"), ODD_TITLES.values(), ids=ODD_TITLES.keys())
def test_when_nothing_is_answered_nothing_is_set_aside(world: Odd, change: Any, status: int) -> None:
    """Then it is the upstream: the run is put off and fails, the cursor stays, the next one finds everything."""
    world.alter("^/v1/watching", change, None, status)
    run = world.run()
    assert run.error is not None
    assert (run.status, world.account().cursor, list(world.shop.rechecks.all(USER))) == ("failed", None, [])
    world.alterations.clear()
    assert world.run().counts["sent"] == 3


def test_an_outage_that_begins_in_the_middle_sets_nothing_aside(world: Odd) -> None:
    """One title was answered before; at the last try it is asked again, and is not answered any more."""
    world.upstreams.kinopub.faults.add(path="^/v1/watching", preset="unavailable", times=None, skip=1)
    run = world.run()
    assert (run.status, world.account().cursor, list(world.shop.rechecks.all(USER))) == ("failed", None, [])
    world.upstreams.kinopub.faults.clear()
    assert world.run().counts["sent"] == 3


def test_an_outage_that_ends_at_the_last_try_sets_nothing_aside(world: Odd) -> None:
    """What failed before another was answered is asked once more."""
    # Three titles, five tries each, in five turns; in the last one the third title is answered.
    world.upstreams.kinopub.faults.add(path="^/v1/watching", preset="unavailable", times=4 * 20 + 10)
    run = world.run()
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 3)


# ---------------------------------------------------------------- an episode, a season


@pytest.mark.parametrize(
    "bad",
    [{"status": "watched"}, {"id": None}, {"id": "x"}, {"status": []}],
    ids=["status", "no id", "odd id", "status that is a list"],
)
def test_an_episode_that_cannot_be_read_holds_up_no_other(world: Odd, bad: dict[str, Any]) -> None:
    """The others of its show are sent; the title is looked at again, and then this one is sent too."""
    library = world.upstreams.library
    library.finish(USER, library.titles[SILO], library.titles[SILO].units[1], int(NOW) - 500)

    def change(answer: Any) -> Any:
        answer["item"]["seasons"][0]["episodes"][0] |= bad
        return answer

    world.alter("^/v1/watching", change, SILO)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.counts["sent"], run.error["code"]) == ("partial", 3, "not_all_read")
    world.alterations.clear()
    world.now += DAY + 1
    assert (world.run().counts["sent"], plays(world)) == (1, 4)


# ---------------------------------------------------------------- a row


def first_row(**parts: Any) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        if answer["history"]:
            answer["history"][0] |= parts
        return answer

    return change


@pytest.mark.parametrize("item", [None, [], {}, {"id": None}, {"id": "x"}, "x", 5], ids=repr)
def test_a_row_that_does_not_say_of_which_title_it_is_holds_up_no_other(world: Odd, item: Any) -> None:
    """It is remembered: the cursor passes it, and a later run reads down to it again."""
    world.alter("^/v1/history", first_row(item=item))
    run = world.run()
    assert run.error is not None
    assert (run.status, run.counts["sent"], run.error["code"]) == ("partial", 2, "not_all_read")
    world.alterations.clear()
    assert world.run().calls == {"kinopub": 1, "trakt": 0}
    world.now += DAY + 1
    assert (world.run().counts["sent"], plays(world)) == (1, 3)
    world.now += DAY + 1
    world.run()
    assert list(world.shop.rechecks.all(USER)) == []


def test_a_row_that_says_nothing_at_all_is_not_lost_either(world: Odd) -> None:
    """A null in the list: a week later every row is looked at."""

    def change(answer: Any) -> Any:
        return answer | {"history": [None, *answer["history"][1:]]}

    world.alter("^/v1/history", change)
    assert world.run().counts["sent"] == 2
    world.alterations.clear()
    world.now += 7 * DAY + 1
    assert (world.run().counts["sent"], plays(world)) == (1, 3)


@pytest.mark.parametrize("media", [None, [], {}, {"id": None}, "x"], ids=repr)
def test_a_row_that_does_not_say_of_which_unit_it_is_still_names_its_title(world: Odd, media: Any) -> None:
    world.alter("^/v1/history", first_row(media=media))
    run = world.run()
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 3)
    assert world.run().calls == {"kinopub": 1, "trakt": 0}


@pytest.mark.parametrize("seen", [None, "", "x", [], -5, 10**15], ids=repr)
def test_a_row_without_a_time_ends_no_reading(world: Odd, seen: Any) -> None:
    """It is neither old nor new by it."""
    world.run()
    world.now += 7200
    library = world.upstreams.library
    for n, title in enumerate((library.titles[MATRIX], library.titles[SOLARIS])):
        library.finish(USER, title, title.units[0], int(world.now) - 600 + n)
    world.alter("^/v1/history", first_row(last_seen=seen))
    assert world.run().counts["sent"] == 2
    assert world.run().counts["sent"] == 0


def test_a_page_without_one_row_that_can_be_read_is_no_page_of_rows() -> None:
    """Ten or more: it is put off as an outage, and nothing is remembered of it."""
    library = three_titles()
    for n in range(9):
        title = film(library, f"Фильм {n}", 1990 + n, f"tt000010{n}", item=1000 + n)
        library.finish(USER, title, title.units[0], int(NOW) - 600 + n)
    world = Odd(library)
    world.alter("^/v1/history", within("item", None))
    run = world.run()
    assert (run.status, list(world.shop.rechecks.all(USER))) == ("failed", [])
    world.alterations.clear()
    assert world.run().counts["sent"] == 12


# ---------------------------------------------------------------- Trakt


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_search_that_trakt_refuses_holds_up_no_other(world: Odd, status: int) -> None:
    """Its title waits among what did not match, for its user or for the day on which it is found."""
    world.alter("^/search/movie", lambda answer: {}, status=status)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.counts["sent"], run.counts["skipped"]["not_found"]) == ("partial", 2, 1)
    assert [row.key for row in world.shop.unmatched.all(USER)] == [str(SOLARIS)]
    assert "Solaris" in run.error["detail"]
    world.alterations.clear()
    world.now += DAY + 1
    run = world.run()
    assert (run.status, run.counts["sent"], plays(world)) == ("succeeded", 1, 3)
    assert list(world.shop.unmatched.all(USER)) == []


@pytest.mark.parametrize("status", [500, 503, 200])
def test_what_trakt_could_not_be_asked_is_not_said_to_be_unknown_there(world: Odd, status: int) -> None:
    """Nothing is said of the title's views; the run says that they wait, and the next one asks."""
    world.alter("^/search/movie", lambda answer: {}, status=status)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.counts["sent"], run_problems(world, run)) == ("partial", 2, [])
    assert (run.error["code"], run.error["service"]) == ("not_all_read", "trakt")
    assert "Solaris" in run.error["detail"]
    assert [event.view.item for event in world.events(run)].count(SOLARIS) == 0
    assert (run.counts["completed"], sum(run.counts["skipped"].values())) == (2, 0)
    assert list(world.shop.unmatched.all(USER)) == []
    world.now += 3600
    begun = world.now
    run = world.run()
    assert (run.status, run.counts["sent"], run_problems(world, run)) == ("succeeded", 0, [])
    assert world.now - begun < 30
    world.alterations.clear()
    world.now += 3600
    run = world.run()
    assert (run.status, run.error, run.counts["sent"], plays(world)) == ("succeeded", None, 1, 3)


def without_imdb(item: int) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        for each in answer["history"]:
            if each["item"]["id"] == item:
                each["item"].pop("imdb", None)
        return answer

    return change


@pytest.mark.parametrize(("status", "sent"), [(500, 2), (503, 2), (200, 2), (400, 3), (404, 3), (410, 3)])
def test_details_that_kinopub_does_not_give(world: Odd, status: int, sent: int) -> None:
    """In trouble, it is Kinopub's and the title waits; refused, what the row says is all that there is."""
    world.alter("^/v1/history", without_imdb(SOLARIS))
    world.alter("^/v1/items", lambda answer: {}, status=status)
    run = world.run()
    assert (run.counts["sent"], run_problems(world, run)) == (sent, [])
    if sent < 3:
        assert run.error is not None
        assert (run.status, run.error["code"], run.error["service"]) == ("partial", "not_all_read", "kinopub")
        world.alterations.clear()
        world.now += 3600
        assert world.run().counts["sent"] == 1
    assert plays(world) == 3


def test_what_did_not_match_stays_listed_while_trakt_cannot_be_asked(world: Odd) -> None:
    """Its user may say what it is meanwhile."""
    world.alter("^/search/movie", lambda answer: [])
    world.run()
    assert [row.key for row in world.shop.unmatched.all(USER)] == [str(SOLARIS)]
    world.alterations.clear()
    world.alter("^/search/movie", lambda answer: {}, status=503)
    world.now += 2 * DAY
    title = world.upstreams.library.titles[MATRIX]
    world.upstreams.library.finish(USER, title, title.units[0], int(world.now) - 60)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.counts["sent"], run.error["code"]) == ("partial", 1, "not_all_read")
    assert [row.key for row in world.shop.unmatched.all(USER)] == [str(SOLARIS)]


def test_when_trakt_answers_nothing_nothing_is_set_aside(world: Odd) -> None:
    for path in ("^/search/", "^/shows/", "^/sync/history"):
        world.alter(path, lambda answer: {}, status=503)
    run = world.run()
    assert (run.status, world.account().cursor, list(world.shop.unmatched.all(USER))) == ("failed", None, [])


ODD_SEASONS: list[Any] = [None, "x", {"number": None}, {"number": "x", "episodes": []}, {"number": 7, "episodes": "x"}]


@pytest.mark.parametrize("odd", [*ODD_SEASONS, {"number": 7, "episodes": [None, {"number": None}]}], ids=repr)
def test_an_odd_season_of_trakts_hides_no_other(world: Odd, odd: Any) -> None:
    world.alter("seasons$", lambda answer: [odd, *answer])
    run = world.run()
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 3)


@pytest.mark.parametrize("name", ["title", "year", "slug", "tvdb", "tmdb", "score"])
@pytest.mark.parametrize("value", [None, "x", [], {}, 12.5], ids=repr)
def test_trakts_fields_that_decide_nothing_may_be_anything(world: Odd, name: str, value: Any) -> None:
    """But for a text search, which needs the title and the year."""
    world.alter("^/(search|shows|sync/history)", within(name, value))
    assert world.run().counts["sent"] == (2 if name in ("title", "year") else 3)


# ---------------------------------------------------------------- how it is packed


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_edge_that_mislabels_bodies_changes_nothing(world: Odd, packing: str) -> None:
    """Every answer of both can be read: each view is sent once, by one POST, also by a run that looks at all again."""
    for app in (world.upstreams.trakt, world.upstreams.kinopub):
        app.switches.edge_packing = packing
    assert [world.run().counts["sent"], world.run(full=True).counts["sent"]] == [3, 0]
    assert (plays(world), len(world.upstreams.trakt.requests("^/sync/history$", "POST"))) == (3, 1)


def test_an_answer_to_a_post_that_cannot_be_unpacked(world: Odd) -> None:
    """Its outcome is unknown: what is there decides, and nothing is sent again."""
    spoilt = {"headers": {"Content-Encoding": "gzip"}, "preset": "garbage"}
    world.upstreams.trakt.faults.add(path="^/sync/history$", method="POST", when="after", **spoilt)
    run = world.run()
    assert (run.status, run.counts["sent"], plays(world)) == ("succeeded", 3, 3)
    assert len(world.upstreams.trakt.requests("^/sync/history$", "POST")) == 1
