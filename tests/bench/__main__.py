"""`make bench`, or `python -m tests.bench NAME…` for some of them."""

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from rich.console import Console

from tests.bench import calls, household, imports, large, page, proxy, users
from tests.bench.options import Options

BENCHES: dict[str, Callable[[Options], None]] = {
    "imports": imports.bench,
    "calls": calls.bench,
    "household": household.bench,
    "large": large.bench,
    "users": users.bench,
    "proxy": proxy.bench,
    "page": page.bench,
}


def main() -> int:
    """0 whatever the figures are; 1 when a bench could not be measured."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all without one")
    parser.add_argument("--rounds", type=int, default=15, help="how often each import is measured (15)")
    parser.add_argument("--views", type=int, default=10_000, help="how many views the large history has (10000)")
    parser.add_argument(
        "--latency", type=float, default=0.0, help="seconds that upstreams take to answer, in household and large (0)"
    )
    parser.add_argument("--users", type=int, nargs="+", default=[3, 10, 30], help="how many a tick has (3 10 30)")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHES]:
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    options = Options(out, given.rounds, given.views, given.latency, tuple(sorted(given.users)))
    crashed: list[str] = []
    for name in given.names or BENCHES:
        out.rule(f"[bold]{name}[/]", align="left")
        began = time.monotonic()
        try:
            BENCHES[name](options)
        except Exception:
            crashed.append(name)
            out.print(traceback.format_exc(), style="red", markup=False)
        out.print(f"[dim]{time.monotonic() - began:.0f} s; {load()}[/]\n")
    if crashed:
        out.print(f"[red]Could not be measured: {', '.join(crashed)}[/]")
    return int(bool(crashed))


def load() -> str:
    """How busy the machine is with other things: more than its CPUs, and times are worth little."""
    return f"{os.cpu_count()} CPUs, of which {os.getloadavg()[1]:.1f} were busy in the last five minutes"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
