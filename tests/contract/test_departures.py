"""Departures: from the mark on there is no account, until somebody signs in anew."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.errors import NotConnected
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.account import StillLeaving, SyncSettings
from watchferry.storage.accounts import LEFT_WITHIN, Accounts
from watchferry.storage.departures import Departures

MARK = "mark"


@pytest.fixture
def accounts(backend: Backend, clock: Clock, user: str) -> Iterator[Accounts]:
    """With the user, who is due, and has an active run."""
    accounts = Accounts(backend.table("Accounts"), clock)
    accounts.sign_in(user, {"slug": "harry", "name": "Harry"})
    accounts.connect(user, "trakt")
    accounts.connect(user, "kinopub")
    accounts.change_settings(user, enabled=True, batch_size=7)
    accounts.begin_run(user, "run-1")
    yield accounts
    accounts.table.delete({"user_id": user})


@pytest.fixture
def departures(accounts: Accounts) -> Departures:
    return Departures(accounts.table, accounts.clock)


def test_nobody_is_there_from_the_mark_on(accounts: Accounts, departures: Departures, user: str) -> None:
    """Not to be found, not due, not to be changed."""
    assert departures.begin(user, MARK)
    assert accounts.get(user) is None
    assert user not in set(accounts.due())
    changes: list[Any] = [
        lambda: accounts.pause(user, "x"),
        lambda: accounts.connect(user, "trakt"),
        lambda: accounts.disconnect(user, "kinopub"),
        lambda: accounts.change_settings(user),
    ]
    for change in changes:
        with pytest.raises(NotConnected):
            change()


def test_no_run_goes_on(accounts: Accounts, departures: Departures, user: str) -> None:
    """Neither the active one, which may not send any more, nor a new one."""
    departures.begin(user, MARK)
    assert not accounts.keep_run(user, "run-1")
    with pytest.raises(ConditionFailed):
        transact(accounts.table.client, [accounts.while_active(user, "run-1")])
    for run_id in ("run-1", "run-2"):
        with pytest.raises(NotConnected):
            accounts.begin_run(user, run_id)


def test_a_change_that_was_under_way(accounts: Accounts, departures: Departures, user: str) -> None:
    """Read before the mark and written after it: it is not written."""

    def pause_late(item: dict[str, Any]) -> None:
        item["paused_reason"] = "account_locked"
        departures.begin(user, MARK)

    with pytest.raises(NotConnected):
        accounts._change(user, pause_late)
    assert "paused_reason" not in (accounts.table.get({"user_id": user}) or {})


def test_the_row_goes(accounts: Accounts, departures: Departures, user: str) -> None:
    """With its own mark alone; a departure of nobody is none."""
    departures.begin(user, MARK)
    departures.end(user, "another")
    assert departures.holds(user, MARK)
    assert not departures.holds(user, "another")
    departures.end(user, MARK)
    assert accounts.table.get({"user_id": user}) is None
    assert departures.holds(user, MARK)
    assert not departures.begin(user, MARK)
    assert accounts.table.get({"user_id": user}) is None


@pytest.mark.parametrize("row_is_gone", [False, True])
def test_signing_in_anew(
    accounts: Accounts, departures: Departures, user: str, clock: Clock, row_is_gone: bool
) -> None:
    """Waits for the end of the departure, but not for ever: a new account that has nothing of the old one, which nobody
    may delete.
    """
    before = accounts.get(user)
    departures.begin(user, MARK)
    for _ in range(2):
        with pytest.raises(StillLeaving) as waiting:
            accounts.sign_in(user, {"slug": "potter"})
        assert 0 < waiting.value.after <= LEFT_WITHIN
        departures.empty(user, MARK)
    assert (accounts.table.get({"user_id": user}) or {}).keys() == {"user_id", "leaving", "left_at", "revision"}
    if row_is_gone:
        departures.end(user, MARK)
    else:
        clock.advance(LEFT_WITHIN)
    account = accounts.sign_in(user, {"slug": "potter"})
    assert account == accounts.get(user)
    assert (account.slug, account.settings, account.connected) == ("potter", SyncSettings(), frozenset())
    assert before
    assert account.connections != before.connections
    assert not departures.holds(user, MARK)
    departures.empty(user, MARK)
    departures.end(user, MARK)
    assert accounts.get(user) == account
