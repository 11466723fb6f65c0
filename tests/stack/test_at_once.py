"""Many workers of one person at once, and many people in one worker."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.stack.deployed import Deployed, until
from tests.stack.person import Person, follow
from tests.stack.strikes import Strike, hide, hurried
from tests.stack.test_delivery import body, jobs_of
from tests.stack.trouble import Life, all_at_once
from tests.stack.upstream_rows import POST
from watchferry.storage.budgets import WITHOUT_RETRY_AFTER
from watchferry.storage.runs import new_run_id
from watchferry.sync.queues import PlanJob
from watchferry.wiring import Wiring

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(600)]

PATIENCE = 180

LIMITED = {
    "seconds": ({"preset": "rate_limited", "headers": {"Retry-After": "6"}}, 6.0),
    "date": ({"preset": "rate_limited_date", "headers": {"Retry-After": "http-date:+6"}}, 5.0),
    "nothing": ({"preset": "rate_limited_bare"}, WITHOUT_RETRY_AFTER),
    "HTML": ({"preset": "edge_429"}, WITHOUT_RETRY_AFTER),
}
"""429s, and the seconds for which each asks to wait: in all of them several POSTs would have their turn."""


@pytest.fixture(scope="module")
def at_once(deployed: Deployed) -> dict[str, list[Person]]:
    """Two stories that mostly wait, at the same time: one person with ten workers, ten people with one."""
    limited = deployed.person("429 for ten workers")
    limited.watch(*deployed.new_shelf().films[:5], *deployed.new_shelf().films[:5])
    limited.settings(batch_size=1)
    for fault, _ in LIMITED.values():
        deployed.upstreams.trakt.faults.add(user=limited.slug, **POST, **fault)
    people = deployed.people([f"beside a killer {number}" for number in range(10)])
    for person in people:
        person.watch(*deployed.shelf.films[:3])
        person.settings(enabled=True)
    deployed.strikes.add(people[4], Strike("SyncPlanner", r"Kinopub\.watching", "after"))
    now = time.time()
    jobs = {person: PlanJob(person.user_id, new_run_id(now), "schedule") for person in people}
    with hurried(deployed):
        run_id = limited.start()
        deployed.send("HistoryBatches", jobs_of(limited, run_id))
        deployed.send("SyncJobs", [body(job) for job in jobs.values()])
        all_at_once([to_its_end(limited, run_id), *(to_its_end(person, job.run_id) for person, job in jobs.items())])
    for person in people:
        person.settings(enabled=False)
    return {"limited": [limited], "killed": people}


def to_its_end(person: Person, run_id: str) -> Life:
    yield person, run_id


def test_429_seen_by_ten_workers(at_once: dict[str, list[Person]]) -> None:
    """Ten batches at once, four 429s: all of them wait as long as each says, and each batch is sent once.

    All but one, at most: whose turn came when the 429 was answered, and not yet written down for the others.
    """
    [person] = at_once["limited"]
    [run] = person.runs()
    assert (run["status"], run["counts"]["sent"]) == ("succeeded", 10), run
    assert person.plays == person.wanted
    posts = person.calls(method="POST")
    assert {post.status for post in posts[: len(LIMITED)]} == {429}
    assert sum(post.status == 201 for post in posts) == 10
    for (kind, (_, wait)), limited in zip(LIMITED.items(), posts, strict=False):
        meanwhile = [post for post in posts if limited.at < post.at < limited.at + wait - 0.05]
        assert len(meanwhile) <= 1, kind


def test_a_job_that_kills_beside_nine_good(at_once: dict[str, list[Person]]) -> None:
    """Ten people in one worker, which dies of one of them: all ten runs come to their end, once."""
    for person in at_once["killed"]:
        [run] = person.runs()
        assert (run["status"], run["counts"]["sent"], person.plays) == ("succeeded", 3, person.wanted), run


class Here(Wiring):
    """A process of the deployment that works on this side of it."""

    def __init__(self, deployed: Deployed) -> None:
        name = deployed.stack.functions["SyncPlanner"]
        told = deployed.cloud("lambda").get_function_configuration(FunctionName=name)
        super().__init__(told["Environment"]["Variables"])
        self.deployed = deployed

    def aws(self, service: str) -> Any:
        return self.deployed.cloud(service)


@pytest.mark.parametrize("callers", [2, 5, 20, 50])
def test_refresh_race(deployed: Deployed, callers: int) -> None:
    """A token has ended early, and everybody notices at once, a run among them: one refresh, one new token for all."""
    person = deployed.person(f"{callers} callers")
    person.usual()
    processes = [Here(deployed) for _ in range(callers)]
    credentials = [process.broker.credential(person.user_id, "trakt") for process in processes]
    refused = credentials[0].token()
    deployed.upstreams.trakt.expire_tokens(person.slug)
    gate = Barrier(callers)

    def ask(number: int) -> str:
        gate.wait()
        return credentials[number].renewed(refused)

    run_id = person.start()
    with ThreadPoolExecutor(callers) as threads:
        tokens = set(threads.map(ask, range(callers)))
    run = follow({person: run_id}, PATIENCE)[person]
    refreshes = deployed.upstreams.trakt.requests("^/oauth/token", user=person.slug)
    assert [refresh.status for refresh in refreshes if refresh.method == "POST"].count(200) == 1
    assert len(tokens) == 1
    assert refused not in tokens
    deployed.secrets |= {refused, *tokens}
    assert (run["status"], person.plays) == ("succeeded", person.wanted)
    assert person.session["trakt"]["status"] == "ok"


def test_visibility_timeout_over_in_the_middle(deployed: Deployed) -> None:
    """Messages come again while their run is read, and while its batch is sent: who comes second leaves it alone."""
    person = deployed.person("delivered while it works")
    person.usual()
    deployed.upstreams.kinopub.faults.add(user=person.slug, path="^/v1/history", when="after", delay=6)
    deployed.upstreams.trakt.faults.add(user=person.slug, **POST, when="after", delay=6)
    deployed.strikes.record(person)
    before = {queue: hide(deployed, queue, 2) for queue in ("SyncJobs", "HistoryBatches")}
    try:
        run = person.run()
    finally:
        for queue, seconds in before.items():
            hide(deployed, queue, seconds)
    deliveries = [(function, site) for function, _, site in deployed.strikes.recorded(person)]
    assert deliveries.count(("SyncPlanner", "plan_run › _take_up › Accounts.get")) >= 2
    assert deliveries.count(("HistorySender", "send_batches › send_batch › Runs.get")) >= 2
    assert (run["status"], run["counts"]["sent"]) == ("succeeded", 8)
    assert (person.runs(), person.plays) == ([run], person.wanted)
    assert [call.status for call in person.calls(method="POST")] == [201]
    until("empty queues", deployed.drained, PATIENCE)


@pytest.mark.parametrize(
    "ahead",
    [
        {"SyncApi": 300, "SyncPlanner": 300, "HistorySender": 300},
        {"SyncApi": -300, "SyncPlanner": -300, "HistorySender": -300},
        {"SyncPlanner": 120, "HistorySender": -120},
        {"SyncPlanner": -120, "HistorySender": 120},
    ],
    ids=["all 5 minutes fast", "all 5 minutes slow", "planner before sender", "sender before planner"],
)
def test_clock_skew(deployed: Deployed, ahead: dict[str, float]) -> None:
    """Clocks that are minutes off, from the upstreams' or from each other: each view once, and all of them."""
    person = deployed.person(json.dumps(ahead))
    person.usual()
    person.settings(batch_size=3)
    deployed.upstreams.trakt.faults.add(user=person.slug, **POST, when="after", status=503)
    until("empty queues", deployed.drained, PATIENCE)
    with deployed.strikes.clocks(ahead):
        first = person.run()
        unfinished = [view for view in person.expected() if view.reason == "not_completed" and view.kind == "movie"]
        person.watch_now(unfinished[0].item)
        second = person.run()
    assert (first["status"], first["counts"]["sent"]) == ("succeeded", 8), first
    assert (second["status"], second["counts"]["sent"]) == ("succeeded", 1), second
    assert person.plays == person.wanted
