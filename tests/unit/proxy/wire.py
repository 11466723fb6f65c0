"""An upstream as bytes: what came in is kept as it came, what goes out is sent as the test wrote it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Wire:
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    trickle: threading.Event | None = None
    """Where set, the last byte is held back until then."""

    @property
    def line(self) -> str:
        """The last request's first line."""
        return self.requests[-1].split(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        lines = self.requests[-1].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.requests[-1].partition(b"\r\n\r\n")[2]

    def says(self, status: str, body: bytes = b"", *headers: str, length: bool = True) -> None:
        lines = [f"HTTP/1.1 {status}", *headers] + ([f"Content-Length: {len(body)}"] if length else [])
        self.answer = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


@contextmanager
def listening() -> Iterator[Wire]:
    wire = Wire()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data = b""
            while b"\r\n\r\n" not in data:
                data += self.request.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            wanted = next((int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0)
            while len(body) < wanted:
                body += self.request.recv(65536)
            wire.requests.append(head + b"\r\n\r\n" + body)
            if wire.trickle:
                self.request.sendall(wire.answer[:-1])
                wire.trickle.wait(20)
                self._quietly(wire.answer[-1:])
                return
            self._quietly(wire.answer)

        def _quietly(self, data: bytes) -> None:
            try:
                self.request.sendall(data)
            except OSError:
                return  # the client gave up

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        address: Any = server.server_address
        wire.url = f"http://127.0.0.1:{address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield wire
        server.shutdown()
