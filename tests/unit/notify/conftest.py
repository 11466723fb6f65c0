"""A user with an account, who may be told; receivers on this machine; what lies on the queues."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import NewWiring, client
from tests.upstreams.web import serve
from tests.upstreams.webhooks import Receivers
from watchferry.wiring import Wiring

USER = "u-1"


class Receiver(Receivers):
    url: str


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    app = Receiver()
    served = serve(app)
    app.url = served.url
    yield app
    served.close()


@pytest.fixture
def at_home(new_wiring: NewWiring) -> Wiring:
    """A deployment that lets private addresses pass, with one user."""
    wiring = new_wiring(allow_private_prowlarr="true")
    wiring.accounts.sign_in(USER, {"slug": "harry", "name": "Harry"})
    return wiring


def queued(wiring: Wiring, queue: str = "notices_queue_url") -> list[Any]:
    """Takes every message off a queue."""
    sqs, url, found = client("sqs"), getattr(wiring.settings, queue), list[Any]()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
