"""The proxy's function on moto, in front of the stand-ins, and people in front of it."""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser import event
from tests.conftest import NewWiring
from tests.upstreams import Upstreams
from tests.upstreams.trakt_state import OUT_OF_BAND
from watchferry.auth.grants import TokenPair
from watchferry.http_api import Api, build_app
from watchferry.proxy.routes import mount
from watchferry.wiring import Wiring


@dataclass(slots=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes
    event: Mapping[str, Any]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json", self
        return str(self.json["code"])

    @property
    def cache(self) -> str:
        return self.headers["cache-status"]


@dataclass(slots=True)
class Client:
    """Sends what a program or the page would; bodies come back as bytes, unpacked."""

    api: Api
    cookies: dict[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        arrived: float | None = None,
    ) -> Got:
        own = {"X-CSRF": "1", "Sec-Fetch-Site": "same-origin"} if method not in {"GET", "HEAD"} else {}
        made = event(method, path, headers={**own, **(headers or {})}, cookies=self.cookies, body=body)
        if arrived:
            made["requestContext"]["timeEpoch"] = int(arrived * 1000)
        answer = self.api(made, None)
        shown = {name.lower(): value for name, value in answer["headers"].items()}
        content = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        if shown.get("content-encoding") == "gzip" and content:
            content = gzip.decompress(content)
        return Got(answer["statusCode"], shown, content, answer)

    def get(self, path: str, **headers: str) -> Got:
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


NewClient = Callable[..., Client]


@pytest.fixture
def new_client(new_wiring: NewWiring, upstreams: Upstreams) -> NewClient:
    """A function of its own (a process with a memory of its own) and somebody signed in; `user=None`: a stranger."""

    def make(user: str | None = "harry", *, wiring: Wiring | None = None, **settings: object) -> Client:
        wiring = wiring or new_wiring(**settings)
        api = build_app(lambda: wiring)
        mount(api, lambda: wiring)
        if user is None:
            return Client(api)
        user_id = connect(wiring, upstreams, user)
        return Client(api, {"__Host-session": wiring.sessions.begin(user_id)})

    return make


def connect(wiring: Wiring, upstreams: Upstreams, user: str) -> str:
    """Both accounts connected, without the flows, unless they are already; the account's id."""
    if user not in upstreams.trakt.users:
        upstreams.add_user(user)
    account = wiring.accounts.sign_in(user, {"slug": user, "name": user})
    for provider in {"trakt", "kinopub"} - account.connected:
        granted: Any = (upstreams.trakt if provider == "trakt" else upstreams.kinopub).grant(user)
        pair = TokenPair(granted.access, granted.refresh, int(upstreams.clock()) + 86_400, OUT_OF_BAND)
        wiring.broker.pairs.connect(user, provider, pair)
        wiring.accounts.connect(user, provider)  # type: ignore[arg-type]
    return user


@pytest.fixture
def harry(new_client: NewClient) -> Client:
    return new_client()


@pytest.fixture
def stranger(new_client: NewClient) -> Client:
    return new_client(None)
