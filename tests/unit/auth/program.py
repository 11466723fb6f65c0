"""A Trakt client at the OAuth facade and the proxy, in process."""

import json
from typing import Any

from functions.auth_api.app import auth_api
from functions.proxy_api.app import proxy_api
from tests.browser import Reply, event, reply
from tests.conftest import Clock
from tests.upstreams import Upstreams
from watchferry.wiring import Wiring

IDS = {"client_id": "whatever", "client_secret": "it likes"}


class Program:
    """Sends what Trakt clients send: JSON, no cookie, nothing of a browser's."""

    def __init__(self, wiring: Wiring, upstreams: Upstreams, clock: Clock) -> None:
        self.auth, self.proxy = auth_api(lambda: wiring), proxy_api(lambda: wiring)
        self.upstreams, self.clock = upstreams, clock
        self.headers = {"content-type": "application/json", "trakt-api-version": "2", "user-agent": "pytrakt/4"}

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        asked = event("POST", f"/trakt{path}", headers={**self.headers, **headers}, body=content, in_base64=True)
        return reply(self.auth(asked, None))

    def get(self, path: str, **headers: str) -> Reply:
        return reply(self.proxy(event("GET", path, headers={**self.headers, **headers}), None))

    def begin(self) -> dict[str, Any]:
        said = self.post("/oauth/device/code", {"client_id": "whatever"})
        assert said.status == 200, said
        begun: dict[str, Any] = said.json
        return begun

    def poll(self, begun: dict[str, Any]) -> Reply:
        return self.post("/oauth/device/token", {"code": begun["device_code"], **IDS})

    def sign_in(self, user: str = "harry") -> dict[str, Any]:
        begun = self.begin()
        self.upstreams.trakt.approve(begun["user_code"], user)
        self.clock.advance(begun["interval"])
        said = self.poll(begun)
        assert said.status == 200, said
        granted: dict[str, Any] = said.json
        return granted

    def refresh(self, token: str, **headers: str) -> Reply:
        given = {"refresh_token": token, "grant_type": "refresh_token", "redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}
        return self.post("/oauth/token", given | IDS, **headers)

    def works(self, granted: dict[str, Any]) -> bool:
        said = self.get("/trakt/users/settings", authorization=f"Bearer {granted['access_token']}")
        assert said.status in {200, 401}, said
        return said.status == 200
