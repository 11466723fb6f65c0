"""One call of an upstream, as it was asked for, within a total deadline and a size (http-api.md, Proxy).

The transport is called without a client of httpx around it: even one that follows no redirect reads every Location, and
fails on a `magnet:` one.

httpx counts its time-outs per read, so an upstream that sends a byte a second would never run into one: the call is
made on a thread, and whoever waits for it waits until the deadline and no longer.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, urlsplit

import httpx

from watchferry.clients.unpacking import TooLong, Unreadable, unpacked
from watchferry.errors import Problem, RetryLater
from watchferry.proxy.breaker import Breaker

LARGEST = 4_500_000
"""Bytes of a body: six million, less what base64 adds, is what Lambda can answer."""

CONNECT_SECONDS = 5.0
DOWN = frozenset({502, 503, 504, 520, 521, 522})
"""Statuses of an upstream that is not there, for the breaker."""

REDACTED = b"[redacted]"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request. `base_url` without a slash at the end; `query` goes out byte for byte."""

    upstream: str
    method: str
    base_url: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes
    deadline: float
    """Unix seconds by which the answer must be here, all of it."""
    secrets: Sequence[str] = field(default=(), repr=False)
    """Credentials that go out with it: whatever the upstream says, they do not come back."""

    @property
    def target(self) -> str:
        return urlsplit(self.base_url).path + self.path + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True)
class Fetched:
    """An answer. Header names are in lower case. Kept plain, gzipped or both; the other form is made when asked for."""

    status: int
    headers: Mapping[str, str]
    plain: bytes | None = field(default=None, repr=False)
    packed: bytes | None = field(default=None, repr=False)
    repaired: bool = False
    """Whether its body was not packed as its label said."""

    @cached_property
    def body(self) -> bytes:
        return self.plain if self.plain is not None else gzip.decompress(self.packed or gzip.compress(b""))

    @cached_property
    def gzipped(self) -> bytes:
        return self.packed if self.packed is not None else gzip.compress(self.body, 6, mtime=0)

    @property
    def is_trouble(self) -> bool:
        """Whether a stale copy is better than this (http-api.md, Fine print: Stale)."""
        return self.status >= 500 or self.status == 429

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def new_transport() -> httpx.BaseTransport:
    """One per process. Proxies of the environment are never used."""
    return httpx.HTTPTransport(limits=httpx.Limits(max_connections=64, max_keepalive_connections=32), trust_env=False)


class Forwarder:
    """Threads may share it."""

    def __init__(self, transport: httpx.BaseTransport, breaker: Breaker, clock: Callable[[], float]) -> None:
        self._transport, self._breaker, self._clock = transport, breaker, clock
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="upstream")

    def send(self, out: Outgoing) -> Fetched:
        """Whatever the upstream answers; redirects too, which nobody follows.

        Raises RetryLater `upstream_timeout` or `upstream_unreachable`, Problem 502 `upstream_too_large`.
        """
        if self._clock() >= out.deadline:
            raise _late(out)  # which says nothing about the upstream
        self._breaker.check(out.upstream)
        fetched = self._in_time(out)
        if fetched.status in DOWN:
            self._breaker.failed(out.upstream)
        else:
            self._breaker.passed(out.upstream)
        return fetched

    def _in_time(self, out: Outgoing) -> Fetched:
        seconds = max(out.deadline - self._clock(), 0.001)
        under_way = self._threads.submit(self._exchange, out, seconds)
        try:
            return under_way.result(timeout=seconds)
        except TimeoutError as error:
            if not under_way.cancel():  # it was called; one that no thread was free for was not
                self._breaker.failed(out.upstream)
            raise _late(out) from error
        except RetryLater:
            self._breaker.failed(out.upstream)
            raise

    def _exchange(self, out: Outgoing, seconds: float) -> Fetched:
        request = httpx.Request(
            out.method,
            out.base_url + out.path + (f"?{out.query}" if out.query else ""),
            headers={"accept": "*/*", "accept-encoding": "gzip", "connection": "keep-alive", **out.headers},
            content=out.body or None,
            extensions={
                "timeout": httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)).as_dict(),
                "target": out.target.encode("ascii"),  # httpx would normalise the query's percent-encoding
            },
        )
        try:
            response = self._transport.handle_request(request)
            try:
                kind, label = (response.headers.get(name, "") for name in ("content-type", "content-encoding"))
                read = unpacked(self._in_parts(out, response), label, kind, LARGEST)
            finally:
                response.close()
        except TooLong as error:
            raise Problem(502, "upstream_too_large", f"{out.upstream} answered more than {LARGEST} bytes") from error
        except httpx.TimeoutException as error:
            raise _late(out) from error
        except Unreadable as error:
            raise RetryLater("upstream_unreachable", f"{out.upstream} answered what cannot be unpacked") from error
        except httpx.TransportError as error:
            # Not `from error`'s text: it may hold the address, and that a token.
            raise RetryLater("upstream_unreachable", f"{out.upstream} cannot be reached, or broke off") from error
        headers = {name.lower(): _scrubbed(value, out.secrets) for name, value in response.headers.items()}
        headers.pop("content-encoding", None)  # the body is plain from here on
        return Fetched(response.status_code, headers, plain=_clean(read.body, out), repaired=read.repaired)

    def _in_parts(self, out: Outgoing, response: httpx.Response) -> Iterator[bytes]:
        for part in response.iter_raw():
            if self._clock() >= out.deadline:
                raise _late(out)
            yield part


def _late(out: Outgoing) -> RetryLater:
    return RetryLater("upstream_timeout", f"{out.upstream} did not answer in time")


def _clean(body: bytes, out: Outgoing) -> bytes:
    """Some APIs write the request's own address into pages of links and errors, and Kinopub's holds the token."""
    for secret in filter(None, out.secrets):
        for form in {secret, quote(secret, safe="")}:
            if form.encode() in body:
                body = body.replace(form.encode(), REDACTED)
    return body


def _scrubbed(value: str, secrets: Sequence[str]) -> str:
    for secret in filter(None, secrets):
        value = value.replace(secret, REDACTED.decode()).replace(quote(secret, safe=""), REDACTED.decode())
    return value
