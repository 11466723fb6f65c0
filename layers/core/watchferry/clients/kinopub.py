"""Kinopub's API in its own words (KinoAPI document §2-4, corrected by reality.md, Kinopub). Reading endpoints only.

`/v1/watching/toggle` and `/v1/watching/marktime` are GETs that change state: there is no way to call them here.
Numbers may come as strings; whatever is missing is None.
"""

from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator

from watchferry.clients._transport import Params, Transport, parsed
from watchferry.clients.trakt import Credential
from watchferry.errors import ConnectAgain, RetryLater, TokenRefused

LARGEST_PAGE = 50


class _Tolerant(BaseModel):
    """Blank fields count as missing ones; only of `imdb` a null says something."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name == "imdb" or value not in (None, "")}


class Item(_Tolerant):
    """A title as history rows, `/v1/items/{id}` and `/v1/watching` show it."""

    id: int
    type: str = "movie"
    title: str = ""
    year: int | None = None
    imdb: int | str | None = None

    @property
    def tells_imdb(self) -> bool:
        """Whether the answer had the field at all; null is an answer."""
        return "imdb" in self.model_fields_set


class Media(_Tolerant):
    id: int
    number: int | None = None
    snumber: int | None = None
    title: str | None = None
    duration: float | None = None


class HistoryRow(_Tolerant):
    last_seen: int = 0
    first_seen: int | None = None
    item: Item
    media: Media


class Pagination(_Tolerant):
    total: int | None = None
    """The number of pages."""
    total_items: int | None = None


class History(BaseModel):
    history: list[HistoryRow]
    pagination: Pagination = Pagination()


class Watched(_Tolerant):
    """A video or an episode of `/v1/watching`: status -1 not watched, 0 begun, 1 finished."""

    id: int
    number: int | None = None
    title: str | None = None
    duration: float | None = None
    status: int = -1
    updated: int | None = None


class WatchedSeason(_Tolerant):
    number: int
    episodes: list[Watched] = []


class Watching(_Tolerant):
    id: int
    type: str = "movie"
    title: str = ""
    videos: list[Watched] | None = None
    seasons: list[WatchedSeason] | None = None


class _WatchingAnswer(BaseModel):
    item: Watching


class _ItemAnswer(BaseModel):
    item: Item


@dataclass(slots=True)
class Kinopub:
    transport: Transport
    credential: Credential

    def history(self, page: int) -> History:
        """Newest first by `last_seen`, at most 50 rows; one row per media."""
        return self._read(TypeAdapter(History), "/v1/history", {"page": page, "perpage": LARGEST_PAGE})

    def watching(self, item: int) -> Watching:
        """The truth about what is finished. Answers for titles that left the catalogue too."""
        return self._read(TypeAdapter(_WatchingAnswer), "/v1/watching", {"id": item}).item

    def item(self, item: int) -> Item:
        """Raises NotThere for a title that left the catalogue."""
        return self._read(TypeAdapter(_ItemAnswer), f"/v1/items/{item}", {"nolinks": 1}).item

    def _read[T](self, shape: TypeAdapter[T], path: str, params: Params) -> T:
        token = self.credential.token()
        try:
            response = self._get(path, params, token)
        except TokenRefused:
            token = self.credential.renewed(token)
            try:
                response = self._get(path, params, token)
            except TokenRefused as again:
                raise ConnectAgain("kinopub") from again
        try:
            return shape.validate_python(parsed("Kinopub", response))
        except ValidationError as error:
            raise RetryLater(
                "upstream_unreachable", f"Kinopub answered something else than documented for {path}"
            ) from error

    def _get(self, path: str, params: Params, token: str) -> httpx.Response:
        query: dict[str, Any] = {**params, "access_token": token}
        return self.transport.read(path, query)
