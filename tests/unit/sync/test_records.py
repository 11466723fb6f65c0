"""A delivery of several messages: what one of them does to itself holds up none of the others."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import steadily
from watchferry.errors import MalformedMessage, RetryLater
from watchferry.sync.records import work_off

fates = st.lists(st.sampled_from(["fine", "malformed", "crash"]), max_size=10)


def event(*bodies: str | None) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def live(body: str, worker: str) -> str:
    if body == "malformed":
        raise MalformedMessage("cannot be read")
    if body == "crash":
        raise ZeroDivisionError
    return "done"


def failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "watchferry.sync.records")


@steadily
@given(fates, st.sampled_from([1, 3, 10]))
def test_a_crash_reports_that_record_and_no_other(bodies: list[str], side_by_side: int) -> None:
    """What cannot be read is buried and counts as done; all the others are worked on, each once."""
    worked: list[str] = []
    buried: list[str] = []

    def work(body: str, worker: str) -> str:
        worked.append(body)
        return live(body, worker)

    answer = work_off(event(*bodies), work, buried.append, side_by_side=side_by_side)
    assert failed(answer) == [f"m{number}" for number, body in enumerate(bodies) if body == "crash"]
    assert sorted(worked) == sorted(bodies)
    assert buried == [body for body in bodies if body == "malformed"]


def test_a_message_that_cannot_be_buried_comes_again() -> None:
    """The dead-letter queue is out of order: nothing is lost, and the others go on."""

    def bury(body: str) -> None:
        raise ConnectionError

    assert failed(work_off(event("malformed", "fine"), live, bury, side_by_side=1)) == ["m0"]


@pytest.mark.parametrize("body", ["", None])
def test_an_empty_body_can_be_buried(body: str | None) -> None:
    """SQS takes no empty message, so it goes there as `-`."""
    buried: list[str] = []

    def work(body: str, worker: str) -> str:
        raise MalformedMessage(body)

    assert failed(work_off(event(body), work, buried.append, side_by_side=1)) == []
    assert buried == ["-"]


def test_records_are_worked_on_side_by_side() -> None:
    """Three meet at a gate for three; a slow user does not hold up the others of the delivery."""
    gate = threading.Barrier(3)

    def work(body: str, worker: str) -> str:
        gate.wait(10)
        return "done"

    assert failed(work_off(event("a", "b", "c"), work, print, side_by_side=10)) == []


def test_every_record_has_a_worker_of_its_own() -> None:
    """A redelivery too: who comes second must not take itself for the first."""
    workers: list[str] = []

    def work(body: str, worker: str) -> str:
        workers.append(worker)
        return "done"

    for _ in range(2):
        work_off(event("a", "b"), work, print, side_by_side=1)
    assert len(set(workers)) == 4


@pytest.mark.parametrize("empty", [{}, {"Records": []}])
def test_nothing_to_do_is_no_failure(empty: dict[str, Any]) -> None:
    assert work_off(empty, live, print, side_by_side=10) == {"batchItemFailures": []}


@pytest.mark.parametrize("works", [True, False])
def test_putting_off(works: bool) -> None:
    """What is to come later comes again when `put_off` says; if that fails, it comes all the same."""
    put: list[tuple[str, str]] = []

    def later(body: str, _worker: str) -> str:
        if body == "later":
            raise RetryLater("rate_limited", "not now")
        return live(body, _worker)

    def put_off(record: Mapping[str, Any], trouble: RetryLater) -> None:
        put.append((record["messageId"], trouble.code))
        if not works:
            raise ConnectionError

    answer = work_off(event("fine", "later", "crash"), later, [].append, side_by_side=2, put_off=put_off)
    assert (failed(answer), put) == (["m1", "m2"], [("m1", "rate_limited")])
