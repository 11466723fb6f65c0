"""When two plays are the same: the one normaliser for both sides (sync document §2.2).

A key is an id, and the time is cut to the minute. Trakt gives several ids per work and Kinopub knows one of them, so a
play has one key per id; two plays are of the same work when any of their keys are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchferry.models import Ids, Kind

COMPARED = ("trakt", "imdb", "tmdb", "tvdb")
"""Not the slug: it can be renamed and reused."""

PLANNED = 0
"""In a history id's place, for a play that is not at Trakt yet."""

type Within = int | None
"""Minutes that may lie between two plays which count as one; None: however many (SyncSettings.one_play_within)."""


def id_keys(kind: Kind, ids: Ids) -> frozenset[str]:
    """`movie:imdb:tt0133093`, one per id."""
    return frozenset(f"{kind}:{name}:{ids[name]}" for name in COMPARED if name in ids)


@dataclass(slots=True)
class Plays:
    """Plays that are known, to compare others with."""

    by_key: dict[str, list[tuple[int | None, int]]] = field(default_factory=dict)
    """Key → (minute since 1970, Trakt's history id) of each play; a play without a time has a key all the same."""

    def add(self, kind: Kind, ids: Ids, watched_at: int | None, play_id: int = PLANNED) -> None:
        self.add_keys(id_keys(kind, ids), None if watched_at is None else watched_at // 60, play_id)

    def add_keys(self, keys: frozenset[str], minute: int | None, play_id: int) -> None:
        for key in keys:
            self.by_key.setdefault(key, []).append((minute, play_id))

    def have(self, kind: Kind, ids: Ids, watched_at: int, within: Within = 0) -> bool:
        """Whether one of them is this play: so many minutes from it at most; None: at any time, or none."""
        return any(True for _ in self.history_ids(kind, ids, watched_at, within))

    def history_ids(self, kind: Kind, ids: Ids, watched_at: int, within: Within = 0) -> Iterator[int]:
        """Of each of them that is this play, perhaps several times."""
        for key in id_keys(kind, ids):
            for minute, play_id in self.by_key.get(key, ()):
                if within is None or (minute is not None and abs(minute - watched_at // 60) <= within):
                    yield play_id
