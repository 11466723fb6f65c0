"""Who gets at whose Prowlarr, and what stands between (http-api.md, Who is calling and Proxy)."""

import threading
from collections.abc import Mapping

import pytest

from tests.conftest import Clock, NewWiring
from tests.unit.proxy.conftest import Client
from tests.unit.proxy.prowlarr.conftest import KEY, Home
from tests.unit.proxy.wire import Wire
from tests.upstreams.prowlarr import Prowlarr

SEARCH = "/prowlarr/api/v1/search?query=the"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (SEARCH, {"Authorization": "Bearer {}"}),
        (SEARCH, {"X-Api-Key": "{}"}),
        (SEARCH + "&apikey={}", {}),
        (SEARCH + "&apikey={}", {"X-Api-Key": "of-somebody", "Sec-Fetch-Site": "same-origin"}),
    ],
)
def test_tokens(home: Home, prowlarr: Prowlarr, path: str, headers: Mapping[str, str]) -> None:
    """Wherever Prowlarr's clients put a key; Prowlarr gets the user's own and none of what was sent."""
    token = home.token()
    sent = {name: value.format(token) for name, value in headers.items()}
    assert home.stranger().send("GET", path.format(token), headers=sent).status == 200
    (entry,) = prowlarr.requests()
    assert entry.headers["x-api-key"] == home.key
    assert token not in str((entry.query, entry.headers))
    assert "of-somebody" not in str((entry.query, entry.headers))
    assert entry.query == [("query", "the")]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (SEARCH, {}),
        (SEARCH, {"X-Api-Key": "{key}"}),
        (SEARCH + "&apikey={key}", {}),
        (SEARCH, {"Authorization": "Bearer wf_" + "A" * 43}),
        (SEARCH, {"Cookie": "__Host-session=unknown"}),
        ("/prowlarr/1/download?link=a&file=b&apikey={key}", {}),
        ("/prowlarr/1/download?link=a&file=b&ticket=" + "A" * 60, {}),
    ],
)
def test_everybody_else(home: Home, new_wiring: NewWiring, path: str, headers: Mapping[str, str]) -> None:
    """401 `unauthenticated`, passthrough or not: Prowlarr's own key does not say whose Prowlarr it is."""
    home.wiring = new_wiring(allow_private_prowlarr="true", proxy_passthrough="true")
    sent = {name: value.format(key=home.key) for name, value in headers.items()}
    said = home.stranger().send("GET", path.format(key=home.key), headers=sent)
    assert (said.status, said.code) == (401, "unauthenticated")
    assert "cache-status" not in said.headers


def test_a_credential_in_a_link_of_another_site(home: Home, harry: Client, prowlarr: Prowlarr) -> None:
    """403 `csrf`, whoever is signed in."""
    for client in (harry, home.stranger()):
        said = client.get(f"{SEARCH}&apikey={home.token()}", Sec_Fetch_Site="cross-site")
        assert (said.status, said.code) == (403, "csrf")
    assert not prowlarr.requests()


def test_each_has_their_own(home: Home, harry: Client) -> None:
    """Nothing configured: 409 `not_connected`; nobody's is anybody else's."""
    home.wiring.accounts.sign_in("sally", {"slug": "sally"})
    said = home.browser("sally").get(SEARCH)
    assert (said.status, said.code) == (409, "not_connected")
    assert said.json["provider"] == "prowlarr"
    assert harry.get(SEARCH).status == 200


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_wrong_key(hostile: Client, wire: Wire, status: str) -> None:
    """As Prowlarr says it, empty; `Cache-Status` tells it from ours."""
    wire.says(status)
    said = hostile.get(SEARCH)
    assert (said.status, said.body, said.cache) == (int(status[:3]), b"", "Watchferry; fwd=bypass")


@pytest.mark.parametrize(
    "path",
    [
        "/prowlarr/api/v1/indexer",
        "/prowlarr/api/v1/config/host",
        "/prowlarr/api/v1/search/bulk",
        "/prowlarr/1/api?t=caps",
        "/prowlarr/1/download/../../api/v1/config/host",
        "/prowlarr/api/v1/../v1/search",
        "/prowlarr/-1/download",
        "/prowlarr/api/v1/download/redirect/1.torrent",
        "/prowlarr//evil.test/1/download",
        "/prowlarr/http://evil.test/1/download",
        "/prowlarr/API/V1/search",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_else(harry: Client, prowlarr: Prowlarr, method: str, path: str) -> None:
    """404 `unknown_endpoint`."""
    said = harry.send(method, path)
    assert said.status == 404
    assert method == "HEAD" or said.code == "unknown_endpoint"
    assert not prowlarr.requests()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_written(harry: Client, prowlarr: Prowlarr, method: str) -> None:
    """POST of the same path would send a release to a download client."""
    assert harry.send(method, "/prowlarr/api/v1/search", body=b"{}").code == "unknown_endpoint"
    assert not prowlarr.requests()


# ---- the address


def test_is_judged_on_every_call(new_wiring: NewWiring) -> None:
    """A name that has come to lead inside is not called: 422 `blocked_address`; one that leads nowhere is 502."""
    answers = {"prowlarr.example": ["1.1.1.1"]}
    home = Home(new_wiring(resolve=lambda host, _: answers[host], network=_nothing()), "", KEY)
    home.save("https://prowlarr.example/base")
    for inside in (["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"]):
        answers["prowlarr.example"] = inside
        said = home.browser().get(SEARCH)
        assert (said.status, said.code) == (422, "blocked_address")
        assert "example" not in said.body.decode()
    answers["prowlarr.example"] = []
    assert (home.browser().get(SEARCH).status, home.browser().get(SEARCH).code) == (502, "upstream_unreachable")


def _nothing() -> object:
    import httpcore

    class Nothing(httpcore.NetworkBackend):
        def connect_tcp(self, *given: object, **options: object) -> httpcore.NetworkStream:
            raise AssertionError("this must not be connected to")

    return Nothing()


def test_private_ones_only_where_the_owner_says_so(home: Home, new_wiring: NewWiring, prowlarr: Prowlarr) -> None:
    """A setting that was saved while AllowPrivateProwlarr was on is not called when it is off."""
    home.wiring = new_wiring(allow_private_prowlarr="false")
    assert home.browser().get(SEARCH).code == "blocked_address"
    assert not prowlarr.requests()


# ---- time


def test_unreachable(wiring: object, home: Home, clock: Clock) -> None:
    """502, without the address; after five failures in a row nobody waits for ten seconds; another address is tried."""
    home.save("http://127.0.0.1:9", key=home.key)
    harry = home.browser()
    for _ in range(5):
        said = harry.get(SEARCH)
        assert (said.status, said.code) == (502, "upstream_unreachable")
        assert "retry-after" not in said.headers
    said = harry.get(SEARCH)
    assert (said.status, said.headers["retry-after"]) == (502, "10")
    assert "127.0.0.1" not in said.body.decode()
    assert "harry" not in said.body.decode()
    home.save(home.url, key=home.key)
    assert harry.get(SEARCH).status == 200
    home.save("http://127.0.0.1:9", key=home.key)
    clock.advance(11)
    assert "retry-after" not in harry.get(SEARCH).headers


def test_deadline(hostile: Client, wire: Wire, clock: Clock) -> None:
    """25 s from the request's arrival; slow bytes do not prolong it."""
    wire.trickle = threading.Event()
    wire.says("200 OK", b"[]", "Content-Type: application/json")
    said = hostile.send("GET", SEARCH, arrived=clock() - 24.7)
    assert (said.status, said.code) == (504, "upstream_timeout")
    wire.trickle.set()
