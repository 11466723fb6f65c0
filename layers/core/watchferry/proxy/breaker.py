"""A circuit breaker per upstream: one that is down must not cost everybody 25 seconds (issue: 5 in a row, 10 s).

Of one process, since it must cost nothing while all is well: every warm function finds out for itself.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from watchferry.errors import RetryLater

FAILURES = 5
OPEN_SECONDS = 10.0


@dataclass(slots=True)
class _State:
    failures: int = 0
    open_until: float = 0.0


@dataclass(slots=True)
class Breaker:
    clock: Callable[[], float]
    _states: dict[str, _State] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, upstream: str) -> None:
        """Raises RetryLater while open. Afterwards one call is let through; its end decides."""
        with self._lock:
            state = self._states.get(upstream)
            if state is None or state.failures < FAILURES:
                return
            left = state.open_until - self.clock()
            if left > 0:
                raise RetryLater("upstream_unreachable", f"{upstream} does not answer at the moment", after=left)
            state.open_until = self.clock() + OPEN_SECONDS

    def passed(self, upstream: str) -> None:
        if upstream in self._states:
            with self._lock:
                self._states.pop(upstream, None)

    def failed(self, upstream: str) -> None:
        with self._lock:
            state = self._states.setdefault(upstream, _State())
            state.failures += 1
            if state.failures >= FAILURES:
                state.open_until = self.clock() + OPEN_SECONDS
