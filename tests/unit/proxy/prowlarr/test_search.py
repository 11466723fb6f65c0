"""`GET /api/prowlarr/api/v1/search`: Prowlarr's results, with links that lead here (http-api.md, Proxy)."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from tests.unit.proxy.conftest import Client
from tests.unit.proxy.prowlarr.conftest import KEY, SITE, Home
from tests.unit.proxy.wire import Wire
from tests.upstreams import Request
from tests.upstreams.prowlarr import MAGNETS, NZBS, TORRENTS, Prowlarr, magnet, torrent

SEARCH = "/prowlarr/api/v1/search"
LINKS = ("downloadUrl", "magnetUrl")


def found(client: Client, query: str = "query=the&type=movie") -> list[dict[str, Any]]:
    said = client.get(f"{SEARCH}?{query}")
    assert said.status == 200, said
    results: list[dict[str, Any]] = said.json
    assert results
    return results


def test_results(harry: Client, home: Home, prowlarr: Prowlarr) -> None:
    """All of it is Prowlarr's own but the links; the user's key goes out in a header, and nothing else of anybody's."""
    results = found(harry)
    (entry,) = prowlarr.requests()
    assert entry.query == [("query", "the"), ("type", "movie")]
    assert entry.headers["x-api-key"] == home.key
    assert entry.headers["host"] == home.url.removeprefix("http://")
    assert entry.headers["user-agent"].startswith("Watchferry/")
    assert "cookie" not in entry.headers
    (raw,) = json.loads(Prowlarr(prowlarr.catalogue).search(Request("GET", "/", [("indexerids", "1")])).body)[:1]
    for result in results:
        assert set(result) <= {*raw, *LINKS}
        assert "tracker.test/details" in result["guid"]
        for name in LINKS:
            if name in result:
                assert result[name].startswith(f"{SITE}/")


def test_neither_key_nor_inner_address(harry: Client, home: Home, prowlarr: Prowlarr) -> None:
    """Wherever Prowlarr thinks that it is: behind another server its own links name a host that nobody else knows."""
    for server in ("", "http://prowlarr.internal:9696", "http://10.1.2.3:9696"):
        prowlarr.options.set(server_url=server)
        text = json.dumps(found(harry))
        assert home.key not in text
        assert urlsplit(home.url).netloc not in text
        assert "apikey" not in text
        assert not server or server not in text


def test_links_are_followed_without_a_header(home: Home, harry: Client) -> None:
    """By whoever has one: a ticket in it lets them in, to bytes, to a magnet and to an nzb."""
    stranger = home.stranger()
    seen = set()
    for result in found(harry):
        for name in LINKS:
            if name not in result:
                continue
            said = stranger.get(result[name].removeprefix("https://watchferry.test/api"))
            if name == "magnetUrl":
                assert (said.status, said.headers["location"]) == (301, magnet(result["title"]))
            elif result["indexerId"] == NZBS:
                assert (said.status, said.headers["content-type"]) == (200, "application/x-nzb")
            else:
                assert (said.status, said.body) == (200, torrent(result["title"]))
                assert said.headers["content-type"] == "application/x-bittorrent"
            seen.add((result["indexerId"], name))
    assert seen == {
        (TORRENTS, "downloadUrl"), (TORRENTS, "magnetUrl"), (MAGNETS, "magnetUrl"), (NZBS, "downloadUrl")
    }  # fmt: skip


def test_query_goes_out_as_it_came(hostile: Client, wire: Wire) -> None:
    """Order, repetition and percent-encoding; but for credentials, whatever their name's case."""
    wire.says("200 OK", b"[]", "Content-Type: application/json")
    asked = "categories=2000&query=a%20b+c%2B&categories=5000&indexerIds=2&indexerIds=1&x=%7e"
    assert hostile.get(f"{SEARCH}?apikey=x&{asked}&ApiKey=other&APIKEY=third&a%70ikey=fourth&ticket=z").json == []
    assert wire.line == f"GET /base/api/v1/search?{asked} HTTP/1.1"
    assert wire.headers["x-api-key"] == KEY
    assert "authorization" not in wire.headers


def test_nothing_is_remembered(harry: Client, prowlarr: Prowlarr) -> None:
    """Each question is asked anew, the one with an empty answer too."""
    for _ in range(2):
        said = harry.get(f"{SEARCH}?query=no+such+film")
        assert (said.status, said.json) == (200, [])
        assert said.cache == "Watchferry; fwd=bypass"
        assert said.headers["cache-control"] == "no-store"
    assert len(prowlarr.requests()) == 2


def test_head(harry: Client, prowlarr: Prowlarr) -> None:
    """As GET, without a body, though Prowlarr itself refuses it."""
    said = harry.send("HEAD", f"{SEARCH}?query=the")
    assert (said.status, said.body) == (200, b"")
    assert said.headers["content-type"] == "application/json; charset=utf-8"
    assert [entry.method for entry in prowlarr.requests()] == ["GET"]


def test_errors(harry: Client) -> None:
    """JSON errors keep `message` and lose their stack trace; validation errors pass."""
    said = harry.get(f"{SEARCH}?indexerIds=99")
    assert said.status == 400
    assert said.json == {"message": "Search failed due to all selected indexers being unavailable: 99"}
    said = harry.get(f"{SEARCH}?type=nonsense")
    assert (said.status, said.json[0]["propertyName"], said.json[0]["severity"]) == (400, "type", "error")
    said = harry.get(f"{SEARCH}?limit=many")
    assert (said.status, said.headers["content-type"]) == (400, "application/problem+json; charset=utf-8")
    assert said.json["errors"] == {"limit": ["The value 'many' is not valid."]}


def test_base_path(home: Home, harry: Client, prowlarr: Prowlarr) -> None:
    """With a urlBase everything works; one that is missing in the setting is told, without the address."""
    prowlarr.options.set(url_base="/prowlarr")
    said = harry.get(f"{SEARCH}?query=the")
    assert (said.status, said.code) == (502, "upstream_refused")
    assert "urlBase" in said.json["detail"]
    assert home.url not in str(said)
    home.save(f"{home.url}/prowlarr/", key=home.key)
    link = found(harry)[0]["downloadUrl"]
    assert re.match(rf"{SITE}/[0-9]+/download\?link=", link)
    assert home.stranger().get(link.removeprefix("https://watchferry.test/api")).status == 200


def test_documented_form(hostile: Client, wire: Wire) -> None:
    """The addresses of proxy-endpoints.md are rewritten as well, inner host and all; a guid that is one too."""
    inner = "http://prowlarr:9696/api/v1"
    release = {
        "title": "Movie.2024",
        "guid": f"{inner}/download/redirect/123",
        "downloadUrl": f"{inner}/download/redirect/123",
        "magnetUrl": f"{inner}/magnet/redirect/123",
        "seeders": 100,
        "score": 1.5,
    }
    wire.says("200 OK", json.dumps([release]).encode(), "Content-Type: application/json; charset=utf-8")
    (shown,) = found(hostile)
    assert re.fullmatch(rf"{SITE}/api/v1/download/redirect/123\?ticket=[\w-]+", shown["downloadUrl"])
    assert re.fullmatch(rf"{SITE}/api/v1/magnet/redirect/123\?ticket=[\w-]+", shown["magnetUrl"])
    assert shown["guid"] == shown["downloadUrl"]
    assert {name: shown[name] for name in ("title", "seeders", "score")} == {
        "title": "Movie.2024", "seeders": 100, "score": 1.5
    }  # fmt: skip


ADDRESSES: list[tuple[str, str | None, str | None]] = [
    ("downloadUrl", "{own}/config/host", None),
    ("infoUrl", "{own}/", None),
    ("posterUrl", "{own}/MediaCover/1.jpg?apikey={key}", None),
    ("downloadUrl", "javascript:alert(1)", None),
    ("infoUrl", " JavaScript:alert(1)", None),
    ("guid", "data:text/html,<script>alert(1)</script>", None),
    ("commentUrl", "vbscript:x", None),
    ("downloadUrl", "/1/download?apikey={key}", None),
    ("downloadUrl", "https://[::1", None),
    ("posterUrl", "http://prowlarr:9696/MediaCover/1.jpg", None),
    ("guid", "http://192.168.1.5/x", None),
    ("guid", " ht\ntp://192.168.1.5/x", None),
    ("guid", "http:/192.168.1.5/x", None),
    ("infoUrl", "https://127.0.0.1/x", None),
    ("infoUrl", "http://localhost:9696/1/download", SITE),
    ("downloadUrl", "http://10.0.0.5:9696/prowlarr/1/download?apikey={key}&link=a", SITE),
    ("magnetUrl", "https://127.0.0.1/1/download?link=a&file=b", SITE),
    ("downloadUrl", "https://tracker.test/7/download", "https://tracker.test/7/download"),
    ("infoUrl", "https://tracker.test/7", "https://tracker.test/7"),
    ("magnetUrl", "magnet:?xt=urn:btih:abc", "magnet:?xt=urn:btih:abc"),
    ("downloadUrl", "https://tracker.test/x?key={key}", "https://tracker.test/x?key=[redacted]"),
    ("guid", "tracker-{key}", "tracker-[redacted]"),
    ("downloadUrl", "", ""),
    ("downloadUrl", None, None),
    ("title", "data: the film", None),
    ("title", "about javascript", "about javascript"),
]


def test_other_addresses(hostile: Client, wire: Wire) -> None:
    """Those that lead inside, or would run where they are clicked, are left out; the key is blotted out everywhere."""
    for name, value, shown in ADDRESSES:
        given = value.format(own=wire.url, key=KEY) if value else value
        for wrapped in ([{name: given}], [{"records": [{name: [given]}]}]):
            wire.says("200 OK", json.dumps(wrapped).encode(), "Content-Type: application/json")
            (got,) = found(hostile)
            got = got[name] if name in got else got["records"][0][name][0]
            assert (
                re.fullmatch(rf"{SITE}/1/download\?(link=a&(file=b&)?)?ticket=[\w-]+", got)
                if shown == SITE
                else (got == shown)
            ), (name, given)
