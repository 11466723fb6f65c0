"""The proxy: what a remembered answer costs beside a constant, and how many calls twenty who ask at once make.

In one process, on a store in memory, so that only our own work is measured. The caller's credential is known
beforehand: looking it up is one read of a table, the same for every endpoint.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

from tests.bench.figures import Figure, show
from tests.bench.options import Options
from tests.browser import event
from tests.memory_dynamo import MemoryDynamo
from tests.upstreams import Upstreams
from watchferry.http_api import Answer, Api, Call, build_app
from watchferry.proxy.breaker import Breaker
from watchferry.proxy.cache import Cache
from watchferry.proxy.door import Door
from watchferry.proxy.forward import Forwarder
from watchferry.proxy.routes import mount
from watchferry.proxy.upstreams import Upstreams as Dressers
from watchferry.settings import Settings
from watchferry.storage._dynamo import Table
from watchferry.storage.answers import Answers
from watchferry.storage.budgets import Budgets

ROUNDS, CALLS = 40, 50
"""Each path in every round, whatever else the machine does meanwhile. Noise only adds: the least counts."""
CROWD = 20
LONGEST_MS, LONGEST_RATIO = 3.0, 1.5
PATHS = {
    "a film (0.5 KB)": "/tmdb/3/movie/603",
    "trending, 100 films (14 KB)": "/trakt/movies/trending?limit=100",
}


class Known:
    """A deployment whose caller is known."""

    def __init__(self, upstreams: Upstreams, dynamo: MemoryDynamo) -> None:
        clock = time.time
        self.settings = settings = _settings()
        answers = Answers(Table(dynamo, "CachedAnswers"), _no_bucket, "-", clock)  # type: ignore[arg-type]
        self.door = Door(
            upstreams=Dressers(settings, lambda _: upstreams.tmdb.read_access_token, _no_bucket),
            forwarder=Forwarder(upstreams.transport(), Breaker(clock), clock),
            cache=Cache(answers, clock, time.sleep),
            budgets=Budgets(Table(dynamo, "Budgets"), clock),
            application=_no_bucket,
            passthrough=False,
            clock=clock,
            pause=time.sleep,
        )

    def api(self) -> Api:
        api = build_app(lambda: self)  # type: ignore[arg-type, return-value]
        mount(api, lambda: self)

        @api.get("/constant")
        def constant(_: Call) -> Answer:
            """For somebody signed in, as what it is compared with."""
            return Answer(200, {"status": "ok"})

        return api

    @property
    def sessions(self) -> Any:
        return self

    def find(self, session_id: str) -> Any:
        """In place of the table of sessions."""
        return self

    @property
    def accounts(self) -> Any:
        return self

    def get(self, user_id: str) -> Any:
        """In place of the table of accounts."""
        return self

    user_id = slug = "harry"
    connections = 1
    site_url = "https://watchferry.test"


def bench(options: Options) -> None:
    upstreams = Upstreams("large:2000")
    known = Known(upstreams, MemoryDynamo())
    api = known.api()
    film = str(_movie(upstreams))
    paths = {"a constant": "/constant"} | {name: path.replace("603", film) for name, path in PATHS.items()}
    rounds = [{name: measured(api, path) for name, path in paths.items()} for _ in range(ROUNDS)]
    least = {name: min(taken[name] for taken in rounds) for name in paths}
    constant = least.pop("a constant")
    figures = [Figure.told("a constant through the same resolver, p50", constant, "ms")]
    for name, took in least.items():
        figures += [
            Figure.at_most(f"{name} from memory, p50", took, LONGEST_MS, "ms"),
            Figure.at_most("    times the constant", took / constant, LONGEST_RATIO),
        ]
    for app in (upstreams.tmdb, upstreams.trakt):
        app.options.latency = 0.3
    for asked, path in (
        ("misses of one key at once", f"/tmdb/3/movie/{film}/videos"),
        ("equal questions behind an edge that sets cookies", "/trakt/shows/trending"),
    ):
        calls, answered = crowd(upstreams, path)
        figures += [
            Figure.exactly(f"calls upstream for {CROWD} {asked}", calls, 1),
            Figure.exactly("    answered with 200", answered, CROWD),
        ]
    show(
        options.out,
        f"Handler times, the least p50 of {ROUNDS} rounds of {CALLS} calls; log lines are written to memory",
        figures,
    )


def _movie(upstreams: Upstreams) -> int:
    film = upstreams.library.catalogue.movies[0]
    film.tmdb = film.tmdb or 603
    return film.tmdb


def measured(api: Api, path: str) -> float:
    """Milliseconds, the median."""
    asked = event("GET", path, cookies={"__Host-session": "x"}, headers={"accept-encoding": "gzip"})
    out, sys.stdout = sys.stdout, StringIO()
    try:
        taken = _timed(lambda: api(asked, None))
    finally:
        sys.stdout = out
    return statistics.median(taken) * 1000


def _timed(call: Callable[[], dict[str, Any]]) -> list[float]:
    taken = []
    for number in range(CALLS + 20):
        if number == 20:
            gc.collect()
        began = time.perf_counter()
        answer = call()
        taken.append(time.perf_counter() - began)
        if answer["statusCode"] != 200:
            raise RuntimeError(answer["body"])
    return taken[20:]


def crowd(upstreams: Upstreams, path: str) -> tuple[int, int]:
    """Calls upstream and answers of 200; asked are functions of their own, with empty memories, over one table."""
    dynamo = MemoryDynamo()
    apis = [Known(upstreams, dynamo).api() for _ in range(CROWD)]
    for app in upstreams.apps:
        app.forget()
    with ThreadPoolExecutor(CROWD) as pool:
        got = list(pool.map(lambda api: api(event("GET", path, cookies={"__Host-session": "x"}), None), apis))
    calls = sum(len(app.requests()) for app in upstreams.apps)
    return calls, sum(answer["statusCode"] == 200 for answer in got)


def _no_bucket() -> Any:
    raise NotImplementedError


def _settings() -> Settings:
    from dataclasses import replace

    from tests.world import _settings as plain

    return replace(plain(), tmdb_api_url="https://api.themoviedb.org", tmdb_read_access_token_parameter="-")
