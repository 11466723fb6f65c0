"""The library: what Kinopub has, what each viewer saw, what Trakt had before, and what must become of every view.

The expected outcome of a view is written down where the view is made, by hand, never worked out from program code: a
title's or unit's `lost` is a fact about the catalogue, and a view that Trakt had already says so itself.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Literal

from .catalogue import Catalogue, Episode, Movie
from .titles import State, Title, Unit, Viewer, halves

DEFAULT_USER = "harry"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of one view (one film or one episode, at one time).

    `watched_at` is unix seconds, None where nothing says when (a sent view then carries the time of the run) and for
    what was not finished. `reason` is "" for what is sent, or `timestamp_missing`. `generation` is 0 for the library
    as it was built and counts the mutations after it; `visible` is False for a view that a later one has replaced on
    Kinopub (a run between the two saw it). `media` of a film in parts is the part whose time counts.
    """

    kind: Literal["movie", "episode"]
    title: str
    season: int
    number: int
    watched_at: int | None
    outcome: Literal["sent", "skipped"]
    reason: str
    year: int
    item: int
    media: int
    trakt_id: int | None
    generation: int = 0
    visible: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class View:
    """One view as it was made: of an episode or film, at a time, finished or not."""

    title: Title
    unit: Unit
    at: int | None
    finished: bool
    had: bool = False  # Trakt had it, at the same minute
    generation: int = 0


class Library:
    """Titles, viewers and expectations. Times are unix seconds and lie before `now`."""

    def __init__(self, now: float | None = None, seed: int = 1) -> None:
        self.now = int(time.time() if now is None else now)
        self.random = Random(seed)
        self.catalogue = Catalogue()
        self.titles: dict[int, Title] = {}
        self.by_media: dict[int, tuple[Title, Unit]] = {}
        self.viewers: dict[str, Viewer] = {}
        self.seeds: list[tuple[str, Movie | Episode, int]] = []  # plays that Trakt has from elsewhere
        self.generation = 0
        self.clock = time.time  # for what is watched "now"; `Upstreams` puts in its own, and its lock
        self.lock: Any = threading.RLock()
        self._views: dict[str, dict[tuple[int, int], list[View]]] = {}
        self._at: dict[tuple[str, int], int | None] = {}
        self._media = 300_000

    # ---- titles

    def add(self, title: Title, seasons: Mapping[int, Iterable[int]], minutes: int) -> Title:
        """Adds a title with units numbered as given ({0: [1]} for a film); media ids are made here."""
        for season, numbers in seasons.items():
            for number in numbers:
                self._media += 3
                name = f"Серия {number} / Episode {number}" if season or title.season_based else ""
                duration = minutes * 60 + self._media % 240
                unit = Unit(self._media, season, number, name, duration)
                title.units.append(unit)
                title.length += duration
                self.by_media[unit.media] = (title, unit)
        title.created_at = self.now - 1_500 * 86_400 - title.id % 1_000
        self.titles[title.id] = title
        return title

    def find(self, item: int | str) -> Title:
        """A title by its id or by one of its names; LookupError where there is none."""
        if isinstance(item, int):
            return self.titles[item]
        for title in self.titles.values():
            if item in (title.name, *halves(title.name)):
                return title
        raise LookupError(f"no title {item!r}")

    def viewer(self, user: str) -> Viewer:
        """The viewer of that name, made where there is none."""
        return self.viewers.setdefault(user, Viewer(user))

    # ---- views

    def finish(
        self,
        user: str,
        title: Title,
        unit: Unit,
        at: int | None,
        *,
        row: bool = True,
        updated: bool = True,
        had: bool = False,
    ) -> None:
        """A finished view at a time: what the unit's `updated` says, or (`updated=False`) only its row.

        `row=False` finishes without a row: bulk marking does. Without either nothing says when.
        """
        viewer = self.viewer(user)
        lag = self.random.randrange(90)
        watched = (
            unit.duration if self.random.random() < 0.7 else int(unit.duration * self.random.choice([0, 0.88, 1.02]))
        )
        viewer.states[unit.media] = State(1, watched, at if updated else None)
        if row and at is not None:
            viewer.see(unit, at + lag if updated else at, watched)
        self._note(user, View(title, unit, at, finished=self._all_finished(viewer, title), had=had))

    def begin(self, user: str, title: Title, unit: Unit, at: int, status: int = 0) -> None:
        """A view that is not finished: status 0, or −1 with a row."""
        viewer = self.viewer(user)
        watched = unit.duration // 5 if status == 0 else 0
        viewer.states[unit.media] = State(status, watched, at)
        viewer.see(unit, at, watched)
        self._note(user, View(title, unit, None, finished=False))

    def _all_finished(self, viewer: Viewer, title: Title) -> bool:
        return title.season_based or all(viewer.state(unit).status == 1 for unit in title.units)

    def _note(self, user: str, view: View) -> None:
        """A film is one unit, at the time of its latest part. What was unfinished, or is as new, gives way."""
        media = view.unit.media
        if not view.title.season_based:
            self._at[user, media] = view.at
            view.unit = max(view.title.units, key=lambda unit: self._at.get((user, unit.media)) or 0)
            view.at = self._at.get((user, view.unit.media))
            media = 0
        views = self._views.setdefault(user, {}).setdefault((view.title.id, media), [])
        if views and (views[-1].generation == self.generation or not views[-1].finished):
            views.pop()
        view.generation = self.generation
        views.append(view)

    def seed(self, user: str, thing: Movie | Episode, at: int) -> None:
        """A play that Trakt has before anything is synced."""
        self.seeds.append((user, thing, at))

    # ---- what tests change

    def watch(
        self,
        user: str,
        item: int | str,
        season: int = 0,
        number: int = 1,
        at: float | None = None,
        *,
        row: bool = True,
    ) -> int:
        """The viewer finishes a film or an episode (once more, if it was finished before), now or at a time.

        `row=False` finishes it without a new row. Returns the media id.
        """
        title = self.find(item)
        unit = title.unit(season, number)
        with self.lock:
            self.generation += 1
            self.finish(user, title, unit, self._when(at), row=row)
        return unit.media

    rewatch = watch

    def _when(self, at: float | None) -> int:
        return int(self.clock() if at is None else at)

    def drift(self, user: str, item: int | str, season: int = 0, number: int = 1, seconds: int = 60) -> int:
        """`updated` and the row move a little, as during the credits: the same view, so nothing new is expected.

        Only for a view that a run has seen: a first run would see the moved time.
        """
        unit = self.find(item).unit(season, number)
        viewer = self.viewer(user)
        with self.lock:
            state = viewer.states[unit.media]
            if state.updated is not None:
                state.updated += seconds
            if row := viewer.rows.get(unit.media):
                viewer.see(unit, row.last_seen + seconds, row.time)
        return unit.media

    def start(self, user: str, item: int | str, season: int = 0, number: int = 1, at: float | None = None) -> int:
        """The viewer begins a film or an episode and does not finish it."""
        title = self.find(item)
        unit = title.unit(season, number)
        with self.lock:
            self.generation += 1
            self.begin(user, title, unit, self._when(at))
        return unit.media

    def take_back(self, user: str, item: int | str, season: int = 0, number: int = 1) -> int:
        """Status 1 came too early: it is 0 again, with row and time as they were."""
        title = self.find(item)
        unit = title.unit(season, number)
        viewer = self.viewer(user)
        with self.lock:
            self.generation += 1
            viewer.states[unit.media].status = 0
            self._note(user, View(title, unit, None, finished=False))
        return unit.media

    def mark_season(self, user: str, item: int | str, season: int, at: float | None = None) -> list[int]:
        """Bulk marking: a whole season finished in one second, without rows."""
        title = self.find(item)
        stamp = self._when(at)
        units = title.seasons()[season]
        with self.lock:
            self.generation += 1
            for unit in units:
                self.finish(user, title, unit, stamp, row=False)
        return [unit.media for unit in units]

    def bump(self, user: str, media: int, at: float | None = None) -> None:
        """Opens a unit again: its row moves to the front. That is a new view only where the row alone says when."""
        title, unit = self.by_media[media]
        viewer = self.viewer(user)
        with self.lock:
            viewer.see(unit, self._when(at), viewer.rows[media].time)
            state = viewer.state(unit)
            if state.status == 1 and state.updated is None:
                self.generation += 1
                self._note(user, View(title, unit, self._when(at), finished=self._all_finished(viewer, title)))

    def delete_row(self, user: str, media: int) -> None:
        """The viewer removes a row; the unit stays as it is.

        What is expected does not change: another row must keep the title a candidate, and `updated` must say when.
        """
        with self.lock:
            self.viewer(user).delete(media)

    def unwatched(self, user: str) -> list[dict[str, Any]]:
        """Units that the viewer could still watch and that Trakt would take."""
        viewer = self.viewer(user)
        return [
            {"item": title.id, "title": title.name, "kind": title.kind, "season": unit.season, "number": unit.number}
            for title in self.titles.values()
            for unit in title.units
            if viewer.state(unit).status != 1 and title.trakt_id(unit) is not None
        ]

    # ---- what must come of it

    def expected(self, user: str = DEFAULT_USER, every: bool = False) -> list[Expected]:
        """One entry for each film or episode that has an outcome; `every` adds the views that later ones replaced."""
        return [
            _expected(view, visible=view is views[-1])
            for views in self._views.get(user, {}).values()
            for view in (views if every else views[-1:])
        ]


def _expected(view: View, visible: bool) -> Expected:
    title, unit = view.title, view.unit
    reason = (
        "not_completed"
        if not view.finished
        else title.lost or unit.lost or ("duplicate" if view.had else "timestamp_missing" if view.at is None else "")
    )
    return Expected(
        kind="episode" if title.season_based else "movie",
        title=title.name,
        season=unit.season,
        number=unit.number if title.season_based else 0,
        watched_at=view.at if view.finished else None,
        outcome="sent" if reason in ("", "timestamp_missing") else "skipped",
        reason=reason,
        year=title.year,
        item=title.id,
        media=unit.media,
        trakt_id=title.trakt_id(unit),
        generation=view.generation,
        visible=visible,
    )
