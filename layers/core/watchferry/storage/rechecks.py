"""Rechecks: titles with an unfinished unit, asked again once a day — a view can be finished without a new row."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from watchferry.models import Title
from watchferry.storage._dynamo import Clock, Key, Table
from watchferry.storage._packed import pack, unpack

EVERY = 86400


@dataclass(slots=True)
class Rechecks:
    table: Table
    clock: Clock

    def due(self, user_id: str) -> list[Title]:
        """Titles whose day is over. One query: nobody is in the middle of very many titles."""
        now = self.clock()
        return [
            restored(unpack(item["title"]))
            for item in self.table.query(Key("user_id").eq(user_id))
            if item["due_at"] <= now
        ]

    def ask_tomorrow(self, user_id: str, titles: Iterable[Title]) -> None:
        due_at = int(self.clock()) + EVERY
        self.table.put_many(
            {"user_id": user_id, "item": str(title.item), "due_at": due_at, "title": pack(stored(title))}
            for title in titles
        )

    def forget(self, user_id: str, items: Sequence[int]) -> None:
        self.table.delete_many({"user_id": user_id, "item": str(item)} for item in items)


def stored(title: Title) -> dict[str, object]:
    return {**asdict(title), "rows": {str(media): seen for media, seen in title.rows.items()}}


def restored(data: dict[str, object]) -> Title:
    rows = {int(media): int(seen) for media, seen in data["rows"].items()}  # type: ignore[attr-defined]
    return Title(**{**data, "rows": rows})  # type: ignore[arg-type]
