"""Prowlarr's stand-in: as strict and as odd as reality.md says."""

import httpx
import pytest

from tests.upstreams import AppTransport, Upstreams
from tests.upstreams.prowlarr import Prowlarr, torrent


@pytest.fixture
def app(upstreams: Upstreams) -> Prowlarr:
    return upstreams.prowlarr


@pytest.fixture
def http(app: Prowlarr) -> httpx.Client:
    return httpx.Client(transport=AppTransport(app), base_url="http://nas:9696", headers={"x-api-key": app.api_key})


def test_links_leak_key_and_address(http: httpx.Client, app: Prowlarr) -> None:
    """They are the real ones: whoever has them needs nothing else, and the link in them is nobody else's to make."""
    found = http.get("/api/v1/search?query=the&indexerIds=1").json()
    link = found[0]["downloadUrl"]
    assert link.startswith(f"http://nas:9696/1/download?apikey={app.api_key}&link=")
    got = httpx.Client(transport=AppTransport(app)).get(link)
    assert (got.content, got.headers["content-type"]) == (torrent(found[0]["title"]), "application/x-bittorrent")
    assert http.get("/1/download?link=b3RoZXI&file=x").status_code == 500


def test_credentials(http: httpx.Client, app: Prowlarr) -> None:
    """`?apikey=` counts before the header, whatever its case; 401 has no body; HEAD is not answered."""
    for query in ("apikey=x", "ApiKey=x"):
        refused = http.get(f"/api/v1/search?{query}")
        assert (refused.status_code, refused.content) == (401, b"")
    plain = httpx.Client(transport=AppTransport(app), base_url="http://nas:9696")
    assert plain.get("/api/v1/search").status_code == 401
    assert plain.get(f"/api/v1/search?apikey={app.api_key}").status_code == 200
    assert plain.get("/api/v1/search", headers={"authorization": f"Bearer {app.api_key}"}).status_code == 200
    assert http.head("/api/v1/search").status_code == 405


def test_errors(http: httpx.Client) -> None:
    """JSON with a stack trace, an array of validation errors, ASP.NET's own, XML for downloads."""
    assert "   at " in http.get("/api/v1/search?indexerIds=99").json()["description"]
    assert http.get("/api/v1/search?type=x").json()[0]["severity"] == "error"
    assert http.get("/api/v1/search?limit=x").headers["content-type"].startswith("application/problem+json")
    assert http.get("/api/v1/download/redirect/1").status_code == 404
    found = http.get("/api/v1/search?query=the&indexerIds=6").json()
    limited = http.get(found[0]["downloadUrl"])
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3600")
    assert limited.headers["content-type"] == "application/rss+xml"


def test_url_base(http: httpx.Client, app: Prowlarr) -> None:
    """Everything is under it, and whoever asks without is sent there."""
    app.options.set(url_base="/prowlarr", server_url="http://10.0.0.2:9696")
    assert http.get("/api/v1/search").headers["location"] == "/prowlarr/api/v1/search"
    found = http.get("/prowlarr/api/v1/search?query=the").json()
    assert found[0]["downloadUrl"].startswith("http://10.0.0.2:9696/prowlarr/1/download?")
