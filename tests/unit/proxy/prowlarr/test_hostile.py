"""What a Prowlarr, or who took its place, may answer, and what comes of it on our origin (http-api.md, Proxy)."""

import gzip
import json
import zlib
from urllib.parse import quote

import pytest

from tests.unit.proxy.conftest import Client, Got
from tests.unit.proxy.prowlarr.conftest import KEY, SITE, Home
from tests.unit.proxy.wire import Wire
from tests.upstreams import Request
from tests.upstreams.prowlarr import BROKEN, DISABLED, ELSEWHERE, INWARD, LIMITED, Prowlarr, magnet, torrent
from watchferry.proxy.forward import LARGEST

SEARCH, DOWNLOAD = "/prowlarr/api/v1/search?query=the", "/prowlarr/1/download?link=a&file=b"
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def check(said: Got) -> Got:
    """What holds for every answer."""
    assert said.headers["content-security-policy"] == POLICY
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["cache-control"] == "no-store"
    assert "set-cookie" not in said.headers
    assert "cookies" not in said.event or not said.event["cookies"]
    assert KEY not in str(said.headers)
    assert KEY.encode() not in said.body
    return said


HTML = b"<html><script>alert(document.cookie)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", HTML),
        ("text/html; charset=utf-7", b"+ADw-script+AD4-"),
        ("image/svg+xml", SVG),
        ("application/xhtml+xml", HTML),
        ("text/javascript", b"alert(1)"),
        ("application/json+x", b"[]"),
        ("text/css", b"a{}"),
        ("multipart/x-mixed-replace; boundary=x", b"--x"),
        ("application/pdf", b"%PDF"),
        ("text/plain", HTML),
        ("image/png", HTML),
        ("", HTML),
        ("application/json, text/html", b"[]"),
        ("text/html;application/json", HTML),
        ("application/json", HTML),
        ("application/json", b"[" * 100_000),
        ("application/json", b"[NaN]"),
        ("application/json", b"\xff\xfe["),
        ("application/json", b'["\\ud800"]'),
    ],
)
def test_types(hostile: Client, wire: Wire, kind: str, body: bytes) -> None:
    """Whatever is not JSON, a torrent, an nzb or XML is an attachment of nothing in particular; the status stays."""
    for path in (SEARCH, DOWNLOAD):
        for status in ("200 OK", "404 Not Found", "500 Oh"):
            wire.says(status, body, *([f"Content-Type: {kind}"] if kind else []), "Content-Disposition: inline")
            said = check(hostile.get(path))
            assert (said.status, said.body) == (int(status[:3]), body)
            assert said.headers["content-type"] == "application/octet-stream"
            assert said.headers["content-disposition"] == "attachment"


@pytest.mark.parametrize(
    "kind",
    [
        *("application/x-bittorrent", "application/x-nzb", "application/rss+xml", "text/xml; charset=utf-8"),
        *("application/xml", "Application/X-BitTorrent"),
    ],
)
def test_files(hostile: Client, wire: Wire, kind: str) -> None:
    """Torrents, nzb and XML keep their type and every byte; they are attachments, by their own name."""
    body = torrent("x") + HTML
    name = "attachment; filename=\"a.torrent\"; filename*=UTF-8''a.torrent"
    wire.says("200 OK", body, f"Content-Type: {kind}", f"Content-Disposition: {name}")
    said = check(hostile.get(DOWNLOAD))
    assert (said.status, said.body) == (200, body)
    assert said.headers["content-type"] == kind
    assert said.headers["content-disposition"] == name


@pytest.mark.parametrize(
    "given", ["inline; filename=x.html", "attachment\tx", 'attachment; filename="\xe9"', "attachment; x=" + "y" * 2000]
)
def test_dispositions(hostile: Client, wire: Wire, given: str) -> None:
    """An attachment in any case; a name that no header can carry is left out."""
    wire.says("200 OK", torrent("x"), "Content-Type: application/x-bittorrent", f"Content-Disposition: {given}")
    assert check(hostile.get(DOWNLOAD)).headers["content-disposition"] == "attachment"


def test_headers(hostile: Client, wire: Wire) -> None:
    """Nothing of Prowlarr's that sets a cookie, a policy, a cache or a challenge comes back; Retry-After does."""
    wire.says(
        "429 Slow",
        b'{"message":"later","description":"at X in Y"}',
        *("Content-Type: application/json", "Retry-After: 7", "Set-Cookie: __Host-session=x; Path=/; Secure"),
        *("Content-Security-Policy: script-src *", "Cache-Control: public, max-age=9", 'ETag: "x"', "Refresh: 0"),
        *("Access-Control-Allow-Origin: *", "WWW-Authenticate: Basic", "Link: <x>; rel=preload", "X-Evil: 1"),
    )
    said = check(hostile.get(SEARCH))
    assert (said.status, said.json) == (429, {"message": "later"})
    assert said.headers["retry-after"] == "7"
    assert set(said.headers) == {
        *("content-security-policy", "x-content-type-options", "cache-control", "cache-status"),
        *("content-type", "retry-after"),
    }


TRACE = "   at System.Net.Http.HttpClient.Send(HttpRequestMessage r) in /src/Http.cs:line 5\n   at A.<B>d__1.MoveNext()"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps({"message": "kept", "content": {"description": TRACE}})),
        ("application/json", json.dumps([{"errorMessage": "kept", "Description": TRACE}])),
        ("application/json", json.dumps({"error": "kept", "stackTrace": "at System.X.Y()"})),
        ("application/json", json.dumps({"message": f"kept\n{TRACE}"})),
        ("application/json", json.dumps({"message": f"kept\n{TRACE}"})[:-1]),
        ("text/plain", f"System.Exception: kept\r\n{TRACE}"),
        ("", f"kept\n{TRACE}"),
        ("application/rss+xml", '<error description="kept&#xD;&#xA;' + TRACE.replace("<", "&lt;") + '"/>'),
    ],
)
def test_stack_traces(hostile: Client, wire: Wire, kind: str, body: str) -> None:
    """Come back in no error, wherever they stand; what it says besides stays."""
    for path in (SEARCH, DOWNLOAD):
        wire.says("500 Oh", body.encode(), *([f"Content-Type: {kind}"] if kind else []))
        said = check(hostile.get(path))
        assert said.status == 500
        assert b"kept" in said.body
        assert not [word for word in (b" at ", b"System.Net", b"System.X", b"MoveNext", b".cs") if word in said.body]


# ---- redirects


def led(client: Client, wire: Wire, location: str, status: int = 302) -> Got:
    wire.says(f"{status} Found", b"<a>there</a>", f"Location: {location}", "Content-Type: text/html")
    return check(client.get(DOWNLOAD))


@pytest.mark.parametrize(
    "where",
    [
        magnet("A film (2024)"),
        "MAGNET:?dn=x&xt=urn:btih:ABCDEF",
        "magnet:?xt.1=urn%3Abtmh%3A1220aa&tr=http://t.test",
        "https://files.test/a%20b.torrent?pass=1&x=[1]",
        "http://user:pw@files.test:8080/x",
        "HTTPS://FILES.TEST/x",
        "https://tracker.test/7/download?id=1",
    ],
)
def test_redirects(hostile: Client, wire: Wire, where: str) -> None:
    """Come back as they are, unfollowed."""
    for status in (301, 302, 303, 307, 308):
        said = led(hostile, wire, where, status)
        assert (said.status, said.headers["location"], said.body) == (status, where, b"")
    assert len(wire.requests) == 5


ASTRAY = [
    *("javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd"),
    *("ftp://files.test/x", "blob:x", "about:blank", "java\tscript:alert(1)", "\x01javascript:alert(1)"),
    *("magnet:", "magnet:?dn=x", "magnet:javascript:alert(1)", "magnet://x?xt=urn:btih:a", "magnet:?xt=urn:x:1"),
    *("http://", "http:\\\\evil.test", "https:///x", "//", "http://[::1", "", " ", "view-source:http://x.test"),
    *("intent://x#Intent;end", "wf_x:y", "https://%65vil.test/"),
]


def test_other_schemes(hostile: Client, wire: Wire) -> None:
    """502 `upstream_refused`, and no Location."""
    for where in ASTRAY:
        said = led(hostile, wire, where)
        assert (said.status, said.code) == (502, "upstream_refused"), where
        assert "location" not in said.headers


@pytest.mark.parametrize(
    "where",
    [
        "{own}/base/3/download?apikey={key}&link=x%2By&file=z",
        "/base/3/download?link=x%2By&file=z&apikey={key}",
        "../3/download?ApiKey={key}&link=x%2By&file=z",
        "http://prowlarr.internal:9696/3/download?apikey={key}&link=x%2By&file=z",
        "{own}/base/api/v1/indexer/3/download?link=x%2By&file=z",
        "https://127.0.0.1/3/download?link=x%2By&file=z",
        "http://10.0.0.5:9696/3/download?link=x%2By&file=z",
        "http://localhost/3/download?link=x%2By&file=z",
    ],
)
def test_a_redirect_to_prowlarr_itself(hostile: Client, wire: Wire, where: str) -> None:
    """Leads here, with a ticket that lets in whoever follows it, and without the key."""
    said = led(hostile, wire, where.format(own=wire.url, key=KEY))
    link, ticket = said.headers["location"].split("&ticket=")
    assert (said.status, link) == (302, f"{SITE}/3/download?link=x%2By&file=z")
    wire.says("200 OK", torrent("x"), "Content-Type: application/x-bittorrent")
    hostile.cookies.clear()
    followed = hostile.get(f"/prowlarr/3/download?link=x%2By&file=z&ticket={ticket}")
    assert (followed.status, followed.body) == (200, torrent("x"))
    assert wire.line == "GET /base/3/download?link=x%2By&file=z HTTP/1.1"


@pytest.mark.parametrize(
    "where",
    [
        *("{own}/base/login?returnUrl=x", "/login", "{own}/base/api/v1/config/host", "https://127.0.0.1/api/v1/search"),
        *("http://localhost:9696/x", "http://prowlarr:9696/login", "http://192.168.1.5/a.torrent", "http://[::1]/x"),
        *("https://127.0.0.1/1/download?link=a&file=b", "http://127.1/x", "http://%6cocalhost/x"),
    ],
)
def test_a_redirect_to_a_page_of_prowlarr(hostile: Client, wire: Wire, where: str) -> None:
    """Or to where only the inside gets, or to what was asked for, by another scheme: 502, and nobody is told where."""
    said = led(hostile, wire, where.format(own=wire.url))
    assert (said.status, said.code) == (502, "upstream_refused")
    assert wire.url not in str(said)
    assert "location" not in said.headers


def test_a_redirect_that_no_header_can_carry(hostile: Client, wire: Wire) -> None:
    """502: API Gateway would answer 500."""
    assert led(hostile, wire, "https://files.test/" + "x" * 9000).code == "upstream_too_large"
    said = led(hostile, wire, "magnet:?xt=urn:btih:a&dn=\u0424\u0438".encode().decode("latin-1"))
    assert said.headers["location"] == "magnet:?xt=urn:btih:a&dn=%D0%A4%D0%B8"


# ---- sizes


@pytest.mark.parametrize("encoding", ["gzip", "deflate", ""])
def test_too_large(hostile: Client, wire: Wire, encoding: str) -> None:
    """4.5 MB, unpacked: 502 `upstream_too_large`; a small packed answer may be a bomb."""
    body = b"0" * (LARGEST + 1)
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding, bytes)(body)
    wire.says("200 OK", packed, "Content-Type: application/x-bittorrent", f"Content-Encoding: {encoding or 'identity'}")
    said = check(hostile.get(DOWNLOAD))
    assert (said.status, said.code) == (502, "upstream_too_large")


def test_bomb_in_a_bomb(hostile: Client, wire: Wire) -> None:
    """A gigabyte of zeros, packed, never stands in memory; one that cannot be unpacked is 502."""
    made, packed = zlib.compressobj(wbits=31), b""
    for _ in range(1000):
        packed += made.compress(bytes(1_000_000))
    wire.says("200 OK", packed + made.flush(), "Content-Type: application/json", "Content-Encoding: gzip")
    assert check(hostile.get(SEARCH)).code == "upstream_too_large"
    wire.says("200 OK", b"not gzip", "Content-Type: application/json", "Content-Encoding: br")
    assert check(hostile.get(SEARCH)).code == "upstream_unreachable"


def test_just_small_enough(hostile: Client, wire: Wire) -> None:
    """Every byte of it; packed for whoever takes that."""
    body = bytes(range(256)) * (LARGEST // 256)
    wire.says("200 OK", gzip.compress(body, 1), "Content-Type: application/x-bittorrent", "Content-Encoding: gzip")
    said = check(hostile.get(DOWNLOAD, Accept_Encoding="gzip"))
    assert (said.status, said.body, said.headers["content-encoding"]) == (200, body, "gzip")


def test_links_that_make_it_too_large(hostile: Client, wire: Wire) -> None:
    """Tickets are longer than what they stand in place of."""
    release = {"downloadUrl": f"{wire.url}/1/download?link=x&file=y"}
    body = json.dumps([release] * 60_000).encode()
    assert len(body) < LARGEST
    wire.says("200 OK", body, "Content-Type: application/json")
    assert check(hostile.get(SEARCH)).code == "upstream_too_large"


# ---- the key


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps([{"title": f"x{KEY}y", KEY: [{"deep": KEY}]}]).encode()),
        ("application/json", b'{"message":"' + "".join(f"\\u{ord(c):04x}" for c in KEY).encode() + b'"}'),
        ("application/json", f'{{"Description":"at X {KEY}","message":"m {KEY}"}}'.encode()),
        ("application/json", b"{" + KEY.encode()),
        ("application/rss+xml", f'<error description="{KEY}"/>'.encode()),
        ("text/html", f"<a href='?apikey={KEY}'>".encode()),
        ("application/x-bittorrent", b"d8:announce" + KEY.encode()),
    ],
)
@pytest.mark.parametrize("path", [SEARCH, DOWNLOAD])
def test_the_key_comes_back_nowhere(hostile: Client, wire: Wire, path: str, kind: str, body: bytes) -> None:
    """However Prowlarr echoes it: in a body, in a header, in an address."""
    wire.says(
        "500 Oh", body, f"Content-Type: {kind}", f"Retry-After: {KEY}", f"Content-Disposition: attachment; x={KEY}"
    )
    said = check(hostile.get(path))
    assert b"redacted" in said.body
    assert b"at X" not in said.body
    assert KEY not in str(led(hostile, wire, f"https://files.test/?k={KEY}"))


def test_a_key_with_signs_in_it(wiring: object, wire: Wire) -> None:
    """In its percent-encoded form, and as JSON writes it."""
    key = 'a"b\\c/d+e&f=g%'
    home = Home(wiring, wire.url, key)  # type: ignore[arg-type]
    home.save(wire.url, key=key)
    wire.says("200 OK", json.dumps([{"a": key, "b": quote(key, safe="")}]).encode(), "Content-Type: application/json")
    said = home.browser().get(SEARCH)
    assert said.json == [{"a": "[redacted]", "b": "[redacted]"}]
    assert wire.headers["x-api-key"] == key


def test_logs_hold_neither_key_nor_address(hostile: Client, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Of a call that went well or did not."""
    wire.says("200 OK", b"[]", "Content-Type: application/json")
    hostile.get(SEARCH)
    wire.answer = b"nonsense"
    hostile.get(DOWNLOAD)
    text = " ".join(str(vars(record)) for record in caplog.records)
    assert "/api/prowlarr/api/v1/search" in text
    assert "upstream_unreachable" in text
    assert KEY not in text
    assert wire.url.removeprefix("http://") not in text


# ---- what the real one answers to downloads


def test_download_errors(harry: Client, prowlarr: Prowlarr) -> None:
    """XML passes as an attachment, 429 with its Retry-After."""
    errors = {DISABLED: (410, "Indexer is disabled"), LIMITED: (429, "Grab Limit"), BROKEN: (500, "Name or service")}
    for indexer, (status, what) in errors.items():
        said = check(harry.get(_link(prowlarr, indexer)))
        assert (said.status, said.headers["content-type"]) == (status, "application/rss+xml")
        assert what in said.body.decode()
        assert said.headers["content-disposition"] == "attachment"
        assert said.headers.get("retry-after") == ("3600" if status == 429 else None)


def test_other_downloads(harry: Client, home: Home, prowlarr: Prowlarr) -> None:
    """A redirect elsewhere, one to Prowlarr itself, a link that is not its own, an indexer that is not there."""
    said = check(harry.get(_link(prowlarr, ELSEWHERE)))
    assert (said.status, said.headers["location"][:26]) == (301, "https://files.test/dl/A%20")
    said = check(harry.get(_link(prowlarr, INWARD)))
    assert said.status == 301
    assert said.headers["location"].startswith(f"{SITE}/1/download?link=")
    said = check(harry.get("/prowlarr/1/download?link=x&file=y"))
    assert (said.status, said.json) == (500, {"message": "The payload was invalid."})
    assert check(harry.get("/prowlarr/99/download?link=x&file=y")).json == {"message": "Indexer Not Found"}
    assert check(harry.get("/prowlarr/1/download")).json == {"message": "Invalid Prowlarr link"}


@pytest.mark.parametrize("kind", ["download", "magnet"])
def test_documented_downloads(harry: Client, prowlarr: Prowlarr, kind: str) -> None:
    """Where a Prowlarr has them; 404 where it has not, which is all current ones."""
    path = f"/prowlarr/api/v1/{kind}/redirect/123"
    assert check(harry.get(path)).json == {"message": "NotFound"}
    prowlarr.options.set(documented=True)
    said = check(harry.get(path))
    assert said.status == 302
    assert said.headers["location"] == (
        magnet("Release.123") if kind == "magnet" else "http://files.test/Release.123.torrent"
    )


def _link(prowlarr: Prowlarr, indexer: int) -> str:
    address = prowlarr.address(Request("GET", "/"), indexer, "A film")
    return "/prowlarr" + address.removeprefix("http://localhost:9696").replace(f"apikey={prowlarr.api_key}&", "")
