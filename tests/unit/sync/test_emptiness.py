"""An upstream that shows nothing where there was something: its own trouble, unless something tells otherwise."""

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.chaos.promises import run_problems
from tests.unit.sync.test_planner import no_pause
from tests.unit.sync.test_unreadable import MATRIX, SILO, SOLARIS, USER, Odd, not_completed, plays, three_titles
from tests.upstreams import Library, film
from tests.world import NOW, World
from watchferry.storage.mappings import WITNESSES
from watchferry.storage.rechecks import DAY
from watchferry.storage.runs import Run
from watchferry.sync.views import run_view

HOUR = 3600


class Paged(Odd):
    """Three rows of the history in one answer."""

    def transport(self) -> httpx.BaseTransport:
        return SmallPages(super().transport())


class SmallPages(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/history":
            request.url = request.url.copy_set_param("perpage", 3)
        return self._inner.handle_request(request)


def ten_titles() -> Library:
    library = three_titles()
    for n in range(7):
        title = film(library, f"Фильм {n}", 1990 + n, f"tt000010{n}", item=1000 + n)
        library.finish(USER, title, title.units[0], int(NOW) - 600 + n)
    return library


def watch(world: World, *items: int) -> None:
    """Now, once more."""
    library = world.upstreams.library
    for n, item in enumerate(items):
        library.finish(USER, library.titles[item], library.titles[item].units[0], int(world.now) - 60 + n)


def empty_page(page: int, times: int = 10**6) -> Callable[[Any], Any]:
    left = [times]

    def change(answer: Any) -> Any:
        if int(answer["pagination"]["current"]) != page or left[0] <= 0:
            return answer
        left[0] -= 1
        return answer | {"history": []}

    return change


def error_of(run: Run) -> tuple[str, str | None, str | None]:
    assert run.error is not None
    return run.status, run.error["code"], run.error.get("service")


# ---------------------------------------------------------------- the history


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_a_page_that_is_empty_once_costs_no_view(page: int) -> None:
    world = Paged(ten_titles())
    world.alter("^/v1/history", empty_page(page, times=1))
    run = world.run()
    assert (run.status, run.error, run.counts["sent"], run.calls["kinopub"]) == ("succeeded", None, 10, 4 + 1 + 10)
    assert world.run().calls == {"kinopub": 1, "trakt": 0}


@pytest.mark.parametrize("full", [False, True])
def test_a_count_that_two_readings_belie_is_accepted_and_said(full: bool) -> None:
    """Everything is done: it is not `partial`. The next run has nothing to say."""
    world = Paged(ten_titles())
    world.alter("^/v1/history", empty_page(2))
    run = world.run(full=full)
    assert (error_of(run), run.counts["sent"]) == (("succeeded", "count_differs", "kinopub"), 7)
    assert world.account().cursor == run.cursor
    run = world.run()
    assert (run.status, run.error, run.calls) == ("succeeded", None, {"kinopub": 1, "trakt": 0})
    world.alterations.clear()
    run = world.run(full=True)
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 3)


def test_readings_that_disagree_fail_the_run_and_the_cursor_stays() -> None:
    world = Paged(ten_titles())
    chance = random.Random(1)
    world.alter("^/v1/history", lambda answer: answer | {"history": answer["history"][chance.randrange(2) :][:1]})
    run = world.run()
    assert error_of(run) == ("failed", "upstream_incomplete", "kinopub")
    assert run_view(run)["error"] == run.error
    assert (world.account().cursor, plays(world)) == (None, 0)
    assert {(each.kind, each.code) for each in world.notices.sent} == {("run_failed", "upstream_incomplete")}
    world.alterations.clear()
    assert world.run().counts["sent"] == 10


def nothing_of(items: int, pages: int) -> Callable[[Any], Any]:
    return lambda answer: {"status": 200, "history": [], "pagination": {"total": pages, "total_items": items}}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("counts", [(412, 9), (0, 9), (412, 0)])
def test_an_empty_history_beside_a_count_fails_the_run(counts: tuple[int, int], full: bool) -> None:
    """Whether it is the first or a later one, and however long it is so: the cursor stays."""
    world = Odd(three_titles())
    world.alter("^/v1/history", nothing_of(*counts))
    assert error_of(world.run()) == ("failed", "upstream_empty", "kinopub")
    assert world.account().cursor is None
    world.alterations.clear()
    assert world.run().counts["sent"] == 3
    cursor = world.account().cursor
    watch(world, MATRIX)
    world.alter("^/v1/history", nothing_of(*counts))
    for _ in range(2):
        world.now += 25 * HOUR
        assert error_of(world.run(full=full)) == ("failed", "upstream_empty", "kinopub")
        assert world.account().cursor == cursor
    world.alterations.clear()
    assert world.run().counts["sent"] == 1


@pytest.mark.parametrize("full", [False, True])
def test_a_history_that_has_become_empty_is_believed_after_a_day(full: bool) -> None:
    """Its person may have cleared it: from then on every run says so, and nothing is lost should it come back."""
    world = Odd(three_titles())
    world.run()
    cursor = world.account().cursor
    watch(world, MATRIX)
    world.alter("^/v1/history", nothing_of(0, 0))
    for _ in range(24):
        world.now += HOUR
        assert error_of(world.run(full=full)) == ("failed", "upstream_empty", "kinopub")
    world.now += HOUR
    for _ in range(3):
        run = world.run(full=full)
        assert error_of(run) == ("succeeded", "history_empty", "kinopub")
        assert world.account().cursor == cursor
        world.now += HOUR
    world.alterations.clear()
    run = world.run()
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 1)


def test_who_has_watched_nothing_has_an_empty_history() -> None:
    world = World(Library(NOW))
    for _ in range(3):
        run = world.run()
        assert (run.status, run.error, run.calls) == ("succeeded", None, {"kinopub": 1, "trakt": 0})
        world.now += HOUR


def test_a_429_without_a_time_sends_no_job_back() -> None:
    """Pages, titles and details: each is asked again in the same turn, after seconds."""
    world = World(ten_titles())
    for path in ("^/v1/history", "^/v1/watching"):
        world.upstreams.kinopub.faults.add(path=path, preset="edge_429", times=2)
    run = world.run()
    assert (run.status, run.counts["sent"], run.attempt) == ("succeeded", 10, 1)


# ---------------------------------------------------------------- titles


ALL_GONE: dict[str, tuple[Callable[[Any], Any], int]] = {
    "404": (lambda answer: {"status": 404, "error": "Item not found"}, 404),
    "no lists": (lambda answer: {"item": {"id": answer["item"]["id"]}}, 200),
    "empty lists": (lambda answer: {"item": {"id": answer["item"]["id"], "videos": [], "seasons": []}}, 200),
    "a season of nothing": (lambda answer: {"item": {"id": 1, "seasons": [{"number": 1, "episodes": []}]}}, 200),
}
gone = pytest.mark.parametrize(("change", "status"), ALL_GONE.values(), ids=ALL_GONE.keys())


@gone
def test_one_title_of_which_nothing_is_shown_is_its_own_matter(change: Any, status: int) -> None:
    """Another one is answered: it is not finished, and looked at again in a day."""
    world = Odd(three_titles())
    world.alter("^/v1/watching", change, SILO, status)
    run = world.run()
    assert (run.status, run.error, run.counts["sent"], not_completed(world, run)) == ("succeeded", None, 2, [SILO])
    assert world.run().calls == {"kinopub": 1, "trakt": 0}
    world.alterations.clear()
    world.now += DAY + 1
    assert (world.run().counts["sent"], plays(world)) == (1, 3)


@gone
def test_when_what_was_answered_before_is_empty_too_it_is_kinopubs_trouble(change: Any, status: int) -> None:
    """The run fails, and the cursor stays: the next one has everything. One new title is enough."""
    world = Odd(ten_titles())
    world.run()
    cursor = world.account().cursor
    world.now += 2 * HOUR
    watch(world, SILO)
    world.alter("^/v1/watching", change, None, status)
    for _ in range(2):
        assert error_of(world.run()) == ("failed", "upstream_empty", "kinopub")
        world.now += HOUR
    assert (world.account().cursor, list(world.shop.rechecks.all(USER))) == (cursor, [])
    world.alterations.clear()
    assert world.run().counts["sent"] == 1


def test_a_witness_is_anybodys_and_may_answer() -> None:
    """Ron's titles were answered yesterday: Harry's one title, of which nothing is shown, is believed to be empty."""
    library = ten_titles()
    world = Odd(library)
    world.shop.mappings.put(WITNESSES, [MATRIX], kept=DAY)
    world.alter("^/v1/watching", ALL_GONE["404"][0], SOLARIS, 404)
    for item in [item for item in library.titles if item != SOLARIS]:
        library.delete_row(USER, library.titles[item].units[0].media)
    run = world.run()
    assert (run.status, run.error, not_completed(world, run)) == ("succeeded", None, [SOLARIS])
    assert [entry.query for entry in world.upstreams.kinopub.requests("^/v1/watching")][-1][0] == ("id", str(MATRIX))


@pytest.mark.parametrize("status", [404, 410, 500, 503])
def test_a_witness_that_fails_in_any_way_is_no_witness(status: int) -> None:
    world = Odd(three_titles())
    world.shop.mappings.put(WITNESSES, [4711, MATRIX], kept=DAY)
    for item in (SILO, SOLARIS):
        world.alter("^/v1/watching", ALL_GONE["404"][0], item, 404)
    world.upstreams.library.delete_row(USER, world.upstreams.library.titles[MATRIX].units[0].media)
    world.alter("^/v1/watching", lambda answer: {}, MATRIX, status)
    assert error_of(world.run()) == ("failed", "upstream_empty", "kinopub")


@gone
def test_without_a_witness_five_titles_are_enough(change: Any, status: int) -> None:
    world = Odd(ten_titles())
    world.alter("^/v1/watching", change, None, status)
    assert error_of(world.run()) == ("failed", "upstream_empty", "kinopub")
    assert world.account().cursor is None
    world.alterations.clear()
    assert world.run().counts["sent"] == 10


@gone
def test_without_a_witness_fewer_are_believed_for_a_day(change: Any, status: int) -> None:
    world = Odd(three_titles())
    world.alter("^/v1/watching", change, None, status)
    run = world.run()
    assert (run.status, run.counts["skipped"]["not_completed"]) == ("succeeded", 3)
    world.alterations.clear()
    world.now += DAY + 1
    assert world.run().counts["sent"] == 3


def test_witnesses_are_written_once_a_day() -> None:
    """By whatever run has an answer; a few of the latest."""
    world = Odd(ten_titles())
    written = []
    for n in range(50):
        watch(world, MATRIX if n % 2 else SILO)
        world.run()
        written.append(world.shop.mappings.get([WITNESSES])[WITNESSES])
        world.now += HOUR
    assert len({each.at for each in written}) == 2
    assert {len(each.value) for each in written} == {3}
    assert written[-1].value[0] in {MATRIX, SILO}


# ---------------------------------------------------------------- Trakt's seasons


def counted(answer: Any) -> Any:
    return [season | {"episode_count": 3, "episodes": []} for season in answer]


def silo_alone() -> Library:
    library = three_titles()
    library.finish(USER, library.titles[SILO], library.titles[SILO].units[1], int(NOW) - 500)
    return library


def test_seasons_that_count_episodes_and_show_none_are_asked_one_by_one() -> None:
    world = Odd(silo_alone())
    world.alter("/seasons$", counted)
    run = world.run()
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 4)


def test_seasons_that_show_nothing_at_all_are_later() -> None:
    """Not unknown, for nobody: the other titles are sent, these views wait for the next run, which says so."""
    world = Odd(silo_alone())
    world.alter("/seasons$", counted)
    world.alter(r"/seasons/\d+$", lambda answer: [])
    run = world.run()
    assert (error_of(run), run.counts["sent"], run_problems(world, run)) == (
        ("partial", "not_all_read", "trakt"),
        2,
        [],
    )
    assert run.counts["skipped"]["episode_not_found"] == 0
    assert "Silo" in (run.error or {})["detail"]
    assert list(world.shop.unmatched.all(USER)) == []
    assert not [key for (key,) in world.client.tables["Mappings"] if key.startswith("seasons-")]
    world.now += HOUR
    for full in (False, True):
        run = world.run(full=full)
        assert (error_of(run), run.counts["sent"]) == (("succeeded", "not_all_read", "trakt"), 0)
    world.alterations.clear()
    world.now += HOUR
    run = world.run()
    assert (run.status, run.error, run.counts["sent"], plays(world)) == ("succeeded", None, 2, 4)
    assert world.run().calls == {"kinopub": 1, "trakt": 0}


def test_a_show_alone_is_later_too() -> None:
    """Nothing else is answered: the run fails, and the next one sends it."""
    library = silo_alone()
    for item in (MATRIX, SOLARIS):
        library.delete_row(USER, library.titles[item].units[0].media)
    world = Odd(library)
    world.alter("/seasons", lambda answer: [])
    world.alter("/seasons$", lambda answer: [{"number": 1, "episode_count": 3, "episodes": []}])
    assert error_of(world.run()) == ("failed", "upstream_empty", "trakt")
    assert world.account().cursor is None
    world.alterations.clear()
    assert world.run().counts["sent"] == 2


# ---------------------------------------------------------------- what was sent and is not finished now


def test_a_film_that_was_sent_and_is_begun_again_is_a_duplicate() -> None:
    """In parts too; it is looked at daily, and sent once more when it has been watched once more."""
    library = Library(NOW)
    plain = film(library, "Матрица / The Matrix", 1999, "tt0133093", item=113, minutes=20)
    parted = film(library, "Ирония судьбы / The Irony of Fate", 1976, "tt0073179", item=321, minutes=20, parts=2)
    for title in (plain, parted):
        for unit in title.units:
            library.finish(USER, title, unit, int(NOW) - 9_000)
    world = World(library)
    no_pause(world)
    assert world.run().counts["sent"] == 2
    world.now += DAY
    for title in (plain, parted):
        world.upstreams.library.start(USER, title.name, at=world.now - 60)
    run = world.run()
    assert (run.status, run.counts["completed"], run_problems(world, run)) == ("succeeded", 2, [])
    assert run.counts["skipped"] | {"duplicate": 0} == dict.fromkeys(run.counts["skipped"], 0)
    assert run.counts["skipped"]["duplicate"] == 2
    for title in (plain, parted):
        for unit in title.units:
            world.upstreams.library.viewer(USER).states[unit.media].status = 1
            world.upstreams.library.viewer(USER).states[unit.media].updated = int(world.now)
    assert world.run().counts["sent"] == 0
    world.now += DAY + 1
    assert (world.run().counts["sent"], plays(world)) == (2, 4)
