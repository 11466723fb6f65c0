"""`make remove`: out of the owner's AWS account, but for people's history. `python -m tests.cloud.remove`"""

import os
import sys
from collections.abc import Callable

from tests.cloud import settings as owner
from tests.cloud.deploy import aws_target
from tests.cloud.deployment import Target, deployed, run_sam, tell
from tests.cloud.errors import CannotDeploy


def remove(target: Target, say: Callable[[str], None] = tell) -> list[str]:
    """Returns the tables that are kept. Safe to repeat. Raises CannotDeploy."""
    parts = _parts(target) if deployed(target) else {}
    kept = [parts[name] for name in _retained_tables() if name in parts]
    buckets = [name for logical, name in parts.items() if logical in _of_type("AWS::S3::Bucket")]
    if parts:
        say("emptying the buckets")
        for bucket in buckets:
            _empty(target, bucket)
        say("deleting the stack")
        try:
            run_sam(target, "delete", "--no-prompts")
        except CannotDeploy:
            # The proxy may have remembered an answer meanwhile; by now its function is gone.
            for bucket in buckets:
                _empty(target, bucket)
            run_sam(target, "delete", "--no-prompts")
    say("deleting the secrets")
    names = [owner.secret_name(target.stack_name, secret) for secret in owner.SECRETS]
    target.aws("ssm").delete_parameters(Names=names)
    return kept


def _parts(target: Target) -> dict[str, str]:
    """Logical id → physical id of all that is there."""
    pages = target.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=target.stack_name)
    return {
        part["LogicalResourceId"]: part["PhysicalResourceId"]
        for page in pages
        for part in page["StackResourceSummaries"]
        if part.get("PhysicalResourceId") and part["ResourceStatus"] != "DELETE_COMPLETE"
    }


def _of_type(kind: str) -> dict[str, dict[str, object]]:
    return {name: body for name, body in owner.load_template()["Resources"].items() if body["Type"] == kind}


def _retained_tables() -> list[str]:
    return [name for name, body in _of_type("AWS::DynamoDB::Table").items() if body["DeletionPolicy"] == "Retain"]


def _empty(target: Target, bucket: str) -> None:
    s3 = target.aws("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            if found := [{"Key": each["Key"]} for each in page.get("Contents", [])]:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
    except s3.exceptions.NoSuchBucket:
        return


def main() -> int:
    try:
        target = aws_target()
        if not _agreed(target.stack_name):
            print("Nothing was removed.")
            return 1
        kept = remove(target)
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    print("\nWatchferry is removed. Its key is deleted in 30 days.")
    if kept:
        print("These tables hold people's accounts and history and are kept; whoever wants them gone says so:")
        for table in kept:
            print(f"  aws dynamodb delete-table --region {target.region} --table-name {table}")
    return 0


def _agreed(stack: str) -> bool:
    if os.environ.get("YES", "") not in ("", "0"):
        return True
    return sys.stdin.isatty() and input(f"Remove the stack {stack}, its page and its secrets? Type its name: ") == stack


if __name__ == "__main__":
    sys.exit(main())
