"""The cache: memory of a warm function, then DynamoDB; one call upstream for all who ask at once (http-api.md, Proxy).

Looked at before writing it: hishel 2 (httpx), CacheControl (requests), aws-lambda-powertools' idempotency. The first
two are RFC 9111 caches of one client: the upstream's headers, not our table, say how long; storages are SQLite and
Redis; nothing keeps two processes from fetching the same, and a stale copy cannot stand in for an answer of 429.
Powertools' idempotency has the lease in DynamoDB, but refuses whoever comes second instead of letting them wait, and
knows no staleness. What is left is the order of steps below.
"""

import itertools
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
"""The trouble of an answer that is good, but for nobody else. Its row tells that to who comes within two minutes."""

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
        began = self.answers.now_ms()
        remembered: CachedAnswer | None = self._memory.get(slot)  # type: ignore[no-untyped-call]
        if remembered is not None and remembered.fresh_ms > began:
            return self._hit(remembered, began)
        owner = secrets.token_hex(8)
        for look in itertools.count():
            row = self.answers.find(slot)
            if row is not None and (served := self._served(slot, row, began, waited=look > 0)):
                return served
            free = row is None or row.leased_until_ms <= self.answers.now_ms()
            if free and (held := self.answers.lease(slot, row, owner=owner, until=deadline + 1)):
                return self._fetch(slot, seconds, owner, held, fetch)
            if row is not None and _is_unshared(row):
                # What is for nobody else is not worth waiting for. The lease's owner finds out whether it still is so.
                return self._fetch_alone(row, fetch)
            if self.clock() >= deadline:
                break
            self.pause(LOOK_AGAIN[min(look, len(LOOK_AGAIN) - 1)])
        return self._stale(row, RetryLater("upstream_timeout", "the same question is still under way"))

    def _served(self, slot: Slot, row: Row, began: int, *, waited: bool) -> Served | None:
        """What the row has for who came at `began`. Raises the trouble that somebody had since then."""
        now = self.answers.now_ms()
        if row.answer is not None and row.is_fresh(now):
            self._remember(slot, row.answer)
            hit = self._hit(row.answer, now)
            return replace(hit, status=COLLAPSED) if waited else hit
        if waited and row.tried_ms >= began and row.trouble and not _is_unshared(row):
            return self._same_trouble(row, row.trouble)  # to ask once more would help nobody
        return None

    def _hit(self, answer: CachedAnswer, now: int) -> Served:
        return Served(_opened(answer), f"hit; ttl={max(0, answer.fresh_ms - now) // 1000}", _age(answer, now))

    def _remember(self, slot: Slot, answer: CachedAnswer) -> None:
        if len(answer.packed) <= LARGEST_IN_MEMORY:
            self._memory[slot] = answer

    # ---- upstream

    def _fetch_alone(self, row: Row, fetch: Fetch) -> Served:
        """Without the lease: nothing of the answer is kept, or told to anybody."""
        try:
            fetched = fetch({})
        except RetryLater as error:
            return self._stale(row, error)
        old = _good(row)
        if fetched.is_trouble and old is not None:
            return _as_stale(old, self.answers.now_ms())
        return Served(fetched, "fwd=stale" if old else "fwd=miss")

    def _fetch(self, slot: Slot, seconds: int, owner: str, held: Row, fetch: Fetch) -> Served:
        old = _good(held)
        why = "fwd=stale" if old else "fwd=miss"
        try:
            fetched = fetch(_validators(old))
        except Exception as error:
            self.answers.give_up(slot, owner=owner, trouble=_told(error))
            if isinstance(error, RetryLater):
                return self._stale(held, error)
            raise
        now = self.answers.now_ms()
        if fetched.status == 304 and old is not None:
            headers = {**old.headers, **{n: v for n, v in _lasting(fetched.headers).items() if n in old.headers}}
            renewed = replace(old, headers=headers, stored_ms=now, fresh_ms=now + seconds * 1000)
            self.answers.still_good(slot, renewed, owner=owner)
            self._remember(slot, renewed)
            return Served(_opened(renewed), f"{why}; fwd-status=304; stored", 0)
        if fetched.is_trouble and old is not None:
            self.answers.give_up(slot, owner=owner, trouble=_trouble_of(fetched))
            return _as_stale(old, now)
        if not may_be_kept(fetched, for_all=slot.user_id is None):
            self.answers.give_up(slot, owner=owner, trouble=_for_who_waits(fetched, for_all=slot.user_id is None))
            return Served(fetched, why)
        kept = self._keep(slot, fetched, now, NEGATIVE_SECONDS if fetched.status == 404 else seconds, owner)
        return Served(replace(fetched, packed=fetched.gzipped), f"{why}; stored" if kept else why)

    def _keep(self, slot: Slot, fetched: Fetched, now: int, seconds: int, owner: str) -> bool:
        """An answer that cannot be kept is an answer all the same."""
        answer = CachedAnswer(fetched.status, _lasting(fetched.headers), fetched.gzipped, now, now + seconds * 1000)
        try:
            kept = self.answers.keep(slot, answer, owner=owner)
        except Exception as error:
            log.warning("an answer could not be kept", extra={"why": type(error).__name__})
            return False
        self._remember(slot, answer)
        return kept

    # ---- when it does not go well

    def _same_trouble(self, row: Row, trouble: Mapping[str, Any]) -> Served:
        if "packed" in trouble:
            return Served(Fetched(trouble["status"], trouble["headers"], packed=trouble["packed"]), COLLAPSED)
        if trouble.get("problem"):
            raise Problem(trouble["status"], trouble["code"], trouble["detail"])
        code, detail = trouble.get("code", "upstream_unreachable"), trouble.get("detail", "the upstream failed")
        return self._stale(row, RetryLater(code, detail, after=trouble.get("after")))

    def _stale(self, row: Row | None, error: RetryLater) -> Served:
        """A copy of a good answer, if there is one (http-api.md, Fine print: Stale). Raises `error` else."""
        if row is None or (old := _good(row)) is None:
            raise error
        return _as_stale(old, self.answers.now_ms())


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
    """Whether all who ask this question may have it, as far as its headers say.

    A Set-Cookie says nothing about that: the upstreams' edges set one on every answer, and it is taken off.
    """
    control = {part.strip().partition("=")[0] for part in fetched.headers.get("cache-control", "").lower().split(",")}
    if "no-store" in control:
        return False
    return not (for_all and ("private" in control or "*" in fetched.headers.get("vary", "")))


def _for_who_waits(fetched: Fetched, *, for_all: bool) -> dict[str, Any]:
    """This very answer, unless it is somebody's own: a refusal would be the same for them all."""
    if _may_be_shared(fetched, for_all=for_all) and len(fetched.gzipped) <= LARGEST_HANDED_ON:
        return {"status": fetched.status, "headers": _lasting(fetched.headers), "packed": fetched.gzipped}
    # An upstream in trouble, whose pages are marked `no-store`, is not asked once for each of them.
    return _trouble_of(fetched) if fetched.is_trouble else {"code": UNSHARED}


def _is_unshared(row: Row) -> bool:
    """Whether the last answer was for nobody but the one who asked."""
    return row.trouble is not None and row.trouble.get("code") == UNSHARED


def _good(row: Row) -> CachedAnswer | None:
    """The copy that can be asked about, and stand in."""
    return row.answer if row.answer and row.answer.status == 200 else None


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


def _told(error: Exception) -> dict[str, Any]:
    """Our own words, which hold no secret; what else goes wrong is for everybody to find out for themselves."""
    if isinstance(error, Problem):
        return {"problem": True, "status": error.status, "code": error.code, "detail": error.detail}
    if isinstance(error, RetryLater):
        return {"code": error.code, "detail": error.detail} | ({"after": int(error.after)} if error.after else {})
    return {"code": UNSHARED}


def _trouble_of(fetched: Fetched) -> dict[str, Any]:
    return {"code": "upstream_unreachable", "detail": f"the upstream answered {fetched.status}"}
