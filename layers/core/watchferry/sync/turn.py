"""A worker's turn at planning: how much time it has, and the signs of life that it gives."""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchferry.errors import RetryLater, WatchferryError
from watchferry.storage.runs import Run, RunStatus
from watchferry.sync.gather import Doubt, Gather
from watchferry.sync.workshop import Workshop

SIGN_OF_LIFE_EVERY = 60.0
PROGRESS_EVERY = 1.0


class OutOfTime(WatchferryError):
    """The function's time is nearly over: the checkpoint is written, a successor goes on."""


class Superseded(WatchferryError):
    """Another run is the user's active one."""


@dataclass(slots=True)
class Turn:
    shop: Workshop
    run: Run
    worker: str
    deadline: float
    last_try: bool = False
    """Of a run that was put off again and again: if it is put off once more, it fails."""
    _shown_at: float = field(default=0.0)
    _alive_at: float = field(default=0.0)

    def gather[K, V](
        self,
        ask: Callable[[K], V],
        keys: Sequence[K],
        answers: dict[K, V],
        status: RunStatus,
        *,
        unread: Collection[K],
        doubt: Doubt,
        gently: bool = False,
    ) -> dict[K, WatchferryError]:
        """Answers with the keys that have to be set aside, since nothing can be read of them, and why.

        An upstream in trouble looks the same at first: so the run is put off for them, and set aside is only what fails
        at its last try as well, while the upstream answers something else (`doubt`). What an earlier run has set aside
        (`unread`) comes after all others and puts nothing off. `gently`: of an upstream whose limit nobody knows.
        """
        shop = self.shop
        gather = Gather(at_most=shop.reads_at_once, first_pause=shop.settings.retry_base_seconds, pause=shop.pause)
        gather = gather.gently(len(keys)) if gently else gather

        def tick() -> None:
            self.tick(status, len(answers), len(keys))

        def read(some: Sequence[K], doubt: Doubt) -> dict[K, WatchferryError]:
            failed: dict[K, WatchferryError] = {}
            gather(ask, some, answers, tick, failed=failed, doubt=doubt)
            return failed

        others = [key for key in keys if key not in unread]
        failed = read(others, doubt)
        if failed and not self.last_try:
            raise _later(next(iter(failed.values())))
        if failed:
            doubt(next(iter(failed.values())))
            # Once more, should the upstream have come back just now.
            failed = read(others, doubt)
        return failed | read([key for key in keys if key in unread], lambda _: None)

    def checkpoint(self, name: str, value: Any) -> None:
        """Kept for the worker that goes on. Of a run that is over, or of somebody who has left, nothing is written."""
        if self.shop.accounts.keep_run(self.run.user_id, self.run.run_id):
            self.shop.plans.save(self.run.run_id, name, value)

    def reading(self, status: RunStatus) -> Callable[[], None]:
        """For a reading of unknown length: called after each page of it."""
        pages = itertools.count(1)

        def tick() -> None:
            page = next(pages)
            self.tick(status, page - 1, page)

        return tick

    def tick(self, status: RunStatus, done: int, total: int) -> None:
        """Raises OutOfTime, Superseded."""
        now = self.shop.clock()
        if now >= self.deadline:
            raise OutOfTime("this invocation's time is over")
        if now - self._alive_at >= SIGN_OF_LIFE_EVERY:
            self._alive_at = now
            if not self.shop.accounts.keep_run(self.run.user_id, self.run.run_id):
                raise Superseded("another run is active")
        if now - self._shown_at >= PROGRESS_EVERY:
            self._shown_at = now
            self.shop.runs.progress(self.run, worker=self.worker, status=status, done=done, total=total)


def _later(trouble: WatchferryError) -> RetryLater:
    return trouble if isinstance(trouble, RetryLater) else RetryLater("upstream_refused", str(trouble))
