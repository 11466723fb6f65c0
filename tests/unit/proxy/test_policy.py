"""The one table: all that the documents list, and nothing else (http-api.md, Proxy)."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.endpoints import in_readme, listed
from tests.unit.proxy.conftest import Client
from tests.upstreams import Upstreams
from watchferry.proxy.policy import PARAMETERS, TABLE, Endpoint, Prefix, find

SAMPLES = {
    "tmdb_id": "603",
    "season_number": "1",
    "episode_number": "2",
    "external_id": "tt0133093",
    "imdb_id": "tt0133093",
    "types": "movie",
    "show_id": "silo-2023",
    "item_id": "113",
    "indexer_id": "7",
    "release_id": "123",
}

DOCUMENTED = """
tmdb GET /3/configuration 86400
tmdb GET /3/movie/603 3600
tmdb GET /3/movie/603/images 86400
tmdb GET /3/movie/603/videos 3600
tmdb GET /3/tv/1399 3600
tmdb GET /3/tv/1399/images 86400
tmdb GET /3/tv/1399/season/1 3600
tmdb GET /3/tv/1399/season/1/images 86400
tmdb GET /3/tv/1399/season/1/episode/2 3600
tmdb GET /3/tv/1399/season/1/episode/2/external_ids 3600
tmdb GET /3/find/tt0133093 3600
tmdb GET /3/search/movie 300
tmdb GET /3/search/tv 300
tmdb GET /3/configuration/countries 86400
tmdb GET /3/configuration/jobs 86400
tmdb GET /3/configuration/languages 86400
tmdb GET /3/configuration/primary_translations 86400
tmdb GET /3/configuration/timezones 86400
trakt GET /users/settings 60
trakt GET /movies/trending 300
trakt GET /shows/trending 300
trakt GET /sync/watched/movies 0
trakt GET /sync/watched/shows 0
trakt GET /sync/history 0
trakt GET /sync/history/shows 0
trakt GET /sync/history/shows/180770 0
trakt POST /sync/history 0
trakt GET /search/imdb/tt1104001 3600
trakt GET /search/movie 3600
trakt GET /search/show 3600
trakt GET /shows/180770/seasons/1 3600
trakt GET /sync/last_activities 0
trakt GET /sync/history/movies 0
trakt GET /sync/history/episodes 0
kinopub GET /v1/history 0
kinopub GET /v1/watching 0
kinopub GET /v1/watching/movies 0
kinopub GET /v1/watching/serials 0
kinopub GET /v1/items 300
kinopub GET /v1/items/search 300
kinopub GET /v1/items/113 300
prowlarr GET /api/v1/search 0
prowlarr GET /api/v1/download/redirect/123 0
prowlarr GET /api/v1/magnet/redirect/123 0
prowlarr GET /7/download 0
"""


@pytest.mark.parametrize("line", DOCUMENTED.split("\n")[1:-1])
def test_what_the_documents_list(line: str) -> None:
    """Is open, with its cache class; HEAD wherever GET is, never where only POST is."""
    prefix, method, path, seconds = line.split()
    found = find(prefix, method, path)  # type: ignore[arg-type]
    assert found is not None
    assert found.seconds == int(seconds)
    head = find(prefix, "HEAD", path)  # type: ignore[arg-type]
    assert method == "POST" or head == found


def test_nothing_that_the_documents_do_not_list() -> None:
    """Every row is there for one of the lines above."""
    lines = [line.split() for line in DOCUMENTED.split("\n")[1:-1]]
    used = {find(prefix, method, path) for prefix, method, path, _ in lines}  # type: ignore[arg-type]
    assert used == set(TABLE)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/kinopub/v1/watching/toggle"),
        ("GET", "/kinopub/v1/watching/marktime"),
        ("GET", "/kinopub/v1/watching/togglewatchlist"),
        ("POST", "/kinopub/v1/device/notify"),
        ("POST", "/kinopub/oauth2/device"),
        ("GET", "/kinopub/v2/history"),
        ("GET", "/trakt/oauth/authorize"),
        ("POST", "/trakt/sync/history/remove"),
        ("DELETE", "/trakt/sync/history"),
        ("PUT", "/trakt/users/settings"),
        ("POST", "/trakt/users/settings"),
        ("GET", "/trakt/users/settings/"),
        ("GET", "/trakt/users/../users/settings"),
        ("GET", "/trakt/users/./settings"),
        ("GET", "/trakt/Users/Settings"),
        ("GET", "/trakt/search/person"),
        ("GET", "/tmdb/3/account"),
        ("POST", "/tmdb/3/movie/603"),
        ("GET", "/tmdb/4/movie/603"),
        ("GET", "/tmdb/3/movie/603/../../account"),
        ("GET", "/tmdb/3/movie/%36%30%33"),
        ("GET", "/tmdb/3/movie/٦٠٣"),
        ("GET", "/tmdb/3/movie/-1"),
        ("GET", "/tmdb/3/movie/603\\..\\x"),
        ("GET", "/tmdb/3/movie/603\r\nHost: evil"),
        ("GET", "/tmdb/3/movie/603 HTTP/1.1"),
        ("GET", "/tmdb/3/find/tt0133093@evil.test"),
        ("GET", "/tmdb/3/find/a.b"),
        ("GET", "/tmdb//evil.test/3/movie/603"),
        ("GET", "/tmdb/http://evil.test/3/movie/603"),
        ("GET", "/tmdb/3/movie/" + "1" * 600),
    ],
)
def test_everything_else(harry: Client, stranger: Client, upstreams: object, method: str, path: str) -> None:
    """404 `unknown_endpoint`, whoever asks; nothing goes upstream."""
    for client in (harry, stranger):
        said = client.send(method, path)
        assert (said.status, said.code) == (404, "unknown_endpoint")
    assert not any(app.requests() for app in upstreams.apps)  # type: ignore[attr-defined]


CHANGES_STATE = [
    "/v1/watching/toggle",
    "/v1/watching/marktime",
    "/v1/watching/togglewatchlist",
    "/v1/items/vote",
    "/v1/history/clear-for-media",
    "/v1/history/clear-for-season",
    "/v1/history/clear-for-item",
]
"""Kinopub does these by GET."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda path: path,
    "capitals": str.upper,
    "a capital": lambda path: path.replace("/watching", "/Watching").replace("/items", "/Items").title(),
    "double slashes": lambda path: path.replace("/", "//"),
    "three slashes at the end": lambda path: path + "///",
    "a slash at the end": lambda path: path + "/",
    "a percent sign": lambda path: path[:-1] + f"%{ord(path[-1]):02x}",
    "all percent": lambda path: "".join(char if char == "/" else f"%{ord(char):02X}" for char in path),
    "slashes too": lambda path: "/v1/" + path.removeprefix("/v1/").replace("/", "%2F"),
    "percent twice": lambda path: "/v1/" + path.removeprefix("/v1/").replace("/", "%252f"),
    "a letter twice": lambda path: path[:-1] + f"%25{ord(path[-1]):02x}",
    "a dot": lambda path: path.replace("/v1/", "/v1/./"),
    "a dot at the end": lambda path: path + "/.",
    "dots": lambda path: path.replace("/v1/", "/v1/items/../"),
    "dots from what is open": lambda path: "/v1/items/113/../.." + path.removeprefix("/v1"),
    "dots in percent": lambda path: path.replace("/v1/", "/v1/watching/%2e%2e/"),
    "dots in percent twice": lambda path: path.replace("/v1/", "/v1/watching/%252e%252E/"),
    "a semicolon": lambda path: path + ";x=1",
    "a semicolon before": lambda path: path.replace("/v1/", "/v1;x/"),
    "a semicolon within": lambda path: path.rpartition("/")[0] + ";/" + path.rpartition("/")[2],
    "a backslash": lambda path: "/v1/" + path.removeprefix("/v1/").replace("/", "\\"),
    "a zero": lambda path: path + "%00",
    "a line": lambda path: path + "%0a",
    "a space": lambda path: path + "%20",
    "an ending": lambda path: path + ".json",
    "a question mark": lambda path: path + "%3Fid=1",
    "wide letters": lambda path: path.replace("o", "\uff4f").replace("i", "\uff49"),
    "another version": lambda path: path.replace("/v1/", "/v1/v1/"),
}


@pytest.mark.parametrize("path", CHANGES_STATE)
def test_reads_of_kinopub_that_change_state(harry: Client, upstreams: Upstreams, path: str) -> None:
    """404 `unknown_endpoint` in any spelling, by any method, decoded on the way as often as one likes."""
    for spell in SPELLINGS.values():
        spelt = spell(path)
        for sent in dict.fromkeys((spelt, unquote(spelt), unquote(unquote(spelt)))):
            if "?" in sent:
                continue
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
                said = harry.send(method, f"/kinopub{sent}?id=113&video=1")
                assert (said.status, said.headers["content-type"]) == (404, "application/problem+json"), sent
                assert method == "HEAD" or said.code == "unknown_endpoint", sent
    assert upstreams.kinopub.requests() == []


@given(st.sampled_from(["tmdb", "trakt", "kinopub", "prowlarr"]), st.text(max_size=60))
@example("trakt", "/sync/history\n")
@example("tmdb", "/3/movie/1\u0661")
def test_no_text_that_means_more_than_it_says(prefix: Prefix, text: str) -> None:
    """Whatever is found is plain ASCII, goes out as it came in, and leads nowhere else."""
    for path in (text, f"/{text}", *(f"{row.path.partition('{')[0]}{text}" for row in TABLE)):
        if find(prefix, "GET", path):
            assert re.fullmatch(r"(/[A-Za-z0-9_,-]+)+", path, re.ASCII)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.prefix} {row.path}")
def test_every_row_is_found_by_its_own_path(row: Endpoint) -> None:
    """No row hides another."""
    path = re.sub(r"\{(\w+)\}", lambda found: SAMPLES[found[1]], row.path)
    assert find(row.prefix, row.method, path) is row
    assert set(SAMPLES) == set(PARAMETERS)


def test_what_is_for_all_is_fetched_with_nobody_s_token() -> None:
    """A row that would mix the two cannot be written."""
    with pytest.raises(ValueError, match="that user's"):
        Endpoint("trakt", "GET", "/x", 60, "user", "all")
    assert not any(row.credential == "user" for row in TABLE if row.scope == "all")


def test_readme_has_this_table() -> None:
    """`python -m tests.endpoints` writes it."""
    assert in_readme() == listed()
