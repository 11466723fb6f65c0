"""Queues deliver at least once, and anything may be put on them: here is what that does to a user (nothing)."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest

from tests.stack.deployed import Deployed, until
from tests.stack.person import Person, follow
from watchferry.storage._dynamo import Table
from watchferry.storage.plans import Plans
from watchferry.storage.runs import new_run_id
from watchferry.sync.queues import PlanJob, SendJob

pytestmark = pytest.mark.stack


def body(job: PlanJob | SendJob) -> str:
    return json.dumps(asdict(job))


def jobs_of(person: Person, run_id: str) -> list[str]:
    """The messages of a run's batches, as soon as there are some."""
    plans = Plans(Table(person.at.cloud("dynamodb"), person.at.stack.tables["Plans"]), lambda: 0)

    def batches() -> list[str]:
        return [body(SendJob(person.user_id, run_id, batch.name)) for batch in plans.batches(run_id, 1)]

    return until("a plan", batches)


@pytest.mark.parametrize("times", [2, 10])
def test_every_message_again(deployed: Deployed, times: int) -> None:
    """Delivered twice or ten times, while the run is planned, while it is sent, and when it is over: once is once."""
    person = deployed.person(f"{times} times")
    person.usual()
    person.settings(batch_size=3)
    run_id = person.start()
    plan = [body(PlanJob(person.user_id, run_id, "manual"))] * (times - 1)
    deployed.send("SyncJobs", plan)
    send = jobs_of(person, run_id) * (times - 1)
    deployed.send("HistoryBatches", send)
    run = follow({person: run_id})[person]
    deployed.send("SyncJobs", plan)
    deployed.send("HistoryBatches", send)
    until("empty queues", deployed.drained, 60)
    assert person.plays == person.wanted
    assert person.runs() == [run]
    assert (run["status"], run["counts"]["sent"]) == ("succeeded", 8)
    assert run["counts"]["skipped"] == person.skipped
    # Those that Trakt took: on a busy machine two may come too close together, and one of them gets a 429.
    assert sum(call.status == 201 for call in person.calls(method="POST")) == 3


def test_one_tick_makes_one_run(deployed: Deployed) -> None:
    """A scheduled job begins its run itself: ten deliveries of it begin one."""
    person = deployed.person("one tick")
    person.usual()
    person.settings(enabled=True)
    job = PlanJob(person.user_id, new_run_id(1_800_000_000, "feedbeef"), "schedule")
    deployed.send("SyncJobs", [body(job)] * 10)
    until("the run", lambda: [run["status"] for run in person.runs()] == ["succeeded"])
    deployed.send("SyncJobs", [body(job)] * 10)
    until("empty queues", deployed.drained, 60)
    person.settings(enabled=False)
    [run] = person.runs()
    assert (run["id"], run["trigger"], run["counts"]["sent"]) == (job.run_id, "schedule", 8)
    assert person.plays == person.wanted


def malformed(good: dict[str, Any]) -> list[str]:
    """What nobody can work on: no JSON, no object, fields missing or of a wrong type."""
    texts = ["not json", "{", "null", "[]", "7", '"x"', "{}", "\u0416" * 100]
    changed = [good | {name: wrong} for name in good for wrong in (None, 5, [], {}, "") if name != "deferrals"]
    missing = [{name: value for name, value in good.items() if name != gone} for gone in good if gone != "deferrals"]
    return [*texts, *map(json.dumps, [*changed, *missing, good | {"deferrals": "many"}])]


def test_poison_beside_good_jobs(deployed: Deployed) -> None:
    """Whatever cannot be read ends on the dead-letter queue, soon, as it came; the others' jobs do not wait for it."""
    people = deployed.people(["beside poison 1", "beside poison 2"])
    for person in people:
        person.usual()
        person.settings(enabled=True)
    good = [
        body(PlanJob(person.user_id, new_run_id(1_800_000_000, f"0000000{number}"), "schedule"))
        for number, person in enumerate(people)
    ]
    poison = malformed(asdict(PlanJob("u" * 40, "20200101-000000-00000000", "schedule")))
    poison.append(body(PlanJob("u" * 40, "20200101-000000-00000000", "sometimes")))  # type: ignore[arg-type]
    deployed.send("SyncJobs", [*poison[:4], good[0], *poison[4:13], good[1], *poison[13:]])
    for person in people:
        until("the run", lambda: [run["status"] for run in person.runs()] == ["succeeded"], 60)  # noqa: B023
        assert person.plays == person.wanted
        person.settings(enabled=False)
    assert buried(deployed, "SyncJobs", len(poison)) == Counter(poison)
    until("empty queues", deployed.drained)


def test_poison_among_batches(deployed: Deployed) -> None:
    """The same on the way to Trakt; a run or batch that its user does not have is poison there, too.

    What somebody left behind who has deleted the account is nobody's trouble.
    """
    person = deployed.person("beside bad batches")
    person.usual()
    person.settings(batch_size=3)
    run_id = person.start()
    jobs_of(person, run_id)
    poison = malformed(asdict(SendJob("u" * 40, "20200101-000000-00000000", "0001-00000")))
    unknown = [
        SendJob(person.user_id, "20200101-000000-00000000", "0001-00000"),
        SendJob(person.user_id, run_id, "0001-00099"),
        SendJob(person.user_id, run_id, "9999-00000"),
    ]
    poison += map(body, unknown)
    left_behind = [SendJob("u" * 40, run, "0001-00000") for run in ("20200101-000000-00000000", run_id)]
    deployed.send("HistoryBatches", [*poison, *map(body, left_behind)])
    run = follow({person: run_id})[person]
    assert (run["status"], person.plays) == ("succeeded", person.wanted)
    assert buried(deployed, "HistoryBatches", len(poison)) == Counter(poison)
    until("empty queues", deployed.drained)


def buried(deployed: Deployed, queue: str, number: int) -> Counter[str]:
    """What the dead-letter queue gets, until it has got so many."""
    found: Counter[str] = Counter()

    def all_there() -> bool:
        found.update(deployed.take_all(f"{queue}Dlq"))
        return found.total() >= number

    until("buried messages", all_there, 60)
    return found


def test_jobs_of_people_who_are_gone(deployed: Deployed) -> None:
    """A job of somebody without an account, or who disconnected, is done with: nothing is begun, nobody is told."""
    person = deployed.person("gone")
    person.usual()
    person.settings(enabled=True)
    person.web.delete("auth/trakt")
    jobs = [
        PlanJob("0" * 40, new_run_id(1_800_000_000, "00000001"), "schedule"),
        PlanJob(person.user_id, new_run_id(1_800_000_000, "00000002"), "schedule"),
    ]
    deployed.send("SyncJobs", list(map(body, jobs)))
    until("empty queues", deployed.drained)
    assert (person.runs(), person.plays, deployed.take_all("SyncJobsDlq")) == ([], person.had, [])


def test_starts_at_once(deployed: Deployed) -> None:
    """Of clicks at once one starts a run; the others are told which."""
    person = deployed.person("clicks")
    person.usual()
    with person.held(), ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: person.web.post("sync/runs", json={"mode": "sync"}), range(6)))
    started = [answer.json()["run_id"] for answer in answers if answer.status_code == 202]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert (len(started), len(refused), {problem["code"] for problem in refused}) == (1, 5, {"run_active"})
    assert {problem["run_id"] for problem in refused} == set(started)
    assert follow({person: started[0]})[person]["status"] == "succeeded"
    assert person.plays == person.wanted
