"""How a call leaves us and what its answer means: the one place that turns statuses into errors.

Reads are tried again (sync document 5.2: 502, 503, 504, 520, 521, 522 with 1 s, 2 s, 4 s, 8 s, at most 30 s, five
tries; dropped connections and timeouts alike). Writes are never tried again here: their outcome is either known or
OutcomeUnknown. Redirects are never followed, proxies of the environment never used.
"""

import email.utils
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, cast

import httpx
from tenacity import Future, Retrying, retry_if_exception, wait_exponential

from watchferry.clients.unpacking import TooLong, Unreadable, unpacked
from watchferry.errors import (
    AppRefused,
    Limit,
    NotThere,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    StopAccount,
    StopRun,
    TokenRefused,
    WatchferryError,
)

TRIES = 5
LONGEST_PAUSE = 30.0
WORTH_WAITING = 8.0
"""Seconds, the longest of the usual pauses: trouble that names a longer time is for a later job."""
READ_TIMEOUT = 20.0
LONGEST_WAIT = 86400.0
"""Seconds that a `Retry-After` is believed at most."""
LARGEST = 32_000_000
"""Bytes of an answer, far more than any that is asked for has: what is longer would fill the function's memory."""

type Params = Mapping[str, str | int]


def new_http(transport: httpx.BaseTransport | None = None, *, cookies: bool = False) -> httpx.Client:
    """One per process: connections are kept and shared by threads.

    It keeps no cookies, since it is shared by users too: what an upstream sets for one must not go out for another.
    """
    jar = CookieJar() if cookies else CookieJar(DefaultCookiePolicy(allowed_domains=()))
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
    return httpx.Client(
        transport=_Unpacking(transport or httpx.HTTPTransport(limits=limits, trust_env=False)),
        headers={"Accept-Encoding": "gzip"},
        cookies=jar,
        timeout=httpx.Timeout(READ_TIMEOUT, connect=5.0),
        follow_redirects=False,
        trust_env=False,
    )


class _Unpacking(httpx.BaseTransport):
    """Unpacks bodies in place of httpx, which believes every label and unpacks without a limit.

    An answer to a refresh that cannot be read costs the user their sign-in: the token is good once.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        kind, label = (response.headers.get(name, "") for name in ("content-type", "content-encoding"))
        try:
            body = unpacked(cast(httpx.SyncByteStream, response.stream), label, kind, LARGEST).body
        except (Unreadable, TooLong) as error:
            raise httpx.DecodingError("the answer cannot be unpacked", request=request) from error
        finally:
            response.close()
        of_the_wire = {"content-encoding", "content-length", "transfer-encoding"}
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in of_the_wire]
        return httpx.Response(response.status_code, headers=headers, content=body, extensions=response.extensions)

    def close(self) -> None:
        self._inner.close()


class Throttle(Protocol):
    """What a call has to pass before it leaves, and what it tells afterwards."""

    def before(self, verb: str) -> None:
        """Waits for a free place or raises RetryLater."""

    def after(self, verb: str) -> None:
        """The call is answered, or given up. Raises nothing: that would hide what became of it."""

    def answered(self, verb: str) -> None:
        """The upstream answered, and without trouble of its own."""

    def limited(self, verb: str, error: RetryLater) -> None:
        """The upstream answered 429, or another trouble with a time before which it is not to be asked."""


class Unthrottled:
    def before(self, verb: str) -> None: ...

    def after(self, verb: str) -> None: ...

    def answered(self, verb: str) -> None: ...

    def limited(self, verb: str, error: RetryLater) -> None: ...


@dataclass(slots=True)
class Transport:
    """Calls to one upstream for one job. `calls` counts what really went out."""

    http: httpx.Client
    upstream: str
    base_url: str
    headers: Mapping[str, str]
    retry_base: float = 1.0
    tries: int = TRIES
    """How often a read is tried; who answers a waiting person has no time for all of them."""
    timeout: float | None = None
    """Seconds for an answer, where READ_TIMEOUT is too long."""
    out_of_time: Callable[[], bool] = lambda: False
    """Whether the job's own end is too near for another try of a read."""
    throttle: Throttle = field(default_factory=Unthrottled)
    pause: Callable[[float], None] = time.sleep
    on_call: Callable[[], None] = lambda: None

    def read(self, path: str, params: Params, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """GET, tried again while the trouble is the upstream's. Raises the tree of errors.py."""
        growing = wait_exponential(multiplier=self.retry_base, max=LONGEST_PAUSE)
        retrying = Retrying(
            retry=retry_if_exception(_passes_soon),
            wait=lambda state: max(growing(state), _named(state.outcome)),
            stop=lambda state: state.attempt_number >= self.tries or self.out_of_time(),
            sleep=self.pause,
            reraise=True,
        )
        response: httpx.Response = retrying(self._once, "GET", path, params=params, headers=headers)
        return response

    def write(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One try. A dropped connection, a timeout, a 409 or a 5xx is OutcomeUnknown (reality.md, Trakt)."""
        try:
            return self._once(method, path, params=params or {}, headers=headers, json=json, data=form)
        except RetryLater as trouble:
            if trouble.code in {"rate_limited", "not_sent"}:
                raise
            raise OutcomeUnknown(str(trouble)) from trouble

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One try of a write whose every status has a meaning of its own (OAuth): none of them is an error here.

        Raises RetryLater `not_sent` when nothing left, OutcomeUnknown when no answer came back.
        """
        try:
            return self._send(method, path, params=params or {}, headers=None, json=json, data=form)
        except RetryLater as trouble:
            if trouble.code == "not_sent":
                raise
            raise OutcomeUnknown(str(trouble)) from trouble

    def _once(
        self, method: str, path: str, *, params: Params, headers: Mapping[str, str] | None, **body: Any
    ) -> httpx.Response:
        response = self._send(method, path, params=params, headers=headers, **body)
        trouble = meaning(self.upstream, response)
        if not isinstance(trouble, RetryLater):
            self.throttle.answered(_verb(method))
        if trouble is None:
            return response
        if isinstance(trouble, AppRefused):
            trouble.path = path
        if isinstance(trouble, (RetryLater, StopRun)):
            trouble.service = self.upstream.lower()
        if isinstance(trouble, RetryLater) and (trouble.code == "rate_limited" or trouble.after is not None):
            self.throttle.limited(_verb(method), trouble)
        raise trouble

    def _send(
        self, method: str, path: str, *, params: Params, headers: Mapping[str, str] | None, **body: Any
    ) -> httpx.Response:
        verb = _verb(method)
        self.throttle.before(verb)
        self.on_call()
        if self.timeout is not None:
            body["timeout"] = self.timeout
        try:
            return self.http.request(
                method, self.base_url + path, params=params, headers={**self.headers, **(headers or {})}, **body
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # Nothing left this machine: even a write may be sent again.
            raise self._trouble("not_sent", "cannot be reached") from error
        except httpx.TimeoutException as error:
            raise self._trouble("upstream_timeout", "did not answer in time") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._trouble("upstream_unreachable", "dropped the connection") from error
        finally:
            self.throttle.after(verb)

    def _trouble(self, code: str, what: str) -> RetryLater:
        return RetryLater(code, f"{self.upstream} {what}", service=self.upstream.lower())


def _passes_soon(error: BaseException) -> bool:
    return isinstance(error, RetryLater) and error.code != "rate_limited" and (error.after or 0) <= WORTH_WAITING


def _named(outcome: Future | None) -> float:
    """Seconds that the trouble itself asks for."""
    trouble = outcome.exception() if outcome else None
    return (trouble.after or 0.0) if isinstance(trouble, RetryLater) else 0.0


def _verb(method: str) -> str:
    """Which of the upstream's budgets a method uses up."""
    return "GET" if method == "GET" else "POST"


def meaning(upstream: str, response: httpx.Response) -> WatchferryError | None:
    """The error that a status stands for (reality.md, "Statuses with meaning"); None for 2xx."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    said = f"{upstream} answered {status}"
    by_status: dict[int, Callable[[], WatchferryError]] = {
        401: lambda: _unauthorized(response, said),
        403: lambda: _refused(upstream, response),
        404: lambda: NotThere(said),
        409: lambda: RetryLater("upstream_conflict", said),
        420: lambda: _account_limit(upstream, response),
        423: lambda: _locked(upstream, response),
        426: lambda: StopRun("vip_required", f"{upstream} allows this only to VIP members (426)"),
        429: lambda: rate_limited(upstream, response.headers),
    }
    if status in by_status:
        return by_status[status]()
    if status >= 500 or status < 400:
        return RetryLater("upstream_unreachable", said, after=_retry_after(response.headers))
    return Rejected(status, said)


def is_page(response: httpx.Response) -> bool:
    """An HTML page: an edge or a firewall answers so, no API does. An empty body is none, whatever its type is."""
    body = response.content.lstrip()
    return bool(body) and ("html" in response.headers.get("content-type", "") or body.startswith(b"<"))


def parsed(upstream: str, response: httpx.Response) -> Any:
    """The JSON of an answer; HTML or nonsense is the upstream's trouble, so RetryLater."""
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        kind = response.headers.get("content-type", "nothing")
        said = f"{upstream} answered {kind} in place of JSON"
        raise RetryLater("upstream_unreachable", said, service=upstream.lower()) from error


def _unauthorized(response: httpx.Response, said: str) -> WatchferryError:
    """An edge's page says nothing about the token."""
    return RetryLater("upstream_unreachable", f"{said} with a page") if is_page(response) else TokenRefused(said)


def _refused(upstream: str, response: httpx.Response) -> WatchferryError:
    """403 by content type: JSON = key or app refused, plain text = dead app, HTML = firewall.

    Of Trakt's it has to be found out whether it is the deployment's or one account's (notify/application.py). Kinopub
    refuses an application at its token endpoint; its other 403s are the account's or the title's.
    """
    kind = response.headers.get("content-type", "")
    if "html" in kind:
        return StopRun("upstream_firewall", f"{upstream}'s firewall refused the call (403, HTML)")
    said = f"{upstream} says that this deployment's application is switched off (403)"
    if "json" in kind:
        said = f"{upstream} refused this deployment's application key (403)"
    return AppRefused("trakt", said) if upstream == "Trakt" else StopRun("app_refused", said)


def _account_limit(upstream: str, response: httpx.Response) -> StopAccount:
    limit = response.headers.get("x-account-limit")
    upgrade = response.headers.get("x-upgrade-url")
    return StopAccount(
        "account_limit",
        f"{upstream}'s limit for this account is reached"
        + (f" ({limit} items)" if limit else "")
        + (f"; {upgrade} raises it" if upgrade else "; a VIP membership raises it")
        + ". Switch the sync on again when there is room.",
    )


def _locked(upstream: str, response: httpx.Response) -> StopAccount:
    state = "deactivated" if response.headers.get("x-account-deactivated", "").lower() == "true" else "locked"
    return StopAccount(
        "account_locked",
        f"{upstream} has {state} this account. Write to {upstream}'s support; when the account is free again, "
        "switch the sync on again.",
    )


def rate_limited(upstream: str, headers: Mapping[str, str]) -> RetryLater:
    """Of a 429: `Retry-After` (seconds or an HTTP date), `X-Ratelimit` (JSON: period, limit); an edge's lacks both.

    Names of `headers` are in lower case, or read in any.
    """
    return RetryLater("rate_limited", f"{upstream} limits the rate", after=_retry_after(headers), limit=_limit(headers))


def _limit(headers: Mapping[str, str]) -> Limit | None:
    """None of what no upstream can mean: nothing at all, less than nothing, without end."""
    try:
        told = json.loads(headers.get("x-ratelimit", "{}"))
        limit = Limit(calls=float(told["limit"]), seconds=float(told["period"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return limit if all(0 < part < math.inf for part in limit) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_WAIT)
