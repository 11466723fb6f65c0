"""Bad bodies are answered with what is wrong, and never with what was sent (http-api.md, Errors)."""

from typing import Any

import pytest

from tests.browser import Browser, event, reply
from watchferry.http_api import Api

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "mode: is missing"),
        (b"{}", "mode: is missing"),
        (b'{"mode":', "the body is not JSON"),
        (b"not json", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[]", "the body: Input should be an object"),
        (b"null", "the body: Input should be an object"),
        (b'"sync"', "the body: Input should be an object"),
        (b'{"mode":"backwards"}', "mode: Input should be 'sync' or 'preview'"),
        (b'{"mode":"sync","full":"true"}', "full: Input should be a valid boolean"),
        (b'{"mode":"sync","full":1}', "full: Input should be a valid boolean"),
        (b'{"mode":"sync","count":"7"}', "count: Input should be a valid integer"),
        (b'{"mode":"sync","count":1.5}', "count: Input should be a valid integer"),
        (b'{"mode":"sync","count":NaN}', "count: Input should be a valid integer"),
        (b'{"mode":"sync","fuII":true}', "fuII: there is no such field"),
    ],
)
def test_a_wrong_body_is_named(api: Api, body: bytes, told: str) -> None:
    """400 `validation`: the field and what is wrong with it."""
    for in_base64 in (False, True):
        if not in_base64 and b"\xff" in body:
            continue
        said = reply(api(event("POST", "/auth/open", headers=JSON, body=body, in_base64=in_base64), None))
        assert (said.status, said.code) == (400, "validation")
        assert told in said.json["detail"]


def test_everything_wrong_is_told_at_once(visitor: Browser) -> None:
    """One answer, not one field after another."""
    detail = visitor.post("/auth/open", {"full": 3, "count": "x", "more": 1}).json["detail"]
    assert [part.split(":")[0] for part in detail.split("; ")] == ["mode", "full", "count", "more"]


@pytest.mark.parametrize("body", [{"mode": "s3cr3t-value"}, {"mode": "sync", "full": "s3cr3t-value"}, "s3cr3t-value"])
def test_values_are_not_repeated(visitor: Browser, body: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the answer nor in the log: they may be secrets."""
    said = visitor.post("/auth/open", body)
    assert said.status == 400
    assert "s3cr3t" not in said.body
    assert "s3cr3t" not in caplog.text


def test_endless_field_names(visitor: Browser) -> None:
    """The answer stays short."""
    said = visitor.post("/auth/open", {f"{number}{'x' * 1000}": 1 for number in range(50)})
    assert said.status == 400
    assert len(said.body) < 2000


def test_base64_that_is_none(api: Api) -> None:
    """400, as API Gateway never sends it."""
    broken = event("POST", "/auth/open", headers=JSON, body=b"{}") | {"isBase64Encoded": True, "body": "%%%"}
    assert reply(api(broken, None)).code == "validation"


def test_too_long(api: Api) -> None:
    """413 above 64 KiB of the decoded body; up to there it is read."""
    fits = b'{"mode":"sync"}' + b" " * (64 * 1024 - 15)
    for in_base64 in (False, True):
        said = reply(api(event("POST", "/auth/open", headers=JSON, body=fits, in_base64=in_base64), None))
        assert said.status == 200
        for longer in (fits + b" ", fits * 40):
            said = reply(api(event("POST", "/auth/open", headers=JSON, body=longer, in_base64=in_base64), None))
            assert (said.status, said.code) == (413, "too_large")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
def test_bodies_are_json(api: Api, kind: str) -> None:
    """415 for what a form of another site could send."""
    headers = {"content-type": kind} if kind else {}
    said = reply(api(event("POST", "/auth/open", headers=headers, body=b'{"mode":"sync"}'), None))
    assert (said.status, said.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_in_all_its_spellings(api: Api, kind: str) -> None:
    """Parameters and case do not matter."""
    said = reply(api(event("POST", "/auth/open", headers={"content-type": kind}, body=b'{"mode":"sync"}'), None))
    assert (said.status, said.json) == (200, {"mode": "sync", "full": False, "count": 1})
