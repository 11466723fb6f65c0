"""Accounts: who they are, when they are due, and the one run of each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.errors import NotConnected
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.account import Account, Cursor, RunActive, SyncSettings
from watchferry.storage.accounts import RUN_LEASE, TELL_WITHIN, WAITS, Accounts

PROFILE = {"slug": "harry", "name": "Harry", "avatar": None, "vip": True, "limits": {"list": {"count": 2}}}


@pytest.fixture
def accounts(backend: Backend, clock: Clock, user: str) -> Iterator[Accounts]:
    """Without the account afterwards: a running stack would sync it."""
    accounts = Accounts(backend.table("Accounts"), clock)
    yield accounts
    accounts.table.delete({"user_id": user})


@pytest.fixture
def harry(accounts: Accounts, user: str) -> str:
    """Both accounts connected and the schedule on: due."""
    accounts.sign_in(user, PROFILE)
    accounts.connect(user, "trakt")
    accounts.connect(user, "kinopub")
    accounts.change_settings(user, enabled=True)
    return user


def found(accounts: Accounts, user: str) -> Account:
    account = accounts.get(user)
    assert account is not None
    return account


def is_due(accounts: Accounts, user: str) -> bool:
    return user in set(accounts.due())


def test_signing_in_makes_an_account(accounts: Accounts, user: str) -> None:
    """With the profile, and nothing switched on."""
    assert accounts.get(user) is None
    assert accounts.sign_in(user, PROFILE) == found(accounts, user)
    account = found(accounts, user)
    assert (account.slug, account.name, account.avatar, account.vip) == ("harry", "Harry", None, True)
    assert account.limits == {"list": {"count": 2}}
    assert account.connected == frozenset()
    assert account.settings == SyncSettings()
    assert not account.settings.enabled


def test_signing_in_again_renews_the_profile_alone(accounts: Accounts, harry: str) -> None:
    """Settings and connections stay."""
    accounts.sign_in(harry, PROFILE | {"slug": "potter"})
    account = found(accounts, harry)
    assert (account.slug, set(account.connected), account.settings.enabled) == ("potter", {"trakt", "kinopub"}, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts, user: accounts.connect(user, "trakt"),
        lambda accounts, user: accounts.disconnect(user, "trakt"),
        lambda accounts, user: accounts.pause(user, "x"),
        lambda accounts, user: accounts.change_settings(user),
    ],
)
def test_only_signing_in_makes_one(accounts: Accounts, user: str, change: Any) -> None:
    """NotConnected for a user who is not there (any more)."""
    with pytest.raises(NotConnected):
        change(accounts, user)
    assert accounts.get(user) is None


def test_who_is_due(accounts: Accounts, harry: str) -> None:
    """Enabled, both connected, and nothing pauses it: each condition for itself."""
    assert is_due(accounts, harry)
    accounts.pause(harry, "awaiting_confirmation")
    assert not is_due(accounts, harry)
    accounts.change_settings(harry, enabled=True)
    assert is_due(accounts, harry)
    accounts.change_settings(harry, enabled=False)
    assert not is_due(accounts, harry)
    accounts.change_settings(harry, enabled=True)
    for provider in ("trakt", "kinopub"):
        accounts.disconnect(harry, provider)
        assert not is_due(accounts, harry)
        accounts.connect(harry, provider)
        assert is_due(accounts, harry)


@pytest.mark.parametrize(
    ("reason", "ended_by"),
    [
        ("reauth_required", {"trakt", "kinopub"}),
        ("account_locked", {"trakt"}),
        ("account_limit", {"trakt"}),
        ("awaiting_confirmation", {"kinopub"}),
    ],
)
def test_what_a_new_connection_mends(accounts: Accounts, harry: str, reason: str, ended_by: set[str]) -> None:
    """A pause that the sign-in answers ends with it; others stay. A plan of another history is none any more."""
    for provider in ("trakt", "kinopub"):
        accounts.pause(harry, reason)
        accounts.connect(harry, provider)
        assert found(accounts, harry).paused_reason == (None if provider in ended_by else reason)


def test_settings_are_kept(accounts: Accounts, harry: str) -> None:
    """All of them, null included."""
    wanted = SyncSettings(True, "window", 90, 25, 7, "https://hooks.test/***")
    assert accounts.change_settings(harry, **asdict(wanted)).settings == wanted == found(accounts, harry).settings
    changed = accounts.change_settings(harry, confirm_above=None, webhook_url=None, batch_size=26).settings
    assert changed == SyncSettings(True, "window", 90, 26) == found(accounts, harry).settings
    cleared = accounts.change_settings(harry, batch_size=None).settings
    assert cleared == SyncSettings(True, "window", 90) == found(accounts, harry).settings


def test_settings_changed_at_once_are_all_kept(accounts: Accounts, harry: str) -> None:
    """Two pages, one field each: neither takes back what the other has set."""
    changes: list[dict[str, Any]] = [{"enabled": False}, {"batch_size": 7}, {"rewatch": "once"}, {"confirm_above": 3}]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda change: accounts.change_settings(harry, **change), changes))
    assert found(accounts, harry).settings == SyncSettings(False, "once", batch_size=7, confirm_above=3)


def test_only_switching_it_on_ends_a_pause(accounts: Accounts, harry: str) -> None:
    """Another setting does not, though automatic sync is on."""
    accounts.pause(harry, "account_limit")
    assert accounts.change_settings(harry, batch_size=7).paused_reason == "account_limit"
    assert accounts.change_settings(harry, enabled=True).paused_reason is None


def test_changes_at_once_are_all_kept(accounts: Accounts, harry: str) -> None:
    """Whoever comes second looks again."""
    changes: list[Any] = [
        lambda: accounts.pause(harry, "account_limit"),
        lambda: accounts.sign_in(harry, PROFILE | {"slug": "potter"}),
        lambda: accounts.disconnect(harry, "kinopub"),
        lambda: accounts.begin_run(harry, "run-1"),
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda change: change(), changes))
    account = found(accounts, harry)
    assert (account.paused_reason, account.slug, set(account.connected)) == ("account_limit", "potter", {"trakt"})
    assert account.active_run_id == "run-1"


def test_one_run_at_a_time(accounts: Accounts, harry: str) -> None:
    """RunActive names the one that lives; of many at once, one begins."""

    def begin(number: int) -> str | None:
        try:
            accounts.begin_run(harry, f"run-{number}")
        except RunActive as active:
            return active.run_id
        return None

    with ThreadPoolExecutor(10) as threads:
        told = list(threads.map(begin, range(10)))
    assert told.count(None) == 1
    assert {run_id for run_id in told if run_id} == {found(accounts, harry).active_run_id}


def test_a_dead_run_gives_way(accounts: Accounts, harry: str, clock: Clock) -> None:
    """After its lease; the one that takes its place learns of it."""
    assert accounts.begin_run(harry, "run-1") == []
    clock.advance(RUN_LEASE)
    with pytest.raises(RunActive):
        accounts.begin_run(harry, "run-2")
    clock.advance(1)
    assert accounts.begin_run(harry, "run-2") == ["run-1"]
    assert not accounts.keep_run(harry, "run-1")


def test_who_was_replaced_is_told_until_it_is_ended(accounts: Accounts, harry: str, clock: Clock) -> None:
    """The one that took its place may die before it has ended it."""
    accounts.begin_run(harry, "run-1")
    waits(accounts, harry, "run-1")
    for _ in range(2):
        assert accounts.begin_run(harry, "run-2") == ["run-1"]
    clock.advance(RUN_LEASE + 1)
    assert accounts.begin_run(harry, "run-3") == ["run-1", "run-2"]
    accounts.replaced_ended(harry, "run-2")
    assert accounts.begin_run(harry, "run-3") == ["run-1", "run-2"]
    accounts.replaced_ended(harry, "run-3")
    assert accounts.begin_run(harry, "run-3") == []


def waits(accounts: Accounts, user: str, run_id: str, *, pause: bool = False) -> None:
    transact(accounts.table.client, [accounts.setting_aside(user, run_id, pause=pause)])


@pytest.mark.parametrize("pause", [False, True])
def test_a_run_that_waits_is_not_active(accounts: Accounts, harry: str, pause: bool) -> None:
    """It is remembered; a braked one keeps the schedule away until it goes on, or gives way."""
    accounts.begin_run(harry, "run-1")
    waits(accounts, harry, "run-1", pause=pause)
    account = found(accounts, harry)
    assert (account.active_run_id, account.awaiting_run_id) == (None, "run-1")
    assert (account.paused_reason, is_due(accounts, harry)) == (WAITS if pause else None, not pause)
    with pytest.raises(ConditionFailed):
        waits(accounts, harry, "run-1")
    transact(accounts.table.client, [accounts.going_on(harry, "run-1")])
    account = found(accounts, harry)
    assert (account.active_run_id, account.awaiting_run_id, account.paused_reason) == ("run-1", None, None)
    assert is_due(accounts, harry)
    assert accounts.keep_run(harry, "run-1")


def test_going_on_needs_the_one_that_waits(accounts: Accounts, harry: str) -> None:
    """Not another, not one that was replaced, not beside an active one."""
    accounts.begin_run(harry, "run-1")
    waits(accounts, harry, "run-1")
    with pytest.raises(ConditionFailed):
        transact(accounts.table.client, [accounts.going_on(harry, "run-2")])
    stale = accounts.going_on(harry, "run-1")
    accounts.begin_run(harry, "run-2")
    with pytest.raises(ConditionFailed):
        transact(accounts.table.client, [stale])
    with pytest.raises(RunActive):
        accounts.going_on(harry, "run-1")


def test_the_first_confirmation_switches_the_schedule_on(accounts: Accounts, user: str) -> None:
    """Unless its user has chosen otherwise; other settings are no choice of that."""
    accounts.sign_in(user, PROFILE)
    accounts.change_settings(user, batch_size=7)
    for enabled in (True, False):
        accounts.begin_run(user, "run-1")
        waits(accounts, user, "run-1")
        transact(accounts.table.client, [accounts.going_on(user, "run-1")])
        assert found(accounts, user).settings == SyncSettings(enabled=enabled, batch_size=7)
        accounts.change_settings(user, enabled=False, batch_size=7)


@pytest.mark.parametrize("waiting", [False, True])
def test_a_cancelled_run_is_nobodys(accounts: Accounts, harry: str, waiting: bool) -> None:
    """Another one's place stays its own."""
    accounts.begin_run(harry, "run-1")
    if waiting:
        waits(accounts, harry, "run-1", pause=True)
    transact(accounts.table.client, [accounts.cancelling(harry, "run-2")])
    assert "run-1" in {found(accounts, harry).active_run_id, found(accounts, harry).awaiting_run_id}
    transact(accounts.table.client, [accounts.cancelling(harry, "run-1")])
    account = found(accounts, harry)
    assert (account.active_run_id, account.awaiting_run_id, account.paused_reason) == (None, None, None)
    assert is_due(accounts, harry)


def test_a_change_that_came_in_between_is_noticed(accounts: Accounts, harry: str) -> None:
    """A part of a transaction is made of what was read: whoever is second has to read again."""
    accounts.begin_run(harry, "run-1")
    stale = accounts.cancelling(harry, "run-1")
    accounts.free(harry, "run-1")
    with pytest.raises(ConditionFailed):
        transact(accounts.table.client, [stale])


def test_signs_of_life_keep_a_run(accounts: Accounts, harry: str, clock: Clock) -> None:
    """For as long as they come."""
    accounts.begin_run(harry, "run-1")
    for _ in range(5):
        clock.advance(RUN_LEASE - 1)
        assert accounts.keep_run(harry, "run-1")
    with pytest.raises(RunActive):
        accounts.begin_run(harry, "run-2")


def test_an_ended_run_moves_the_cursor_if_it_succeeded(accounts: Accounts, harry: str, clock: Clock) -> None:
    """In one transaction with whatever ends it."""
    cursor = Cursor(1_700_000_000, frozenset({"7:1700000000", "8:1699999999"}))
    for succeeded in (False, True):
        accounts.begin_run(harry, "run-1")
        transact(accounts.table.client, [accounts.ending_run(harry, "run-1", succeeded=succeeded, cursor=cursor)])
        account = found(accounts, harry)
        assert account.active_run_id is None
        assert account.cursor == (cursor if succeeded else None)
        assert account.last_success_at == (int(clock.now) if succeeded else None)


def test_another_kinopub_account_begins_anew(accounts: Accounts, harry: str) -> None:
    """The cursor of the other one's history says nothing about it."""
    accounts.begin_run(harry, "run-1")
    cursor = Cursor(1, frozenset({"a"}))
    transact(accounts.table.client, [accounts.ending_run(harry, "run-1", succeeded=True, cursor=cursor)])
    accounts.connect(harry, "trakt")
    assert found(accounts, harry).cursor == cursor
    accounts.connect(harry, "kinopub")
    assert found(accounts, harry).cursor is None


def test_the_last_tick(accounts: Accounts, clock: Clock) -> None:
    """Remembered, and no user."""
    accounts.tick()
    assert accounts.last_tick() == int(clock.now)
    assert "#tick" not in set(accounts.due())


def test_whoever_pauses_an_account_tells(accounts: Accounts, harry: str, clock: Clock) -> None:
    """Once for a reason: one of many at once, and the next one when that one did not come to it."""
    with ThreadPoolExecutor(10) as threads:
        told = [
            account for account in threads.map(lambda _: accounts.pause(harry, "account_locked"), range(10)) if account
        ]
    assert [(account.user_id, account.paused_reason) for account in told] == [(harry, "account_locked")]
    clock.advance(TELL_WITHIN + 1)
    assert accounts.pause(harry, "account_locked") is not None
    accounts.told_of_pause(harry)
    clock.advance(TELL_WITHIN + 1)
    assert accounts.pause(harry, "account_locked") is None
    assert accounts.pause(harry, "account_limit") is not None


def test_first_failures(accounts: Accounts, harry: str) -> None:
    """Of many at once one is the first; only a success makes another first one."""
    with ThreadPoolExecutor(10) as threads:
        assert len([first for first in threads.map(lambda _: accounts.first_failure(harry), range(10)) if first]) == 1
    for succeeded in (False, True):
        accounts.begin_run(harry, "run-1")
        transact(accounts.table.client, [accounts.ending_run(harry, "run-1", succeeded=succeeded, cursor=None)])
        assert (accounts.first_failure(harry) is not None) == succeeded
    assert accounts.first_failure(f"{harry}-other") is None
    assert accounts.get(f"{harry}-other") is None
