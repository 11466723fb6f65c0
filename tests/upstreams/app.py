"""What all stand-ins have in common: a lock, a clock, a log of requests, faults, and switches."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .faults import Fault, Faults
from .web import (
    GaveUp,
    Outcome,
    Request,
    Reset,
    Response,
    Route,
    Sleep,
    collapse,
    mislabelled,
    routes_of,
    with_cookie,
)

Clock = Callable[[], float]


@dataclass(slots=True)
class Entry:
    """One request in the log. `status` is 0 while it is under way and for a dropped connection."""

    method: str
    path: str
    query: list[tuple[str, str]]
    at: float
    user: str | None
    template: str
    mount: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    fault: Fault | None = None

    def as_json(self, full: bool = False) -> dict[str, Any]:
        names = ["method", "path", "query", "at", "status", "user", "template", "mount"]
        shown = {name: getattr(self, name) for name in names}
        return shown | {"headers": self.headers, "body": self.body.decode("utf-8", "replace")} if full else shown


@dataclass(slots=True)
class Switches:
    """What can be changed from outside; the upstreams add their own."""

    latency: float = 0.0  # seconds that every answer takes, really slept
    blocked_user_agents: str | None = None  # a regular expression; whoever fits gets a firewall's page
    edge_cookie: bool = False  # every answer passes an edge that sets a cookie
    edge_packing: str | None = None  # a name from `web.PACKINGS`: the edge mislabels every body

    def set(self, **values: Any) -> None:
        """Changes switches; an unknown name is an error, not a typo that does nothing."""
        for name, value in values.items():
            if name not in self.__dataclass_fields__:
                raise ValueError(f"no switch {name!r}; there are: {', '.join(self.__dataclass_fields__)}")
            setattr(self, name, value)


Handler = Callable[..., Response]


class Upstream:
    """An app with state. One request at a time changes it; waiting happens outside the lock.

    Subclasses declare routes and answer `caller` (whose token this is) and `refusal` (what is checked before a route).
    """

    name = ""

    def __init__(self, clock: Clock = time.time, lock: Any = None) -> None:
        self.clock = clock
        self.lock = lock or threading.RLock()
        self.control: Callable[[Request], Response] | None = None  # answers /_control/…, put in by `Upstreams`
        self.faults = Faults()
        self.log: list[Entry] = []
        self.peaks: Counter[str] = Counter()  # the most requests in flight at once, in all ("") and by template
        self._flying: Counter[str] = Counter()
        self._gate = threading.Lock()
        self._late: list[tuple[float, Entry, Request]] = []
        self._routes: list[tuple[Route, Handler]] = [(made, getattr(self, made.name)) for made in routes_of(type(self))]
        self._exact = {(made.method, made.template): (made.template, handler) for made, handler in self._routes}

    # ---- for subclasses

    @property
    def switches(self) -> Switches:
        raise NotImplementedError

    def caller(self, request: Request) -> str | None:
        """The user whose access token the request carries, without judging it."""
        raise NotImplementedError

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        """An answer that precedes the route: firewall, key, token, limits."""
        raise NotImplementedError

    def unknown(self, request: Request, other_methods: bool) -> Response:
        """404, or 405 where the path exists with another method."""
        return Response.json({"error": "method_not_found"}, 405 if other_methods else 404)

    def told(self, request: Request) -> dict[str, str]:
        """Headers that every answer carries."""
        return {}

    # ---- a request from arrival to answer

    def handle(self, request: Request, sleep: Sleep = time.sleep) -> Outcome:
        if self.control and request.path.startswith("/_control/"):
            with self.lock:
                return self.control(request)
        template, handler = self._find(request)
        counted = f"{'GET' if request.method == 'HEAD' else request.method} {template}"
        with self._gate:
            self._flying.update(["", counted])
            for key in ("", counted):
                self.peaks[key] = max(self.peaks[key], self._flying[key])
            in_flight = self._flying[""]
        try:
            if self.switches.latency:
                time.sleep(self.switches.latency)
            return self._past_the_edge(self._strike(request, template, handler, in_flight, sleep))
        finally:
            with self._gate:
                self._flying.subtract(["", counted])

    def _past_the_edge(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Reset):
            return outcome
        if self.switches.edge_packing:
            outcome = mislabelled(outcome, self.switches.edge_packing)
        return with_cookie(outcome) if self.switches.edge_cookie else outcome

    def _strike(self, request: Request, template: str, handler: Handler, in_flight: int, sleep: Sleep) -> Outcome:
        """The request as the script of faults lets it be."""
        with self.lock:
            self.settle()
            entry = self._note(request, template)
            fault = entry.fault = self.faults.take(request.method, collapse(request.path), entry.user)
            if fault is None:
                return self._work(request, entry, handler, in_flight)
            real = self._work(request, entry, handler, in_flight) if fault.when == "after" else None

        # From here on the lock is free: silence must not stop the others.
        try:
            if fault.meanwhile:
                fault.meanwhile()
            if fault.delay:
                sleep(fault.delay)
        except GaveUp:
            if real is None and not fault.reset and not fault.answers:
                with self.lock:
                    self._late.append((entry.at + fault.delay, entry, request))
            raise
        if fault.reset:
            entry.status = 0
            return Reset()
        with self.lock:
            if real is None and not fault.answers:
                return self._work(request, entry, handler, in_flight)
            shown = fault.response(self.clock(), real)
            entry.status = shown.status
            return shown

    def _note(self, request: Request, template: str) -> Entry:
        entry = Entry(
            method=request.method,
            path=request.path,
            query=request.query,
            at=self.clock(),
            user=self.caller(request),
            template=template,
            mount=request.mount,
            headers=request.headers,
            body=request.body,
        )
        self.log.append(entry)
        return entry

    def _work(self, request: Request, entry: Entry, handler: Handler, in_flight: int) -> Response:
        response = self.refusal(request, in_flight) or handler(request)
        response.headers.update(self.told(request))
        entry.status = response.status
        return response

    def settle(self) -> None:
        """Does the work of abandoned requests whose delay is over by the clock."""
        due = [late for late in self._late if late[0] <= self.clock()]
        self._late = [late for late in self._late if late[0] > self.clock()]
        for _, entry, request in due:
            self._work(request, entry, self._find(request)[1], in_flight=1)

    def _find(self, request: Request) -> tuple[str, Handler]:
        """The route's template and its handler; the path itself and a refusal where there is none."""
        path = collapse(request.path)
        method = "GET" if request.method == "HEAD" else request.method
        if found := self._exact.get((method, path.rstrip("/"))):
            return found
        others = False
        for made, handler in self._routes:
            match = made.pattern.fullmatch(path)
            if match and made.method == method:
                return made.template, partial(handler, **match.groupdict())
            others = others or bool(match)
        return path, partial(self.unknown, other_methods=others)

    # ---- what tests read

    def requests(self, path: str = "", method: str = "", user: str | None = None) -> list[Entry]:
        """Logged requests whose path fits a regular expression."""
        with self.lock:
            return [
                entry
                for entry in self.log
                if re.search(path, entry.path)
                and re.fullmatch(method or ".*", entry.method)
                and (user is None or entry.user == user)
            ]

    def summary(self) -> dict[str, Any]:
        """Counts by `METHOD /template`, by status, and the most requests that were in flight at once."""
        with self.lock:
            return {
                "requests": len(self.log),
                "counts": dict(Counter(f"{entry.method} {entry.template}" for entry in self.log)),
                "statuses": dict(Counter(str(entry.status) for entry in self.log)),
                "in_flight_peak": {key or "all": peak for key, peak in self.peaks.items()},
            }

    def forget(self) -> None:
        """Empties the log and the peaks."""
        with self.lock:
            self.log.clear()
            self.peaks.clear()


@dataclass(slots=True)
class TokenCounts:
    """What became of tokens: how a test sees that refreshing was single-flight."""

    issued: int = 0  # pairs handed out by a device or code grant
    refreshes_served: int = 0
    refreshes_refused: int = 0
    revoked: int = 0
    unauthorized: int = 0  # calls answered 401


@dataclass(slots=True)
class Device:
    """A device flow under way, at either upstream."""

    code: str
    user_code: str
    client_id: str
    created_at: float
    expires_in: int
    interval: int
    status: str = "pending"  # pending, approved, denied, used
    user: str = ""
    polled_at: float | None = None
    polls: int = 0
    polled_too_fast: int = 0

    def expired(self, now: float) -> bool:
        return now >= self.created_at + self.expires_in

    def poll(self, now: float) -> bool:
        """Notes a poll; True when it came sooner than the interval allows."""
        fast = self.polled_at is not None and now - self.polled_at < self.interval - 0.05
        self.polled_at, self.polls = now, self.polls + 1
        self.polled_too_fast += fast
        return fast


@dataclass(slots=True)
class Devices:
    """The device flows of one upstream, by device code."""

    flows: dict[str, Device] = field(default_factory=dict)

    def decide(self, user_code: str, status: str, user: str = "") -> Device:
        """What the person does on the upstream's page; LookupError when there is no such code waiting."""
        for flow in self.flows.values():
            if flow.user_code == user_code and flow.status == "pending":
                flow.status, flow.user = status, user
                return flow
        raise LookupError(f"no pending user code {user_code!r}")
