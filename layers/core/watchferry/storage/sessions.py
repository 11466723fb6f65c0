"""Sessions: one row per signed-in browser, under the SHA-256 of its id; the id itself is only in the browser's cookie.

The index `user` finds all of a user's sessions.
"""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table, not_expired

DAY = 86400

TOUCH_EVERY = 300
"""Seconds. `last_seen` is renewed this often at most: a write per request would cost more than all the reads."""


@dataclass(frozen=True, slots=True)
class Session:
    user_id: str
    session_hash: str
    created_at: int
    last_seen: int

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(item["user_id"], item["session_hash"], item["created_at"], item["last_seen"])


@dataclass(slots=True)
class Sessions:
    table: Table
    clock: Clock
    idle_days: int
    absolute_days: int

    @property
    def lifetime(self) -> int:
        """Seconds after which even a busy session ends."""
        return self.absolute_days * DAY

    def begin(self, user_id: str) -> str:
        """The new session's id: 256 random bits, 43 characters of [A-Za-z0-9_-]. It is not stored."""
        session_id = secrets.token_urlsafe(32)
        now = int(self.clock())
        self.table.put(
            {
                "session_hash": _hash(session_id),
                "user_id": user_id,
                "created_at": now,
                "last_seen": now,
                "ttl": self._ends(now, now),
            }
        )
        return session_id

    def find(self, session_id: str) -> Session | None:
        """The living session; finding it keeps it alive."""
        now = int(self.clock())
        item = not_expired(self.table.get({"session_hash": _hash(session_id)}), now)
        if item is None:
            return None
        session = Session.of(item)
        # Asked again with today's settings: a deployment that shortens the lifetimes ends old sessions too.
        if now >= self._ends(session.created_at, session.last_seen):
            return None
        if now - session.last_seen >= TOUCH_EVERY:
            self._touch(session, now)
        return session

    def end(self, session_id: str) -> None:
        self.table.delete({"session_hash": _hash(session_id)})

    def of(self, user_id: str) -> list[Session]:
        """Every living session of a user, oldest first."""
        now = self.clock()
        items = (item for item in self.table.get_many(self._keys(user_id)) if not_expired(item, now))
        return sorted(map(Session.of, items), key=lambda session: session.created_at)

    def end_all(self, user_id: str) -> None:
        """Every session of a user, wherever it is."""
        self.table.delete_many(self._keys(user_id))

    def _keys(self, user_id: str) -> list[Item]:
        found = self.table.query(Key("user_id").eq(user_id), index="user")
        return [{"session_hash": item["session_hash"]} for item in found]

    def _touch(self, session: Session, now: int) -> None:
        with suppress(ConditionFailed):  # ended meanwhile; this request was still let in
            self.table.update(
                {"session_hash": session.session_hash},
                set_={"last_seen": now, "ttl": self._ends(session.created_at, now)},
                when=Attr("session_hash").exists(),
            )

    def _ends(self, created_at: int, last_seen: int) -> int:
        return min(created_at + self.absolute_days * DAY, last_seen + self.idle_days * DAY)


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()
