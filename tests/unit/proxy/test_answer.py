"""Answers about the deployment, not the request, are told apart in `detail` (reality.md, Statuses with meaning)."""

import pytest

from tests.unit.proxy.conftest import Client
from tests.upstreams import Upstreams


@pytest.mark.parametrize(
    ("preset", "said"),
    [
        ("app_dead", ("app_refused", "switched off")),
        ("app_refused", ("app_refused", "application key")),
        ("firewall", ("upstream_firewall", "firewall")),
    ],
)
@pytest.mark.parametrize("path", ["/trakt/movies/trending", "/trakt/sync/history"])
def test_403_by_its_type(harry: Client, upstreams: Upstreams, path: str, preset: str, said: tuple[str, str]) -> None:
    """The status stays; each kind has words of its own."""
    upstreams.trakt.faults.add(preset=preset)
    answer = harry.get(path)
    assert (answer.status, answer.code) == (403, said[0])
    assert said[1] in answer.json["detail"]


def test_clients_find_the_upstream_s_own_words(harry: Client, upstreams: Upstreams) -> None:
    """Beside ours, where they looked for them."""
    upstreams.trakt.faults.add(preset="app_refused")
    assert harry.get("/trakt/movies/trending").json["error"] == "forbidden"
    upstreams.tmdb.options.rate = 1
    harry.get("/tmdb/3/movie/603")
    said = harry.get("/tmdb/3/movie/27205")
    assert (said.status, said.code, said.json["status_code"], said.json["success"]) == (429, "rate_limited", 25, False)
    assert "TMDB limits the rate" in said.json["detail"]
    assert said.headers["retry-after"] == "1"


def test_a_read_access_token_that_tmdb_refuses(harry: Client, upstreams: Upstreams) -> None:
    """502 `app_refused`: the caller's own sign-in is in order, so it is no 401; and nothing is remembered."""
    upstreams.tmdb.read_access_token = "another"
    for _ in range(2):
        said = harry.get("/tmdb/3/movie/603")
        assert (said.status, said.code, said.json["status_code"]) == (502, "app_refused", 7)
    assert len(upstreams.tmdb.requests()) == 2


def test_an_edge_s_429(harry: Client, upstreams: Upstreams) -> None:
    """HTML without any header: 429 `rate_limited`."""
    upstreams.trakt.faults.add(preset="edge_429", times=2)
    for path in ("/trakt/movies/trending", "/trakt/sync/history"):
        said = harry.get(path)
        assert (said.status, said.code) == (429, "rate_limited")


@pytest.mark.parametrize("preset", ["account_limit", "locked", "vip_only", "validation", "conflict", "server_error"])
def test_the_rest_comes_back_as_it_is(harry: Client, upstreams: Upstreams, preset: str) -> None:
    """It is about the request or the account, and Trakt's clients know what to do."""
    fault = upstreams.trakt.faults.add(preset=preset)
    said = harry.get("/trakt/sync/history")
    assert (said.status, said.json) == (fault.status, fault.body)
    assert {name.lower() for name in fault.headers} <= said.headers.keys()


def test_kinopub_s_401_is_a_refused_token(harry: Client, upstreams: Upstreams) -> None:
    """One refresh, and the answer."""
    upstreams.kinopub.faults.add(preset="kinopub_unauthorized")
    assert harry.get("/kinopub/v1/history").status == 200
