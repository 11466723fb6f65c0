"""What the API answers when something is wrong, the page says in plain words, in both its languages."""

import ast
import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from tests.cloud.tools import ROOT
from watchferry.models import Reason
from watchferry.sync.actions import MAY_WAIT

CORE = ROOT / "layers/core/watchferry"
AT_ARGUMENT = {"Problem": 1, "StopAccount": 0, "StopRun": 0}
"""Where each of these errors has its code. Others become one of problems.py's own."""
OF_A_SIGN_IN = {"invalid", "already_used", "expired", "denied"}
"""How a sign-in by code ends; the page that shows the code says it."""


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_code_has_its_words(language: str) -> None:
    codes = set(said()) | MAY_WAIT.keys() | {"internal"}
    assert {"busy", "account_limit", "app_refused", "invalid_grant", "upstream_too_large"} <= codes
    assert codes - OF_A_SIGN_IN - texts(language, "problem").keys() == set()
    assert texts(language, "connect")["ended"].keys() == OF_A_SIGN_IN
    assert set(get_args(Reason.__value__)) - texts(language, "common")["reason"].keys() == set()


def texts(language: str, page: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / f"spa/src/i18n/{language}/{page}.json").read_text())
    return read


def said() -> Iterator[str]:
    """Every code that stands in the code as it is."""
    for file in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = AT_ARGUMENT.get(node.func.id)
                given = node.args[place] if place is not None and len(node.args) > place else None
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield given.value
