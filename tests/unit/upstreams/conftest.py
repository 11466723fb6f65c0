"""The stand-ins in process, with a clock that tests move, and a client that sends what each upstream asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.upstreams import MovableClock, Upstreams
from tests.upstreams.kinopub import Kinopub
from tests.upstreams.trakt import Trakt

NOW = 1_790_000_000.0
AGENT = {"User-Agent": "stand-in-tests/1"}


@dataclass(slots=True)
class Stand:
    """One user's way to both upstreams."""

    upstreams: Upstreams
    http: httpx.Client
    access: str
    kinopub_access: str

    @property
    def trakt(self) -> Trakt:
        return self.upstreams.trakt

    @property
    def kinopub(self) -> Kinopub:
        return self.upstreams.kinopub

    @property
    def clock(self) -> MovableClock:
        return self.upstreams.clock

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A call of Trakt's API as the user; `headers` are added, None takes one away."""
        headers: dict[str, str | None] = {
            **AGENT,
            "trakt-api-key": self.trakt.client_id,
            "trakt-api-version": "2",
            "Authorization": f"Bearer {self.access}",
            **more.pop("headers", {}),
        }
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.http.request(method, f"https://api.trakt.tv{path}", headers=sent, **more)

    def oauth(self, path: str, **body: Any) -> httpx.Response:
        credentials = {"client_id": self.trakt.client_id, "client_secret": self.trakt.client_secret}
        return self.http.post(f"https://auth.trakt.tv{path}", headers=AGENT, json=credentials | body)

    def refresh(self, token: str, **body: Any) -> httpx.Response:
        given = {"grant_type": "refresh_token", "refresh_token": token, "redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}
        return self.oauth("/oauth/token", **given | body)

    def kino(self, path: str, **query: Any) -> httpx.Response:
        query = {"access_token": self.kinopub_access} | query
        return self.http.get(f"https://api.service-kp.com{path}", params=query, headers=AGENT)

    def kino_oauth(self, path: str, **query: Any) -> httpx.Response:
        credentials = {"client_id": self.kinopub.client_id, "client_secret": self.kinopub.client_secret}
        return self.http.post(f"https://api.service-kp.com{path}", params=credentials | query, headers=AGENT)


def stand_on(library: str) -> Stand:
    upstreams = Upstreams(library, clock=lambda: NOW)
    http = httpx.Client(transport=upstreams.transport(), timeout=10)
    del http.headers["User-Agent"]
    return Stand(upstreams, http, upstreams.trakt.grant("harry").access, upstreams.kinopub.grant("harry").access)


@pytest.fixture
def stand() -> Iterator[Stand]:
    """One film and one episode."""
    made = stand_on("tiny")
    with made.http:
        yield made


@pytest.fixture(scope="session")
def shelf() -> Iterator[Stand]:
    """The realistic library, for reading only."""
    made = stand_on("realistic")
    with made.http:
        yield made
