"""Where the time of a run went, as the stand-ins saw it: when each kind of call came first and last."""

import statistics
from dataclasses import dataclass
from typing import Self

from tests.bench.figures import Figure
from tests.upstreams.app import Entry
from tests.upstreams.stand_ins import Running

LATE = 1.5
"""Seconds between two POSTs from which on the second counts as late; a second is forced, our own budget says 1.05."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Unix seconds."""

    began: float
    ended: float
    history: list[float]
    watching: list[float]
    mapping: list[float]
    """Trakt's searches and seasons."""
    remote: list[float]
    """Pages of Trakt's own history."""
    posts: list[float]
    """Those that were let through."""
    limited: int
    """429s."""

    @classmethod
    def of(cls, upstreams: Running, began: float, ended: float) -> Self:
        kinopub, trakt = upstreams.kinopub, upstreams.trakt
        return cls(
            began,
            ended,
            history=_times(kinopub.requests("^/v1/history")),
            watching=_times(kinopub.requests("^/v1/(watching|items)")),
            mapping=_times(trakt.requests("^/(search|shows)")),
            remote=_times(trakt.requests("^/sync/", "GET")),
            posts=_times([entry for entry in trakt.requests("^/sync/history", "POST") if entry.status != 429]),
            limited=sum(entry.status == 429 for app in (kinopub, trakt) for entry in app.requests()),
        )

    @property
    def trakt_gets(self) -> int:
        return len(self.mapping) + len(self.remote)

    def figures(self) -> list[Figure]:
        marks = [
            ("on the queue, until the first call", self.history[0], ""),
            ("collect", self.watching[0], f"{len(self.history)} pages of Kinopub's history, one after another"),
            ("confirm", self.mapping[0], f"{len(self.watching)} titles"),
            ("map", self.remote[0], f"{len(self.mapping)} calls"),
            ("dedupe, plan, until the first POST", self.posts[0], f"{len(self.remote)} pages of Trakt's history"),
            ("send, until the last POST", self.posts[-1], f"{len(self.posts)} POSTs, {self.limited} times 429"),
            ("settle, until the run was seen as ended", self.ended, ""),
        ]
        starts = [self.began, *(at for _, at, _ in marks)]
        phases = [
            Figure.told(name, at - start, "s", note=note)
            for (name, at, note), start in zip(marks, starts, strict=False)
        ]
        return [*phases, *self._gaps()]

    def _gaps(self) -> list[Figure]:
        gaps = sorted(later - earlier for earlier, later in zip(self.posts, self.posts[1:], strict=False))
        if not gaps:
            return []
        late = [gap for gap in gaps if gap > LATE]
        return [
            Figure.told("between two POSTs, median", statistics.median(gaps), "s", note=f"longest {gaps[-1]:.2f} s"),
            Figure.told("late POSTs", f"{len(late)}", note=f"after more than {LATE} s"),
            Figure.told("lost to late POSTs", sum(late) - len(late), "s", note="beyond a second each"),
            Figure.told("lost between the others", sum(gaps) - sum(late) - len(gaps) + len(late), "s", note="likewise"),
        ]


def _times(entries: list[Entry]) -> list[float]:
    return [entry.at for entry in entries]
