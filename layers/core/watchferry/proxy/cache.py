"""The cache: memory of a warm function, then DynamoDB; one call upstream for all who ask at once (http-api.md, Proxy).

Looked at before writing it: hishel 2 (httpx), CacheControl (requests), aws-lambda-powertools' idempotency. The first
two are RFC 9111 caches of one client: the upstream's headers, not our table, say how long; storages are SQLite and
Redis; nothing keeps two processes from fetching the same, and a stale copy cannot stand in for an answer of 429.
Powertools' idempotency has the lease in DynamoDB, but refuses whoever comes second instead of letting them wait, and
knows no staleness. What is left is the order of steps below.
"""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from aws_lambda_powertools.shared.cache_dict import LRUDict

from watchferry.errors import Problem, RetryLater
from watchferry.proxy.answer import comes_back
from watchferry.proxy.forward import Fetched
from watchferry.storage.answers import Answers, CachedAnswer, Row, Slot

NEGATIVE_SECONDS = 60
"""How long 404 is remembered."""

LOOK_AGAIN = (0.02, 0.04, 0.08, 0.16, 0.32, 0.5)
"""Seconds between looks at the row while somebody else fetches; the last one again and again."""

LARGEST_IN_MEMORY, MOST_IN_MEMORY = 128 * 1024, 256
"""Bytes of one body, packed, and how many of them: 32 MB at most."""

UNSHARED = "unshared"
"""The trouble of an answer that is good, but for nobody else."""

LARGEST_HANDED_ON = 32 * 1024
"""Bytes, packed, of an answer that is not kept but handed to who waits: it lies in the row beside the copy."""
COLLAPSED = "fwd=miss; collapsed"
"""The status of what somebody else fetched meanwhile."""

log = logging.getLogger(__name__)


class Fetch(Protocol):
    def __call__(self, validators: Mapping[str, str]) -> Fetched:
        """Raises RetryLater or Problem."""


@dataclass(frozen=True, slots=True)
class Served:
    """`status`: the value of Cache-Status; `age` in seconds, None for what was not kept."""

    fetched: Fetched
    status: str
    age: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        shown = {"cache-status": f"Watchferry; {self.status}"}
        return shown if self.age is None else shown | {"age": str(self.age)}


@dataclass(slots=True)
class Cache:
    answers: Answers
    clock: Callable[[], float]
    pause: Callable[[float], None]
    _memory: LRUDict = field(default_factory=lambda: LRUDict(MOST_IN_MEMORY), repr=False)  # type: ignore[no-untyped-call]

    def get(self, slot: Slot, seconds: int, deadline: float, fetch: Fetch) -> Served:
        """`seconds`: the class of the endpoint. Raises as `fetch`, when there is no copy to stand in."""
        now = self.answers.now_ms()
        remembered: CachedAnswer | None = self._memory.get(slot)  # type: ignore[no-untyped-call]
        if remembered is not None and remembered.fresh_ms > now:
            return self._hit(remembered, now)
        began = now
        row = self.answers.find(slot)
        owner = secrets.token_hex(8)
        for look in range(10_000):
            now = self.answers.now_ms()
            if row is not None and row.answer is not None and row.is_fresh(now):
                return self._found(slot, row.answer, now, waited=look > 0)
            if row is not None and look > 0 and row.tried_ms >= began and (row.trouble or row.answer):
                # Somebody asked after we came, and it did not go well: asking once more would not help anybody.
                return self._same_trouble(row, fetch)
            free = row is None or row.leased_until_ms <= now
            if free and (held := self.answers.lease(slot, row, owner=owner, until=deadline + 1)):
                return self._fetch(slot, seconds, owner, held, fetch)
            if self.clock() >= deadline:
                break
            self.pause(LOOK_AGAIN[min(look, len(LOOK_AGAIN) - 1)])
            row = self.answers.find(slot)
        return self._stale(row, RetryLater("upstream_timeout", "the same question is still under way"))

    def _hit(self, answer: CachedAnswer, now: int) -> Served:
        return Served(_opened(answer), f"hit; ttl={max(0, answer.fresh_ms - now) // 1000}", _age(answer, now))

    def _found(self, slot: Slot, answer: CachedAnswer, now: int, *, waited: bool) -> Served:
        self._remember(slot, answer)
        if waited:
            return Served(_opened(answer), COLLAPSED, _age(answer, now))
        return self._hit(answer, now)

    def _remember(self, slot: Slot, answer: CachedAnswer) -> None:
        if len(answer.packed) <= LARGEST_IN_MEMORY:
            self._memory[slot] = answer

    # ---- with the lease

    def _fetch(self, slot: Slot, seconds: int, owner: str, held: Row, fetch: Fetch) -> Served:
        old = held.answer if held.answer and held.answer.status == 200 else None
        why = "fwd=stale" if old else "fwd=miss"
        try:
            fetched = fetch(_validators(old))
        except (RetryLater, Problem) as error:
            self.answers.give_up(slot, owner=owner, trouble=_told(error))
            if isinstance(error, RetryLater):
                return self._stale(held, error)
            raise
        except Exception:
            self.answers.give_up(slot, owner=owner, trouble={"code": UNSHARED})
            raise
        now = self.answers.now_ms()
        if fetched.status == 304 and old is not None:
            headers = {**old.headers, **{n: v for n, v in _lasting(fetched.headers).items() if n in old.headers}}
            renewed = replace(old, headers=headers, stored_ms=now, fresh_ms=now + seconds * 1000)
            self.answers.still_good(slot, renewed, owner=owner)
            self._remember(slot, renewed)
            return Served(_opened(renewed), f"{why}; fwd-status=304; stored", 0)
        if fetched.is_trouble:
            if old is not None:
                self.answers.give_up(slot, owner=owner, trouble=_trouble_of(fetched))
                return _as_stale(old, now)
            # Who waited gets this very answer; it is not fresh for anybody who comes later.
            self._keep(slot, fetched, now, 0, owner)
            return Served(fetched, why)
        if not may_be_kept(fetched, for_all=slot.user_id is None):
            self.answers.give_up(slot, owner=owner, trouble=_for_who_waits(fetched, for_all=slot.user_id is None))
            return Served(fetched, why)
        kept = self._keep(slot, fetched, now, NEGATIVE_SECONDS if fetched.status == 404 else seconds, owner)
        return Served(replace(fetched, packed=fetched.gzipped), f"{why}; stored" if kept else why)

    def _keep(self, slot: Slot, fetched: Fetched, now: int, seconds: int, owner: str) -> bool:
        """An answer that cannot be kept is an answer all the same."""
        kept = CachedAnswer(fetched.status, _lasting(fetched.headers), fetched.gzipped, now, now + seconds * 1000)
        try:
            self.answers.keep(slot, kept, owner=owner)
        except Exception as error:
            log.warning("an answer could not be kept", extra={"why": type(error).__name__})
            return False
        if seconds:
            self._remember(slot, kept)
        return True

    # ---- when it does not go well

    def _same_trouble(self, row: Row, fetch: Fetch) -> Served:
        if row.trouble is None and row.answer is not None:
            return Served(_opened(row.answer), COLLAPSED)
        trouble = row.trouble or {}
        if "packed" in trouble:
            return Served(Fetched(trouble["status"], trouble["headers"], packed=trouble["packed"]), COLLAPSED)
        if trouble.get("code") == UNSHARED:
            return Served(fetch({}), "fwd=miss")
        if trouble.get("problem"):
            raise Problem(trouble["status"], trouble["code"], trouble["detail"])
        code, detail = trouble.get("code", "upstream_unreachable"), trouble.get("detail", "the upstream failed")
        return self._stale(row, RetryLater(code, detail, after=trouble.get("after")))

    def _stale(self, row: Row | None, error: RetryLater) -> Served:
        """A copy of a good answer, if there is one (http-api.md, Fine print: Stale). Raises `error` else."""
        if row is None or row.answer is None or row.answer.status != 200:
            raise error
        return _as_stale(row.answer, self.answers.now_ms())


def may_be_kept(fetched: Fetched, *, for_all: bool) -> bool:
    """An answer that is whole, of the kind that was asked for, and — for all — nobody's own."""
    if fetched.status not in (200, 404) or fetched.repaired or not _may_be_shared(fetched, for_all=for_all):
        return False
    if fetched.status == 404 and not fetched.body:
        return True
    if not fetched.media_type.endswith("json"):
        return False  # a firewall's page, a captive portal's
    try:
        json.loads(fetched.body)
    except (ValueError, RecursionError):
        return False
    return True


def _may_be_shared(fetched: Fetched, *, for_all: bool) -> bool:
    """Whether all who ask this question may have it, as far as its headers say."""
    control = {part.strip().partition("=")[0] for part in fetched.headers.get("cache-control", "").lower().split(",")}
    if "set-cookie" in fetched.headers or "no-store" in control:
        return False
    return not (for_all and ("private" in control or "*" in fetched.headers.get("vary", "")))


def _for_who_waits(fetched: Fetched, *, for_all: bool) -> dict[str, Any]:
    """This very answer, unless it is somebody's own: a refusal would be the same for them all."""
    if not _may_be_shared(fetched, for_all=for_all) or len(fetched.gzipped) > LARGEST_HANDED_ON:
        return {"code": UNSHARED}
    return {"status": fetched.status, "headers": _lasting(fetched.headers), "packed": fetched.gzipped}


def _opened(answer: CachedAnswer) -> Fetched:
    return Fetched(answer.status, answer.headers, packed=answer.packed)


def _as_stale(answer: CachedAnswer, now: int) -> Served:
    return Served(_opened(answer), "hit; detail=stale", _age(answer, now))


def _age(answer: CachedAnswer, now: int) -> int:
    return max(0, now - answer.stored_ms) // 1000


def _lasting(headers: Mapping[str, str]) -> dict[str, str]:
    """What belongs to the answer and will be shown; a rate limit tells what was left for that one call."""
    return {
        name: value
        for name, value in headers.items()
        if name == "content-type" or (comes_back(name) and not name.startswith(("x-ratelimit", "ratelimit")))
    }


def _validators(old: CachedAnswer | None) -> dict[str, str]:
    if old is None:
        return {}
    named = {"if-none-match": old.headers.get("etag"), "if-modified-since": old.headers.get("last-modified")}
    return {name: value for name, value in named.items() if value}


def _told(error: RetryLater | Problem) -> dict[str, Any]:
    """Our own words, which hold no secret."""
    if isinstance(error, Problem):
        return {"problem": True, "status": error.status, "code": error.code, "detail": error.detail}
    return {"code": error.code, "detail": error.detail} | ({"after": int(error.after)} if error.after else {})


def _trouble_of(fetched: Fetched) -> dict[str, Any]:
    return {"code": "upstream_unreachable", "detail": f"the upstream answered {fetched.status}"}
