"""HTTP, as small as the stand-ins need it: messages, routes, a real server and an in-process transport.

A web framework hides the socket; the stand-ins must be able to drop a connection before or after the effect of a
request (reality: Trakt, "POST /sync/history is not idempotent"), so this is the standard library alone.
"""

import gzip
import json
import re
import secrets
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, unquote

import httpx

Json = Any


class GaveUp(Exception):
    """The client stopped waiting for an answer; the server did not notice and goes on with the work."""


Sleep = Callable[[float], None]


@dataclass(slots=True)
class Request:
    """One request. Header names are lower case; `path` is decoded and kept as sent, double slashes included.

    `mount` names the address it came in by: Trakt's API and OAuth hosts are one app at two addresses.
    """

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    mount: str = ""

    def arg(self, name: str, default: str = "") -> str:
        """The first value of a query key."""
        return next((value for key, value in self.query if key == name), default)

    def number(self, name: str, default: int) -> int:
        """A positive integer from the query; anything else counts as not given."""
        text = self.arg(name)
        return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else default

    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def json(self) -> Json:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        if self.media_type() != "application/x-www-form-urlencoded":
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, data: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    @classmethod
    def text(
        cls, text: str, status: int = 200, media: str = "text/plain", headers: Mapping[str, str] | None = None
    ) -> "Response":
        return cls(status, text.encode(), {"Content-Type": f"{media}; charset=utf-8", **(headers or {})})

    @classmethod
    def html(cls, title: str, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return cls.text(page, status, "text/html", headers)


@dataclass(slots=True)
class Reset:
    """The connection is dropped without an answer."""


Outcome = Response | Reset

PACKINGS: dict[str, tuple[int, str]] = {
    "twice": (2, "gzip"),
    "twice, said twice": (2, "gzip, gzip"),
    "once, said twice": (1, "gzip, gzip"),
    "never, said once": (0, "gzip"),
    "never, said twice": (0, "gzip, gzip"),
    "once, not said": (1, ""),
}
"""How an edge mislabels bodies: how often they are gzipped, and what `Content-Encoding` says."""


def with_cookie(response: Response) -> Response:
    """As Cloudflare answers whoever asks, with another value each time."""
    cookie = f"__cf_bm={secrets.token_urlsafe(32)}; path=/; domain=.trakt.tv; HttpOnly; Secure; SameSite=None"
    return Response(response.status, response.body, {"Set-Cookie": cookie} | response.headers)


def mislabelled(response: Response, packing: str) -> Response:
    """The same body, packed and labelled as `PACKINGS` says; an answer without a body stays as it is."""
    times, label = PACKINGS[packing]
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-encoding"}
    body = response.body
    if body and "gzip" in response.headers.get("Content-Encoding", ""):
        body = gzip.decompress(body)
    for _ in range(times if body else 0):
        body = gzip.compress(body)
    return Response(response.status, body, headers | ({"Content-Encoding": label} if label and body else {}))


class App(Protocol):
    def handle(self, request: Request, sleep: Sleep = ...) -> Outcome: ...


# ---------------------------------------------------------------- routes


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    name: str


def route(method: str, template: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a method as the answer to `METHOD /path/{parameter}`; one method may carry several."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?")
        made = Route(method, template, pattern, function.__name__)
        vars(function).setdefault("routes", []).append(made)
        return function

    return mark


def routes_of(cls: type) -> list[Route]:
    """All routes that a class and its bases declare, fixed paths before those with parameters."""
    functions = [value for base in cls.__mro__ for value in vars(base).values()]
    found = [made for function in functions for made in getattr(function, "routes", [])]
    return sorted(found, key=lambda made: ("{" in made.template, made.template.count("{"), -len(made.template)))


def collapse(path: str) -> str:
    """Client libraries send `//oauth/device/code`; the real hosts read it as one slash."""
    return re.sub(r"/{2,}", "/", path)


# ---------------------------------------------------------------- a real server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def _answer(self) -> None:
        # `self.path` is not what was sent: http.server reads `//path` as `/path`.
        path, _, query = self.requestline.split()[1].partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=unquote(path),
            query=parse_qsl(query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            mount=self.server.mount,
        )
        outcome = self.server.app.handle(request, time.sleep)
        if isinstance(outcome, Reset):
            self._drop()
            return
        self.send_response(outcome.status)
        for name, value in outcome.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(outcome.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(outcome.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer

    def _drop(self) -> None:
        """A TCP reset: linger of zero seconds, then the descriptor is closed under the buffered files."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:
        """The app keeps its own log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: App, address: tuple[str, int], mount: str) -> None:
        self.app, self.mount = app, mount
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's error; anything else is ours, and is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@dataclass(slots=True)
class Served:
    """A running server. `close()` also drops the connections that are kept alive."""

    url: str
    _server: _Server
    _thread: threading.Thread

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._server.open):
            connection.close()
        self._server.server_close()


def serve(app: App, port: int = 0, host: str = "127.0.0.1", mount: str = "") -> Served:
    """Serves an app on a thread; port 0 takes a free one."""
    server = _Server(app, (host, port), mount)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    return Served(f"http://{host}:{server.server_address[1]}", server, thread)


# ---------------------------------------------------------------- in process


class AppTransport(httpx.BaseTransport):
    """Calls an app without a socket.

    A `Reset` is `httpx.ReadError`. A delay longer than the client's read timeout is `httpx.ReadTimeout` at once: nobody
    sleeps, and the effect still happens.
    """

    def __init__(self, app: App, mount: str = "") -> None:
        self.app, self.mount = app, mount

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        patience = cast(dict[str, float | None], request.extensions.get("timeout", {})).get("read")

        def sleep(seconds: float) -> None:
            if patience is not None and seconds > patience:
                raise GaveUp

        asked = Request(
            method=request.method,
            path=request.url.path,
            query=parse_qsl(request.url.query.decode(), keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.read(),
            mount=self.mount,
        )
        try:
            outcome = self.app.handle(asked, sleep)
        except GaveUp as gave_up:
            raise httpx.ReadTimeout("the read operation timed out", request=request) from gave_up
        if isinstance(outcome, Reset):
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        body = b"" if request.method == "HEAD" else outcome.body
        headers = {**outcome.headers, "Content-Length": str(len(outcome.body))}
        # As a stream: given as content it would be unpacked here, before the client has a say in it.
        return httpx.Response(outcome.status, headers=headers, stream=httpx.ByteStream(body), request=request)
