"""Flows: sign-ins under way — device handles of ours, and the `state`s of the authorization-code flow.

A row stands under the SHA-256 of its handle, which only the caller has, and names nobody: it may outlive the account.
The interval between polls is kept here and not by the caller: one conditional write decides who may ask the upstream
now.
"""

import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Table, not_expired
from watchferry.storage.account import Provider

REMEMBERED = 3600
"""Seconds after its end for which a flow can still be told from one that never was."""

SLOWER_BY = 5
"""Seconds that a 429 adds to the interval (RFC 8628 3.5; sync document 3, A3)."""

type DeviceKind = Literal["device", "facade"]
"""Who began a device flow and may end it: a browser, or a program at the OAuth facade."""

type Ending = Literal["used", "denied", "expired", "invalid"]


@dataclass(frozen=True, slots=True)
class Flow:
    flow_hash: str
    kind: Literal["authorize"] | DeviceKind
    provider: Provider
    status: Literal["new"] | Ending
    expires_at: int
    owner: str | None
    """Whose handle it is, where only a signed-in user gets one: SHA-256 of handle and user (`owner_of`)."""
    sealed: bytes
    """The upstream's device code; sealed with `sealed_key`."""
    sealed_key: bytes
    interval: int
    """Seconds between polls."""
    polled_at_ms: int | None
    """When the caller last asked, too soon or not."""
    redirect_uri: str
    browser: str
    """SHA-256 of what the browser that began an authorization holds in its cookie."""

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            flow_hash=item["flow_hash"],
            kind=item["kind"],
            provider=item["provider"],
            status=item["status"],
            expires_at=item["expires_at"],
            owner=item.get("owner"),
            sealed=item.get("sealed", b""),
            sealed_key=item.get("sealed_key", b""),
            interval=item.get("interval", 0),
            polled_at_ms=item.get("polled_at_ms"),
            redirect_uri=item.get("redirect_uri", ""),
            browser=item.get("browser", ""),
        )


def new_handle() -> str:
    """256 random bits, 43 characters of [A-Za-z0-9_-]."""
    return secrets.token_urlsafe(32)


def hash_of(handle: str) -> str:
    return hashlib.sha256(handle.encode()).hexdigest()


def owner_of(handle: str, user_id: str | None) -> str | None:
    """Who has both can tell that they belong together; the row alone tells nothing of the user."""
    return hash_of(f"{handle}|{user_id}") if user_id else None


@dataclass(slots=True)
class Flows:
    table: Table
    clock: Clock

    def begin_device(
        self,
        handle: str,
        provider: Provider,
        *,
        kind: DeviceKind,
        user_id: str | None,
        sealed: bytes,
        sealed_key: bytes,
        interval: int,
        expires_in: int,
    ) -> None:
        """The first poll is due an interval from now."""
        self._begin(
            handle,
            expires_in,
            {
                "kind": kind,
                "provider": provider,
                "owner": owner_of(handle, user_id),
                "sealed": sealed,
                "sealed_key": sealed_key,
                "interval": interval,
                "next_poll_at_ms": self._ms(interval),
            },
        )

    def begin_authorize(self, state: str, *, browser: str, redirect_uri: str, expires_in: int) -> None:
        """`browser` is the cookie's value; only its hash is kept."""
        given = {"kind": "authorize", "provider": "trakt", "redirect_uri": redirect_uri, "browser": hash_of(browser)}
        self._begin(state, expires_in, given)

    def find(self, handle: str) -> Flow | None:
        """Of whatever somebody sends; what cannot be a handle is not looked for."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", handle):
            return None
        item = not_expired(self.table.get({"flow_hash": hash_of(handle)}), self.clock())
        return Flow.of(item) if item else None

    def may_poll(self, flow: Flow) -> bool:
        """Whether the caller may ask the upstream now; if so, nobody else may for an interval."""
        try:
            self.table.update(
                {"flow_hash": flow.flow_hash},
                set_={"next_poll_at_ms": self._ms(flow.interval), "polled_at_ms": self._ms(0)},
                when=Attr("status").eq("new") & Attr("next_poll_at_ms").lte(self._ms(0)),
            )
        except ConditionFailed:
            return False
        return True

    def is_hurried(self, flow: Flow) -> bool:
        """Of a poll that came too soon: whether the caller asks faster than it was told, and not for the first time.

        Many clients ask at once when they have shown the code; a fifth of the interval is left to clocks and networks.
        """
        with suppress(ConditionFailed):  # it has just ended
            self.table.update(
                {"flow_hash": flow.flow_hash}, set_={"polled_at_ms": self._ms(0)}, when=Attr("status").eq("new")
            )
        return flow.polled_at_ms is not None and self._ms(0) - flow.polled_at_ms < flow.interval * 800

    def slow_down(self, flow: Flow) -> int:
        """The upstream was asked too often: the new interval in seconds."""
        item = self.table.update(
            {"flow_hash": flow.flow_hash},
            set_={"next_poll_at_ms": self._ms(flow.interval + SLOWER_BY)},
            add={"interval": SLOWER_BY},
        )
        return int(item["interval"])

    def end(self, flow: Flow, ending: Ending) -> bool:
        """False when somebody else ended it before: a flow ends once."""
        try:
            self.table.update(
                {"flow_hash": flow.flow_hash},
                set_={"status": ending},
                remove=["sealed", "sealed_key"],
                when=Attr("status").eq("new"),
            )
        except ConditionFailed:
            return False
        return True

    def _begin(self, handle: str, expires_in: int, given: Item) -> None:
        expires_at = int(self.clock()) + expires_in
        known = {
            "flow_hash": hash_of(handle),
            "status": "new",
            "expires_at": expires_at,
            "ttl": expires_at + REMEMBERED,
        }
        self.table.put(known | given)

    def _ms(self, seconds: int) -> int:
        """Milliseconds: whole seconds would let a poll through up to a second early, or hold it back as long."""
        return int((self.clock() + seconds) * 1000)
