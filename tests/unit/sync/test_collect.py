"""§4.1.1: Kinopub's history is read while it changes, as far as an earlier run came, and nothing is passed over."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import NOON, steadily
from watchferry.clients.kinopub import LARGEST_PAGE, History
from watchferry.models import Title
from watchferry.storage.account import Cursor
from watchferry.sync import collect as module
from watchferry.sync.collect import Collected, collect, has_news

PAGE = 4
"""Rows a page in these tests, so that few rows make many pages."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_PAGE", PAGE)


@dataclass
class Shelf:
    """A viewer's history as Kinopub pages it: newest first, one row per media. `between` happens before each page."""

    rows: dict[int, int] = field(default_factory=dict)
    between: list[list[tuple[str, int]]] = field(default_factory=list)
    now: int = NOON
    touched: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    nameless: set[int] = field(default_factory=set)
    """Rows that do not say of which title they are."""

    def change(self, verb: str, which: int) -> None:
        """`see` adds a row, `bump` moves one to the top, `delete` takes one away, `purge` a page and a half of them."""
        known = sorted(self.rows)
        self.now += which % 2  # two views may share their second
        if verb == "purge":
            for place in range(which, which + PAGE + PAGE // 2):
                self.change("delete", place)
            return
        if verb == "delete" and known:
            media = known[which % len(known)]
            del self.rows[media]
        elif verb == "bump" and known:
            media = known[which % len(known)]
            self.rows[media] = self.now
        else:
            media = 1000 + len(self.touched) + self.now
            self.rows[media] = self.now
        self.touched.add(media)

    def history(self, page: int) -> History:
        for verb, which in self.between.pop(0) if self.asked and self.between else []:
            self.change(verb, which)
        self.asked.append(page)
        order = sorted(self.rows, key=lambda media: (self.rows[media], media), reverse=True)
        shown = order[(page - 1) * PAGE : page * PAGE]
        pages = max(1, -(-len(order) // PAGE))
        return History.model_validate(
            {
                "history": [row(media, self.rows[media]) | self.unsaid(media) for media in shown],
                "pagination": {"total": pages, "current": page, "perpage": PAGE, "total_items": len(order)},
            }
        )

    def unsaid(self, media: int) -> dict[str, Any]:
        return {"item": None} if media in self.nameless else {}

    def read(self, known: Cursor | None = None, so_far: Collected | None = None) -> Collected:
        self.asked.clear()
        return collect(self, known, so_far or Collected(), lambda _: None)  # type: ignore[arg-type]


def row(media: Any, last_seen: Any, **item: Any) -> dict[str, Any]:
    return {
        "last_seen": last_seen,
        "item": {"id": 5, "type": "serial", "title": "x", "year": 2023, "imdb": 42650, **item},
        "media": {"id": media},
    }


def found(collected: Collected) -> dict[int, int]:
    return {media: seen for title in collected.titles.values() for media, seen in title.rows.items()}


def shelf(count: int, **more: Any) -> Shelf:
    return Shelf(rows={media: NOON - 10 * count + 10 * media for media in range(1, count + 1)}, **more)


changes = st.tuples(st.sampled_from(["see", "bump", "delete", "delete", "purge"]), st.integers(0, 30))
meanwhile = st.lists(st.lists(changes, max_size=3), max_size=8)


@steadily
@given(st.integers(0, 25), meanwhile)
def test_a_first_run_reads_every_row_that_was_there_throughout(count: int, between) -> None:
    """However rows are added, moved to the top and removed between two pages."""
    kinopub = shelf(count, between=between)
    before = dict(kinopub.rows)
    read = found(kinopub.read())
    assert {media for media in before if media not in kinopub.touched} <= read.keys()


@steadily
@given(st.integers(0, 25), meanwhile, st.lists(changes, max_size=25), meanwhile)
def test_two_runs_together_miss_nothing(count: int, first, pause, second) -> None:
    """The second starts at the first one's cursor: what neither read had changed while the second was reading."""
    kinopub = shelf(count, between=first)
    one = kinopub.read()
    for verb, which in pause:
        kinopub.now += 1
        kinopub.change(verb, which)
    kinopub.touched.clear()
    kinopub.between = second
    settled = dict(kinopub.rows)
    two = kinopub.read(one.cursor)
    for media, last_seen in settled.items():
        if media not in kinopub.touched:
            assert last_seen in (found(one).get(media), found(two).get(media)), "a view that no run came upon"


@steadily
@given(st.integers(0, 25), st.sets(st.integers(1, 25)), st.lists(changes, max_size=8), st.sets(st.integers(1, 25)))
def test_a_row_without_its_title_is_read_by_a_later_run(count: int, at_first, pause, still) -> None:
    """However far behind the cursor it lies then; until it says what it is, it stays owed."""
    kinopub = shelf(count, nameless=at_first & set(range(1, count + 1)))
    one = kinopub.read()
    assert found(one).keys() | {-item for item in one.nameless} == kinopub.rows.keys()
    assert found(one).keys().isdisjoint(kinopub.nameless)
    for verb, which in pause:
        kinopub.now += 1
        kinopub.change(verb, which)
    kinopub.nameless &= still
    two = kinopub.read(one.cursor, Collected(owed=one.nameless))
    three = kinopub.read(two.cursor, Collected.restored(Collected(owed=one.nameless | two.nameless).stored()))
    for media in kinopub.rows:
        if media in kinopub.nameless:
            assert -media in three.nameless
        else:
            assert any(media in found(run) for run in (one, two)), "a view that no run came upon"


@steadily
@given(st.integers(0, 25), meanwhile, st.integers(1, 6))
def test_a_checkpoint_loses_nothing(count: int, between, stop_after: int) -> None:
    """Reading that is broken off after some page goes on from what was stored."""
    kinopub = shelf(count, between=between)
    before = dict(kinopub.rows)
    kept = Collected()

    def stop(so_far: Collected) -> None:
        if so_far.next_page > stop_after:
            raise TimeoutError

    try:
        collect(kinopub, None, kept, stop)  # type: ignore[arg-type]
    except TimeoutError:
        kept = collect(kinopub, None, Collected.restored(kept.stored()), lambda _: None)  # type: ignore[arg-type]
    assert {media for media in before if media not in kinopub.touched} <= found(kept).keys()


@steadily
@given(st.integers(0, 25))
def test_an_idle_hour_costs_one_call_and_finds_nothing(count: int) -> None:
    """And the cursor stays where it was."""
    kinopub = shelf(count)
    first = kinopub.read()
    assert len(kinopub.asked) == max(1, -(-count // PAGE))
    again = kinopub.read(first.cursor)
    assert (kinopub.asked, again.titles, again.rows) == ([1], {}, 0)
    assert again.cursor == first.cursor


def test_a_run_reads_as_far_as_the_last_one_came() -> None:
    """Two new rows: one page, and only these two of it."""
    kinopub = shelf(20)
    known = kinopub.read().cursor
    kinopub.rows |= {501: NOON + 60, 3: NOON + 120}
    assert found(kinopub.read(known)) == {501: NOON + 60, 3: NOON + 120}
    assert kinopub.asked == [1]


def test_a_cursor_whose_rows_are_all_gone_still_ends_the_reading() -> None:
    """Whoever tidies up the history does not make the next run read all of it."""
    kinopub = shelf(20)
    known = kinopub.read().cursor
    for media in (17, 18, 19, 20):
        del kinopub.rows[media]
    kinopub.rows[700] = NOON + 5
    assert found(kinopub.read(known)) == {700: NOON + 5}
    assert kinopub.asked == [1]


def test_a_view_of_the_cursors_own_second_is_not_passed_over() -> None:
    """It came after the cursor was taken, and Kinopub shows it below a row that is known."""
    kinopub = shelf(6)
    known = kinopub.read().cursor
    kinopub.rows |= {0: NOON, 701: NOON + 1, 702: NOON + 2, 703: NOON + 3}
    assert found(kinopub.read(known)) == {0: NOON, 701: NOON + 1, 702: NOON + 2, 703: NOON + 3}
    assert kinopub.asked == [1, 2]


def test_without_a_cursor_everything_is_read_again() -> None:
    """`full` ignores the cursor; an empty history's cursor knows nothing."""
    kinopub = shelf(9)
    kinopub.read()
    assert len(found(kinopub.read(None))) == 9
    assert len(found(kinopub.read(Cursor(0, frozenset())))) == 9


def test_a_row_removed_below_the_reader_hides_nothing() -> None:
    """The count shrinks: as many pages as may have slid past are read again."""
    kinopub = shelf(12, between=[[("delete", 11)], []])
    assert set(found(kinopub.read())) >= set(range(1, 12))
    assert kinopub.asked[:3] == [1, 2, 1]


def test_numbers_may_come_as_strings() -> None:
    """`"total": "128"` (reality.md): pages are still counted, times still compared, ids still normalised."""

    class Texts(Shelf):
        def history(self, page: int) -> History:
            self.asked.append(page)
            shown = [row(str(9 - page), str(NOON - page), id="5", year="2023", imdb="42650")]
            return History.model_validate({"history": shown, "pagination": {"total": "2", "total_items": "2"}})

    kinopub = Texts()
    collected = kinopub.read()
    assert kinopub.asked == [1, 2]
    assert collected.titles[5] == Title(5, "serial", "x", 2023, "tt0042650", True, {8: NOON - 1, 7: NOON - 2})


@pytest.mark.parametrize(("told", "imdb", "known"), [({"imdb": None}, None, True), ({"imdb": 0}, None, True)])
def test_an_imdb_id_of_null_or_zero_is_an_answer(told, imdb, known) -> None:
    """`/v1/items/{id}` need not be asked for it."""
    answer = History.model_validate({"history": [row(1, NOON, **told)]})
    kinopub = Shelf()
    kinopub.history = lambda page: answer if page == 1 else History(history=[])  # type: ignore[method-assign]
    title = kinopub.read().titles[5]
    assert (title.imdb, title.details_known) == (imdb, known)


def test_a_missing_imdb_field_is_no_answer() -> None:
    """Then the title's details have to be asked for."""
    bare = row(1, NOON)
    del bare["item"]["imdb"]
    kinopub = Shelf()
    answers = [History.model_validate({"history": [bare]}), History(history=[])]
    kinopub.history = lambda page: answers[page - 1]  # type: ignore[method-assign]
    assert not kinopub.read().titles[5].details_known


def test_a_title_has_news_when_a_run_from_this_cursor_would_come_upon_it() -> None:
    kinopub = shelf(9)
    known = kinopub.read().cursor
    title = kinopub.read().titles[5]
    assert has_news(title, None)
    assert not has_news(title, known)
    assert has_news(title.with_row(3, NOON + 1), known)
    assert LARGEST_PAGE == 50
