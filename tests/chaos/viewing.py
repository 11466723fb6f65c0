"""The person at Kinopub: what there is to watch, what was watched, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.actions import Watch
from tests.upstreams import Library, film, series
from tests.upstreams.titles import State, Title, Unit
from watchferry.models import MOVED_AT_LEAST

if TYPE_CHECKING:
    from tests.chaos.world import Chaos

USER = "harry"


@dataclass(slots=True, eq=False)
class Seen:
    """One view as the person knows it: it ought to be one play."""

    times: list[int]
    """Each `watched_at` that Kinopub showed for it; empty when nothing, or only the row, said when."""
    row_at: int | None
    visible: bool = True
    """Kinopub still shows it: no later view or new beginning has taken its place."""
    undone: bool = False
    """Its play was removed by an undo: it must not come back."""


@dataclass(slots=True, eq=False)
class Watchable:
    title: Title
    parts: list[Unit]
    seen: list[Seen] = field(default_factory=list)
    settled: bool = False
    """Its time is not known to us any more (made up by the run): no later view can be told from it."""

    @property
    def trakt_id(self) -> int | None:
        return self.title.trakt_id(self.parts[0])

    @property
    def apart(self) -> int:
        """Seconds from which on two times are two views."""
        return max(sum(part.duration for part in self.parts), MOVED_AT_LEAST)


def small_library(now: float) -> Library:
    """Films: plain, in two parts, without an IMDb id, not on Trakt; a show of three episodes, one not on Trakt."""
    library = Library(now)
    film(library, "Матрица / The Matrix", 1999, "tt0133093", item=113, minutes=20)
    film(library, "Ирония судьбы / The Irony of Fate", 1976, "tt0073179", item=321, minutes=20, parts=2)
    film(library, "Солярис / Solaris", 1972, "tt0069293", item=308, minutes=20, shown=None)
    film(library, "Невидимый город", 2020, "tt9899991", item=311, known=False, lost="not_found")
    series(library, "Укрытие / Silo", 2023, "tt14688458", {1: 3}, item=91_002, minutes=20, without=[(1, 3)])
    return library


class Viewing:
    def __init__(self, chaos: "Chaos") -> None:
        self.chaos = chaos
        library = chaos.upstreams.library
        self.units = [
            Watchable(title, parts)
            for title in library.titles.values()
            for parts in ([[unit] for unit in title.units] if title.season_based else [title.units])
        ]
        self.viewer = library.viewer(USER)

    def _one_of(self, number: int, fits: Callable[[Watchable], bool]) -> Watchable | None:
        """Of the units that fit: most numbers mean something then."""
        fitting = [unit for unit in self.units if fits(unit)]
        return fitting[number % len(fitting)] if fitting else None

    def _is_new(self, unit: Watchable) -> bool:
        """Whether a view now is another one than the last."""
        if not unit.seen:
            return True
        return not unit.settled and int(self.chaos.now) - max(unit.seen[-1].times) >= unit.apart

    def _finished(self, unit: Watchable, at: int | None, row_at: int | None) -> None:
        if all(self.viewer.state(part).status == 1 for part in unit.parts):
            for earlier in unit.seen:
                earlier.visible = False
            unit.seen.append(Seen([] if at is None else [at], row_at))
            unit.settled = at is None

    def watch(self, action: Watch) -> None:
        unit = self._one_of(action.unit, self._is_new)
        if unit is not None:
            self._watch(unit, action)

    def _watch(self, unit: Watchable, action: Watch) -> None:
        now = int(self.chaos.now)
        part = next((part for part in unit.parts if self.viewer.state(part).status != 1), unit.parts[-1])
        by_row = (
            action.timed_by == "row"
            and not unit.seen
            and not any(each.media in self.viewer.rows for each in unit.parts)
        )
        self.viewer.states[part.media] = State(1, part.duration, None if by_row else now)
        self.viewer.see(part, now, part.duration)
        before = len(unit.seen)
        self._finished(unit, None if by_row else now, now)
        if not by_row and action.told and len(unit.seen) > before and unit.trakt_id is not None:
            thing = unit.title.trakt if not unit.title.season_based else unit.title.trakt_episode(unit.parts[0])
            self.chaos.upstreams.trakt.add_play(USER, thing, now)
            unit.settled = True  # at this minute and no other: a time that moves before we see it is another key

    def begin(self, unit: Watchable) -> None:
        part = unit.parts[0]
        self.viewer.states[part.media] = State(0, 5, int(self.chaos.now))
        self.viewer.see(part, int(self.chaos.now), 5)
        for earlier in unit.seen:
            earlier.visible = False

    def finish_unseen(self, number: int) -> None:
        unit = self._one_of(number, lambda unit: self.viewer.state(unit.parts[0]).status == 0 and self._is_new(unit))
        if unit is not None:
            part = unit.parts[0]
            self.viewer.states[part.media] = State(1, part.duration, int(self.chaos.now))
            self._finished(unit, int(self.chaos.now), None)

    def drift(self, number: int, seconds: int) -> None:
        unit = self._one_of(number, lambda unit: bool(unit.seen) and unit.seen[-1].visible and not unit.settled)
        if unit is None:
            return
        seen = unit.seen[-1]
        at = max(seen.times) + seconds
        if at > self.chaos.now or at - seen.times[0] >= unit.apart:
            return
        part = max(unit.parts, key=self._time_of)
        if self.viewer.states[part.media].updated is not None:
            self.viewer.states[part.media].updated = at
        if part.media in self.viewer.rows:
            self.viewer.see(part, at, part.duration)
            seen.row_at = at
        seen.times.append(at)

    def _time_of(self, part: Unit) -> int:
        row = self.viewer.rows.get(part.media)
        return self.viewer.state(part).updated or (row.last_seen if row else 0)

    def mark_show(self, timeless: bool) -> None:
        """The last episode has the row that makes the show a candidate; what has no time was never watched before."""
        show = [unit for unit in self.units if unit.title.season_based]
        now, last = int(self.chaos.now), show[-1]
        if not self._is_new(last):
            return
        for unit in show[:-1]:
            part = unit.parts[0]
            if self.viewer.state(part).status == 1 or not self._is_new(unit) or (timeless and unit.seen):
                continue
            known_time = part.media in self.viewer.rows
            self.viewer.states[part.media] = State(1, part.duration, None if timeless and not known_time else now)
            self._finished(unit, None if timeless and not known_time else now, None)
        self._watch(last, Watch(0))
