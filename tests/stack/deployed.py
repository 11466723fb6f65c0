"""The whole of Watchferry in the local cloud, deployed as `make up` does it, once for all tests of a session.

The stand-ins run on threads of the test process, with Trakt's rate limits on. Every test makes people of its own
(person.py), so nothing is ever deployed again. Whatever the API answers to anybody is checked on its way by `hear`, and
kept for test_secrets.py.
"""

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.cloud import ministack
from tests.cloud.stack import Stack
from tests.cloud.up import up
from tests.described import held_to_description
from tests.stack.person import Person
from tests.stack.shelf import Shelf
from tests.stack.strikes import Strikes
from tests.upstreams import Library, start
from tests.upstreams.realistic import realistic
from tests.upstreams.stand_ins import Running

HARRY = "harry"
"""The one with the realistic library."""

GUESTS = 600
INTERVAL = 1
"""Seconds between polls of a device flow, at both upstreams; the real ones say 5."""

PROBLEM = {"type": str, "title": str, "status": int, "detail": str, "code": str, "request_id": str}
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def guest(number: int) -> str:
    return f"g{number:03d}"


@dataclass(repr=False)
class Deployed:
    stack: Stack
    upstreams: Running
    shelf: Shelf
    """Titles that anybody may have watched; Trakt's ids of them are soon remembered."""
    strikes: Strikes
    """What befalls the functions from within."""
    answers: list[str] = field(default_factory=list)
    """Every answer of the API: status, headers, body."""
    secrets: set[str] = field(default_factory=set)
    """Of our own making: sessions, API tokens, handles, states, browser marks."""
    at_the_end: ExitStack = field(default_factory=ExitStack)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _clients: dict[str, Any] = field(default_factory=dict)
    _guests: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _shelves: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def library(self) -> Library:
        return self.upstreams.library

    # ---- people

    def web(self) -> httpx.Client:
        """A browser that nobody has signed in with."""
        made = self.stack.browser(event_hooks={"response": [self.hear]})
        with self.lock:
            self.at_the_end.callback(made.close)
        return made

    def newcomer(self, name: str, *, slug: str = "", **trakt: Any) -> Person:
        """Somebody new at both upstreams who has not been here yet; `name` is for whoever reads a failure."""
        slug = slug or guest(next(self._guests))
        with self.upstreams.upstreams.lock:
            if slug not in self.upstreams.trakt.users:
                self.library.viewer(slug)
                self.upstreams.trakt.add_user(slug, name=name, **trakt)
        return Person(self, name, slug, self.web())

    def person(self, name: str) -> Person:
        """Somebody new, with both accounts connected."""
        return self.people([name])[0]

    def people(self, names: Sequence[str]) -> list[Person]:
        """Several, who wait for Kinopub together.

        One request after another: each that comes beside others costs the local cloud a process with all of the code.
        """
        made = [self.newcomer(name) for name in names]
        begun = []
        for person in made:
            person.sign_in()
            begun.append(person.begin_kinopub())
        for person, flow in zip(made, begun, strict=True):
            assert person.await_device("kinopub", flow).status_code == 200
        return made

    def new_shelf(self) -> Shelf:
        """Titles that nobody has mapped yet."""
        with self.upstreams.upstreams.lock:
            return Shelf.fill(self.library, next(self._shelves))

    # ---- the cloud itself

    def cloud(self, service: str) -> Any:
        """The owner's client, made once: making it takes longer than a call."""
        with self.lock:
            if service not in self._clients:
                self._clients[service] = self.stack.aws(service)
            return self._clients[service]

    def send(self, queue: str, bodies: Sequence[str]) -> None:
        """Messages as if the queue delivered them (once more): ten to a call, so that they come together."""
        sqs = self.cloud("sqs")
        for chunk in itertools.batched(bodies, 10, strict=False):
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(chunk)]
            assert not sqs.send_message_batch(QueueUrl=self.stack.queues[queue], Entries=entries).get("Failed")

    def waiting(self, queue: str) -> int:
        """Messages that are on the queue or under way. A delayed one is a successor, should a worker die."""
        names = ["ApproximateNumberOfMessages" + kind for kind in ("", "NotVisible")]
        url = self.stack.queues[queue]
        told = self.cloud("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, told.values()))

    def take_all(self, queue: str) -> list[str]:
        """Empties a dead-letter queue."""
        sqs, url = self.cloud("sqs"), self.stack.queues[queue]
        bodies = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def tick(self, event: object) -> int:
        """Invokes the scheduler as EventBridge does; how many users it enqueued."""
        name, payload = self.stack.functions["SyncScheduler"], json.dumps(event).encode()
        answer = self.cloud("lambda").invoke(FunctionName=name, Payload=payload)
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return int(told["enqueued"])

    def drained(self) -> bool:
        return not any(self.waiting(queue) for queue in ("SyncJobs", "HistoryBatches"))

    # ---- every answer

    def hear(self, response: httpx.Response) -> None:
        """Keeps an answer, and fails on one that no caller may ever see (http-api.md, Errors and Proxy)."""
        response.read()
        self.answers.append(f"{response.status_code} {response.headers.multi_items()} {response.text}")
        cookies = response.headers.get_list("set-cookie")
        # What the page's own scripts may read is none.
        kept = {cookie.partition("=")[2].partition(";")[0] for cookie in cookies if "httponly" in cookie.lower()}
        if response.status_code in {200, 201} and response.headers.get("content-type") == "application/json":
            told = response.json()
            kept |= {str(told[name]) for name in ("device_code", "state", "token") if name in told}
        self.secrets |= kept - {""}
        assert response.headers["content-security-policy"] == POLICY, response.request.url
        assert response.headers["x-content-type-options"] == "nosniff"
        if response.status_code >= 400 and response.request.method != "HEAD" and "cache-status" not in response.headers:
            check_problem(response)  # with a Cache-Status it is an upstream's own answer
        asked, kind = response.request, response.headers.get("content-type", "")
        path = asked.url.path.removeprefix("/api")
        held_to_description(asked.method, path, response.status_code, kind, response.content)


def check_problem(response: httpx.Response) -> None:
    """An error is a problem document with a stable word, and never one that nobody foresaw."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert {name: type(problem[name]) for name in PROBLEM} == PROBLEM, problem
    assert problem["status"] == response.status_code != 500, problem
    assert "Traceback" not in response.text


def until[T](what: str, ask: Callable[[], T], seconds: float = 30, every: float = 0.1) -> T:
    """The first answer that is true. Fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(every)
    return answer


@contextmanager
def deploy(home: Path) -> Iterator[Deployed]:
    """In a folder and a process of its own, beside whatever else is up; gone afterwards, but for its logs."""
    with start(realistic([HARRY]), [HARRY], limits=True) as upstreams, ExitStack() as at_the_end:
        upstreams.trakt.options.set(device_interval=INTERVAL)
        upstreams.kinopub.options.set(device_interval=INTERVAL)
        at_the_end.callback(end, home)
        strikes = Strikes(home / "strikes")
        stack = up(home, environment(upstreams), lambda said: None, strikes.environment())
        yield Deployed(stack, upstreams, Shelf.fill(upstreams.library, 0), strikes, at_the_end=at_the_end)


def environment(upstreams: Running) -> dict[str, str]:
    """What the owner says. The schedule's own tick is an hour away, so that only tests tick."""
    return {
        "TRAKT_API_URL": upstreams.trakt_url,
        "TRAKT_AUTH_URL": upstreams.trakt_auth_url,
        "TRAKT_CLIENT_ID": upstreams.trakt.client_id,
        "TRAKT_CLIENT_SECRET": upstreams.trakt.client_secret,
        "KINOPUB_API_URL": upstreams.kinopub_url,
        "KINOPUB_CLIENT_ID": upstreams.kinopub.client_id,
        "KINOPUB_CLIENT_SECRET": upstreams.kinopub.client_secret,
        "TMDB_API_URL": upstreams.tmdb_url,
        "TMDB_IMAGE_URL": upstreams.tmdb_image_url,
        "TMDB_READ_ACCESS_TOKEN": upstreams.tmdb.read_access_token,
        "ALLOWED_TRAKT_USERS": ",".join([HARRY, *map(guest, range(1, GUESTS))]),
        "SYNC_SCHEDULE": "rate(1 hour)",
        "ALLOW_PRIVATE_PROWLARR": "true",  # webhooks of tests are on this machine
    }


def end(home: Path) -> None:
    """By its process id, whatever state it is in."""
    try:
        ministack.stop(home)
    finally:
        if cloud := ministack.running(home):
            with suppress(ProcessLookupError):
                os.kill(cloud.pid, signal.SIGKILL)
        # A copy of the code for every process that worked as a Lambda: nobody has to wait until they are gone.
        subprocess.Popen(["rm", "-rf", home / "cloud"], start_new_session=True)
