"""What may happen: the actions of which a program is made, and what is wrong with an upstream."""

from dataclasses import dataclass
from typing import Any, Literal

from watchferry.storage.account import Provider

PATIENCE = 20.0
"""Seconds after which the HTTP client gives up on an answer."""

LATEST = 50
"""Seconds after its client gave up, or died, for which a request may still be at work."""


@dataclass(frozen=True)
class Watch:
    """The viewer finishes a film, a part or an episode, once more if need be.

    `row`: `updated` stays null, as long as it has no row yet (an older row's time could be taken for this view's when
    the row moves between the reading of the history and that of the title).
    """

    unit: int
    timed_by: Literal["updated", "row"] = "updated"
    told: bool = False
    """Another program tells Trakt of it at once."""


@dataclass(frozen=True)
class Begin:
    """The viewer begins (again) and does not finish."""

    unit: int


@dataclass(frozen=True)
class FinishUnseen:
    """What was begun is finished without a new row: only `/v1/watching` knows."""

    unit: int


@dataclass(frozen=True)
class Drift:
    """`updated` moves during the credits."""

    unit: int
    seconds: int


@dataclass(frozen=True)
class MarkShow:
    """Bulk marking: all that is left of the show in one second, one row for all; `timeless`: nothing says when."""

    timeless: bool = False


@dataclass(frozen=True)
class Start:
    """The person starts a run."""

    full: bool = False
    mode: Literal["sync", "preview"] = "sync"


@dataclass(frozen=True)
class Confirm:
    """The person agrees to the plan that waits, if one does."""


@dataclass(frozen=True)
class Cancel:
    """The person cancels the run that is active, or waits."""


@dataclass(frozen=True)
class Undo:
    """The person undoes one of the runs that can be."""

    pick: int = 0


@dataclass(frozen=True)
class Limit:
    """The person wants to be asked before so many plays are sent."""

    confirm_above: int


@dataclass(frozen=True)
class Tick:
    """The schedule ticks."""


@dataclass(frozen=True)
class Reconnect:
    """An account is disconnected and connected again, at once."""

    provider: Provider


@dataclass(frozen=True)
class Disconnect:
    provider: Provider


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    seconds: int


@dataclass(frozen=True)
class Trouble:
    """The next so many fitting requests meet a fault."""

    at: Literal["post", "trakt", "kinopub"]
    fault: str
    times: int = 1
    skip: int = 0


@dataclass(frozen=True)
class Garble:
    """From now on Kinopub or Trakt answers nonsense, or an error, for one title or row: a fault of `GARBLED`.

    `title`: one of the library's, by its place.
    """

    title: int
    how: str


@dataclass(frozen=True)
class Clear:
    """What was garbled can be read again."""


@dataclass(frozen=True)
class Poison:
    """Trakt refuses every POST with the film that it does not have, in place of naming it in `not_found`."""


@dataclass(frozen=True)
class LatePost:
    """The next POST gets no answer, and its effect comes this long after the client gave up."""

    after: int


@dataclass(frozen=True)
class Interruption:
    """At the worker's call number `at`, or the first whose name has `at` in it.

    `effect`: whether it comes after the call's effect or instead of it.
    """

    at: int | str
    what: Literal["crash", "error", "repeat", "meanwhile"]
    effect: bool = False
    late: int = 0
    """Of a crash during a POST without effect: the effect comes so many seconds later, if not 0."""
    meanwhile: tuple["Action", ...] = ()


@dataclass(frozen=True)
class Deliver:
    """One of the visible messages is delivered; where there is none, time passes until there is.

    `copies` of it stay on the queue: standard queues deliver at least once.
    """

    pick: int = 0
    interruptions: tuple[Interruption, ...] = ()
    copies: int = 0


@dataclass(frozen=True)
class Work:
    """So many messages are delivered, in the order of their time, without anything happening."""

    messages: int


type Action = (
    Watch
    | Begin
    | FinishUnseen
    | Drift
    | MarkShow
    | Start
    | Confirm
    | Cancel
    | Undo
    | Limit
    | Tick
    | Reconnect
    | Disconnect
    | Pass
    | Trouble
    | LatePost
    | Garble
    | Clear
    | Poison
    | Deliver
    | Work
)

FAULTS: dict[str, dict[str, Any]] = {
    "reset before": {"reset": True},
    "reset after": {"reset": True, "when": "after"},
    "silence after": {"delay": PATIENCE + 1, "when": "after"},
    "502 before": {"preset": "bad_gateway"},
    "503 after": {"preset": "unavailable", "when": "after"},
    "500 after": {"preset": "server_error", "when": "after"},
    "520 before": {"preset": "edge_520"},
    "409": {"preset": "conflict"},
    "429": {"preset": "rate_limited"},
    "429 bare": {"preset": "edge_429"},
    "401": {"preset": "unauthorized"},
    "401 page": {"status": 401, "body": "<html><h1>401</h1></html>"},
    "403": {"preset": "firewall"},
    "403 app": {"preset": "app_dead"},
    "420": {"preset": "account_limit"},
    "423": {"preset": "locked"},
    "426": {"preset": "vip_only"},
    "garbage after": {"preset": "garbage", "when": "after"},
    "html after": {"preset": "html_ok", "when": "after"},
}

GARBLED = ("no item", "no list", "500", "410", "unit", "row", "media", "search 404", "search 503", "seasons", "details")
"""What of a title cannot be read: its watching, one unit of it, its history's rows, what Trakt says of it."""
