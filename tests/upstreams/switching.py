"""Switches that hold numbers by number, or name those whom they strike. JSON has text in place of numbered keys."""

from collections.abc import Mapping, Sequence
from typing import Any


def of(switch: Mapping[int, Any], number: int) -> Any:
    """What a switch says of a number; None where it says nothing."""
    return switch.get(number, switch.get(str(number)))  # type: ignore[call-overload]


def take(times: Mapping[int, int], number: int) -> tuple[bool, Mapping[int, int]]:
    """Whether a switch strikes this time, and how often it will from now on. -1 strikes always."""
    left = of(times, number) or 0
    if left <= 0:
        return left < 0, times
    return True, {key: value for key, value in times.items() if str(key) != str(number)} | {number: left - 1}


def strikes(switch: bool | Sequence[int], number: int) -> bool:
    """All, or those that are named."""
    return switch if isinstance(switch, bool) else number in switch
