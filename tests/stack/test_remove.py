"""`make remove` in a local cloud of its own, on a stack that has of each kind what is emptied, deleted and kept."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import ministack
from tests.cloud import remove as removal
from tests.cloud.deployment import Target, run_sam
from tests.cloud.remove import remove
from tests.cloud.up import local_target

pytestmark = pytest.mark.stack

TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
TEMPLATE = {
    "Resources": {
        "Page": {"Type": "AWS::S3::Bucket"},
        "AnswerBodies": {"Type": "AWS::S3::Bucket"},
        "Ledger": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": TABLE},
        "Flows": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete", "Properties": TABLE},
    }
}
SECRETS = ["kinopub-client-secret", "trakt-client-secret"]


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """Its buckets hold more objects than one answer lists."""
    target = local_target(ministack.start(tmp_path), tmp_path)
    cloudformation, s3 = target.aws("cloudformation"), target.aws("s3")
    cloudformation.create_stack(StackName=target.stack_name, TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=target.stack_name, WaiterConfig={"Delay": 1})
    for bucket in buckets(target):
        for number in range(1003):
            s3.put_object(Bucket=bucket, Key=f"assets/{number}", Body=b"x")
    for name in [*(f"/watchferry/{target.stack_name}/{secret}" for secret in SECRETS), "/another/secret"]:
        target.aws("ssm").put_parameter(Name=name, Value="s", Type="SecureString")
    yield target
    ministack.stop(tmp_path)


def buckets(target: Target) -> list[str]:
    return [bucket["Name"] for bucket in target.aws("s3").list_buckets()["Buckets"]]


def left(target: Target) -> dict[str, Any]:
    return {
        "buckets": buckets(target),
        "secrets": [secret["Name"] for secret in target.aws("ssm").describe_parameters()["Parameters"]],
        "tables": target.aws("dynamodb").list_tables()["TableNames"],
    }


def test_nothing_is_left_but_the_history(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not ours stays; without a yes everything does. Once more finds nothing to do."""
    monkeypatch.setattr(removal, "aws_target", lambda: target)
    monkeypatch.delenv("YES", raising=False)
    before = left(target)
    assert removal.main() == 1
    assert left(target) == before

    objects: list[int] = []

    def sam_delete(target: Target, *arguments: str) -> None:
        # AWS deletes no bucket that is not empty; the local cloud does not mind.
        objects.extend(target.aws("s3").list_objects_v2(Bucket=bucket)["KeyCount"] for bucket in buckets(target))
        run_sam(target, *arguments)

    monkeypatch.setattr(removal, "run_sam", sam_delete)
    kept = remove(target, lambda said: None)
    assert objects == [0, 0]
    assert (len(kept), "Ledger" in kept[0]) == (1, True)
    assert left(target) == {"buckets": [], "secrets": ["/another/secret"], "tables": kept}
    assert remove(target, lambda said: None) == []
