"""A whole Watchferry in one process (tests/world.py), every call of AWS counted, with the units that AWS would bill.

The planner, the senders, the storage and the credentials are the real ones, tokens sealed and all; so the counts depend
on no machine. Time does not pass by itself: nobody has to wait, and nothing takes time.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from math import ceil
from typing import Any

from tests.bench.cost import Bill
from tests.memory_dynamo import MemoryDynamo, Wire
from tests.upstreams.stand_ins import API_HOST, AUTH_HOST, KINOPUB_HOST
from tests.world import MemoryQueues, World
from watchferry.auth.grants import TokenPair
from watchferry.settings import Settings
from watchferry.storage.account import Provider
from watchferry.sync.connected import Connected
from watchferry.sync.schedule import enqueue_due
from watchferry.sync.workshop import Workshop
from watchferry.wiring import Wiring

READS_AT_ONCE: int = {field.name: field.default for field in fields(Workshop)}["reads_at_once"]  # type: ignore[assignment]
"""As in the cloud; other tests read one at a time, for the sake of order."""

PAGE = 2**20
"""Bytes that one answer of a query holds at most."""


class Meter:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """`operation Table` → how often."""
        self.writes: Counter[str] = Counter()
        """Table → units of 1 KB."""
        self.half_reads: Counter[str] = Counter()
        """Table → units of 4 KB, in halves: a read that need not be consistent is one."""
        self.queue_requests = 0
        self.key_requests = 0

    @property
    def dynamo_calls(self) -> int:
        return sum(self.calls.values())

    def bill(self) -> Bill:
        return Bill(
            writes=sum(self.writes.values()),
            reads=sum(self.half_reads.values()) / 2,
            queue_requests=self.queue_requests,
            key_requests=self.key_requests,
        )


class MeteredDynamo:
    """A client that counts; one call at a time."""

    exceptions = MemoryDynamo.exceptions

    def __init__(self) -> None:
        self.inner = MemoryDynamo()
        self.meter = Meter()
        self._lock = threading.RLock()

    def __getattr__(self, operation: str) -> Any:
        def counted(**request: Any) -> Wire:
            with self._lock:
                return self._counted(operation, request)

        return counted

    def _counted(self, operation: str, request: Wire) -> Wire:
        """A write whose condition fails is paid all the same: the item that stood in its way."""
        touched = list(_touched(operation, request))
        before = [self._stored(name, item) for name, item in touched]
        names = {name for name, _ in touched} or set(request.get("RequestItems", {})) or {request["TableName"]}
        self.meter.calls[f"{operation} {'+'.join(sorted(names))}"] += 1
        try:
            answer: Wire = getattr(self.inner, operation)(**request)
        finally:
            twice = 2 if operation == "transact_write_items" else 1
            for (name, item), old in zip(touched, before, strict=True):
                self.meter.writes[name] += twice * max(1, ceil(max(old, self._stored(name, item)) / 1024))
        for name, units in _half_reads(operation, request, answer):
            self.meter.half_reads[name] += units
        if operation == "query":
            self.meter.calls[f"query {request['TableName']}"] += sum(map(size, answer["Items"])) // PAGE
        return answer

    def _stored(self, table: str, item: Wire) -> int:
        return size(self.inner.tables[table].get(self.inner._key(table, item)))


def _touched(operation: str, request: Wire) -> Iterator[tuple[str, Wire]]:
    """The table and the key (or whole item) of everything that a request writes."""
    if operation in ("put_item", "update_item", "delete_item"):
        yield request["TableName"], request.get("Item") or request["Key"]
    elif operation == "batch_write_item":
        for name, parts in request["RequestItems"].items():
            for part in parts:
                yield name, part["PutRequest"]["Item"] if "PutRequest" in part else part["DeleteRequest"]["Key"]
    elif operation == "transact_write_items":
        for (part,) in (wrapped.values() for wrapped in request["TransactItems"]):
            yield part["TableName"], part.get("Item") or part["Key"]


def _half_reads(operation: str, request: Wire, answer: Wire) -> Iterator[tuple[str, int]]:
    if operation in ("get_item", "query"):
        found = [answer["Item"]] if "Item" in answer else answer.get("Items", [])
        units = max(1, ceil(sum(map(size, found)) / 4096))
        yield request["TableName"], units * (2 if request.get("ConsistentRead") else 1)
    elif operation == "batch_get_item":
        for name, wanted in request["RequestItems"].items():
            found = answer["Responses"][name]
            absent = len(wanted["Keys"]) - len(found)
            yield name, 2 * (absent + sum(max(1, ceil(size(item) / 4096)) for item in found))


def size(item: Wire | None) -> int:
    """An item's bytes, as DynamoDB counts them (Developer Guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (item or {}).items())


def _value_size(value: Wire) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return len(inner.strip("-").strip("0")) // 2 + 2
        case "SS":
            return sum(len(each.encode()) for each in inner)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(each) for name, each in inner.items())
        case "L":
            return 3 + sum(1 + _value_size(each) for each in inner)
        case "B":
            return len(inner)
        case _:
            return 1


class MeteredKeys:
    """KMS, as far as vault.py uses it."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def generate_data_key(self, **_: Any) -> Mapping[str, bytes]:
        self.meter.key_requests += 1
        return {"Plaintext": bytes(32), "CiphertextBlob": bytes(184)}

    def decrypt(self, **_: Any) -> Mapping[str, bytes]:
        self.meter.key_requests += 1
        return {"Plaintext": bytes(32)}


class MeteredQueues(MemoryQueues):
    """Ten messages to a request; each one is received and deleted by a request of its own."""

    meter: Meter

    def wake_sender(self) -> None:
        self.meter.queue_requests += 3

    def _add(self, kind: str, jobs: Sequence[tuple[Any, float]]) -> None:
        self.meter.queue_requests += ceil(len(jobs) / 10) + 2 * len(jobs)
        super()._add(kind, jobs)


class Process(Wiring):
    """A function's process: what it keeps in memory begins anew with it."""

    def __init__(self, world: "Metered") -> None:
        self.world = world
        trakt, kinopub = world.upstreams.trakt, world.upstreams.kinopub
        self.parameters = {"trakt-secret": trakt.client_secret, "kinopub-secret": kinopub.client_secret}
        environ = {each.name.upper(): "-" for each in fields(Settings) if each.default is MISSING} | {
            "ACCOUNTS_TABLE": "Accounts",
            "TOKENS_TABLE": "Tokens",
            "FLOWS_TABLE": "Flows",
            "TRAKT_API_URL": f"https://{API_HOST}",
            "TRAKT_AUTH_URL": f"https://{AUTH_HOST}",
            "TRAKT_CLIENT_ID": trakt.client_id,
            "TRAKT_CLIENT_SECRET_PARAMETER": "trakt-secret",
            "KINOPUB_API_URL": f"https://{KINOPUB_HOST}",
            "KINOPUB_CLIENT_ID": kinopub.client_id,
            "KINOPUB_CLIENT_SECRET_PARAMETER": "kinopub-secret",
        }
        super().__init__(environ, clock=lambda: world.now, pause=world.pause, transport=world.transport())

    def aws(self, service: str, **_: Any) -> Any:
        return {"dynamodb": self.world.dynamo, "kms": MeteredKeys(self.world.dynamo.meter), "ssm": self}[service]

    def get_parameter(self, *, Name: str, **_: Any) -> Mapping[str, Mapping[str, str]]:
        """As SSM does it, which takes nothing for it."""
        return {"Parameter": {"Value": self.parameters[Name]}}


class Metered(World):
    """Every user has connected both accounts, with tokens just granted, and wants to be synced by the schedule."""

    def __init__(self, library: Any, users: Sequence[str] = ("harry",)) -> None:
        self.dynamo = MeteredDynamo()
        super().__init__(library, users, dynamo=self.dynamo)
        self.shop.reads_at_once = READS_AT_ONCE
        process = self.cold_start()
        for user in users:
            trakt, kinopub = self.upstreams.trakt.grant(user), self.upstreams.kinopub.grant(user)
            pairs: dict[Provider, TokenPair] = {
                "trakt": TokenPair(trakt.access, trakt.refresh, int(self.now) + trakt.expires_in),
                "kinopub": TokenPair(kinopub.access, kinopub.refresh, int(self.now) + kinopub.lifetime),
            }
            for provider, pair in pairs.items():
                process.broker.pairs.connect(user, provider, pair)
            self.settings(user, enabled=True)

    def new_queues(self) -> MeteredQueues:
        made = MeteredQueues(lambda: self.now)
        made.meter = self.dynamo.meter
        return made

    def cold_start(self) -> Process:
        """Counts anew, in a process that has read nothing yet."""
        meter = self.dynamo.meter = Meter()
        self.queues.meter = meter  # type: ignore[attr-defined]
        process = Process(self)
        self.shop.upstreams = Connected(process.settings, process.http, process.broker, self.pause)
        return process

    def tick(self) -> Meter:
        """The schedule's tick and all that follows from it; what it took."""
        self.cold_start()
        turn = self.shop.accounts.tick()
        enqueue_due(self.shop.accounts, self.shop.queues, at=self.now, spread=0, first=turn)
        self.drain()
        return self.dynamo.meter
