"""Being told, on the deployed stack: users' webhooks on this machine, and the operator's topic (http-api.md, Sync)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.deployed import Deployed, until
from tests.stack.person import Person
from tests.upstreams.web import Response, serve
from tests.upstreams.webhooks import DISCORD, NTFY, SLACK, TOKEN, Receivers, Shown

pytestmark = pytest.mark.stack


class Receiver(Receivers):
    url: str


@pytest.fixture
def receiver(deployed: Deployed) -> Iterator[Receiver]:
    """A receiver of its own for every test."""
    app = Receiver()
    served = serve(app)
    app.url = served.url
    deployed.secrets.add(TOKEN)  # looked for in every log and table by test_secrets.py
    yield app
    served.close()


@pytest.fixture(scope="module")
def operator(deployed: Deployed) -> str:
    """A queue that hears what is published to the operator."""
    sqs, sns = deployed.cloud("sqs"), deployed.cloud("sns")
    url: str = sqs.create_queue(QueueName="operator-hears")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [allowed | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def heard(deployed: Deployed, url: str, slug: str) -> list[Any]:
    """What the operator was told of one user."""
    sqs, found = deployed.cloud("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        for message in messages:
            told = json.loads(message["Body"])
            if f"User: {slug}\n" in told["Message"]:
                found.append(told)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        if found:
            break
    return found


def listens(person: Person, receiver: Receiver, path: str = NTFY) -> str:
    """A person who has said where to be told."""
    url = receiver.url + path
    assert person.settings(webhook_url=url)["webhook_url"] == f"{receiver.url}/***"
    return url


def drained(deployed: Deployed) -> None:
    until("an empty queue of notices", lambda: not deployed.waiting("Notices"), 60)


def of_kind(shown: list[Shown], kind: str) -> list[Shown]:
    return [each for each in shown if each.body["kind"] == kind]


@pytest.mark.parametrize("path", [DISCORD, SLACK, NTFY, f"{NTFY}?auth=QmVhcmVy%3D"])
def test_a_test_notice_arrives(deployed: Deployed, receiver: Receiver, path: str) -> None:
    """At each of the three; the address is never shown again, and what is shown of it changes nothing."""
    person = deployed.person("listens")
    assert person.web.post("sync/webhook/test").json()["code"] == "not_configured"
    listens(person, receiver, path)
    masked = person.call("GET", "sync/settings")["webhook_url"]
    assert masked == person.settings(webhook_url=masked)["webhook_url"] == f"{receiver.url}/***"
    assert person.web.post("sync/webhook/test").status_code == 202
    (shown,) = receiver.wait(1)
    assert shown.title == "Watchferry: Your webhook works"
    assert person.slug in shown.text
    assert (shown.body["kind"], shown.body["site_url"]) == ("test", deployed.stack.site_url)
    again = person.web.post("sync/webhook/test")
    assert (again.status_code, again.json()["code"]) == (429, "rate_limited")
    assert person.settings(webhook_url=None)["webhook_url"] is None
    assert person.web.post("sync/webhook/test").json()["code"] == "not_configured"
    drained(deployed)
    assert len(receiver.requests) == 1
    assert TOKEN not in "\n".join(deployed.answers)


def test_a_refused_refresh_is_told_once(deployed: Deployed, receiver: Receiver, operator: str) -> None:
    """However many runs come upon it: one notice to the user, one to the operator, who learns who and why, no more."""
    person = deployed.person("refused")
    listens(person, receiver)
    person.usual()
    deployed.upstreams.trakt.revoke_tokens(person.slug)
    run = person.run()
    assert run["error"]["code"] == "reauth_required"
    (shown,) = receiver.wait(1)
    assert (shown.title, shown.body["kind"], shown.body["code"]) == (
        "Watchferry: Connect your account again",
        "reauth_required",
        "reauth_required",
    )
    assert person.slug in shown.text
    until("the operator's", lambda: (found := heard(deployed, operator, person.slug)) and check_mail(found), 30)
    drained(deployed)
    assert person.state["paused_reason"] == "reauth_required"
    assert [each.body["kind"] for each in receiver.shown] == ["reauth_required"]
    assert heard(deployed, operator, person.slug) == []


def check_mail(found: list[Any]) -> bool:
    (mail,) = found
    assert {name: value["Value"] for name, value in mail["MessageAttributes"].items()} == {
        "kind": "reauth_required",
        "code": "reauth_required",
    }
    assert mail["Subject"] == "Watchferry: reauth required"
    assert "http" not in mail["Message"]
    assert TOKEN not in json.dumps(mail)
    return True


def test_failures_in_a_row_are_told_once(deployed: Deployed, receiver: Receiver) -> None:
    """A success ends the row."""
    person = deployed.person("fails")
    listens(person, receiver, SLACK)
    person.usual()
    film, faults = deployed.new_shelf().films[0], deployed.upstreams.trakt.faults
    for round_ in (1, 2):
        fault = faults.add(path="^/sync/history", user=person.slug, preset="app_dead", times=None)
        try:
            assert [person.run()["status"] for _ in range(2)] == ["failed", "failed"]
        finally:
            faults.script.remove(fault)
        receiver.wait(round_)
        assert person.run()["status"] == "succeeded"
        person.watch_now(film.id)
    drained(deployed)
    assert [each.body["code"] for each in receiver.shown] == ["app_refused"] * 2
    assert of_kind(receiver.shown, "run_failed") == receiver.shown


def test_a_webhook_that_is_down(deployed: Deployed, receiver: Receiver) -> None:
    """Is tried again until it answers; then no more."""
    person = deployed.person("is down")
    listens(person, receiver, DISCORD)
    receiver.next = [Response(503), Response.json({"retry_after": 0.3}, 429, {"Retry-After": "0.3"}), Response(500)]
    assert person.web.post("sync/webhook/test").status_code == 202
    (shown,) = receiver.wait(1, 60)
    assert shown.body["kind"] == "test"
    drained(deployed)
    assert len(receiver.requests) == 4
    assert len({request.body for request in receiver.requests}) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Response.json({"message": "Unknown Webhook", "code": 10015}, 404),
        Response.text("channel_is_archived", 410),
        Response(302, headers={"Location": f"{NTFY}"}),
    ],
    ids=["404", "410", "302"],
)
def test_a_webhook_that_is_gone(deployed: Deployed, receiver: Receiver, answer: Response) -> None:
    """Is called once; a redirect is not followed."""
    person = deployed.person("is gone")
    listens(person, receiver, SLACK)
    receiver.next = [answer]
    assert person.web.post("sync/webhook/test").status_code == 202
    receiver.heard(1)
    drained(deployed)
    assert (len(receiver.requests), receiver.shown, deployed.take_all("NoticesDlq")) == (1, [], [])


def test_poison(deployed: Deployed, receiver: Receiver) -> None:
    """What nobody can read is buried; what is beside it arrives. Nobody's notice is done with."""
    person = deployed.person("beside poison")
    listens(person, receiver)
    nobody = {"to": "webhook", "kind": "test", "user_id": "0" * 40, "slug": "x", "code": "test", "detail": "", "at": 1}
    poison = ["not json", "[]", "{}", json.dumps(nobody | {"kind": "other"}), json.dumps(nobody | {"more": 1})]
    deployed.send("Notices", [*poison, json.dumps(nobody), json.dumps(nobody | {"user_id": person.user_id})])
    receiver.wait(1)
    buried: list[str] = []
    until("buried", lambda: buried.extend(deployed.take_all("NoticesDlq")) or len(buried) >= len(poison), 60)
    assert sorted(buried) == sorted(poison)
    drained(deployed)
    assert len(receiver.shown) == 1


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://169.254.169.254/latest/meta-data", "blocked_address"),
        ("http://[fd00:ec2::254]/", "blocked_address"),
        ("http://0.0.0.0:9696/", "blocked_address"),
        ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "blocked_address"),
        ("http://2130706433/", "blocked_address"),
        ("http://user:password@127.0.0.1/", "blocked_address"),
        ("file:///etc/passwd", "blocked_address"),
        ("http://nothing.invalid/", "unresolvable_address"),
    ],
)
def test_addresses_that_are_not_saved(deployed: Deployed, address: str, code: str) -> None:
    """Neither as a webhook nor as a Prowlarr, even where private addresses are allowed."""
    person = deployed.person("hostile")
    for answer in (
        person.web.put("sync/settings", json={"webhook_url": address}),
        person.web.put("auth/prowlarr", json={"base_url": address, "api_key": "k"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert address not in answer.text
    assert person.call("GET", "sync/settings")["webhook_url"] is None
    assert person.session["prowlarr"] == {"configured": False, "base_url": None}


def test_prowlarr(deployed: Deployed) -> None:
    """Saved with its path, without its slash; the key is never shown."""
    person = deployed.person("has a prowlarr")
    key = "prowlarr-key-0123456789"
    deployed.secrets.add(key)
    given = {"base_url": "http://127.0.0.1:9696/prowlarr/", "api_key": key}
    assert person.web.put("auth/prowlarr", json=given).status_code == 204
    assert person.session["prowlarr"] == {"configured": True, "base_url": "http://127.0.0.1:9696/prowlarr"}
    assert person.web.delete("auth/prowlarr").status_code == 204
    assert person.session["prowlarr"] == {"configured": False, "base_url": None}
    assert key not in "\n".join(deployed.answers)
