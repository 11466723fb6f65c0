"""Stand-ins for Trakt, Kinopub, TMDB and Prowlarr, as strict and as odd as the real ones.

They know nothing of Watchferry.

In process, at the real host names:

    upstreams = Upstreams("realistic", clock=lambda: now)
    http = httpx.Client(transport=upstreams.transport())
    upstreams.trakt.faults.add(path="^/sync/history$", method="POST", when="after", reset=True)
    ...
    upstreams.expected("harry"), upstreams.trakt.plays("harry"), upstreams.trakt.summary()

On ports: `with start("tiny") as running:` in a test, `python -m tests.upstreams --port-file FILE` from elsewhere; the
control API (`control.py`) then does over HTTP what the methods do here.
"""

from .faults import PRESETS, Fault
from .library import DEFAULT_USER, Expected, Library, film, large, series, tiny
from .stand_ins import MovableClock, Running, Upstreams, build, start
from .web import AppTransport, Request, Reset, Response, serve

__all__ = [
    "DEFAULT_USER",
    "PRESETS",
    "AppTransport",
    "Expected",
    "Fault",
    "Library",
    "MovableClock",
    "Request",
    "Reset",
    "Response",
    "Running",
    "Upstreams",
    "build",
    "film",
    "large",
    "series",
    "serve",
    "start",
    "tiny",
]
