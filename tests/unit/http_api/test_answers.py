"""Every answer of /api: its form, its headers, and what errors become (http-api.md, Errors)."""

import json
import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.browser import Browser, event, reply
from watchferry.errors import (
    ConnectAgain,
    NotConnected,
    NotThere,
    OutcomeUnknown,
    Problem,
    Rejected,
    RetryLater,
    StopAccount,
    StopRun,
    TokenRefused,
    Unsettled,
)
from watchferry.http_api import Api
from watchferry.storage.account import RunActive

SECURE = {
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def test_json_in_utf8(visitor: Browser) -> None:
    """As it is, not escaped."""
    said = visitor.get("/auth/open")
    assert (said.status, said.body) == (200, '{"имя":"Гарри"}')
    assert said.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/auth/open", "/sync/mine", "/nowhere", "/auth/fail"])
def test_every_answer_is_harmless_in_a_browser(visitor: Browser, failures: list[Exception], path: str) -> None:
    """It cannot run, be framed, be taken for another type, or be kept."""
    failures.append(ValueError())
    assert visitor.get(path).headers.items() >= SECURE.items()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Problem(418, "denied", "no"), 418, "denied"),
        (ConnectAgain("trakt"), 409, "reauth_required"),
        (NotConnected("kinopub"), 409, "not_connected"),
        (RunActive("run-7"), 409, "run_active"),
        (RetryLater("rate_limited", "slowly"), 429, "rate_limited"),
        (RetryLater("upstream_timeout", "late"), 504, "upstream_timeout"),
        (RetryLater("upstream_unreachable", "gone"), 502, "upstream_unreachable"),
        (RetryLater("not_sent", "gone"), 502, "upstream_unreachable"),
        (Unsettled("not_settled", "wait"), 502, "upstream_unreachable"),
        (OutcomeUnknown("?"), 502, "upstream_unreachable"),
        (StopAccount("account_locked", "locked"), 409, "account_locked"),
        (StopAccount("account_limit", "full"), 409, "account_limit"),
        (StopRun("app_refused", "key"), 502, "app_refused"),
        (StopRun("vip_required", "vip"), 502, "vip_required"),
        (TokenRefused("401"), 502, "upstream_refused"),
        (Rejected(422, "no"), 502, "upstream_refused"),
        (NotThere("404"), 502, "upstream_refused"),
        (ZeroDivisionError("division"), 500, "internal"),
    ],
)
def test_errors_become_problems(
    visitor: Browser, failures: list[Exception], error: Exception, status: int, code: str
) -> None:
    """One table, from what the caller does about it to a status and a stable word."""
    failures.append(error)
    said = visitor.get("/auth/fail")
    assert (said.status, said.code) == (status, code)


def test_a_problem_may_say_more(visitor: Browser, failures: list[Exception]) -> None:
    """The active run, the provider, how long to wait."""
    failures.append(RunActive("run-7"))
    assert visitor.get("/auth/fail").json["run_id"] == "run-7"
    failures.append(NotConnected("kinopub"))
    assert visitor.get("/auth/fail").json["provider"] == "kinopub"
    failures.append(RetryLater("rate_limited", "slowly", after=2.2))
    said = visitor.get("/auth/fail")
    assert (said.headers["retry-after"], said.json["retry_after"]) == ("3", 3)


def test_aws_at_its_limit(visitor: Browser, failures: list[Exception]) -> None:
    """503 `busy` and when to come again; any other refusal of AWS is our own fault."""
    of_a_part: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "m"},
        "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
    }
    for refused in ({"Error": {"Code": "ThrottlingException", "Message": "m"}}, of_a_part):
        failures.append(ClientError(refused, "GetItem"))
        said = visitor.get("/auth/fail")
        assert (said.status, said.code, said.headers["retry-after"]) == (503, "busy", "1")
    failures.append(ClientError({"Error": {"Code": "AccessDeniedException", "Message": "m"}}, "GetItem"))
    said = visitor.get("/auth/fail")
    assert (said.status, said.code) == (500, "internal")


def test_what_nobody_foresaw_stays_inside(
    visitor: Browser, failures: list[Exception], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """500 without the error's text or trace; the log has both."""
    failures.append(ZeroDivisionError("by the number of Horcruxes"))
    said = visitor.get("/auth/fail")
    assert "Horcrux" not in said.body
    assert "Traceback" not in said.body
    assert "Horcrux" in caplog.text


def test_a_request_id_leads_to_the_log(visitor: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """The problem's id is that of the log line."""
    with caplog.at_level(logging.INFO):
        said = visitor.get("/sync/mine")
    assert said.json["request_id"] in [getattr(record, "request_id", None) for record in caplog.records]


def test_one_line_per_request(member: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """Method, route, status and time; no value of the query, no cookie, no body."""
    with caplog.at_level(logging.INFO, "watchferry"):
        member.get("/sync/things/t-1?cursor=abc-secret")
    [line] = [record for record in caplog.records if record.getMessage() == "request"]
    told = vars(line)
    assert (told["method"], told["route"], told["status"]) == ("GET", "/api/sync/things/<thing_id>", 200)
    assert isinstance(told["ms"], int)
    assert "abc-secret" not in repr(told)
    assert member.cookies["__Host-session"] not in repr(told)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("GET", "/"), ("POST", "/sync/mine"), ("PATCH", "/auth/open"), ("OPTIONS", "/auth/open")],
)
def test_unknown_endpoints(member: Browser, method: str, path: str) -> None:
    """404 `unknown_endpoint`, for a method that is not there too."""
    said = member.send(method, path)
    assert (said.status, said.code) == (404, "unknown_endpoint")


@pytest.mark.parametrize("thing", ["a.b", "a b", "ä", "a%2Fb", "<script>", "..", "a" * 1025, "a\n"])
def test_ids_that_cannot_be(member: Browser, thing: str) -> None:
    """404 before anybody looks for them."""
    assert member.get(f"/sync/things/{thing}").status == 404


def test_cursors_that_cannot_be(member: Browser) -> None:
    """400 `validation`."""
    assert member.get("/sync/things/t?cursor=abc").json["cursor"] == "abc"
    assert member.get("/sync/things/t?cursor=").json["cursor"] is None
    assert member.get("/sync/things/t?cursor=a.b").code == "validation"


def test_head_is_get_without_a_body(member: Browser) -> None:
    """The same status and headers."""
    got, headed = member.get("/sync/mine"), member.send("HEAD", "/sync/mine", headers={"X-CSRF": "", "Origin": ""})
    assert (headed.status, headed.body, headed.headers) == (got.status, "", got.headers)


def test_text_by_accept(member: Browser) -> None:
    """CSV for who asks for it, JSON for everybody else."""
    csv = member.get("/sync/table", headers={"Accept": "text/html, text/csv;q=0.9"})
    assert (csv.headers["content-type"], csv.body) == ("text/csv; charset=utf-8", "a,b\n")
    assert member.get("/sync/table", headers={"Accept": "*/*"}).headers["content-type"] == "application/json"


def test_an_answer_without_a_body(member: Browser) -> None:
    """204 has no type either."""
    said = member.delete("/sync/things/t")
    assert (said.status, said.body) == (204, "")
    assert "content-type" not in said.headers


@pytest.mark.parametrize("broken", [{"headers": ["Host"]}, {"requestContext": "-"}, {"requestContext": {"http": 1}}])
def test_nothing_escapes(api: Api, broken: dict[str, object]) -> None:
    """Not even from an event that API Gateway would never send."""
    said = reply(api(broken, None))
    assert (said.status, said.code) == (500, "internal")


@pytest.mark.parametrize("nothing", [{}, {"requestContext": {}}, {"requestContext": None, "headers": None}])
def test_an_event_that_asks_for_nothing(api: Api, nothing: dict[str, object]) -> None:
    said = reply(api(nothing, None))
    assert (said.status, said.code) == (404, "unknown_endpoint")


def test_a_deployment_without_settings(api: Api) -> None:
    """The answer keeps quiet about what is missing."""

    def missing() -> None:
        raise RuntimeError("TRAKT_CLIENT_ID is missing")

    api._deployment = missing  # type: ignore[assignment]
    said = reply(api(event("GET", "/auth/open"), None))
    assert (said.status, said.code) == (500, "internal")
    assert "TRAKT" not in json.dumps(said.json)
