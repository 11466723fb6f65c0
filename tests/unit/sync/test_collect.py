"""§4.1.1: Kinopub's history is read while it changes, as far as an earlier run came, and nothing is passed over."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import NOON, steadily
from watchferry.clients.kinopub import LARGEST_PAGE, History
from watchferry.errors import RetryLater, StopRun, Waiting
from watchferry.models import Title
from watchferry.storage.account import Cursor
from watchferry.sync import reading
from watchferry.sync.collect import LIMITED_AT_MOST, Collected, collect, has_news

PAGE = 4
"""Rows a page in these tests, so that few rows make many pages."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_PAGE", PAGE)


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
    odd: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda page, answer: answer
    """What becomes of a page's answer."""
    pauses: list[float] = field(default_factory=list)

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
        answer = {
            "history": [row(media, self.rows[media]) | self.unsaid(media) for media in shown],
            "pagination": {"total": pages, "current": page, "perpage": PAGE, "total_items": len(order)},
        }
        return History.model_validate(self.odd(page, answer))

    def unsaid(self, media: int) -> dict[str, Any]:
        return {"item": None} if media in self.nameless else {}

    def read(self, known: Cursor | None = None, so_far: Collected | None = None, **more: Any) -> Collected:
        self.asked.clear()
        more = {"pause": self.pauses.append} | more
        return collect(self, known, so_far or Collected(), lambda _: None, **more)  # type: ignore[arg-type]


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
        if so_far.reading.next_page > stop_after:
            raise TimeoutError

    try:
        collect(kinopub, None, kept, stop, pause=kinopub.pauses.append)  # type: ignore[arg-type]
    except TimeoutError:
        kept = kinopub.read(None, Collected.restored(json.loads(json.dumps(kept.stored()))))
    assert {media for media in before if media not in kinopub.touched} <= found(kept).keys()


@steadily
@given(st.integers(0, 25))
def test_an_idle_hour_costs_one_call_and_finds_nothing(count: int) -> None:
    """And the cursor stays where it was."""
    kinopub = shelf(count)
    first = kinopub.read()
    # A full page that is said to be the last one may not be.
    assert kinopub.asked == list(range(1, count // PAGE + 2 if count else 2))
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
    answer = History.model_validate({"history": [bare]})
    kinopub.history = lambda page: answer if page == 1 else History(history=[])  # type: ignore[method-assign]
    assert not kinopub.read().titles[5].details_known


def test_a_title_has_news_when_a_run_from_this_cursor_would_come_upon_it() -> None:
    kinopub = shelf(9)
    known = kinopub.read().cursor
    title = kinopub.read().titles[5]
    assert has_news(title, None)
    assert not has_news(title, known)
    assert has_news(title.with_row(3, NOON + 1), known)
    assert LARGEST_PAGE == 50


# ---------------------------------------------------------------- pages and counts that do not agree

type Odd = Callable[[int, dict[str, Any]], dict[str, Any]]


def empty(*pages: int, times: int = 10**9, rows: int = 0) -> Odd:
    """These pages show nothing, or so few rows, so many times each."""
    left = dict.fromkeys(pages, times)

    def odd(page: int, answer: dict[str, Any]) -> dict[str, Any]:
        if left.get(page, 0) <= 0:
            return answer
        left[page] -= 1
        return answer | {"history": answer["history"][:rows]}

    return odd


def counting(**told: Any) -> Odd:
    """The pagination says something else; None: it does not say it."""

    def odd(_page: int, answer: dict[str, Any]) -> dict[str, Any]:
        pagination = {name: value for name, value in (answer["pagination"] | told).items() if value is not None}
        return answer | {"pagination": pagination}

    return odd


def code_of(kinopub: Shelf, *args: Any, **more: Any) -> tuple[str, str | None]:
    with pytest.raises(StopRun) as stopped:
        kinopub.read(*args, **more)
    return stopped.value.code, stopped.value.service


@pytest.mark.parametrize("rows", [0, 1, PAGE - 1])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_page_that_lacks_rows_once_is_asked_again(page: int, rows: int) -> None:
    """With a pause; whether it is the first, in the middle, or the last."""
    kinopub = shelf(3 * PAGE - 1, odd=empty(page, times=1, rows=min(rows, PAGE - 2)))
    collected = kinopub.read()
    assert found(collected) == kinopub.rows
    assert collected.cursor == Cursor(max(kinopub.rows.values()), shelf(3 * PAGE - 1).read().cursor.rows)  # type: ignore[union-attr]
    assert (kinopub.asked, kinopub.pauses) == (sorted([1, 2, 3, page]), [1.0])
    assert collected.reading.note is None


def test_an_empty_page_ends_nothing() -> None:
    """Though it stays so; what comes behind it is read. A second reading gives the same: it is believed, and said."""
    kinopub = shelf(3 * PAGE + 1, odd=empty(2))
    collected = kinopub.read()
    assert len(found(collected)) == 2 * PAGE + 1
    assert kinopub.asked == [1, 2, 2, 2, 2, 3, 4] * 2
    assert kinopub.pauses == [1.0, 2.0, 4.0] * 2
    assert collected.reading.note is not None
    assert (collected.reading.note["code"], collected.reading.note["service"]) == ("count_differs", "kinopub")
    assert "13 rows" in collected.reading.note["detail"]
    assert "shows 9" in collected.reading.note["detail"]


def test_a_page_that_comes_back_in_the_second_reading_is_read() -> None:
    """Then the rows are as many as are counted, and there is nothing to say."""
    kinopub = shelf(3 * PAGE + 1, odd=empty(2, times=4))
    collected = kinopub.read()
    assert (found(collected), collected.reading.note) == (kinopub.rows, None)


def test_rows_of_all_readings_count_together() -> None:
    """The first lacks the second page, the second one the third."""
    kinopub = shelf(4 * PAGE - 1)
    second, third = empty(2, times=4), empty(3)
    kinopub.odd = lambda page, answer: second(page, answer) if 4 not in kinopub.asked else third(page, answer)
    collected = kinopub.read()
    assert (found(collected), collected.reading.note) == (kinopub.rows, None)


def test_readings_that_never_agree_are_no_reading() -> None:
    """Each time other pages are empty: the run fails, and the cursor stays."""
    kinopub = shelf(8 * PAGE)
    turn = iter(range(10**6))

    def odd(page: int, answer: dict[str, Any]) -> dict[str, Any]:
        return answer | {"history": answer["history"][: 1 + next(turn) % 3]}

    kinopub.odd = odd
    assert code_of(kinopub) == ("upstream_incomplete", "kinopub")
    assert len(kinopub.asked) < 100


def test_a_later_run_asks_again_for_a_page_that_lacks_rows() -> None:
    """It would come to old rows behind it, and its cursor would pass what the page has not shown."""
    kinopub = shelf(5 * PAGE)
    known = kinopub.read().cursor
    new = {900 + n: NOON + n for n in range(1, 2 * PAGE + 1)}
    kinopub.rows |= new
    kinopub.odd = empty(2, times=3)
    assert found(kinopub.read(known)) == new
    assert kinopub.asked == [1, 2, 2, 2, 2, 3]
    kinopub.odd = empty(1, times=1, rows=2)
    assert found(kinopub.read(known)) == new
    assert kinopub.asked == [1, 1, 2, 3]
    kinopub.odd = empty(2)
    collected = kinopub.read(known)
    assert collected.reading.note is not None
    assert (kinopub.asked, collected.reading.note["code"]) == ([1, 2, 2, 2, 2, 3] * 2, "count_differs")


def test_a_short_page_that_comes_to_what_is_known_is_asked_once() -> None:
    """An idle hour costs one call, whatever the page lacks: what it lacks lies below, or is the next run's news."""
    kinopub = shelf(5 * PAGE)
    known = kinopub.read().cursor
    kinopub.odd = empty(1, rows=2)
    assert (kinopub.read(known).rows, kinopub.asked) == (0, [1])


@pytest.mark.parametrize("items", [None, 0, "0", "13", 13])
@pytest.mark.parametrize("pages", [None, 0, "0", 1, "2", 3])
@pytest.mark.parametrize("perpage", [None, 0, "4", 50])
def test_all_is_read_whatever_the_pagination_says(items: Any, pages: Any, perpage: Any) -> None:
    """Nothing, zero, text, or too few pages."""
    kinopub = shelf(3 * PAGE + 1, odd=counting(total=pages, total_items=items, perpage=perpage))
    collected = kinopub.read()
    assert (found(collected), collected.reading.note) == (kinopub.rows, None)
    assert len(kinopub.asked) <= 6
    kinopub.odd = lambda _, answer: {"history": answer["history"]}
    assert found(kinopub.read()) == kinopub.rows
    assert kinopub.asked == [1, 2, 3, 4, 5, 6], "until two pages in a row are empty"
    assert kinopub.pauses == []


@pytest.mark.parametrize("count", [12, 14, 130])
def test_a_count_that_is_wrong_in_two_readings_is_accepted_and_noted(count: int) -> None:
    """Too many or too few rows."""
    kinopub = shelf(3 * PAGE + 1, odd=counting(total_items=count))
    collected = kinopub.read()
    assert collected.reading.note is not None
    assert (found(collected), collected.reading.note["code"]) == (kinopub.rows, "count_differs")


def test_pages_that_are_counted_and_not_there_hide_nothing() -> None:
    kinopub = shelf(3 * PAGE + 1, odd=counting(total=7))
    collected = kinopub.read()
    assert (found(collected), collected.reading.note, kinopub.pauses) == (kinopub.rows, None, [])


@pytest.mark.parametrize("total", [None, 10**6])
@pytest.mark.parametrize("items", [None, 400])
def test_the_same_full_page_for_ever_is_no_reading(total: int | None, items: int | None) -> None:
    """Two pages that bring nothing new end it at once."""
    told = counting(total=total, total_items=items)
    first = shelf(PAGE).history(1).model_dump()["history"]
    kinopub = shelf(PAGE, odd=lambda page, answer: told(page, answer) | {"history": first})
    assert code_of(kinopub) == ("upstream_incomplete", "kinopub")
    assert kinopub.asked == [1, 2, 3]


@pytest.mark.parametrize("total", [None, 10**6])
def test_ever_new_pages_come_to_an_end(total: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PAGES", 20)
    told = counting(total=total, total_items=None)

    def odd(page: int, answer: dict[str, Any]) -> dict[str, Any]:
        return told(page, answer) | {"history": [row(PAGE * page + n, NOON - page) for n in range(PAGE)]}

    kinopub = shelf(PAGE, odd=odd)
    assert code_of(kinopub) == ("upstream_incomplete", "kinopub")
    assert len(kinopub.asked) == 20


def test_a_server_that_repeats_its_last_page_has_been_read() -> None:
    """Without any count: the last page is not a full one."""
    kinopub = shelf(3 * PAGE + 1)
    last = kinopub.history(4).model_dump()["history"]
    kinopub.odd = lambda page, answer: {"history": answer["history"] or last}
    assert (found(kinopub.read()), kinopub.asked) == (kinopub.rows, [1, 2, 3, 4, 5, 6])


def test_a_count_that_falls_again_and_again_is_no_reading() -> None:
    kinopub = shelf(8 * PAGE)
    kinopub.odd = lambda page, answer: counting(total_items=130 if page == 1 else 80)(page, answer)
    assert code_of(kinopub) == ("upstream_incomplete", "kinopub")
    assert len(kinopub.asked) < 250


def test_rows_go_past_by_as_many_pages_as_they_fill() -> None:
    """Of whatever size the pages are."""
    purge = [("delete", 0)] * (2 * PAGE)
    kinopub = shelf(5 * PAGE, between=[[], [], purge])
    kept = set(kinopub.rows)
    read = found(kinopub.read())
    assert kept - kinopub.touched <= read.keys()
    assert kinopub.asked[:5] == [1, 2, 3, 4, 2]


def test_thin_rows_are_told_apart() -> None:
    """A row may say no more than its title: ten of them are ten, and the count is right."""
    thin = [{"item": {"id": 1 + n // 2}} for n in range(3)]
    kinopub = shelf(3, odd=lambda _, answer: answer | {"history": thin})
    collected = kinopub.read()
    assert (sorted(collected.titles), collected.reading.note, kinopub.asked) == ([1, 2], None, [1])


# ---------------------------------------------------------------- an empty history


@pytest.mark.parametrize(
    "counts", [{"total_items": 412}, {"total": 9}, {"total_items": None}, {"total": "1", "total_items": None}]
)
def test_an_empty_first_page_beside_a_count_is_no_history(counts: dict[str, Any]) -> None:
    """It is asked again, and then it is the upstream's trouble, whether or not anything was known before."""
    kinopub = Shelf(odd=counting(**counts))
    assert code_of(kinopub) == ("upstream_empty", "kinopub")
    assert (kinopub.asked, kinopub.pauses) == ([1] * 4, [1.0, 2.0, 4.0])
    assert code_of(kinopub, before=Cursor(NOON, frozenset({f"1:{NOON}"})), may_be_cleared=lambda: True) == (
        "upstream_empty",
        "kinopub",
    )


@pytest.mark.parametrize("counts", [{}, {"total": 0}, {"total": 0, "total_items": None}])
def test_a_new_account_has_an_empty_history(counts: dict[str, Any]) -> None:
    for before in (None, Cursor(0, frozenset())):
        kinopub = Shelf(odd=counting(**counts))
        collected = kinopub.read(before, before=before)
        assert (collected.titles, collected.cursor, collected.reading.note) == ({}, Cursor(0, frozenset()), None)
        assert (kinopub.asked, kinopub.pauses) == ([1], [])


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("told", [True, False])
def test_a_history_that_is_empty_now_is_believed_only_if_it_may_be_cleared(full: bool, told: bool) -> None:
    """Then the cursor stays as it was."""
    before = shelf(3).read().cursor
    known = None if full else before
    kinopub = Shelf(odd=counting() if told else lambda _, answer: {"history": answer["history"]})
    assert code_of(kinopub, known, before=before) == ("upstream_empty", "kinopub")
    assert kinopub.asked == [1] * 4
    collected = kinopub.read(known, before=before, may_be_cleared=lambda: True)
    assert collected.reading.note is not None
    assert (collected.cursor, collected.reading.note["code"]) == (before, "history_empty")


# ---------------------------------------------------------------- 429


def limited(after: float | None = None, kind: type[RetryLater] = RetryLater) -> RetryLater:
    return kind("rate_limited", "slow down", after=after)


class Limiting(Shelf):
    """Each of these is raised once, before anything is answered."""

    def __init__(self, *troubles: RetryLater) -> None:
        super().__init__(rows=shelf(PAGE + 1).rows)
        self.troubles = list(troubles)

    def history(self, page: int) -> History:
        if self.troubles:
            raise self.troubles.pop(0)
        return super().history(page)


def test_a_short_429_is_waited_out() -> None:
    """By whoever lets the calls pass (storage/budgets.py): the page is asked again."""
    kinopub = Limiting(*[limited()] * (LIMITED_AT_MOST - 1))
    assert found(kinopub.read()) == kinopub.rows
    assert found(Limiting(limited(1.0)).read()) == kinopub.rows


@pytest.mark.parametrize(
    "troubles",
    [[limited()] * LIMITED_AT_MOST, [limited(30.0)], [limited(30.0, Waiting)], [RetryLater("upstream_timeout", "x")]],
)
def test_a_longer_one_is_a_later_jobs(troubles: list[RetryLater]) -> None:
    with pytest.raises(RetryLater):
        Limiting(*troubles).read()
