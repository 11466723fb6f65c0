"""Trakt's history, read whole: "this play is not there" can be said of a whole reading only.

Trakt's pages are no snapshot. Rows with equal times may change places between two requests, so that a row at the border
of two pages is on neither; rows of hidden titles are counted and not shown, so that a page in the middle may be short
or empty; the numbers of rows and of pages may be missing or wrong; plays come and go while somebody reads.

A reading is whole when every page answered and two passes found the same plays. Two places prove nothing by that. Of a
minute with rows on both sides of a page border both passes may have missed the same row; and a page before the last
that is short may be so for a while only. For views of these times that were not found, the time is read by itself,
which moves the borders of its pages; a minute that one page does not hold is decided by each title's own history.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from watchferry.clients.trakt import HistoryPage, HistoryType, Trakt
from watchferry.errors import StopRun
from watchferry.models import Ids, Kind, unix
from watchferry.sync.keys import Plays, Within, id_keys

HISTORY: dict[Kind, HistoryType] = {"movie": "movies", "episode": "episodes"}

MOST_PASSES = 6
"""Passes after which the reading is given up: two in a row never found the same plays."""
MOST_PAGES = 4_000
"""Pages of one pass: a million plays."""
MOST_UNCOUNTED_PAGES = 400
"""Pages of one pass where Trakt does not say how many there are."""
EMPTY_PAGES = 5
"""Empty pages in a row which are the end where Trakt does not say how many pages there are."""
STALE_PAGES = 2
"""Pages in a row without one new row, after which Trakt repeats itself."""

type Wanted = Sequence[tuple[Ids, int]]
"""Trakt's ids and the time (unix seconds) of each view that the reading has to find or to rule out."""


class _Row(NamedTuple):
    minute: int | None
    keys: frozenset[str]


type _Rows = dict[int, _Row]
"""By Trakt's history id."""


@dataclass(slots=True)
class _Reading:
    rows: _Rows = field(default_factory=dict)
    borders: set[int] = field(default_factory=set)
    """Minutes with rows on several pages."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """First and last minute of what a short page before the last may have left out."""

    def sure(self, borders: set[int]) -> set[int]:
        return {play for play, row in self.rows.items() if row.minute not in borders}


@dataclass(frozen=True, slots=True)
class _Range:
    """What is read: plays of one kind between two times, or of one title alone."""

    kind: Kind
    start_at: int
    end_at: int
    title: int | None = None


@dataclass(slots=True)
class HistoryReader:
    trakt: Trakt
    tick: Callable[[], None] = lambda: None
    """Called after every page; may raise."""

    def read(
        self,
        kind: Kind,
        wanted: Wanted,
        *,
        within: Within = 0,
        between: tuple[float, float] | None = None,
        into: Plays | None = None,
    ) -> Plays:
        """The plays of one kind, whole as far as the wanted views are concerned.

        `between`: the two times (unix seconds) that are read; else the earliest and the latest of what is wanted. Trakt
        keeps times to the minute, so the range is widened to whole minutes. `into`: where the plays are added. Raises
        StopRun `upstream_incomplete` for a reading that cannot be made whole, and what the client raises.
        """
        plays = into if into is not None else Plays()
        if not wanted:
            return plays
        times = [at for _, at in wanted]
        start, end = between or (min(times), max(times))
        everything = _Range(kind, max(0, _minute(start) - 1) * 60, (_minute(end) + 2) * 60)
        page = self._page(everything, 1)
        if page.pages and (calls := _calls_by_title(kind, wanted)) is not None and calls < 2 * page.pages - 1:
            self._add_titles(everything, [ids for ids, _ in wanted], plays)
            return plays

        decided: set[frozenset[str]] = set()
        """Works whose own history has been read."""

        def undecided(first: int, last: int) -> list[Ids]:
            """Which of the views between the two minutes were not found."""
            return [
                ids
                for ids, at in wanted
                if (within is None or first - within <= _minute(at) <= last + within)
                and id_keys(kind, ids) not in decided
                and not plays.have(kind, ids, at, within)
            ]

        reading = self._whole(everything, page)
        _add(plays, reading.rows)
        borders = set(reading.borders)
        gaps = list(reading.gaps)
        while gaps:
            first, last = gaps.pop()
            if undecided(first, last):
                again = self._whole(_minutes(kind, first, last))
                _add(plays, again.rows)
                borders |= again.borders
                gaps += [gap for gap in again.gaps if gap[1] - gap[0] < last - first]
        for minute in sorted(borders):
            if undecided(minute, minute) and not self._is_one_page(kind, minute, plays):
                works = undecided(minute, minute)
                if _calls_by_title(kind, [(ids, 0) for ids in works]) is None:
                    raise _incomplete("more plays of one minute than a page holds")
                self._add_titles(everything, works, plays)
                decided |= {id_keys(kind, ids) for ids in works}
        return plays

    def _is_one_page(self, kind: Kind, minute: int, plays: Plays) -> bool:
        """Reads a minute by itself. Whether one page has held it, so that none of its rows was missed."""
        reading = self._whole(_minutes(kind, minute, minute))
        _add(plays, reading.rows)
        return minute not in reading.borders

    def _add_titles(self, range_: _Range, works: Iterable[Ids], plays: Plays) -> None:
        for ids in {id_keys(range_.kind, ids): ids for ids in works}.values():
            title = self._trakt_id(ids)
            if title is not None:
                _add(plays, self._whole(replace(range_, title=title)).rows)

    def _trakt_id(self, ids: Ids) -> int | None:
        """None for a film that Trakt does not know: it has no plays."""
        if "trakt" in ids:
            return int(ids["trakt"])
        hits = self.trakt.search_id("imdb", ids["imdb"], "movie").hits
        return next((hit.movie.trakt for hit in hits if hit.movie is not None), None)

    def _whole(self, range_: _Range, first: HistoryPage | None = None) -> _Reading:
        """What two passes in a row agree upon, and what either saw of the minutes of which rows may have been missed.

        `first`: the first pass's first page, where it has been read.
        """
        seen: _Rows = {}
        borders: set[int] = set()
        before: _Reading | None = None
        for _ in range(MOST_PASSES):
            reading = self._pass(range_, first)
            first = None
            seen |= reading.rows
            borders |= reading.borders
            if before is not None and reading.sure(borders) == before.sure(borders):
                on_borders = {play: row for play, row in seen.items() if row.minute in borders}
                return _Reading(reading.rows | on_borders, borders, reading.gaps)
            before = reading
        raise _incomplete("each reading of it finds other plays")

    def _pass(self, range_: _Range, page: HistoryPage | None = None) -> _Reading:
        """Every page once."""
        reading = _Reading()
        rows = reading.rows
        minutes: list[list[int]] = []
        """Of each page's rows, as far as they have a time."""
        end = _EndOfPages()
        for number in range(1, MOST_PAGES + 1):
            page = page or self._page(range_, number)
            found = {play.id: _row(range_.kind, play.ids, play.watched_at) for play in page.plays}
            there = [row.minute for row in found.values() if row.minute is not None]
            reading.borders |= {row.minute for row in rows.values() if row.minute is not None} & set(there)
            minutes.append(there)
            new = found.keys() - rows.keys()
            rows |= found
            if end.reached(number, page, new_rows=len(new), rows=len(rows)):
                reading.gaps = _gaps(range_, minutes, end.pages or 0)
                return reading
            page = None
        raise _incomplete(f"it has more than {MOST_PAGES} pages")

    def _page(self, range_: _Range, number: int) -> HistoryPage:
        page = self.trakt.history(HISTORY[range_.kind], range_.start_at, range_.end_at, number, range_.title)
        self.tick()
        return page


@dataclass(slots=True)
class _EndOfPages:
    """When a pass has come to its end. An empty or a short page alone is no end."""

    pages: int | None = None
    items: int | None = None
    empty: int = 0
    stale: int = 0

    def reached(self, number: int, page: HistoryPage, *, new_rows: int, rows: int) -> bool:
        """Raises StopRun when there is none: Trakt repeats itself, or never says how much there is."""
        self.pages = page.pages or self.pages
        self.items = page.items if page.items is not None else self.items
        self.empty = 0 if page.plays else self.empty + 1
        self.stale = self.stale + 1 if page.plays and not new_rows else 0
        if self.stale >= STALE_PAGES:
            raise _incomplete("it answers the same page again and again")
        if self.pages is None:
            if number >= MOST_UNCOUNTED_PAGES:
                raise _incomplete("it never says how many pages there are")
            return self.empty >= EMPTY_PAGES or (self.items is not None and rows >= self.items)
        if number < self.pages:
            return False
        # The last page by its count. A full one may have a successor that the count does not know of, and so may one
        # that leaves rows out; the rows of hidden titles are never shown, and an empty page ends the search for them.
        more = page.plays and (len(page.plays) >= page.limit or (self.items is not None and rows < self.items))
        return not more


def _calls_by_title(kind: Kind, wanted: Wanted) -> int | None:
    """Calls that it takes to read the history of each title; None where one of them has no history of its own."""
    works = {id_keys(kind, ids): ids for ids, _ in wanted}.values()
    if not all("trakt" in ids or (kind == "movie" and "imdb" in ids) for ids in works):
        return None
    return sum(2 if "trakt" in ids else 3 for ids in works)


def _row(kind: Kind, ids: Ids, watched_at: str | None) -> _Row:
    return _Row(_minute(unix(watched_at)) if watched_at else None, id_keys(kind, ids))


def _add(plays: Plays, rows: _Rows) -> None:
    for play_id, row in rows.items():
        plays.add_keys(row.keys, row.minute, play_id)


def _gaps(range_: _Range, pages: Sequence[Sequence[int]], counted: int) -> list[tuple[int, int]]:
    """What may be missing of each short page before the last: from the page after it to the one before it.

    `pages`: the minutes of each page's rows. `counted`: how many pages Trakt says that there are; of these the last may
    not be empty either.
    """
    full = max(map(len, pages), default=0)
    last = max((number for number, page in enumerate(pages) if page), default=0)
    gaps = []
    for number, page in enumerate(pages):
        if len(page) < full and (number < last or (not page and number < counted)):
            newest = min((min(before) for before in pages[:number] if before), default=_minute(range_.end_at))
            oldest = max((max(after) for after in pages[number + 1 :] if after), default=_minute(range_.start_at))
            gaps.append((min(oldest, newest), newest))
    return gaps


def _minutes(kind: Kind, first: int, last: int) -> _Range:
    """From one minute to another, and a little beyond, since Trakt may compare times that it has cut."""
    return _Range(kind, max(0, first - 1) * 60, last * 60 + 119)


def _minute(at: float) -> int:
    return int(at // 60)


def _incomplete(why: str) -> StopRun:
    detail = f"Trakt's history could not be read whole: {why}. The next run goes on."
    return StopRun("upstream_incomplete", detail, service="trakt")
