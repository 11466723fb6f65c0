"""§4.1.1 of the sync document: Kinopub's history is the list of candidates, and of nothing but candidates."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Self

from watchferry.clients.kinopub import LARGEST_PAGE, History, HistoryRow, Kinopub
from watchferry.models import Title, imdb_id
from watchferry.storage.account import Cursor


@dataclass(slots=True)
class Collected:
    """What has been read so far; survives a checkpoint."""

    titles: dict[int, Title] = field(default_factory=dict)
    rows: int = 0
    next_page: int = 1
    pages: int | None = None
    items: int | None = None
    """`total_items` of the last page read."""
    cursor: Cursor | None = None
    """Of the first page: where the account's cursor goes when all of this has been dealt with."""
    complete: bool = False

    def stored(self) -> dict[str, Any]:
        return {
            "titles": [title.stored() for title in self.titles.values()],
            "rows": self.rows,
            "next_page": self.next_page,
            "pages": self.pages,
            "items": self.items,
            "cursor": [self.cursor.last_seen, sorted(self.cursor.rows)] if self.cursor else None,
            "complete": self.complete,
        }

    @classmethod
    def restored(cls, data: dict[str, Any] | None) -> Self:
        if data is None:
            return cls()
        titles = [Title.restored(title) for title in data["titles"]]
        cursor = data["cursor"]
        return cls(
            **{
                **data,
                "titles": {title.item: title for title in titles},
                "cursor": Cursor(cursor[0], frozenset(cursor[1])) if cursor else None,
            }
        )


def collect(kinopub: Kinopub, known: Cursor | None, so_far: Collected, tick: Callable[[Collected], None]) -> Collected:
    """Reads pages, newest row first, until one holds a row that is older than the newest that an earlier run knew.

    Rows shift while one pages. A view that is watched meanwhile moves to the top: what is below moves down and is read
    twice, and the row itself is the next run's, since it is newer than this run's cursor. A row that is removed moves
    what is below up, past the reader: when the count shrinks, it goes back by as many rows.
    """
    while not so_far.complete:
        answer = kinopub.history(so_far.next_page)
        items = answer.pagination.total_items
        if so_far.items is not None and items is not None and items < so_far.items and so_far.next_page > 1:
            so_far.next_page = max(1, so_far.next_page - ceil((so_far.items - items) / LARGEST_PAGE))
            so_far.items = items
            continue
        so_far.items = items
        so_far.pages = answer.pagination.total
        if so_far.cursor is None:
            so_far.cursor = _cursor(answer)
        new = [row for row in answer.history if not _is_known(row.media.id, row.last_seen, known)]
        for row in new:
            _add(so_far, row)
        so_far.complete = (
            any(_is_old(row, known) for row in answer.history)
            or not answer.history
            or (so_far.pages is not None and so_far.next_page >= so_far.pages)
        )
        so_far.next_page += 1
        tick(so_far)
    return so_far


def _cursor(first_page: History) -> Cursor:
    return Cursor(
        last_seen=max((row.last_seen for row in first_page.history), default=0),
        rows=frozenset(_mark(row.media.id, row.last_seen) for row in first_page.history),
    )


def has_news(title: Title, known: Cursor | None) -> bool:
    """Whether a run that starts at this cursor comes upon the title."""
    return any(not _is_known(media, last_seen, known) for media, last_seen in title.rows.items())


def _is_known(media: int, last_seen: int, known: Cursor | None) -> bool:
    """A row of the newest page of an earlier run, or one that is older than all of that page."""
    if known is None or not known.rows:
        return False
    oldest = min(int(mark.partition(":")[2]) for mark in known.rows)
    return _mark(media, last_seen) in known.rows or last_seen < oldest


def _is_old(row: HistoryRow, known: Cursor | None) -> bool:
    """Nothing new comes below it: below a row of the cursor's very second there may be another of that second."""
    return known is not None and row.last_seen < known.last_seen and _is_known(row.media.id, row.last_seen, known)


def _mark(media: int, last_seen: int) -> str:
    return f"{media}:{last_seen}"


def _add(so_far: Collected, row: HistoryRow) -> None:
    item = row.item
    title = so_far.titles.get(item.id) or Title(
        item=item.id,
        type=item.type,
        title=item.title,
        year=item.year,
        imdb=imdb_id(item.imdb),
        details_known=item.tells_imdb,
        rows={},
    )
    if row.media.id not in title.rows:
        so_far.rows += 1
    seen = max(row.last_seen, title.rows.get(row.media.id, 0))
    so_far.titles[item.id] = title.with_row(row.media.id, seen)
