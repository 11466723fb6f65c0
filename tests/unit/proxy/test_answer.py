"""Answers about the deployment, not the request, are told apart in `detail` (reality.md, Statuses with meaning)."""

import email.utils
import time

import pytest

from tests.unit.notify.conftest import queued
from tests.unit.proxy.conftest import Client
from tests.upstreams import Upstreams
from watchferry.wiring import Wiring


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


@pytest.mark.parametrize("how", ["text", "json"])
@pytest.mark.parametrize("path", ["/trakt/movies/trending", "/trakt/sync/history"])
def test_a_refused_application_is_noted(
    harry: Client, wiring: Wiring, upstreams: Upstreams, path: str, how: str
) -> None:
    """By the first who meets it, here as in the sync: the tick need not ask Trakt for everybody to find out."""
    upstreams.trakt.options.set(app_refused=how)
    for _ in range(2):
        assert harry.get(path).code == "app_refused"
    assert [refusal.provider for refusal in wiring.refusals.all()] == ["trakt"]
    assert [notice["to"] for notice in queued(wiring)] == ["operator"]


def test_a_path_of_a_caller_s_choice_decides_nothing(harry: Client, wiring: Wiring, upstreams: Upstreams) -> None:
    """Refused to everybody, but nothing that the sync asks: it goes on."""
    upstreams.trakt.faults.add(path="^/movies/trending", preset="app_refused", times=None)
    assert harry.get("/trakt/movies/trending").code == "app_refused"
    assert (wiring.refusals.all(), queued(wiring)) == ([], [])


def test_a_refusal_of_one_account_is_not_noted(harry: Client, wiring: Wiring, upstreams: Upstreams) -> None:
    """Trakt lets the application in."""
    upstreams.trakt.faults.add(user="harry", preset="app_dead", times=None)
    assert harry.get("/trakt/sync/history").code == "app_refused"
    assert (wiring.refusals.all(), queued(wiring)) == ([], [])


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


@pytest.mark.parametrize("code", [3, 14, 17, 33])
def test_a_session_that_tmdb_refuses(harry: Client, upstreams: Upstreams, code: int) -> None:
    """401, as TMDB says it: that is the caller's own credential, in the query."""
    body = {"status_code": code, "status_message": "no", "success": False}
    upstreams.tmdb.faults.add(status=401, body=body)
    said = harry.get("/tmdb/3/movie/603?append_to_response=account_states&session_id=x")
    assert (said.status, said.json) == (401, body)


@pytest.mark.parametrize("path", ["/tmdb/3/movie/603", "/kinopub/v1/history", "/kinopub/v1/items/113"])
def test_a_403_of_others(harry: Client, upstreams: Upstreams, path: str) -> None:
    """Is not explained in Trakt's terms: it comes back as it is, but for a firewall's page."""
    app = upstreams.tmdb if path.startswith("/tmdb") else upstreams.kinopub
    for kind, body in (("application/json", '{"status":403,"error":"no"}'), ("text/plain", "no")):
        app.faults.add(status=403, body=body, headers={"Content-Type": kind})
        said = harry.get(path)
        assert (said.status, said.body.decode(), said.headers["content-type"].split(";")[0]) == (403, body, kind)
    app.faults.add(preset="firewall")
    assert harry.get(path).code == "upstream_firewall"


def test_what_a_rewritten_429_says_of_rates(harry: Client, upstreams: Upstreams) -> None:
    """Stays: the rates, and when to come again, from a date as well."""
    when = email.utils.formatdate(time.time() + 100, usegmt=True)
    upstreams.tmdb.faults.add(
        status=429, body={"status_code": 25}, headers={"Retry-After": when, "X-RateLimit-Remaining": "0", "X-Evil": "1"}
    )
    said = harry.get("/tmdb/3/movie/603")
    assert (said.status, said.code, said.headers["x-ratelimit-remaining"]) == (429, "rate_limited", "0")
    assert 90 < int(said.headers["retry-after"]) <= 101
    assert "x-evil" not in said.headers
    upstreams.trakt.faults.add(preset="edge_429", headers={"Retry-After": when, "X-Ratelimit": '{"name":"x"}'})
    said = harry.get("/trakt/sync/history")
    assert (said.code, said.headers["x-ratelimit"]) == ("rate_limited", '{"name":"x"}')
    assert 90 < int(said.headers["retry-after"]) <= 101


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
