"""What leaves us and what an answer means: sync document §5.2; reality.md, "Statuses with meaning"."""

import gzip
import time
from contextlib import suppress
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from tests.upstreams.web import PACKINGS, Response, mislabelled
from watchferry.clients._transport import LARGEST, Transport, new_http, parsed
from watchferry.errors import (
    AppRefused,
    NotThere,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    StopAccount,
    StopRun,
    TokenRefused,
    WatchferryError,
)

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}
TROUBLE = [500, 502, 503, 504, 520, 521, 522, 530]
SENT_AND_LOST = [
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
    httpx.CloseError,
]
NOT_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]


class Line:
    """An upstream that answers with what is in its script, and then with 200; and the transport to it."""

    def __init__(self, *script: Any, **more: Any) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.told: list[tuple[str, RetryLater]] = []
        self.ended: list[str] = []
        self.calls = 0
        self.transport = Transport(
            http=new_http(httpx.MockTransport(self.answer)),
            base_url="https://api.trakt.tv",
            headers={"User-Agent": "watchferry"},
            pause=self.pauses.append,
            on_call=self.count,
            **{"upstream": "Trakt", "throttle": self, **more},
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.script.pop(0) if self.script else 200
        if isinstance(answer, type):
            raise answer("scripted", request=request)
        return httpx.Response(answer, json={}) if isinstance(answer, int) else answer

    def count(self) -> None:
        self.calls += 1

    def before(self, verb: str) -> None: ...

    def after(self, verb: str) -> None:
        self.ended.append(verb)

    def answered(self, verb: str) -> None: ...

    def limited(self, verb: str, error: RetryLater) -> None:
        self.told.append((verb, error))

    def read(self) -> httpx.Response:
        return self.transport.read("/sync/history/movies", {"page": 1})

    def write(self) -> httpx.Response:
        return self.transport.write("POST", "/sync/history", json={})


def error_of(call: Any) -> Any:
    with pytest.raises(WatchferryError) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    ("status", "headers", "kind", "word"),
    [
        (400, {}, Rejected, 400),
        (401, {}, TokenRefused, None),
        (403, JSON, AppRefused, "app_refused"),
        (403, {"content-type": "text/plain"}, AppRefused, "app_refused"),
        (403, HTML, StopRun, "upstream_firewall"),
        (404, {}, NotThere, None),
        (405, {}, Rejected, 405),
        (412, {}, Rejected, 412),
        (420, {}, StopAccount, "account_limit"),
        (422, {}, Rejected, 422),
        (423, {"x-account-locked": "true"}, StopAccount, "account_locked"),
        (426, {}, StopRun, "vip_required"),
        (429, {}, RetryLater, "rate_limited"),
        (429, HTML, RetryLater, "rate_limited"),
    ],
)
def test_a_status_stands_for_the_same_error_in_reads_and_writes(status, headers, kind, word) -> None:
    """And neither is tried again: another try gives the same."""
    for verb in ("read", "write"):
        line = Line(httpx.Response(status, headers=headers))
        error = error_of(getattr(line, verb))
        assert type(error) is kind
        assert word in (None, getattr(error, "code", getattr(error, "status", None)))
        assert (line.calls, len(line.requests), line.pauses) == (1, 1, [])


def test_a_refused_application_names_what_was_asked() -> None:
    """To be repeated without a user's token. Kinopub's 403s are never the application's."""
    assert error_of(Line(httpx.Response(403, text="Forbidden")).read).path == "/sync/history/movies"
    for answer in (httpx.Response(403, text="Forbidden"), httpx.Response(403, json={"error": "forbidden"})):
        assert type(error_of(Line(answer, upstream="Kinopub").read)) is StopRun


def test_an_edge_s_401_says_nothing_about_a_token() -> None:
    """A page in place of an answer: a read is tried again, what became of a write is not known."""
    page = httpx.Response(401, html="<html><h1>401</h1></html>")
    line = Line(page, page)
    assert line.read().status_code == 200
    assert line.calls == 3
    assert type(error_of(Line(page).write)) is OutcomeUnknown
    assert type(error_of(Line(httpx.Response(401, headers=HTML)).read)) is TokenRefused


def test_a_stopped_account_is_told_what_helps() -> None:
    """420 with its limit and where it is raised; 423 whether the account is locked or deactivated."""
    full = httpx.Response(420, headers={"x-account-limit": "1000", "x-upgrade-url": "https://trakt.tv/vip"})
    assert "1000" in (told := str(error_of(Line(full).read)))
    assert "https://trakt.tv/vip" in told
    assert "VIP" in str(error_of(Line(420).read))
    assert "locked" in str(error_of(Line(423).read))
    assert "deactivated" in str(error_of(Line(httpx.Response(423, headers={"x-account-deactivated": "true"})).read))


@pytest.mark.parametrize("trouble", [*TROUBLE, 409, 302, *SENT_AND_LOST, *NOT_SENT])
def test_a_read_is_tried_five_times_with_growing_pauses(trouble) -> None:
    """1 s, 2 s, 4 s, 8 s (§5.2); then it is for a later run."""
    line = Line(*[trouble] * 9)
    assert type(error_of(line.read)) is RetryLater
    assert (line.calls, len(line.requests), line.pauses) == (5, 5, [1, 2, 4, 8])
    line = Line(trouble, trouble)
    assert line.read().status_code == 200
    assert (line.calls, line.pauses) == (3, [1, 2])


def test_trouble_that_names_a_time_is_not_asked_before() -> None:
    """A short one is waited for, a long one is for a later job; the throttle learns of both."""
    line = Line(httpx.Response(503, headers={"retry-after": "5"}), 503)
    assert line.read().status_code == 200
    assert (line.calls, line.pauses, [error.after for _, error in line.told]) == (3, [5, 2], [5])
    line = Line(httpx.Response(503, headers={"retry-after": "60"}))
    error = error_of(line.read)
    assert (error.code, error.after, line.calls, line.pauses) == ("upstream_unreachable", 60, 1, [])
    assert line.told == [("GET", error)]


def test_pauses_are_never_longer_than_thirty_seconds() -> None:
    line = Line(*[503] * 8, tries=8)
    error_of(line.read)
    assert line.pauses == [1, 2, 4, 8, 16, 30, 30]


def test_who_runs_out_of_time_does_not_try_again() -> None:
    """The job's own end is near: the trouble goes up at once, and an answer that comes still counts."""
    line = Line(503, 503, 503, out_of_time=lambda: line.calls >= 2)
    assert type(error_of(line.read)) is RetryLater
    assert (line.calls, line.pauses) == (2, [1])
    assert Line(200, out_of_time=lambda: True).read().status_code == 200


@pytest.mark.parametrize("trouble", [*TROUBLE, 409, 302, *SENT_AND_LOST])
def test_a_write_is_never_tried_again_and_its_outcome_is_unknown(trouble) -> None:
    """It may have been stored: whoever gets this reads back before sending any of it again."""
    line = Line(trouble)
    assert type(error_of(line.write)) is OutcomeUnknown
    assert (line.calls, line.pauses) == (1, [])


@pytest.mark.parametrize("trouble", NOT_SENT)
def test_a_write_that_never_left_is_known_not_to_have_happened(trouble) -> None:
    """No connection, so nothing was sent; it is still not tried again here."""
    for call in (Line(trouble).write, lambda: Line(trouble).transport.exchange("POST", "/oauth/token")):
        error = error_of(call)
        assert (type(error), error.code) == (RetryLater, "not_sent")


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("gzip", b"no gzip"),
        ("gzip, gzip", b"no gzip"),
        ("gzip", gzip.compress(b'{"added":{"movies":1}}')[:-9]),
        ("br", b"\x8b\x02\x80{}\x03"),
        ("gzip", gzip.compress(gzip.compress(bytes(LARGEST + 1)))),
    ],
    ids=["none", "none of two", "cut off", "another", "bomb"],
)
def test_an_answer_that_cannot_be_unpacked(label: str, body: bytes) -> None:
    """A read is tried again; a POST arrived, so its outcome is unknown."""

    def broken() -> httpx.Response:
        headers = JSON | {"content-encoding": label}
        return httpx.Response(201, headers=headers, stream=httpx.ByteStream(body))

    for call in (Line(broken()).write, lambda: Line(broken()).transport.exchange("POST", "/oauth/token")):
        assert type(error_of(call)) is OutcomeUnknown
    line = Line(broken(), broken())
    assert (line.read().json(), line.pauses) == ({}, [1, 2])


@pytest.mark.parametrize("packing", PACKINGS)
def test_an_answer_that_is_mislabelled(packing: str) -> None:
    """Is understood: new tokens, and what became of a POST, are told but once."""

    def answer() -> httpx.Response:
        came = mislabelled(Response.json({"told": "once"}, 201), packing)
        return httpx.Response(came.status, headers=came.headers, stream=httpx.ByteStream(came.body))

    for call in (Line(answer()).read, Line(answer()).write, lambda: Line(answer()).transport.exchange("POST", "/x")):
        assert parsed("Trakt", call()) == {"told": "once"}


@pytest.mark.parametrize("status", [200, 400, 401, 404, 409, 410, 418, 429, 500, 503])
def test_an_exchange_of_tokens_hands_back_every_status(status: int) -> None:
    """Each has a meaning of its own there; a lost answer is an unknown outcome, since refresh tokens are single use."""
    line = Line(status)
    assert line.transport.exchange("POST", "/oauth/token", json={}).status_code == status
    assert line.calls == 1
    for lost in SENT_AND_LOST:
        assert type(error_of(lambda lost=lost: Line(lost).transport.exchange("POST", "/oauth/token"))) is OutcomeUnknown


@pytest.mark.parametrize(
    ("told", "low", "high"),
    [
        ("7", 7, 7),
        ("1.5", 1.5, 1.5),
        ("0", 0, 0),
        ("-3", 0, 0),
        (lambda: formatdate(time.time() + 30, usegmt=True), 27, 31),
        (lambda: formatdate(time.time() - 900, usegmt=True), 0, 0),
        ("1e9", 86400, 86400),
        ("inf", 86400, 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400, 86400),
    ],
)
def test_a_429_says_how_long_to_wait(told, low: float, high: float) -> None:
    """`Retry-After` in seconds or as an HTTP date, a day at most; the throttle learns of it, for everybody's calls."""
    text = told if isinstance(told, str) else told()
    for verb, name in (("read", "GET"), ("write", "POST")):
        line = Line(httpx.Response(429, headers={"retry-after": text}))
        error = error_of(getattr(line, verb))
        assert low <= error.after <= high
        assert line.told == [(name, error)]


@pytest.mark.parametrize(
    "headers",
    [{}, HTML, {"retry-after": ""}, {"retry-after": "soon"}, {"retry-after": "Mon, 99"}, {"retry-after": "nan"}],
)
def test_a_429_may_say_nothing(headers) -> None:
    """An edge 429 lacks both headers and may be HTML."""
    error = error_of(Line(httpx.Response(429, headers=headers)).read)
    assert (error.code, error.after, error.limit) == ("rate_limited", None, None)


@pytest.mark.parametrize(
    ("told", "limit"),
    [
        ('{"name":"X","period":300,"limit":500,"remaining":0}', (500, 300)),
        ('{"period":"1","limit":"1"}', (1, 1)),
        ('{"period":300,"limit":0}', None),
        ('{"period":-300,"limit":500}', None),
        ('{"period":Infinity,"limit":500}', None),
        ('{"period":1e999,"limit":500}', None),
        ('{"period":300,"limit":"inf"}', None),
        ('{"period":NaN,"limit":500}', None),
        pytest.param('{"period":1' + "0" * 400 + ',"limit":500}', None, id="longer than a float"),
        pytest.param("[" * 100_000, None, id="deep"),
        ('{"limit":5}', None),
        ("[]", None),
        ("nonsense", None),
    ],
)
def test_a_limit_is_learned_from_x_ratelimit(told: str, limit: tuple[float, float] | None) -> None:
    """Calls and seconds; none is hard-coded where Trakt names it, and nonsense is no limit."""
    assert error_of(Line(httpx.Response(429, headers={"x-ratelimit": told})).read).limit == limit


def test_a_call_that_the_budget_holds_back_never_leaves() -> None:
    """It is neither counted nor tried again, and the throttle is not told of it as of a 429."""

    class Full(Line):
        def before(self, verb: str) -> None:
            raise RetryLater("rate_limited", "full", after=5)

    for verb in ("read", "write"):
        line = Full()
        assert error_of(getattr(line, verb)).after == 5
        assert (line.calls, line.requests, line.told, line.ended) == (0, [], [], [])


@pytest.mark.parametrize("answer", [200, 201, 401, 422, 429, 503, *SENT_AND_LOST, *NOT_SENT])
def test_the_budget_is_told_when_a_call_is_over(answer: Any) -> None:
    """However it ended: the next one's time counts from then."""
    line = Line(answer)
    with suppress(WatchferryError):
        line.write()
    assert line.ended == ["POST"]


def test_a_redirect_is_not_followed_and_no_cookie_is_kept() -> None:
    """What an upstream sets for one user must not go out for another."""
    away = httpx.Response(302, headers={"location": "https://elsewhere.test/", "set-cookie": "who=harry"})
    line = Line(away, tries=2)
    line.read()
    assert {request.url.host for request in line.requests} == {"api.trakt.tv"}
    assert all("cookie" not in request.headers for request in line.requests)


@pytest.mark.parametrize("body", ["<html>Just a moment...</html>", "\x1f\x00", "", '{"cut": '])
def test_an_answer_that_is_no_json_is_the_upstreams_trouble(body: str) -> None:
    assert (
        error_of(lambda: parsed("Trakt", httpx.Response(200, headers=HTML, text=body))).code == "upstream_unreachable"
    )
