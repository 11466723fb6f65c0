"""What the proxy opens: the one table. What is not in it is not reachable (http-api.md, Proxy).

Rows come from proxy-endpoints.md (TMDB, Trakt, Prowlarr), kinopub-to-trakt-sync §6-7 (Trakt), KinoAPI §2-4 (Kinopub,
reading endpoints only: its GETs that change state are not here) and reality.md (Prowlarr's real downloads). Cache
times: proxy-endpoints.md, Caching Strategy, and http-api.md, Fine print. HEAD is open wherever GET is. README's list is
made from this table (tests/endpoints.py).
"""

import functools
import re
from dataclasses import dataclass
from typing import Literal

type Prefix = Literal["tmdb", "trakt", "kinopub", "prowlarr"]
type Whose = Literal["app", "user"]

DAY, HOUR, FIVE_MINUTES, MINUTE, NEVER = 86400, 3600, 300, 60, 0
"""Cache classes, in seconds."""

LONGEST_PATH = 512

UPSTREAMS: dict[Prefix, str] = {"tmdb": "TMDB", "trakt": "Trakt", "kinopub": "Kinopub", "prowlarr": "Prowlarr"}
"""Prefix under /api → the name that people know."""

_ID = r"[A-Za-z0-9_-]{1,128}"
_NUMBER = r"[0-9]{1,10}"
PARAMETERS = {
    "tmdb_id": _NUMBER,
    "season_number": r"[0-9]{1,5}",
    "episode_number": r"[0-9]{1,5}",
    "external_id": _ID,
    "imdb_id": _ID,
    "types": r"(?:movie|show)(?:,(?:movie|show))?",
    "show_id": _ID,  # Trakt's number, its slug or an IMDb id
    "item_id": _NUMBER,
    "indexer_id": _NUMBER,
    "release_id": _ID,
}
"""What may stand in a path. Nothing that means anything to a path or a query: no dot, slash, percent or space."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` is the upstream's own; `credential`: whose credential goes upstream; `scope`: whom the answer is for."""

    prefix: Prefix
    method: Literal["GET", "POST"]
    path: str
    seconds: int
    credential: Whose = "app"
    scope: Literal["all", "user"] = "all"

    def __post_init__(self) -> None:
        # What every user may see is fetched with nobody's token.
        if (self.scope == "all") != (self.credential == "app"):
            raise ValueError(f"{self.path}: what depends on a user's token is that user's")

    def fits(self, path: str) -> bool:
        return bool(_pattern(self.path).fullmatch(path))


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    """Made when it is first asked for: all of them at once would be a part of every cold start."""
    return re.compile(re.sub(r"\{(\w+)\}", lambda found: f"(?:{PARAMETERS[found[1]]})", template), re.ASCII)


def _tmdb(path: str, seconds: int) -> Endpoint:
    return Endpoint("tmdb", "GET", f"/3{path}", seconds)


def _trakt(path: str, seconds: int) -> Endpoint:
    return Endpoint("trakt", "GET", path, seconds)


def _trakt_user(path: str, seconds: int = NEVER, method: Literal["GET", "POST"] = "GET") -> Endpoint:
    return Endpoint("trakt", method, path, seconds, "user", "user")


def _kinopub(path: str, seconds: int = NEVER) -> Endpoint:
    return Endpoint("kinopub", "GET", f"/v1{path}", seconds, "user", "user")


def _prowlarr(path: str) -> Endpoint:
    return Endpoint("prowlarr", "GET", path, NEVER, "user", "user")


TABLE: tuple[Endpoint, ...] = (
    _tmdb("/configuration", DAY),
    _tmdb("/configuration/countries", DAY),
    _tmdb("/configuration/jobs", DAY),
    _tmdb("/configuration/languages", DAY),
    _tmdb("/configuration/primary_translations", DAY),
    _tmdb("/configuration/timezones", DAY),
    _tmdb("/movie/{tmdb_id}", HOUR),
    _tmdb("/movie/{tmdb_id}/images", DAY),
    _tmdb("/movie/{tmdb_id}/videos", HOUR),
    _tmdb("/tv/{tmdb_id}", HOUR),
    _tmdb("/tv/{tmdb_id}/images", DAY),
    _tmdb("/tv/{tmdb_id}/season/{season_number}", HOUR),
    _tmdb("/tv/{tmdb_id}/season/{season_number}/images", DAY),
    _tmdb("/tv/{tmdb_id}/season/{season_number}/episode/{episode_number}", HOUR),
    _tmdb("/tv/{tmdb_id}/season/{season_number}/episode/{episode_number}/external_ids", HOUR),
    _tmdb("/find/{external_id}", HOUR),
    _tmdb("/search/movie", FIVE_MINUTES),
    _tmdb("/search/tv", FIVE_MINUTES),
    _trakt("/movies/trending", FIVE_MINUTES),
    _trakt("/shows/trending", FIVE_MINUTES),
    _trakt("/search/imdb/{imdb_id}", HOUR),
    _trakt("/search/{types}", HOUR),
    _trakt("/shows/{show_id}/seasons/{season_number}", HOUR),
    _trakt_user("/users/settings", MINUTE),
    _trakt_user("/sync/last_activities"),
    _trakt_user("/sync/watched/movies"),
    _trakt_user("/sync/watched/shows"),
    _trakt_user("/sync/history"),
    _trakt_user("/sync/history/movies"),
    _trakt_user("/sync/history/episodes"),
    _trakt_user("/sync/history/shows"),
    _trakt_user("/sync/history/shows/{show_id}"),
    _trakt_user("/sync/history", method="POST"),
    _kinopub("/history"),
    _kinopub("/watching"),
    _kinopub("/watching/movies"),
    _kinopub("/watching/serials"),
    _kinopub("/items", FIVE_MINUTES),
    _kinopub("/items/search", FIVE_MINUTES),
    _kinopub("/items/{item_id}", FIVE_MINUTES),
    _prowlarr("/api/v1/search"),
    _prowlarr("/api/v1/download/redirect/{release_id}"),
    _prowlarr("/api/v1/magnet/redirect/{release_id}"),
    _prowlarr("/{indexer_id}/download"),
)

_FIXED: dict[tuple[str, str, str], Endpoint] = {
    (row.prefix, row.method, row.path): row for row in TABLE if "{" not in row.path
}
_PATTERNS: dict[tuple[str, str], list[Endpoint]] = {}
for _row in TABLE:
    if "{" in _row.path:
        _PATTERNS.setdefault((_row.prefix, _row.method), []).append(_row)


def collapsed(path: str) -> str:
    """Without double slashes (http-api.md, Proxy)."""
    return re.sub("/{2,}", "/", path) if "//" in path else path


@functools.lru_cache(256)
def find(prefix: Prefix, method: str, path: str) -> Endpoint | None:
    """The row of a decoded path in which double slashes are collapsed already."""
    method = "GET" if method == "HEAD" else method
    if len(path) > LONGEST_PATH:
        return None
    if found := _FIXED.get((prefix, method, path)):
        return found
    return next((row for row in _PATTERNS.get((prefix, method), ()) if row.fits(path)), None)
