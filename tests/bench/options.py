"""What a person may choose."""

from dataclasses import dataclass

from rich.console import Console


@dataclass(frozen=True, slots=True)
class Options:
    out: Console
    rounds: int
    """How often each import is measured."""
    views: int
    """How many the large history has."""
    latency: float
    """Seconds that the stand-ins take for an answer, in `household` and `large`."""
    users: tuple[int, ...]
    """How many users a tick has, from least to most."""
