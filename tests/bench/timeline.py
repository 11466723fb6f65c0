"""Where the time of a run went, as the stand-ins saw it: when each kind of call came first and last."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
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
    refused: list[float]
    """POSTs that got a 429."""

    @classmethod
    def of(cls, upstreams: Running, began: float, ended: float) -> Self:
        kinopub, trakt = upstreams.kinopub, upstreams.trakt
        posts = trakt.requests("^/sync/history", "POST")
        return cls(
            began,
            ended,
            history=_times(kinopub.requests("^/v1/history")),
            watching=_times(kinopub.requests("^/v1/(watching|items)")),
            mapping=_times(trakt.requests("^/(search|shows)")),
            remote=_times(trakt.requests("^/sync/", "GET")),
            posts=_times(entry for entry in posts if entry.status != 429),
            refused=_times(entry for entry in posts if entry.status == 429),
        )

    @property
    def trakt_gets(self) -> int:
        return len(self.mapping) + len(self.remote)

    @property
    def sending(self) -> float:
        """Seconds from the first POST to the last."""
        return self.posts[-1] - self.posts[0] if self.posts else 0.0

    @property
    def share_refused(self) -> float:
        return len(self.refused) / max(1, len(self.refused) + len(self.posts))

    def figures(self) -> list[Figure]:
        """Each phase ends where the next begins; one that makes no call takes no time."""
        phases = [
            ("on the queue, until the first call", self.history[:1], ""),
            ("collect", self.watching[:1], f"{len(self.history)} pages of Kinopub's history, one after another"),
            ("confirm", self.mapping[:1], f"{len(self.watching)} titles"),
            ("map", self.remote[:1], f"{len(self.mapping)} calls"),
            ("dedupe, plan, until the first POST", self.posts[:1], f"{len(self.remote)} pages of Trakt's history"),
            ("send, until the last POST", self.posts[-1:], f"{len(self.posts)} POSTs"),
            ("settle, until the run was seen as ended", [self.ended], ""),
        ]
        found, start = [], self.began
        for name, end, note in phases:
            found.append(Figure.told(name, (end or [start])[0] - start, "s", note=note))
            start = (end or [start])[0]
        return [*found, *self._gaps()]

    def _gaps(self) -> list[Figure]:
        gaps = [(later - earlier, earlier, later) for earlier, later in pairwise(self.posts)]
        if not gaps:
            return []
        late = [gap for gap, _, _ in gaps if gap > LATE]
        refused = sum(gap > LATE and any(a < at < b for at in self.refused) for gap, a, b in gaps)
        lost = sum(gap - 1 for gap, _, _ in gaps)
        return [
            Figure.told("between two POSTs, median", statistics.median(gap for gap, _, _ in gaps), "s"),
            Figure.told("  longest", max(gap for gap, _, _ in gaps), "s"),
            Figure.told("POSTs refused with 429", f"{len(self.refused)}"),
            Figure.told("late POSTs", f"{len(late)}", note=f"more than {LATE} s after the last, {refused} past a 429"),
            Figure.told("  lost to them", sum(late) - len(late), "s", note="beyond a second each"),
            Figure.told("  lost between the others", lost - sum(late) + len(late), "s"),
        ]


def _times(entries: Iterable[Entry]) -> list[float]:
    return [entry.at for entry in entries]
