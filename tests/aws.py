"""AWS in the test process: moto, furnished as template.yaml furnishes an account.

It is made once in a process, and every test begins with a copy of that: to make it anew takes ten times as long as most
tests do.
"""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from tests.cloud.settings import variable
from tests.tables import create_tables, tables

REGION = "eu-central-1"
BUCKET = "answers"
QUEUES = ("SyncJobs", "HistoryBatches", "SyncJobsDlq", "HistoryBatchesDlq", "Notices", "NoticesDlq")

_KEPT = (("dynamodb", REGION), ("kms", REGION), ("s3", "aws"), ("sns", REGION))
"""What is copied: services with the region that moto has them under. Queues have locks, which cannot be."""


@cache
def client(service: str) -> Any:
    """One for all tests, since making it takes longer than most of them.

    DynamoDB's conditional writes are atomic; moto's are not when threads call at once: so one call at a time.
    """
    made: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
    call, lock = made._make_api_call, threading.RLock()

    def alone(*request: Any) -> Any:
        with lock:
            return call(*request)

    made._make_api_call = alone
    return made


@contextmanager
def furnished() -> Iterator[dict[str, str]]:
    """The environment variables that name what is there."""
    mock = mock_aws()
    mock.start(reset=False)
    try:
        names, state = _furniture()
        for service, kept in state.items():
            vars(_backend(*service)).update(_copy(kept, service))
        yield names | _queues()
    finally:
        mock.stop(remove_data=False)


@cache
def _furniture() -> tuple[dict[str, str], dict[tuple[str, str], dict[str, Any]]]:
    create_tables(client("dynamodb"))
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    names = {
        **{f"{variable(name)}_TABLE": name for name in tables()},
        "ANSWERS_BUCKET": BUCKET,
        "OPERATOR_TOPIC_ARN": client("sns").create_topic(Name="OperatorTopic")["TopicArn"],
        "TOKEN_KEY_ARN": client("kms").create_key()["KeyMetadata"]["Arn"],
    }
    return names, {service: _copy(vars(_backend(*service)), service) for service in _KEPT}


def _queues() -> dict[str, str]:
    """All new and empty."""
    sqs = client("sqs")
    get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].reset()
    return {
        f"{variable(name)}_QUEUE_URL".replace("_DLQ_QUEUE_URL", "_DLQ_URL"): sqs.create_queue(QueueName=name)[
            "QueueUrl"
        ]
        for name in QUEUES
    }


def _copy(state: dict[str, Any], service: tuple[str, str]) -> dict[str, Any]:
    backend = _backend(*service)
    return copy.deepcopy(state, {id(backend): backend})  # what is in it may refer to it


def _backend(service: str, region: str) -> Any:
    return get_backend(service)[DEFAULT_ACCOUNT_ID][region]  # type: ignore[call-overload]
