"""Kinopub's API in its own words (KinoAPI document §2-4, corrected by reality.md, Kinopub). Reading endpoints only.

`/v1/watching/toggle` and `/v1/watching/marktime` are GETs that change state: there is no way to call them here.

Numbers may come as strings; whatever is missing is None. A field that decides nothing counts as missing when it is
nonsense. What decides (ids, statuses, seasons' numbers) makes the row or the unit unreadable that has it: None in its
list, for the caller to remember. Only an answer without its list, or its title, is unreadable as a whole.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from pydantic import (
    BaseModel,
    BeforeValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from watchferry.clients._tolerant import IfReadable, record
from watchferry.clients._transport import Params, Transport, parsed
from watchferry.clients.trakt import Credential
from watchferry.errors import ConnectAgain, RetryLater, TokenRefused

LARGEST_PAGE = 50
EARLIEST, LATEST = 946_684_800, 2**33
"""Unix seconds of the years 2000 and 2242: what lies outside (-1, 0, 1, milliseconds) is not a time."""
ROWS_OF_ITS_OWN = 10
"""So many rows of a page, and not one that can be read: it is not the rows', the whole answer is something else."""


def _number(value: object) -> int | None:
    if isinstance(value, str):
        try:
            value = int(value) if value.strip().isdecimal() else float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)


def _natural(value: object) -> int | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


def _moment(value: object) -> int | None:
    number = _number(value)
    return number if number is not None and EARLIEST <= number < LATEST else None


def _text(value: object) -> str:
    """A title may be a number: 1917."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _imdb(value: object) -> int | str | None:
    return value if isinstance(value, str) else _number(value)


def _rows(value: object) -> object:
    """PHP writes a list whose numbers have gaps, or an empty one, as an object."""
    return list(value.values()) if isinstance(value, dict) else value


type Number = Annotated[int | None, BeforeValidator(_number)]
type Natural = Annotated[int | None, BeforeValidator(_natural)]
type Moment = Annotated[int | None, BeforeValidator(_moment)]
type Text = Annotated[str, BeforeValidator(_text)]
type Rows[T] = Annotated[list[IfReadable[T]], BeforeValidator(_rows)]


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
    type: Text = "movie"
    title: Text = ""
    year: Natural = None
    imdb: Annotated[int | str | None, BeforeValidator(_imdb)] = None

    @property
    def tells_imdb(self) -> bool:
        """Whether the answer had the field at all; null is an answer."""
        return "imdb" in self.model_fields_set


class Media(_Tolerant):
    id: int
    number: Natural = None
    snumber: Natural = None
    title: Text = ""
    duration: Natural = None


class HistoryRow(_Tolerant):
    last_seen: Annotated[int, BeforeValidator(lambda value: _moment(value) or 0)] = 0
    first_seen: Moment = None
    item: IfReadable[Item] = None
    """None: nobody knows which title."""
    media: IfReadable[Media] = None


class Pagination(_Tolerant):
    total: Natural = None
    """The number of pages."""
    perpage: Natural = None
    total_items: Natural = None


class History(BaseModel):
    history: Annotated[list[Annotated[HistoryRow, BeforeValidator(record)]], BeforeValidator(_rows)]
    pagination: Annotated[Pagination, BeforeValidator(record)] = Pagination()


class Watched(_Tolerant):
    """A video or an episode of `/v1/watching`: status -1 not watched, 0 begun, 1 finished."""

    id: int
    number: Natural = None
    title: Text = ""
    duration: Natural = None
    status: int = -1
    updated: Moment = None


class WatchedSeason(_Tolerant):
    number: Annotated[int, BeforeValidator(_natural)]
    episodes: Rows[Watched] = []


class Watching(_Tolerant):
    id: Number = None
    type: Text = "movie"
    title: Text = ""
    videos: Rows[Watched] | None = None
    seasons: Rows[WatchedSeason] | None = None


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
        answer = self._read(TypeAdapter(History), "/v1/history", {"page": page, "perpage": LARGEST_PAGE})
        if len(answer.history) >= ROWS_OF_ITS_OWN and all(row.item is None for row in answer.history):
            raise _unreadable("/v1/history")
        return answer

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
            raise _unreadable(path) from error

    def _get(self, path: str, params: Params, token: str) -> httpx.Response:
        query: dict[str, Any] = {**params, "access_token": token}
        return self.transport.read(path, query)


def _unreadable(path: str) -> RetryLater:
    said = f"Kinopub answered something else than documented for {path}"
    return RetryLater("upstream_unreachable", said, service="kinopub")
