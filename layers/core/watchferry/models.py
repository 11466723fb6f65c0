"""The nouns of the field. Times are unix seconds (UTC) inside, ISO 8601 with `Z` outside."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

type Kind = Literal["movie", "episode"]
type Outcome = Literal["planned", "sent", "skipped", "removed"]
type Reason = Literal[
    "duplicate",
    "not_completed",
    "not_found",
    "ambiguous",
    "episode_not_found",
    "rejected_by_trakt",
    "ignored",
    "already_removed",
    "timestamp_missing",
]
type Ids = Mapping[str, int | str]
"""Trakt's `ids` of one film, show or episode: trakt, slug, imdb, tmdb, tvdb; nulls left out."""

MOVED_AT_LEAST = 30 * 60
"""A view's time moves during the credits: by less than the unit's duration, at least this (http-api.md, Fine print)."""


def iso(at: float) -> str:
    """Seconds since 1970 as `2014-09-01T09:10:11Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(text: str) -> int:
    """The inverse of `iso`; takes fractions and offsets too. Raises ValueError."""
    return int(datetime.fromisoformat(text).timestamp())


def imdb_id(value: object) -> str | None:
    """Kinopub's `imdb` → `tt` and at least seven digits, or None.

    Integers without padding, numeric strings and `tt…` occur; 0, "0", "" and null mean none (reality.md, Kinopub).
    """
    digits = re.sub(r"^tt", "", str(value).strip()) if value is not None else ""
    return f"tt{int(digits):07d}" if digits.isascii() and digits.isdigit() and int(digits) else None


@dataclass(frozen=True, slots=True)
class Title:
    """A candidate: a Kinopub title with at least one history row, and the rows that say so."""

    item: int
    type: str
    title: str
    year: int | None
    imdb: str | None
    details_known: bool
    """False when the row's item had no `imdb` field at all: `/v1/items/{id}` must be asked."""
    rows: Mapping[int, int]
    """media id → `last_seen`."""

    def with_row(self, media: int, last_seen: int) -> "Title":
        return replace(self, rows={**self.rows, media: last_seen})

    def stored(self) -> dict[str, Any]:
        return {**asdict(self), "rows": {str(media): seen for media, seen in self.rows.items()}}

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "rows": {int(media): int(seen) for media, seen in data["rows"].items()}})

    def merged(self, newer: "Title | None") -> "Title":
        return replace(newer, rows={**self.rows, **newer.rows}) if newer else self

    @property
    def is_show(self) -> bool:
        return self.type.lower() in {"serial", "docuserial", "tvshow"}

    @property
    def names(self) -> list[str]:
        """`Русское / Original` → both names, in their order; one name only occurs too.

        A slash parts them with a space, or the title's end, on either side: "Face/Off" and "24/7" are one name.
        """
        return [name for part in re.split(r"(?<!\S)/(?!\S)", self.title) if (name := part.strip())]


@dataclass(frozen=True, slots=True)
class View:
    """One finished unit of a title: a film (all of its parts) or an episode."""

    type: Kind
    item: int
    media: int
    title: str
    watched_at: int
    duration: int
    show: str | None = None
    season: int | None = None
    number: int | None = None
    year: int | None = None
    imdb: str | None = None
    """Of the film, or of the episode's show."""
    timestamp_missing: bool = False

    @property
    def unit(self) -> str:
        """Names the unit in the ledger; the same for every view of it."""
        return f"{self.item}-{self.media}"

    def may_be(self, at: int) -> bool:
        """Whether a view of this unit at `at` is this view, whose time only moved (http-api.md, Fine print)."""
        return abs(self.watched_at - at) < max(self.duration, MOVED_AT_LEAST)

    def at(self, watched_at: int) -> "View":
        return replace(self, watched_at=watched_at)


@dataclass(frozen=True, slots=True)
class Event:
    """What became of one view, and why: a row of the run's report."""

    view: View
    outcome: Outcome
    reason: Reason | None = None
    ids: Ids = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "view": View(**data["view"])})
