"""A run's events, page by page, as JSON or CSV (http-api.md, Sync)."""

import base64
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from watchferry.errors import Problem
from watchferry.models import Event
from watchferry.storage.plans import Plans
from watchferry.storage.runs import Run
from watchferry.sync.views import event_view

EVENTS_A_PAGE = 200
"""At least, where there are so many: a page ends where a stored page ends."""
READ_A_PAGE = 5000
"""A filter that hardly anything passes gives a short page rather than a slow answer."""
EVENTS_A_TABLE = 20_000
"""Some 4 MB of CSV: Lambda can carry 6."""

COLUMNS = (
    "type",
    "title",
    "show",
    "season",
    "number",
    "year",
    "watched_at",
    "kinopub_item",
    "kinopub_media",
    "trakt",
    "imdb",
    "tmdb",
    "tvdb",
    "outcome",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Page:
    events: list[Event]
    next_cursor: str | None


def read_report(
    plans: Plans, run: Run, outcome: str | None, reason: str | None, cursor: str | None, *, everything: bool
) -> Page:
    """Events in the order of sending, then what was skipped. Raises Problem 400 for a cursor that is not ours."""
    found: list[Event] = []
    read = 0
    for name, events in plans.report(run.run_id, run.plan, after=_row(cursor)):
        read += len(events)
        found += [
            event
            for event in events
            if (outcome is None or event.outcome == outcome) and (reason is None or event.reason == reason)
        ]
        full = len(found) >= EVENTS_A_TABLE if everything else len(found) >= EVENTS_A_PAGE or read >= READ_A_PAGE
        if full:
            return Page(found, base64.urlsafe_b64encode(name.encode()).decode().rstrip("="))
    return Page(found, None)


def as_csv(events: Iterable[Event]) -> str:
    """RFC 4180 with a head line. A cell that a spreadsheet would take for a formula gets a leading apostrophe."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    table.writeheader()
    for event in events:
        shown = event_view(event)
        row = {
            **shown["trakt_ids"],
            **shown,
            "kinopub_item": event.view.item,
            "kinopub_media": event.view.media,
        }
        table.writerow({name: _harmless(row.get(name)) for name in COLUMNS})
    return text.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _row(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        name = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise Problem(400, "validation", "cursor: not one that was given out here") from error
    if not re.fullmatch(r"(batch|skips)#\d{4,9}-\d{5,9}[-ab]{0,99}", name):
        raise Problem(400, "validation", "cursor: not one that was given out here")
    return name
