"""API tokens (`wf_…`): one row each, under the SHA-256 of the token; the token itself is only where it is used.

A program that came by the OAuth facade is one row too, of the kind `facade`. Its tokens begin with the program's mark,
under whose hash the row stands, and go on with a secret; the row has the hashes of the two that are good just now. So
one conditional write rotates both, and deleting the row ends whatever the program has, at once.

A refresh token may come again for a short time and gets the same tokens. They are not stored: they are derived from the
refresh token that was presented (HMAC-SHA256) and a random salt in the row. Who has only the table cannot derive them,
since it holds that token's hash alone; nor can who has only the token, without the salt.

The index `user` finds all of a user's rows. `kind` says what a token opens: http_api/guard.py.
"""

import base64
import hashlib
import hmac
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

REFRESHED_AGAIN_WITHIN = 60
"""Seconds after its first use for which a refresh token gets the same tokens once more: the answer was lost, or two
processes of the program refreshed at the same moment."""

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
        made = ProgramTokens(mark + secrets.token_urlsafe(32), mark + secrets.token_urlsafe(32), now)
        self.table.put(
            {
                "token_hash": _hash(mark),
                "user_id": user_id,
                "token_id": secrets.token_hex(8),
                "kind": "facade",
                "name": name,
                "created_at": now,
                **_kept(made),
            }
        )
        return made

    def refresh_program(self, refresh: str) -> ProgramTokens | None:
        """The next tokens, of which the first end the last ones. None for a refresh token that is not good.

        The token that was used last gets the same tokens again for REFRESHED_AGAIN_WITHIN seconds, as long as their
        refresh token was not used: that one's use shows that the answer has arrived. Any other token that was good
        before is in two hands, and nobody knows whose are the right ones: then the program ends, whatever it has
        (RFC 9700, 4.14.2).
        """
        key = _program(refresh)
        if key is None:
            return None
        while row := not_expired(self.table.get(key), self.clock()):
            if _is_used_again(row, refresh, self.clock()):
                return _derived(refresh, row["salt"], row["used_at"])
            if not _is(row["refresh_hash"], refresh):
                self.table.delete(key)
                return None
            now, salt = int(self.clock()), secrets.token_bytes(32)
            made = _derived(refresh, salt, now)
            used = {"used_hash": _hash(refresh), "used_at": now, "salt": salt}
            try:
                self.table.update(key, set_=_kept(made) | used, when=Attr("refresh_hash").eq(_hash(refresh)))
            except ConditionFailed:
                continue  # another process refreshed at the same moment; what the row says now is asked
            return made
        return None

    def end_program(self, token: str) -> None:
        """Of whom this is the access or the refresh token; an old access token will do, one that was replaced not.

        A refresh token that may still come again counts: its owner never got the answer with the next one.
        """
        key = _program(token)
        row = self.table.get(key) if key else None
        if key and row:
            current = _is(row["access_hash"], token) or _is(row["refresh_hash"], token)
            if current or _is_used_again(row, token, self.clock()):
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


def _derived(refresh: str, salt: bytes, created_at: int) -> ProgramTokens:
    """What comes after this refresh token, in whichever process: whoever has both, token and salt, gets the same."""
    mark = _OF_PROGRAM.sub(r"\1", refresh)

    def secret(purpose: bytes) -> str:
        derived = hmac.digest(refresh.encode(), purpose + b" token after " + salt, "sha256")
        return base64.urlsafe_b64encode(derived).decode().rstrip("=")

    return ProgramTokens(mark + secret(b"access"), mark + secret(b"refresh"), created_at)


def _kept(made: ProgramTokens) -> Item:
    """What the row keeps of them."""
    return {
        "access_hash": _hash(made.access),
        "refresh_hash": _hash(made.refresh),
        "access_until": made.created_at + ACCESS_LIFETIME,
        "ttl": made.created_at + REFRESH_LIFETIME,
    }


def _is_used_again(row: Item, refresh: str, now: float) -> bool:
    """The row's current tokens are the ones that were derived from this refresh token, and it may still come again.

    A row that has never been refreshed has no `used_hash`.
    """
    return "used_hash" in row and _is(row["used_hash"], refresh) and now < row["used_at"] + REFRESHED_AGAIN_WITHIN


def _is(stored: str, token: str) -> bool:
    return secrets.compare_digest(stored, _hash(token))


def _is_access(item: Item, token: str, now: int) -> bool:
    return _is(item["access_hash"], token) and now < item["access_until"]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
