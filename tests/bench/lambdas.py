"""What the functions of the deployed local stack say of themselves: how long they worked, and the memory they took."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.cloud.stack import Stack

_REPORT = re.compile(r"Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(slots=True)
class Worked:
    """A function's invocations since a time. The local cloud reports no start of a process apart."""

    invocations: int = 0
    seconds: float = 0.0
    gigabyte_seconds: float = 0.0
    results: Counter[str] = field(default_factory=Counter)
    """What became of the messages, numbers left out."""
    job_ms: list[int] = field(default_factory=list)
    """How long each message took."""


def worked(stack: Stack, function: str, since: float) -> Worked:
    """`function` is its logical id, `since` unix seconds."""
    found = Worked()
    for text in _messages(stack, f"/aws/lambda/{stack.functions[function]}", since):
        if report := _REPORT.search(text):
            seconds = int(report[1]) / 1000
            found.invocations += 1
            found.seconds += seconds
            found.gigabyte_seconds += seconds * int(report[2]) / 1024
        elif '"job done"' in text:
            line = json.loads(text)
            found.results.update(re.sub(r"\d+ s", "… s", line["result"]).split("; "))
            found.job_ms.append(line["ms"])
        elif '"level":"ERROR"' in text:
            found.results["an error, and again"] += 1
    return found


def _messages(stack: Stack, group: str, since: float) -> Iterator[str]:
    logs = stack.aws("logs")
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000)):
        for event in page["events"]:
            yield event["message"]


def peak_memory(stack: Stack, function: str) -> list[int]:
    """The most memory (MB, resident, as the kernel counted it) of each process that works for the function."""
    mark = f"ministack-lambda-{stack.functions[function]}-".encode()
    peaks = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if _child_of(process, stack.pid) and mark in (process / "cmdline").read_bytes():
                found = _PEAK.search((process / "status").read_text())
                peaks.append(int(found[1]) // 1024 if found else 0)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return peaks


def _child_of(process: Path, pid: int | None) -> bool:
    return int((process / "stat").read_text().rpartition(")")[2].split()[1]) == pid
