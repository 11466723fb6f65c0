"""Several reads of one upstream at once, as many as it bears: halve on 429, grow slowly (architecture.md, rule 4)."""

import time
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial

from watchferry.errors import NotThere, Rejected, RetryLater, WatchferryError

GIVE_UP_AFTER = 8
"""429s in a row, without a success between them."""
CALLS_FOR_EACH = 20
"""Calls to be made for each that may be under way at once."""
DOUBTED_AFTER = 3
"""Failures in a row, after which it may be the upstream rather than the keys."""

KEYS_OWN = (RetryLater, Rejected, NotThere)
"""Errors that may be about one key alone."""

type Doubt = Callable[[WatchferryError], None]
"""Raises the error unless the upstream answers something else."""


@dataclass(slots=True)
class Gather:
    at_most: int = 8
    at_first: int = 4
    first_pause: float = 1.0
    """Seconds; doubles with each 429 in a row when the upstream does not say how long to wait."""
    longest_pause: float = 30.0
    pause: Callable[[float], None] = time.sleep

    def gently(self, calls: int) -> "Gather":
        """For so many calls of an upstream whose limit nobody knows: it begins with one at a time.

        All that are under way when the limit is met get a 429: so there are no more of them than a few in a hundred.
        """
        return replace(self, at_first=1, at_most=min(self.at_most, max(2, calls // CALLS_FOR_EACH)))

    def __call__[K, V](
        self,
        ask: Callable[[K], V],
        keys: Iterable[K],
        answers: MutableMapping[K, V],
        tick: Callable[[], None] = lambda: None,
        *,
        failed: MutableMapping[K, WatchferryError] | None = None,
        doubt: Doubt = lambda _: None,
    ) -> None:
        """Fills `answers` with what `ask` says of each key that is not in it yet; ticks after every answer.

        When `ask` or `tick` raises, what is under way is waited for and kept in `answers`, then the error is raised:
        nothing that was paid for is lost. A 429 is waited out here if it is short.

        With `failed`, an error that may be the key's own is put there and the others are asked all the same; `doubt`
        is asked whenever there are several in a row.
        """
        failures_in_a_row = 0
        waiting = [key for key in keys if key not in answers][::-1]
        allowed, in_a_row = float(min(self.at_first, self.at_most)), 0
        under_way: dict[Future[V], K] = {}
        trouble: Exception | None = None
        limited: RetryLater | None = None
        with ThreadPoolExecutor(max_workers=self.at_most) as pool:
            while under_way or (waiting and trouble is None):
                if limited is not None and not under_way:
                    in_a_row += 1
                    seconds = (
                        limited.after if limited.after is not None else self.first_pause * float(2 ** (in_a_row - 1))
                    )
                    if in_a_row >= GIVE_UP_AFTER or seconds > self.longest_pause:
                        trouble = limited
                        break
                    self.pause(seconds)
                    limited = None
                while waiting and trouble is None and limited is None and len(under_way) < int(allowed):
                    key = waiting.pop()
                    under_way[pool.submit(ask, key)] = key
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    key = under_way.pop(future)
                    try:
                        answers[key] = future.result()
                        allowed, in_a_row = min(allowed + 1 / allowed, self.at_most), 0
                        failures_in_a_row = 0
                        if trouble is None:
                            tick()
                    except Exception as error:
                        if isinstance(error, RetryLater) and error.code == "rate_limited":
                            waiting.append(key)
                            if limited is None:
                                allowed = max(1.0, allowed / 2)
                            limited = error
                        elif failed is not None and isinstance(error, KEYS_OWN) and trouble is None:
                            failed[key] = error
                            failures_in_a_row += 1
                            doubted = failures_in_a_row % DOUBTED_AFTER == 0
                            trouble = _trouble([partial(doubt, error), tick] if doubted else [tick])
                        else:
                            trouble = trouble or error
        if trouble is not None:
            raise trouble


def _trouble(calls: Iterable[Callable[[], None]]) -> Exception | None:
    try:
        for call in calls:
            call()
    except Exception as trouble:
        return trouble
    return None
