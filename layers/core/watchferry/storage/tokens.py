"""Tokens: one row per user and provider — a sealed pair of tokens, its version, its status, and the refresh lease.

Nothing here can read a token: the pair is sealed by vault.py before it comes.
"""

import secrets
from dataclasses import dataclass
from typing import Literal, Self

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Table

REFRESH_LEASE = 60
"""Seconds; longer than a refresh may take (two tries of 10 s, and storing the pair), so that none starts beside it."""

type ConnectionStatus = Literal["ok", "reauth_required", "account_locked"]


@dataclass(frozen=True, slots=True)
class StoredTokens:
    user_id: str
    provider: str
    sealed: bytes
    """Ciphertext of the access and refresh token."""
    sealed_key: bytes
    """The data key, encrypted by KMS."""
    version: int
    expires_at: int
    """`created_at + expires_in` of the upstream, seconds."""
    status: ConnectionStatus
    lease_owner: str | None
    lease_until: int
    stored_at: int
    """When the pair was granted or refreshed; 0 (long ago) for rows from before this was noted."""
    doubted_since: int | None
    """When a refresh was first refused in a form that is not the upstream's own; None since the last success."""

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            user_id=item["user_id"],
            provider=item["provider"],
            sealed=item["sealed"],
            sealed_key=item["sealed_key"],
            version=item["version"],
            expires_at=item["expires_at"],
            status=item.get("status", "ok"),
            lease_owner=item.get("lease_owner"),
            lease_until=item.get("lease_until", 0),
            stored_at=item.get("stored_at", 0),
            doubted_since=item.get("doubted_since"),
        )


@dataclass(slots=True)
class Tokens:
    table: Table
    clock: Clock

    def get(self, user_id: str, provider: str) -> StoredTokens | None:
        item = self.table.get({"user_id": user_id, "provider": provider})
        return StoredTokens.of(item) if item else None

    def connect(self, user_id: str, provider: str, *, sealed: bytes, sealed_key: bytes, expires_at: int) -> None:
        """A new pair from a sign-in; replaces whatever was there and any refresh under way.

        Versions begin anywhere: a refresh from before the account was disconnected must not find its version again.
        """
        self.table.update(
            {"user_id": user_id, "provider": provider},
            set_={
                "sealed": sealed,
                "sealed_key": sealed_key,
                "expires_at": expires_at,
                "status": "ok",
                "stored_at": int(self.clock()),
                "version": secrets.randbits(48),
            },
            remove=["lease_owner", "lease_until", "doubted_since"],
        )

    def lease(self, user_id: str, provider: str, *, version: int, owner: str) -> StoredTokens | None:
        """The right to refresh this version, for REFRESH_LEASE seconds. None: somebody else has it, or did it."""
        now = int(self.clock())
        free = Attr("lease_owner").not_exists() | Attr("lease_until").lt(now)
        try:
            item = self.table.update(
                {"user_id": user_id, "provider": provider},
                set_={"lease_owner": owner, "lease_until": now + REFRESH_LEASE},
                when=Attr("version").eq(version) & Attr("status").ne("reauth_required") & free,
            )
        except ConditionFailed:
            return None
        return StoredTokens.of(item)

    def rotate(
        self, user_id: str, provider: str, *, version: int, sealed: bytes, sealed_key: bytes, expires_at: int
    ) -> StoredTokens:
        """The refreshed pair takes the place of `version`. Raises ConditionFailed when that is gone meanwhile.

        Safe to repeat: the same pair written twice is written once (a write whose answer was lost).
        """
        first_time = Attr("version").eq(version)
        repeated = Attr("version").eq(version + 1) & Attr("sealed").eq(sealed)
        item = self.table.update(
            {"user_id": user_id, "provider": provider},
            set_={
                "sealed": sealed,
                "sealed_key": sealed_key,
                "expires_at": expires_at,
                "status": "ok",
                "stored_at": int(self.clock()),
                "version": version + 1,
            },
            remove=["lease_owner", "lease_until", "doubted_since"],
            when=first_time | repeated,
        )
        return StoredTokens.of(item)

    def give_up_lease(self, user_id: str, provider: str, *, owner: str) -> None:
        """The refresh did not happen (the upstream was away): let the next one try."""
        self._quietly(user_id, provider, Attr("lease_owner").eq(owner), remove=["lease_owner", "lease_until"])

    def doubted(self, leased: StoredTokens) -> int | None:
        """The refresh that this lease was for was refused, by whom is not certain; the lease is given up.

        Since when that goes on. None when a newer version is stored: then nothing changes.
        """
        since = leased.doubted_since or int(self.clock())
        noted = self._quietly(
            leased.user_id,
            leased.provider,
            Attr("version").eq(leased.version),
            set_={"doubted_since": since},
            remove=["lease_owner", "lease_until"],
        )
        return since if noted else None

    def refused(self, user_id: str, provider: str, *, version: int) -> bool:
        """The refresh token of `version` is dead. False when a newer version is stored: then nothing changes."""
        return self._quietly(
            user_id,
            provider,
            Attr("version").eq(version),
            set_={"status": "reauth_required"},
            remove=["lease_owner", "lease_until"],
        )

    def mark(self, user_id: str, provider: str, status: ConnectionStatus) -> None:
        self._quietly(user_id, provider, Attr("version").exists(), set_={"status": status})

    def delete(self, user_id: str, provider: str) -> None:
        self.table.delete({"user_id": user_id, "provider": provider})

    def _quietly(self, user_id: str, provider: str, when: object, **change: object) -> bool:
        try:
            self.table.update({"user_id": user_id, "provider": provider}, when=when, **change)  # type: ignore[arg-type]
        except ConditionFailed:
            return False
        return True
