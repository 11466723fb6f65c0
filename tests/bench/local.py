"""A local cloud in a folder of its own, the stack deployed in it, stand-ins on ports, and people who use it."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from tests.cloud import demo, ministack
from tests.cloud.stack import Stack
from tests.cloud.up import up
from tests.upstreams import Library, start
from tests.upstreams.stand_ins import Running

ENDED = {"succeeded", "partial", "failed", "cancelled"}
LOOK_EVERY = 0.25
"""Seconds between two looks at a run; each of them costs the machine some work, too."""

type Plays = Counter[tuple[str, int | None, int | None]]
"""(movie or episode, Trakt's id, the second) → how often."""


@dataclass(frozen=True, slots=True)
class Person:
    """Both accounts are connected."""

    slug: str
    web: httpx.Client

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer; raises where it is an error."""
        while (answer := self.web.request(method, path, **request)).status_code == 429:
            time.sleep(1)  # the API's own limit for device codes
        if answer.is_error:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()

    def start(self) -> str:
        return str(self.call("POST", "sync/runs", json={"mode": "sync"})["run_id"])

    def follow(self, run_id: str, patience: float) -> Mapping[str, Any]:
        """The run when it has ended."""
        deadline = time.monotonic() + patience
        while True:
            run: dict[str, Any] = self.call("GET", f"sync/runs/{run_id}")
            if run["status"] in ENDED:
                return run
            if time.monotonic() > deadline:
                raise RuntimeError(f"the run {run_id} does not end: {run}")
            time.sleep(LOOK_EVERY)


@dataclass(frozen=True, slots=True)
class Local:
    stack: Stack
    upstreams: Running
    on_trakts_page: threading.Lock = field(default_factory=threading.Lock)
    """One person at a time is signed in there."""

    def person(self, slug: str) -> Person:
        """Somebody who signs in on Trakt's page, and at Kinopub by code."""
        person = Person(slug, self.stack.browser())
        begun = person.call("POST", "auth/trakt/authorize", json={})
        with self.on_trakts_page:
            self.upstreams.trakt.sign_in(slug)
            back = httpx.URL(httpx.get(begun["authorize_url"]).headers["location"])
        person.call("POST", "auth/trakt/oauth/exchange", json={"code": back.params["code"], "state": begun["state"]})
        code = person.call("POST", "auth/kinopub/device/code", json={})
        self.upstreams.kinopub.approve(code["user_code"], slug)
        polled = {"device_code": code["device_code"]}
        while person.call("POST", "auth/kinopub/device/token", json=polled)["status"] != "authorized":
            time.sleep(code["interval"])
        return person

    def invoke(self, function: str) -> None:
        """Calls a function and waits for its end, as the schedule does; `function` is its logical id."""
        self.stack.aws("lambda").invoke(FunctionName=self.stack.functions[function], Payload=b"{}")

    def plays(self, slug: str) -> Plays:
        """What Trakt has."""
        with self.upstreams.upstreams.lock:
            shown = [play.as_json() | {"second": play.at // 1000} for play in self.upstreams.trakt.users[slug].plays]
        return Counter((play["type"], play[play["type"]]["ids"]["trakt"], play["second"]) for play in shown)

    def wanted(self, slug: str) -> Plays:
        """What must be sent."""
        expected = self.upstreams.upstreams.expected(slug)
        return Counter((each.kind, each.trakt_id, each.watched_at) for each in expected if each.outcome == "sent")


@contextmanager
def deployed(out: Console, library: str | Library, users: Iterable[str]) -> Iterator[Local]:
    """With Trakt's limits on and the schedule off: only a bench ticks. All of it ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="watchferry-bench-"))
    try:
        with start(library, users, limits=True) as upstreams:
            upstreams.kinopub.options.set(device_interval=1)  # nobody has to find a page and type a code
            settings = demo.environment(upstreams) | {"ALLOWED_TRAKT_USERS": "*", "SCHEDULE_STATE": "DISABLED"}
            try:
                yield Local(up(folder, settings, lambda said: out.print(f"[dim]{said}[/]")), upstreams)
            finally:
                ministack.stop(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
