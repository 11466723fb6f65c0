"""CachedAnswers: answers by key and user, the lease to fetch one, and what is told to those who wait."""

from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.answers import KEPT_STALE, LARGEST_IN_ROW, PLACES, Answers, CachedAnswer, Slot


class Bucket:
    """As much of S3 as the table uses."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Key] = Body

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        import io

        from botocore.exceptions import ClientError

        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def answers(backend: Backend, clock: Clock, bucket: Bucket) -> Answers:
    return Answers(backend.table("CachedAnswers"), lambda: bucket, "answers", clock)  # type: ignore[arg-type, return-value]


@pytest.fixture(params=["for all", "for one"])
def slot(user: str, request: pytest.FixtureRequest) -> Slot:
    return Slot(f"key-{user}", user if request.param == "for one" else None)


def made(answers: Answers, *, seconds: float = 60, status: int = 200, packed: bytes = b"packed") -> CachedAnswer:
    now = answers.now_ms()
    headers = {"etag": '"1"', "content-type": "application/json"}
    return CachedAnswer(status, headers, packed, now, now + int(seconds * 1000))


def kept(answers: Answers, slot: Slot, **parts: Any) -> CachedAnswer:
    answer = made(answers, **parts)
    assert answers.lease(slot, answers.find(slot), owner="me", until=answers.clock() + 5)
    assert answers.keep(slot, answer, owner="me")
    return answer


def test_kept(answers: Answers, slot: Slot, clock: Clock) -> None:
    """As it was, fresh until its end, and then still there to stand in."""
    assert answers.find(slot) is None
    answer = kept(answers, slot)
    row = answers.find(slot)
    assert row is not None
    assert (row.answer, row.leased_until_ms, row.trouble) == (answer, 0, None)
    assert row.is_fresh(answers.now_ms())
    clock.advance(60)
    row = answers.find(slot)
    assert row is not None
    assert not row.is_fresh(answers.now_ms())
    clock.advance(KEPT_STALE - 1)
    assert answers.find(slot) is not None
    clock.advance(3)
    assert answers.find(slot) is None


def test_one_fetches(answers: Answers, slot: Slot, clock: Clock) -> None:
    """A lease is one's alone; nobody gets one for what is fresh; an old one ends by itself."""
    assert answers.lease(slot, None, owner="a", until=clock() + 5)
    assert answers.lease(slot, None, owner="b", until=clock() + 5) is None
    clock.advance(5)
    assert answers.lease(slot, None, owner="b", until=clock() + 5)
    assert not answers.keep(slot, made(answers, packed=b"late"), owner="a")
    row = answers.find(slot)
    assert row is not None
    assert row.answer is None
    assert answers.keep(slot, made(answers, packed=b"right"), owner="b")
    assert answers.lease(slot, answers.find(slot), owner="c", until=clock() + 5) is None


def test_a_lease_keeps_the_copy(answers: Answers, slot: Slot, clock: Clock) -> None:
    """Whoever fetches anew sees what to ask about; a fetch that fails leaves it, and says why."""
    answer = kept(answers, slot)
    clock.advance(100)
    held = answers.lease(slot, answers.find(slot), owner="me", until=clock() + 5)
    assert held is not None
    assert held.answer == answer
    answers.give_up(slot, owner="me", trouble={"code": "upstream_timeout", "detail": "late"})
    row = answers.find(slot)
    assert row is not None
    assert (row.answer, row.trouble) == (answer, {"code": "upstream_timeout", "detail": "late"})
    assert row.tried_ms == answers.now_ms()
    clock.advance(KEPT_STALE - 200)
    assert answers.find(slot) is not None


def test_still_good(answers: Answers, slot: Slot, clock: Clock) -> None:
    """A copy that has not changed is fresh again; the trouble before is forgotten."""
    kept(answers, slot)
    clock.advance(100)
    assert answers.lease(slot, answers.find(slot), owner="me", until=clock() + 5)
    answers.give_up(slot, owner="me", trouble={"code": "x"})
    assert answers.lease(slot, answers.find(slot), owner="me", until=clock() + 5)
    renewed = made(answers)
    answers.still_good(slot, renewed, owner="me")
    row = answers.find(slot)
    assert row is not None
    assert (row.answer, row.trouble) == (renewed, None)


@pytest.mark.parametrize("status", [404, 503])
def test_what_is_no_good_later(answers: Answers, slot: Slot, clock: Clock, status: int) -> None:
    """Anything but 200 goes soon after its end."""
    kept(answers, slot, status=status, seconds=0)
    assert answers.find(slot) is not None
    clock.advance(15)
    row = answers.find(slot)
    assert row is None or row.answer is None


def test_large_bodies(answers: Answers, slot: Slot, clock: Clock, bucket: Bucket) -> None:
    """Lie beside the table, a version by itself; one that got lost is fetched anew."""
    answer = kept(answers, slot, packed=b"x" * (LARGEST_IN_ROW + 1))
    row = answers.find(slot)
    assert row is not None
    assert row.answer == answer
    (name,) = bucket.objects
    assert name == slot.key or name.startswith(f"{slot.user_id}/")
    bucket.objects.clear()
    row = answers.find(slot)
    assert row is not None
    assert row.answer is None
    assert answers.lease(slot, row, owner="me", until=clock() + 5)


def test_a_place_that_two_share(answers: Answers, user: str, clock: Clock, bucket: Bucket) -> None:
    """The one that came later has it; whoever asks for the other fetches anew, and never sees the wrong body."""
    slots = [Slot(f"k-{number}", user) for number in range(PLACES + 1)]
    for number, slot in enumerate(slots):
        kept(answers, slot, packed=bytes([number]) * (LARGEST_IN_ROW + 1))
    assert len(bucket.objects) <= PLACES
    found = [row.answer if (row := answers.find(slot)) else None for slot in slots]
    assert None in found
    assert all(each is None or each.packed[:1] == bytes([number]) for number, each in enumerate(found))
    lost = slots[found.index(None)]
    assert answers.lease(lost, answers.find(lost), owner="me", until=clock() + 5)


def test_nothing_of_a_user_stays_in_the_bucket(answers: Answers, user: str, clock: Clock, bucket: Bucket) -> None:
    """Neither what was fetched anew again and again, nor what rows held that have ended since."""
    theirs = Slot(f"k-{user}", f"{user}-2")
    kept(answers, theirs, packed=b"x" * (LARGEST_IN_ROW + 1))
    for number in range(3):
        slot = Slot(f"k-{number}", user)
        for _ in range(3):
            kept(answers, slot, packed=b"x" * (LARGEST_IN_ROW + 1))
            clock.advance(61)
        answers.table.delete(slot.row)
    answers.forget(user)
    assert [name.startswith(f"{user}-2/") for name in bucket.objects] == [True]


def test_users_are_apart(answers: Answers, user: str) -> None:
    """The same question of another user, or of all, is another place; one's own can go at once, bodies too."""
    mine, theirs, everybody_s = Slot(f"k-{user}", user), Slot(f"k-{user}", f"{user}-2"), Slot(f"k-{user}")
    large = Slot(f"l-{user}", user)
    for place in (mine, theirs, everybody_s):
        kept(answers, place, packed=repr(place).encode())
    kept(answers, large, packed=b"x" * (LARGEST_IN_ROW + 1))
    answers.forget(user)
    assert answers.find(mine) is None
    assert answers.find(large) is None
    for place in (theirs, everybody_s):
        row = answers.find(place)
        assert row is not None
        assert row.answer is not None
        assert row.answer.packed == repr(place).encode()
