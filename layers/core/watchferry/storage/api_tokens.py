"""API tokens (`wf_…`): one row each, under the SHA-256 of the token; the token itself is only where it is used.

A program that came by the OAuth facade is one row too, of the kind `facade`. Its tokens begin with the program's mark,
under whose hash the row stands, and go on with a secret; the row has the hashes of the two that are good just now. So
one conditional write rotates both, and deleting the row ends whatever the program has, at once.

The index `user` finds all of a user's rows. `kind` says what a token opens: http_api/guard.py.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table, not_expired

PREFIX = "wf_"
_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_OF_PROGRAM = re.compile("(" + PREFIX + r"[A-Za-z0-9_-]{22})[A-Za-z0-9_-]{43}")
"""A mark of 128 random bits and a secret of 256."""

TOUCH_EVERY = 300
"""Seconds. `last_used_at` is renewed this often at most: a write per request would cost more than all the reads."""

MOST = 50
"""Of one user and kind; more are a program that went wrong."""

DAY = 86400

ACCESS_LIFETIME = 7 * DAY
"""Seconds. Trakt's own today (reality.md, Token), so that no client meets what it has not met before. Every use looks
the row up: a revoked token ends at once, so a shorter life would only cost refreshes."""

REFRESH_LIFETIME = 180 * DAY
"""Seconds without a refresh after which a program is forgotten; as long as a browser's session lasts at most."""

type Kind = Literal["api", "facade"]
"""`facade`: handed out by the OAuth facade; such a row has a `ttl`."""


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


@dataclass(frozen=True, slots=True)
class ProgramTokens:
    """What a program holds from now on; `repr` tells nothing of it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    created_at: int
    """Unix seconds; `access` is good for ACCESS_LIFETIME from then on, `refresh` once."""


@dataclass(slots=True)
class ApiTokens:
    table: Table
    clock: Clock

    def make(self, user_id: str, name: str) -> tuple[ApiToken, str]:
        """The row, and the token: 256 random bits, 46 characters of [A-Za-z0-9_-], which is not stored.

        Raises TooMany. The count is an index's, a moment behind: of many made at once some may be one too many.
        """
        if len(self._of_kind(user_id, "api")) >= MOST:
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
        key = {"token_hash": _hash(token)} if _TOKEN.fullmatch(token) else _program(token)
        if key is None:
            return None
        now = int(self.clock())
        item = not_expired(self.table.get(key), now)
        if item is None or ("access_hash" in item and not _is_access(item, token, now)):
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

    # Programs that come by the OAuth facade

    def begin_program(self, user_id: str, name: str) -> ProgramTokens:
        """A program that somebody has let in; its first tokens. Of too many the one that was used longest ago ends."""
        known = sorted(self._of_kind(user_id, "facade"), key=lambda row: row.last_used_at or row.created_at)
        for stale in known[: max(0, len(known) - MOST + 1)]:
            self.table.delete({"token_hash": stale.token_hash})
        mark, now = PREFIX + secrets.token_urlsafe(16), int(self.clock())
        made, hashes = _new_tokens(mark, now)
        self.table.put(
            {
                "token_hash": _hash(mark),
                "user_id": user_id,
                "token_id": secrets.token_hex(8),
                "kind": "facade",
                "name": name,
                "created_at": now,
                **hashes,
            }
        )
        return made

    def refresh_program(self, refresh: str) -> ProgramTokens | None:
        """The next tokens, of which the first end the last ones. None for a refresh token that is not good.

        One that was good before is in two hands, and nobody knows whose are the right ones: then the program ends,
        whatever it has (RFC 9700, 4.14.2).
        """
        key = _program(refresh)
        if key is None or not_expired(self.table.get(key), self.clock()) is None:
            return None
        made, hashes = _new_tokens(_OF_PROGRAM.sub(r"\1", refresh), int(self.clock()))
        try:
            self.table.update(key, set_=hashes, when=Attr("refresh_hash").eq(_hash(refresh)))
        except ConditionFailed:
            self.table.delete(key)
            return None
        return made

    def end_program(self, token: str) -> None:
        """Of whom this is the access or the refresh token; an old access token will do, one that was replaced not."""
        key = _program(token)
        row = self.table.get(key) if key else None
        if key and row and _hash(token) in {row["access_hash"], row["refresh_hash"]}:
            self.table.delete(key)

    def _of_kind(self, user_id: str, kind: Kind) -> list[ApiToken]:
        return [token for token in self.of(user_id) if token.kind == kind]

    def _keys(self, user_id: str) -> Iterator[Item]:
        for item in self.table.query(Key("user_id").eq(user_id), index="user"):
            yield {"token_hash": item["token_hash"]}

    def _touch(self, token: ApiToken, now: int) -> None:
        with suppress(ConditionFailed):  # revoked meanwhile; this request was still let in
            self.table.update(
                {"token_hash": token.token_hash}, set_={"last_used_at": now}, when=Attr("token_hash").exists()
            )


def _program(token: str) -> Item | None:
    """The key of the row of the program that has such a token."""
    found = _OF_PROGRAM.fullmatch(token)
    return {"token_hash": _hash(found[1])} if found else None


def _new_tokens(mark: str, now: int) -> tuple[ProgramTokens, Item]:
    """And what the row keeps of them."""
    access, refresh = mark + secrets.token_urlsafe(32), mark + secrets.token_urlsafe(32)
    kept = {
        "access_hash": _hash(access),
        "refresh_hash": _hash(refresh),
        "access_until": now + ACCESS_LIFETIME,
        "ttl": now + REFRESH_LIFETIME,
    }
    return ProgramTokens(access, refresh, now), kept


def _is_access(item: Item, token: str, now: int) -> bool:
    return secrets.compare_digest(item["access_hash"], _hash(token)) and now < item["access_until"]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
