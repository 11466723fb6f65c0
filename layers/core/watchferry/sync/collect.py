"""§4.1.1 of the sync document: Kinopub's history is the list of candidates, and of nothing but candidates.

A row that does not say of which title it is gives no candidate. It may say so later, when the cursor has long passed
it: so it is remembered as a title without a name, whose id is negative, and a later run reads down to it again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from watchferry.clients.kinopub import History, HistoryRow, Item, Kinopub
from watchferry.errors import RetryLater
from watchferry.models import Title, imdb_id
from watchferry.storage.account import Cursor
from watchferry.storage.budgets import PATIENCE
from watchferry.sync.reading import HISTORY_EMPTY, Reading, empty

LIMITED_AT_MOST = 5
"""429s in a row that are waited out here; how long, whoever lets the calls pass decides (storage/budgets.py)."""


@dataclass(slots=True)
class Collected:
    """What has been read so far; survives a checkpoint."""

    titles: dict[int, Title] = field(default_factory=dict)
    rows: int = 0
    reading: Reading = field(default_factory=Reading)
    cursor: Cursor | None = None
    """Of the first page: where the account's cursor goes when all of this has been dealt with."""
    nameless: dict[int, Title] = field(default_factory=dict)
    """Rows that do not say of which title they are."""
    owed: dict[int, Title] = field(default_factory=dict)
    """Such rows of earlier runs, which this one looks at again."""
    witness: Title | None = None
    """Of the newest page, one that is no news: an answer about it tells that the upstream is there."""

    def stored(self) -> dict[str, Any]:
        return {
            "titles": [title.stored() for title in self.titles.values()],
            "rows": self.rows,
            "reading": self.reading.stored(),
            "cursor": [self.cursor.last_seen, sorted(self.cursor.rows)] if self.cursor else None,
            "nameless": [title.stored() for title in self.nameless.values()],
            "owed": [title.stored() for title in self.owed.values()],
            "witness": self.witness.stored() if self.witness else None,
        }

    @classmethod
    def restored(cls, data: dict[str, Any] | None) -> Self:
        if data is None or "reading" not in data:  # or one that an earlier version has kept
            return cls()
        cursor, witness = data["cursor"], data.get("witness")
        return cls(
            **{
                **data,
                **{name: _restored(data.get(name, ())) for name in ("titles", "nameless", "owed")},
                "reading": Reading.restored(data["reading"]),
                "witness": Title.restored(witness) if witness else None,
                "cursor": Cursor(cursor[0], frozenset(cursor[1])) if cursor else None,
            }
        )


def collect(
    kinopub: Kinopub,
    known: Cursor | None,
    so_far: Collected,
    tick: Callable[[Collected], None],
    *,
    before: Cursor | None = None,
    may_be_cleared: Callable[[], bool] = lambda: False,
    pause: Callable[[float], None] = time.sleep,
) -> Collected:
    """Reads pages, newest row first, until one holds a row that is older than the newest that an earlier run knew.

    Rows shift while one pages. A view that is watched meanwhile moves to the top: what is below moves down and is read
    twice, and the row itself is the next run's, since it is newer than this run's cursor. A row that is removed moves
    what is below up, past the reader: when the count shrinks, it goes back by as many rows.

    `before`: the account's cursor, whatever is known. A history that is empty now is believed only if it
    `may_be_cleared`; then the cursor stays. Raises StopRun where the history cannot be read whole (reading.py).
    """
    reading = so_far.reading
    expected = before is not None and bool(before.rows)
    is_news = _news(known, so_far)
    down_to = min((seen for title in so_far.owed.values() for seen in title.rows.values()), default=None)
    while not reading.complete:
        answer = _patiently(kinopub, reading.next_page)
        if not reading.told(answer.pagination, len(answer.history)):
            continue
        if reading.is_at_its_beginning and (so_far.cursor is None or len(answer.history) > len(so_far.cursor.rows)):
            so_far.cursor = _cursor(answer)
        for row in answer.history:
            if is_news(row):
                _add(so_far, row)
            elif row.item is not None and so_far.witness is None:
                so_far.witness = _title(row.item)
        ends = any(_is_old(row, known) and (down_to is None or row.last_seen < down_to) for row in answer.history)
        seconds = reading.took(_rows(answer.history), ends=ends, expected=expected)
        if seconds is not None:
            pause(seconds)
        if reading.note and reading.note["code"] == HISTORY_EMPTY:
            if not may_be_cleared():
                raise empty(reading.note["detail"])
            so_far.cursor = before
        tick(so_far)
    return so_far


def _patiently(kinopub: Kinopub, page: int) -> History:
    """Waits out a 429 if it is short: whoever has read pages is not sent back for one."""
    for _ in range(LIMITED_AT_MOST - 1):
        try:
            return kinopub.history(page)
        except RetryLater as trouble:
            if trouble.code != "rate_limited" or (trouble.after or 0) > PATIENCE:
                raise
    return kinopub.history(page)


def _rows(page: Sequence[HistoryRow]) -> list[str]:
    """What tells the rows of a history apart, one of each unit; those that do not name theirs, within their page."""
    alike: Counter[str] = Counter()
    names = []
    for row in page:
        if row.media:
            names.append(str(row.media.id))
            continue
        name = f"{row.item.id if row.item else ''}@{row.last_seen}"
        alike[name] += 1
        names.append(f"{name}#{alike[name]}")
    return names


def _news(known: Cursor | None, so_far: Collected) -> Callable[[HistoryRow], bool]:
    owed = {place for title in so_far.owed.values() for row in title.rows.items() for place in _places(*row)}
    any_row = any(not _places(*row) for title in so_far.owed.values() for row in title.rows.items())

    def is_news(row: HistoryRow) -> bool:
        place = _media(row), row.last_seen
        return any_row or not _is_known(*place, known) or bool(owed & _places(*place))

    return is_news


def _cursor(first_page: History) -> Cursor:
    return Cursor(
        last_seen=max((row.last_seen for row in first_page.history), default=0),
        rows=frozenset(_mark(_media(row), row.last_seen) for row in first_page.history),
    )


def has_news(title: Title, known: Cursor | None) -> bool:
    """Whether a run that starts at this cursor comes upon the title."""
    return any(not _is_known(media, last_seen, known) for media, last_seen in title.rows.items())


def _is_known(media: int, last_seen: int, known: Cursor | None) -> bool:
    """A row of the newest page of an earlier run, or one that is older than all of that page."""
    if known is None or not known.rows:
        return False
    # Without a time a row is neither old nor a measure of what is.
    oldest = min((seen for mark in known.rows if (seen := int(mark.partition(":")[2]))), default=0)
    return _mark(media, last_seen) in known.rows or 0 < last_seen < oldest


def _is_old(row: HistoryRow, known: Cursor | None) -> bool:
    """Nothing new comes below it: below a row of the cursor's very second there may be another of that second."""
    return known is not None and 0 < row.last_seen < known.last_seen and _is_known(_media(row), row.last_seen, known)


def _mark(media: int, last_seen: int) -> str:
    return f"{media}:{last_seen}"


def _media(row: HistoryRow) -> int:
    return row.media.id if row.media else 0


def _places(media: int, last_seen: int) -> set[tuple[str, int]]:
    """Either tells a row that was remembered: it may come to have what it lacked."""
    return {(name, value) for name, value in (("media", media), ("last_seen", last_seen)) if value}


def _add(so_far: Collected, row: HistoryRow) -> None:
    media = _media(row)
    if row.item is None:
        nameless = -(media or row.last_seen or 1)
        found, title = so_far.nameless, Title(nameless, "", "", None, None, details_known=False, rows={})
    else:
        found, title = so_far.titles, _title(row.item)
    title = found.get(title.item) or title
    if media not in title.rows:
        so_far.rows += 1
    found[title.item] = title.with_row(media, max(row.last_seen, title.rows.get(media, 0)))


def _title(item: Item) -> Title:
    return Title(
        item=item.id,
        type=item.type,
        title=item.title,
        year=item.year,
        imdb=imdb_id(item.imdb),
        details_known=item.tells_imdb,
        rows={},
    )


def _restored(titles: Iterable[dict[str, Any]]) -> dict[int, Title]:
    return {title.item: title for title in map(Title.restored, titles)}
