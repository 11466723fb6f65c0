"""Sessions: stored as hashes, alive while they are used, dead in time (http-api.md, Who is calling)."""

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.sessions import DAY, TOUCH_EVERY, Sessions

IDLE, ABSOLUTE = 30, 180


@pytest.fixture
def sessions(backend: Backend, clock: Clock) -> Sessions:
    return Sessions(backend.table("Sessions"), clock, IDLE, ABSOLUTE)


def test_a_session_is_found_by_its_id(sessions: Sessions, user: str) -> None:
    """And by nothing else."""
    session_id = sessions.begin(user)
    found = sessions.find(session_id)
    assert found is not None
    assert found.user_id == user
    for wrong in ("", "x", session_id[:-1], session_id + "x", session_id.swapcase(), found.session_hash):
        assert sessions.find(wrong) is None


def test_ids_are_256_random_bits(sessions: Sessions, user: str) -> None:
    """43 characters that no two sessions share."""
    ids = {sessions.begin(user) for _ in range(20)}
    assert len(ids) == 20
    assert {len(session_id) for session_id in ids} == {43}


def test_the_id_is_not_stored(sessions: Sessions, user: str) -> None:
    """Who reads the table can sign in as nobody."""
    session_id = sessions.begin(user)
    found = sessions.find(session_id)
    assert found is not None
    assert session_id not in repr(sessions.table.get({"session_hash": found.session_hash}))


def test_idle_sessions_end(sessions: Sessions, user: str, clock: Clock) -> None:
    """After the idle lifetime without a request."""
    session_id = sessions.begin(user)
    clock.advance(IDLE * DAY - 1)
    assert sessions.find(session_id) is not None
    clock.advance(IDLE * DAY)
    assert sessions.find(session_id) is None


def test_busy_sessions_end_too(sessions: Sessions, user: str, clock: Clock) -> None:
    """After the absolute lifetime, however often they were used."""
    session_id = sessions.begin(user)
    for day in range(ABSOLUTE):
        assert sessions.find(session_id) is not None, day
        clock.advance(DAY)
    assert sessions.find(session_id) is None
    assert sessions.lifetime == ABSOLUTE * DAY


def test_shorter_lifetimes_hold_for_old_sessions(backend: Backend, sessions: Sessions, user: str, clock: Clock) -> None:
    """An owner who tightens the setting means everybody."""
    session_id = sessions.begin(user)
    clock.advance(2 * DAY)
    assert Sessions(backend.table("Sessions"), clock, 1, ABSOLUTE).find(session_id) is None
    assert Sessions(backend.table("Sessions"), clock, IDLE, 1).find(session_id) is None
    assert sessions.find(session_id) is not None


def test_writes_are_spared(sessions: Sessions, user: str, clock: Clock) -> None:
    """Being seen is noted every few minutes only."""
    session_id = sessions.begin(user)
    begun = clock.now
    for seconds, noted in ((TOUCH_EVERY - 1, begun), (1, begun + TOUCH_EVERY), (60, begun + TOUCH_EVERY)):
        clock.advance(seconds)
        sessions.find(session_id)
        found = sessions.find(session_id)
        assert found is not None
        assert found.last_seen == noted


def test_an_ended_session_stays_ended(sessions: Sessions, user: str, clock: Clock) -> None:
    """A request that was under way does not bring it back."""
    session_id = sessions.begin(user)
    found = sessions.find(session_id)
    assert found is not None
    sessions.end(session_id)
    sessions._touch(found, int(clock.now) + TOUCH_EVERY)
    assert sessions.find(session_id) is None
    sessions.end(session_id)


def test_all_sessions_of_a_user_end(sessions: Sessions, user: str) -> None:
    """Theirs and nobody else's."""
    mine, other = [sessions.begin(user) for _ in range(30)], sessions.begin(f"{user}-other")
    sessions.end_all(user)
    assert [found for session_id in mine if (found := sessions.find(session_id))] == []
    assert sessions.find(other) is not None
    sessions.end(other)


def test_a_user_s_sessions(sessions: Sessions, user: str, clock: Clock) -> None:
    """The living ones, oldest first; nobody else's."""
    for _ in range(3):
        sessions.begin(user)
        clock.advance(DAY)
    other = sessions.begin(f"{user}-other")
    now = int(clock.now)
    assert [session.created_at for session in sessions.of(user)] == [now - 3 * DAY, now - 2 * DAY, now - DAY]
    clock.advance((IDLE - 2) * DAY)
    assert [session.created_at for session in sessions.of(user)] == [now - DAY]
    sessions.end(other)
