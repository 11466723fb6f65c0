"""A Kinopub login that nobody uses is kept alive, or the account says in time that it is not (reality.md, Kinopub)."""

from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import Clock
from tests.upstreams import Upstreams
from watchferry.auth.keep_alive import AGAIN_IN, keep_alive
from watchferry.storage.account import Account
from watchferry.storage.keep_alive import EVERY
from watchferry.storage.tokens import StoredTokens
from watchferry.wiring import Wiring

DAY = 86_400
DIES_AFTER = 30 * DAY
"""A refresh token that is not used."""


class Harry:
    """His account, and what happens to it as days go by."""

    def __init__(self, wiring: Wiring, upstreams: Upstreams, clock: Clock) -> None:
        self.wiring, self.upstreams, self.clock = wiring, upstreams, clock
        self.uuid = upstreams.trakt.users["harry"].uuid

    def look(self) -> str:
        return keep_alive(self.wiring.keep_alive, self.wiring.broker, self.uuid)

    def tick(self) -> list[str]:
        """What the scheduler's jobs say."""
        return [self.look() for user_id in list(self.wiring.keep_alive.due()) if user_id == self.uuid]

    @property
    def row(self) -> StoredTokens:
        row = self.wiring.tokens.get(self.uuid, "kinopub")
        assert row is not None
        return row

    @property
    def account(self) -> Account:
        account = self.wiring.accounts.get(self.uuid)
        assert account is not None
        return account

    def refreshes(self) -> int:
        return len(self.upstreams.kinopub.requests("/oauth2/token"))


@pytest.fixture
def harry(connected: Browser, wiring: Wiring, upstreams: Upstreams, clock: Clock) -> Harry:
    """Both accounts connected, automatic sync never switched on."""
    return Harry(wiring, upstreams, clock)


def test_a_year_without_a_run(harry: Harry, clock: Clock) -> None:
    """Tick after tick: one refresh in one to two weeks, so that the refresh token never gets near its 30 days."""
    oldest, said = 0.0, list[str]()
    for _ in range(0, 365, 2):
        clock.advance(2 * DAY)
        said += harry.tick()
        oldest = max(oldest, clock.now - harry.row.stored_at)
    assert oldest < 15 * DAY < DIES_AFTER
    assert 26 <= said.count("refreshed") == harry.refreshes() <= 52
    assert len(said) <= 53
    assert harry.row.status == "ok"
    assert harry.account.paused_reason is None


def test_a_paused_account_too(harry: Harry, clock: Clock) -> None:
    """Whatever pauses it; the pause stays as it is."""
    harry.wiring.accounts.pause(harry.uuid, "account_locked")
    clock.advance(EVERY)
    assert harry.tick() == ["refreshed"]
    assert harry.account.paused_reason == "account_locked"


def test_what_is_in_use_is_left_alone(harry: Harry, clock: Clock) -> None:
    """A run has refreshed it within the week: one look, no call."""
    clock.advance(EVERY - 100)
    harry.wiring.broker.credential(harry.uuid, "kinopub").token()
    calls = harry.refreshes()
    clock.advance(100)
    assert harry.tick() == ["was in use"]
    assert harry.tick() == []
    assert harry.refreshes() == calls


def test_a_row_from_before(harry: Harry, clock: Clock) -> None:
    """Whose age is not known: refreshed."""
    harry.wiring.tokens.table.update({"user_id": harry.uuid, "provider": "kinopub"}, remove=["stored_at"])
    clock.advance(EVERY)
    assert harry.tick() == ["refreshed"]


def test_a_refusal_says_so_in_time(harry: Harry, connected: Browser, clock: Clock) -> None:
    """The login is dead: paused as `reauth_required`, and asked no more until it is connected again."""
    harry.wiring.accounts.change_settings(harry.uuid, enabled=True)
    harry.upstreams.kinopub.forget_tokens()
    clock.advance(EVERY)
    assert harry.tick() == ["has to be connected again"]
    assert harry.account.paused_reason == "reauth_required"
    assert connected.get("/auth/session").json["kinopub"]["status"] == "reauth_required"
    calls = harry.refreshes()
    clock.advance(EVERY)
    assert harry.tick() == ["has to be connected again"]
    assert harry.refreshes() == calls


@pytest.mark.parametrize(
    "fault",
    [
        {"preset": "server_error"},
        {"reset": True},
        {"status": 429},
        {"status": 403, "body": "<html>"},
        {"status": 400, "body": "<html>"},
        {"status": 401, "body": ""},
    ],
)
def test_trouble_is_waited_for(harry: Harry, clock: Clock, fault: dict[str, Any]) -> None:
    """Nothing is lost and nobody is paused; an hour later it is tried again, and not before."""
    harry.upstreams.kinopub.faults.add(path="/oauth2/token", times=None, **fault)
    clock.advance(EVERY)
    for _ in range(3):
        [said] = harry.tick()
        assert said.startswith("put off")
        assert harry.tick() == []
        clock.advance(AGAIN_IN)
    assert harry.account.paused_reason is None
    harry.upstreams.kinopub.faults.clear()
    assert harry.tick() == ["refreshed"]
    assert harry.row.status == "ok"


def test_a_job_that_comes_twice(harry: Harry, clock: Clock) -> None:
    """Two ticks before it was worked on, or a redelivery: one refresh."""
    clock.advance(EVERY)
    assert [harry.look() for _ in range(3)] == ["refreshed", "not due any more", "not due any more"]
    assert harry.refreshes() == 1


def test_a_job_for_nobody(harry: Harry, connected: Browser, clock: Clock) -> None:
    """Disconnected meanwhile, or gone: dropped quietly."""
    clock.advance(EVERY)
    connected.delete("/auth/kinopub")
    assert harry.look() == "not due any more"
    harry.wiring.accounts.table.delete({"user_id": harry.uuid})
    assert harry.look() == "not due any more"
    assert harry.wiring.accounts.get(harry.uuid) is None


def test_no_row_where_there_should_be_one(harry: Harry, clock: Clock) -> None:
    """Not asked with every tick."""
    harry.wiring.tokens.delete(harry.uuid, "kinopub")
    clock.advance(EVERY)
    assert harry.tick() == ["has to be connected again"]
    clock.advance(EVERY - 1)
    assert harry.tick() == []
