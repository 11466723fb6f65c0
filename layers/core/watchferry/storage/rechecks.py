"""Rechecks: titles that a run looks at again though Kinopub's history has no news of them.

A view can be finished without a new row, Trakt can come to have what it lacked, a person can mend what did not match.
What a person asks for has a row of its own: a run that read before knows nothing of it, and must not put it off.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from watchferry.models import Title
from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Key, Table
from watchferry.storage._packed import pack, unpack

DAY = 86400
BY_HAND = "-by-hand"
"""What the key of a person's row ends with."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a run has to look at again."""

    titles: Sequence[Title]
    """One that a person has asked for may be there twice."""
    wishes: Mapping[int, str]
    """Title → the mark of what its user has asked, for `fulfilled`."""
    unread: frozenset[int] = frozenset()
    """Titles that could not be read when a run looked at them, due or not."""


@dataclass(slots=True)
class Rechecks:
    table: Table
    clock: Clock

    def due(self, user_id: str) -> Due:
        """Titles whose time has come. One query: nobody is in the middle of very many titles."""
        now = self.clock()
        found = list(self.table.query(Key("user_id").eq(user_id)))
        rows = [item for item in found if "mark" in item or item["due_at"] <= now]
        titles = [Title.restored(unpack(row["title"])) for row in rows]
        wishes = {title.item: row["mark"] for row, title in zip(rows, titles, strict=True) if "mark" in row}
        return Due(titles, wishes, frozenset(int(item["item"]) for item in found if item.get("unread")))

    def all(self, user_id: str) -> Iterator[tuple[int, Title]]:
        """Every title that waits, with the time (unix seconds) from which it is due."""
        for item in self.table.query(Key("user_id").eq(user_id)):
            yield item["due_at"], Title.restored(unpack(item["title"]))

    def ask(self, user_id: str, titles: Iterable[Title], *, days: int, unread: Collection[int] = frozenset()) -> None:
        """In so many days. `unread`: those of them that could not be read; they are due again with the next run, until
        they have been unread for a day: an hour's trouble of an upstream must not cost a day.
        """
        now = int(self.clock())
        known = self._unread_since(user_id) if unread else {}
        since = {item: known.get(item, now) for item in unread}
        self.table.put_many(
            {
                "user_id": user_id,
                "item": str(title.item),
                "due_at": now if since.get(title.item, 0) > now - DAY else now + days * DAY,
                "title": pack(title.stored()),
                "unread": since.get(title.item),
            }
            for title in titles
        )

    def _unread_since(self, user_id: str) -> Mapping[int, int]:
        """Title → when it could first not be read."""
        rows = self.table.query(Key("user_id").eq(user_id))
        # Earlier versions noted no time: that was long ago.
        return {int(row["item"]): int(row["unread"]) for row in rows if row.get("unread")}

    def forget(self, user_id: str, items: Sequence[int]) -> None:
        """What was asked for by runs."""
        self.table.delete_many({"user_id": user_id, "item": str(item)} for item in items)

    # What a person asks for

    def wish(self, user_id: str, title: Title) -> None:
        """In the next run that begins to look."""
        row = {"due_at": int(self.clock()), "title": pack(title.stored()), "mark": secrets.token_hex(8)}
        self.table.put({"user_id": user_id, "item": f"{title.item}{BY_HAND}", **row})

    def fulfilled(self, user_id: str, wishes: Mapping[int, str]) -> None:
        """A run has come to its plan with these. One that was made anew since stays."""
        for item, mark in wishes.items():
            with suppress(ConditionFailed):
                self.table.delete({"user_id": user_id, "item": f"{item}{BY_HAND}"}, Attr("mark").eq(mark))

    def delete(self, user_id: str) -> None:
        """All of a user's."""
        rows = self.table.query(Key("user_id").eq(user_id))
        self.table.delete_many({"user_id": user_id, "item": row["item"]} for row in rows)
