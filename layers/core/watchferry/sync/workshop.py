"""What every worker of a sync has at hand: the tables, the queues, and upstreams for one user."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from watchferry.clients._transport import Throttle
from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import Trakt
from watchferry.notify.application import Application
from watchferry.notify.telling import Telling
from watchferry.settings import Settings
from watchferry.storage.accounts import Accounts
from watchferry.storage.budgets import KINOPUB, Budget, Budgets, Silence
from watchferry.storage.ledger import Ledger
from watchferry.storage.mappings import Mappings
from watchferry.storage.overrides import Overrides
from watchferry.storage.plans import Plans
from watchferry.storage.rechecks import Rechecks
from watchferry.storage.refusals import Refusals
from watchferry.storage.runs import Runs
from watchferry.storage.unmatched import UnmatchedTitles
from watchferry.sync.queues import Queues


class Upstreams(Protocol):
    """Makes the clients for one user's job."""

    def trakt(self, user_id: str, throttle: Throttle, watch: "Watch") -> Trakt: ...

    def kinopub(self, user_id: str, throttle: Throttle, watch: "Watch") -> Kinopub: ...


@dataclass(slots=True)
class Watch:
    """What a job's clients tell, and ask, while they work. Threads share it."""

    out_of_time: Callable[[], bool]
    ends_at: float
    """Unix seconds: nothing is begun that may not be cut short and takes longer."""
    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on_call(self) -> None:
        """Every call that goes out."""
        with self._lock:
            self.calls += 1


@dataclass(slots=True)
class Workshop:
    settings: Settings
    accounts: Accounts
    runs: Runs
    plans: Plans
    ledger: Ledger
    mappings: Mappings
    budgets: Budgets
    rechecks: Rechecks
    unmatched: UnmatchedTitles
    overrides: Overrides
    queues: Queues
    telling: Telling
    application: Application
    upstreams: Upstreams
    clock: Callable[[], float]
    pause: Callable[[float], None]
    reads_at_once: int = 6
    """Of one run; Kinopub's limit is not documented, and parallel reads provoke it (reality.md, Kinopub)."""

    @property
    def refusals(self) -> Refusals:
        return self.application.refusals

    @contextmanager
    def clients(
        self, user_id: str, run_id: str, ends_at: float, *, kept_back: float = 0
    ) -> Iterator[tuple[Trakt, Kinopub]]:
        """The user's upstreams, for a job that ends at `ends_at`; no read is begun in the seconds that are kept back.

        The calls made are added to the run when the work is done, however it ends.
        """
        until = ends_at - kept_back
        watches = {name: Watch(lambda: self.clock() >= until, ends_at) for name in ("trakt", "kinopub")}
        budget = Budget(self.budgets, user_id, self.pause)
        trakt = self.upstreams.trakt(user_id, budget, watches["trakt"])
        silence = Silence(self.budgets, user_id, KINOPUB, self.pause)
        kinopub = self.upstreams.kinopub(user_id, silence, watches["kinopub"])
        try:
            yield trakt, kinopub
        finally:
            self.runs.add_calls(user_id, run_id, {name: watch.calls for name, watch in watches.items()})
