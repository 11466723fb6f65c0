"""TMDB's stand-ins: the API, as strict as the real one, and the image CDN (reality.md, TMDB)."""

import gzip
import hashlib
import json
import re
import secrets
import struct
import time
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from .app import Clock, Switches, Upstream
from .catalogue import Catalogue, Episode, Movie, Season, Show
from .web import Request, Response, route

POSTERS = ["w92", "w154", "w185", "w342", "w500", "w780", "original"]
BACKDROPS = ["w300", "w780", "w1280", "original"]
LOGOS = ["w45", "w92", "w154", "w185", "w300", "w500", "original"]
PROFILES = ["w45", "w185", "h632", "original"]
STILLS = ["w92", "w185", "w300", "original"]
PER_PAGE = 20
ORIGIN = "https://image.tmdb.org/t/p/"

CODES = {
    5: (400, "Invalid parameters: Your request parameters are incorrect."),
    7: (401, "Invalid API key: You must be granted a valid key."),
    22: (400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
    25: (429, "Your request count (#) is over the allowed limit of (40)."),
    34: (404, "The resource you requested could not be found."),
}


@dataclass(slots=True)
class TmdbSwitches(Switches):
    rate: int = 0  # requests a second; 0: no limit. The real one allows about 40
    etags: bool = True
    max_age: int = 21_600
    private: bool = False  # answers say that they are for one client


class Tmdb(Upstream):
    name = "tmdb"

    def __init__(self, catalogue: Catalogue, clock: Clock = time.time, lock: Any = None) -> None:
        super().__init__(clock, lock)
        self.catalogue = catalogue
        self.options = TmdbSwitches()
        self.read_access_token = f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_hex(24)}.{secrets.token_hex(16)}"
        self.api_key = secrets.token_hex(16)
        self._recent: deque[float] = deque()

    @property
    def switches(self) -> TmdbSwitches:
        return self.options

    def caller(self, request: Request) -> str | None:
        return None

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        """Either credential will do; a wrong api_key spoils a right Bearer."""
        key, bearer = request.arg("api_key"), request.headers.get("authorization", "")
        if key != self.api_key and (key or bearer != f"Bearer {self.read_access_token}"):
            return said(7)
        now = self.clock()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        if self.options.rate and len(self._recent) >= self.options.rate:
            return said(25, {"Retry-After": "1"})
        self._recent.append(now)
        return None

    def unknown(self, request: Request, other_methods: bool) -> Response:
        return said(34)

    def shown(self, request: Request, data: Any) -> Response:
        """JSON with a weak ETag, told apart by 304, and gzipped for whoever takes it."""
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        scope = "private" if self.options.private else "public"
        headers = {
            "Content-Type": "application/json;charset=utf-8",
            "Cache-Control": f"{scope}, max-age={self.options.max_age}",
            "Vary": "accept-encoding, Origin",
            "Access-Control-Allow-Origin": "*",
            "Server": "openresty",
        }
        if self.options.etags:
            headers["ETag"] = f'W/"{hashlib.md5(body).hexdigest()}"'
            if headers["ETag"] in request.headers.get("if-none-match", ""):
                return Response(304, b"", headers)
        if "gzip" in request.headers.get("accept-encoding", "") and len(body) > 200:
            return Response(200, gzip.compress(body), headers | {"Content-Encoding": "gzip"})
        return Response(200, body, headers)

    # ---- routes

    @route("GET", "/3/configuration")
    def configuration(self, request: Request) -> Response:
        images = {
            "base_url": ORIGIN.replace("https", "http"),
            "secure_base_url": ORIGIN,
            "backdrop_sizes": BACKDROPS,
            "logo_sizes": LOGOS,
            "poster_sizes": POSTERS,
            "profile_sizes": PROFILES,
            "still_sizes": STILLS,
        }
        return self.shown(request, {"images": images, "change_keys": ["adult", "air_date", "images", "videos"]})

    @route("GET", "/3/configuration/{kind}")
    def lists(self, request: Request, kind: str) -> Response:
        known: dict[str, Any] = {
            "countries": [{"iso_3166_1": "AD", "english_name": "Andorra", "native_name": "Andorra"}],
            "jobs": [{"department": "Directing", "jobs": ["Director", "Script Supervisor"]}],
            "languages": [{"iso_639_1": "ru", "english_name": "Russian", "name": "Pусский"}],
            "primary_translations": ["en-US", "ru-RU"],
            "timezones": [{"iso_3166_1": "AD", "zones": ["Europe/Andorra"]}],
        }
        return self.shown(request, known[kind]) if kind in known else said(34)

    @route("GET", "/3/movie/{id}")
    def movie(self, request: Request, id: str) -> Response:
        movie = self._movie(id)
        return self.shown(request, details(movie)) if movie else said(34)

    @route("GET", "/3/tv/{id}")
    def tv(self, request: Request, id: str) -> Response:
        show = self._show(id)
        return self.shown(request, details(show)) if show else said(34)

    @route("GET", "/3/{kind}/{id}/images")
    def images(self, request: Request, kind: str, id: str) -> Response:
        thing = self._thing(kind, id)
        return self.shown(request, {"id": int(id), **pictures(thing)}) if thing else said(34)

    @route("GET", "/3/{kind}/{id}/videos")
    def videos(self, request: Request, kind: str, id: str) -> Response:
        thing = self._thing(kind, id)
        if thing is None:
            return said(34)
        trailer = {"iso_639_1": "en", "iso_3166_1": "US", "name": "Trailer", "key": "SUXWAEX2jlg", "site": "YouTube"}
        trailer |= {"size": 1080, "type": "Trailer", "official": True, "id": f"{thing.trakt:024x}"}  # type: ignore[dict-item]
        return self.shown(request, {"id": int(id), "results": [trailer]})

    @route("GET", "/3/tv/{id}/season/{number}")
    def season(self, request: Request, id: str, number: str) -> Response:
        season = self._season(id, number)
        if season is None:
            return said(34)
        episodes = [episode_details(season.episodes[each]) for each in sorted(season.episodes)]
        shown = {"_id": f"{season.trakt:024x}", "air_date": "2023-05-04", "episodes": episodes, "id": season.trakt}
        shown |= {"name": f"Season {number}", "overview": "", "poster_path": picture(f"season {season.trakt}")}
        return self.shown(request, shown | {"season_number": season.number, "vote_average": 7.6})

    @route("GET", "/3/tv/{id}/season/{number}/images")
    def season_images(self, request: Request, id: str, number: str) -> Response:
        season = self._season(id, number)
        return self.shown(request, {"id": season.trakt, "posters": pictures(season)["posters"]}) if season else said(34)

    @route("GET", "/3/tv/{id}/season/{number}/episode/{episode}")
    def episode(self, request: Request, id: str, number: str, episode: str) -> Response:
        found = self._episode(id, number, episode)
        return self.shown(request, episode_details(found) | {"crew": [], "guest_stars": []}) if found else said(34)

    @route("GET", "/3/tv/{id}/season/{number}/episode/{episode}/external_ids")
    def external_ids(self, request: Request, id: str, number: str, episode: str) -> Response:
        found = self._episode(id, number, episode)
        if found is None:
            return said(34)
        ids = {"id": found.tmdb or found.trakt, "imdb_id": found.imdb, "freebase_mid": None, "freebase_id": None}
        return self.shown(request, ids | {"tvdb_id": found.tvdb, "tvrage_id": None, "wikidata_id": None})

    @route("GET", "/3/find/{external}")
    def find(self, request: Request, external: str) -> Response:
        """Unknown ids are empty lists, not a 404."""
        if request.arg("external_source") not in ("imdb_id", "tvdb_id", "wikidata_id"):
            return said(5)
        movies = [brief(m) for m in self.catalogue.movies if m.imdb == external and m.tmdb]
        shows = [brief(s) for s in self.catalogue.shows if s.imdb == external and s.tmdb]
        rest: dict[str, list[Any]] = {"person_results": [], "tv_episode_results": [], "tv_season_results": []}
        return self.shown(request, {"movie_results": movies, "tv_results": shows, **rest})

    @route("GET", "/3/search/{kind}")
    def search(self, request: Request, kind: str) -> Response:
        things: Sequence[Movie | Show] = self.catalogue.movies if kind == "movie" else self.catalogue.shows
        if kind not in ("movie", "tv"):
            return said(34)
        page = request.arg("page", "1")
        if not page.isdigit() or not 1 <= int(page) <= 500:
            return said(22)
        asked = request.arg("query").casefold()
        if not asked:
            return Response.json({"errors": ["query must be provided"]}, 422)
        found = [thing for thing in things if thing.tmdb and asked in " ".join((thing.title, *thing.names)).casefold()]
        chosen = found[(int(page) - 1) * PER_PAGE : int(page) * PER_PAGE]
        pages = max(1, ceil(len(found) / PER_PAGE))
        answer = {"page": int(page), "results": [brief(each) for each in chosen]}
        return self.shown(request, answer | {"total_pages": pages, "total_results": len(found)})

    # ---- the catalogue

    def _movie(self, id: str) -> Movie | None:
        return next((each for each in self.catalogue.movies if str(each.tmdb) == id), None)

    def _show(self, id: str) -> Show | None:
        return next((each for each in self.catalogue.shows if str(each.tmdb) == id), None)

    def _thing(self, kind: str, id: str) -> Movie | Show | None:
        return self._movie(id) if kind == "movie" else self._show(id) if kind == "tv" else None

    def _season(self, id: str, number: str) -> Season | None:
        show = self._show(id)
        return show.seasons.get(int(number)) if show and number.isdigit() else None

    def _episode(self, id: str, number: str, episode: str) -> Episode | None:
        season = self._season(id, number)
        return season.episodes.get(int(episode)) if season and episode.isdigit() else None


class Images(Upstream):
    """The CDN: any file of a known size, a picture of its own for each; errors are pages of HTML."""

    name = "images"

    def __init__(self, clock: Clock = time.time, lock: Any = None) -> None:
        super().__init__(clock, lock)
        self.options = Switches()

    @property
    def switches(self) -> Switches:
        return self.options

    def caller(self, request: Request) -> str | None:
        return None

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        return None

    def unknown(self, request: Request, other_methods: bool) -> Response:
        return Response.html("404 Not Found", 404)

    @route("GET", "/t/p/{size}/{file}")
    def image(self, request: Request, size: str, file: str) -> Response:
        kinds = {"jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml", "webp": "image/webp"}
        name, _, ending = file.rpartition(".")
        if size not in {*POSTERS, *BACKDROPS, *LOGOS, *PROFILES, *STILLS} or ending not in kinds or not name:
            return self.unknown(request, other_methods=False)
        body = svg(file) if ending == "svg" else png(file)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        headers = {"Content-Type": kinds[ending], "Cache-Control": "public, max-age=31536000", "ETag": etag}
        return (
            Response(304, b"", headers)
            if request.headers.get("if-none-match") == etag
            else Response(200, body, headers)
        )


def said(code: int, headers: dict[str, str] | None = None) -> Response:
    status, message = CODES[code]
    return Response.json({"status_code": code, "status_message": message, "success": False}, status, headers)


def picture(name: str, ending: str = "jpg") -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:27]
    return f"/{digest}.{ending}"


def pictures(thing: Movie | Show | Season) -> dict[str, list[dict[str, Any]]]:
    name = f"{thing.kind} {thing.trakt}"

    def one(kind: str, width: int, height: int, ending: str = "jpg") -> dict[str, Any]:
        shape = {"aspect_ratio": round(width / height, 3), "height": height, "iso_639_1": None, "width": width}
        return shape | {"file_path": picture(f"{name} {kind}", ending), "vote_average": 5.3, "vote_count": 12}

    return {
        "backdrops": [one("backdrop", 1920, 1080)],
        "logos": [one("logo", 500, 200, "png")],
        "posters": [one("poster", 1000, 1500)],
    }


def brief(thing: Movie | Show) -> dict[str, Any]:
    shown = pictures(thing)
    common = {
        "adult": False,
        "backdrop_path": shown["backdrops"][0]["file_path"],
        "id": thing.tmdb,
        "original_language": "en",
        "overview": f"What happens in {thing.title}.",
        "popularity": round(thing.popularity + 1.5, 3),
        "poster_path": shown["posters"][0]["file_path"],
        "vote_average": 7.3,
        "vote_count": 708,
        "genre_ids": [18],
    }
    if isinstance(thing, Movie):
        date = thing.released[:10]
        return common | {"title": thing.title, "original_title": thing.title, "release_date": date, "video": False}
    names = {"name": thing.title, "original_name": thing.title, "first_air_date": f"{thing.year or 2000}-01-01"}
    return common | names | {"origin_country": ["US"]}


def details(thing: Movie | Show) -> dict[str, Any]:
    shown = {name: value for name, value in brief(thing).items() if name != "genre_ids"}
    shown |= {"genres": [{"id": 18, "name": "Drama"}], "homepage": "", "status": "Released", "tagline": ""}
    if isinstance(thing, Movie):
        return shown | {"imdb_id": thing.imdb, "runtime": 120, "budget": 0, "revenue": 0}
    seasons = [thing.seasons[number] for number in sorted(thing.seasons)]
    counted = [
        {"id": each.trakt, "season_number": each.number, "episode_count": len(each.episodes)} for each in seasons
    ]
    episodes = sum(each["episode_count"] for each in counted)
    return shown | {"number_of_seasons": len(counted), "number_of_episodes": episodes, "seasons": counted}


def episode_details(episode: Episode) -> dict[str, Any]:
    return {
        "air_date": episode.released[:10],
        "episode_number": episode.number,
        "id": episode.tmdb or episode.trakt,
        "name": episode.title,
        "overview": "",
        "production_code": "",
        "runtime": 45,
        "season_number": episode.season,
        "show_id": episode.show.tmdb,
        "still_path": picture(f"episode {episode.trakt}"),
        "vote_average": 7.1,
        "vote_count": 40,
    }


def png(name: str) -> bytes:
    """A whole PNG of 8 × 12 pixels in the colour of the name."""
    colour = hashlib.sha256(name.encode()).digest()[:3]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + colour * 8) * 12
    header = struct.pack(">IIBBBBB", 8, 12, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def svg(name: str) -> bytes:
    safe = re.sub(r"[^A-Za-z0-9]", "", name)
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="12"><title>{safe}</title></svg>'.encode()
