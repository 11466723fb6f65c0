"""Prowlarr's stand-in, as it is found at somebody's home: its key in every link, its own address too (reality.md).

Search and downloads of Prowlarr 1.x and 2.x: `SearchController`, `NewznabController.GetDownload`, the authentication by
`?apikey=`, `X-Api-Key` and `Authorization`, in this order, and its two ways of answering an error.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .app import Clock, Switches, Upstream
from .catalogue import Catalogue
from .web import Request, Response, route

TRACE = "   at NzbDrone.Core.IndexerSearch.ReleaseSearchService.Search() in /build/src/ReleaseSearchService.cs:line 52"

TORRENTS, MAGNETS, NZBS, ELSEWHERE, DISABLED, LIMITED, BROKEN, INWARD = range(1, 9)
"""Indexers: what a download of each comes to. The last one sends to another of Prowlarr's own addresses."""
NAMES = {
    TORRENTS: "Bytes",
    MAGNETS: "Magnets",
    NZBS: "Usenet",
    ELSEWHERE: "Redirects",
    DISABLED: "Disabled",
    LIMITED: "Limited",
    BROKEN: "Broken",
    INWARD: "Inward",
}
TYPES = {"search", "movie", "tvsearch", "tv", "music", "book", ""}


def torrent(title: str) -> bytes:
    """Bytes as a torrent has them, of every value."""
    pieces = bytes(range(256)) + hashlib.sha256(title.encode()).digest()
    name = title.encode()
    return b"d8:announce19:http://t.test/ann/14:infod4:name%d:%s6:pieces%d:%see" % (
        len(name),
        name,
        len(pieces),
        pieces,
    )


def magnet(title: str) -> str:
    return (
        f"magnet:?xt=urn:btih:{hashlib.sha1(title.encode()).hexdigest()}&dn={quote(title)}&tr=udp%3A%2F%2Ft.test%3A80"
    )


@dataclass(slots=True)
class ProwlarrSwitches(Switches):
    url_base: str = ""  # as in its settings: "/prowlarr"
    server_url: str = ""  # what it takes for its own address; "": what the Host header says
    documented: bool = False  # the download addresses of proxy-endpoints.md, which current releases do not have


class Prowlarr(Upstream):
    name = "prowlarr"

    def __init__(self, catalogue: Catalogue, clock: Clock = time.time, lock: Any = None) -> None:
        super().__init__(clock, lock)
        self.catalogue = catalogue
        self.options = ProwlarrSwitches()
        self.api_key = secrets.token_hex(16)
        self._protection = secrets.token_bytes(16)

    @property
    def switches(self) -> ProwlarrSwitches:
        return self.options

    def caller(self, request: Request) -> str | None:
        return None

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        """The first credential that is there counts. 401 has no body."""
        offered = [value for name, value in request.query if name.lower() == "apikey"]
        offered += [request.headers.get("x-api-key", ""), request.headers.get("authorization", "")[len("Bearer ") :]]
        if next(filter(None, offered), "") != self.api_key:
            return Response(401)
        if request.method == "HEAD":  # its controllers answer GET alone
            return Response(405, b"", {"Allow": "GET"})
        return None

    def unknown(self, request: Request, other_methods: bool) -> Response:
        return failed(404, "NotFound")

    def told(self, request: Request) -> dict[str, str]:
        return {
            "Cache-Control": "no-cache, no-store",
            "Pragma": "no-cache",
            "X-Application-Version": "1.37.0.5076",
            "Server": "Kestrel",
        }

    def handle(self, request: Request, *rest: Any) -> Any:
        """With a urlBase everything is under it; what is not is sent there."""
        base = self.options.url_base
        if base and not request.path.startswith("/_control/"):
            if not request.path.startswith(f"{base}/"):
                return Response(307, b"", {"Location": f"{base}{request.path}"})
            request.path = request.path.removeprefix(base)
        return super().handle(request, *rest)

    # ---- routes

    @route("GET", "/api/v1/search")
    def search(self, request: Request) -> Response:
        given = [(name.lower(), value) for name, value in request.query]
        for name in ("indexerids", "categories", "limit", "offset"):
            for value in (value for key, value in given if key == name):
                if not value.lstrip("-").isdigit():
                    return wrongly_asked(name, value)
        kind = next((value for key, value in given if key == "type"), "search")
        if kind not in TYPES:
            return Response.json([failure("type", f"'{kind}' is not a search type", kind)], 400)
        indexers = [int(value) for key, value in given if key == "indexerids"] or [TORRENTS, MAGNETS, NZBS]
        if not any(indexer in NAMES or indexer in (-1, -2) for indexer in indexers):
            return failed(400, "Search failed due to all selected indexers being unavailable: 99")
        text = next((value for key, value in given if key == "query"), "").lower()
        found = [
            self._release(request, movie.title, movie.year or 0, indexer)
            for movie in self.catalogue.movies
            if (text in movie.title.lower() or text == f"imdbid:{(movie.imdb or '').removeprefix('tt')}")
            for indexer in indexers
            if indexer in NAMES
        ]
        return Response.json(found)

    @route("GET", "/{indexer}/download")
    @route("GET", "/api/v1/indexer/{indexer}/download")
    def download(self, request: Request, indexer: str) -> Response:
        if not indexer.isdigit() or int(indexer) not in NAMES:
            return failed(404, "Indexer Not Found")
        if not request.arg("link") or not request.arg("file"):
            return failed(400, "Invalid Prowlarr link")
        title = self._unprotected(request.arg("link"))
        if title is None:
            return failed(500, "The payload was invalid.")
        return self._downloaded(request, int(indexer), title, request.arg("file"))

    @route("GET", "/api/v1/{kind}/redirect/{id}")
    def documented(self, request: Request, kind: str, id: str) -> Response:
        if not self.options.documented or kind not in {"download", "magnet"}:
            return failed(404, "NotFound")
        title = f"Release.{id}"
        where = magnet(title) if kind == "magnet" else f"http://files.test/{title}.torrent"
        return Response(302, b"", {"Location": where})

    # ---- what they come to

    def _downloaded(self, request: Request, indexer: int, title: str, file: str) -> Response:
        match indexer:
            case 2:
                return Response(301, b"", {"Location": magnet(title)})
            case 4:
                return Response(301, b"", {"Location": f"https://files.test/dl/{quote(title)}.torrent?pass=1&x=a%20b"})
            case 5:
                return xml(410, 410, "Indexer is disabled")
            case 6:
                return xml(429, 429, "User configurable Indexer Grab Limit of 5 in last 24 hour(s) reached.", 3600)
            case 7:
                return xml(500, 500, "Name or service not known (tracker.test:443)")
            case 8:
                return Response(301, b"", {"Location": self.address(request, TORRENTS, title)})
        kind = "nzb" if indexer == NZBS else "torrent"
        media = "application/x-nzb" if indexer == NZBS else "application/x-bittorrent"
        body = f'<?xml version="1.0"?><nzb>{title}</nzb>'.encode() if indexer == NZBS else torrent(title)
        name = quote(f"{file}.{kind}")
        disposition = (
            f"attachment; filename=\"{file.encode('ascii', 'replace').decode()}.{kind}\"; filename*=UTF-8''{name}"
        )
        return Response(200, body, {"Content-Type": media, "Content-Disposition": disposition})

    def address(self, request: Request, indexer: int, title: str) -> str:
        """A link as the real one makes it: with its own address and its key."""
        host = self.options.server_url or f"http://{request.headers.get('host', 'localhost:9696')}"
        asked = f"apikey={self.api_key}&link={self._protected(title)}&file={quote(title).replace('%20', '+')}"
        return f"{host}{self.options.url_base}/{indexer}/download?{asked}"

    def _release(self, request: Request, title: str, year: int, indexer: int) -> dict[str, Any]:
        name = f"{title} ({year}) 1080p WEB-DL [{NAMES[indexer]}]"
        usenet = indexer == NZBS
        release = {
            "id": 0,
            "guid": f"https://tracker.test/details/{hashlib.md5(name.encode()).hexdigest()[:8]}",
            "age": 3,
            "ageHours": 72.5,
            "ageMinutes": 4350.25,
            "size": 2_147_483_648 + len(name),
            "files": 1,
            "grabs": 7,
            "indexerId": indexer,
            "indexer": NAMES[indexer],
            "title": name,
            "sortTitle": name.lower(),
            "imdbId": 0,
            "tmdbId": 0,
            "tvdbId": 0,
            "tvMazeId": 0,
            "publishDate": "2024-01-01T12:00:00Z",
            "infoUrl": "https://tracker.test/details/1",
            "indexerFlags": ["freeleech"],
            "categories": [{"id": 2000, "name": "Movies", "subCategories": []}],
            "protocol": "usenet" if usenet else "torrent",
            "fileName": f"{name}.{'nzb' if usenet else 'torrent'}",
        }
        if indexer != MAGNETS:
            release["downloadUrl"] = self.address(request, indexer, name)
        if not usenet:
            release |= {"infoHash": hashlib.sha1(name.encode()).hexdigest(), "seeders": 100, "leechers": 5}
            release["magnetUrl"] = self.address(request, MAGNETS, name)
        return release

    def _protected(self, title: str) -> str:
        """Opaque, and this Prowlarr's alone, as ASP.NET's data protection makes it."""
        told = title.encode()
        sealed = hmac.digest(self._protection, told, "sha1")[:8] + told
        return base64.urlsafe_b64encode(base64.b64encode(sealed)).decode().rstrip("=")

    def _unprotected(self, link: str) -> str | None:
        try:
            sealed = base64.b64decode(base64.urlsafe_b64decode(link + "=" * (-len(link) % 4)))
        except ValueError:
            return None
        told = sealed[8:]
        return (
            told.decode() if hmac.compare_digest(sealed[:8], hmac.digest(self._protection, told, "sha1")[:8]) else None
        )


def failed(status: int, message: str) -> Response:
    """As its error pipeline writes it: `description` is the exception, stack trace and all."""
    return Response.json({"message": message, "description": f"NzbDrone.Core.Exceptions: {message}\n{TRACE}"}, status)


def failure(name: str, message: str, value: Any) -> dict[str, Any]:
    """One of FluentValidation's."""
    return {
        "isWarning": False,
        "propertyName": name,
        "errorMessage": message,
        "attemptedValue": value,
        "severity": "error",
        "errorCode": "PredicateValidator",
        "formattedMessagePlaceholderValues": {"propertyName": name, "propertyValue": value},
    }


def wrongly_asked(name: str, value: str) -> Response:
    """ASP.NET's own answer to a number that is none."""
    told = {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": {name: [f"The value '{value}' is not valid."]},
    }
    media = {"Content-Type": "application/problem+json; charset=utf-8"}
    return Response(400, json.dumps(told).encode(), media)


def xml(status: int, code: int, description: str, retry_after: int = 0) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<error code="{code}" description="{description}" />'
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return Response(status, text.encode(), {"Content-Type": "application/rss+xml", **headers})
