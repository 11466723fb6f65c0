"""Benches that need no deployed stack work, and what they count is as it should be; times are not looked at."""

from io import StringIO

import pytest
from rich.console import Console

from tests.bench import calls, proxy
from tests.bench.options import Options


@pytest.fixture
def said() -> StringIO:
    return StringIO()


@pytest.fixture
def options(said: StringIO) -> Options:
    return Options(Console(file=said, width=130), rounds=1, views=100, latency=0, users=(1,))


def test_calls(options: Options, said: StringIO) -> None:
    calls.bench(options)
    assert "✓" in said.getvalue()
    assert "✗" not in said.getvalue()


def test_proxy(options: Options, said: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "ROUNDS", 1)
    proxy.bench(options)
    counted = [line for line in said.getvalue().splitlines() if "calls upstream" in line or "answered with 200" in line]
    assert ["✓" in line for line in counted] == [True] * 4
