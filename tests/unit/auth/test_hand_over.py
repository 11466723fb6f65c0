"""OAuth calls that API Gateway brings to the proxy's function, since their paths have double slashes."""

import base64
import json
from typing import Any

import pytest

from tests.browser import event, reply
from tests.unit.auth.program import Program
from watchferry.wiring import Wiring


@pytest.mark.parametrize("path", ["/trakt//oauth/device/code", "//trakt///oauth//device/code"])
def test_double_slashes(program: Program, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """What API Gateway brings to the proxy's function is handed over, and answered as if it had come straight."""
    handed: list[Any] = []

    class Lambda:
        def invoke(self, FunctionName: str, Payload: bytes) -> Any:
            handed.append(FunctionName)
            answer = json.dumps(program.auth(json.loads(Payload), None)).encode()
            return {"Payload": type("Body", (), {"read": lambda _: answer})()}

    from watchferry.proxy.oauth import AuthApi

    monkeypatch.setattr(Wiring, "auth_api", AuthApi(Lambda(), "AuthApi"))
    asked = event("POST", path.removeprefix("/") if path.startswith("//") else path, body=b'{"client_id":"x"}')
    asked["rawPath"] = "/api" + path.replace("//trakt", "/trakt")
    said = reply(program.proxy(asked, None))
    assert (said.status, said.json["interval"]) == (200, 5)
    assert said.headers["content-type"] == "application/json"
    assert handed == ["AuthApi"]
    poll = event("POST", "/trakt//oauth/device/token", body=json.dumps({"code": said.json["device_code"]}).encode())
    waiting = reply(program.proxy(poll, None))
    assert (waiting.status, base64.b64decode(waiting.body)) == (400, b"")


@pytest.mark.parametrize("failing", ["slow", "crashed", "long"])
def test_a_hand_over_that_fails(program: Program, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """502 when there is no answer, 500 when it crashed, 413 for a body that nobody takes; asked once, told nothing."""
    from botocore.exceptions import ReadTimeoutError

    from watchferry.proxy.oauth import AuthApi

    handed: list[str] = []

    class Lambda:
        def invoke(self, FunctionName: str, Payload: bytes) -> Any:
            handed.append(FunctionName)
            if failing == "slow":
                raise ReadTimeoutError(endpoint_url="https://lambda.test")
            crash = b'{"errorMessage": "a secret", "errorType": "Crash"}'
            return {"FunctionError": "Unhandled", "Payload": type("Body", (), {"read": lambda _: crash})()}

    monkeypatch.setattr(Wiring, "auth_api", AuthApi(Lambda(), "AuthApi"))
    body = b"x" * 70_000 if failing == "long" else b"{}"
    said = reply(program.proxy(event("POST", "/trakt//oauth/token", body=body), None))
    status, code, asked = {
        "slow": (502, "upstream_unreachable", 1),
        "crashed": (500, "internal", 1),
        "long": (413, "too_large", 0),
    }[failing]
    assert (said.status, said.code, len(handed)) == (status, code, asked)
    assert "secret" not in said.body
