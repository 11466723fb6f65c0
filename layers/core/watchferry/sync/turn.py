"""A worker's turn at planning: how much time it has, and the signs of life that it gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchferry.errors import WatchferryError
from watchferry.storage.runs import Run, RunStatus
from watchferry.sync.gather import Gather
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
    _shown_at: float = field(default=0.0)
    _alive_at: float = field(default=0.0)

    def gather[K, V](self, ask: Callable[[K], V], keys: Sequence[K], answers: dict[K, V], status: RunStatus) -> None:
        shop = self.shop
        gather = Gather(at_most=shop.reads_at_once, first_pause=shop.settings.retry_base_seconds, pause=shop.pause)
        gather(ask, keys, answers, lambda: self.tick(status, len(answers), len(keys)))

    def checkpoint(self, name: str, value: Any) -> None:
        """Kept for the worker that goes on. Of a run that is over, or of somebody who has left, nothing is written."""
        if self.shop.accounts.keep_run(self.run.user_id, self.run.run_id):
            self.shop.plans.save(self.run.run_id, name, value)

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
