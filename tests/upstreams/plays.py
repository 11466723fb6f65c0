"""One user's plays on Trakt, kept sorted so that a page of a long history costs no more than of a short one."""

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from random import Random
from typing import Any

from .catalogue import Episode, Movie

Key = tuple[str, int | None]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z")


def utc(milliseconds: int) -> str:
    """Trakt's form of a time: `2014-03-31T09:28:53.000Z`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{milliseconds % 1000:03d}Z"
    )


def milliseconds(text: str) -> int:
    """A UTC time that ends in `Z`; ValueError for anything else (reality: `+03:00` offsets are rejected)."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"not a UTC datetime: {text!r}")
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@dataclass(slots=True, eq=False)
class Play:
    id: int
    at: int  # milliseconds
    thing: Movie | Episode
    action: str
    watched_at: str = ""

    def __post_init__(self) -> None:
        self.watched_at = utc(self.at)

    def lists(self) -> list[Key]:
        """The lists that the play stands in: what `/sync/history/{type}/{id}` can ask for."""
        if isinstance(self.thing, Movie):
            return [("", None), ("movies", None), ("movies", self.thing.trakt)]
        show, season = self.thing.show, self.thing.show.seasons[self.thing.season]
        return [
            ("", None),
            ("episodes", None),
            ("shows", None),
            ("seasons", None),
            ("episodes", self.thing.trakt),
            ("seasons", season.trakt),
            ("shows", show.trakt),
        ]

    def titles(self) -> list[str]:
        """What the play is of, as `kind:id`: a film, or an episode and its show."""
        if isinstance(self.thing, Movie):
            return [f"movie:{self.thing.trakt}"]
        return [f"episode:{self.thing.trakt}", f"show:{self.thing.show.trakt}"]

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id, "watched_at": self.watched_at, "action": self.action}
        if isinstance(self.thing, Movie):
            return shown | {"type": "movie", "movie": self.thing.brief()}
        return shown | {"type": "episode", "episode": self.thing.brief(), "show": self.thing.show.brief()}


class Plays:
    """Plays by what they are of, each list ascending by (time, id)."""

    def __init__(self) -> None:
        self.by_id: dict[int, Play] = {}
        self._lists: dict[Key, list[tuple[int, int]]] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Play]:
        """Newest first."""
        return (self.by_id[play_id] for _, play_id in reversed(self._lists.get(("", None), [])))

    def add(self, play: Play) -> None:
        self.by_id[play.id] = play
        for key in play.lists():
            insort(self._lists.setdefault(key, []), (play.at, play.id))

    def remove(self, play_id: int) -> Play | None:
        play = self.by_id.pop(play_id, None)
        if play:
            for key in play.lists():
                entries = self._lists[key]
                entries.pop(bisect_left(entries, (play.at, play.id)))
        return play

    def count(self, key: Key = ("", None)) -> int:
        return len(self._lists.get(key, []))

    def of(self, thing: Movie | Episode) -> list[Play]:
        key = ("movies" if isinstance(thing, Movie) else "episodes", thing.trakt)
        return [self.by_id[play_id] for _, play_id in self._lists.get(key, [])]

    def page(
        self, key: Key, start: int | None, end: int | None, page: int, limit: int, *, shuffle: Random | None = None
    ) -> tuple[list[Play], int]:
        """One page, newest first, and how many plays there are in the range (both ends included).

        `shuffle` puts plays of one time in an order of its own.
        """
        entries = self._lists.get(key, [])
        low = 0 if start is None else bisect_left(entries, (start, 0))
        high = len(entries) if end is None else bisect_right(entries, (end, 1 << 63))
        total = max(high - low, 0)
        if shuffle:
            mixed = _mixed(entries[low:high], shuffle)[(page - 1) * limit : page * limit]
            return [self.by_id[play_id] for play_id in mixed], total
        last = high - (page - 1) * limit
        chosen = entries[max(last - limit, low) : last] if last > low else []
        return [self.by_id[play_id] for _, play_id in reversed(chosen)], total


def _mixed(entries: list[tuple[int, int]], shuffle: Random) -> list[int]:
    """Ids, newest first; those of one time in any order."""
    mixed: list[int] = []
    for _, same in groupby(reversed(entries), lambda entry: entry[0]):
        ids = [play_id for _, play_id in same]
        shuffle.shuffle(ids)
        mixed += ids
    return mixed
