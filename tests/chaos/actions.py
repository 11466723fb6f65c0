"""What may happen: the actions of which a program is made, and what is wrong with an upstream."""

from dataclasses import dataclass
from typing import Any, Literal

from watchferry.storage.account import Provider

OTHERS = "others"
"""In place of the titles that Kinopub does not have (`Elsewhere`)."""

PATIENCE = 20.0
"""Seconds after which the HTTP client gives up on an answer."""

LATEST = 50
"""Seconds after its client gave up, or died, for which a request may still be at work."""


@dataclass(frozen=True)
class Watch:
    """The viewer finishes a film, a part or an episode, once more if need be.

    `row`: `updated` stays null, as long as it has no row yet (an older row's time could be taken for this view's when
    the row moves between the reading of the history and that of the title). `odd`: it is none of the years in which
    anybody watches films; the row says when, too.
    """

    unit: int
    timed_by: Literal["updated", "row", "odd"] = "updated"
    told: bool = False
    """Another program tells Trakt of it at once."""


@dataclass(frozen=True)
class Together:
    """The viewer finishes the film that Trakt does not have and one that it has, in the same second."""


@dataclass(frozen=True)
class Begin:
    """The viewer begins (again) and does not finish."""

    unit: int


@dataclass(frozen=True)
class FinishUnseen:
    """What was begun is finished without a new row: only `/v1/watching` knows."""

    unit: int


@dataclass(frozen=True)
class TakeBack:
    """What was finished is shown as begun: it was called finished too early. Row and time stay as they are."""

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
class Odd:
    """A switch of an upstream is set, until all is healed (tests/upstreams: `TraktSwitches`, `HistorySwitches`).

    `title`: the switch is about one of the library's, by its place; the value is what it says of it, if it says more.
    """

    at: Literal["trakt", "kinopub"]
    switch: str
    value: Any = True
    title: int | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Another program tells Trakt of so many films and episodes, all at the time of the latest view.

    They are none that the person watches at Kinopub; `undated`: it is one of those, without a date.
    """

    plays: int = 5
    undated: bool = False


@dataclass(frozen=True)
class Tell:
    """Another program tells Trakt of a view of the person's, while no run of ours is at it."""

    unit: int


@dataclass(frozen=True)
class Again:
    """Another program tells Trakt of a play that a run has sent, in the same minute."""

    pick: int = 0


@dataclass(frozen=True)
class RemovedByHand:
    """The person deletes a play at Trakt."""

    pick: int = 0


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
    | Together
    | Begin
    | FinishUnseen
    | TakeBack
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
    | Odd
    | Elsewhere
    | Tell
    | Again
    | RemovedByHand
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
    "420 bare": {"preset": "account_limit_bare"},
    "423": {"preset": "locked"},
    "426": {"preset": "vip_only"},
    "garbage after": {"preset": "garbage", "when": "after"},
    "cut off after": {"preset": "cut_off", "when": "after"},
    "html after": {"preset": "html_ok", "when": "after"},
}

GARBLED = ("no item", "no list", "500", "410", "unit", "row", "media", "search 404", "search 503", "seasons", "details")
"""What of a title cannot be read: its watching, one unit of it, its history's rows, what Trakt says of it."""

ODD: dict[str, Odd] = {
    # Trakt's history
    "times by the minute": Odd("trakt", "minute_times"),
    "equal times in any order": Odd("trakt", "shuffles_equal_times"),
    "pages of two": Odd("trakt", "page_cap", 2),
    "no page headers": Odd("trakt", "pagination_headers", "none"),
    "no pages": Odd("trakt", "pagination_headers", "zero_pages"),
    "too many pages": Odd("trakt", "pagination_headers", "item_count_off"),
    "hidden rows": Odd("trakt", "hidden_titles", OTHERS),
    "page 1 is empty once": Odd("trakt", "empty_pages", {1: 1}),
    "page 2 is empty once": Odd("trakt", "empty_pages", {2: 1}),
    "pages for ever": Odd("trakt", "endless_history"),
    "activities are late": Odd("trakt", "activities_lag", 600),
    "no activities": Odd("trakt", "activities_empty"),
    # its answers to what is sent
    "wrapped": Odd("trakt", "wrapped_answer"),
    "not_found is wrapped": Odd("trakt", "not_found_wrapped"),
    "not_found by time": Odd("trakt", "not_found_by_time"),
    "not_found in a show": Odd("trakt", "not_found_nested"),
    "added 0": Odd("trakt", "added_zero"),
    "episodes by trakt or tvdb": Odd("trakt", "episodes_by", ("trakt", "tvdb")),
    # its look-ups
    "episodes under any type": Odd("trakt", "episode_imdb", "always"),
    "no episodes by imdb": Odd("trakt", "episode_imdb", "nothing"),
    "seasons without episodes": Odd("trakt", "empty_episodes"),
    "no season's episodes": Odd("trakt", "empty_seasons"),
    "the application is refused": Odd("trakt", "dead_app"),
    # Kinopub's history
    "rows 1 are missing once": Odd("kinopub", "empty_history_pages", {1: 1}),
    "rows 2 are missing once": Odd("kinopub", "empty_history_pages", {2: 1}),
    "rows 1 are missing": Odd("kinopub", "empty_history_pages", {1: -1}),
    "too many rows are counted": Odd("kinopub", "history_count_off", 5),
    "too few rows are counted": Odd("kinopub", "history_count_off", -2),
    "too many pages of rows": Odd("kinopub", "history_pages_off", 2),
    "too few pages of rows": Odd("kinopub", "history_pages_off", -1),
    "no pagination": Odd("kinopub", "pagination_missing"),
    "rows for ever": Odd("kinopub", "endless_history"),
    "rows of an id": Odd("kinopub", "thin_rows", "id", 0),
    "rows without a time": Odd("kinopub", "thin_rows", "timeless", 4),
    "rows without a title": Odd("kinopub", "thin_rows", "itemless", 1),
    # and what it shows of titles
    "one title is gone": Odd("kinopub", "watching_gone", title=0),
    "one title is empty": Odd("kinopub", "watching_empty", title=4),
    "every title is gone": Odd("kinopub", "watching_gone"),
    "every title is empty": Odd("kinopub", "watching_empty"),
    "every title is bare": Odd("kinopub", "watching_bare"),
    "four calls a second": Odd("kinopub", "rate_limit", 4),
}
"""Each as it was seen of the real upstreams."""

DEEDS = (
    "told elsewhere",
    "told again",
    "told meanwhile",
    "undated",
    "removed by hand",
    "taken back",
    "together",
    "times that are none",
)
"""What people and other programs do, beside the upstreams' own oddities; programs.py has the actions."""
