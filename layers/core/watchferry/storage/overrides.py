"""Overrides: what a user has said of a title that Trakt knows otherwise — one row per user and key.

A key names a title (`{item}`), one of its seasons (`{item}-{season}`) or one episode (`{item}-{season}-{number}`); the
narrowest that fits an episode counts for it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from watchferry.models import Ids, Title, View
from watchferry.storage._dynamo import Item, Key, Table
from watchferry.storage._packed import pack, unpack


@dataclass(frozen=True, slots=True)
class Override:
    key: str
    title: Title
    """As Kinopub has it, so that it can be asked again."""
    ignore: bool = False
    trakt_id: int = 0
    trakt_title: str | None = None
    trakt_year: int | None = None
    ids: Ids = field(default_factory=dict)
    """Of the film at Trakt."""
    season_offset: int = 0
    episode_offset: int = 0
    at: int = 0
    """Unix seconds: when it was said."""

    def shifted(self, season: int, number: int) -> tuple[int, int]:
        """Trakt's season and number for Kinopub's."""
        return season + self.season_offset, number + self.episode_offset

    def stored(self) -> dict[str, object]:
        return {**asdict(self), "title": self.title.stored()}

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            key=item["key"],
            title=Title.restored(unpack(item["title"])),
            ignore=item["ignore"],
            trakt_id=item.get("trakt_id", 0),
            trakt_title=item.get("trakt_title"),
            trakt_year=item.get("trakt_year"),
            ids=item.get("ids", {}),
            season_offset=item.get("season_offset", 0),
            episode_offset=item.get("episode_offset", 0),
            at=item.get("at", 0),
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """All overrides of one user."""

    by_item: Mapping[int, Mapping[str, Override]] = field(default_factory=dict)

    def of(self, view: View) -> Override | None:
        """What counts for this view."""
        rules = self.by_item.get(view.item)
        if not rules:
            return None
        keys = [f"{view.item}-{view.season}-{view.number}", f"{view.item}-{view.season}", f"{view.item}"]
        return next((rules[key] for key in keys if key in rules), None)


@dataclass(slots=True)
class Overrides:
    table: Table

    def rules(self, user_id: str) -> Rules:
        by_item: dict[int, dict[str, Override]] = defaultdict(dict)
        for override in self.all(user_id):
            by_item[override.title.item][override.key] = override
        return Rules(by_item)

    def all(self, user_id: str, *, limit: int | None = None, after: str | None = None) -> Iterator[Override]:
        """In the order of their keys; from behind `after` on."""
        behind = {"user_id": user_id, "key": after} if after else None
        return map(Override.of, self.table.query(Key("user_id").eq(user_id), limit=limit, after=behind))

    def get(self, user_id: str, key: str) -> Override | None:
        item = self.table.get({"user_id": user_id, "key": key})
        return Override.of(item) if item else None

    def put(self, user_id: str, override: Override) -> None:
        self.table.put(
            {
                "user_id": user_id,
                "key": override.key,
                "title": pack(override.title.stored()),
                "ignore": override.ignore,
                "trakt_id": override.trakt_id,
                "trakt_title": override.trakt_title,
                "trakt_year": override.trakt_year,
                "ids": dict(override.ids),
                "season_offset": override.season_offset,
                "episode_offset": override.episode_offset,
                "at": override.at,
            }
        )

    def delete(self, user_id: str, key: str) -> None:
        self.table.delete({"user_id": user_id, "key": key})
