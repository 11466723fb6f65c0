"""When somebody is told: once per trouble, by whoever comes upon it first, and not never."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Clock
from tests.unit.notify.conftest import USER, queued
from watchferry.errors import NotConnected
from watchferry.storage.accounts import TELL_WITHIN
from watchferry.wiring import Wiring


def told(wiring: Wiring) -> list[tuple[str, str]]:
    """(reader, kind) of every notice that is waiting."""
    return sorted((each["to"], each["kind"]) for each in queued(wiring))


def both(kind: str) -> list[tuple[str, str]]:
    return [("operator", kind), ("webhook", kind)]


@pytest.mark.parametrize("reason", ["reauth_required", "account_locked", "account_limit", "awaiting_confirmation"])
def test_a_pause_is_told_once(at_home: Wiring, clock: Clock, reason: str) -> None:
    """To the user and the operator; not again while it lasts, again when it comes back."""
    at_home.telling.pause(USER, reason, "why", "run-1")
    notices = queued(at_home)
    assert sorted(each["to"] for each in notices) == ["operator", "webhook"]
    for each in notices:
        assert {name: each[name] for name in ("kind", "code", "user_id", "slug", "detail", "run_id", "at")} == {
            "kind": reason, "code": reason, "user_id": USER, "slug": "harry", "detail": "why", "run_id": "run-1",
            "at": int(clock.now),
        }  # fmt: skip
    clock.advance(10 * TELL_WITHIN)
    at_home.telling.pause(USER, reason, "why")
    assert told(at_home) == []
    at_home.accounts.change_settings(USER, enabled=True)
    at_home.telling.pause(USER, reason, "why")
    assert told(at_home) == both(reason)


def test_another_reason_is_told(at_home: Wiring) -> None:
    """A person has to do another thing."""
    at_home.telling.pause(USER, "account_limit", "why")
    at_home.telling.pause(USER, "account_locked", "why")
    assert told(at_home) == sorted(both("account_limit") + both("account_locked"))


def test_a_reason_of_tomorrow(at_home: Wiring) -> None:
    """One that has no kind of its own is told as what it is: a run that failed, with its code."""
    at_home.telling.pause(USER, "something_new", "why")
    assert {(each["kind"], each["code"]) for each in queued(at_home)} == {("run_failed", "something_new")}


def test_many_come_upon_it_at_once(at_home: Wiring) -> None:
    """One of them tells."""
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: at_home.telling.pause(USER, "account_locked", "why"), range(10)))
    assert told(at_home) == both("account_locked")


def test_whoever_told_nobody(at_home: Wiring, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It crashed between the pause and the notice, or SQS was away: the pause holds, and the next one tells."""

    def away(_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(at_home.notices), "send", lambda _, notices: away(notices))
        at_home.telling.pause(USER, "account_locked", "why")
    account = at_home.accounts.get(USER)
    assert account is not None
    assert account.paused_reason == "account_locked"
    at_home.telling.pause(USER, "account_locked", "why")
    assert told(at_home) == []  # perhaps it is just about to
    clock.advance(TELL_WITHIN + 1)
    at_home.telling.pause(USER, "account_locked", "why")
    assert told(at_home) == both("account_locked")
    clock.advance(TELL_WITHIN + 1)
    at_home.telling.pause(USER, "account_locked", "why")
    assert told(at_home) == []


def test_a_brake(at_home: Wiring) -> None:
    """Which run waits is told once, by many at once too; and not of one that waits no more."""

    def tell() -> None:
        at_home.telling.awaiting_confirmation(USER, "run-9", "it would send 900 views")

    tell()
    assert queued(at_home) == []
    at_home.accounts.begin_run(USER, "run-9")
    at_home.dynamo.transact_write_items(TransactItems=[at_home.accounts.setting_aside(USER, "run-9", pause=True)])
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(lambda _: tell(), range(5)))
    notices = queued(at_home)
    assert sorted(each["to"] for each in notices) == ["operator", "webhook"]
    assert {(each["kind"], each["run_id"]) for each in notices} == {("awaiting_confirmation", "run-9")}
    at_home.accounts.begin_run(USER, "run-10")
    tell()
    assert queued(at_home) == []


def test_failures_in_a_row(at_home: Wiring) -> None:
    """The first is told; a success of a sync ends the row, and a run that was only looked at does not."""
    for run_id in ("run-1", "run-2"):
        at_home.telling.run_failed(USER, run_id, "upstream_unreachable", "why")
    assert {(each["kind"], each["code"], each["run_id"]) for each in queued(at_home)} == {
        ("run_failed", "upstream_unreachable", "run-1")
    }
    for succeeded, expected in ((False, []), (True, both("run_failed"))):
        at_home.accounts.begin_run(USER, "run-3")
        part = at_home.accounts.ending_run(USER, "run-3", succeeded=succeeded, cursor=None)
        at_home.dynamo.transact_write_items(TransactItems=[part])
        at_home.telling.run_failed(USER, "run-4", "upstream_unreachable", "why")
        assert told(at_home) == expected


def test_nobody_there(at_home: Wiring) -> None:
    """An account that is gone is not made anew by telling."""
    with pytest.raises(NotConnected):
        at_home.telling.pause("nobody", "account_locked", "why")
    at_home.telling.run_failed("nobody", "run-1", "x", "why")
    at_home.accounts.told_of_pause("nobody")
    assert at_home.accounts.get("nobody") is None
    assert told(at_home) == []
