"""When two plays are the same: the one normaliser for both sides (sync document §2.2).

A key is an id, and the time is cut to the minute. Trakt gives several ids per work and Kinopub knows one of them, so a
play has one key per id; two plays are of the same work when any of their keys are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from watchferry.models import Ids, Kind, unix

COMPARED = ("trakt", "imdb", "tmdb", "tvdb")
"""Not the slug: it can be renamed and reused."""


def id_keys(kind: Kind, ids: Ids) -> frozenset[str]:
    """`movie:imdb:tt0133093`, one per id."""
    return frozenset(f"{kind}:{name}:{ids[name]}" for name in COMPARED if name in ids)


@dataclass(slots=True)
class Plays:
    """Plays that are known, to compare others with."""

    minutes: dict[str, list[int]] = field(default_factory=dict)
    """Key → minutes since 1970; a play without a time has a key all the same."""

    def add(self, kind: Kind, ids: Ids, watched_at: int | None) -> None:
        for key in id_keys(kind, ids):
            known = self.minutes.setdefault(key, [])
            if watched_at is not None:
                known.append(watched_at // 60)

    def have(self, kind: Kind, ids: Ids, watched_at: int, within: int | None = 0) -> bool:
        """Whether one of them is this play: so many minutes from it at most; None: at any time, or none."""
        found = [self.minutes[key] for key in id_keys(kind, ids) if key in self.minutes]
        if within is None:
            return bool(found)
        return any(abs(minute - watched_at // 60) <= within for minutes in found for minute in minutes)

    def read(self, kind: Kind, plays: Iterable[tuple[Ids, str | None]]) -> Self:
        """Adds what Trakt's history says."""
        for ids, watched_at in plays:
            self.add(kind, ids, unix(watched_at) if watched_at else None)
        return self
