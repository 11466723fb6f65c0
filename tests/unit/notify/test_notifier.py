"""The notifier: what arrives, what is tried again and when, what is dropped — and that no address is ever said."""

import logging
from typing import Any

import pytest

from tests.conftest import Clock, NewWiring, client
from tests.unit.notify.conftest import USER, Receiver
from tests.upstreams.web import Response
from tests.upstreams.webhooks import DISCORD, NTFY, SLACK, TOKEN
from watchferry.errors import RetryLater
from watchferry.notify.notices import LONGEST_PAUSE, Notice, Reader
from watchferry.wiring import Wiring


def notice(to: Reader = "webhook", user_id: str = USER) -> Notice:
    return Notice(to, "account_locked", user_id, "harry", "account_locked", "why", 1_790_000_000, "run-1")


def listens(wiring: Wiring, url: str) -> None:
    wiring.webhook.change(USER, url)


@pytest.mark.parametrize("path", [DISCORD, SLACK, NTFY, f"{NTFY}?auth=x%3D"])
def test_delivered(at_home: Wiring, receiver: Receiver, path: str) -> None:
    """To where the user said, once."""
    listens(at_home, receiver.url + path)
    assert at_home.notifier.deliver(notice()) == "delivered"
    (request,) = receiver.requests
    assert f"{request.path}{'?auth=x%3D' if request.query else ''}" == path
    assert request.headers["user-agent"].startswith("Watchferry/")
    assert request.headers["x-click"] == "https://watchferry.test"
    assert len(receiver.shown) == 1


def test_nobody_listens(at_home: Wiring) -> None:
    """Then it is done with."""
    assert at_home.notifier.deliver(notice()) == "no webhook"


def test_bound_to_its_owner(at_home: Wiring, receiver: Receiver) -> None:
    """A row that was moved to another user opens for nobody."""
    listens(at_home, receiver.url + NTFY)
    stored = at_home.webhooks.get(USER)
    assert stored is not None
    at_home.webhooks.put("u-2", sealed=stored.sealed, sealed_key=stored.sealed_key)
    with pytest.raises(Exception, match=r"^$"):  # cryptography's InvalidTag says nothing
        at_home.notifier.deliver(notice(user_id="u-2"))
    assert receiver.requests == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_tried_again(at_home: Wiring, receiver: Receiver, status: int) -> None:
    """While the trouble is the receiver's and may pass."""
    listens(at_home, receiver.url + NTFY)
    receiver.next = [Response(status)]
    with pytest.raises(RetryLater) as trouble:
        at_home.notifier.deliver(notice())
    assert TOKEN not in str(trouble.value)
    assert at_home.notifier.deliver(notice()) == "delivered"


def test_nobody_at_home(at_home: Wiring, receiver: Receiver) -> None:
    """A connection that is refused is tried again; so is a name that has no address just now."""
    listens(at_home, "http://127.0.0.1:1/x")
    with pytest.raises(RetryLater):
        at_home.notifier.deliver(notice())


def test_a_name_that_is_gone(new_wiring: NewWiring) -> None:
    """Perhaps only its server is: later."""
    answers = iter([["8.8.8.8"], []])
    wiring = new_wiring(resolve=lambda *_: next(answers))
    wiring.accounts.sign_in(USER, {"slug": "harry"})
    listens(wiring, "https://hooks.example/x")
    with pytest.raises(RetryLater):
        wiring.notifier.deliver(notice())


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 405, 410, 413])
def test_dropped(at_home: Wiring, receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """It will not get better, and a redirect is not followed: said once in the log, without the address."""
    listens(at_home, receiver.url + SLACK)
    receiver.next = [Response(status, headers={"Location": receiver.url + NTFY})]
    with caplog.at_level(logging.INFO):
        assert at_home.notifier.deliver(notice()) == "dropped"
    assert len(receiver.requests) == 1
    (line,) = [record for record in caplog.records if record.name == "watchferry.notify.notifier"]
    assert vars(line)["why"] == f"answered {status}"
    assert not any(TOKEN in str(vars(record)) for record in caplog.records)


def test_an_address_that_became_another(new_wiring: NewWiring, caplog: pytest.LogCaptureFixture) -> None:
    """Public when it was saved, this machine's own when it is called: dropped, before any connection."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    wiring = new_wiring(resolve=lambda *_: next(answers))
    wiring.accounts.sign_in(USER, {"slug": "harry"})
    listens(wiring, f"https://hooks.example/{TOKEN}")
    assert wiring.notifier.deliver(notice()) == "dropped"
    (line,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert vars(line)["why"] == "blocked_address"
    assert TOKEN not in str(vars(line))


def test_long_answers(at_home: Wiring, receiver: Receiver) -> None:
    """Nobody reads them; the status counts."""
    listens(at_home, receiver.url + NTFY)
    receiver.next = [Response(200, b"x" * 200_000), Response(503, b"x" * 200_000)]
    assert at_home.notifier.deliver(notice()) == "delivered"
    with pytest.raises(RetryLater):
        at_home.notifier.deliver(notice())


@pytest.mark.parametrize(
    ("asked", "after"),
    [
        ("7", 7),
        ("0.3", 0.3),
        ("Mon, 21 Sep 2026 14:14:20 GMT", 60),
        ("Mon, 21 Sep 2020 14:14:20 GMT", None),
        *((nonsense, None) for nonsense in ("", "soon", "-5", "nan", "inf")),
    ],
)
def test_how_long_a_receiver_asks_for(
    at_home: Wiring, receiver: Receiver, clock: Clock, asked: str, after: float | None
) -> None:
    """Seconds or a date; nonsense is nothing."""
    clock.now = 1_790_000_000.0  # 14:13:20 of that day
    listens(at_home, receiver.url + NTFY)
    receiver.next = [Response(429, headers={"Retry-After": asked})]
    with pytest.raises(RetryLater) as trouble:
        at_home.notifier.deliver(notice())
    assert trouble.value.after == (pytest.approx(after) if after is not None else None)


def test_pauses(at_home: Wiring) -> None:
    """Twice as long each time, or what the receiver asks for; an hour at most. All deliveries take about an hour."""
    pauses = [at_home.notifier.pause_after(n, RetryLater("x", "y")) for n in range(1, 9)]
    assert pauses[:4] == [30, 60, 120, 240]
    assert 3000 < sum(pauses[:-1]) < 4500
    assert at_home.notifier.pause_after(1, RetryLater("x", "y", after=100)) == 100
    assert at_home.notifier.pause_after(1, RetryLater("x", "y", after=1e9)) == LONGEST_PAUSE
    assert at_home.notifier.pause_after(100, RetryLater("x", "y")) == LONGEST_PAUSE


def test_the_operator(at_home: Wiring) -> None:
    """Gets it by the topic, with `kind` and `code` to filter by; the user's webhook is not touched."""
    sqs, sns = client("sqs"), client("sns")
    url = sqs.create_queue(QueueName="operator-hears")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    wanted = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=at_home.settings.operator_topic_arn, Protocol="sqs", Endpoint=arn, Attributes=wanted)
    assert at_home.notifier.deliver(notice("operator")) == "published"
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    attributes: dict[str, Any] = message["MessageAttributes"]
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "kind": "account_locked",
        "code": "account_locked",
    }
    assert "User: harry\n" in message["Body"]
