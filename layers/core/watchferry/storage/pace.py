"""How often an upstream is asked that does not say how often it may be. Pure: times are seconds of any clock.

It is asked as often as there are calls, until it answers 429. Then one call tries, after a pause that grows while 429
is the answer; and from then on calls begin apart, more slowly than at the rate that was too high. That is kept: only
where a 429 came before there was a rate, and so said nothing of it, calls move closer again while none comes.
"""

from collections import deque
from dataclasses import dataclass, field

FIRST_PAUSE, LONGEST_PAUSE = 3.0, 12.0
"""Seconds after a 429 before one call tries; doubled when that one meets it too."""
SLOWER = 1.6
"""Times the time between two calls that was too short: there may have been more of them than the limit by some."""
CLOSER, ANSWERS = 0.8, 20
"""After so many answers the time between two calls shrinks so, as far as it may."""
CAREFUL = 0.5
"""Seconds between two calls, where a 429 came before there was a rate."""
SECOND = 1.0
FEW = 3
"""Calls in a second, below which they are no rate."""


@dataclass(slots=True)
class Pace:
    turn: int = 0
    """Another one whenever the order of calls is made anew: who was given a time before has to ask again."""
    apart: float = 0.0
    """Seconds between the beginnings of two calls."""
    at_least: float = 0.0
    """Less would be too often, as a 429 has shown."""
    _pause: float = FIRST_PAUSE
    _free_at: float = 0.0
    _tries_at: float | None = None
    """Since a 429 nothing has been answered: when one call tries."""
    _begun: deque[float] = field(default_factory=deque)
    _answers: int = 0

    def place(self, now: float) -> float:
        """When a call may begin."""
        at = max(now, self._free_at)
        self._free_at = at + (self.apart if self._tries_at is None else self._pause)
        self._begun.append(at)
        while self._begun[0] <= now - SECOND:
            self._begun.popleft()
        return at

    def limited(self, now: float) -> None:
        """A call was answered 429."""
        self.turn += 1
        if self._tries_at is None:
            self._slow_down(now)
        elif now >= self._tries_at:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._tries_at = self._free_at = now + self._pause
        self._begun.clear()

    def answered(self, now: float) -> None:
        """A call was answered otherwise."""
        if self._tries_at is None:
            self._answers += 1
            if self._answers % ANSWERS == 0:
                self.apart = max(self.at_least, CLOSER * self.apart)
        elif now >= self._tries_at:
            self.turn += 1
            self._tries_at, self._free_at = None, now + self.apart
            self._begun.clear()

    def _slow_down(self, now: float) -> None:
        calls = sum(now - SECOND < begun <= now for begun in self._begun)
        if not self.apart and calls < FEW:
            self.apart = CAREFUL
            return
        too_short = max(self.apart, SECOND / (calls - 1) if calls >= FEW else 0)
        self.apart = self.at_least = SLOWER * too_short
