"""What the queues carry, and how it gets there (architecture.md, rule 4)."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import steadily
from watchferry.sync.queues import (
    LONGEST_DELAY,
    WAKE,
    ForgetJob,
    KeepAliveJob,
    LookJob,
    MalformedMessage,
    PlanJob,
    Queues,
    SendJob,
    sync_job,
)

words = st.text(min_size=1, max_size=12)


class Sqs:
    """Takes ten messages a call at most, as SQS does; refuses those whose turn in `refusals` it is."""

    def __init__(self, refusals: list[set[str]] | None = None) -> None:
        self.refusals = refusals or []
        self.calls: list[list[dict[str, Any]]] = []
        self.taken: dict[str, list[tuple[Any, int]]] = {}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert 0 < len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        assert all(isinstance(entry["DelaySeconds"], int) and 0 <= entry["DelaySeconds"] <= 900 for entry in Entries)
        self.calls.append(Entries)
        refused = self.refusals.pop(0) if self.refusals else set()
        queue = self.taken.setdefault(QueueUrl, [])
        queue += [(json.loads(e["MessageBody"]), e["DelaySeconds"]) for e in Entries if e["Id"] not in refused]
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries if entry["Id"] in refused]}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        self.taken.setdefault(QueueUrl, []).append((MessageBody, 0))


def queues(sqs: Sqs) -> Queues:
    return Queues(sqs, "jobs", "jobs-dlq", "batches", "batches-dlq")  # type: ignore[arg-type]


def jobs(count: int, delay: float = 0) -> list[tuple[SendJob, float]]:
    return [(SendJob("harry", "r", f"0001-{number:05d}"), delay) for number in range(count)]


@steadily
@given(words, words, words, st.sampled_from(["schedule", "manual"]), st.integers(0, 99))
def test_a_job_comes_out_as_it_went_in(user, run, batch, trigger, deferrals) -> None:
    """Its deferrals too; a message without any was never put off."""
    for job in (PlanJob(user, run, trigger, deferrals), SendJob(user, run, batch, deferrals)):
        written = asdict(job)
        assert type(job).of(json.dumps(written)) == job
        del written["deferrals"]
        assert type(job).of(json.dumps(written)).deferrals == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "-",
        "{",
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
        '{"user_id":"a","run_id":"b"}',
        '{"user_id":"","run_id":"b","batch":"c","trigger":"manual"}',
        '{"user_id":null,"run_id":"b","batch":"c","trigger":"manual"}',
        '{"user_id":["a"],"run_id":"b","batch":"c","trigger":"manual"}',
        '{"user_id":"a","run_id":7,"batch":"c","trigger":"manual"}',
        '{"user_id":"a","run_id":"b","batch":"c","trigger":"manual","deferrals":"two"}',
        '{"user_id":"a","run_id":"b","batch":{},"trigger":"tick"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_job_is_malformed(body: str) -> None:
    """For both queues; it is the one error that says "to the dead-letter queue"."""
    for kind in (PlanJob, SendJob):
        with pytest.raises(MalformedMessage):
            kind.of(body)


@steadily
@given(words, words, st.lists(words), st.integers(0, 9))
def test_what_the_queue_of_users_carries(user, mark, runs, sweeps) -> None:
    """Each kind of job comes out as it went in; a message that names none is a plan's, as it always was."""
    jobs = (KeepAliveJob(user), LookJob("trakt"), LookJob("kinopub"), ForgetJob(user, mark, runs, sweeps))
    for job in (PlanJob(user, mark, "schedule"), *jobs):
        assert sync_job(json.dumps(asdict(job))) == job
    assert "job" not in asdict(PlanJob(user, mark, "schedule"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "7",
        "null",
        '"text"',
        "[]",
        "[" * 100_000,
        '{"user_id":"a","job":"dance"}',
        '{"user_id":"a","job":7}',
        '{"user_id":"a","job":["forget"]}',
        '{"job":"keep_alive"}',
        '{"job":"keep_alive","user_id":""}',
        '{"job":"look"}',
        '{"job":"look","provider":"tmdb"}',
        '{"job":"look","provider":["trakt"]}',
        '{"job":"forget","user_id":"a"}',
        '{"job":"forget","user_id":"a","mark":"m","runs":"r"}',
        '{"job":"forget","user_id":"a","mark":"m","runs":[7]}',
        '{"job":"forget","user_id":"a","mark":"m","runs":[""]}',
        '{"job":"forget","user_id":"a","mark":"m","sweeps":"two"}',
    ],
)
def test_what_is_none_of_them_is_malformed(body: str) -> None:
    """It goes to the dead-letter queue at once."""
    with pytest.raises(MalformedMessage):
        sync_job(body)


def test_an_unknown_trigger_is_malformed() -> None:
    """A message of ours that does not say who asked for the run is none of ours."""
    with pytest.raises(MalformedMessage, match="trigger"):
        PlanJob.of('{"user_id":"a","run_id":"b","trigger":"webhook"}')


@steadily
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["user_id", "run_id", "trigger", "deferrals"]), x),
        max_leaves=8,
    )
)
def test_whatever_json_comes_it_is_a_job_or_malformed(content) -> None:
    """Never another error."""
    with suppress(MalformedMessage):
        assert isinstance(PlanJob.of(json.dumps(content)), PlanJob)


@steadily
@given(st.integers(0, 43))
def test_any_number_of_messages_goes_out_ten_to_a_call(count: int) -> None:
    """All of them, once, to their own queue."""
    sqs = Sqs()
    queues(sqs).send(jobs(count))
    assert sorted(body["batch"] for body, _ in sqs.taken.get("batches", [])) == [job.batch for job, _ in jobs(count)]
    assert len(sqs.calls) == -(-count // 10)
    queues(sqs).plan([(PlanJob("harry", "r", "manual"), 0)])
    queues(sqs).keep_alive([(KeepAliveJob("harry"), 0)])
    queues(sqs).forget(ForgetJob("harry", "mark"), 400)
    assert [delay for _, delay in sqs.taken["jobs"]] == [0, 0, 400]


@pytest.mark.parametrize(
    ("wanted", "given_"), [(0, 0), (-5, 0), (0.6, 1), (1.05, 2), (30, 30), (899.2, 900), (901, 900), (86_400, 900)]
)
def test_delays_are_whole_seconds_and_never_longer_than_sqs_can_hold(wanted: float, given_: int) -> None:
    """Rounded up, so that nothing comes before its time by more than a blink."""
    sqs = Sqs()
    queues(sqs).send(jobs(1, wanted))
    assert [delay for _, delay in sqs.taken["batches"]] == [given_]
    assert LONGEST_DELAY == 900


def test_what_sqs_refuses_is_sent_again_and_nothing_else() -> None:
    """A batch call can fail for some of its messages."""
    sqs = Sqs([{"1", "3"}, {"3"}])
    queues(sqs).send(jobs(4))
    assert [len(call) for call in sqs.calls] == [4, 2, 1]
    assert sorted(body["batch"] for body, _ in sqs.taken["batches"]) == [job.batch for job, _ in jobs(4)]


def test_a_message_that_is_never_taken_is_an_error() -> None:
    """Who queues must not believe that it is done."""
    sqs = Sqs([{"0"}] * 9)
    with pytest.raises(RuntimeError, match="1 message"):
        queues(sqs).send(jobs(2))
    assert len(sqs.calls) == 5


def test_the_dead_letter_queue_gets_the_message_as_it_was() -> None:
    sqs = Sqs()
    queues(sqs).bury_plan("{")
    queues(sqs).bury_send("[")
    assert sqs.taken == {"jobs-dlq": [("{", 0)], "batches-dlq": [("[", 0)]}


def test_a_sender_that_is_woken_has_nothing_to_send() -> None:
    """The message is of its queue, and is no batch."""
    queues(sqs := Sqs()).wake_sender()
    assert sqs.taken == {"batches": [(WAKE, 0)]}
    with pytest.raises(MalformedMessage):
        SendJob.of(WAKE)
