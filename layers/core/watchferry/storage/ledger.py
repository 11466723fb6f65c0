"""Ledger: what became of every view of a user, for ever. It is what makes a second run find nothing to do.

One row per view, keyed by Kinopub's unit and the minute: `{item}-{media}@{minute}`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import Literal, Self

from watchferry.models import MOVED_AT_LEAST, Ids, View
from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table, transact

type LedgerOutcome = Literal["sending", "sent", "duplicate", "removed", "not_found", "rejected_by_trakt"]

DEALT_WITH: frozenset[str] = frozenset({"sent", "duplicate", "removed"})
REFUSED: frozenset[str] = frozenset({"not_found", "rejected_by_trakt"})

LARGEST_TRANSACTION = 100

MANY_TITLES = 20
"""From this many titles on, the user's whole ledger is read: 1 MB a page holds some 8,000 views."""


@dataclass(frozen=True, slots=True)
class Entry:
    at: int
    outcome: LedgerOutcome
    ids: Ids
    run_id: str
    timestamp_missing: bool
    settled_at: int
    """`sending`: when a POST of it can no longer be at work upstream."""

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            at=item["at"],
            outcome=item["outcome"],
            ids=item.get("ids", {}),
            run_id=item["run_id"],
            timestamp_missing=item.get("timestamp_missing", False),
            settled_at=item.get("settled_at", 0),
        )

    def is_view(self, view: View) -> bool:
        """Whether this is the same view: its time moved less than the unit's duration (http-api.md, Fine print).

        A view without a time of its own is the one that is known; one that was sent with a made-up time (now, for want
        of another) is the same view as any earlier time that turns up for it later.
        """
        if view.timestamp_missing:
            return True
        if self.timestamp_missing:
            return view.watched_at < self.at + max(view.duration, MOVED_AT_LEAST)
        return view.may_be(self.at)


@dataclass(slots=True)
class Ledger:
    table: Table
    clock: Clock

    def of(self, user_id: str, items: Iterable[int]) -> Mapping[str, list[Entry]]:
        """unit (`View.unit`) → its entries, of these titles (and perhaps others)."""
        wanted = sorted(set(items))
        user = Key("user_id").eq(user_id)
        keys = [user] if len(wanted) > MANY_TITLES else [user & Key("view").begins_with(f"{item}-") for item in wanted]
        found: dict[str, list[Entry]] = defaultdict(list)
        for key in keys:
            for row in self.table.query(key):
                found[row["view"].partition("@")[0]].append(Entry.of(row))
        return found

    def all(self, user_id: str) -> Iterator[tuple[str, Entry]]:
        """Every entry of a user with its unit (`View.unit`)."""
        for row in self.table.query(Key("user_id").eq(user_id)):
            yield row["view"].partition("@")[0], Entry.of(row)

    def delete(self, user_id: str) -> None:
        """All of a user's."""
        rows = self.table.query(Key("user_id").eq(user_id))
        self.table.delete_many({"user_id": user_id, "view": row["view"]} for row in rows)

    def intend(
        self, user_id: str, run_id: str, views: Sequence[tuple[View, Ids]], *, settled_at: float, while_active: Item
    ) -> bool:
        """These are about to be sent. Whoever finds such an entry later does not know the outcome.

        False, with nothing or not all of it written, when `while_active` (Accounts) does not hold: what a run that was
        superseded writes here could stand over what its successor wrote.
        """
        rows = _rows(user_id, run_id, [(view, "sending", ids) for view, ids in views], settled_at=int(settled_at) + 1)
        for part in batched(rows, LARGEST_TRANSACTION - 1, strict=False):
            try:
                transact(self.table.client, [while_active, *(self.table.putting(row) for row in part)])
            except ConditionFailed:
                return False
        return True

    def record(self, user_id: str, run_id: str, views: Sequence[tuple[View, LedgerOutcome, Ids]]) -> None:
        self.table.put_many(_rows(user_id, run_id, views))

    def withdraw(self, user_id: str, run_id: str, views: Iterable[View]) -> None:
        """It is certain that this run did not send these. What another run intends since then stays."""
        for view in views:
            with suppress(ConditionFailed):
                self.table.delete(
                    {"user_id": user_id, "view": _row(view)},
                    Attr("run_id").eq(run_id) & Attr("outcome").eq("sending"),
                )


def _rows(
    user_id: str, run_id: str, views: Sequence[tuple[View, LedgerOutcome, Ids]], settled_at: int | None = None
) -> Collection[Item]:
    return {
        _row(view): {
            "user_id": user_id,
            "view": _row(view),
            "at": view.watched_at,
            "outcome": outcome,
            "ids": dict(ids),
            "run_id": run_id,
            "timestamp_missing": view.timestamp_missing or None,
            "settled_at": settled_at,
        }
        for view, outcome, ids in views
    }.values()


def _row(view: View) -> str:
    return f"{view.unit}@{view.watched_at // 60}"
