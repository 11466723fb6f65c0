"""For the programs beside it: `*.localhost` is this machine, as for every browser; not every resolver knows that."""

import socket
from typing import Any

_resolve = socket.getaddrinfo


def _here(host: Any, *rest: Any, **named: Any) -> Any:
    return _resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)


socket.getaddrinfo = _here
