"""Somebody who uses Watchferry: a browser at its API, and a life at Kinopub and Trakt."""

import csv
import io
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.stack.shelf import DAY, HOUR, Shelf
from tests.upstreams import Expected
from tests.upstreams.app import Entry
from tests.upstreams.catalogue import Episode, Movie
from watchferry.models import unix

if TYPE_CHECKING:
    from tests.stack.deployed import Deployed

ENDED = {"succeeded", "partial", "failed", "cancelled"}
AT_REST = ENDED | {"awaiting_confirmation"}
PATIENCE = 60.0

Plays = Counter[tuple[str, int | None, int | None]]
"""(movie or episode, Trakt's id, the second) → how often."""


@dataclass
class Person:
    at: "Deployed"
    name: str
    slug: str
    web: httpx.Client
    had: Plays = field(default_factory=Counter)
    """Plays that Trakt has from elsewhere."""

    @property
    def user_id(self) -> str:
        """What accounts are keyed by: Trakt's uuid."""
        return self.at.upstreams.trakt.users[self.slug].uuid

    # ---- at the page

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer that is no error."""
        answer = self.web.request(method, path, **request)
        assert answer.status_code < 400, (self.name, method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def sign_in(self) -> None:
        """By the authorization-code flow, in which nobody has to wait."""
        begun = self.call("POST", "auth/trakt/authorize", json={})
        self.call("POST", "auth/trakt/oauth/exchange", json={"code": self.agree(begun), "state": begun["state"]})

    def agree(self, begun: Mapping[str, str]) -> str:
        """The person agrees on Trakt's page, which sends the browser back with a code."""
        with self.at.lock:
            self.at.upstreams.trakt.sign_in(self.slug)
            there = httpx.get(begun["authorize_url"], verify=False)  # over http: there is nothing to verify
        back = httpx.URL(there.headers["location"])
        assert back.params["state"] == begun["state"]
        return str(back.params["code"])

    def connect_kinopub(self) -> None:
        assert self.await_device("kinopub", self.begin_kinopub()).status_code == 200

    def begin_kinopub(self) -> dict[str, Any]:
        """A device flow that the person has agreed to."""
        begun: dict[str, Any] = self.call("POST", "auth/kinopub/device/code", json={})
        self.at.upstreams.kinopub.approve(begun["user_code"], self.slug)
        return begun

    def await_device(self, provider: str, begun: Mapping[str, Any]) -> httpx.Response:
        """Polls as often as the answers say, until one of them is final."""
        for _ in range(10):
            answer = self.poll(provider, begun)
            if answer.status_code != 202:
                return answer
            time.sleep(answer.json()["interval"])
        raise AssertionError(f"{provider} does not end the flow: {answer.text}")

    def poll(self, provider: str, begun: Mapping[str, Any]) -> httpx.Response:
        return self.web.post(f"auth/{provider}/device/token", json={"device_code": begun["device_code"]})

    @property
    def session(self) -> Any:
        return self.call("GET", "auth/session")

    @property
    def state(self) -> Any:
        return self.call("GET", "sync/state")

    def settings(self, **changes: Any) -> Any:
        return self.call("PUT", "sync/settings", json=changes)

    def start(self, mode: str = "sync", **options: Any) -> str:
        return str(self.call("POST", "sync/runs", json={"mode": mode, **options})["run_id"])

    def show(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"sync/runs/{run_id}")
        return found

    def run(self, mode: str = "sync", **options: Any) -> dict[str, Any]:
        """A run from its start to its end, or to where it waits for a confirmation."""
        return follow({self: self.start(mode, **options)})[self]

    def runs(self) -> list[dict[str, Any]]:
        """All of them, newest first."""
        return self.pages("sync/runs")

    def events(self, run: Mapping[str, Any], **filters: str) -> list[dict[str, Any]]:
        return self.pages(f"sync/runs/{run['id']}/events", **filters)

    def table(self, run: Mapping[str, Any], **filters: str) -> list[dict[str, str]]:
        """The events as CSV."""
        answer = self.web.get(f"sync/runs/{run['id']}/events", params=filters, headers={"accept": "text/csv"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(answer.text)))

    def pages(self, path: str, **query: str) -> list[dict[str, Any]]:
        found, cursor = list[dict[str, Any]](), ""
        while True:
            page = self.call("GET", path, params=query | ({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    # ---- at Kinopub and Trakt

    def watch(self, *titles: Any, had: bool = False, days: float = 10.0) -> None:
        """Finishes films one after another, beginning so many days ago; `had`: told to Trakt by another program."""
        self._in_the_past(titles, days, had)

    def usual(self, shelf: Shelf | None = None) -> None:
        """A week: eight views to be sent, and one or two of each that must not be.

        Not on Trakt (a film, an episode), on Trakt already, begun (a film, an episode). All after the first run's.
        """
        shelf = shelf or self.at.shelf
        films, show = shelf.films, shelf.show
        self.watch(*films[:4], shelf.unknown, days=20)
        self.watch(films[4], had=True, days=14)
        self.watch(*((show, 1, number) for number in range(1, 6)), days=12)
        with self.at.upstreams.upstreams.lock:
            now = int(time.time())
            self.at.library.begin(self.slug, films[5], films[5].units[0], now - 2 * DAY)
            self.at.library.begin(self.slug, show, show.unit(1, 6), now - DAY)

    def _in_the_past(self, things: Sequence[Any], days: float, had: bool) -> None:
        library = self.at.library
        with self.at.upstreams.upstreams.lock:
            at = int(time.time() - days * DAY)
            for thing in things:
                title, season, number = thing if isinstance(thing, tuple) else (thing, 0, 1)
                unit = title.unit(season, number)
                if had:
                    self.seen_elsewhere(title.trakt_episode(unit) if season else title.trakt, at - at % 60 + 7)
                library.finish(self.slug, title, unit, at, had=had)
                at += 3 * HOUR + 61

    def seen_elsewhere(self, thing: Movie | Episode, at: int) -> None:
        """Another program tells Trakt of a play."""
        self.at.upstreams.trakt.add_play(self.slug, thing, at)
        self.had[thing.kind, thing.trakt, at] += 1

    def watch_now(self, item: int | str, season: int = 0, number: int = 1) -> None:
        """Finishes something, once more if need be."""
        self.at.library.watch(self.slug, item, season, number)

    @property
    def plays(self) -> Plays:
        """What Trakt has."""
        return Counter(
            (play["type"], play[play["type"]]["ids"]["trakt"], unix(play["watched_at"]))
            for play in self.at.upstreams.trakt.plays(self.slug)
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """No run gets anywhere meanwhile: Kinopub does not answer."""
        faults = self.at.upstreams.kinopub.faults
        fault = faults.add(path="^/v1/history", user=self.slug, status=503, times=None)
        try:
            yield
        finally:
            faults.script.remove(fault)

    def expected(self, *, every: bool = False) -> list[Expected]:
        return self.at.upstreams.upstreams.expected(self.slug, every=every)

    @property
    def wanted(self) -> Plays:
        """What Trakt ought to have: what it had, and every finished view that it can take, once, to the second."""
        return self.had + Counter(
            (view.kind, view.trakt_id, view.watched_at) for view in self.expected(every=True) if view.outcome == "sent"
        )

    @property
    def skipped(self) -> dict[str, int]:
        """Reason → how many views of the library must not be sent."""
        return dict(Counter(view.reason for view in self.expected() if view.outcome == "skipped"))

    def calls(self, upstream: str = "trakt", path: str = "", method: str = "") -> list[Entry]:
        """Requests in this person's name, but for those of OAuth."""
        app: Any = getattr(self.at.upstreams, upstream)
        return [
            entry
            for entry in app.requests(path, method, self.slug)
            if not entry.path.startswith(("/oauth", "/users/settings", "/v1/device"))
        ]

    def __hash__(self) -> int:
        return hash(self.slug)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<{self.name} ({self.slug})>"


def follow(started: Mapping[Person, str], seconds: float = PATIENCE) -> dict[Person, dict[str, Any]]:
    """Each one's run at its end, or where it waits for a confirmation; at the deadline it is what it is."""
    deadline = time.monotonic() + seconds
    shown: dict[Person, dict[str, Any]] = {}
    waiting = dict(started)
    while waiting:
        for person, run_id in list(waiting.items()):
            shown[person] = person.show(run_id)
            if shown[person]["status"] in AT_REST or time.monotonic() > deadline:
                del waiting[person]
        time.sleep(min(1.0, 0.05 * len(waiting)))  # asking must not keep the machine from answering
    return shown
