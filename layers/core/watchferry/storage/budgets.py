"""Budgets: one per user and verb for Trakt's limits, shared by every worker (architecture.md, rule 4).

A virtual schedule (GCRA): `taken` is the time in milliseconds up to which calls are spoken for. A place is free when
`taken` runs at most `burst` calls ahead of the clock. A 429 writes `blocked_until`, which everybody obeys.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from watchferry.errors import RetryLater
from watchferry.storage._dynamo import Attr, Clock, ConditionBase, ConditionFailed, Item, Table

FORGOTTEN_AFTER = 86400

GETS_AT_ONCE = 10
"""Reads spoken for in one write to the budget."""

PATIENCE = 2.0
"""Seconds that a worker waits for its place itself; for longer ones a successor is queued."""

WITHOUT_RETRY_AFTER = 10.0
"""Seconds: an edge 429 may name no time."""


@dataclass(frozen=True, slots=True)
class Rate:
    interval_ms: int
    burst: int


RATES = {"GET": Rate(interval_ms=600, burst=480), "POST": Rate(interval_ms=1050, burst=1)}
"""Trakt's limits per user as documented (reality.md, Limits): a POST a second, with a little room for clocks that
differ, and 1000 GETs in any 5 minutes, which are the burst and what comes back in that time. A 429 that names a lower
limit replaces them in the budget's row."""


@dataclass(frozen=True, slots=True)
class Place:
    wait: float
    """Seconds until the place is ours — or, if not `taken`, until it is worth asking again."""
    taken: bool


@dataclass(slots=True)
class Budgets:
    table: Table
    clock: Clock

    def take(self, user_id: str, verb: str, rate: Rate, *, calls: int = 1, patience: float) -> Place:
        """Takes `calls` places if they come within `patience` seconds.

        Trakt's own word on its limit (`slow_down`) counts for more than `rate`.
        """
        key = {"budget": f"{user_id}#{verb}"}
        while True:
            now = int(self.clock() * 1000)
            row = self.table.get(key) or {}
            blocked = row.get("blocked_until", 0) - now
            if blocked > 0:
                return Place(blocked / 1000, taken=False)
            interval = max(rate.interval_ms, row.get("interval_ms", 0))
            taken = row.get("taken")
            until = max(now, taken or 0) + interval * calls
            wait = max(0, until - interval * max(rate.burst, calls) - now) / 1000
            if wait > patience:
                return Place(wait, taken=False)
            unchanged: ConditionBase = Attr("taken").not_exists() if taken is None else Attr("taken").eq(taken)
            try:
                self.table.update(
                    key, set_={"taken": until, "ttl": now // 1000 + FORGOTTEN_AFTER}, when=unchanged & _free(now)
                )
            except ConditionFailed:
                continue
            return Place(wait, taken=True)

    def all(self, user_id: str, verbs: Iterable[str]) -> Mapping[str, Item]:
        """Verb → what is kept of it: `taken` and `blocked_until` in unix milliseconds, `interval_ms`."""
        rows = self.table.get_many({"budget": f"{user_id}#{verb}"} for verb in verbs)
        return {row["budget"].rpartition("#")[2]: row for row in rows}

    def delete(self, user_id: str, verbs: Iterable[str]) -> None:
        self.table.delete_many({"budget": f"{user_id}#{verb}"} for verb in verbs)

    def blocked(self, user_id: str, verb: str) -> float:
        """Seconds for which nobody calls."""
        row = self.table.get({"budget": f"{user_id}#{verb}"}) or {}
        until: int = row.get("blocked_until", 0)
        return max(0.0, until / 1000 - self.clock())

    def block(self, user_id: str, verb: str, *, seconds: float, interval: float | None = None) -> None:
        """Nobody calls for so long. `interval`: seconds per call that the upstream named."""
        key, now = {"budget": f"{user_id}#{verb}"}, self.clock()
        ttl, until = int(now + seconds) + FORGOTTEN_AFTER, int((now + seconds) * 1000)
        if interval:
            self.table.update(key, set_={"interval_ms": int(interval * 1000), "ttl": ttl})
        longer = Attr("blocked_until").not_exists() | Attr("blocked_until").lt(until)
        try:
            self.table.update(key, set_={"blocked_until": until, "ttl": ttl}, when=longer)
        except ConditionFailed:
            return


@dataclass(slots=True)
class Budget:
    """Trakt's limits for one user, as a Throttle of the transport. Threads share it."""

    budgets: Budgets
    user_id: str
    pause: Callable[[float], None]
    _reads_left: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, verb: str) -> None:
        # One thread at a time, so that what one of them takes is used up by all before another takes more.
        with self._lock:
            if verb == "GET" and self._reads_left > 0:
                self._reads_left -= 1
                return
            calls = GETS_AT_ONCE if verb == "GET" else 1
            place = self.budgets.take(self.user_id, verb, RATES[verb], calls=calls, patience=PATIENCE)
            if not place.taken:
                raise RetryLater("rate_limited", "waiting for Trakt's rate limit", after=place.wait)
            if place.wait:
                self.pause(place.wait)
                # The one whose place came before ours may have met a 429 meanwhile.
                if blocked := self.budgets.blocked(self.user_id, verb):
                    raise RetryLater("rate_limited", "Trakt limits the rate", after=blocked)
            if verb == "GET":
                self._reads_left = calls - 1

    def limited(self, verb: str, error: RetryLater) -> None:
        self._reads_left = 0
        if error.after is None:
            error.after = WITHOUT_RETRY_AFTER
        self.budgets.block(self.user_id, verb, seconds=error.after, interval=error.interval)


def _free(now: int) -> ConditionBase:
    return Attr("blocked_until").not_exists() | Attr("blocked_until").lte(now)
