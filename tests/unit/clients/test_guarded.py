"""Calls to addresses of users' own: only to what was judged, in time, unpacked to a limit (clients/guarded.py).

Resolver and network are replaced: nothing here leaves the process.
"""

import gzip
import itertools
import json
import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import httpcore
import pytest

from tests.hostile import FORMS, GOOD, GOOD_NAMES, IPV4, IPV4_IN_DISGUISE, IPV6, METADATA_NAMES, MIXED, QUERIES
from tests.upstreams.web import PACKINGS, Response, mislabelled
from watchferry.clients import guarded
from watchferry.clients.guarded import GuardedDoor, Received
from watchferry.errors import BlockedAddress, RetryLater, TooLarge, UnresolvableAddress
from watchferry.proxy.address_guard import AddressGuard

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def numbered(ip: str) -> str:
    """As a URL's host."""
    return f"http://[{ip}]/" if ":" in ip else f"http://{ip}/"


HOSTILE = (
    [(text, ["8.8.8.8"]) for text in FORMS + QUERIES]
    + [(f"http://{host}/", ["8.8.8.8"]) for host in IPV4_IN_DISGUISE]
    + [(numbered(ip), ["8.8.8.8"]) for ip in IPV4 + IPV6]
    + [("https://rebind.example/", [ip]) for ip in IPV4 + IPV6]
    + [("https://mixed.example/", answers) for answers in MIXED]
    + [(f"http://{name}/", answers) for name, answers in METADATA_NAMES.items()]
    + [
        (f"http://{name}/", ["127.0.0.1"])
        for name in ("localhost", "localhost.localdomain", "ip6-localhost", "a.nip.io")
    ]
)
"""An address, and what its name would resolve to."""


@dataclass
class Stream(httpcore.NetworkStream):
    """Answers with the given pieces, one a read; each takes `drip` seconds of the clock."""

    network: "Network"
    pieces: list[bytes]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        assert timeout is not None
        self.network.waited.append(timeout)
        self.network.now += self.network.drip
        if self.network.drip > timeout:
            raise httpcore.ReadTimeout
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.network.sent += buffer

    def close(self) -> None:
        self.network.closed += 1

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        assert ssl_context.verify_mode == ssl.CERT_REQUIRED
        assert ssl_context.check_hostname
        self.network.names.append(server_hostname)
        return self

    def get_extra_info(self, info: str) -> object:
        return None


@dataclass
class Network(httpcore.NetworkBackend):
    """Writes down who is connected to."""

    answer: Callable[[], Iterable[bytes]] = lambda: [OK]
    dead: Sequence[str] = ()
    drip: float = 0.0
    now: float = 1000.0
    connected: list[tuple[str, int]] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    sent: bytes = b""
    closed: int = 0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("connection refused")
        return Stream(self, list(self.answer()))


@dataclass
class Resolver:
    """Says the first list, then the second, and so on; the last one for ever."""

    answers: Sequence[Sequence[str]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def door(network: Network, *answers: Sequence[str], home: bool = False) -> tuple[GuardedDoor, Resolver]:
    resolver = Resolver(answers or [["8.8.8.8"]])
    return GuardedDoor(AddressGuard(allow_private=home), resolver, network, lambda: network.now), resolver


def call(at: GuardedDoor, text: str, *, seconds: float = 10, largest: int = 1000) -> Received:
    return at.send("POST", at.rules.read(text), headers={"X-A": "b"}, content=b"{}", seconds=seconds, largest=largest)


@pytest.mark.parametrize(("text", "answers"), HOSTILE)
def test_hostile(text: str, answers: list[str]) -> None:
    """Not one of hundreds reaches a socket, neither when it is saved nor when it is called."""
    network = Network()
    at, _ = door(network, answers)
    with pytest.raises(BlockedAddress):
        at.check(text)
    with pytest.raises(BlockedAddress):
        call(at, text)
    assert network.connected == []


def test_how_many() -> None:
    """The figures of the issue."""
    assert len({(text, *answers) for text, answers in HOSTILE}) >= 200
    assert len(GOOD) + len(GOOD_NAMES) >= 20


@pytest.mark.parametrize("text", GOOD)
def test_good_literals(text: str) -> None:
    """Called without asking any resolver."""
    network = Network()
    at, resolver = door(network)
    address = at.check(text)
    assert call(at, text).status == 200
    assert network.connected == [(address.host, address.port)]
    assert resolver.asked == []


@pytest.mark.parametrize(("text", "answers"), GOOD_NAMES.items())
def test_good_names(text: str, answers: list[str]) -> None:
    """Connected to by number, with the name in Host, in SNI and in the certificate's check."""
    network = Network()
    at, resolver = door(network, answers)
    address = at.check(text)
    resolver.asked.clear()
    assert call(at, text) == Received(200, [("content-length", "2")], b"ok")
    assert network.connected == [(answers[0], address.port)]
    assert resolver.asked == [(address.host, address.port)]
    assert network.names == ([address.host] if address.scheme == "https" else [])
    assert f"POST {address.target} HTTP/1.1\r\nHost: {address.netloc}\r\n".encode() in network.sent


def test_rebinding() -> None:
    """What the name says a moment later is not asked: one resolution a call, and the call goes to its answer."""
    network = Network()
    at, resolver = door(network, ["8.8.8.8"], ["127.0.0.1"], ["127.0.0.1"])
    assert call(at, "http://rebind.example/").status == 200
    assert (network.connected, len(resolver.asked)) == ([("8.8.8.8", 80)], 1)
    with pytest.raises(BlockedAddress):
        call(at, "http://rebind.example/")
    assert network.connected == [("8.8.8.8", 80)]


def test_saved_when_public_and_private_when_called() -> None:
    """Every call is judged anew."""
    network = Network()
    at, _ = door(network, ["8.8.8.8"], ["192.168.1.1"])
    at.check("http://rebind.example/")
    with pytest.raises(BlockedAddress):
        call(at, "http://rebind.example/")
    assert network.connected == []


def test_at_home() -> None:
    """With the deployment's leave a private address is called; a metadata service is not."""
    network = Network()
    at, _ = door(network, ["192.168.1.20"], ["192.168.1.20", "169.254.169.254"], home=True)
    assert call(at, "http://nas.local:9696/prowlarr").status == 200
    with pytest.raises(BlockedAddress):
        call(at, "http://nas.local:9696/prowlarr")
    assert network.connected == [("192.168.1.20", 9696)]


def test_redirects_are_answers() -> None:
    """Never followed."""
    network = Network(lambda: [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"])
    at, resolver = door(network)
    received = call(at, "https://example.org/")
    assert (received.status, dict(received.headers)["location"]) == (302, "http://127.0.0.1/")
    assert (len(network.connected), len(resolver.asked)) == (1, 1)


def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to what it likes."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    network = Network()
    at, _ = door(network)
    call(at, "https://example.org/")
    call(at, "http://example.org/")
    assert network.connected == [("8.8.8.8", 443), ("8.8.8.8", 80)]


def test_the_next_address_of_a_name() -> None:
    """One that does not answer costs no call; all of them were judged."""
    network = Network(dead=["2606:4700::1"])
    at, _ = door(network, ["2606:4700::1", "8.8.8.8"])
    assert call(at, "http://example.org/").status == 200
    assert network.connected == [("2606:4700::1", 80), ("8.8.8.8", 80)]


def test_nobody_answers() -> None:
    """Later, perhaps."""
    at, _ = door(Network(dead=["8.8.8.8"]))
    with pytest.raises(RetryLater) as trouble:
        call(at, "http://example.org/")
    assert trouble.value.code == "upstream_unreachable"


@pytest.mark.parametrize(
    "pieces", [[b""], [b"nonsense\r\n\r\n"], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b""]]
)
def test_half_an_answer(pieces: list[bytes]) -> None:
    """Is none."""
    at, _ = door(Network(lambda: pieces))
    with pytest.raises(RetryLater):
        call(at, "http://example.org/")


def test_no_such_name() -> None:
    """Neither is one without an address."""
    at, _ = door(Network(), [])
    for ask in (lambda: at.check("http://example.org/"), lambda: call(at, "http://example.org/")):
        with pytest.raises(UnresolvableAddress):
            ask()


def test_names_that_the_system_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real resolver's words, without asking it."""

    def unknown(*_: object, **__: object) -> None:
        raise guarded.socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(guarded.socket, "getaddrinfo", unknown)
    with pytest.raises(UnresolvableAddress):
        guarded.resolve("nowhere.invalid", 80)


def test_answers_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one of them, each once."""
    told = [(2, 1, 6, "", ("1.1.1.1", 80)), (2, 2, 17, "", ("1.1.1.1", 80)), (10, 1, 6, "", ("::1", 80, 0, 0))]
    monkeypatch.setattr(guarded.socket, "getaddrinfo", lambda *_, **__: told)
    assert guarded.resolve("example.org", 80) == ["1.1.1.1", "::1"]


def test_the_deadline_is_for_all_of_it() -> None:
    """A byte now and then does not prolong it: each step gets what is left, and there is an end."""
    network = Network(lambda: [OK[:9], *(b" " for _ in range(1000))], drip=3.0)
    at, _ = door(network)
    with pytest.raises(RetryLater) as trouble:
        call(at, "http://example.org/", seconds=10)
    assert trouble.value.code == "upstream_timeout"
    assert network.waited == [10.0, 7.0, 4.0, 1.0]
    assert network.now == 1012.0


def test_slow_bodies_end_too() -> None:
    """Once the head is there, the same clock runs on."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    network = Network(lambda: [head, *itertools.repeat(b"1\r\nx\r\n", 1000)], drip=1.0)
    at, _ = door(network)
    with pytest.raises(RetryLater) as trouble:
        call(at, "https://example.org/", seconds=5)
    assert trouble.value.code == "upstream_timeout"
    assert len(network.waited) <= 6


def test_a_resolver_that_hangs() -> None:
    """Is left alone in time."""
    released = threading.Event()
    network = Network()
    at = GuardedDoor(AddressGuard(), lambda *_: ["8.8.8.8"] if released.wait(60) else [], network)
    with pytest.raises(RetryLater) as trouble:
        call(at, "http://example.org/", seconds=0.05)
    released.set()
    assert trouble.value.code == "upstream_timeout"
    assert network.connected == []


@pytest.mark.parametrize("size", [1000, 1001, 50_000_000])
@pytest.mark.parametrize("packed", [False, True])
def test_long_answers(size: int, packed: bool) -> None:
    """The limit counts what comes out: a bomb is not unpacked but to the limit."""
    content = gzip.compress(bytes(size)) if packed else bytes(min(size, 100_000))
    coding = b"Content-Encoding: gzip\r\n" if packed else b""
    head = b"HTTP/1.1 207 Odd\r\n%sContent-Length: %d\r\n\r\n" % (coding, len(content))
    at, _ = door(Network(lambda: [head + content]))
    if size > 1000:
        with pytest.raises(TooLarge) as trouble:
            call(at, "http://example.org/")
        assert trouble.value.status == 207
    else:
        assert call(at, "http://example.org/").body == bytes(size)


@pytest.mark.parametrize(
    "content",
    [b"not packed", gzip.compress(b"x" * 500, mtime=0)[:5] + b"\xff" * 60, gzip.compress(b'{"a":"b"}')[:-9]],
    ids=["not packed", "broken", "cut off"],
)
def test_broken_packing(content: bytes) -> None:
    """The other side's trouble."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(content)
    at, _ = door(Network(lambda: [head + content]))
    with pytest.raises(RetryLater):
        call(at, "http://example.org/")


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("lines", [1, 2])
def test_mislabelled_packing(packing: str, lines: int) -> None:
    """JSON is found in it; that it is gzipped twice may be said in two lines."""
    came = mislabelled(Response.json({"a": "b" * 50}), packing)
    label = came.headers.pop("Content-Encoding", "")
    said = [("Content-Encoding", part) for part in (label.split(",") if lines == 2 else [label]) if part]
    fields = [*came.headers.items(), *said, ("Content-Length", str(len(came.body)))]
    head = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    at, _ = door(Network(lambda: [head.encode() + came.body]))
    assert json.loads(call(at, "http://example.org/").body) == {"a": "b" * 50}


def test_deflate() -> None:
    """In its documented form."""
    content = zlib.compress(b"deflated")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(content)
    at, _ = door(Network(lambda: [head + content]))
    assert call(at, "http://example.org/").body == b"deflated"


def test_connections_are_closed() -> None:
    """Nobody finds one in the pool that was judged for somebody else."""
    network = Network()
    at, _ = door(network)
    call(at, "http://example.org/")
    call(at, "http://example.org/")
    assert (len(network.connected), network.closed) == (2, 2)
