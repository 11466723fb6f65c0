"""The index `keep_alive` of the table Accounts: when each connected Kinopub account has to be looked after next.

Kinopub's refresh tokens die after about 30 days without use (reality.md, Kinopub). A row has a place in the index
exactly while Kinopub is connected: storage/accounts.py sees to that.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from watchferry.storage._dynamo import Attr, Clock, ConditionBase, ConditionFailed, Item, Key, Table

EVERY = 7 * 86400
"""Seconds. With a pair of this age refreshed at each look, none gets older than two weeks."""

SHARDS = 16
"""The scheduler reads them one after another; there are a week's users over many ticks."""


def place(user_id: str, at: float) -> Item:
    """The fields of an account's row: look after it at this time (unix seconds)."""
    shard = int(hashlib.sha256(user_id.encode()).hexdigest(), 16) % SHARDS
    return {"keep_alive_shard": f"k{shard:02d}", "keep_alive_at": int(at)}


NO_PLACE: Item = {"keep_alive_shard": None, "keep_alive_at": None}


@dataclass(slots=True)
class KeepAlive:
    table: Table
    """Accounts."""
    clock: Clock

    def due(self, first: int = 0) -> Iterator[str]:
        """The ids of the users whose time is over, shard by shard, from the shard `first` (modulo SHARDS) on."""
        now = int(self.clock())
        for number in range(first, first + SHARDS):
            key = Key("keep_alive_shard").eq(f"k{number % SHARDS:02d}") & Key("keep_alive_at").lte(now)
            for item in self.table.query(key, index="keep_alive"):
                yield item["user_id"]

    def claim(self, user_id: str, *, again_in: float) -> bool:
        """The right to look after this account; should nothing come of it, it is due again in so many seconds.

        False: it is not due (any more), or not there.
        """
        return self._move(user_id, again_in, Attr("keep_alive_at").lte(int(self.clock())))

    def done(self, user_id: str) -> None:
        """Until next week."""
        self._move(user_id, EVERY, Attr("keep_alive_at").exists())

    def _move(self, user_id: str, seconds: float, when: ConditionBase) -> bool:
        try:
            self.table.update({"user_id": user_id}, set_={"keep_alive_at": int(self.clock() + seconds)}, when=when)
        except ConditionFailed:
            return False
        return True
