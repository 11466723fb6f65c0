"""Calls to an address that a user named: nothing but what `Rules` permits is ever connected to.

A name is resolved once, every answer is judged, and the connection goes to an address that was judged: a name that
resolves to something else a moment later (rebinding) changes nothing. Host and SNI keep the name. Redirects are not
followed and proxies of the environment not used: nothing here knows of either. A call has one deadline for all of it,
the resolver included, however slowly the other side sends; and a limit to its answer, unpacked.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import httpcore

from watchferry.clients.unpacking import TooLong, Unreadable, unpacked
from watchferry.clients.web_address import WebAddress
from watchferry.errors import BlockedAddress, RetryLater, TooLarge, UnresolvableAddress

CHECK_SECONDS = 5.0
"""For a resolver, while somebody waits for their setting to be saved."""

CONNECT_SECONDS = 5.0
"""For one of a name's addresses, before the next one is tried."""

type Resolve = Callable[[str, int], Sequence[str]]
"""Name and port → IP addresses as text. Raises UnresolvableAddress."""


class Rules(Protocol):
    """proxy/address_guard.py"""

    def read(self, text: str) -> WebAddress: ...

    def permits(self, ip: str, port: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Received:
    status: int
    headers: Sequence[tuple[str, str]] = field(repr=False)
    """In their order, names in lower case. Of the body as it came: `content-encoding` may be gone from `body`."""
    body: bytes = field(repr=False)
    """Unpacked."""


def resolve(host: str, port: int) -> Sequence[str]:
    """All that the system's resolver says."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise UnresolvableAddress("there is no host of this name") from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


@dataclass
class GuardedDoor:
    """One per process and set of rules; every call has a connection of its own."""

    rules: Rules
    resolve: Resolve = resolve
    network: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)
    """What connects, always to an IP address."""
    clock: Callable[[], float] = time.monotonic

    def check(self, text: str) -> WebAddress:
        """For saving: as a call would be judged now. Raises BlockedAddress, UnresolvableAddress, RetryLater."""
        address = self.rules.read(text)
        self._judged(address, self.clock() + CHECK_SECONDS)
        return address

    def send(
        self,
        method: str,
        address: WebAddress,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
        seconds: float,
        largest: int,
    ) -> Received:
        """One try, over within `seconds`; `largest` is in bytes.

        Raises BlockedAddress, UnresolvableAddress, TooLarge, and RetryLater when there was no whole answer — then
        the other side may have got the request all the same.
        """
        until = self.clock() + seconds
        addresses = self._judged(address, until)
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        sent = {"Host": address.netloc, "Accept-Encoding": "gzip", "Connection": "close"} | dict(headers)
        network = _ToJudged(self.network, addresses, lambda: until - self.clock())
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=network) as pool,
                pool.stream(method, url, headers=list(sent.items()), content=content) as response,
            ):
                received = [(name.decode("latin1").lower(), value.decode("latin1")) for name, value in response.headers]
                return Received(response.status, received, _body(received, response, largest))
        except httpcore.TimeoutException as error:
            raise RetryLater("upstream_timeout", f"no answer within {seconds:.0f} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise RetryLater("upstream_unreachable", f"no answer: {type(error).__name__}") from error

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpcore.default_ssl_context()

    def _judged(self, address: WebAddress, until: float) -> Sequence[str]:
        """The addresses to connect to: all of the host's, or none."""
        if _is_literal(address.host):
            answers: Sequence[str] = [address.host]
        else:
            answers = _in_time(lambda: self.resolve(address.host, address.port), until - self.clock())
        if not answers:
            raise UnresolvableAddress("there is no host of this name")
        if not all(self.rules.permits(answer, address.port) for answer in answers):
            raise BlockedAddress("it leads to where this deployment does not call")
        return answers


class _ToJudged(httpcore.NetworkBackend):
    """Connects to the addresses that were judged, whatever name it is asked for."""

    def __init__(self, network: httpcore.NetworkBackend, addresses: Sequence[str], left: Callable[[], float]) -> None:
        self._network, self._addresses, self._left = network, addresses, left

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the judged addresses are this host's
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - there is one deadline for everything
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        trouble: Exception = httpcore.ConnectTimeout()
        for address in self._addresses:
            if (left := self._left()) <= 0:
                break
            try:
                stream = self._network.connect_tcp(
                    address, port, min(left, CONNECT_SECONDS), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
                continue
            return _Timed(stream, self._left)
        raise trouble


class _Timed(httpcore.NetworkStream):
    """A stream whose every step ends with the call's deadline: a drop now and then does not prolong it."""

    def __init__(self, stream: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._stream, self._left = stream, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._time(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._time(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        secure = self._stream.start_tls(ssl_context, server_hostname, self._time(httpcore.ConnectTimeout))
        return _Timed(secure, self._left)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)

    def _time(self, over: type[httpcore.TimeoutException]) -> float:
        left = self._left()
        if left <= 0:
            raise over
        return left


def _body(headers: Sequence[tuple[str, str]], response: httpcore.Response, largest: int) -> bytes:
    """Unpacked, or repaired where the label is wrong."""
    label, kind = (", ".join(v for n, v in headers if n == name) for name in ("content-encoding", "content-type"))
    try:
        return unpacked(response.iter_stream(), label, kind, largest).body
    except TooLong as error:
        raise TooLarge(response.status, f"the answer is longer than {largest} bytes") from error
    except Unreadable as error:
        raise RetryLater("upstream_unreachable", "the answer cannot be unpacked") from error


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def _in_time[T](ask: Callable[[], T], seconds: float) -> T:
    """A resolver takes no deadline: it is left behind on a thread of its own when it takes too long."""
    answers: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(ask())
        except Exception as error:  # told to whoever waits
            answers.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise RetryLater("upstream_timeout", "the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
