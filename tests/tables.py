"""The tables of template.yaml, made in whatever DynamoDB the client talks to."""

from functools import cache
from typing import Any

from tests.cloud.settings import load_template


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Logical id → what `create_table` takes, but for the name."""
    kept = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {
        name: {key: resource["Properties"][key] for key in kept if key in resource["Properties"]}
        for name, resource in load_template()["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


def create_tables(dynamo: Any) -> None:
    """Named by their logical ids."""
    for name, definition in tables().items():
        dynamo.create_table(TableName=name, **definition)


def everything_stored(dynamo: Any) -> str:
    """Every item of every table as one text, to look for what must not be there."""
    return repr([dynamo.scan(TableName=name)["Items"] for name in tables()])
