"""A browser in front of a function's app, in process: it keeps cookies and sends what the page would send.

Every answer of an endpoint of ours is held to openapi.json by the way.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.described import Success, held_to_description
from watchferry.http_api import Api

_ids = count(1)


@dataclass(slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: str
    set_cookies: list[str]

    in_base64: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def content(self) -> bytes:
        """As a client sees it, unpacked."""
        content = base64.b64decode(self.body) if self.in_base64 else self.body.encode()
        return gzip.decompress(content) if self.headers.get("content-encoding") == "gzip" else content

    @property
    def code(self) -> str:
        """Of a problem, whose form is checked by the way (http-api.md, Errors)."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = self.json
        assert {"type", "title", "status", "detail", "code", "request_id"} <= problem.keys()
        assert problem["status"] == self.status
        return str(problem["code"])


def event(
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    body: bytes | None = None,
    in_header: bool = False,
    in_base64: bool = False,
) -> dict[str, Any]:
    """API Gateway's payload 2.0; `in_header` as the local cloud sends cookies, `in_base64` as it may send bodies."""
    path, _, query = path.partition("?")
    pairs = [f"{name}={value}" for name, value in (cookies or {}).items()]
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/api{path}",
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {
            "http": {"method": method, "path": f"/api{path}"},
            "stage": "$default",
            "requestId": f"request-{next(_ids)}",
        },
        "isBase64Encoded": in_base64,
    }
    if pairs and in_header:
        made["headers"]["cookie"] = "; ".join(pairs)
    elif pairs:
        made["cookies"] = pairs
    if body is not None:
        made["body"] = base64.b64encode(body).decode() if in_base64 else body.decode()
    return made


def reply(answer: dict[str, Any]) -> Reply:
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    return Reply(answer["statusCode"], headers, answer["body"], answer.get("cookies", []), answer["isBase64Encoded"])


@dataclass(slots=True)
class Browser:
    api: Api | Callable[[dict[str, Any], Any], dict[str, Any]]
    site: str = "https://watchferry.test"
    cookies: dict[str, str] = field(default_factory=dict)
    described: bool = True
    """Whether the app is what openapi.json describes, and not one that a test made for itself."""
    seen: set[Success] = field(default_factory=set)

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """`body` goes out as JSON. Given headers replace the page's own; an empty one takes it away."""
        own = {"X-CSRF": "1", "Origin": self.site, "Sec-Fetch-Site": "same-origin"} if method != "GET" else {}
        if body is not None:
            own["Content-Type"] = "application/json"
        sent = {name: value for name, value in {**own, **(headers or {})}.items() if value}
        content = None if body is None else json.dumps(body).encode()
        answer = reply(self.api(event(method, path, headers=sent, cookies=self.cookies, body=content), None))
        if self.described:
            self._hold(method, path.partition("?")[0], answer)
        for cookie in answer.set_cookies:
            name, _, rest = cookie.partition("=")
            value, _, attributes = rest.partition(";")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def _hold(self, method: str, path: str, answer: Reply) -> None:
        kind = answer.headers.get("content-type", "")
        if answered := held_to_description(method, path, answer.status, kind, answer.content):
            self.seen.add(answered)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("POST", path, body, headers)

    def put(self, path: str, body: Any) -> Reply:
        return self.send("PUT", path, body)

    def delete(self, path: str) -> Reply:
        return self.send("DELETE", path)
