"""Accounts: one row a user — who they are, their settings, the sync's state, and which run is theirs now.

The index `schedule` holds just the users that the scheduler has to enqueue: a row has a `schedule_shard` only while
automatic sync is on, nothing pauses it and both accounts are connected.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from watchferry.errors import NotConnected
from watchferry.storage import keep_alive
from watchferry.storage._dynamo import Attr, Clock, ConditionBase, ConditionFailed, Item, Key, Table
from watchferry.storage.account import Account, Cursor, Provider, RunActive, StillLeaving

SHARDS = 16
"""Enough for some 16,000 index writes a second; the scheduler reads them one after another, beginning anywhere."""

RUN_LEASE = 20 * 60
"""Seconds without a sign of life after which a run counts as dead and another may begin."""

TICK = {"user_id": "#tick"}
"""The one row that is no user: when the scheduler last ticked, and how often it has."""

TELL_WITHIN = 60
"""Seconds in which whoever pauses an account has told of it; else the next who comes upon the same trouble does."""

PROFILE = ("slug", "name", "avatar", "vip", "limits")

WAITS = "awaiting_confirmation"
"""The pause of a user whose braked run waits; it ends with the waiting."""

LEFT_WITHIN = 120
"""Seconds for which an account that was deleted keeps its successor waiting, should its sweep never come: the first one
takes some, the second comes after a minute (account/leave.py).
"""

ENDED_BY_CONNECTING: dict[Provider, set[str]] = {
    "trakt": {"reauth_required", "account_locked", "account_limit"},
    "kinopub": {"reauth_required"},
}
"""Pauses that a new sign-in ends; a lock that still holds pauses again at the next run."""


@dataclass(slots=True)
class Accounts:
    table: Table
    clock: Clock

    def get(self, user_id: str) -> Account | None:
        """None as well for somebody who is leaving (departures.py)."""
        item = self.table.get({"user_id": user_id})
        return Account.of(item) if item and "leaving" not in item else None

    # Who they are

    def sign_in(self, user_id: str, profile: Item) -> Account:
        """Creates the account or renews its profile (`slug`, `name`, `avatar`, `vip`, `limits`).

        Connections of a new one begin anywhere: those of an account of before, with this id, must not come again.
        Raises StillLeaving while that is on its way out.
        """

        def change(item: Item) -> None:
            item.update({name: profile.get(name) for name in PROFILE})
            item["connections"] = item.get("connections") or secrets.randbits(48)

        return self._change(user_id, change, create=True)

    def connect(self, user_id: str, provider: Provider) -> None:
        """A provider is connected (again). Another Kinopub account has another history: its cursor starts anew."""

        def change(item: Item) -> None:
            item["connected"] = item.get("connected", set()) | {provider}
            item["connections"] = item.get("connections", 0) + 1
            if provider == "kinopub":
                item["keep_alive_at"] = int(self.clock()) + keep_alive.EVERY
                # Nor may a run of the other account's history set it, or a plan made of it be confirmed.
                if waiting := item.get("awaiting_run_id"):
                    item["replaced_runs"] = sorted({*item.get("replaced_runs", ()), waiting})
                item.update(cursor=None, active_run_id=None)
                _waits_no_more(item)
            item["to_connect"] = (item.get("to_connect", set()) - {provider}) or None
            reason = item.get("paused_reason")
            if reason in ENDED_BY_CONNECTING[provider] and not (reason == "reauth_required" and item["to_connect"]):
                item["paused_reason"] = None

        self._change(user_id, change)

    def disconnect(self, user_id: str, provider: Provider) -> None:
        def change(item: Item) -> None:
            item["connected"] = (item.get("connected", set()) - {provider}) or None
            item["to_connect"] = (item.get("to_connect", set()) - {provider}) or None
            item["connections"] = item.get("connections", 0) + 1

        self._change(user_id, change)

    # Settings and pauses

    def change_settings(self, user_id: str, **changes: Any) -> Account:
        """Fields of SyncSettings; the others stay. Setting `enabled` ends a pause (http-api.md, Sync)."""

        def change(item: Item) -> None:
            settings = dict(item.get("settings") or {})
            # False before anybody has chosen is no choice: confirming a first run still turns it on.
            unchosen = {"enabled"} - settings.keys() if changes.get("enabled") is False else set()
            settings |= {name: value for name, value in changes.items() if name not in unchosen}
            item["settings"] = {name: value for name, value in settings.items() if value is not None}
            if changes.get("enabled"):
                # Who says so wants it tried; what still is so is found out by the next run.
                item["paused_reason"] = item["to_connect"] = None

        return self._change(user_id, change)

    def pause(self, user_id: str, reason: str, to_connect: str | None = None) -> Account | None:
        """Until the reason is gone, the scheduler leaves this account alone. `to_connect`: the upstream that it is of.

        The account when somebody has to be told: it was not paused for this reason, or whoever paused it did not come
        to `told_of_pause`. None when it is told already.
        """
        due = False

        def change(item: Item) -> None:
            nonlocal due
            now = int(self.clock())
            due = item.get("paused_reason") != reason or item.get("telling_until", now) < now
            item["paused_reason"] = reason
            if to_connect:
                item["to_connect"] = item.get("to_connect", set()) | {to_connect}
            if due:
                item["telling_until"] = now + TELL_WITHIN

        account = self._change(user_id, change)
        return account if due else None

    def braked(self, user_id: str, run_id: str) -> Account | None:
        """The account, if `setting_aside` paused it for this run and nobody has told of it (as `pause` says)."""
        now = int(self.clock())
        untold = Attr("awaiting_run_id").eq(run_id) & Attr("paused_reason").eq(WAITS) & Attr("telling_until").lt(now)
        try:
            return Account.of(
                self.table.update({"user_id": user_id}, set_={"telling_until": now + TELL_WITHIN}, when=untold)
            )
        except ConditionFailed:
            return None

    def told_of_pause(self, user_id: str) -> None:
        with suppress(ConditionFailed):  # the account is gone
            self.table.update({"user_id": user_id}, remove=["telling_until"], when=Attr("user_id").exists())

    def first_failure(self, user_id: str) -> Account | None:
        """The account, if this is the first failure since the last success; None for all that follow."""
        first = Attr("user_id").exists() & Attr("told_failure").not_exists()
        try:
            return Account.of(
                self.table.update({"user_id": user_id}, set_={"told_failure": int(self.clock())}, when=first)
            )
        except ConditionFailed:
            return None

    # The one run of a user. Whatever changes whose turn it is raises the revision, so that `changing` notices.

    def begin_run(self, user_id: str, run_id: str) -> list[str]:
        """Makes `run_id` the user's active run. Returns the runs whose place it took: a dead one, a waiting one.

        They are told again with every beginning until `replaced_ended`, should the caller die before it has ended them.
        Raises RunActive when another run lives. Beginning the run that is active already only renews its lease.
        """
        replaced: list[str] = []

        def change(item: Item) -> None:
            now, active = int(self.clock()), item.get("active_run_id")
            if active not in (None, run_id) and item.get("active_until", 0) >= now:
                raise RunActive(active)
            before = {*item.get("replaced_runs", ()), active, item.get("awaiting_run_id")}
            replaced[:] = sorted(run for run in before if run and run != run_id)
            item["replaced_runs"] = list(replaced) or None
            item.update(active_run_id=run_id, active_until=now + RUN_LEASE)
            _waits_no_more(item)

        free = Attr("active_run_id").not_exists() | Attr("active_run_id").eq(run_id)
        free |= Attr("active_until").lt(int(self.clock()))
        self._change(user_id, change, when=free)
        return replaced

    def replaced_ended(self, user_id: str, run_id: str) -> None:
        """The rows of the runs that this one has replaced say so."""
        with suppress(ConditionFailed):
            self.table.update({"user_id": user_id}, remove=["replaced_runs"], when=Attr("active_run_id").eq(run_id))

    def free(self, user_id: str, run_id: str) -> None:
        """The run is not the active one any more."""
        try:
            self.table.update(
                {"user_id": user_id},
                add={"revision": 1},
                remove=["active_run_id", "active_until"],
                when=Attr("active_run_id").eq(run_id),
            )
        except ConditionFailed:
            return

    def keep_run(self, user_id: str, run_id: str, *, for_seconds: float = 0) -> bool:
        """A sign of life; False when the run is not (or no longer) the user's active one."""
        try:
            self.table.update(
                {"user_id": user_id},
                set_={"active_until": int(self.clock() + for_seconds) + RUN_LEASE},
                when=Attr("active_run_id").eq(run_id),
            )
        except ConditionFailed:
            return False
        return True

    def while_active(self, user_id: str, run_id: str) -> Item:
        """Part of a transaction: holds only while the run is the user's active one."""
        return self.table.checking({"user_id": user_id}, Attr("active_run_id").eq(run_id))

    def ending_run(self, user_id: str, run_id: str, *, succeeded: bool, cursor: Cursor | None) -> Item:
        """Part of a transaction: the run is over. If it succeeded, its cursor takes effect."""
        changes: Item = {}
        if succeeded:
            changes["told_failure"] = None
            changes["last_success_at"] = int(self.clock())
            if cursor:
                changes["cursor"] = {"last_seen": cursor.last_seen, "rows": sorted(cursor.rows)}
        return self.table.updating(
            {"user_id": user_id},
            set_=changes,
            add={"revision": 1},
            remove=["active_run_id", "active_until"],
            when=Attr("active_run_id").eq(run_id),
        )

    def setting_aside(self, user_id: str, run_id: str, *, pause: bool) -> Item:
        """Part of a transaction: the active run waits for a confirmation; `pause`: until then the schedule rests."""
        paused = {"paused_reason": WAITS, "schedule_shard": None, "telling_until": 0}
        return self.table.updating(
            {"user_id": user_id},
            set_={"awaiting_run_id": run_id, **(paused if pause else {})},
            add={"revision": 1},
            remove=["active_run_id", "active_until"],
            when=Attr("active_run_id").eq(run_id),
        )

    def going_on(self, user_id: str, run_id: str) -> Item:
        """Part of a transaction: the run that waited is confirmed and the active one again.

        Automatic sync is on from then on, unless the person has chosen otherwise before. Raises NotConnected for a user
        who is not there, RunActive.
        """

        def change(item: Item) -> None:
            if item.get("active_run_id") and item.get("active_until", 0) >= int(self.clock()):
                raise RunActive(item["active_run_id"])
            item.update(active_run_id=run_id, active_until=int(self.clock()) + RUN_LEASE)
            item["settings"] = {"enabled": True} | (item.get("settings") or {})
            _waits_no_more(item)

        return self._changing(user_id, change, Attr("awaiting_run_id").eq(run_id))

    def cancelling(self, user_id: str, run_id: str) -> Item:
        """Part of a transaction: the run, active or waiting, is not the user's any more. Raises NotConnected."""

        def change(item: Item) -> None:
            if item.get("active_run_id") == run_id:
                item.update(active_run_id=None, active_until=None)
            if item.get("awaiting_run_id") == run_id:
                _waits_no_more(item)

        return self._changing(user_id, change)

    # The schedule

    def due(self, first: int = 0) -> Iterator[str]:
        """The ids of the users whom a tick enqueues, shard by shard, from the shard `first` (modulo SHARDS) on."""
        for number in range(first, first + SHARDS):
            for item in self.table.query(Key("schedule_shard").eq(f"s{number % SHARDS:02d}"), index="schedule"):
                yield item["user_id"]

    def tick(self) -> int:
        """Which one it is."""
        ticks: int = self.table.update(TICK, set_={"at": int(self.clock())}, add={"ticks": 1})["ticks"]
        return ticks

    def last_tick(self) -> int | None:
        at = (self.table.get(TICK) or {}).get("at")
        return at if isinstance(at, int) else None

    def _change(
        self, user_id: str, change: Callable[[Item], None], *, create: bool = False, when: ConditionBase | None = None
    ) -> Account:
        """Read, change, and write with what follows for the schedule — if nobody else did so in between.

        Raises NotConnected for a user who is not there, or is leaving, unless `create`: then the row begins anew, when
        nobody is leaving any more (StillLeaving).
        """
        while True:
            written, unchanged = self._changed(user_id, change, create=create)
            try:
                condition = unchanged if when is None else unchanged & when
                return Account.of(self.table.update({"user_id": user_id}, set_=written, when=condition))
            except ConditionFailed:
                continue

    def _changing(self, user_id: str, change: Callable[[Item], None], when: ConditionBase | None = None) -> Item:
        """As `_change`, for a transaction, which fails when somebody else was quicker."""
        written, unchanged = self._changed(user_id, change)
        condition = unchanged if when is None else unchanged & when
        return self.table.updating({"user_id": user_id}, set_=written, when=condition)

    def _changed(
        self, user_id: str, change: Callable[[Item], None], *, create: bool = False
    ) -> tuple[Item, ConditionBase]:
        """The fields to write, and that the row is still the one that was read."""
        key = {"user_id": user_id}
        before: Item = self.table.get(key) or {**key}
        is_there = "leaving" not in before and before != key
        if not is_there and not create:
            raise NotConnected("trakt")
        if "leaving" in before and (after_that := before.get("left_at", 0) + LEFT_WITHIN - int(self.clock())) > 0:
            raise StillLeaving(after_that)
        after: Item = {**before} if is_there else {**dict.fromkeys(before), **key}
        change(after)
        account = Account.of({name: value for name, value in after.items() if value is not None})
        after["schedule_shard"] = _shard(user_id) if _is_scheduled(account) else None
        kept_alive = keep_alive.place(user_id, after.get("keep_alive_at") or self.clock())
        after |= kept_alive if "kinopub" in account.connected else keep_alive.NO_PLACE
        written = {name: value for name, value in after.items() if value != before.get(name)}
        revision = before.get("revision")
        unchanged = Attr("revision").eq(revision) if revision else Attr("revision").not_exists()
        return written | {"revision": (revision or 0) + 1}, unchanged


def _waits_no_more(item: Item) -> None:
    item["awaiting_run_id"] = None
    if item.get("paused_reason") == WAITS:
        item["paused_reason"] = None


def _is_scheduled(account: Account) -> bool:
    return account.settings.enabled and not account.paused_reason and account.connected >= {"trakt", "kinopub"}


def _shard(user_id: str) -> str:
    return f"s{int(hashlib.sha256(user_id.encode()).hexdigest(), 16) % SHARDS:02d}"
