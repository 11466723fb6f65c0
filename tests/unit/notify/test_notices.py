"""Notices on their queue: read as they were written, and nothing else is read."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws import client
from tests.unit.notify.conftest import queued
from watchferry.errors import MalformedMessage
from watchferry.notify.notices import KINDS, READERS, Notice, Notices
from watchferry.wiring import Wiring

GOOD = Notice("webhook", "run_failed", "u-1", "harry", "a_code", "why", 1_790_000_000, "run-1")


def test_there_and_back(wiring: Wiring) -> None:
    """More than fit into one call of SQS would be a mistake of ours; two do."""
    both = [GOOD, Notice("operator", "test", "u-1", "", "test", "", 0)]
    wiring.notices.send(both)
    assert sorted((Notice.of(json.dumps(each)) for each in queued(wiring)), key=repr) == sorted(both, key=repr)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"to": to} for to in ("x", {}, None)),
        *({"kind": kind} for kind in ("x", [], None)),
        *({"at": at} for at in ("1", True, None, 1.5)),
        *({name: wrong} for name in ("user_id", "slug", "code", "detail") for wrong in (1, None)),
        {"user_id": ""},
        {"code": ""},
        {"run_id": 1},
        {"more": 1},
    ],
)
def test_malformed(wrong: dict[str, Any]) -> None:
    """MalformedMessage, whatever is wrong with it."""
    with pytest.raises(MalformedMessage):
        Notice.of(json.dumps(asdict(GOOD) | wrong))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_json(body: str) -> None:
    """Is no notice, and that is said in one way."""
    with suppress(MalformedMessage):
        Notice.of(body)
        raise AssertionError(body)


@given(st.sampled_from(READERS), st.sampled_from(KINDS), st.text(min_size=1), st.text(), st.none() | st.text())
def test_every_notice_is_read_again(to: Any, kind: Any, word: str, text: str, run_id: str | None) -> None:
    """To the letter."""
    notice = Notice(to, kind, word, text, word, text, 1, run_id)
    assert Notice.of(json.dumps(asdict(notice))) == notice


def test_what_sqs_does_not_take_is_sent_again() -> None:
    """As often as five times; then somebody hears of it."""

    class Sqs:
        def __init__(self, failures: int) -> None:
            self.failures, self.taken = failures, list[str]()

        def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:
            if self.failures:
                self.failures -= 1
                return {"Failed": [{"Id": Entries[-1]["Id"]}]}
            self.taken += [entry["Id"] for entry in Entries]
            return {}

    sqs: Any = Sqs(4)
    Notices(lambda: sqs, "queue", "dlq").send([GOOD, GOOD])
    assert sqs.taken == ["1"]
    sqs = Sqs(5)
    with pytest.raises(RuntimeError):
        Notices(lambda: sqs, "queue", "dlq").send([GOOD])


def test_what_nobody_can_read_is_buried(wiring: Wiring) -> None:
    """As it came."""
    wiring.notices.bury('"poison"')
    assert queued(wiring, "notices_dlq_url") == ["poison"]


def test_put_off(wiring: Wiring) -> None:
    """It is hidden for so long, an hour at most."""
    wiring.notices.send([GOOD])
    url = wiring.settings.notices_queue_url
    (message,) = client("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    wiring.notices.put_off(message["ReceiptHandle"], 100_000.0)
    assert queued(wiring) == []
