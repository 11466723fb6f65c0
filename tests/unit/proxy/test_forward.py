"""What goes out and what comes back, byte for byte, on a real connection (http-api.md, Proxy)."""

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator

import pytest

from tests.conftest import Clock, WiringOnMoto
from tests.unit.proxy.conftest import Client, NewClient, connect
from tests.unit.proxy.wire import Wire, listening
from tests.upstreams import Upstreams
from tests.upstreams.web import PACKINGS
from watchferry.http_api import build_app
from watchferry.proxy.routes import mount
from watchferry.wiring import Wiring

OK = b'{"ok":true}'
JSON = "Content-Type: application/json; charset=utf-8"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as found:
        found.says("200 OK", OK, JSON)
        yield found


@pytest.fixture
def wired(wire: Wire, environ: dict[str, str], clock: Clock, upstreams: Upstreams) -> Client:
    """Harry, with all three APIs at the wire."""
    addresses = dict.fromkeys(("TRAKT_API_URL", "KINOPUB_API_URL", "TMDB_API_URL"), wire.url)
    wiring: Wiring = WiringOnMoto(environ | addresses, clock=clock, pause=clock.advance)
    api = build_app(lambda: wiring)
    mount(api, lambda: wiring)
    user_id = connect(wiring, upstreams, "harry")
    return Client(api, {"__Host-session": wiring.sessions.begin(user_id)})


@pytest.mark.parametrize(
    "query",
    [
        "b=2&a=1&b=1&a=2",
        "categories=2000&categories=5000&categories=2000",
        "q=%D0%9C%D0%B0%D1%82%D1%80%D0%B8%D1%86%D0%B0",
        "q=a+b%20c%2Bd%26e",
        "q=%ff%fe&x=%zz&y=%",
        "a=&b&&=c&",
        "q='%22()!*;:@,/?[]{}|^`~\\<>",
        "start_at=2014-09-01T09:10:11.000Z&end_at=2014-09-02T00%3A00%3A00Z",
    ],
)
def test_the_query_goes_out_as_it_came(wired: Client, wire: Wire, query: str) -> None:
    """Order, repetition, encoding, oddities; the path too."""
    assert wired.get(f"/trakt/sync/history/movies?{query}").status == 200
    assert wire.line == f"GET /sync/history/movies?{query} HTTP/1.1"


def test_double_slashes_are_one(wired: Client, wire: Wire) -> None:
    """As real client libraries send them (reality.md)."""
    assert wired.get("/trakt//sync///history//movies").status == 200
    assert wire.line == "GET /sync/history/movies HTTP/1.1"


def test_only_listed_headers_go_out(wired: Client, wire: Wire) -> None:
    """Ours instead of the caller's; no cookie, no address of the caller, nothing hop-by-hop."""
    sent = {
        "Accept": "application/json",
        "Accept-Language": "ru",
        "User-Agent": "NachoTime/1.0.0",
        "Cookie": "theme=dark",
        "Authorization": "Bearer stolen",
        "trakt-api-key": "theirs",
        "trakt-api-version": "1",
        "X-Forwarded-For": "203.0.113.7",
        "X-CSRF": "1",
        "Connection": "close, x-secret",
        "TE": "trailers",
        "Upgrade": "h2c",
        "Transfer-Encoding": "chunked",
        "Content-Length": "5",
        "Host": "evil.test",
        "Forwarded": "for=x",
        "Origin": "https://evil.test",
        "Referer": "https://evil.test/secret",
        "X-Api-Key": "k",
        "Expect": "100-continue",
    }
    assert wired.send("GET", "/trakt/sync/history", headers=sent).status == 200
    headers = wire.headers
    assert set(headers) == {
        *("host", "accept", "accept-encoding", "accept-language", "connection", "user-agent"),
        *("content-type", "trakt-api-key", "trakt-api-version", "authorization"),
    }
    assert headers["host"] == wire.url.removeprefix("http://")
    assert headers["user-agent"].startswith("Watchferry/")
    assert (headers["trakt-api-version"], headers["accept-language"]) == ("2", "ru")
    assert headers["authorization"] not in {"Bearer stolen", "Bearer "}
    assert b"stolen" not in wire.requests[-1]
    assert b"theirs" not in wire.requests[-1]
    assert b"__Host-session" not in wire.requests[-1]


@pytest.mark.parametrize("value", ["ü", "a\r\nX-Evil: 1", "\x00", "a\tb\x7f", " ", "Ё" * 50])
def test_headers_that_cannot_be_sent(wired: Client, wire: Wire, value: str) -> None:
    """Are left out, and never become two."""
    for path in ("/trakt/sync/history", "/trakt/movies/trending"):
        sent = {"Accept-Language": value, "If-None-Match": value, "Accept": value, "Authorization": f"Bearer {value}"}
        assert wired.send("GET", path, headers=sent).status == 200
    for request in wire.requests:
        assert b"X-Evil" not in request
        assert b"accept-language" not in request.lower()


def test_headers_that_cannot_come_back(wired: Client, wire: Wire) -> None:
    """API Gateway would refuse the whole answer; a type that is none is binary."""
    wire.says("200 OK", OK, "Content-Type: te\xffxt/html", "X-Sort-By: \xe9\x01", "X-Sort-How: asc")
    said = wired.get("/trakt/sync/history")
    assert (said.status, said.headers["content-type"]) == (200, "application/octet-stream")
    assert "x-sort-by" not in said.headers
    assert said.headers["x-sort-how"] == "asc"


def test_no_password_is_asked_for_in_our_name(wired: Client, wire: Wire) -> None:
    """A browser that sees WWW-Authenticate would."""
    wire.says("407 Proxy Authentication Required", b"", 'WWW-Authenticate: Basic realm="Watchferry"')
    assert "www-authenticate" not in wired.get("/trakt/sync/history").headers


def test_bodies_go_out_as_they_came(wired: Client, wire: Wire) -> None:
    """With the caller's own type; longer than our own endpoints take."""
    body = b'{"movies": [ ' + b"x" * 200_000 + b" ]}\r\n"
    wire.says("201 Created", OK, JSON)
    said = wired.send("POST", "/trakt//sync/history?a=1", headers={"Content-Type": "text/weird"}, body=body)
    assert (said.status, said.body) == (201, OK)
    assert wire.body == body
    assert wire.line == "POST /sync/history?a=1 HTTP/1.1"
    assert wire.headers["content-type"] == "text/weird"
    assert said.cache == "Watchferry; fwd=bypass"


def test_what_comes_back(wired: Client, wire: Wire) -> None:
    """Status, body, type, pagination and rate limits unchanged; no cookie, nothing of the other origin's rules."""
    body = b'[ {"a" : 1.50, "b":"\xd0\x81"}\n]'
    wire.says(
        "200 OK",
        body,
        "content-type: application/json;  charset=UTF-8",
        "X-Pagination-Page: 1",
        "X-Pagination-Limit: 10",
        "X-Pagination-Page-Count: 44",
        "X-Pagination-Item-Count: 437",
        'X-Ratelimit: {"name":"AUTHED_API_GET_LIMIT","period":300}',
        'ETag: W/"5"',
        "X-Sort-By: rank",
        "Set-Cookie: session=evil; Path=/",
        "Access-Control-Allow-Origin: *",
        "Content-Security-Policy: default-src *",
        "Cache-Control: public, max-age=5",
        "Strict-Transport-Security: max-age=1",
        "Link: </x>; rel=preload",
        "Refresh: 0; url=https://evil.test",
        "Clear-Site-Data: *",
        "Service-Worker-Allowed: /",
        "Keep-Alive: timeout=5",
        "Server: x",
    )
    said = wired.get("/trakt/sync/history")
    assert (said.status, said.body) == (200, body)
    assert {**said.headers} == {
        "content-type": "application/json;  charset=UTF-8",
        "x-pagination-page": "1",
        "x-pagination-limit": "10",
        "x-pagination-page-count": "44",
        "x-pagination-item-count": "437",
        "x-ratelimit": '{"name":"AUTHED_API_GET_LIMIT","period":300}',
        "etag": 'W/"5"',
        "x-sort-by": "rank",
        "cache-status": "Watchferry; fwd=bypass",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    assert not said.event["cookies"]


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 404, 409, 412, 418, 420, 422, 423, 426, 500, 503, 522])
def test_every_status(wired: Client, wire: Wire, status: int) -> None:
    """With its body where it may have one."""
    body = b"" if status in {204, 304} else b'{"error":"x"}'
    wire.says(
        f"{status} X", body, JSON, "X-Account-Limit: 100", "X-Upgrade-URL: https://trakt.tv/vip", "Retry-After: 7"
    )
    said = wired.get("/trakt/sync/history")
    assert (said.status, said.body) == (status, body)
    assert (said.headers["x-account-limit"], said.headers["retry-after"]) == ("100", "7")


def test_head(wired: Client, wire: Wire) -> None:
    """Goes out as HEAD where nothing is remembered, and comes back without a body but with the pages."""
    for encoded in ((), ("Content-Encoding: gzip",)):
        wire.says("200 OK", b"", JSON, "X-Pagination-Item-Count: 437", *encoded)
        said = wired.send("HEAD", "/trakt/sync/history?limit=1")
        assert wire.line == "HEAD /sync/history?limit=1 HTTP/1.1"
        assert (said.status, said.body, said.headers["x-pagination-item-count"]) == (200, b"", "437")
        assert said.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("body", [bytes(range(256)) * 40, b"\x1f\x8b\x00not gzip", b"", "Ё".encode("cp1251") * 3000])
@pytest.mark.parametrize("accepts", ["", "gzip", "br, gzip;q=0", "deflate"])
def test_binary_bodies(wired: Client, wire: Wire, body: bytes, accepts: str) -> None:
    """Any bytes, whatever the type says, whether or not the caller takes gzip."""
    for kind in ("application/json", "application/octet-stream", "image/png"):
        wire.says("200 OK", body, f"Content-Type: {kind}")
        said = wired.get("/trakt/sync/history", Accept_Encoding=accepts)
        assert (said.status, said.body) == (200, body)
        assert body == b"" or said.headers["content-type"] == kind
        assert said.headers.get("content-encoding") == ("gzip" if accepts == "gzip" and len(body) >= 1024 else None)


def test_gzip_of_the_upstream(wired: Client, wire: Wire) -> None:
    """Is undone for those who cannot read it."""
    body = json.dumps({"a": list(range(2000))}).encode()
    wire.says("200 OK", gzip.compress(body), JSON, "Content-Encoding: gzip")
    for accepts in ("", "gzip"):
        said = wired.get("/trakt/sync/history", Accept_Encoding=accepts)
        assert said.body == body
        assert said.headers.get("content-encoding") == (accepts or None)
        assert len(said.event["body"]) < len(body) or not accepts
        assert wire.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "kind", "label"),
    [
        (b"\x00" * 50, JSON, "gzip"),
        (gzip.compress(OK)[:-1], JSON, "gzip"),
        (gzip.compress(OK)[:-1], JSON, "gzip, gzip"),
        (gzip.compress(gzip.compress(OK)[:-1]), JSON, "gzip"),
        (gzip.compress(b"<html>"), JSON, "gzip, gzip"),
        (b"<html>", "Content-Type: text/html", "gzip"),
        (gzip.compress(gzip.compress(b"<html>")), "Content-Type: text/html", "gzip"),
        (b"\x8b\x02\x80{}\x03", JSON, "br"),
    ],
    ids=[
        "none",
        "cut off",
        "cut off, said twice",
        "cut off within",
        "page, said twice",
        "page",
        "page twice",
        "another",
    ],
)
def test_what_nobody_can_read(wired: Client, wire: Wire, body: bytes, kind: str, label: str) -> None:
    """502 `upstream_unreachable`: the answer did not arrive whole, or is not what it says; for all or for one."""
    wire.says("200 OK", body, kind, f"Content-Encoding: {label}")
    for path in ("/trakt/sync/history", "/tmdb/3/movie/603"):
        for accepts in ("", "gzip, br"):
            said = wired.get(path, Accept_Encoding=accepts)
            assert (said.status, said.code) == (502, "upstream_unreachable")
    assert len(wire.requests) == 4


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("accepts", ["", "gzip"])
def test_mislabelled_json(harry: Client, upstreams: Upstreams, packing: str, accepts: str) -> None:
    """Comes back readable, whatever the client takes; it is not kept, but for HEAD there is nothing to repair."""
    for app in (upstreams.trakt, upstreams.tmdb, upstreams.kinopub):
        app.switches.edge_packing = packing
    for path in ("/trakt/movies/trending", "/tmdb/3/movie/603", "/trakt/users/settings", "/kinopub/v1/items/113"):
        for _ in range(2):
            said = harry.get(path, Accept_Encoding=accepts)
            assert (said.status, said.cache, bool(said.json)) == (200, "Watchferry; fwd=miss", True)
    for path in ("/trakt/sync/history", "/kinopub/v1/history"):
        assert isinstance(harry.get(path, Accept_Encoding=accepts).json, (list, dict))
        assert harry.send("HEAD", path).status == 200
    wanted = {"movies": [{"ids": {"imdb": "tt0133093"}, "watched_at": "2026-01-01T10:00:00Z"}]}
    headers = {"Content-Type": "application/json"}
    said = harry.send("POST", "/trakt/sync/history", headers=headers, body=json.dumps(wanted).encode())
    assert (said.status, said.json["added"]["movies"]) == (201, 1)
    said = harry.get("/tmdb/3/movie/999999")
    assert (said.status, said.cache, said.json["status_code"]) == (404, "Watchferry; fwd=miss", 34)
    upstreams.tmdb.switches.edge_packing = None
    assert harry.get("/tmdb/3/movie/603").cache == "Watchferry; fwd=miss; stored"


def test_a_stale_copy_stands_in_for_what_nobody_can_read(wired: Client, wire: Wire, clock: Clock) -> None:
    """As for any other answer that did not come whole."""
    assert wired.get("/tmdb/3/movie/603").cache == "Watchferry; fwd=miss; stored"
    clock.advance(4000)
    wire.says("200 OK", b"garbage", JSON, "Content-Encoding: gzip")
    said = wired.get("/tmdb/3/movie/603")
    assert (said.status, said.body, said.cache) == (200, OK, "Watchferry; hit; detail=stale")


def test_bombs(wired: Client, wire: Wire) -> None:
    """A gigabyte in a kilobyte is opened no further than to what may come back, in whatever layer it lies."""
    made, bomb = zlib.compressobj(wbits=31), b""
    for _ in range(1000):
        bomb += made.compress(bytes(1_000_000))
    bomb += made.flush()
    for body in (bomb, gzip.compress(bomb)):
        for label in ("gzip", "gzip, gzip"):
            wire.says("200 OK", body, JSON, f"Content-Encoding: {label}")
            assert wired.get("/trakt/sync/history").code == "upstream_too_large"


@pytest.mark.parametrize(
    "where",
    [
        "http://evil.test/x",
        "https://evil.test/",
        "/elsewhere",
        "//evil.test",
        "javascript:x",
        "http://[",
        "magnet:?x=1",
        "",
    ],
)
def test_redirects_are_not_followed(wired: Client, wire: Wire, where: str) -> None:
    """They come back, and lead to the web or nowhere: a relative one would lead to us."""
    wire.says("302 Found", b"moved", "Content-Type: text/html", f"Location: {where}")
    said = wired.get("/trakt/sync/history")
    assert (said.status, said.body) == (302, b"moved")
    assert said.headers.get("location") == (where if where.startswith("http") else None)
    assert len(wire.requests) == 1


def test_the_user_s_token_never_comes_back(wired: Client, wire: Wire) -> None:
    """Not even where the upstream repeats the request's address, in a header or a page."""
    wired.get("/kinopub/v1/history")
    token = wire.line.partition("access_token=")[2].partition(" ")[0]
    assert len(token) > 16
    page = f"<a href='/v1/history?access_token={token}&page=2'>next</a>".encode()
    wire.says("404 Not Found", page, "Content-Type: text/html", f"X-Pagination-Next: /?access_token={token}")
    said = wired.get("/kinopub/v1/history")
    assert said.body == page.replace(token.encode(), b"[redacted]")
    assert token not in str(said.headers)
    wire.says("302 Found", b"", f"Location: https://kino.pub/?access_token={token}")
    assert token not in str(wired.get("/kinopub/v1/history").headers)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("text/html", "text/html"),
        ("image/svg+xml", "image/svg+xml"),
        ("text/javascript; charset=utf-8", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("Application/X-ECMAScript", "application/octet-stream"),
        ("text/css", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_nothing_from_elsewhere_runs_here(wired: Client, wire: Wire, sent: str, kept: str) -> None:
    """Pages are sandboxed by the policy of every answer; scripts and styles lose their type."""
    wire.says("200 OK", b"alert(1)", *([f"Content-Type: {sent}"] if sent else []))
    said = wired.get("/trakt/sync/history")
    assert said.headers["content-type"] == kept
    assert "sandbox" in said.headers["content-security-policy"]
    assert said.headers["x-content-type-options"] == "nosniff"


HOSTILE = [
    ("200 OK", "text/html; charset=utf-7", b"<script>alert(document.cookie)</script>"),
    ("200 OK", "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    ("200 OK", "text/javascript", b"alert(1)"),
    ("200 OK", "application/json", b"<script>alert(1)</script>"),
    ("200 OK", "application/json", b'{"x":"<script>alert(1)</script>"}'),
    ("404 Not Found", "text/html", b"<script>alert(1)</script>"),
    ("404 Not Found", "application/json", b'{"x":"<script>alert(1)</script>"}'),
    ("500 Oh", "image/svg+xml", b"<svg onload='alert(1)'/>"),
    ("302 Found", "text/html", b"<script>alert(1)</script>"),
]


@pytest.mark.parametrize("path", ["/tmdb/3/movie/603", "/kinopub/v1/items/113", "/kinopub/v1/history"])
@pytest.mark.parametrize("answer", HOSTILE)
def test_hostile_answers(wired: Client, wire: Wire, path: str, answer: tuple[str, str, bytes]) -> None:
    """Of any upstream, fetched or out of the cache: none of them runs, none sets anything, none leads to a script."""
    status, kind, body = answer
    hostile = ["Location: javascript:alert(1)", "Refresh: 0;url=https://evil.test", "Link: <x>; rel=preload"]
    hostile += ["Content-Security-Policy: script-src *", "Content-Disposition: inline"]
    for cookie in ([], [], ["Set-Cookie: __Host-session=x; Path=/; Secure"]):
        wire.says(status, body, f"Content-Type: {kind}", *hostile, *cookie)
        said = wired.get(path)
        assert (said.status, said.body) == (int(status[:3]), body)
        assert said.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["content-type"] == ("application/octet-stream" if "javascript" in kind else kind)
        assert not {"set-cookie", "refresh", "link", "location"} & said.headers.keys()
        assert not said.event["cookies"]
    kept = kind == "application/json" and body.startswith(b"{") and path != "/kinopub/v1/history"
    assert said.cache.startswith("Watchferry; hit") is kept


@pytest.mark.parametrize("packed", [False, True])
def test_too_large(wired: Client, wire: Wire, packed: bool) -> None:
    """502 `upstream_too_large`; what counts is the size once unpacked. Up to it, all comes back."""
    for size, status in ((4_500_000, 200), (4_500_001, 502)):
        body = b"7" * size
        headers = ["Content-Encoding: gzip"] if packed else []
        wire.says("200 OK", gzip.compress(body, 1) if packed else body, "Content-Type: text/plain", *headers)
        said = wired.get("/trakt/sync/history")
        assert said.status == status
        assert said.body == body if status == 200 else said.code == "upstream_too_large"


def test_a_trickle_ends_at_the_deadline(wired: Client, wire: Wire, clock: Clock) -> None:
    """25 s after the request's arrival, however often a byte comes: 504 `upstream_timeout`."""
    wire.trickle = threading.Event()
    began = time.monotonic()
    said = wired.send("GET", "/trakt/sync/history", arrived=clock.now - 24.7)
    assert (said.status, said.code) == (504, "upstream_timeout")
    assert time.monotonic() - began < 5
    wire.trickle.set()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"])
def test_an_upstream_that_breaks_off(wired: Client, wire: Wire, answer: bytes) -> None:
    """502 `upstream_unreachable`, and never a part of an answer."""
    wire.answer = answer
    assert wired.get("/trakt/sync/history").code == "upstream_unreachable"


def test_nobody_there(new_client: NewClient) -> None:
    """502 `upstream_unreachable` for a host that is not there."""
    harry = new_client(trakt_api_url="https://nowhere.test")
    said = harry.get("/trakt/movies/trending")
    assert (said.status, said.code) == (502, "upstream_unreachable")


@pytest.mark.parametrize("query", ["a b", "x=ключ", "a#b", "a\nb", "x" * 9000])
def test_bad_queries(wired: Client, wire: Wire, query: str) -> None:
    """400 `validation`; nothing goes out."""
    assert wired.get(f"/trakt/sync/history?{query}").code == "validation"
    assert not wire.requests
