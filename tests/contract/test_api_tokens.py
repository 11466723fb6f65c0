"""API tokens: stored as hashes, listed and revoked by their user, noted when they are used (http-api.md)."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.api_tokens import (
    ACCESS_LIFETIME,
    MOST,
    REFRESH_LIFETIME,
    REFRESHED_AGAIN_WITHIN,
    TOUCH_EVERY,
    ApiToken,
    ApiTokens,
    ProgramTokens,
    TooMany,
)


@pytest.fixture
def tokens(backend: Backend, clock: Clock) -> ApiTokens:
    return ApiTokens(backend.table("ApiTokens"), clock)


def found(tokens: ApiTokens, token: str) -> ApiToken:
    row = tokens.find(token)
    assert row is not None
    return row


def test_a_token_is_found_by_itself(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """And by nothing else: not by its id, its hash, a part of it, or without its `wf_`."""
    made, token = tokens.make(user, "Kodi")
    assert (made.user_id, made.name, made.kind, made.created_at) == (user, "Kodi", "api", int(clock.now))
    assert found(tokens, token).token_id == made.token_id
    for wrong in ("", "wf_", token[:-1], token + "x", token[3:], token.upper(), made.token_id, made.token_hash):
        assert tokens.find(wrong) is None


def test_tokens_are_256_random_bits(tokens: ApiTokens, user: str) -> None:
    """`wf_` and 43 characters that no two share; ids fit into a path."""
    made = [tokens.make(user, "same name") for _ in range(10)]
    assert len({token for _, token in made}) == len({row.token_id for row, _ in made}) == 10
    assert all(re.fullmatch(r"wf_[A-Za-z0-9_-]{43}", token) for _, token in made)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", row.token_id) for row, _ in made)


def test_the_token_is_not_stored(tokens: ApiTokens, user: str) -> None:
    """Who reads the table can call as nobody."""
    made, token = tokens.make(user, "Kodi")
    assert token.removeprefix("wf_") not in repr(tokens.table.get({"token_hash": made.token_hash}))


def test_a_user_s_tokens(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """Theirs, oldest first, and nobody else's."""
    names = ["c", "a", "b"]
    for name in names:
        tokens.make(user, name)
        clock.advance(1)
    other, _ = tokens.make(f"{user}-other", "x")
    assert [token.name for token in tokens.of(user)] == names
    assert [token.token_id for token in tokens.of(other.user_id)] == [other.token_id]
    tokens.end_all(other.user_id)


def test_use_is_noted_now_and_then(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """Never used: None; then every five minutes at most."""
    _, token = tokens.make(user, "Kodi")
    assert [row.last_used_at for row in tokens.of(user)] == [None]
    begun = int(clock.now)
    for seconds, noted in ((0, begun), (TOUCH_EVERY - 1, begun), (1, begun + TOUCH_EVERY), (60, begun + TOUCH_EVERY)):
        clock.advance(seconds)
        found(tokens, token)
        assert found(tokens, token).last_used_at == noted


def test_revoked(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """By its own user alone, once; a request that was under way does not bring it back."""
    made, token = tokens.make(user, "Kodi")
    kept, _ = tokens.make(user, "stays")
    assert not tokens.revoke(f"{user}-other", made.token_id)
    row = found(tokens, token)
    assert [tokens.revoke(user, made.token_id) for _ in range(2)] == [True, False]
    tokens._touch(row, int(clock.now) + TOUCH_EVERY)
    assert tokens.find(token) is None
    assert [each.token_id for each in tokens.of(user)] == [kept.token_id]


def test_a_limit(tokens: ApiTokens, user: str) -> None:
    """Fifty of one user; one that is revoked makes room."""
    with ThreadPoolExecutor(5) as threads:
        made = list(threads.map(lambda number: tokens.make(user, str(number))[0], range(MOST)))
    with pytest.raises(TooMany):
        tokens.make(user, "one more")
    tokens.revoke(user, made[0].token_id)
    tokens.make(user, "one more")
    tokens.end_all(user)
    assert tokens.of(user) == []


def test_one_with_an_end(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """A row with a `ttl` is nothing any more when that is over."""
    made, token = tokens.make(user, "short")
    tokens.table.update({"token_hash": made.token_hash}, set_={"ttl": int(clock.now) + 10})
    assert tokens.find(token) is not None
    clock.advance(10)
    assert tokens.find(token) is None
    assert tokens.of(user) == []


def test_a_program_s_tokens(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """The access token is found until its end, under the kind `facade`; the refresh token opens nothing at all."""
    made = tokens.begin_program(user, "Kodi")
    row = found(tokens, made.access)
    assert (row.user_id, row.kind, row.name, made.created_at) == (user, "facade", "Kodi", int(clock.now))
    assert all(re.fullmatch(r"wf_[A-Za-z0-9_-]{65}", token) for token in (made.access, made.refresh))
    for wrong in (made.refresh, made.access[:-1], made.access[:46], made.access[:25] + "A" * 43, row.token_hash):
        assert tokens.find(wrong) is None
    assert not {made.access, made.refresh} & {repr(made), repr(tokens.table.get({"token_hash": row.token_hash}))}
    assert made.access[25:] not in repr(tokens.table.get({"token_hash": row.token_hash}))
    clock.advance(ACCESS_LIFETIME - 1)
    assert tokens.find(made.access) is not None
    clock.advance(1)
    assert tokens.find(made.access) is None
    assert [each.token_id for each in tokens.of(user)] == [row.token_id]
    tokens.end_all(user)


def test_a_refresh_replaces_both(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """The last access token ends with the refresh; the row stays the program's; unused for 180 days it is forgotten."""
    first = tokens.begin_program(user, "Kodi")
    known = found(tokens, first.access).token_id
    clock.advance(60)
    second = tokens.refresh_program(first.refresh)
    assert second is not None
    assert second.created_at == int(clock.now)
    assert len({first.access, first.refresh, second.access, second.refresh}) == 4
    assert tokens.find(first.access) is None
    assert found(tokens, second.access).token_id == known
    clock.advance(REFRESH_LIFETIME)
    assert tokens.refresh_program(second.refresh) is None


def refreshed(tokens: ApiTokens, refresh: str) -> ProgramTokens:
    made = tokens.refresh_program(refresh)
    assert made is not None
    return made


def test_a_refresh_token_that_comes_again_soon(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """The answer was lost: the very same tokens, which are as good as before, with the time of the first answer."""
    first = tokens.begin_program(user, "Kodi")
    second = refreshed(tokens, first.refresh)
    for seconds in (0, 30, REFRESHED_AGAIN_WITHIN - 31):
        clock.advance(seconds)
        assert refreshed(tokens, first.refresh) == second
    assert tokens.find(first.access) is None
    assert found(tokens, second.access).user_id == user
    clock.advance(ACCESS_LIFETIME)
    third = refreshed(tokens, second.refresh)
    assert found(tokens, third.access).user_id == user
    tokens.end_all(user)


def test_a_refresh_token_that_comes_again_late_ends_the_program(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """And that one alone, whoever of the two was the thief."""
    other = tokens.begin_program(user, "another")
    first = tokens.begin_program(user, "Kodi")
    second = refreshed(tokens, first.refresh)
    clock.advance(REFRESHED_AGAIN_WITHIN)
    assert tokens.refresh_program(first.refresh) is None
    assert tokens.find(second.access) is None
    assert tokens.refresh_program(second.refresh) is None
    assert tokens.find(other.access) is not None
    tokens.end_all(user)


def test_a_refresh_token_whose_answer_has_arrived(tokens: ApiTokens, user: str) -> None:
    """The next one was used: no answer was lost, so the old one is in two hands, however soon it comes."""
    first = tokens.begin_program(user, "Kodi")
    second = refreshed(tokens, first.refresh)
    third = refreshed(tokens, second.refresh)
    assert refreshed(tokens, second.refresh) == third
    assert tokens.refresh_program(first.refresh) is None
    assert tokens.find(third.access) is None
    assert tokens.of(user) == []


def test_two_refreshes_at_once(tokens: ApiTokens, user: str) -> None:
    """All of them get the same tokens, and those are good."""
    made = tokens.begin_program(user, "Kodi")
    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(tokens.refresh_program, [made.refresh] * 4))
    assert len(set(got)) == 1
    assert got[0] is not None
    assert found(tokens, got[0].access).user_id == user
    assert tokens.refresh_program(got[0].refresh) not in {None, got[0]}
    tokens.end_all(user)


def test_tokens_that_are_derived_are_not_stored(tokens: ApiTokens, user: str) -> None:
    """The row has hashes and a salt; a salt of another refresh makes other tokens."""
    first = tokens.begin_program(user, "Kodi")
    second = refreshed(tokens, first.refresh)
    kept = repr(tokens.table.get({"token_hash": found(tokens, second.access).token_hash}))
    assert not [each for each in (first, second) for token in (each.access, each.refresh) if token[25:] in kept]
    assert len({second.access[25:], second.refresh[25:]}) == 2
    assert all(re.fullmatch(r"wf_[A-Za-z0-9_-]{65}", token) for token in (second.access, second.refresh))
    key = {"token_hash": found(tokens, second.access).token_hash}
    tokens.table.update(key, set_={"salt": b"another"})
    assert refreshed(tokens, first.refresh) != second
    tokens.end_all(user)


def test_a_program_from_before_tokens_came_again(tokens: ApiTokens, user: str) -> None:
    """Its row has neither a salt nor what was used last: it is refreshed as ever, and its old token ends it."""
    first = tokens.begin_program(user, "Kodi")
    second = refreshed(tokens, first.refresh)
    key = {"token_hash": found(tokens, second.access).token_hash}
    tokens.table.update(key, remove=["used_hash", "used_at", "salt"])
    third = refreshed(tokens, second.refresh)
    tokens.table.update(key, remove=["used_hash", "used_at", "salt"])
    assert tokens.refresh_program(second.refresh) is None
    assert tokens.find(third.access) is None


def test_a_program_that_missed_the_answer_ends_itself(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """By the refresh token that it still holds, as long as that may come again; a stranger's old one ends nothing."""
    first = tokens.begin_program(user, "Kodi")
    refreshed(tokens, first.refresh)
    tokens.end_program(first.refresh)
    assert tokens.of(user) == []
    late = tokens.begin_program(user, "Kodi")
    kept = refreshed(tokens, late.refresh)
    clock.advance(REFRESHED_AGAIN_WITHIN)
    tokens.end_program(late.refresh)
    assert tokens.find(kept.access) is not None
    tokens.end_all(user)


@pytest.mark.parametrize("which", ["access", "refresh"])
def test_a_program_ends_itself(tokens: ApiTokens, user: str, clock: Clock, which: str) -> None:
    """By either of its tokens, even an access token that is over; by no other, and never an API token."""
    _, token = tokens.make(user, "stays")
    made, other = tokens.begin_program(user, "Kodi"), tokens.begin_program(user, "stays")
    clock.advance(ACCESS_LIFETIME)
    for wrong in (token, "", made.access[:25] + "A" * 43, "wf_" + "A" * 65):
        tokens.end_program(wrong)
    assert len(tokens.of(user)) == 3
    tokens.end_program(getattr(made, which))
    assert tokens.refresh_program(made.refresh) is None
    assert {each.name for each in tokens.of(user)} == {"stays"}
    assert tokens.refresh_program(other.refresh) is not None
    tokens.end_all(user)


def test_programs_have_a_limit_of_their_own(tokens: ApiTokens, user: str, clock: Clock) -> None:
    """The fifty-first ends the one that was used longest ago, and takes no API token's place."""
    first = tokens.begin_program(user, "first")
    second = tokens.begin_program(user, "second")
    for _ in range(MOST - 2):
        tokens.begin_program(user, "more")
    clock.advance(TOUCH_EVERY)
    tokens.find(first.access)
    tokens.table.delete({"token_hash": found(tokens, second.access).token_hash})
    clock.advance(1)
    last = [tokens.begin_program(user, "last") for _ in range(2)]
    assert len(tokens.of(user)) == MOST
    assert all(tokens.find(made.access) for made in (first, *last))
    tokens.make(user, "an API token")
    tokens.end_all(user)
