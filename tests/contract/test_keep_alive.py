"""The index `keep_alive`: whoever has Kinopub connected is looked after once a week (reality.md, Kinopub, Refresh)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.accounts import Accounts
from watchferry.storage.departures import Departures
from watchferry.storage.keep_alive import EVERY, KeepAlive

HOUR = 3600


@pytest.fixture
def accounts(backend: Backend, clock: Clock, user: str) -> Iterator[Accounts]:
    """With the user, who has connected both."""
    accounts = Accounts(backend.table("Accounts"), clock)
    accounts.sign_in(user, {"slug": "harry"})
    accounts.connect(user, "trakt")
    accounts.connect(user, "kinopub")
    yield accounts
    accounts.table.delete({"user_id": user})


@pytest.fixture
def keep_alive(backend: Backend, accounts: Accounts, clock: Clock) -> KeepAlive:
    return KeepAlive(backend.table("Accounts"), clock)


def is_due(keep_alive: KeepAlive, user: str) -> bool:
    return user in set(keep_alive.due())


def test_due_a_week_after_connecting(keep_alive: KeepAlive, accounts: Accounts, user: str, clock: Clock) -> None:
    """Whatever the sync is doing: on, off or paused; to the second."""
    clock.advance(EVERY - 1)
    assert not is_due(keep_alive, user)
    clock.advance(1)
    for enabled in (True, False):
        accounts.change_settings(user, enabled=enabled)
        assert is_due(keep_alive, user)
    accounts.pause(user, "account_locked")
    accounts.disconnect(user, "trakt")
    assert is_due(keep_alive, user)


def test_connecting_anew_begins_a_new_week(keep_alive: KeepAlive, accounts: Accounts, user: str, clock: Clock) -> None:
    """Its pair is fresh. Signing in at Trakt says nothing about Kinopub."""
    clock.advance(EVERY)
    accounts.connect(user, "trakt")
    accounts.sign_in(user, {"slug": "potter"})
    assert is_due(keep_alive, user)
    accounts.connect(user, "kinopub")
    assert not is_due(keep_alive, user)


def test_nobody_without_kinopub(keep_alive: KeepAlive, accounts: Accounts, user: str, clock: Clock) -> None:
    """Disconnected, leaving, or gone."""
    clock.advance(EVERY)
    accounts.disconnect(user, "kinopub")
    assert not is_due(keep_alive, user)
    assert not keep_alive.claim(user, again_in=HOUR)
    accounts.connect(user, "kinopub")
    clock.advance(EVERY)
    assert is_due(keep_alive, user)
    Departures(accounts.table, accounts.clock).begin(user, "mark")
    assert not is_due(keep_alive, user)
    accounts.table.delete({"user_id": user})
    keep_alive.done(user)
    assert not keep_alive.claim(user, again_in=HOUR)
    assert accounts.table.get({"user_id": user}) is None


def test_one_has_the_claim(keep_alive: KeepAlive, user: str, clock: Clock) -> None:
    """Of many who were told; nobody before it is due. If nothing comes of it, an hour later again."""
    assert not keep_alive.claim(user, again_in=HOUR)
    clock.advance(EVERY)
    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(lambda _: keep_alive.claim(user, again_in=HOUR), range(10))) == 1
    clock.advance(HOUR - 1)
    assert not is_due(keep_alive, user)
    clock.advance(1)
    assert is_due(keep_alive, user)


def test_done_until_next_week(keep_alive: KeepAlive, accounts: Accounts, user: str, clock: Clock) -> None:
    """And a change of the account meanwhile moves nothing."""
    clock.advance(EVERY)
    assert keep_alive.claim(user, again_in=HOUR)
    keep_alive.done(user)
    accounts.pause(user, "account_limit")
    clock.advance(EVERY - 1)
    assert not is_due(keep_alive, user)
    clock.advance(1)
    assert is_due(keep_alive, user)


def test_an_account_from_before(keep_alive: KeepAlive, accounts: Accounts, user: str) -> None:
    """A row without a place gets one with its next change, and is due at once: its pair's age is not known."""
    accounts.table.update({"user_id": user}, remove=["keep_alive_at", "keep_alive_shard"])
    assert not is_due(keep_alive, user)
    accounts.pause(user, "account_limit")
    assert is_due(keep_alive, user)
