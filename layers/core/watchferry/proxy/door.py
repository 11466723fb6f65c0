"""The proxy itself: from a request to an upstream's answer, in the order in which things may be refused.

Known endpoint → who is calling → what goes upstream, with whose credential → cache or call → what comes back.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from watchferry.clients._transport import rate_limited
from watchferry.clients.trakt import ASKED_BY_ALL, Credential
from watchferry.errors import AppRefused, ConnectAgain, RetryLater
from watchferry.http_api import Answer, Call
from watchferry.http_api.problems import unknown_endpoint
from watchferry.proxy import policy, query
from watchferry.proxy.answer import answer_of, forbidden, raise_for_meaning
from watchferry.proxy.cache import Cache, Served
from watchferry.proxy.caller import QUERY_NAMES, Caller, identify
from watchferry.proxy.deadline import deadline_of
from watchferry.proxy.forward import LARGEST, Fetched, Forwarder, Outgoing
from watchferry.proxy.policy import Endpoint, Prefix
from watchferry.proxy.upstreams import Dressed, Upstreams
from watchferry.storage.answers import Slot
from watchferry.storage.budgets import Budget, Budgets

if TYPE_CHECKING:
    from watchferry.notify.application import Application

_UPSTREAM_TAKES = ("accept", "accept-language", "if-none-match", "if-modified-since")
"""Headers of a caller that go upstream where nothing is cached; a cached answer is fetched as for anybody."""

ASKING_TAKES = 5.0
"""Seconds that must be left to find out whom a 403 of Trakt's is about."""


WRITE_WAITS = 10.0
"""Seconds for its turn, which it may lose to a sync that posts all the time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready to be dressed with a credential."""

    endpoint: Endpoint
    method: str
    path: str
    query: str
    """Without credentials of ours, and without the upstream's where ours takes their place."""
    headers: Mapping[str, str]
    body: bytes
    deadline: float


@dataclass(slots=True)
class Door:
    upstreams: Upstreams
    forwarder: Forwarder
    cache: Cache
    budgets: Budgets
    application: "Callable[[], Application]"
    """Made when an upstream refuses it."""
    passthrough: bool
    clock: Callable[[], float]
    pause: Callable[[float], None]

    def answer(self, call: Call, prefix: Prefix) -> Answer:
        """Raises Problem and what storage, credentials and the forwarder raise."""
        path = policy.collapsed(call.path.removeprefix(f"/api/{prefix}"))
        endpoint = policy.find(prefix, call.method, path)
        if endpoint is None:
            raise unknown_endpoint()
        call.route = f"/api/{prefix}{endpoint.path}"
        raw_query = query.checked(str(call.event.get("rawQueryString") or ""))
        caller = identify(call, prefix, raw_query, passthrough=self.passthrough)
        taken_out = QUERY_NAMES[prefix] if caller.user_id is not None else frozenset[str]()
        asked = Asked(
            endpoint=endpoint,
            method=call.method,
            path=path,
            query=query.without(raw_query, taken_out),
            headers=_headers(call),
            body=call.content(LARGEST) if endpoint.method == "POST" else b"",
            deadline=deadline_of(call, self.clock()),
        )
        served = self._served(asked, caller)
        if caller.user_id is not None:
            raise_for_meaning(prefix, served.fetched)
        extra = served.headers
        if served.age is not None and _has_it(call, served.fetched):
            kept = {name: served.fetched.headers[name] for name in ("etag",) if name in served.fetched.headers}
            return Answer(304, None, {**extra, **kept})
        return answer_of(served.fetched, wants_gzip=call.takes_gzip, extra=extra)

    def _served(self, asked: Asked, caller: Caller) -> Served:
        endpoint, user_id = asked.endpoint, caller.user_id
        if user_id is None:
            return Served(self._as_it_came(asked, caller), "fwd=bypass")
        if not endpoint.seconds or query.is_personal(asked.query):
            return Served(self._for_user(asked, user_id), "fwd=bypass")

        def fetch(validators: Mapping[str, str]) -> Fetched:
            headers = {"accept": "application/json", **validators}
            return self._for_user(replace(asked, method="GET", headers=headers), user_id)

        slot = self._slot(asked, caller if endpoint.scope == "user" else None)
        return self.cache.get(slot, endpoint.seconds, asked.deadline, fetch)

    def _slot(self, asked: Asked, whose: Caller | None) -> Slot:
        """Of a user: with the number of the connection, so that nothing of a disconnected or deleted account is ever
        shown.
        """
        prefix = asked.endpoint.prefix
        user_id = whose.user_id if whose else None
        own = (user_id, str(whose.connections)) if whose and user_id else ()
        # No part can hold a line break, so no two questions make one text.
        parts = (self.upstreams.address(prefix), prefix, asked.path, query.canonical(asked.query), *own)
        return Slot(hashlib.sha256("\n".join(parts).encode()).hexdigest(), user_id)

    # ---- upstream

    def _as_it_came(self, asked: Asked, caller: Caller) -> Fetched:
        dressed = self.upstreams.anonymous(asked.endpoint.prefix)
        return self._send(asked, replace(dressed, headers={**dressed.headers, **dict(caller.headers)}))

    def _for_user(self, asked: Asked, user_id: str) -> Fetched:
        fetched = self._fetched(asked, user_id)
        word, detail = forbidden(asked.endpoint.prefix, fetched) if fetched.status == 403 else (None, "")
        if word == "app_refused" and self.clock() + ASKING_TAKES < asked.deadline:
            # The sync would meet the same: the first who does tells the owner. What the caller asked is not repeated,
            # since a path of a caller's choice must not decide about everybody's sync.
            self.application().met(AppRefused("trakt", detail, path=ASKED_BY_ALL))
        return fetched

    def _fetched(self, asked: Asked, user_id: str) -> Fetched:
        endpoint = asked.endpoint
        if endpoint.credential == "app":
            return self._send(asked, self.upstreams.with_app(endpoint.prefix))
        credential = self.upstreams.credential(endpoint, user_id, asked.deadline)
        # Trakt's limits: one budget per user for the sync and for what comes through here (architecture.md, rule 4).
        budget = Budget(self.budgets, user_id, self.pause, WRITE_WAITS)
        fetched = self._with_token(asked, credential, budget)
        if fetched.status == 429 and endpoint.prefix == "trakt":
            budget.limited(endpoint.method, rate_limited("Trakt", fetched.headers))
        return fetched

    def _with_token(self, asked: Asked, credential: Credential, budget: Budget) -> Fetched:
        """A 401 is answered by one refresh and one more try; it means that nothing was done (sync document 5.1)."""
        prefix = asked.endpoint.prefix
        token = credential.token()
        fetched = self._in_turn(asked, self.upstreams.with_token(prefix, token), budget)
        if _refuses_token(fetched):
            fetched = self._in_turn(asked, self.upstreams.with_token(prefix, credential.renewed(token)), budget)
            if _refuses_token(fetched):
                raise ConnectAgain(prefix)
        return fetched

    def _in_turn(self, asked: Asked, dressed: Dressed, budget: Budget) -> Fetched:
        """A write that Trakt refuses would cost the sync its next one. Reads are not paced."""
        if asked.endpoint.method != "POST":
            return self._send(asked, dressed)
        budget.before("POST")
        try:
            return self._send(asked, dressed)
        finally:
            budget.after("POST")

    def _send(self, asked: Asked, dressed: Dressed) -> Fetched:
        endpoint = asked.endpoint
        return self.forwarder.send(
            Outgoing(
                upstream=policy.UPSTREAMS[endpoint.prefix],
                method=asked.method,
                base_url=self.upstreams.address(endpoint.prefix),
                path=asked.path,
                query="&".join(filter(None, (asked.query, dressed.query))),
                headers=_merged(dressed.headers, asked.headers),
                body=asked.body,
                deadline=asked.deadline,
                secrets=dressed.secrets,
            )
        )


def _refuses_token(fetched: Fetched) -> bool:
    """Raises RetryLater for an edge's page with this status, which says nothing about a token."""
    if fetched.status != 401:
        return False
    if fetched.media_type == "text/html" and fetched.body:
        raise RetryLater("upstream_unreachable", "a page came in place of an answer (401, HTML)")
    return True


def _headers(call: Call) -> dict[str, str]:
    # A body's type is the caller's matter: Trakt refuses whatever is not JSON, and the caller shall hear it.
    taken = (*_UPSTREAM_TAKES, "content-type") if call.method == "POST" else _UPSTREAM_TAKES
    given = {name: call.headers[name].strip() for name in taken if name in call.headers}
    return {name: value for name, value in given.items() if value.isascii() and value.isprintable() and value}


def _merged(ours: Mapping[str, str], callers: Mapping[str, str]) -> dict[str, str]:
    """No name of the caller's list is a credential or the User-Agent: nothing of ours can be replaced but the type."""
    return {**{name.lower(): value for name, value in ours.items()}, **callers}


def _has_it(call: Call, fetched: Fetched) -> bool:
    """`If-None-Match`, compared weakly (RFC 9110, 13.1.2)."""
    if "if-none-match" not in call.headers:
        return False
    etag = fetched.headers.get("etag", "").removeprefix("W/")
    if not etag or fetched.status != 200 or call.method not in {"GET", "HEAD"}:
        return False
    named = [part.strip().removeprefix("W/") for part in call.headers.get("if-none-match", "").split(",")]
    return etag in named or named == ["*"]
