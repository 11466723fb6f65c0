"""The person at Kinopub: what there is to watch, what was watched, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from tests.chaos.actions import Watch
from tests.upstreams import Library, film, series
from tests.upstreams.catalogue import Episode, Movie
from tests.upstreams.plays import Play
from tests.upstreams.titles import State, Title, Unit
from watchferry.models import MOVED_AT_LEAST

if TYPE_CHECKING:
    from tests.chaos.world import Chaos

USER = "harry"
OTHERS = 5
"""Films, and episodes, that other programs tell Trakt of."""
ODD_TIMES = (0, -1, 1, 2**31, 1_795_000_000_000)
"""Of `updated`: none of them a time at which anybody watches anything."""


@dataclass(slots=True, eq=False)
class Seen:
    """One view as the person knows it: it ought to be one play."""

    times: list[int]
    """Each `watched_at` that Kinopub showed for it; empty when nothing, or only the row, said when."""
    row_at: int | None
    undone: bool = False
    """Its play was removed by an undo: it must not come back."""
    by_hand: bool = False
    """Its play was removed by the person, at Trakt."""
    since: float = 0.0
    until: float | None = None
    """When a later view or a new beginning took its place at Kinopub."""

    @property
    def visible(self) -> bool:
        return self.until is None

    def is_at(self, at: int) -> bool:
        """Whether a play at that time is this view's: Trakt keeps minutes."""
        return not self.times or at // 60 in {each // 60 for each in self.times}


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
    def thing(self) -> Movie | Episode | None:
        """What it is at Trakt."""
        if self.trakt_id is None:
            return None
        return self.title.trakt_episode(self.parts[0]) if self.title.season_based else self.title.trakt  # type: ignore[return-value]

    @property
    def name(self) -> str:
        return f"{self.title.name} {self.parts[0].season}x{self.parts[0].number}"

    @property
    def apart(self) -> int:
        """Seconds from which on two times are two views."""
        return max(sum(part.duration for part in self.parts), MOVED_AT_LEAST)


def small_library(now: float) -> Library:
    """Films: plain, in two parts, without an IMDb id, not on Trakt; a show of three episodes, one not on Trakt.

    Films, shows and episodes have the same numbers at Trakt. Films and a show that Kinopub does not have, besides.
    """
    library = Library(now)
    library.catalogue.share_numbers()
    film(library, "Матрица / The Matrix", 1999, "tt0133093", item=113, minutes=20)
    film(library, "Ирония судьбы / The Irony of Fate", 1976, "tt0073179", item=321, minutes=20, parts=2)
    film(library, "Солярис / Solaris", 1972, "tt0069293", item=308, minutes=20, shown=None)
    film(library, "Невидимый город", 2020, "tt9899991", item=311, known=False, lost="not_found")
    series(library, "Укрытие / Silo", 2023, "tt14688458", {1: 3}, item=91_002, minutes=20, without=[(1, 3)])
    for n in range(OTHERS):
        library.catalogue.add_movie(f"Elsewhere {n}", 2001 + n)
    library.catalogue.add_show("Elsewhere Too", 2001, {1: range(1, OTHERS + 1)})
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
        self.others: list[Movie | Episode] = list(library.catalogue.movies[-OTHERS:])
        self.strange: set[int] = set()
        """History ids of plays from elsewhere that are of what can be watched here, and no view of it."""
        self.others += library.catalogue.shows[-1].episodes()

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
            self._give_way(unit)
            unit.seen.append(Seen([] if at is None else [at], row_at, since=self.chaos.now))
            unit.settled = at is None

    def _give_way(self, unit: Watchable) -> None:
        for seen in unit.seen:
            seen.until = self.chaos.now if seen.until is None else seen.until

    def watch(self, action: Watch) -> None:
        unit = self._one_of(action.unit, self._is_new)
        if unit is not None:
            self._watch(unit, action)

    def together(self) -> None:
        for unit in self.units:
            if unit.title.id in (113, 311) and self._is_new(unit):
                self._watch(unit, Watch(0))

    def _watch(self, unit: Watchable, action: Watch) -> None:
        now = int(self.chaos.now)
        part = next((part for part in unit.parts if self.viewer.state(part).status != 1), unit.parts[-1])
        by_row = (
            action.timed_by != "updated"
            and not unit.seen
            and not any(each.media in self.viewer.rows for each in unit.parts)
        )
        updated = ODD_TIMES[action.unit % len(ODD_TIMES)] if action.timed_by == "odd" else None
        self.viewer.states[part.media] = State(1, part.duration, updated if by_row else now)
        self.viewer.see(part, now, part.duration)
        before = len(unit.seen)
        self._finished(unit, None if by_row else now, now)
        if not by_row and action.told and len(unit.seen) > before and unit.trakt_id is not None:
            self.chaos.upstreams.trakt.add_play(USER, unit.thing, now)  # type: ignore[arg-type]
            unit.settled = True  # at this minute and no other: a time that moves before we see it is another key

    def begin(self, unit: Watchable) -> None:
        part = unit.parts[0]
        self.viewer.states[part.media] = State(0, 5, int(self.chaos.now))
        self.viewer.see(part, int(self.chaos.now), 5)
        self._give_way(unit)

    def finish_unseen(self, number: int) -> None:
        unit = self._one_of(number, lambda unit: self.viewer.state(unit.parts[0]).status == 0 and self._is_new(unit))
        if unit is not None:
            part = unit.parts[0]
            self.viewer.states[part.media] = State(1, part.duration, int(self.chaos.now))
            self._finished(unit, int(self.chaos.now), None)

    def take_back(self, number: int) -> None:
        """What is finished once more at another time is another view, as it is for the product."""
        unit = self._one_of(number, lambda unit: bool(unit.seen) and unit.seen[-1].visible)
        if unit is not None:
            self.viewer.states[unit.parts[0].media].status = 0
            self._give_way(unit)

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

    # ------------------------------------------------ at Trakt, without us

    def told_elsewhere(self, plays: int, undated: bool) -> None:
        trakt = self.chaos.upstreams.trakt
        if undated:
            things = [unit.thing for unit in self.units if unit.thing is not None]
            self.strange.add(trakt.add_play(USER, things[plays % len(things)], 0).id)
            return
        at = max((time for unit in self.units for seen in unit.seen for time in seen.times), default=self.chaos.now)
        for thing in (*self.others[:plays], *self.others[OTHERS:][:plays]):
            trakt.add_play(USER, thing, at)

    def tell(self, number: int) -> None:
        """What a run is about to send when somebody else tells of it is sent twice, and nobody can help it."""
        unit = self._one_of(number, self._can_be_told)
        if unit is not None and not (self.chaos.account().active_run_id or self.chaos.late):
            self.chaos.upstreams.trakt.add_play(USER, unit.thing, max(unit.seen[-1].times))  # type: ignore[arg-type]
            unit.settled = True

    def _can_be_told(self, unit: Watchable) -> bool:
        last = unit.seen[-1] if unit.seen and unit.thing is not None else None
        told = self.chaos.promises.plays_of(unit)
        if last is None or not last.times or not last.visible or last.undone or last.by_hand:
            return False
        return not any(map(last.is_at, told))

    def told_again(self, pick: int) -> None:
        """Of a play that a run has made, so that nobody can take the other for it: theirs is the newer entry."""
        if ours := self._ours():
            play = ours[pick % len(ours)]
            self.strange.add(self.chaos.upstreams.trakt.add_play(USER, play.thing, play.at / 1000).id)

    def removed_by_hand(self, pick: int) -> None:
        """Not where another program has told of the same: nobody can tell which of the two is left."""
        trakt = self.chaos.upstreams.trakt
        twins = {play.thing for play in trakt.users[USER].plays if play.id in self.strange}
        if ours := [play for play in self._ours() if play.thing not in twins]:
            play = ours[pick % len(ours)]
            trakt.remove_play(USER, play.id)
            self.chaos.promises.removed_by_hand(play)
            for unit in self.units:
                for seen in unit.seen:
                    seen.by_hand |= unit.thing is play.thing and seen.is_at(play.at // 1000)

    def _ours(self) -> list[Play]:
        """Oldest entry first."""
        added = self.chaos.promises.all_added
        return sorted(
            (play for play in self.chaos.upstreams.trakt.users[USER].plays if play.id in added), key=attrgetter("id")
        )

    # ------------------------------------------------ small things

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
