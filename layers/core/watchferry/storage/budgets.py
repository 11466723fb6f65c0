"""Budgets: one per user and verb for Trakt's limits, shared by every worker (architecture.md, rule 4).

A virtual schedule (GCRA): `taken` is the time in milliseconds up to which calls are spoken for. A place is free when
`taken` runs at most `burst` calls ahead of the clock. It is taken at the moment at which its call leaves, never ahead.
A 429 writes `blocked_until`, which everybody obeys, and a limit that it names takes the place of a wider one for a day.

Trakt counts a call when it arrives, at some moment between its leaving and its answer. Of reads there are so many that
this makes no difference. Of writes there is one a second: so a write that is under way keeps the budget closed, and its
answer opens it a second later (`answered`).
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from watchferry.errors import Limit, RetryLater, Waiting
from watchferry.storage._dynamo import Attr, Clock, ConditionBase, ConditionFailed, Item, Table
from watchferry.storage.pace import Pace

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = 86400

GETS_AT_ONCE = 10
"""Reads spoken for in one write to the budget."""

PATIENCE = 5.0
"""Seconds that a worker waits for its place itself; for longer ones a successor is queued."""

A_MOMENT = 0.5
"""Seconds after which whoever waits for a place looks whether it still is one."""

MOST_TURNS = 20
"""After so many it is not waited any longer: what comes of it, the upstream says."""

WITHOUT_RETRY_AFTER = 10.0
"""Seconds: an edge 429 may name no time."""

LEARNED_FOR = 86400
"""Seconds for which a limit that the upstream named is kept: it may have been for a while only."""

MOST_CALLS = 1_000_000
"""Of a limit; more of them is no limit, and no number that DynamoDB takes."""

SLOWEST_MS = 60_000
"""Between two calls; a limit that asks for more is kept by its 429s."""

CLOCKS_DIFFER = 1.02
"""By some 10 ms among workers: calls that may come one at a time are kept apart by so much more than their time."""


@dataclass(frozen=True, slots=True)
class Rate:
    interval_ms: int
    burst: int
    under_way_ms: int = 0
    """How long a call may be under way before it counts as answered: its worker may have died."""


KINOPUB = "Kinopub"
"""In a verb's place: Kinopub has no budget, but can ask to be left alone."""

RATES = {
    "GET": Rate(interval_ms=600, burst=480),
    "POST": Rate(interval_ms=int(1000 * CLOCKS_DIFFER), burst=1, under_way_ms=3000),
}
"""Trakt's limits per user as documented (reality.md, Limits): a POST a second, and 1000 GETs in any 5 minutes, which
are the burst and what comes back in that time. A 429 that names a lower limit replaces them in the budget's row."""


def rate_of(limit: Limit) -> Rate:
    """What keeps a limit in any stretch of its time, at whatever moment the upstream begins to count."""
    burst = int(0.48 * min(limit.calls, MOST_CALLS))
    each = limit.seconds / limit.calls * 1000
    # With a burst, half of the calls come at once and half in the time that follows.
    apart = 2 * each if burst > 1 else CLOCKS_DIFFER * each
    return Rate(interval_ms=int(min(apart, SLOWEST_MS)), burst=max(1, burst))


@dataclass(frozen=True, slots=True)
class Place:
    wait: float
    """Seconds until it is worth asking again; 0 if the place is ours."""
    until: int = 0
    """What the row's `taken` has become with it."""
    interval_ms: int = 0
    """The rate's, or the learned one."""


@dataclass(slots=True)
class Budgets:
    table: Table
    clock: Clock

    def take(self, user_id: str, verb: str, rate: Rate, *, calls: int = 1) -> Place:
        """Takes `calls` places if they are free now: the calls leave at once.

        The upstream's own word on its limit (`block`) counts for more than `rate`, if it is the lower one.
        """
        key = {"budget": f"{user_id}#{verb}"}
        while True:
            now = int(self.clock() * 1000)
            row = self.table.get(key) or {}
            interval, burst = _in_force(rate, row, now)
            if (closed := _closed(row, interval * max(0, burst - calls), now)) > 0:
                return Place(closed / 1000)
            until = max(now, row.get("taken", 0)) + max(interval * calls, rate.under_way_ms)
            try:
                self.table.update(
                    key, set_={"taken": until, "ttl": now // 1000 + FORGOTTEN_AFTER}, when=_still(row) & _free(now)
                )
            except ConditionFailed:
                continue
            return Place(0, until, interval)

    def answered(self, user_id: str, verb: str, place: Place) -> None:
        """The call of this place is answered, so it has arrived: the next may leave when its time has passed since."""
        try:
            self.table.update(
                {"budget": f"{user_id}#{verb}"},
                set_={"taken": int(self.clock() * 1000) + place.interval_ms},
                when=Attr("taken").eq(place.until),
            )
        except ConditionFailed:
            return

    def wait(self, user_id: str, verb: str) -> float:
        """Seconds until it is worth asking for a place."""
        row, now = self.table.get({"budget": f"{user_id}#{verb}"}) or {}, int(self.clock() * 1000)
        interval, burst = _in_force(RATES[verb], row, now)
        return max(0, _closed(row, interval * (burst - 1), now)) / 1000

    def all(self, user_id: str, verbs: Iterable[str]) -> Mapping[str, Item]:
        """Verb → what is kept of it: `taken`, `blocked_until`, `learned_until` (unix ms), `interval_ms`, `burst`."""
        rows = self.table.get_many({"budget": f"{user_id}#{verb}"} for verb in verbs)
        return {row["budget"].rpartition("#")[2]: row for row in rows}

    def delete(self, user_id: str, verbs: Iterable[str]) -> None:
        self.table.delete_many({"budget": f"{user_id}#{verb}"} for verb in verbs)

    def blocked(self, user_id: str, verb: str) -> float:
        """Seconds for which nobody calls."""
        row = self.table.get({"budget": f"{user_id}#{verb}"}) or {}
        until: int = row.get("blocked_until", 0)
        return max(0.0, until / 1000 - self.clock())

    def block(self, user_id: str, verb: str, *, seconds: float, limit: Limit | None = None) -> None:
        """Nobody calls for so long. `limit`: what the upstream named."""
        key, now = {"budget": f"{user_id}#{verb}"}, self.clock()
        ttl, until = int(now + seconds) + FORGOTTEN_AFTER, int((now + seconds) * 1000)
        if limit:
            rate, learned_until = rate_of(limit), int((now + LEARNED_FOR) * 1000)
            learned = {"interval_ms": rate.interval_ms, "burst": rate.burst, "learned_until": learned_until}
            self.table.update(key, set_={**learned, "ttl": ttl})
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
    patience: float = PATIENCE
    _left: dict[str, int] = field(default_factory=dict)
    """Verb → places that were taken and are not used up."""
    _under_way: dict[str, Place] = field(default_factory=dict)
    """Verb → the place of the call that is under way, where its answer counts."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, verb: str) -> None:
        # One thread at a time, so that what one of them takes is used up by all before another takes more.
        with self._lock:
            if self._left.get(verb, 0) > 0:
                self._left[verb] -= 1
                return
            calls = GETS_AT_ONCE if verb == "GET" else 1
            place = self._waited_for(verb, calls)
            self._left[verb] = calls - 1
            if RATES[verb].under_way_ms:
                self._under_way[verb] = place

    def _waited_for(self, verb: str, calls: int) -> Place:
        waited = 0.0
        while (place := self.budgets.take(self.user_id, verb, RATES[verb], calls=calls)).wait:
            if waited + place.wait > self.patience:
                raise Waiting("rate_limited", "waiting for Trakt's rate limit", after=place.wait)
            # No longer at a time than a call's turn takes: what is under way now may be answered by then.
            pause = min(place.wait, RATES[verb].interval_ms / 1000)
            self.pause(pause)
            waited += pause
        return place

    def after(self, verb: str) -> None:
        place = self._under_way.pop(verb, None)
        if place is None:
            return
        try:
            self.budgets.answered(self.user_id, verb, place)
        except Exception:
            # The answer counts for more than the next one's time, which comes all the same.
            log.warning("a budget was not told of an answer", exc_info=True)

    def answered(self, verb: str) -> None: ...

    def limited(self, verb: str, error: RetryLater) -> None:
        self._left.clear()
        if error.after is None:
            error.after = WITHOUT_RETRY_AFTER
        self.budgets.block(self.user_id, verb, seconds=error.after, limit=error.limit)


@dataclass(slots=True)
class Silence:
    """The pace of a job's calls to an upstream without a known limit, as a Throttle of the transport. Threads share it.

    The upstream may name a time before which it is not to be asked: that is asked for once a job, since one planner at
    a time works for a user. Both hold for every verb.
    """

    budgets: Budgets
    user_id: str
    upstream: str
    pause: Callable[[float], None]
    _until: float | None = None
    _pace: Pace = field(default_factory=Pace)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, _verb: str) -> None:
        self._until_it_may_be_asked()
        for _ in range(MOST_TURNS):
            with self._lock:
                now, turn = self.budgets.clock(), self._pace.turn
                left = self._pace.place(now) - now
            while left > 0 and turn == self._pace.turn:
                self.pause(min(left, A_MOMENT))
                left -= A_MOMENT
            if turn == self._pace.turn:
                return

    def _until_it_may_be_asked(self) -> None:
        with self._lock:
            now = self.budgets.clock()
            if self._until is None:
                self._until = now + self.budgets.blocked(self.user_id, self.upstream)
            left = self._until - now
        if left > PATIENCE:
            raise Waiting("rate_limited", f"{self.upstream} has asked to be left alone for a while", after=left)
        if left > 0:
            self.pause(left)

    def after(self, _verb: str) -> None: ...

    def answered(self, _verb: str) -> None:
        with self._lock:
            self._pace.answered(self.budgets.clock())

    def limited(self, _verb: str, error: RetryLater) -> None:
        """Where nobody said how long, one call at a time finds out."""
        now = self.budgets.clock()
        with self._lock:
            if error.code == "rate_limited":
                self._pace.limited(now)
            if error.after is None:
                return
            self._until = max(self._until or 0, now + error.after)
        self.budgets.block(self.user_id, self.upstream, seconds=error.after)


def _free(now: int) -> ConditionBase:
    return Attr("blocked_until").not_exists() | Attr("blocked_until").lte(now)


def _closed(row: Item, room: int, now: int) -> int:
    """Milliseconds until a place is free; `room`: how far `taken` may be ahead of the clock."""
    return max(int(row.get("blocked_until", 0)), int(row.get("taken", 0)) - room) - now


def _still(row: Item) -> ConditionBase:
    """Nobody else has taken a place since."""
    return Attr("taken").eq(row["taken"]) if "taken" in row else Attr("taken").not_exists()


def _in_force(rate: Rate, row: Item, now: int) -> tuple[int, int]:
    """The interval and the burst: the rate's, or the lower ones that were learned."""
    if row.get("learned_until", 0) <= now:
        return rate.interval_ms, rate.burst
    return max(rate.interval_ms, row["interval_ms"]), min(rate.burst, row["burst"])
