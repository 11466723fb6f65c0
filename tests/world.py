"""A whole Watchferry in one process: DynamoDB and queues in memory, the stand-ins in process, a clock that is moved.

It runs the real planner and sender on the real storage. What the cloud would do by itself — deliver messages, deliver
them again, let time pass, kill a function — is done by the test, step by step.
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

import httpx

from tests.memory_dynamo import MemoryDynamo
from tests.upstreams.stand_ins import Upstreams
from watchferry.clients._transport import READ_TIMEOUT, Transport, new_http
from watchferry.clients.trakt import Trakt, ask_with_key, trakt_headers
from watchferry.notify.application import Application
from watchferry.notify.notices import Notice
from watchferry.notify.telling import Telling
from watchferry.settings import Settings
from watchferry.storage._dynamo import Table
from watchferry.storage.account import Account
from watchferry.storage.accounts import Accounts
from watchferry.storage.budgets import Budgets
from watchferry.storage.ledger import Ledger
from watchferry.storage.mappings import Mappings
from watchferry.storage.overrides import Overrides
from watchferry.storage.plans import Plans
from watchferry.storage.rechecks import Rechecks
from watchferry.storage.refusals import Refusals
from watchferry.storage.runs import Mode, Run, Runs, new_run_id
from watchferry.storage.unmatched import UnmatchedTitles
from watchferry.sync import actions
from watchferry.sync.begin import begin_run
from watchferry.sync.connected import Connected
from watchferry.sync.planner import plan_run
from watchferry.sync.queues import ForgetJob, KeepAliveJob, LookJob, PlanJob, SendJob, sync_job
from watchferry.sync.sender import TURN_TAKES, send_batches
from watchferry.sync.workshop import Workshop

NOW = 1_795_000_000.0
SENDER_LIVES = 60.0
ONE_BATCH = TURN_TAKES - 1.0
"""A sender that lives no longer leaves the next batch to another."""
PLANNER_LIVES = 280.0


@dataclass(slots=True)
class Message:
    due: float
    number: int
    body: str
    kind: str
    receives: int = 0


@dataclass(slots=True)
class MemoryQueues:
    """Both queues of the cloud: at least once, delays honoured; in order of their due time, unless a test shuffles."""

    clock: Any
    messages: list[Message] = field(default_factory=list)
    woken: int = 0
    """How often a sender's process was to start."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def plan(self, jobs: Sequence[tuple[PlanJob, float]]) -> None:
        self._add("plan", jobs)

    def send(self, jobs: Sequence[tuple[SendJob, float]]) -> None:
        self._add("send", jobs)

    def wake_sender(self) -> None:
        self.woken += 1

    def keep_alive(self, jobs: Sequence[tuple[KeepAliveJob, float]]) -> None:
        self._add("plan", jobs)

    def look(self, job: LookJob) -> None:
        self._add("plan", [(job, 0)])

    def forget(self, job: ForgetJob, delay: float) -> None:
        self._add("plan", [(job, delay)])

    def _add(self, kind: str, jobs: Sequence[tuple[Any, float]]) -> None:
        for job, delay in jobs:
            due = self.clock() + min(900.0, max(0.0, float(round(delay + 0.49))))
            self.messages.append(Message(due, next(self.numbers), json.dumps(asdict(job)), kind))


@dataclass(slots=True)
class Mending:
    """sync/mending.py's part of a deployment."""

    unmatched: UnmatchedTitles
    overrides: Overrides
    rechecks: Rechecks
    mappings: Mappings
    open_trakt: Trakt
    clock: Callable[[], float]


@dataclass(slots=True)
class MemoryNotices:
    """What people were told."""

    sent: list[Notice] = field(default_factory=list)

    def send(self, notices: Sequence[Notice]) -> None:
        self.sent += notices


class FixedCredential:
    """A token that the stand-in gave out; refreshing is the broker's own matter and tested there."""

    def __init__(self, value: str) -> None:
        self.value = value

    def token(self) -> str:
        return self.value

    def renewed(self, refused: str) -> str:
        return self.value


@dataclass(slots=True)
class FixedCredentials:
    upstreams: Upstreams
    until: float = 0.0
    """When the job ends for which a token was asked last."""

    def credential(self, user_id: str, provider: str, *, until: float) -> FixedCredential:
        self.until = until
        app: Any = self.upstreams.trakt if provider == "trakt" else self.upstreams.kinopub
        granted = app.grant(user_id)
        return FixedCredential(granted.access)


class World:
    """One read at a time unless a test says otherwise, for the same order. `dynamo`: a client whose tables exist."""

    def __init__(
        self, library: Any = "tiny", users: Sequence[str] = ("harry",), *, seed: int = 1, dynamo: Any = None
    ) -> None:
        self.now = NOW
        self.latency = 0.0
        """Seconds that a call of an upstream takes."""
        self.planner_lives, self.sender_lives = PLANNER_LIVES, SENDER_LIVES
        self.upstreams = Upstreams(library, users, clock=lambda: self.now, seed=seed)
        self.client = dynamo or MemoryDynamo()
        self.queues = self.new_queues()
        self.random = random.Random(seed)
        self.results: list[str] = []
        settings = _settings()
        clock = lambda: self.now  # noqa: E731
        accounts = Accounts(Table(self.client, "Accounts"), clock)
        self.notices = MemoryNotices()
        self.credentials = FixedCredentials(self.upstreams)
        self.shop = Workshop(
            settings=settings,
            accounts=accounts,
            runs=Runs(Table(self.client, "Runs"), clock),
            plans=Plans(Table(self.client, "Plans"), clock),
            ledger=Ledger(Table(self.client, "Ledger"), clock),
            mappings=Mappings(Table(self.client, "Mappings"), clock),
            budgets=Budgets(Table(self.client, "Budgets"), clock),
            rechecks=Rechecks(Table(self.client, "Rechecks"), clock),
            unmatched=UnmatchedTitles(Table(self.client, "Unmatched"), clock),
            overrides=Overrides(Table(self.client, "Overrides")),
            queues=self.queues,  # type: ignore[arg-type]
            telling=Telling(accounts, self.notices, clock),
            application=Application(Refusals(accounts.table, clock), self.notices, {"trakt": self.ask_trakt}, clock),
            upstreams=Connected(settings, new_http(self.transport()), self.credentials, self.pause),
            clock=clock,
            pause=self.pause,
            reads_at_once=1,
        )
        for user in users:
            self.shop.accounts.sign_in(user, {"slug": user, "name": user})
            self.shop.accounts.connect(user, "trakt")
            self.shop.accounts.connect(user, "kinopub")

    def transport(self) -> httpx.BaseTransport:
        return _Distant(self.upstreams.transport(), self)

    def new_queues(self) -> MemoryQueues:
        return MemoryQueues(lambda: self.now)

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def account(self, user: str = "harry") -> Account:
        account = self.shop.accounts.get(user)
        assert account is not None
        return account

    def settings(self, user: str = "harry", **changes: Any) -> None:
        self.shop.accounts.change_settings(user, **changes)

    # What a person, or the schedule, does

    def start(self, user: str = "harry", mode: Mode = "sync", *, full: bool = False) -> str:
        run_id = new_run_id(self.now, f"{self.random.randrange(16**8):08x}")
        account = self.account(user)
        shop = self.shop
        begin_run(shop.accounts, shop.runs, shop.telling, account, run_id, mode=mode, trigger="manual", full=full)
        self.queues.plan([(PlanJob(user, run_id, "manual"), 0)])
        return run_id

    def run(self, user: str = "harry", mode: Mode = "sync", *, full: bool = False) -> Run:
        """Starts a run and lets the cloud work until nothing is left to do."""
        run_id = self.start(user, mode, full=full)
        self.drain()
        run = self.shop.runs.get(user, run_id)
        assert run is not None
        return run

    def get(self, run_id: str, user: str = "harry") -> Run:
        run = self.shop.runs.get(user, run_id)
        assert run is not None
        return run

    def confirm(self, run_id: str, user: str = "harry") -> None:
        actions.confirm(self.shop, self.account(user), self.get(run_id, user))

    def cancel(self, run_id: str, user: str = "harry") -> None:
        actions.cancel(self.shop, self.get(run_id, user))

    def undo(self, run_id: str, user: str = "harry") -> str:
        return actions.undo(self.shop, self.account(user), self.get(run_id, user))

    def ask_trakt(self, path: str | None) -> None:
        """As wiring.py's; the token endpoint is the broker's own matter and looked at there."""
        assert path is not None
        ask_with_key(self.open_trakt.transport, path)

    @property
    def open_trakt(self) -> Trakt:
        """What sync/mending.py needs beside the tables."""
        headers = trakt_headers("demo-trakt-client-id-not-a-real-one", "watchferry-tests")
        http = new_http(self.transport())
        return Trakt(Transport(http, "Trakt", "https://api.trakt.tv", headers, tries=1), None)

    @property
    def mending(self) -> Mending:
        shop = self.shop
        return Mending(shop.unmatched, shop.overrides, shop.rechecks, shop.mappings, self.open_trakt, lambda: self.now)

    # What the cloud does

    def deliver(self, message: Message) -> str:
        """One delivery, as a function's invocation would work on it. Raises what would be raised there."""
        worker = f"worker-{next(self.queues.numbers)}"
        if message.kind == "plan":
            deadline = self.now + self.planner_lives
            job = sync_job(message.body)
            if isinstance(job, LookJob):
                return self.shop.application.look(job.provider)
            return plan_run(self.shop, PlanJob.of(message.body), worker=worker, deadline=deadline)
        return send_batches(self.shop, SendJob.of(message.body), worker=worker, deadline=self.now + self.sender_lives)

    def next_message(self) -> Message:
        """Takes the next message from its queue and moves the clock to when it is due."""
        message = min(self.queues.messages, key=lambda waiting: (waiting.due, waiting.number))
        self.queues.messages.remove(message)
        self.now = max(self.now, message.due)
        return message

    def step(self) -> str:
        """Delivers the next message."""
        self.results.append(self.deliver(self.next_message()))
        return self.results[-1]

    def drain(self, limit: int = 5000) -> None:
        """Delivers message after message until the queues are empty."""
        for _ in range(limit):
            if not self.queues.messages:
                return
            self.step()
        raise AssertionError("the queues do not run dry")

    # What came of it

    def plays(self, user: str = "harry") -> list[tuple[str, int]]:
        """(kind and Trakt id, minute) of every play that Trakt has."""
        return sorted(
            (f"{play.as_json()['type']}-{play.as_json()[play.as_json()['type']]['ids']['trakt']}", play.at // 60_000)
            for play in self.upstreams.trakt.users[user].plays
        )

    def events(self, run: Run) -> list[Any]:
        return [event for _, events in self.shop.plans.report(run.run_id, run.plan) for event in events]

    def calls(self) -> dict[str, int]:
        return {
            "trakt": len(self.upstreams.trakt.requests()),
            "kinopub": len(self.upstreams.kinopub.requests()),
        }


class _Distant(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport, world: World) -> None:
        self._inner, self._world = inner, world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._world.now += self._world.latency
        try:
            return self._inner.handle_request(request)
        except httpx.ReadTimeout:
            self._world.now += READ_TIMEOUT
            raise


def _settings() -> Settings:
    """Whatever the world does not use is `-`."""
    unused = {each.name: "-" for each in fields(Settings) if each.default is MISSING}
    tables = {name: name.removesuffix("_table").capitalize() for name in unused if name.endswith("_table")}
    used = {
        "trakt_api_url": "https://api.trakt.tv",
        "trakt_client_id": "demo-trakt-client-id-not-a-real-one",
        "kinopub_api_url": "https://api.service-kp.com",
        "allowed_trakt_users": "*",
    }
    return Settings(**unused | tables | used)  # type: ignore[arg-type]
