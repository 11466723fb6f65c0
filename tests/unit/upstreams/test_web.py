"""The server and the in-process transport behave alike, and as a network does when it goes wrong."""

import gzip
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.upstreams import AppTransport, Fault, Running, Upstreams, start
from tests.upstreams.web import PACKINGS

AGENT = {"User-Agent": "stand-in-tests/1"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with start("tiny") as made:
        yield made


def trakt_headers(made: Upstreams) -> dict[str, str]:
    return AGENT | {
        "trakt-api-key": made.trakt.client_id,
        "trakt-api-version": "2",
        "Authorization": f"Bearer {made.trakt.grant('harry').access}",
    }


@pytest.fixture(params=["served", "in process"])
def client(request: pytest.FixtureRequest, running: Running) -> Iterator[httpx.Client]:
    """A client of Trakt's API, over a socket or without one."""
    running.trakt.faults.clear()
    headers = trakt_headers(running.upstreams)
    if request.param == "served":
        made = httpx.Client(base_url=running.trakt_url, headers=headers, timeout=1)
    else:
        made = httpx.Client(
            base_url="http://trakt", headers=headers, timeout=1, transport=AppTransport(running.trakt, "api")
        )
    with made:
        yield made


def plays(running: Running) -> int:
    return len(running.trakt.users["harry"].plays)


FILM = {"movies": [{"ids": {"imdb": "tt0133093"}, "watched_at": "2026-01-01T10:00:00Z"}]}


def test_a_reset_before_the_effect_leaves_nothing_behind(client: httpx.Client, running: Running) -> None:
    """The connection drops, the POST was never applied."""
    running.trakt.faults.add(path="^/sync/history$", method="POST", when="before", reset=True)
    before = plays(running)
    with pytest.raises(httpx.ReadError):
        client.post("/sync/history", json=FILM)
    assert plays(running) == before


def test_a_reset_after_the_effect_hides_what_happened(client: httpx.Client, running: Running) -> None:
    """The connection drops all the same, and the play is there: sending again would duplicate it."""
    running.trakt.faults.add(path="^/sync/history$", method="POST", when="after", reset=True)
    before = plays(running)
    with pytest.raises(httpx.ReadError):
        client.post("/sync/history", json=FILM)
    assert plays(running) == before + 1


def test_an_answer_later_than_the_client_waits_is_a_timeout_with_an_effect(
    client: httpx.Client, running: Running
) -> None:
    """`after` with a delay: the work is done at once, the client never hears of it."""
    running.trakt.faults.add(path="^/sync/history$", method="POST", when="after", delay=1.3)
    before = plays(running)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/sync/history", json=FILM)
    assert plays(running) == before + 1


def test_a_delay_within_the_clients_patience_is_only_slow(client: httpx.Client, running: Running) -> None:
    """A slow answer is an answer."""
    running.trakt.faults.add(path="^/users/settings$", when="after", delay=0.05)
    assert client.get("/users/settings").status_code == 200


def test_head_answers_the_headers_of_get_without_a_body(client: httpx.Client) -> None:
    """Client libraries use HEAD to learn the number of pages."""
    got, head = client.get("/sync/history?limit=1"), client.head("/sync/history?limit=1")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["X-Pagination-Page-Count"] == got.headers["X-Pagination-Page-Count"]
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_double_slashes_are_read_as_one_and_logged_as_sent(client: httpx.Client, running: Running) -> None:
    """Client libraries send `//users/settings`; what was sent can be seen in the log."""
    url = f"{str(client.base_url).rstrip('/')}//users/settings"
    assert client.get(url).status_code == 200
    assert running.trakt.log[-1].path == "//users/settings"


def test_query_keys_keep_their_order_and_repetition(client: httpx.Client, running: Running) -> None:
    """Nothing of a query is lost on the way in."""
    client.get("/search/movie?query=a%20b&genres=x&genres=y&query=")
    assert running.trakt.log[-1].query == [("query", "a b"), ("genres", "x"), ("genres", "y"), ("query", "")]


def test_nobody_sleeps_in_process() -> None:
    """A delay of an hour is over at once, and a POST that its client gave up has its effect when the hour is over."""
    made = Upstreams("tiny")
    made.trakt.faults.add(path="^/sync/history$", method="POST", delay=3600)
    began = time.monotonic()
    with httpx.Client(transport=made.transport(), headers=trakt_headers(made), timeout=25) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("https://api.trakt.tv/sync/history", json=FILM)
        assert made.trakt.plays("harry") == []
        made.clock.advance(3601)
        assert len(client.get("https://api.trakt.tv/sync/history").json()) == 1
    assert time.monotonic() - began < 5


def test_the_real_server_works_on_after_its_client_has_gone(running: Running) -> None:
    """`before` with a delay alone: the client times out first, the effect comes after."""
    running.trakt.faults.clear()
    running.trakt.faults.add(path="^/sync/history$", method="POST", delay=0.8)
    before = plays(running)
    headers = trakt_headers(running.upstreams)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{running.trakt_url}/sync/history", json=FILM, headers=headers, timeout=0.2)
    assert plays(running) == before
    deadline = time.monotonic() + 3
    while plays(running) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert plays(running) == before + 1


def test_connections_are_kept_alive_and_served_at_once(running: Running) -> None:
    """Many callers at a time: none waits for another one's silence, and the peak is counted."""
    running.trakt.faults.clear()
    running.trakt.forget()
    running.trakt.faults.add(Fault(path="^/users/settings$", when="after", delay=0.4, times=None))
    headers = trakt_headers(running.upstreams)
    with httpx.Client(base_url=running.trakt_url, headers=headers) as client, ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        statuses = list(pool.map(lambda _: client.get("/users/settings").status_code, range(8)))
        took = time.monotonic() - began
    assert statuses == [200] * 8
    assert took < 2.4
    assert running.trakt.summary()["in_flight_peak"]["GET /users/settings"] > 1


def test_close_drops_everything() -> None:
    """After the end of `start` nothing answers on its ports."""
    with start("tiny") as made, httpx.Client(headers=AGENT) as client:
        url = made.trakt_url
        assert client.get(f"{url}/_control/state").status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/_control/state", timeout=1)


def test_the_oauth_host_has_no_api_and_another_host_does_not_exist() -> None:
    """Reality, Trakt, OAuth host: two addresses; calls that go to the wrong one are found out."""
    made = Upstreams("tiny")
    with httpx.Client(transport=made.transport(), headers=trakt_headers(made)) as client:
        assert client.get("https://auth.trakt.tv/users/settings").status_code == 404
        assert client.post("https://api.trakt.tv/oauth/revoke", json={}).status_code == 403
        made.trakt.options.oauth_on_api_host = False
        assert client.post("https://api.trakt.tv/oauth/revoke", json={}).status_code == 404
        with pytest.raises(httpx.ConnectError):
            client.get("https://trakt.tv/")


def test_an_edge_sets_another_cookie_on_every_answer_of_trakt(client: httpx.Client, running: Running) -> None:
    """Refusals and scripted faults too; of the others when they are told to."""
    running.trakt.faults.add(path="settings", status=503)
    asked = ["/users/settings", "/users/settings", "/movies/trending", "/nowhere"]
    cookies = [client.get(path).headers["Set-Cookie"] for path in asked]
    assert all(cookie.startswith("__cf_bm=") for cookie in cookies)
    assert len(set(cookies)) == 4
    assert [app.switches.edge_cookie for app in running.upstreams.apps] == [True, False, False, False, False]


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_edge_mislabels_bodies(client: httpx.Client, running: Running, packing: str) -> None:
    """The body is the same, gzipped as often as the switch says, under the label that it says."""
    plain = client.get("/users/settings").content
    times, label = PACKINGS[packing]
    running.trakt.options.edge_packing = packing
    try:
        with client.stream("GET", "/users/settings") as answer:
            body = b"".join(answer.iter_raw())
        empty = client.head("/nowhere")
    finally:
        running.trakt.options.edge_packing = None
    for _ in range(times):
        body = gzip.decompress(body)
    assert (body, answer.headers.get("Content-Encoding", "")) == (plain, label)
    assert "Content-Encoding" not in empty.headers
