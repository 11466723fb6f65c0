"""Unmatched: what could not be mapped to Trakt, for its user to mend — one row per user and key.

A title that Trakt does not have, or has several of, is one row (`{item}`); an episode that the show lacks at Trakt, or
that Trakt did not take, is one of its own (`{item}-{season}-{number}`). Keys are those of overrides.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from watchferry.models import Event, Kind, Reason, Title
from watchferry.storage._dynamo import Clock, Item, Key, Table
from watchferry.storage._packed import pack, unpack

UNMATCHED: frozenset[Reason] = frozenset({"not_found", "ambiguous", "episode_not_found"})
"""Trakt may come to have it."""
TO_MEND: frozenset[Reason] = UNMATCHED | {"rejected_by_trakt"}
"""For its user to say what it is."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    key: str
    title: Title
    type: Kind
    reason: Reason
    episodes: tuple[tuple[int, int], ...]
    """Season and number of each view, as Kinopub counts; empty for a film."""
    seen: int
    """How many views wait."""
    show: int | None
    """Trakt's id of the show that lacks the episode."""

    @property
    def episode(self) -> tuple[int, int] | None:
        """Which one, where the row is about one."""
        return self.episodes[0] if self.key.count("-") == 2 else None

    def stored(self) -> dict[str, object]:
        return {**asdict(self), "title": self.title.stored()}

    @classmethod
    def of(cls, item: Item) -> Self:
        told = unpack(item["told"])
        return cls(
            **{
                **told,
                "key": item["key"],
                "title": Title.restored(told["title"]),
                "episodes": tuple((season, number) for season, number in told["episodes"]),
            }
        )


def unmatched_of(title: Title, events: Iterable[Event], show: int | None = None) -> list[Unmatched]:
    """The rows for one title's skipped views."""
    rows: list[Unmatched] = []
    waiting = [event for event in events if event.reason in TO_MEND]
    for event in filter(_is_of_one_episode, waiting):
        view = event.view
        place = (view.season or 0, view.number or 0)
        key = f"{title.item}-{place[0]}-{place[1]}"
        rows.append(Unmatched(key, title, "episode", event.reason or "episode_not_found", (place,), 1, show))
    if whole := [event for event in waiting if not _is_of_one_episode(event)]:
        first = whole[0]
        episodes = tuple(
            (event.view.season or 0, event.view.number or 0) for event in whole if event.view.season is not None
        )
        reason: Reason = first.reason or "not_found"
        rows.append(Unmatched(str(title.item), title, first.view.type, reason, episodes, len(whole), None))
    return rows


def _is_of_one_episode(event: Event) -> bool:
    return event.reason == "episode_not_found" or (event.reason == "rejected_by_trakt" and event.view.type == "episode")


@dataclass(slots=True)
class UnmatchedTitles:
    table: Table
    clock: Clock

    def replace(self, user_id: str, items: Sequence[int], rows: Sequence[Unmatched]) -> None:
        """These titles have been mapped anew: `rows` is all that is left of them here."""
        mapped = set(items)
        gone = {
            item["key"]
            for item in self.table.query(Key("user_id").eq(user_id))
            if int(item["key"].partition("-")[0]) in mapped
        } - {row.key for row in rows}
        self.add(user_id, rows)
        self.table.delete_many({"user_id": user_id, "key": key} for key in sorted(gone))

    def add(self, user_id: str, rows: Iterable[Unmatched]) -> None:
        at = int(self.clock())
        by_key = {row.key: row for row in rows}
        self.table.put_many(
            {"user_id": user_id, "key": row.key, "told": pack(row.stored()), "at": at} for row in by_key.values()
        )

    def of_title(self, user_id: str, item: int) -> list[Unmatched]:
        user = Key("user_id").eq(user_id)
        found = [Unmatched.of(row) for row in self.table.query(user & Key("key").begins_with(f"{item}-"))]
        whole = self.table.get({"user_id": user_id, "key": str(item)})
        return [*([Unmatched.of(whole)] if whole else []), *found]

    def all(self, user_id: str) -> Iterator[Unmatched]:
        return (Unmatched.of(item) for item in self.table.query(Key("user_id").eq(user_id)))

    def page(self, user_id: str, *, limit: int, after: str | None) -> Iterator[Unmatched]:
        """In the order of their keys."""
        user = Key("user_id").eq(user_id)
        key = user & Key("key").gt(after) if after else user
        return (Unmatched.of(item) for item in self.table.query(key, limit=limit))

    def delete(self, user_id: str, keys: Iterable[str]) -> None:
        self.table.delete_many({"user_id": user_id, "key": key} for key in sorted(keys))
