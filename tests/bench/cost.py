"""What was counted, in dollars: approximate, by AWS's price lists for us-east-1, without the free tier.

As of November 2026: aws.amazon.com/{dynamodb,lambda,sqs,kms,cloudwatch}/pricing, on demand. Left out, as next to
nothing at this size: storage, logs, the API's own requests, the page, EventBridge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.cloud.settings import load_template

WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
"""A strongly consistent read of 4 KB; one that is not costs half a unit."""
GIGABYTE_SECOND = 0.0000133334
"""Lambda on arm64."""
INVOCATION = 0.20e-6
QUEUE_REQUEST = 0.40e-6
KEY_MONTH = 1.0
KEY_REQUEST = 0.03 / 10_000
ALARM_MONTH = 0.10
"""Of one metric; an account's first ten are always free, but need not be ours."""

HOURS_A_MONTH = 730
POLLS_A_MONTH = 5 * 3 * 60 * HOURS_A_MONTH
"""Of one queue: Lambda keeps five connections open, each asking anew every 20 seconds. With little traffic it goes down
to two, but not while `MaximumConcurrency` is set (Lambda Developer Guide, "Configuring scaling behavior")."""
GIGABYTES = 0.5
"""Of a function: `MemorySize` in template.yaml."""
COLD_START = 1.0
"""Seconds: an hourly run finds no process, and since August 2025 its start is billed too. Assumed, not measured."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Amounts, not dollars."""

    writes: float = 0.0
    reads: float = 0.0
    gigabyte_seconds: float = 0.0
    invocations: float = 0.0
    queue_requests: float = 0.0
    key_requests: float = 0.0

    def parts(self) -> dict[str, float]:
        """Dollars."""
        return {
            "DynamoDB writes": self.writes * WRITE_UNIT,
            "DynamoDB reads": self.reads * READ_UNIT,
            "Lambda": self.gigabyte_seconds * GIGABYTE_SECOND + self.invocations * INVOCATION,
            "SQS": self.queue_requests * QUEUE_REQUEST,
            "KMS": self.key_requests * KEY_REQUEST,
        }

    def times(self, factor: float) -> "Bill":
        return Bill(*(getattr(self, each.name) * factor for each in fields(self)))

    def minus(self, other: "Bill") -> "Bill":
        return Bill(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))


def standing() -> dict[str, float]:
    """Dollars a month for what is there while nothing is done, counted in template.yaml."""
    resources = load_template()["Resources"].values()
    alarms = sum(each["Type"] == "AWS::CloudWatch::Alarm" for each in resources)
    queues = sum(event["Type"] == "SQS" for each in resources for event in _events(each))
    return {
        "KMS key": KEY_MONTH,
        f"Lambda's polls of {queues} queues": queues * POLLS_A_MONTH * QUEUE_REQUEST,
        f"{alarms} alarms": alarms * ALARM_MONTH,
    }


def _events(resource: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = resource.get("Properties", {}).get("Events", {})
    return found.values()


def show(out: Console, title: str, columns: Mapping[str, Bill], fixed: Mapping[str, Mapping[str, float]]) -> None:
    """Dollars; `fixed` adds lines of its own to a column."""
    dollars = {name: bill.parts() | dict(fixed.get(name, {})) for name, bill in columns.items()}
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for line in dict.fromkeys(line for column in dollars.values() for line in column):
        table.add_row(line, *(f"{column[line]:.6f}" if column.get(line) else "" for column in dollars.values()))
    table.add_section()
    table.add_row("$", *(f"[bold]{sum(column.values()):.6f}[/]" for column in dollars.values()))
    out.print(table)
