"""The schedule: a tick finds exactly those who are due (http-api.md, Fine print, Scheduler)."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.stack.deployed import Deployed, until
from tests.stack.person import AT_REST, Person

pytestmark = pytest.mark.stack


@pytest.fixture
def household(deployed: Deployed) -> Mapping[str, Person]:
    """Three who want it, one who does not, one who may not, one who has yet to connect Kinopub."""
    names = ["first", "second", "third", "not enabled", "paused", "without Kinopub"]
    people = dict(zip(names, deployed.people(names), strict=True))
    for name, person in people.items():
        person.usual()
        person.settings(enabled=name != "not enabled")
    people["without Kinopub"].web.delete("auth/kinopub")
    paused = people["paused"]
    deployed.upstreams.trakt.users[paused.slug].locked = True
    assert paused.run()["status"] == "failed"
    deployed.upstreams.trakt.users[paused.slug].locked = False
    return people


def at_rest(people: Mapping[str, Person]) -> bool:
    return all(run["status"] in AT_REST for person in people.values() for run in person.runs())


def scheduled(people: Mapping[str, Person]) -> dict[str, list[str]]:
    """The status of everybody's scheduled runs."""
    return {
        name: [run["status"] for run in person.runs() if run["trigger"] == "schedule"]
        for name, person in people.items()
    }


ONCE = {"first": ["succeeded"], "second": ["succeeded"], "third": ["succeeded"]}
NOT_DUE: dict[str, list[str]] = {"not enabled": [], "paused": [], "without Kinopub": []}


def test_a_tick(deployed: Deployed, household: Mapping[str, Person]) -> None:
    """Whatever event comes: one run for each who is due, which carries all, and none for anybody else."""
    due = {name: household[name] for name in ONCE}
    assert deployed.tick({"detail-type": "anything", "nonsense": [None, {"user_id": "x"}]}) >= 3
    until("three runs", lambda: all(len(person.runs()) == 1 for person in due.values()) and at_rest(household), 60)
    until("empty queues", deployed.drained)
    assert scheduled(household) == ONCE | NOT_DUE
    for person in due.values():
        assert person.plays == person.wanted
        assert person.state["next_run_at"] is not None
    for name in NOT_DUE:
        assert household[name].plays == household[name].had
    switch_off(household)


def test_ticks_that_come_twice(deployed: Deployed, household: Mapping[str, Person]) -> None:
    """Two at once: one run of a user at a time, every view once, and nobody who is not due."""
    due = {name: household[name] for name in ONCE}
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(deployed.tick, [None, "again"]))
    until("runs", lambda: all(person.runs() for person in due.values()) and at_rest(household), 60)
    until("empty queues", deployed.drained)
    for person in due.values():
        assert person.plays == person.wanted
        runs = person.runs()[::-1]
        assert sum(run["counts"]["sent"] for run in runs) == 8
        assert {run["status"] for run in runs} == {"succeeded"}
        for earlier, later in pairwise(runs):
            assert when(earlier["finished_at"]) <= when(later["started_at"]), "two at a time"
    assert {name: runs for name, runs in scheduled(household).items() if name in NOT_DUE} == NOT_DUE
    switch_off(household)


def test_who_is_not_synced_is_kept_alive(deployed: Deployed) -> None:
    """A Kinopub login that was not used for a week is refreshed by a tick, once, with the sync switched off."""
    person = deployed.person("asleep")
    dynamo, tables, a_week_ago = deployed.cloud("dynamodb"), deployed.stack.tables, int(time.time()) - 8 * 86_400

    def grow_old(table: str, field: str, **more: str) -> None:
        key = {"user_id": {"S": person.user_id}, **{name: {"S": value} for name, value in more.items()}}
        change: dict[str, Any] = {"ExpressionAttributeNames": {"#at": field}, "UpdateExpression": "SET #at = :at"}
        dynamo.update_item(
            TableName=tables[table], Key=key, ExpressionAttributeValues={":at": {"N": str(a_week_ago)}}, **change
        )

    def pairs() -> int:
        return sum(pair.user == person.slug for pair in deployed.upstreams.kinopub.pairs)

    assert pairs() == 1
    grow_old("Tokens", "stored_at", provider="kinopub")
    grow_old("Accounts", "keep_alive_at")
    for _ in range(2):
        deployed.tick({})
        until("a refresh", lambda: pairs() == 2)
        until("empty queues", deployed.drained)
    assert pairs() == 2
    assert person.session["kinopub"]["status"] == "ok"
    assert person.runs() == []


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def switch_off(people: Mapping[str, Person]) -> None:
    """Later ticks are other tests'."""
    for person in people.values():
        person.settings(enabled=False)


def test_what_the_cloud_ticks(deployed: Deployed) -> None:
    """The deployed schedule calls the scheduler, at the rate that the owner set."""
    [found] = [each for each in deployed.cloud("scheduler").list_schedules()["Schedules"] if "sync" in each["Name"]]
    told: Any = deployed.cloud("scheduler").get_schedule(Name=found["Name"])
    assert (told["ScheduleExpression"], told["State"]) == ("rate(1 hour)", "ENABLED")
    assert told["Target"]["Arn"].endswith(":function:" + deployed.stack.functions["SyncScheduler"])
