"""Prowlarr: one row per user who has one — where it is, and its key, sealed. Functions without tokens read it."""

from dataclasses import dataclass

from watchferry.storage._dynamo import Table

PURPOSE = "prowlarr key"
"""What the key is sealed for; whoever opens it has to say the same."""


@dataclass(frozen=True, slots=True)
class StoredProwlarr:
    user_id: str
    base_url: str
    """Without a slash at its end; with Prowlarr's urlBase, if it has one."""
    sealed: bytes
    """Ciphertext of the API key."""
    sealed_key: bytes
    """The data key, encrypted by KMS."""


@dataclass(slots=True)
class Prowlarrs:
    table: Table

    def get(self, user_id: str) -> StoredProwlarr | None:
        item = self.table.get({"user_id": user_id})
        return StoredProwlarr(user_id, item["base_url"], item["sealed"], item["sealed_key"]) if item else None

    def put(self, user_id: str, *, base_url: str, sealed: bytes, sealed_key: bytes) -> None:
        """In place of what was there."""
        self.table.put({"user_id": user_id, "base_url": base_url, "sealed": sealed, "sealed_key": sealed_key})

    def delete(self, user_id: str) -> None:
        self.table.delete({"user_id": user_id})
