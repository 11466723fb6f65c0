"""Rechecks: titles that a run looks at again though Kinopub's history has no news of them.

A view can be finished without a new row, Trakt can come to have what it lacked, a person can mend what did not match.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from watchferry.models import Title
from watchferry.storage._dynamo import Clock, Key, Table
from watchferry.storage._packed import pack, unpack

DAY = 86400


@dataclass(slots=True)
class Rechecks:
    table: Table
    clock: Clock

    def due(self, user_id: str) -> list[Title]:
        """Titles whose time has come. One query: nobody is in the middle of very many titles."""
        now = self.clock()
        return [
            Title.restored(unpack(item["title"]))
            for item in self.table.query(Key("user_id").eq(user_id))
            if item["due_at"] <= now
        ]

    def all(self, user_id: str) -> Iterator[tuple[int, Title]]:
        """Every title that waits, with the time (unix seconds) from which it is due."""
        for item in self.table.query(Key("user_id").eq(user_id)):
            yield item["due_at"], Title.restored(unpack(item["title"]))

    def ask(self, user_id: str, titles: Iterable[Title], *, days: int) -> None:
        """In so many days; 0: in the next run."""
        due_at = int(self.clock()) + days * DAY
        self.table.put_many(
            {"user_id": user_id, "item": str(title.item), "due_at": due_at, "title": pack(title.stored())}
            for title in titles
        )

    def forget(self, user_id: str, items: Sequence[int]) -> None:
        self.table.delete_many({"user_id": user_id, "item": str(item)} for item in items)
