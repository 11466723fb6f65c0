"""Trakt's API in its own words (sync document §6, corrected by reality.md, Trakt). No business rule here."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from watchferry.clients._tolerant import IfReadable, record
from watchferry.clients._transport import Params, Transport, meaning, parsed
from watchferry.errors import ConnectAgain, OutcomeUnknown, RetryLater, StopRun, TokenRefused
from watchferry.models import Ids, iso, unix

LARGEST_PAGE = 250
"""Trakt clamps `limit` to this silently; the answer's headers are believed (reality.md, Pagination)."""
NUMBERS = frozenset({"trakt", "tvdb", "tmdb"})
"""Of the ids, those that are numbers."""
MOST_HITS = 1000
"""That are read of one search, best first."""

type HistoryType = Literal["movies", "episodes"]
type SearchType = Literal["movie", "show"]


class Credential(Protocol):
    """One user's access to one upstream; auth/broker.py keeps the tokens."""

    def token(self) -> str:
        """A token that is good for a minute at least. Raises ConnectAgain, NotConnected or RetryLater."""

    def renewed(self, refused: str) -> str:
        """The token after `refused` got a 401: refreshed once, by whoever comes first. Raises as `token`."""


def _number(value: object) -> int | None:
    """Of what decides nothing: numbers may come as strings, and nonsense counts as missing."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _time(value: str | None) -> str | None:
    if value is not None:
        unix(value)
    return value


def _list(value: object) -> object:
    return value if value is None or isinstance(value, list) else []


type Number = Annotated[int | None, BeforeValidator(_number)]
type Text = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]


class _Identified(BaseModel):
    ids: dict[str, Any] = {}

    @property
    def known_ids(self) -> Ids:
        """Without nulls and without nested records (`plex`), and without nonsense: they are sent to Trakt again."""
        read = {name: _number(value) if name in NUMBERS else value for name, value in self.ids.items()}
        return {name: value for name, value in read.items() if isinstance(value, (int, str)) and value != ""}


class _Tolerant(_Identified):
    ids: Annotated[dict[str, Any], BeforeValidator(record)] = {}

    @property
    def trakt(self) -> int | None:
        return _number(self.known_ids.get("trakt"))


class Episode(_Tolerant):
    number: int
    season: Number = None
    title: Text = None


class Season(_Tolerant):
    number: int
    episodes: Annotated[list[IfReadable[Episode]] | None, BeforeValidator(_list)] = None
    """None where they were left out; None in place of one that cannot be read."""
    episode_count: Number = None
    aired_episodes: Number = None

    @property
    def counted(self) -> int:
        """How many episodes it says that it has; 0 where it does not say."""
        return max(self.episode_count or 0, self.aired_episodes or 0)

    @property
    def readable(self) -> list[Episode]:
        return [episode for episode in self.episodes or [] if episode is not None]

    @property
    def is_whole(self) -> bool:
        """Whether it shows as many episodes as it counts."""
        return self.episodes is not None and len(self.readable) >= self.counted


class Work(_Tolerant):
    """A film or a show."""

    title: Text = None
    year: Number = None


class SearchHit(BaseModel):
    type: str
    score: Annotated[
        float | None, BeforeValidator(lambda value: value if isinstance(value, (int, float)) else None)
    ] = None
    movie: Work | None = None
    show: Work | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search has found."""

    hits: Sequence[SearchHit]
    complete: bool
    """Whether that is all: no more pages, and nothing that cannot be read."""


class Play(BaseModel):
    """A row of `/sync/history`. What it is a play of, and when, decides what is sent: nothing of it is guessed."""

    id: int
    watched_at: Annotated[str | None, AfterValidator(_time)] = None
    movie: _Identified | None = None
    episode: _Identified | None = None

    @property
    def ids(self) -> Ids:
        work = self.movie or self.episode
        return work.known_ids if work else {}


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of `/sync/history`, newest first."""

    plays: Sequence[Play]
    limit: int
    """How many rows a full page has."""
    pages: int | None
    """What Trakt says; None where it says nothing, or 0."""
    items: int | None
    """Rows in all, as Trakt counts them: those of hidden titles too, which it does not show."""


class AddedHistory(BaseModel):
    """The answer to `POST /sync/history`, which comes in several forms.

    It says how many plays were stored, and what of the request Trakt does not know. It may come in a list of one; an
    entry of `not_found` may say which work it means by its ids or by its time alone, and may be wrapped once more.
    """

    stored: dict[str, int] = {}
    """`movies` and `episodes` → how many were added or updated."""
    not_found: dict[str, list[Ids]] = {}
    """`movies`, `episodes` and what else Trakt names → the ids of each; empty where it names none."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, answer: Any) -> Any:
        answer = _unwrapped(answer)
        if not isinstance(answer, dict) or not isinstance(answer.get("added"), dict):
            raise ValueError("nothing says what was added")  # noqa: TRY004 - pydantic's way
        stored: dict[str, int] = {}
        for counts in (answer["added"], record(answer.get("updated"))):
            for group, count in record(counts).items():
                stored[group] = stored.get(group, 0) + (_number(count) or 0)
        missing = record(_unwrapped(answer.get("not_found")))
        named = {group: [_ids_of(work) for work in _flat(works)] for group, works in missing.items()}
        return {"stored": stored, "not_found": {group: works for group, works in named.items() if works}}

    @property
    def named(self) -> int:
        """How many works Trakt says that it does not know."""
        return sum(len(works) for works in self.not_found.values())


class RemovedHistory(BaseModel):
    """The answer to `POST /sync/history/remove`."""

    deleted: int
    """Plays that were removed."""
    gone: frozenset[int]
    """History ids of plays that were not there."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, answer: Any) -> Any:
        answer = _unwrapped(answer)
        if not isinstance(answer, dict) or not isinstance(answer.get("deleted"), dict):
            raise ValueError("nothing says what was deleted")  # noqa: TRY004 - pydantic's way
        counts = [_number(answer["deleted"].get(group)) or 0 for group in ("movies", "episodes")]
        missing = record(_unwrapped(answer.get("not_found"))).get("ids")
        return {"deleted": sum(counts), "gone": [_number(play) or 0 for play in _flat(missing)]}


_hits = TypeAdapter(list[IfReadable[SearchHit]])
_plays = TypeAdapter(list[Play])
_seasons = TypeAdapter(list[IfReadable[Season]])
_episodes = TypeAdapter(list[IfReadable[Episode]])


@dataclass(slots=True)
class Trakt:
    """Without a credential only what is the same for everybody can be asked: search, films, shows, seasons."""

    transport: Transport
    credential: Credential | None

    def settings(self) -> dict[str, Any]:
        """`GET /users/settings`: who this is, VIP or not, and the account's limits."""
        answer = parsed("Trakt", self._get("/users/settings", {}))
        if not isinstance(answer, dict):
            raise RetryLater("upstream_unreachable", "Trakt answered nonsense for /users/settings")
        return answer

    def search_id(self, service: Literal["imdb", "trakt"], known: str | int, kind: SearchType) -> Hits:
        return self._search(f"/search/{service}/{known}", kind, {"type": kind}, LARGEST_PAGE)

    def search_text(self, query: str, kind: SearchType, most: int = MOST_HITS) -> Hits:
        r"""By title; `+ - && || ! ( ) { } [ ] ^ " ~ * ? : /` mean something to Trakt's search unless escaped with \."""
        escaped = re.sub(r'([-+&|!(){}\[\]^"~*?:/\\])', r"\\\1", query)
        return self._search(f"/search/{kind}", kind, {"query": escaped}, most)

    def _search(self, path: str, kind: SearchType, asked: Params, most: int) -> Hits:
        """Hits of one kind. Trakt may answer for an episode's id whatever was asked for; such a hit names its show."""
        found: list[SearchHit | None] = []
        limit, page = min(most, LARGEST_PAGE), 1
        while True:
            response = self._get(path, {**asked, "page": page, "limit": limit})
            hits = _validated(_hits, response, path)
            found += hits
            pages = _header(response, "x-pagination-page-count")
            more = page < pages if pages is not None else len(hits) >= limit
            if not hits:
                more = False  # whatever the counts say, which may be too high
            if not more or len(found) >= most:
                break
            page += 1
        readable = [hit for hit in found if hit is not None]
        complete = not more and len(readable) == len(found)
        return Hits([hit for hit in readable if hit.type == kind], complete)

    def seasons(self, show: int) -> list[Season]:
        """Every season with its count of episodes and the episodes, in one call.

        `episodes` is None where Trakt left them out. It may be empty beside a count, for as long as an hour.
        """
        answer = self._read(_seasons, f"/shows/{show}/seasons", {"extended": "full,episodes"})
        return [season for season in answer if season is not None]

    def season(self, show: int, number: int) -> list[Episode]:
        """One season's episodes; the flat form and the documented `[{number, episodes}]` are both understood."""
        response = self._get(f"/shows/{show}/seasons/{number}", {"extended": "episodes"})
        answer = parsed("Trakt", response)
        try:
            if isinstance(answer, list) and any(isinstance(row, dict) and "episodes" in row for row in answer):
                return [
                    episode
                    for season in _seasons.validate_python(answer)
                    if season is not None and season.number == number
                    for episode in season.episodes or []
                    if episode is not None
                ]
            return [episode for episode in _episodes.validate_python(answer) if episode is not None]
        except ValidationError as error:
            raise _nonsense("/shows/{id}/seasons/{n}") from error

    def history(
        self, kind: HistoryType, start_at: float, end_at: float, page: int, title: int | None = None
    ) -> HistoryPage:
        """One page of the plays between the two times (unix seconds); `title`: of one film or episode (Trakt's id)."""
        path = f"/sync/history/{kind}" + (f"/{title}" if title is not None else "")
        asked: Params = {"start_at": iso(start_at), "end_at": iso(end_at), "page": page, "limit": LARGEST_PAGE}
        response = self._get(path, asked)
        plays = _validated(_plays, response, f"/sync/history/{kind}")
        return HistoryPage(
            plays,
            limit=_header(response, "x-pagination-limit") or LARGEST_PAGE,
            pages=_header(response, "x-pagination-page-count") or None,
            items=_header(response, "x-pagination-item-count"),
        )

    def add_history(self, movies: Sequence[Mapping[str, Any]], episodes: Sequence[Mapping[str, Any]]) -> AddedHistory:
        """`POST /sync/history`, once. Not idempotent: raises OutcomeUnknown whenever the effect is not certain."""
        return self._write(AddedHistory, "/sync/history", {"movies": movies, "episodes": episodes})

    def remove_history(self, plays: Sequence[int]) -> RemovedHistory:
        """`POST /sync/history/remove` by history ids. What is not there (any more) is no error; may be repeated."""
        return self._write(RemovedHistory, "/sync/history/remove", {"ids": list(plays)})

    def _write[M: BaseModel](self, shape: type[M], path: str, body: Mapping[str, Any]) -> M:
        response = self._authorized(lambda headers: self.transport.write("POST", path, json=body, headers=headers))
        try:
            return shape.model_validate(parsed("Trakt", response))
        except (ValidationError, RetryLater) as error:
            raise OutcomeUnknown(f"Trakt answered {path} in a form that cannot be read", answered=True) from error

    def _read[T](self, shape: TypeAdapter[T], path: str, params: Params) -> T:
        return _validated(shape, self._get(path, params), path)

    def _get(self, path: str, params: Params) -> httpx.Response:
        return self._authorized(lambda headers: self.transport.read(path, params, headers))

    def _authorized(self, call: Any) -> httpx.Response:
        """A 401 is answered by one refresh and one more try (sync document 5.1); it means that nothing was done."""
        if self.credential is None:
            anybody: httpx.Response = call({})
            return anybody
        token = self.credential.token()
        try:
            response: httpx.Response = call({"Authorization": f"Bearer {token}"})
        except TokenRefused:
            token = self.credential.renewed(token)
            try:
                response = call({"Authorization": f"Bearer {token}"})
            except TokenRefused as again:
                raise ConnectAgain("trakt") from again
        return response


ASKED_BY_ALL = "/sync/last_activities"


def ask_with_key(transport: Transport, path: str) -> None:
    """Asks for it as nobody: what Trakt then refuses, it refuses to the application.

    Any other answer goes to an application that Trakt lets in: that there is no such path, or that a token is missing.
    Raises AppRefused if it is refused; RetryLater, OutcomeUnknown or StopRun when nothing is known.

    A title's own path may be refused for the title's sake, which must not stop the sync of all: what everybody's sync
    asks is asked in its place.
    """
    asked = path if path.startswith("/sync/") else ASKED_BY_ALL
    trouble = meaning("Trakt", transport.exchange("GET", asked))
    if isinstance(trouble, (RetryLater, StopRun)):
        raise trouble


def trakt_headers(client_id: str, user_agent: str) -> dict[str, str]:
    """Sent with every call (sync document §6; reality.md on the User-Agent)."""
    return {
        "Content-Type": "application/json",
        "trakt-api-key": client_id,
        "trakt-api-version": "2",
        "User-Agent": user_agent,
    }


def _unwrapped(answer: Any) -> Any:
    """An answer that came in a list of one."""
    return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer


def _flat(works: Any) -> list[Any]:
    """A list whose entries may be wrapped once more."""
    outer = works if isinstance(works, list) else []
    return [each for part in outer for each in (part if isinstance(part, list) else [part])]


def _ids_of(work: Any) -> Ids:
    """What Trakt calls a work that it did not find, `{ids}` or `{movie: {ids}}`; none where it gives a time alone."""
    found = record(work)
    inner = [found.get(name) for name in ("episode", "movie")]
    named = next((record(each) for each in (found, *inner) if isinstance(record(each).get("ids"), dict)), {})
    return _Identified(ids=named.get("ids", {})).known_ids


def _validated[T](shape: TypeAdapter[T], response: httpx.Response, path: str) -> T:
    try:
        return shape.validate_python(parsed("Trakt", response))
    except ValidationError as error:
        raise _nonsense(path) from error


def _nonsense(path: str) -> RetryLater:
    said = f"Trakt answered something else than documented for {path}"
    return RetryLater("upstream_unreachable", said, service="trakt")


def _header(response: httpx.Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isdigit() else None
