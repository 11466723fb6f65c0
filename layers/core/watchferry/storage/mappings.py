"""Mappings: what Trakt calls a title — shared by all users, with a short memory for what it does not have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watchferry.storage._dynamo import Clock, Table, not_expired
from watchferry.storage._packed import pack, unpack

FOUND = 30 * 86400
MISSING = 86400

WITNESSES = "kinopub-witnesses"
"""The key of titles for which Kinopub has answered, whoever asked: they tell whether it answers at all."""
MOST_WITNESSES = 3
WITNESSES_CHOSEN_AGAIN_AFTER = 86400


@dataclass(frozen=True, slots=True)
class Remembered:
    value: Any
    """Trakt's id, ids or seasons; a word (`not_found`, `ambiguous`) when it has none."""
    at: int


@dataclass(slots=True)
class Mappings:
    table: Table
    clock: Clock

    def get(self, keys: Iterable[str]) -> dict[str, Remembered]:
        """What is remembered of these; keys without a memory are left out."""
        now = self.clock()
        return {
            item["mapping"]: Remembered(unpack(item["value"]), item["at"])
            for item in self.table.get_many({"mapping": key} for key in sorted(set(keys)))
            if not_expired(item, now)
        }

    def put(self, key: str, value: Any, *, kept: int) -> Remembered:
        now = int(self.clock())
        self.table.put({"mapping": key, "value": pack(value), "at": now, "ttl": now + kept})
        return Remembered(value, now)
