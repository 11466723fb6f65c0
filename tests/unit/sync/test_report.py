"""A run's report, page by page, as JSON and as CSV (http-api.md, Sync and Fine print)."""

import csv
import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory_dynamo import MemoryDynamo
from tests.unit.sync.examples import NOON, episode, film, steadily
from watchferry.errors import Problem
from watchferry.models import Event
from watchferry.storage._dynamo import Table
from watchferry.storage.plans import Plans
from watchferry.sync import report
from watchferry.sync.report import COLUMNS, as_csv, read_report
from watchferry.sync.views import event_view

RUN: Any = SimpleNamespace(run_id="20260101-000000-ab", plan=2)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")

reasons = st.sampled_from(["duplicate", "not_completed", "not_found"])


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "EVENTS_A_PAGE", 5)
    monkeypatch.setattr(report, "EVENTS_A_TABLE", 9)
    monkeypatch.setattr(report, "READ_A_PAGE", 20)
    monkeypatch.setattr("watchferry.storage.plans.SKIPS_PER_PAGE", 4)


def written(batches: list[int], skipped: list[str]) -> tuple[Plans, list[Event]]:
    """A plan with batches of these sizes and skips for these reasons; and an older plan, which counts no more."""
    plans = Plans(Table(MemoryDynamo(), "Plans"), lambda: NOON)  # type: ignore[arg-type]
    media = iter(range(1, 1000))
    sizes = [[Event(film(next(media)), "planned", None, {"imdb": "tt1"}) for _ in range(size)] for size in batches]
    skips = [Event(episode(next(media)), "skipped", reason) for reason in skipped]  # type: ignore[arg-type]
    plans.write(RUN.run_id, 1, [[Event(film(0), "planned")]], [Event(film(0), "skipped", "duplicate")])
    plans.write(RUN.run_id, RUN.plan, sizes, skips)
    return plans, [*(event for batch in sizes for event in batch), *skips]


def page_through(plans: Plans, outcome: str | None, reason: str | None, *, everything: bool) -> list[Event]:
    found: list[Event] = []
    cursor = None
    for _ in range(200):
        page = read_report(plans, RUN, outcome, reason, cursor, everything=everything)
        found += page.events
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    raise AssertionError("the pages do not end")


@steadily
@given(
    st.lists(st.integers(1, 7), max_size=5),
    st.lists(reasons, max_size=20),
    st.none() | st.sampled_from(["planned", "skipped", "sent"]),
    st.none() | reasons,
    st.booleans(),
)
def test_paging_shows_every_event_that_passes_once_and_in_order(batches, skipped, outcome, reason, everything) -> None:
    """From cursor to cursor, with any filter: what is sent first, then what is skipped; of the plan that holds."""
    plans, events = written(batches, skipped)
    wanted = [event for event in events if outcome in (None, event.outcome) and reason in (None, event.reason)]
    assert page_through(plans, outcome, reason, everything=everything) == wanted


def test_a_page_ends_when_it_is_full() -> None:
    """Where a stored page ends; and a filter that hardly anything passes ends it too."""
    plans, _ = written([3, 3, 3, 3], ["duplicate"] * 30)
    assert len(read_report(plans, RUN, None, None, None, everything=False).events) == 6
    assert len(read_report(plans, RUN, None, None, None, everything=True).events) == 9
    nothing = read_report(plans, RUN, None, "not_found", None, everything=False)
    assert (nothing.events, nothing.next_cursor is None) == ([], False)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "abc", "%%%", "é", "YmF0Y2g", "d29yayNjb2xsZWN0ZWQjMDAw", "YmF0Y2gjMDAwMg==" * 200, "////", "\x00"],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    """400, whatever it is: nonsense, too long, another kind of row's name."""
    plans, _ = written([1], [])
    with pytest.raises(Problem) as raised:
        read_report(plans, RUN, None, None, cursor, everything=False)
    assert (raised.value.status, raised.value.code) == (400, "validation")


# ---------------------------------------------------------------- CSV


def table(*events: Event) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(events), newline="")))


@steadily
@given(
    st.text(alphabet=st.sampled_from("=+-@\t\r\n ,\"';|aЖ"), max_size=8),
    st.text(alphabet=st.sampled_from("=+-@\t\r\nЖ"), max_size=3),
)
def test_no_cell_is_taken_for_a_formula(name: str, show: str) -> None:
    """Cells that begin with `= + - @`, tab or CR get a leading apostrophe; all others come out as they were."""
    (row,) = table(Event(episode(1, title=name, show=show), "planned", None, {"imdb": show or "x"}))
    for shown, meant in [(row["title"], name), (row["show"], show), (row["imdb"], show or "x")]:
        assert shown == (f"'{meant}" if meant.startswith(DANGEROUS) else meant)
    assert not any(cell.startswith(DANGEROUS) for cell in row.values())


def test_a_row_tells_all_that_there_is_to_tell() -> None:
    """RFC 4180, a head line, empty cells for what does not apply."""
    event = Event(
        film(7, title="Амели, 2"), "sent", "timestamp_missing", {"trakt": 5, "imdb": "tt0000007", "slug": "a"}
    )
    text = as_csv([event])
    head, line, rest = text.split("\r\n")
    assert (head, rest) == (",".join(COLUMNS), "")
    assert line == 'movie,"Амели, 2",,,,1999,2026-09-21T14:14:00Z,7,7,5,tt0000007,,,sent,timestamp_missing'


def test_no_events_are_a_table_with_a_head() -> None:
    assert as_csv([]).splitlines() == [",".join(COLUMNS)]


def test_a_view_without_a_time_has_none() -> None:
    """Not the year 1970."""
    event = Event(film(1, 0), "skipped", "not_completed")
    assert event_view(event)["watched_at"] is None
    assert table(event)[0]["watched_at"] == ""
