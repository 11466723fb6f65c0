"""Stand-ins for Trakt and Kinopub, as strict and as odd as the real ones; they know nothing of Watchferry."""

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
