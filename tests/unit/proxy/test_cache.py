"""What is remembered, for how long, for whom — and what stands in for an upstream that fails (http-api.md, Proxy)."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import Clock, NewWiring
from tests.tables import everything_stored
from tests.unit.proxy.conftest import Client, Got, NewClient, connect
from tests.upstreams import Upstreams
from watchferry.errors import RetryLater
from watchferry.proxy.cache import may_be_kept
from watchferry.proxy.forward import Fetched, Outgoing
from watchferry.wiring import Wiring

MOVIE = "/tmdb/3/movie/603"


def asked(upstreams: Upstreams, path: str) -> int:
    return sum(len(app.requests(path)) for app in upstreams.apps)


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        ("/tmdb/3/configuration", 86400),
        ("/tmdb/3/configuration/jobs", 86400),
        ("/tmdb/3/movie/603/images", 86400),
        ("/tmdb/3/movie/603", 3600),
        ("/tmdb/3/movie/603/videos", 3600),
        ("/tmdb/3/find/tt0133093?external_source=imdb_id", 3600),
        ("/tmdb/3/search/movie?query=matrix", 300),
        ("/trakt/movies/trending?page=1&limit=2", 300),
        ("/trakt/search/imdb/tt0133093?type=movie", 3600),
        ("/trakt/shows/180770/seasons/1?extended=episodes", 3600),
        ("/trakt/users/settings", 60),
        ("/kinopub/v1/items/113?nolinks=1", 300),
        ("/kinopub/v1/items/search?q=matrix", 300),
    ],
)
def test_classes(new_client: NewClient, upstreams: Upstreams, clock: Clock, path: str, seconds: int) -> None:
    """A second before the end it is a hit, in this process and in another; at the end the upstream is asked again."""
    one = new_client()
    first = one.get(path)
    assert (first.status, first.cache, "age" in first.headers) == (200, "Watchferry; fwd=miss; stored", False)
    clock.advance(seconds - 1)
    for client in (one, new_client()):
        again = client.get(path)
        assert (again.cache, again.headers["age"]) == ("Watchferry; hit; ttl=1", str(seconds - 1))
        assert (again.body, again.headers["content-type"]) == (first.body, first.headers["content-type"])
    where = re.escape(path.split("?", maxsplit=1)[0].partition("/")[2].partition("/")[2])
    assert asked(upstreams, where) == 1
    clock.advance(1)
    assert one.get(path).cache.startswith("Watchferry; fwd=stale")
    assert asked(upstreams, where) == 2


def test_nothing_outlives_a_connection(new_client: NewClient, wiring: Wiring, upstreams: Upstreams) -> None:
    """What a disconnected account was told is shown no more, nor to the one that is connected in its place."""
    harry = new_client(wiring=wiring)
    path = "/kinopub/v1/items/113"
    assert [harry.get(path).cache.split(";")[1] for _ in range(2)] == [" fwd=miss", " hit"]
    wiring.broker.disconnect("harry", "kinopub")
    said = harry.get(path)
    assert (said.status, said.code) == (409, "not_connected")
    connect(wiring, upstreams, "harry")
    assert harry.get(path).cache == "Watchferry; fwd=miss; stored"
    assert harry.get(MOVIE).cache == "Watchferry; fwd=miss; stored"
    wiring.broker.disconnect("harry", "trakt")
    assert harry.get(MOVIE).cache.startswith("Watchferry; hit"), "what is everybody's stays"


def test_nothing_outlives_an_account(new_client: NewClient, wiring: Wiring, upstreams: Upstreams) -> None:
    """Whoever deletes theirs and comes back sees nothing of before, in memory or in rows that no sweep has got to."""
    harry = new_client(wiring=wiring)
    path = "/kinopub/v1/items/113"
    assert [harry.get(path).cache.split(";")[1] for _ in range(2)] == [" fwd=miss", " hit"]
    wiring.departures.begin("harry", "mark")
    wiring.departures.end("harry", "mark")
    connect(wiring, upstreams, "harry")
    assert harry.get(path).cache == "Watchferry; fwd=miss; stored"


@pytest.mark.parametrize(
    "path",
    ["/trakt/sync/history", "/trakt/sync/watched/shows", "/trakt/sync/last_activities", "/kinopub/v1/watching?id=113"],
)
def test_never(harry: Client, upstreams: Upstreams, path: str) -> None:
    """What changes with every view is asked for every time."""
    for _ in range(2):
        said = harry.get(path)
        assert (said.status, said.cache) == (200, "Watchferry; fwd=bypass")
        assert "age" not in said.headers
    assert asked(upstreams, path.split("?", maxsplit=1)[0].partition("/")[2].partition("/")[2]) == 2


def test_pages_stay_with_the_answer(harry: Client) -> None:
    """Pagination headers are part of what is remembered; what was left of a rate limit then is not."""
    first, again = (harry.get("/trakt/movies/trending?limit=1") for _ in range(2))
    for said in (first, again):
        assert said.headers["x-pagination-item-count"] == "2"
    assert "x-ratelimit" not in again.headers


def test_for_all_or_for_one(new_client: NewClient, upstreams: Upstreams) -> None:
    """What does not depend on the user is fetched once; what does never reaches anybody else."""
    harry, draco = new_client("harry"), new_client("draco")
    assert harry.get("/trakt/movies/trending").body == draco.get("/trakt/movies/trending").body
    assert asked(upstreams, "^/movies/trending") == 1
    for client, name in ((harry, "harry"), (draco, "draco"), (harry, "harry"), (draco, "draco")):
        assert client.get("/trakt/users/settings").json["user"]["username"] == name
    assert asked(upstreams, "^/users/settings") == 2
    for client in (harry, draco):
        client.get("/kinopub/v1/items/113")
    assert asked(upstreams, "^/v1/items/113") == 2


def test_one_question_in_several_spellings(harry: Client, upstreams: Upstreams) -> None:
    """The order of names does not matter; values and their order do."""
    for query in ("page=1&limit=2", "limit=2&page=1", "limit=2&&page=1"):
        harry.get(f"/trakt/movies/trending?{query}")
    assert asked(upstreams, "trending") == 1
    for query in ("page=1&limit=2&limit=3", "page=1&limit=3&limit=2", "page=2&limit=2", "page=1&limit=2&x", ""):
        harry.get(f"/trakt/movies/trending?{query}")
    assert asked(upstreams, "trending") == 6


def test_head_is_answered_from_the_same_memory(harry: Client, upstreams: Upstreams) -> None:
    """HEAD fills it and is filled by it."""
    first = harry.send("HEAD", "/trakt/movies/trending?limit=1")
    assert (first.status, first.body, first.headers["x-pagination-item-count"]) == (200, b"", "2")
    got = harry.get("/trakt/movies/trending?limit=1")
    assert got.cache.startswith("Watchferry; hit")
    assert got.json
    assert asked(upstreams, "trending") == 1


def test_not_found_is_remembered_for_a_minute(new_client: NewClient, upstreams: Upstreams, clock: Clock) -> None:
    """60 s, whatever the class."""
    for seconds, calls in ((0, 1), (59, 1), (1, 2)):
        clock.advance(seconds)
        said = new_client().get("/tmdb/3/movie/999999")
        assert (said.status, said.json["status_code"]) == (404, 34)
        assert asked(upstreams, "999999") == calls


@pytest.mark.parametrize("fault", [{"preset": "validation"}, {"status": 401}, {"status": 410}, {"status": 302}])
def test_other_answers_are_not(harry: Client, upstreams: Upstreams, fault: dict[str, Any]) -> None:
    """They come back as they are, and the next who asks gets the real one."""
    upstreams.tmdb.faults.add(**fault)
    first = harry.get(MOVIE)
    assert first.status != 200
    assert first.headers.get("cache-status", "Watchferry; fwd=miss") == "Watchferry; fwd=miss"
    assert harry.get(MOVIE).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "private, max-age=60"},
        {"Cache-Control": "max-age=0, Private"},
        {"Cache-Control": 'private="x"'},
        {"Cache-Control": "no-store"},
        {"Vary": "*"},
    ],
)
def test_nobody_s_own_answer_is_kept_for_all(harry: Client, upstreams: Upstreams, headers: dict[str, str]) -> None:
    """Whoever asks again asks the upstream."""
    upstreams.tmdb.faults.add(when="after", headers=headers, times=None)
    for _ in range(3):
        said = harry.get(MOVIE)
        assert (said.status, said.cache) == (200, "Watchferry; fwd=miss")
    assert asked(upstreams, "603") == 3
    upstreams.tmdb.faults.clear()
    assert [harry.get(MOVIE).cache[12:15] for _ in range(2)] == ["fwd", "hit"], "and it is kept as soon as it may be"


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        (MOVIE, 3600),
        ("/trakt/movies/trending", 300),
        ("/trakt/users/settings", 60),
        ("/kinopub/v1/items/113", 300),
        ("/tmdb/3/movie/999999", 60),
        ("/trakt/sync/history", 0),
    ],
)
def test_an_edge_s_cookie(new_client: NewClient, upstreams: Upstreams, path: str, seconds: int) -> None:
    """Says nothing about the answer, which is kept as its row says; the cookie never comes back, or goes upstream."""
    for app in upstreams.apps:
        app.switches.edge_cookie = True
    one = new_client()
    got = [client.get(path) for client in (one, one, new_client())]
    kept = ["fwd=miss; stored", f"hit; ttl={seconds}", f"hit; ttl={seconds}"]
    assert [said.cache.removeprefix("Watchferry; ") for said in got] == (kept if seconds else ["fwd=bypass"] * 3)
    assert not any("set-cookie" in said.headers or said.event["cookies"] for said in got)
    assert not any("cookie" in entry.headers for app in upstreams.apps for entry in app.requests())


def test_an_edge_s_cookie_and_a_stale_copy(new_client: NewClient, upstreams: Upstreams, clock: Clock) -> None:
    """It is there when the upstream fails."""
    first = new_client().get("/trakt/movies/trending")
    clock.advance(400)
    upstreams.trakt.faults.add(status=503)
    said = new_client().get("/trakt/movies/trending")
    assert (said.status, said.body, said.cache) == (200, first.body, "Watchferry; hit; detail=stale")


def test_a_private_answer_is_kept_for_its_user(harry: Client, upstreams: Upstreams) -> None:
    """`private` says no more than that."""
    upstreams.trakt.faults.add(when="after", headers={"Cache-Control": "private"}, times=None)
    assert [harry.get("/trakt/users/settings").cache[12:15] for _ in range(2)] == ["fwd", "hit"]


@pytest.mark.parametrize("preset", ["html_ok", "garbage"])
def test_what_is_no_json_is_not_kept(harry: Client, upstreams: Upstreams, preset: str) -> None:
    """A firewall's page with the status 200, or half an answer: the next who asks gets the real one."""
    upstreams.tmdb.faults.add(preset=preset)
    upstreams.tmdb.faults.add(preset="garbage", headers={"Content-Type": "application/json"})
    assert harry.get(MOVIE).cache == "Watchferry; fwd=miss"
    assert harry.get(MOVIE).cache == "Watchferry; fwd=miss"
    assert harry.get(MOVIE).json["id"] == 603


def test_nesting_without_an_end(harry: Client, upstreams: Upstreams) -> None:
    """JSON that nobody can read comes back as it is, and is not kept."""
    deep = "[" * 200_000
    upstreams.tmdb.faults.add(status=200, body=deep, headers={"Content-Type": "application/json"})
    upstreams.tmdb.faults.add(status=403, body=deep, headers={"Content-Type": "application/json"})
    said = harry.get(MOVIE)
    assert (said.status, said.body, said.cache) == (200, deep.encode(), "Watchferry; fwd=miss")
    said = harry.get(MOVIE)
    assert (said.status, said.body) == (403, deep.encode())
    assert harry.get(MOVIE).json["id"] == 603


def test_an_answer_that_cannot_be_kept(new_client: NewClient, wiring: Wiring, upstreams: Upstreams) -> None:
    """Is an answer all the same."""
    harry = new_client(wiring=wiring)

    def full(*_: object, **__: object) -> None:
        raise OSError("no room")

    wiring.door.cache.answers.table.put = full  # type: ignore[method-assign]
    for _ in range(2):
        said = harry.get("/trakt/movies/trending")
        assert (said.status, said.cache.startswith("Watchferry; fwd=miss")) == (200, True)
        harry.api._deployment().clock.advance(30)  # type: ignore[attr-defined]


def test_a_personal_credential_in_the_query(harry: Client, upstreams: Upstreams) -> None:
    """An answer to a session of TMDB's is somebody's own: never kept."""
    for _ in range(2):
        said = harry.get(f"{MOVIE}?append_to_response=account_states&session_id=s3cret")
        assert said.cache == "Watchferry; fwd=bypass"
    assert asked(upstreams, "603") == 2


def test_revalidation(new_client: NewClient, upstreams: Upstreams, clock: Clock) -> None:
    """With the upstream's ETag: 304 makes the copy fresh again, whole, with a new age."""
    first = new_client().get(MOVIE)
    clock.advance(3600)
    again = new_client().get(MOVIE)
    assert (again.status, again.body) == (200, first.body)
    assert (again.cache, again.headers["age"]) == ("Watchferry; fwd=stale; fwd-status=304; stored", "0")
    assert [entry.status for entry in upstreams.tmdb.requests("603")] == [200, 304]
    clock.advance(3599)
    assert new_client().get(MOVIE).cache == "Watchferry; hit; ttl=1"


def test_a_changed_answer_replaces_the_copy(harry: Client, upstreams: Upstreams, clock: Clock) -> None:
    """Another ETag, another body."""
    harry.get(MOVIE)
    clock.advance(3600)
    upstreams.library.catalogue.movies[0].title = "Another"
    upstreams.library.catalogue.movies[0]._brief = None
    said = harry.get(MOVIE)
    assert (said.cache, said.json["title"]) == ("Watchferry; fwd=stale; stored", "Another")
    assert harry.get(MOVIE).json["title"] == "Another"


def test_the_caller_s_own_etag(harry: Client, upstreams: Upstreams) -> None:
    """304 for who has it, from memory as well; a wrong one gets the answer."""
    tag = harry.get(MOVIE).headers["etag"]
    for given in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        said = harry.get(MOVIE, If_None_Match=given)
        assert (said.status, said.body, said.headers["etag"]) == (304, b"", tag)
    assert harry.get(MOVIE, If_None_Match='W/"other"').status == 200
    assert asked(upstreams, "603") == 1


FAILURES: list[dict[str, Any]] = [
    {"status": 500},
    {"preset": "bad_gateway"},
    {"preset": "edge_522"},
    {"preset": "edge_429"},
    {"preset": "rate_limited"},
    {"reset": True},
    {"delay": 60, "status": 200},
]


@pytest.mark.parametrize("fault", FAILURES, ids=str)
def test_a_stale_copy_stands_in(
    new_client: NewClient, upstreams: Upstreams, clock: Clock, fault: dict[str, Any]
) -> None:
    """On 5xx, 429, time-outs and broken connections, marked, with its true age; then the upstream is asked again."""
    first = new_client().get(MOVIE)
    clock.advance(4000)
    upstreams.tmdb.faults.add(**fault)
    said = new_client().get(MOVIE)
    assert (said.status, said.body) == (200, first.body)
    assert (said.cache, said.headers["age"]) == ("Watchferry; hit; detail=stale", "4000")
    assert new_client().get(MOVIE).cache.startswith("Watchferry; fwd=stale")


@pytest.mark.parametrize(
    "fault", [{"preset": "app_refused"}, {"preset": "validation"}, {"status": 404}, {"status": 400}]
)
def test_no_stale_copy_for_another_4xx(
    harry: Client, upstreams: Upstreams, clock: Clock, fault: dict[str, Any]
) -> None:
    """That is an answer."""
    harry.get(MOVIE)
    clock.advance(4000)
    upstreams.tmdb.faults.add(**fault)
    assert 400 <= harry.get(MOVIE).status < 500


def test_stale_copies_end(harry: Client, upstreams: Upstreams, clock: Clock) -> None:
    """A day after they were fresh."""
    harry.get(MOVIE)
    upstreams.tmdb.faults.add(status=503, times=None)
    clock.advance(3600 + 86_000)
    assert harry.get(MOVIE).status == 200
    clock.advance(500)
    assert harry.get(MOVIE).status == 503


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [({"reset": True}, 502, "upstream_unreachable"), ({"delay": 60, "status": 200}, 504, "upstream_timeout")],
)
def test_without_a_copy(harry: Client, upstreams: Upstreams, fault: dict[str, Any], status: int, code: str) -> None:
    """502 or 504; a 5xx of the upstream's own comes back as it is."""
    upstreams.tmdb.faults.add(**fault)
    said = harry.get(MOVIE)
    assert (said.status, said.code) == (status, code)
    upstreams.tmdb.faults.add(status=503, body="down")
    said = harry.get(MOVIE)
    assert (said.status, said.body, said.cache) == (503, b"down", "Watchferry; fwd=miss")
    assert harry.get(MOVIE).status == 200


class TestBreaker:
    def test_opens_after_five_failures_and_closes_again(
        self, harry: Client, upstreams: Upstreams, clock: Clock
    ) -> None:
        """Ten seconds without a call; then one is tried; a success ends it."""
        fault = upstreams.trakt.faults.add(reset=True, times=None)
        assert [harry.get("/trakt/sync/history").status for _ in range(7)] == [502] * 7
        assert asked(upstreams, "^/sync/history") == 5
        said = harry.get("/trakt/sync/history")
        assert (said.code, said.headers["retry-after"]) == ("upstream_unreachable", "10")
        clock.advance(10)
        assert [harry.get("/trakt/sync/history").status for _ in range(3)] == [502] * 3
        assert asked(upstreams, "^/sync/history") == 6
        upstreams.trakt.faults.script.remove(fault)
        clock.advance(10)
        assert [harry.get("/trakt/sync/history").status for _ in range(3)] == [200] * 3

    def test_counts_only_calls(self, wiring: Wiring, clock: Clock) -> None:
        """What came too late to call anybody says nothing about the upstream."""
        forwarder, breaker = wiring.door.forwarder, wiring.door.forwarder._breaker
        for _ in range(8):
            with pytest.raises(RetryLater, match="in time"):
                forwarder.send(Outgoing("TMDB", "GET", "https://tmdb.test", "/", "", {}, b"", deadline=clock.now))
            breaker.check("TMDB")

    def test_is_one_upstream_s(self, harry: Client, upstreams: Upstreams) -> None:
        """And copies are served while it is open."""
        harry.get("/trakt/users/settings")
        upstreams.trakt.faults.add(reset=True, times=None)
        for _ in range(6):
            harry.get("/trakt/sync/history")
        assert harry.get("/kinopub/v1/history").status == 200
        assert harry.get("/trakt/users/settings").status == 200

    def test_a_success_in_between(self, harry: Client, upstreams: Upstreams) -> None:
        """Only failures in a row count; refusals are answers."""
        for _ in range(3):
            upstreams.trakt.faults.add(reset=True, times=4)
            for _ in range(4):
                harry.get("/trakt/sync/history")
            assert harry.get("/trakt/sync/history").status == 200
        upstreams.trakt.faults.add(preset="validation", times=None)
        assert [harry.get("/trakt/sync/history").status for _ in range(8)] == [422] * 8


@dataclass
class Crowd:
    """Functions, each a process of its own, of which everybody asks the same at once."""

    clients: list[Client] = field(default_factory=list)
    waiting: set[int] = field(default_factory=set)
    """Threads that have waited for somebody else's call."""
    _all_wait: threading.Event = field(default_factory=threading.Event)

    def pause(self, seconds: float) -> None:
        self.waiting.add(threading.get_ident())
        if len(self.waiting) == len(self.clients) - 1:
            self._all_wait.set()
        time.sleep(seconds)

    def hold(self) -> None:
        """Keeps a call under way until all the others wait for it."""
        assert self._all_wait.wait(60), "somebody does not wait"

    def asks(self, path: str) -> list[Got]:
        self.waiting.clear()
        self._all_wait.clear()
        with ThreadPoolExecutor(len(self.clients)) as pool:
            return list(pool.map(lambda client: client.get(path), self.clients))


@pytest.fixture
def crowd_of(new_client: NewClient, new_wiring: NewWiring) -> Callable[[int], Crowd]:
    def make(size: int) -> Crowd:
        crowd = Crowd()
        cookies = new_client().cookies
        for _ in range(size):
            crowd.clients.append(new_client(None, wiring=new_wiring(pause=crowd.pause)))
            crowd.clients[-1].cookies = cookies
        return crowd

    return make


@pytest.mark.parametrize("path", [MOVIE, "/trakt/movies/trending"])
def test_one_call_for_all_who_ask_at_once(crowd_of: Callable[[int], Crowd], upstreams: Upstreams, path: str) -> None:
    """Twenty concurrent misses of one key are one call, behind an edge that sets cookies, too; all have the answer."""
    crowd = crowd_of(20)
    for app in (upstreams.tmdb, upstreams.trakt):
        app.faults.add(when="after", meanwhile=crowd.hold)
    got = crowd.asks(path)
    assert {(said.status, said.body) for said in got} == {(200, got[0].body)}
    assert asked(upstreams, "603|trending") == 1
    kinds = sorted(said.cache for said in got)
    assert kinds == ["Watchferry; fwd=miss; collapsed"] * 19 + ["Watchferry; fwd=miss; stored"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "body": "down"},
        {"status": 503, "body": "down", "headers": {"Cache-Control": "private, no-store"}},
        {"preset": "rate_limited"},
        {"reset": True},
    ],
    ids=str,
)
def test_one_failure_for_all_who_ask_at_once(
    crowd_of: Callable[[int], Crowd], upstreams: Upstreams, fault: dict[str, Any]
) -> None:
    """An upstream in trouble is asked once; its answer is kept for nobody who comes later."""
    crowd = crowd_of(5)
    upstreams.tmdb.faults.add(**fault, meanwhile=crowd.hold, times=None)
    got = crowd.asks(MOVIE)
    told = 502 if "headers" in fault else fault.get("status") or (429 if "preset" in fault else 502)
    assert sorted(said.status for said in got) == sorted([told] * 4 + [fault.get("status", told)])
    assert asked(upstreams, "603") == 1
    upstreams.tmdb.faults.clear()
    assert crowd.clients[0].get(MOVIE).status == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 400, "body": {"status_code": 22, "success": False}},
        {"status": 400, "body": {}, "headers": {"Set-Cookie": "a=b"}},
        {"status": 401, "body": {"status_code": 7, "success": False}},
        {"status": 403, "body": {"status_code": 45, "success": False}},
        {"status": 410},
        {"preset": "validation"},
        {"preset": "firewall"},
        {"preset": "html_ok"},
        {"status": 200, "body": "{", "headers": {"Content-Type": "application/json"}},
    ],
    ids=str,
)
def test_one_refusal_for_all_who_ask_at_once(
    crowd_of: Callable[[int], Crowd], upstreams: Upstreams, fault: dict[str, Any]
) -> None:
    """What is not kept is for those who wait all the same; whoever comes later asks anew."""
    crowd = crowd_of(5)
    told = upstreams.tmdb.faults.add(**fault, meanwhile=crowd.hold, times=None)
    got = crowd.asks(MOVIE)
    assert {said.status for said in got} == {502 if told.status == 401 else told.status or 200}
    assert len({said.headers["content-type"] for said in got}) == 1
    assert asked(upstreams, "603") == 1
    upstreams.tmdb.faults.clear()
    assert crowd.clients[0].get(MOVIE).cache == "Watchferry; fwd=miss; stored"


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("control", ["private", "no-store"])
def test_what_is_somebody_s_own_is_handed_to_nobody(
    crowd_of: Callable[[int], Crowd], upstreams: Upstreams, status: int, control: str
) -> None:
    """All who waited ask for themselves, at the same time; those who come later do not wait at all."""
    crowd = crowd_of(5)
    own = {"status": status, "body": {}, "headers": {"Cache-Control": control}}
    upstreams.tmdb.faults.add(**own, meanwhile=crowd.hold)
    upstreams.tmdb.faults.add(**own, meanwhile=threading.Barrier(4, timeout=60).wait, times=4)
    upstreams.tmdb.faults.add(**own, meanwhile=threading.Barrier(5, timeout=60).wait, times=5)
    for calls, waited in ((5, 4), (10, 0)):
        got = crowd.asks(MOVIE)
        assert {(said.status, said.cache) for said in got} == {(status, "Watchferry; fwd=miss")}
        assert (asked(upstreams, "603"), len(crowd.waiting)) == (calls, waited)
    assert crowd.clients[0].get(MOVIE).cache == "Watchferry; fwd=miss; stored"
    assert {said.cache for said in crowd.asks(MOVIE)} == {"Watchferry; hit; ttl=3600"}
    assert asked(upstreams, "603") == 11


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}], ids=str)
def test_whoever_asks_alone_gets_a_stale_copy_too(
    crowd_of: Callable[[int], Crowd], upstreams: Upstreams, clock: Clock, fault: dict[str, Any]
) -> None:
    """Where the upstream fails after it has said that its answers are for nobody else."""
    crowd = crowd_of(2)
    first = crowd.clients[0].get(MOVIE)
    clock.advance(4000)
    upstreams.tmdb.faults.add(status=200, body={}, headers={"Cache-Control": "private"})
    assert crowd.clients[0].get(MOVIE).cache == "Watchferry; fwd=stale"
    upstreams.tmdb.faults.add(**fault, meanwhile=threading.Barrier(2, timeout=60).wait, times=2)
    got = crowd.asks(MOVIE)
    assert {(said.status, said.body) for said in got} == {(200, first.body)}
    assert {said.cache for said in got} == {"Watchferry; hit; detail=stale"}
    assert (asked(upstreams, "603"), len(crowd.waiting)) == (4, 0)


def test_a_refusal_leaves_the_copy(harry: Client, upstreams: Upstreams, clock: Clock) -> None:
    """Which still stands in, should the upstream fail after it."""
    harry.get(MOVIE)
    clock.advance(4000)
    upstreams.tmdb.faults.add(status=400, body={})
    assert harry.get(MOVIE).status == 400
    upstreams.tmdb.faults.add(status=503)
    assert harry.get(MOVIE).cache == "Watchferry; hit; detail=stale"


def test_whoever_dies_while_fetching(new_client: NewClient, wiring: Wiring, upstreams: Upstreams, clock: Clock) -> None:
    """Its lease ends with its request's deadline; whoever waits goes on then."""
    harry = new_client()
    harry.get(MOVIE)
    clock.advance(3600)
    answers = wiring.door.cache.answers
    slot = wiring.door._slot(_asked(harry), None)
    row = answers.find(slot)
    assert row is not None
    assert answers.lease(slot, row, owner="dead", until=clock() + 3)
    assert new_client().get(MOVIE).cache.startswith("Watchferry; fwd=stale")
    assert asked(upstreams, "603") == 2


def _asked(client: Client) -> Any:
    from watchferry.proxy.door import Asked
    from watchferry.proxy.policy import find

    endpoint = find("tmdb", "GET", "/3/movie/603")
    assert endpoint is not None
    return Asked(endpoint, "GET", "/3/movie/603", "", {}, b"", 0)


def test_large_bodies(new_client: NewClient, upstreams: Upstreams, clock: Clock) -> None:
    """What does not fit a row lies in S3, and comes back whole; gone from there, it is fetched again."""
    import random

    from tests.aws import client as aws

    body = {"x": "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=700_000))}
    upstreams.tmdb.faults.add(when="after", body=body, headers={"Content-Encoding": "identity"}, times=None)
    first = new_client().get(MOVIE)
    assert first.json == body
    again = new_client().get(MOVIE)
    assert (again.json, again.cache) == (body, "Watchferry; hit; ttl=3600")
    (kept,) = aws("s3").list_objects_v2(Bucket="answers")["Contents"]
    aws("s3").delete_object(Bucket="answers", Key=kept["Key"])
    assert new_client().get(MOVIE).json == body
    assert asked(upstreams, "603") == 2


def test_no_credential_is_kept(harry: Client, upstreams: Upstreams, wiring: Wiring) -> None:
    """Neither in keys nor in rows nor in objects: not ours, not the upstream's, not the user's."""
    tokens = {pair.access for pair in upstreams.trakt.grants} | set(upstreams.kinopub.by_access)
    for path in (MOVIE, "/trakt/users/settings", "/kinopub/v1/items/113", f"{MOVIE}?api_key=foreign-key-1"):
        assert harry.get(path).status == 200
    stored = everything_stored(wiring.dynamo)
    for secret in (*tokens, upstreams.tmdb.read_access_token, "foreign-key-1", *harry.cookies.values()):
        assert secret not in stored


def test_memory_is_bounded(harry: Client, upstreams: Upstreams, wiring: Wiring) -> None:
    """A function that has seen many answers keeps the latest."""
    for page in range(260):
        harry.get(f"/trakt/movies/trending?page={page}")
    calls = asked(upstreams, "trending")
    assert harry.get("/trakt/movies/trending?page=0").cache.startswith("Watchferry; hit")
    assert asked(upstreams, "trending") == calls


@pytest.mark.parametrize("status", range(200, 600, 3))
def test_only_two_statuses_are_kept(status: int) -> None:
    """200 and 404; a redirect or a refusal is for the one who asked."""
    fetched = Fetched(status, {"content-type": "application/json"}, plain=b"{}")
    assert may_be_kept(fetched, for_all=True) == (status in {200, 404})
