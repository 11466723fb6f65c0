"""Prowlarr through the deployed stack: the page, programs, and clients that follow its links (http-api.md, Proxy).

The stand-in listens on this machine, which AllowPrivateProwlarr lets the function call.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cloud.stack import LocalTransport
from tests.stack.deployed import POLICY, Deployed
from tests.stack.person import Person
from tests.stack.test_facade import run
from tests.upstreams.prowlarr import DISABLED, ELSEWHERE, INWARD, LIMITED, MAGNETS, NZBS, TORRENTS, magnet, torrent

pytestmark = pytest.mark.stack

SEARCH = "prowlarr/api/v1/search"


@pytest.fixture(scope="module")
def person(deployed: Deployed) -> Person:
    person = deployed.person("at home")
    given = {"base_url": deployed.upstreams.prowlarr_url, "api_key": deployed.upstreams.prowlarr.api_key}
    deployed.secrets.add(given["api_key"])
    assert person.web.put("auth/prowlarr", json=given).status_code == 204
    return person


@pytest.fixture(scope="module")
def token(person: Person) -> str:
    return str(person.call("POST", "auth/api-tokens", json={"name": "a client of Prowlarr"})["token"])


@pytest.fixture
def stranger(deployed: Deployed) -> Iterator[httpx.Client]:
    """Sends nothing but what stands in an address."""
    hooks: Any = {"response": [deployed.hear]}
    with httpx.Client(transport=LocalTransport(), base_url=deployed.stack.api_url + "/", event_hooks=hooks) as client:
        yield client


def test_search_and_follow(person: Person, stranger: httpx.Client) -> None:
    """The document's search; links lead here, hold neither key nor inner address, and let in whoever follows them."""
    at = person.at.upstreams
    said = person.web.get(SEARCH, params={"query": "the", "type": "movie"})
    assert said.status_code == 200
    assert said.headers["cache-status"] == "Watchferry; fwd=bypass"
    assert at.prowlarr.api_key not in said.text
    assert at.prowlarr_url not in said.text
    seen = set()
    for result in said.json():
        for name in {"downloadUrl", "magnetUrl"} & set(result):
            assert result[name].startswith(f"{person.at.stack.api_url}/prowlarr/")
            if (result["indexerId"], name) in seen:
                continue
            seen.add((result["indexerId"], name))
            got = stranger.get(result[name])
            if name == "magnetUrl":
                assert (got.status_code, got.headers["location"]) == (301, magnet(result["title"]))
            elif result["indexerId"] == TORRENTS:
                assert (got.status_code, got.content) == (200, torrent(result["title"]))
                assert got.headers["content-type"] == "application/x-bittorrent"
                assert got.headers["content-disposition"].startswith("attachment; filename=")
            else:
                assert (got.status_code, got.headers["content-type"]) == (200, "application/x-nzb")
            headed = stranger.head(result[name])
            assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert seen == {
        (TORRENTS, "downloadUrl"), (TORRENTS, "magnetUrl"), (MAGNETS, "magnetUrl"), (NZBS, "downloadUrl")
    }  # fmt: skip
    last = at.prowlarr.requests()[-1]
    assert last.headers["x-api-key"] == at.prowlarr.api_key
    assert "ticket" not in str(last.query)


def test_queries(person: Person) -> None:
    """By IMDb id, without a type, with repeated keys in their order, with doubled slashes; empty ones are empty."""
    movie = next(movie for movie in person.at.library.catalogue.movies if movie.imdb)
    by_id = person.call(
        "GET", SEARCH, params={"query": f"imdbid:{str(movie.imdb).removeprefix('tt')}", "type": "movie"}
    )
    assert by_id
    assert all(movie.title in result["title"] for result in by_id)
    asked = "categories=2000&query=the&categories=5000&indexerIds=3&indexerIds=1"
    assert person.web.get(f"prowlarr//api/v1//search?{asked}").status_code == 200
    entry = person.at.upstreams.prowlarr.requests("search$")[-1]
    assert "&".join(f"{name}={value}" for name, value in entry.query) == asked
    assert person.call("GET", SEARCH, params={"query": "there is no such film"}) == []
    headed = person.web.head(SEARCH, params={"query": "the"})
    assert (headed.status_code, headed.content) == (200, b"")


def test_callers(deployed: Deployed, token: str, stranger: httpx.Client) -> None:
    """A token where Prowlarr's clients put their key; nobody without one; none in a link of another site."""
    for headers, query in (
        ({"authorization": f"Bearer {token}"}, ""),
        ({"x-api-key": token}, ""),
        ({}, f"&apikey={token}"),
    ):
        assert stranger.get(f"{SEARCH}?query=the{query}", headers=headers).status_code == 200
    entry = deployed.upstreams.prowlarr.requests("search$")[-1]
    assert token not in str((entry.query, entry.headers))
    for headers in ({}, {"x-api-key": deployed.upstreams.prowlarr.api_key}, {"x-api-key": "wf_" + "x" * 43}):
        said = stranger.get(f"{SEARCH}?query=the", headers=headers)
        assert (said.status_code, said.json()["code"]) == (401, "unauthenticated")
    said = stranger.get(f"{SEARCH}?query=the&apikey={token}", headers={"sec-fetch-site": "cross-site"})
    assert (said.status_code, said.json()["code"]) == (403, "csrf")


def test_downloads(person: Person, stranger: httpx.Client) -> None:
    """Redirects come back unfollowed, one to Prowlarr itself leads here; its errors stay what they are."""
    asked = {"query": "the", "indexerIds": [ELSEWHERE, INWARD, DISABLED, LIMITED]}
    found = {result["indexerId"]: result for result in person.call("GET", SEARCH, params=asked)}
    got = {indexer: stranger.get(result["downloadUrl"]) for indexer, result in found.items()}
    assert got[ELSEWHERE].status_code == 301
    assert got[ELSEWHERE].headers["location"].startswith("https://files.test/dl/")
    inward = got[INWARD].headers["location"]
    assert inward.startswith(f"{person.at.stack.api_url}/prowlarr/{TORRENTS}/download?link=")
    assert stranger.get(inward).content == torrent(found[INWARD]["title"])
    assert (got[DISABLED].status_code, got[DISABLED].headers["content-type"]) == (410, "application/rss+xml")
    assert (got[LIMITED].status_code, got[LIMITED].headers["retry-after"]) == (429, "3600")


def test_errors(person: Person, deployed: Deployed) -> None:
    """Without a stack trace; what is not in the table; nothing configured; nobody there; a key that is refused."""
    said = person.web.get(SEARCH, params={"indexerIds": "99"})
    assert (said.status_code, list(said.json())) == (400, ["message"])
    said = person.web.get(SEARCH, params={"type": "nonsense"})
    assert (said.status_code, said.json()[0]["propertyName"]) == (400, "type")
    assert person.web.get("prowlarr/api/v1/config/host").json()["code"] == "unknown_endpoint"
    assert person.web.post(SEARCH, json={}).json()["code"] == "unknown_endpoint"
    other = deployed.newcomer("has none")
    other.sign_in()
    said = other.web.get(SEARCH)
    assert (said.status_code, said.json()["code"]) == (409, "not_connected")
    for base, key, status in (("http://127.0.0.1:9", "k" * 32, 502), (deployed.upstreams.prowlarr_url, "k" * 32, 401)):
        assert other.web.put("auth/prowlarr", json={"base_url": base, "api_key": key}).status_code == 204
        said = other.web.get(SEARCH)
        assert said.status_code == status
        assert base not in said.text
    assert (said.content, said.headers["cache-status"]) == (b"", "Watchferry; fwd=bypass")


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", "application/javascript"])
def test_nothing_of_it_runs_here(person: Person, media: str) -> None:
    """Somebody else's server on our origin: an attachment of nothing in particular, sandboxed."""
    at = person.at.upstreams.prowlarr
    at.faults.add(path="^/api/v1/search$", status=200, body="<script>", headers={"Content-Type": media})
    said = person.web.get(SEARCH)
    assert said.headers["content-type"] == "application/octet-stream"
    assert said.headers["content-disposition"] == "attachment"
    assert said.headers["content-security-policy"] == POLICY
    assert said.headers["x-content-type-options"] == "nosniff"


def test_prowlarr_py(deployed: Deployed, token: str) -> None:
    """A client library, unmodified, with only its base URL changed; the key is a token of ours."""
    with run("with_prowlarr_py", f"{deployed.stack.api_url}/prowlarr", token) as client:
        said = client.communicate(timeout=60)[0]
    assert client.returncode == 0, said
    told = json.loads(said.splitlines()[-1])
    assert told["titles"]
    assert told["statuses"] == [200, 301, 200]
    assert bytes.fromhex(told["bytes"]) == torrent(told["torrent"])
    assert told["magnet"] == magnet(told["torrent"])
    assert told["type"] == "application/x-nzb"
    assert told["refused"][0] == 400
    assert json.loads(told["refused"][1]).keys() == {"message"}
