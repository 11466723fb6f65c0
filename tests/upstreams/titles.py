"""What Kinopub has: titles and their units (films' parts, episodes), and what one viewer did with them."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .catalogue import Episode, Movie, Show

SEASON_BASED = ("serial", "docuserial", "tvshow")
MISSING = object()  # an `imdb` key that is not there at all


def halves(name: str) -> list[str]:
    """`Русское / Original`, cut where there are spaces around the slash ("Face/Off" is one name)."""
    return [half.strip() for half in name.split(" / ")]


@dataclass(slots=True, eq=False)
class Unit:
    """What has a media id: an episode, or a part of a film (season 0, numbered from 1).

    `lost` is the reason why Trakt cannot have it although it knows the title: `episode_not_found`.
    """

    media: int
    season: int
    number: int
    title: str
    duration: int
    lost: str = ""


@dataclass(slots=True, eq=False)
class Title:
    """A film or series. `lost` is the reason why none of it can be sent: `not_found` or `ambiguous`.

    `trakt` is what it is on Trakt, kept for checking; Kinopub knows nothing of it.
    """

    id: int
    type: str
    name: str
    year: int
    imdb: Any
    units: list[Unit] = field(default_factory=list)
    subtype: str | None = ""
    row_imdb: Any = None  # what history rows say instead of `imdb`; MISSING for no key
    removed: bool = False  # gone from the catalogue: /v1/items/{id} is 404, /v1/watching still answers
    text_numbers: bool = False  # numbers come as strings
    lost: str = ""
    trakt: Movie | Show | None = None
    created_at: int = 0
    length: int = 0  # of all units, in seconds

    @property
    def season_based(self) -> bool:
        return self.type.lower() in SEASON_BASED

    @property
    def kind(self) -> str:
        return "episode" if self.season_based else "movie"

    def seasons(self) -> dict[int, list[Unit]]:
        found: dict[int, list[Unit]] = {}
        for unit in self.units:
            found.setdefault(unit.season, []).append(unit)
        return found

    def unit(self, season: int, number: int) -> Unit:
        """LookupError where there is no such episode or part."""
        return next(unit for unit in self.units if (unit.season, unit.number) == (season, number))

    def trakt_id(self, unit: Unit) -> int | None:
        """The id of the film or episode that a play of this unit has on Trakt; None where it can have none."""
        if self.lost or unit.lost or self.trakt is None:
            return None
        if isinstance(self.trakt, Movie):
            return self.trakt.trakt
        return self.trakt_episode(unit).trakt

    def trakt_episode(self, unit: Unit) -> Episode:
        assert isinstance(self.trakt, Show)
        return self.trakt.seasons[unit.season].episodes[unit.number]


@dataclass(slots=True)
class State:
    """What /v1/watching says of a unit: status −1 not watched, 0 begun, 1 finished."""

    status: int = -1
    time: int = 0
    updated: int | None = None


@dataclass(slots=True)
class Row:
    """A history row: one per unit; watching again only moves `last_seen`. `counter` is not a number of plays."""

    media: int
    first_seen: int
    last_seen: int
    time: int
    counter: int = 1


class Viewer:
    """A Kinopub user: states by media id, and rows in the order of `last_seen`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.states: dict[int, State] = {}
        self.rows: dict[int, Row] = {}
        self.subscribed: set[int] = set()
        self._order: list[tuple[int, int]] = []

    def state(self, unit: Unit) -> State:
        return self.states.get(unit.media) or State()

    def see(self, unit: Unit, at: int, time: int) -> Row:
        """Adds a row or moves the one that is there."""
        row = self.rows.get(unit.media)
        if row is None:
            row = self.rows[unit.media] = Row(unit.media, at, at, time)
        else:
            self._order.pop(bisect_left(self._order, (row.last_seen, unit.media)))
            row.last_seen, row.time, row.counter = at, time, row.counter + 1
        insort(self._order, (at, unit.media))
        return row

    def delete(self, media: int) -> None:
        """The viewer removes a row from the history."""
        row = self.rows.pop(media)
        self._order.pop(bisect_left(self._order, (row.last_seen, media)))

    def page(self, page: int, size: int) -> Iterator[Row]:
        """Newest first."""
        last = len(self._order) - (page - 1) * size
        return (self.rows[media] for _, media in reversed(self._order[max(last - size, 0) : max(last, 0)]))
