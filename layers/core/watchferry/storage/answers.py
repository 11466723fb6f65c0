"""CachedAnswers: answers of upstreams, for all users or for one, and who is fetching one right now.

A row's partition is its user, so that all of a user's can go at once; what is for everybody is spread by its own key.
Bodies are gzipped; one that does not fit a row lies in S3, a user's in one of so few places that all of them can be
emptied without a list. Times are milliseconds: who waited for an answer takes one
that is younger than the waiting.
"""

import secrets
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table, not_expired

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

LARGEST_IN_ROW = 300_000
"""Bytes; DynamoDB's rows have 400 KB."""

KEPT_STALE = 86400
"""Seconds for which an answer that is no longer fresh can still stand in for an upstream that fails."""

KEPT_FOR_WAITING = 10
BROKEN_LEASE_KEPT = 120

PLACES = 16
"""Objects of one user at most. Few answers are that large; two that share a place are fetched in turns."""

STAMP = 16
"""Bytes at an object's beginning, which tell whether it is the one that a row means."""

GONE = {"NoSuchKey", "AccessDenied"}
"""What S3 says of an object that is not there; the latter to whoever may not list the bucket, as our function."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an answer is kept. `user_id` None: the same for everybody."""

    key: str
    user_id: str | None = None

    @property
    def row(self) -> Item:
        return {"owner": self.user_id or self.key, "answer": self.key}


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    status: int
    headers: Mapping[str, str]
    packed: bytes
    """The body, gzipped."""
    stored_ms: int
    fresh_ms: int
    """Until when it is fresh."""


@dataclass(frozen=True, slots=True)
class Row:
    """`tried_ms`: when somebody last came back from the upstream, with whatever; `trouble`: with what, if not well."""

    answer: CachedAnswer | None
    leased_until_ms: int
    tried_ms: int
    trouble: Mapping[str, Any] | None
    ttl: int

    def is_fresh(self, now_ms: int) -> bool:
        return self.answer is not None and self.answer.fresh_ms > now_ms


@dataclass(slots=True)
class Answers:
    table: Table
    s3: "Callable[[], S3Client]"
    """Made when a body is too large for a row: few are."""
    bucket: str
    clock: Clock

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def find(self, slot: Slot) -> Row | None:
        item = not_expired(self.table.get(slot.row), self.clock())
        return self._row(item) if item else None

    def lease(self, slot: Slot, seen: Row | None, *, owner: str, until: float) -> Row | None:
        """The right to fetch it, until `until` (unix seconds). None: it is fresh, or somebody else is at it.

        The row as it is now; `seen` is as it was found.
        """
        now = self.now_ms()
        # A lease must not end the life of the copy beside it, nor outlive it by much where there is none.
        ttl = int(max(seen.ttl if seen else 0, until + BROKEN_LEASE_KEPT))
        free = Attr("lease_owner").not_exists() | Attr("leased_until_ms").lte(now)
        old = Attr("fresh_ms").not_exists() | Attr("fresh_ms").lte(now)
        try:
            item = self.table.update(
                slot.row,
                set_={"lease_owner": owner, "leased_until_ms": int(until * 1000), "ttl": ttl},
                when=free & old,
            )
        except ConditionFailed:
            return None
        return self._row(item)

    def keep(self, slot: Slot, answer: CachedAnswer, *, owner: str) -> bool:
        """The answer of the lease's owner; of anybody else it is dropped, and this is False."""
        item: Item = {
            **slot.row,
            "status": answer.status,
            "headers": dict(answer.headers),
            "stored_ms": answer.stored_ms,
            "fresh_ms": answer.fresh_ms,
            "tried_ms": self.now_ms(),
            "ttl": answer.fresh_ms // 1000 + 1 + _kept_stale(answer.status),
        }
        if len(answer.packed) > LARGEST_IN_ROW:
            item |= {"object": _place(slot), "stamp": secrets.token_bytes(STAMP)}
            self.s3().put_object(Bucket=self.bucket, Key=item["object"], Body=item["stamp"] + answer.packed)
        else:
            item["packed"] = answer.packed
        try:
            self.table.put(item, when=Attr("lease_owner").eq(owner))
        except ConditionFailed:
            return False
        return True

    def still_good(self, slot: Slot, answer: CachedAnswer, *, owner: str) -> None:
        """The upstream says that nothing has changed (304)."""
        self._release(
            slot,
            owner,
            {
                "headers": dict(answer.headers),
                "stored_ms": answer.stored_ms,
                "fresh_ms": answer.fresh_ms,
                "ttl": answer.fresh_ms // 1000 + 1 + _kept_stale(answer.status),
                "trouble": None,
            },
        )

    def give_up(self, slot: Slot, *, owner: str, trouble: Mapping[str, Any]) -> None:
        """Nothing to keep came of it; those who wait are told why."""
        self._release(slot, owner, {"trouble": dict(trouble)})

    def of(self, user_id: str) -> Iterator[CachedAnswer]:
        """Everything that is kept for a user."""
        for item in self.table.query(Key("owner").eq(user_id)):
            if answer := self._answer(item):
                yield answer

    def forget(self, user_id: str) -> None:
        """Everything that was kept for a user, bodies too whose rows are gone already."""
        rows = list(self.table.query(Key("owner").eq(user_id)))
        for name in {f"{user_id}/{number}" for number in range(PLACES)} | {r["object"] for r in rows if "object" in r}:
            self.s3().delete_object(Bucket=self.bucket, Key=name)
        self.table.delete_many({"owner": row["owner"], "answer": row["answer"]} for row in rows)

    def _release(self, slot: Slot, owner: str, changes: Item) -> None:
        with suppress(ConditionFailed):
            self.table.update(
                slot.row,
                set_={**changes, "tried_ms": self.now_ms()},
                remove=["lease_owner", "leased_until_ms"],
                when=Attr("lease_owner").eq(owner),
            )

    def _drop(self, item: Item) -> None:
        """The row without its answer, so that it can be fetched anew; whoever has a lease keeps it."""
        key = {"owner": item["owner"], "answer": item["answer"]}
        with suppress(ConditionFailed):
            answer = ["status", "headers", "object", "stamp", "stored_ms", "fresh_ms"]
            self.table.update(key, remove=answer, when=Attr("stored_ms").eq(item["stored_ms"]))

    def _row(self, item: Item) -> Row:
        answer = self._answer(item)
        if answer is None and "object" in item:
            self._drop(item)
        return Row(
            answer=answer,
            leased_until_ms=item.get("leased_until_ms", 0),
            tried_ms=item.get("tried_ms", 0),
            trouble=item.get("trouble"),
            ttl=item["ttl"],
        )

    def _answer(self, item: Item) -> CachedAnswer | None:
        """None too when it is too old to be of use, or its body is gone from S3, or has made room for another."""
        if "status" not in item or item["fresh_ms"] // 1000 + 1 + _kept_stale(item["status"]) <= self.clock():
            return None
        packed = item.get("packed")
        if packed is None and (packed := self._body(item)) is None:
            return None
        return CachedAnswer(item["status"], item["headers"], packed, item["stored_ms"], item["fresh_ms"])

    def _body(self, item: Item) -> bytes | None:
        try:
            body: bytes = self.s3().get_object(Bucket=self.bucket, Key=item["object"])["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            return None
        stamp = item.get("stamp", b"")  # bodies of before had none, and a name each
        return body.removeprefix(stamp) if body.startswith(stamp) else None


def _place(slot: Slot) -> str:
    if slot.user_id is None:
        return slot.key
    return f"{slot.user_id}/{zlib.crc32(slot.key.encode()) % PLACES}"


def _kept_stale(status: int) -> int:
    """Anything else than 200 is no help later on; it stays for those who wait for it at this moment."""
    return KEPT_STALE if status == 200 else KEPT_FOR_WAITING
