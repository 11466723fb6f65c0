"""API tokens (`wf_…`): one row each, under the SHA-256 of the token; the token itself is only where it is used.

The index `user` finds all of a user's tokens. `kind` says what a token opens: http_api/guard.py.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table, not_expired

PREFIX = "wf_"
_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")

TOUCH_EVERY = 300
"""Seconds. `last_used_at` is renewed this often at most: a write per request would cost more than all the reads."""

MOST = 50
"""Of one user; more are a program that went wrong."""

type Kind = Literal["api"]
"""Everything made here is an API token; rows of other kinds may carry a `ttl`."""


class TooMany(Exception):
    """The user has MOST of them already."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    user_id: str
    token_hash: str
    token_id: str
    kind: Kind
    name: str
    created_at: int
    last_used_at: int | None

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            user_id=item["user_id"],
            token_hash=item["token_hash"],
            token_id=item["token_id"],
            kind=item["kind"],
            name=item["name"],
            created_at=item["created_at"],
            last_used_at=item.get("last_used_at"),
        )


@dataclass(slots=True)
class ApiTokens:
    table: Table
    clock: Clock

    def make(self, user_id: str, name: str) -> tuple[ApiToken, str]:
        """The row, and the token: 256 random bits, 46 characters of [A-Za-z0-9_-], which is not stored.

        Raises TooMany. The count is an index's, a moment behind: of many made at once some may be one too many.
        """
        if sum(1 for _ in self._keys(user_id)) >= MOST:
            raise TooMany
        token = PREFIX + secrets.token_urlsafe(32)
        made = ApiToken(user_id, _hash(token), secrets.token_hex(8), "api", name, int(self.clock()), None)
        self.table.put(
            {
                "token_hash": made.token_hash,
                "user_id": user_id,
                "token_id": made.token_id,
                "kind": made.kind,
                "name": name,
                "created_at": made.created_at,
            }
        )
        return made, token

    def find(self, token: str) -> ApiToken | None:
        """The living token's row; finding it notes that it was used."""
        if not _TOKEN.fullmatch(token):
            return None
        now = int(self.clock())
        item = not_expired(self.table.get({"token_hash": _hash(token)}), now)
        if item is None:
            return None
        found = ApiToken.of(item)
        if found.last_used_at is None or now - found.last_used_at >= TOUCH_EVERY:
            self._touch(found, now)
        return found

    def of(self, user_id: str) -> list[ApiToken]:
        """All of a user's, of every kind, oldest first."""
        now = self.clock()
        items = (item for item in self.table.get_many(self._keys(user_id)) if not_expired(item, now))
        return sorted(map(ApiToken.of, items), key=lambda token: (token.created_at, token.token_id))

    def revoke(self, user_id: str, token_id: str) -> bool:
        """False when the user has no such token."""
        found = [token for token in self.of(user_id) if token.token_id == token_id]
        for token in found:
            self.table.delete({"token_hash": token.token_hash})
        return bool(found)

    def end_all(self, user_id: str) -> None:
        """Every token of a user, of whatever kind."""
        self.table.delete_many(list(self._keys(user_id)))

    def _keys(self, user_id: str) -> Iterator[Item]:
        for item in self.table.query(Key("user_id").eq(user_id), index="user"):
            yield {"token_hash": item["token_hash"]}

    def _touch(self, token: ApiToken, now: int) -> None:
        with suppress(ConditionFailed):  # revoked meanwhile; this request was still let in
            self.table.update(
                {"token_hash": token.token_hash}, set_={"last_used_at": now}, when=Attr("token_hash").exists()
            )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
