"""Harry with both accounts connected, and a cloud that delivers messages when the test says so."""

import gzip
from dataclasses import dataclass, field

import pytest

from tests.browser import Browser
from tests.conftest import Clock
from tests.unit.auth.conftest import NewBrowser, browser, connected, new_browser, signed_in
from tests.upstreams import Upstreams
from tests.world import PLANNER_LIVES, SENDER_LIVES, MemoryQueues, Message
from watchferry.account.leave import forget
from watchferry.models import Title
from watchferry.storage.answers import CachedAnswer, Slot
from watchferry.storage.overrides import Override
from watchferry.storage.runs import new_run_id
from watchferry.storage.unmatched import Unmatched
from watchferry.sync.begin import begin_run
from watchferry.sync.planner import plan_run
from watchferry.sync.queues import ForgetJob, PlanJob, SendJob, sync_job
from watchferry.sync.sender import send_batches
from watchferry.wiring import Wiring

__all__ = ["NewBrowser", "browser", "connected", "new_browser", "signed_in"]


@dataclass
class Cloud:
    """Harry's account and its work, message by message."""

    wiring: Wiring
    upstreams: Upstreams
    clock: Clock
    queues: MemoryQueues
    results: list[str] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return self.upstreams.trakt.users["harry"].uuid

    def start(self) -> str:
        """A run that somebody asked for; not a step of it is done yet."""
        account = self.wiring.accounts.get(self.uuid)
        assert account is not None
        run_id = new_run_id(self.clock())
        own = self.wiring
        begin_run(own.accounts, own.runs, own.telling, account, run_id, mode="sync", trigger="manual")
        self.queues.plan([(PlanJob(self.uuid, run_id, "manual"), 0)])
        self.clock.advance(1)
        return run_id

    def deliver(self, message: Message) -> str:
        """As functions/sync_planner and functions/history_sender do."""
        worker = f"worker-{message.number}"
        if message.kind == "send":
            deadline = self.clock() + SENDER_LIVES
            return send_batches(self.wiring.workshop, SendJob.of(message.body), worker=worker, deadline=deadline)
        job, deadline = sync_job(message.body), self.clock() + PLANNER_LIVES
        if isinstance(job, ForgetJob):
            return forget(self.wiring, job, deadline=deadline)
        assert isinstance(job, PlanJob)
        return plan_run(self.wiring.workshop, job, worker=worker, deadline=deadline)

    def take(self) -> Message:
        """The next message, when it is due."""
        message = min(self.queues.messages, key=lambda waiting: (waiting.due, waiting.number))
        self.queues.messages.remove(message)
        self.clock.now = max(self.clock.now, message.due)
        return message

    def drain(self, until: float | None = None) -> None:
        """Everything that is due by then; all there is, if nothing is said."""
        while any(until is None or waiting.due <= until for waiting in self.queues.messages):
            self.results.append(self.deliver(self.take()))

    def keep_something_everywhere(self) -> None:
        """A row of Harry's in every table that has rows of people: a run that sent, a recheck, a token."""
        self.start()
        self.drain()
        self.wiring.api_tokens.make(self.uuid, "Kodi")
        place, now = Slot("settings", self.uuid), self.wiring.answers.now_ms()
        self.wiring.answers.lease(place, None, owner="x", until=self.clock() + 5)
        kept = CachedAnswer(200, {}, gzip.compress(b'{"user":{}}'), now, now + 60_000)
        self.wiring.answers.keep(place, kept, owner="x")
        self.wiring.webhooks.put(self.uuid, sealed=b"sealed", sealed_key=b"key")
        self.wiring.prowlarrs.put(
            self.uuid, base_url="https://prowlarr.example.org", sealed=b"sealed", sealed_key=b"key"
        )
        title = Title(1, "serial", "Укрытие / Silo", 2023, None, True, {7: 1_700_000_000})
        self.wiring.rechecks.ask(self.uuid, [title], days=1)
        self.wiring.rechecks.wish(self.uuid, title)
        self.wiring.unmatched.add(self.uuid, [Unmatched("1", title, "episode", "not_found", ((1, 1),), 1, None)])
        self.wiring.overrides.put(self.uuid, Override("1", title, ignore=True))


@pytest.fixture
def cloud(wiring: Wiring, upstreams: Upstreams, clock: Clock, connected: Browser) -> Cloud:
    queues = MemoryQueues(clock)
    wiring.__dict__["queues"] = queues  # before anything has made them
    return Cloud(wiring, upstreams, clock, queues)
