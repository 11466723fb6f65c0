"""`python -m tests.upstreams`: all stand-ins until SIGTERM or Ctrl-C."""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from .library import DEFAULT_USER
from .stand_ins import start


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.upstreams", description=__doc__)
    parser.add_argument("--library", default="realistic", help="realistic, tiny, odd or large:N")
    parser.add_argument("--users", default=DEFAULT_USER, help="names, separated by commas")
    parser.add_argument("--limits", action=argparse.BooleanOptionalAction, default=True, help="Trakt's rate limits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trakt-port", type=int, default=0)
    parser.add_argument("--trakt-auth-port", type=int, default=0)
    parser.add_argument("--kinopub-port", type=int, default=0)
    parser.add_argument("--tmdb-port", type=int, default=0)
    parser.add_argument("--tmdb-image-port", type=int, default=0)
    parser.add_argument("--prowlarr-port", type=int, default=0)
    parser.add_argument("--redirect-uri", action="append", default=[], help="a pattern; may be given several times")
    parser.add_argument("--port-file", type=Path, help="where to write the addresses and credentials, as JSON")
    given = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    trakt, others = (given.trakt_port, given.trakt_auth_port), (given.tmdb_port, given.tmdb_image_port)
    ports = (*trakt, given.kinopub_port, *others, given.prowlarr_port)
    users = [name.strip() for name in given.users.split(",") if name.strip()]
    with start(given.library, users, limits=given.limits, seed=given.seed, ports=ports) as running:
        running.trakt.redirect_uris += given.redirect_uri
        told = json.dumps(running.as_json() | {"pid": os.getpid()}, indent=1)
        if given.port_file:
            # Whoever waits for the file must never read half of it.
            half = given.port_file.with_suffix(".part")
            half.write_text(told)
            half.replace(given.port_file)
        else:
            print(told, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
