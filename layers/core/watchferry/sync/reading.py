"""When Kinopub's history has been read to its end: its pages and its counts do not always agree. Pure: no I/O.

A page may be empty or short for a moment though more follow; counts may be missing, or tell of too few pages or rows.
So a page that lacks rows is asked again, and a reading that does not give as many rows as are counted is made again,
from the first page on. What two readings agree on is believed, and the run says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import ceil
from typing import Any, Self

from watchferry.clients.kinopub import LARGEST_PAGE, Pagination
from watchferry.errors import StopRun

MOST_PAGES = 1000
MOST_PASSES = 5
MOST_STEPS_BACK = 50
MOST_EMPTY = 10
"""Empty pages in a row, whatever is counted."""
ASKED_AGAIN_AFTER = (1.0, 2.0, 4.0)
"""Seconds before a page that lacks rows is asked again, each time."""
FRUITLESS = 3
"""Pages that still lacked rows when they had been asked again; after so many it is not tried with others."""
AT_THE_END = 2
"""Pages in a row that are empty, or bring no row that is new, after which no more come."""

COUNT_DIFFERS = "count_differs"
HISTORY_EMPTY = "history_empty"


@dataclass(slots=True)
class Reading:
    """How far it has come; survives a checkpoint."""

    next_page: int = 1
    pages: int | None = None
    """As counted; None while nobody said."""
    items: int | None = None
    most: int | None = None
    """Rows as counted: now, and at most since the first page."""
    per_page: int = 0
    """Rows of a full page, as told; 0 while nobody said."""
    longest: int = 0
    """Rows of the longest page."""
    passes: list[set[str]] = field(default_factory=lambda: [set()])
    """The rows that each reading from the first page on has come upon."""
    asked_again: int = 0
    """How often the page has been."""
    has_news: bool = False
    """The page brought a row that this pass had not come upon."""
    fruitless: int = 0
    lacking: bool = False
    """A page of this pass lacked rows, however often it was asked."""
    empty: int = 0
    barren: int = 0
    """Pages in a row until now that are empty, or bring nothing new."""
    furthest: int = 0
    steps_back: int = 0
    complete: bool = False
    note: Mapping[str, str] | None = None
    """What the run has to say of it."""

    def stored(self) -> dict[str, Any]:
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        return kept | {"passes": [sorted(rows) for rows in self.passes]}

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "passes": [set(rows) for rows in data["passes"]]})

    @property
    def is_at_its_beginning(self) -> bool:
        """Nothing has been read but what the first page may have shown."""
        return self.next_page == 1 and self.furthest == 0 and len(self.passes) == 1

    @property
    def size(self) -> int:
        """Rows of a full page, as far as anybody knows."""
        return self.per_page or self.longest or LARGEST_PAGE

    @property
    def is_covered(self) -> bool:
        """As many rows were read as are counted."""
        return self.items is not None and len(set().union(*self.passes)) >= self.items

    def told(self, counts: Pagination, rows: int) -> bool:
        """What a page says of the whole. False: rows have gone, and others slid up, past the reader: it goes back."""
        items = counts.total_items or self.items
        fewer = (self.items or 0) - (items or 0)
        self.barren = 0 if fewer < 0 else self.barren  # what is new pushes others down: these come twice
        self.items, self.most = items, max(items or 0, self.most or 0) or None
        if fewer > 0 and self.next_page > 1:
            self.steps_back += 1
            if self.steps_back > MOST_STEPS_BACK:
                raise incomplete("its count of rows falls again and again")
            self.next_page = max(1, self.next_page - ceil(fewer / min(self.size, self.longest or self.size)))
            self.asked_again, self.has_news = 0, False
            return False
        self.per_page = min(counts.perpage or self.per_page, LARGEST_PAGE)
        self.longest = max(self.longest, rows)
        self.pages = max(counts.total or 0, ceil((items or 0) / self.size)) or self.pages
        if self._says_that_it_is_empty(counts, rows):
            self.pages = 0
        return True

    def _says_that_it_is_empty(self, counts: Pagination, rows: int) -> bool:
        nothing = counts.total_items == 0 and (counts.total or 0) <= 1
        return self.is_at_its_beginning and not rows and (nothing or (counts.total == 0 and self.items is None))

    def took(self, rows: Sequence[str], *, ends: bool, expected: bool) -> float | None:
        """A page's rows. Seconds after which the page has to be asked again, or None: it goes on, or is complete.

        `ends`: what comes below them has been dealt with; `expected`: there are rows, as an earlier run has seen.
        Raises StopRun where it cannot be made whole.
        """
        here = self.passes[-1]
        self.has_news = self.has_news or not here.issuperset(rows)
        here.update(rows)
        if not ends and self._lacks(len(rows), expected=expected):
            if self.asked_again < len(ASKED_AGAIN_AFTER) and self.fruitless < FRUITLESS:
                self.asked_again += 1
                return ASKED_AGAIN_AFTER[self.asked_again - 1]
            self.fruitless += 1
            self.lacking = True
        if not rows and self.is_at_its_beginning and self._is_over_at_once(expected=expected):
            self.complete = True
            return None
        if rows and self.empty and self.pages is None:
            self.lacking = True  # the empty page before this one was not the last
        self._count_page(len(rows))
        if ends or self._is_over(len(rows)):
            self._end_pass(ends=ends)
        else:
            self.next_page += 1
        return None

    def _lacks(self, rows: int, *, expected: bool) -> bool:
        if self.is_covered:
            return False
        if self.pages is None or self.next_page > self.pages:
            return expected and not rows and self.next_page == 1
        if self.next_page < self.pages:
            return rows < self.size
        return rows < max(1, (self.items or 0) - (self.pages - 1) * self.size)

    def _is_over_at_once(self, *, expected: bool) -> bool:
        """The first page is empty."""
        if self.items or self.pages:
            counted = f"{self.items} rows" if self.items else f"{self.pages} pages"
            raise empty(f"Kinopub counts {counted} in the history and shows none")
        if expected:
            detail = "Kinopub shows an empty history; what it held before has been dealt with"
            self.note = {"code": HISTORY_EMPTY, "detail": detail, "service": "kinopub"}
        return expected

    def _count_page(self, rows: int) -> None:
        self.empty = 0 if rows else self.empty + 1
        if self.has_news:
            self.barren = 0
        elif rows and self.next_page > self.furthest:
            self.barren += 1
        self.furthest = max(self.furthest, self.next_page)
        self.asked_again, self.has_news = 0, False

    def _is_over(self, rows: int) -> bool:
        page = self.next_page
        if self.barren >= AT_THE_END:
            if self.is_covered or (self.items is None and rows < self.size):
                return True  # it repeats its last page
            raise incomplete("its pages repeat themselves")
        if self.pages is not None and page >= self.pages and rows < (self.per_page or LARGEST_PAGE):
            return True
        if self.empty >= AT_THE_END and (self.pages is None or self.is_covered):
            return True
        if self.empty >= MOST_EMPTY:
            self.lacking = True
            return True
        if page >= MOST_PAGES:
            raise incomplete(f"it has more than {MOST_PAGES} pages")
        return False

    def _end_pass(self, *, ends: bool) -> None:
        if not self._differs(ends=ends):
            self.complete = True
        elif len(self.passes) > 1 and self.passes[-1] == self.passes[-2]:
            self.complete = True
            self.note = {"code": COUNT_DIFFERS, "detail": self._difference(), "service": "kinopub"}
        elif len(self.passes) >= MOST_PASSES:
            raise incomplete(f"{self._difference()}, and every reading shows others")
        else:
            self.passes.append(set())
            self.next_page, self.furthest, self.empty, self.barren = 1, 0, 0, 0
            self.lacking, self.most = False, self.items

    def _differs(self, *, ends: bool) -> bool:
        if ends or self.items is None:
            return self.lacking
        return not self.is_covered or len(self.passes[-1]) > (self.most or 0)

    def _difference(self) -> str:
        shown = len(set().union(*self.passes))
        if self.items is None or shown == self.items:
            return "pages of Kinopub's history are shorter than it says that they are"
        return f"Kinopub counts {self.items} rows in the history and shows {shown}"


def incomplete(why: str) -> StopRun:
    return StopRun("upstream_incomplete", f"Kinopub's history could not be read whole: {why}", service="kinopub")


def empty(detail: str) -> StopRun:
    return StopRun("upstream_empty", detail, service="kinopub")
