"""Webhooks: one row per user who wants to be told — the address, sealed, since it holds what lets one post there.

Who saves it cannot read it: sync_api seals and writes, notifier reads and opens (architecture.md, rule 7).
"""

from dataclasses import dataclass
from typing import Literal

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Table

TEST_EVERY = 10
"""Seconds between two tests of one user's webhook: it must not become a way to make us knock at somebody's door."""


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    user_id: str
    sealed: bytes
    """Ciphertext of the address."""
    sealed_key: bytes
    """The data key, encrypted by KMS."""


@dataclass(slots=True)
class Webhooks:
    table: Table
    clock: Clock

    def get(self, user_id: str) -> StoredWebhook | None:
        item = self.table.get({"user_id": user_id})
        return StoredWebhook(user_id, item["sealed"], item["sealed_key"]) if item else None

    def put(self, user_id: str, *, sealed: bytes, sealed_key: bytes) -> None:
        """In place of what was there; when that was tested stays known."""
        self.table.update({"user_id": user_id}, set_={"sealed": sealed, "sealed_key": sealed_key})

    def begin_test(self, user_id: str) -> Literal["begun", "too_soon", "none"]:
        """`none`: there is no webhook."""
        now = int(self.clock())
        rested = Attr("tested_at").not_exists() | Attr("tested_at").lte(now - TEST_EVERY)
        try:
            self.table.update({"user_id": user_id}, set_={"tested_at": now}, when=Attr("sealed").exists() & rested)
        except ConditionFailed as failed:
            return "too_soon" if failed.item else "none"
        return "begun"

    def delete(self, user_id: str) -> None:
        self.table.delete({"user_id": user_id})
