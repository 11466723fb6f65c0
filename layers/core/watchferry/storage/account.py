"""An account as the sync and the API see it: one row of the table Accounts (accounts.py)."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal, Self

from watchferry.storage._dynamo import Item

type Provider = Literal["trakt", "kinopub"]
type Rewatch = Literal["each_play", "window", "once"]
type PausedReason = Literal["reauth_required", "account_locked", "account_limit", "awaiting_confirmation"]


USUAL_POST, LARGE_POST = 50, 250
MANY_VIEWS = 500
"""Of a plan; for more than these a POST a second would take too long."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far Kinopub's history has been dealt with."""

    last_seen: int
    """`last_seen` of the newest row."""
    rows: frozenset[str]
    """`media:last_seen` of the newest page's rows, which are all known."""


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """`GET /sync/settings` of http-api.md."""

    enabled: bool = False
    rewatch: Rewatch = "each_play"
    window_minutes: int = 60
    batch_size: int | None = None
    """Views in one POST; None: as many as suit the plan (`views_a_post`)."""
    confirm_above: int | None = None
    webhook_url: str | None = None

    def views_a_post(self, planned: int) -> int:
        """Of a plan of so many. Large POSTs make a first run quick; small ones lose less time when one is refused."""
        if self.batch_size is not None:
            return self.batch_size
        return LARGE_POST if planned > MANY_VIEWS else USUAL_POST

    @property
    def one_play_within(self) -> int | None:
        """Minutes that may lie between two plays of a title which count as one; None: however many."""
        return {"each_play": 0, "window": self.window_minutes, "once": None}[self.rewatch]


@dataclass(frozen=True, slots=True)
class Account:
    user_id: str
    slug: str
    name: str
    avatar: str | None
    vip: bool
    limits: dict[str, Any]
    connected: frozenset[str]
    connections: int
    """Another number with every connecting and disconnecting, and for every account that is made anew: what was learnt
    under an earlier one is not about these connections."""
    settings: SyncSettings
    paused_reason: PausedReason | None
    to_connect: frozenset[str]
    """Upstreams that refuse what they have just granted: only a new sign-in there helps."""
    cursor: Cursor | None
    last_success_at: int | None
    active_run_id: str | None
    active_until: int
    awaiting_run_id: str | None
    """The run whose plan waits for a confirmation."""

    @property
    def trakt_user_hash(self) -> str:
        return hashlib.sha256(self.user_id.encode()).hexdigest()[:16]

    @classmethod
    def of(cls, item: Item) -> Self:
        cursor = item.get("cursor")
        return cls(
            user_id=item["user_id"],
            slug=item.get("slug", ""),
            name=item.get("name", ""),
            avatar=item.get("avatar"),
            vip=item.get("vip", False),
            limits=item.get("limits", {}),
            connected=frozenset(item.get("connected") or ()),
            connections=item.get("connections", 0),
            settings=SyncSettings(**(item.get("settings") or {})),
            paused_reason=item.get("paused_reason"),
            to_connect=frozenset(item.get("to_connect") or ()),
            cursor=Cursor(cursor["last_seen"], frozenset(cursor["rows"])) if cursor else None,
            last_success_at=item.get("last_success_at"),
            active_run_id=item.get("active_run_id"),
            active_until=item.get("active_until", 0),
            awaiting_run_id=item.get("awaiting_run_id"),
        )


class StillLeaving(Exception):
    """What was kept under this id is on its way out: an account that began now would get some of it, or lose its own.

    `after`: seconds until it is over at the latest.
    """

    def __init__(self, after: int) -> None:
        super().__init__("the account of before is not gone yet")
        self.after = after


class RunActive(Exception):
    """Another run of this user is under way."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} is under way")
        self.run_id = run_id
