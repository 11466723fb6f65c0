"""Tokens: one row per user and provider; the lease and the version decide whose refresh counts (architecture.md, 3)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage._dynamo import ConditionFailed
from watchferry.storage.tokens import REFRESH_LEASE, StoredTokens, Tokens


@pytest.fixture
def tokens(backend: Backend, clock: Clock) -> Tokens:
    return Tokens(backend.table("Tokens"), clock)


def connect(tokens: Tokens, user: str, sealed: bytes = b"first") -> StoredTokens:
    tokens.connect(user, "trakt", sealed=sealed, sealed_key=b"key", expires_at=4_000_003_600)
    return stored(tokens, user)


def stored(tokens: Tokens, user: str) -> StoredTokens:
    row = tokens.get(user, "trakt")
    assert row is not None
    return row


def rotate(tokens: Tokens, user: str, version: int, sealed: bytes = b"second") -> StoredTokens:
    given: dict[str, Any] = {"sealed": sealed, "sealed_key": b"key-2", "expires_at": 4_000_007_200}
    return tokens.rotate(user, "trakt", version=version, **given)


def test_what_is_connected_is_there(tokens: Tokens, user: str) -> None:
    """For that provider alone."""
    row = connect(tokens, user)
    assert (row.sealed, row.sealed_key, row.expires_at, row.status) == (b"first", b"key", 4_000_003_600, "ok")
    assert (row.lease_owner, row.lease_until) == (None, 0)
    assert tokens.get(user, "kinopub") is None


def test_one_gets_the_lease(tokens: Tokens, user: str) -> None:
    """However many try; with the row as it is now."""
    row = connect(tokens, user)
    with ThreadPoolExecutor(20) as threads:
        owners = [f"owner-{number}" for number in range(20)]
        leased = [
            got
            for got in threads.map(lambda owner: tokens.lease(user, "trakt", version=row.version, owner=owner), owners)
            if got
        ]
    assert len(leased) == 1
    assert leased[0].sealed == b"first"
    assert leased[0].lease_owner in owners


def test_a_lease_ends_by_itself(tokens: Tokens, user: str, clock: Clock) -> None:
    """Not before its time: the refresh may still be under way."""
    row = connect(tokens, user)
    assert tokens.lease(user, "trakt", version=row.version, owner="one")
    clock.advance(REFRESH_LEASE)
    assert tokens.lease(user, "trakt", version=row.version, owner="two") is None
    clock.advance(1)
    assert tokens.lease(user, "trakt", version=row.version, owner="two")


def test_a_lease_is_given_up_by_its_owner_alone(tokens: Tokens, user: str) -> None:
    """Somebody else's stays."""
    row = connect(tokens, user)
    assert tokens.lease(user, "trakt", version=row.version, owner="one")
    tokens.give_up_lease(user, "trakt", owner="two")
    assert stored(tokens, user).lease_owner == "one"
    tokens.give_up_lease(user, "trakt", owner="one")
    assert stored(tokens, user).lease_owner is None


def test_no_lease_for_what_is_gone(tokens: Tokens, user: str) -> None:
    """Neither for an old version nor for a refused one nor for nothing."""
    assert tokens.lease(user, "trakt", version=1, owner="one") is None
    row = connect(tokens, user)
    assert tokens.lease(user, "trakt", version=row.version - 1, owner="one") is None
    tokens.refused(user, "trakt", version=row.version)
    assert tokens.lease(user, "trakt", version=row.version, owner="one") is None


def test_a_rotation_takes_the_place(tokens: Tokens, user: str) -> None:
    """The next version, with the lease over."""
    row = connect(tokens, user)
    tokens.lease(user, "trakt", version=row.version, owner="one")
    after = rotate(tokens, user, row.version)
    assert after == stored(tokens, user)
    assert (after.version, after.sealed, after.lease_owner) == (row.version + 1, b"second", None)


def test_a_rotation_written_twice_is_written_once(tokens: Tokens, user: str) -> None:
    """The answer to the first was lost."""
    row = connect(tokens, user)
    assert rotate(tokens, user, row.version) == rotate(tokens, user, row.version)
    with pytest.raises(ConditionFailed):
        rotate(tokens, user, row.version, sealed=b"another")


def test_a_late_rotation_changes_nothing(tokens: Tokens, user: str) -> None:
    """After a new sign-in, a disconnect, or both."""
    row = connect(tokens, user)
    connect(tokens, user, b"signed in anew")
    with pytest.raises(ConditionFailed):
        rotate(tokens, user, row.version)
    tokens.delete(user, "trakt")
    with pytest.raises(ConditionFailed):
        rotate(tokens, user, row.version)
    assert tokens.get(user, "trakt") is None
    connect(tokens, user, b"back again")
    with pytest.raises(ConditionFailed):
        rotate(tokens, user, row.version)
    assert stored(tokens, user).sealed == b"back again"


def test_a_refusal_is_about_one_version(tokens: Tokens, user: str) -> None:
    """False, and nothing changes, when another one is stored."""
    row = connect(tokens, user)
    assert not tokens.refused(user, "trakt", version=row.version + 1)
    assert stored(tokens, user).status == "ok"
    assert tokens.refused(user, "trakt", version=row.version)
    assert stored(tokens, user).status == "reauth_required"


def test_a_doubt_keeps_its_beginning(tokens: Tokens, user: str, clock: Clock) -> None:
    """The time of the first refusal, whoever met it; the lease is free for the next. Of one version alone."""
    begun = int(clock.now)
    for _ in range(3):
        leased = tokens.lease(user, "trakt", version=connect_once(tokens, user).version, owner="one")
        assert leased is not None
        assert tokens.doubted(leased) == begun
        assert (stored(tokens, user).doubted_since, stored(tokens, user).lease_owner) == (begun, None)
        clock.advance(1000)
    connect(tokens, user, b"signed in anew")
    assert tokens.doubted(leased) is None
    assert stored(tokens, user).doubted_since is None


def test_a_rotation_ends_a_doubt(tokens: Tokens, user: str) -> None:
    """The upstream has renewed the pair: whatever was answered before says nothing any more."""
    row = connect(tokens, user)
    leased = tokens.lease(user, "trakt", version=row.version, owner="one")
    assert leased is not None
    tokens.doubted(leased)
    assert rotate(tokens, user, row.version).doubted_since is None


def connect_once(tokens: Tokens, user: str) -> StoredTokens:
    return tokens.get(user, "trakt") or connect(tokens, user)


def test_a_sign_in_begins_anew(tokens: Tokens, user: str) -> None:
    """Whatever state the row was in."""
    row = connect(tokens, user)
    tokens.lease(user, "trakt", version=row.version, owner="one")
    tokens.refused(user, "trakt", version=row.version)
    again = connect(tokens, user, b"again")
    assert (again.status, again.lease_owner, again.sealed) == ("ok", None, b"again")
    assert again.version != row.version


def test_marks(tokens: Tokens, user: str) -> None:
    """A lock is noted where there are tokens, and a rotation ends it."""
    tokens.mark(user, "trakt", "account_locked")
    assert tokens.get(user, "trakt") is None
    row = connect(tokens, user)
    tokens.mark(user, "trakt", "account_locked")
    assert stored(tokens, user).status == "account_locked"
    rotate(tokens, user, row.version)
    assert stored(tokens, user).status == "ok"


def test_when_a_pair_came(tokens: Tokens, user: str, clock: Clock) -> None:
    """With the sign-in and with every refresh; long ago, if it was not noted."""
    row = connect(tokens, user)
    assert row.stored_at == int(clock.now)
    clock.advance(100)
    assert stored(tokens, user).stored_at == int(clock.now) - 100
    assert rotate(tokens, user, row.version).stored_at == int(clock.now)
    tokens.table.update({"user_id": user, "provider": "trakt"}, remove=["stored_at"])
    assert stored(tokens, user).stored_at == 0
