"""What the other tests of this stack made Watchferry say and keep, looked through last.

By itself it signs somebody in and syncs, so that it has something to look at when it runs alone.
"""

import json

import pytest

from tests.stack import leaks
from tests.stack.deployed import Deployed, until

pytestmark = pytest.mark.stack

LAST = "the last one"

NOT_OURS = ("START ", "END ", "REPORT ", "INIT_START ", "EXTENSION")
"""Lines that Lambda itself writes."""


@pytest.fixture(scope="module", autouse=True)
def lived(deployed: Deployed) -> None:
    """Every function has worked: somebody is synced by a tick, with a refresh of each token on the way."""
    person = deployed.person(LAST)
    person.usual()
    deployed.upstreams.trakt.expire_tokens(person.slug)
    deployed.upstreams.kinopub.expire_tokens(person.slug)
    key, token = "prowlarr-key-of-the-last-one", "token-of-the-last-one-s-webhook"
    deployed.secrets |= {key, token}
    assert person.web.put("auth/prowlarr", json={"base_url": "http://127.0.0.1:9", "api_key": key}).status_code == 204
    person.settings(enabled=True, webhook_url=f"http://127.0.0.1:9/{token}")
    notice = {"to": "webhook", "kind": "test", "user_id": "0", "slug": "0", "code": "test", "detail": "", "at": 0}
    deployed.send("Notices", [json.dumps(notice)])
    assert person.web.get("prowlarr/api/v1/search").status_code == 502  # nobody is there
    for path in ("tmdb/3/configuration", "trakt/users/settings", "kinopub/v1/history"):
        assert person.web.get(path).status_code == 200
    deployed.cloud("lambda").invoke(FunctionName=deployed.stack.functions["SyncScheduler"], Payload=b"{}")
    until("the run", lambda: [run["status"] for run in person.runs()] == ["succeeded"], 60)
    assert person.plays == person.wanted
    person.call("POST", "auth/api-tokens", json={"name": "a program"})
    mended = person.pages("sync/unmatched")[0]
    person.call("PUT", f"sync/overrides/{mended['key']}", json={"ignore": True})


@pytest.fixture(scope="module")
def upstream_secrets(deployed: Deployed) -> set[str]:
    return leaks.upstream_secrets(deployed)


@pytest.fixture(scope="module")
def lines(deployed: Deployed) -> dict[str, list[str]]:
    return leaks.lines(deployed)


def test_there_is_something_to_look_through(
    deployed: Deployed, lines: dict[str, list[str]], upstream_secrets: set[str]
) -> None:
    """Every function has logged, every kind of secret was made: otherwise the others would promise nothing."""
    assert all(any(line.startswith("{") for line in log) for log in lines.values()), lines.keys()
    assert set(lines) == {
        "AuthApi",
        "SyncApi",
        "ProxyApi",
        "ProwlarrApi",
        "SyncScheduler",
        "SyncPlanner",
        "HistorySender",
        "Notifier",
    }
    assert len(upstream_secrets) >= 8
    assert len(deployed.secrets) >= 4
    assert all(len(secret) >= 16 for secret in upstream_secrets | deployed.secrets)
    tables = {table for table, _ in leaks.stored(deployed)}
    assert tables >= set(deployed.stack.tables)


def test_every_line_is_json(lines: dict[str, list[str]]) -> None:
    """Of ours; one event a line, with a level, a message and the function's name."""
    for function, log in lines.items():
        for line in log:
            if line.startswith(NOT_OURS) or not line.strip():
                continue
            told = json.loads(line)
            assert {"level", "message", "timestamp", "service"} <= told.keys(), (function, line)


def test_nothing_unforeseen(lines: dict[str, list[str]]) -> None:
    """Whatever the tests did, no function has met anything that it did not expect."""
    for function, log in lines.items():
        bad = [line for line in log if '"level":"ERROR"' in line or '"level":"CRITICAL"' in line or "Traceback" in line]
        assert bad == [], function


def test_nothing_leaks(deployed: Deployed) -> None:
    """As at the end of every other stack (leaks.py)."""
    assert leaks.found(deployed) == []


def test_a_leak_would_be_found(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that stand in a log and in a table are found there."""
    monkeypatch.setattr(deployed, "secrets", {"job done", LAST})
    assert {wrong.partition(":")[0] for wrong in leaks.found(deployed)} >= {"a log", "table Accounts"}


def test_nothing_changed_at_kinopub(deployed: Deployed) -> None:
    """The calls that change what somebody watched were never made (reality.md, Kinopub)."""
    assert deployed.upstreams.kinopub.state_changes == []


def test_who_calls(deployed: Deployed) -> None:
    """Every call said which program it is, in a User-Agent; Trakt's had its key and version, too."""
    for app in (deployed.upstreams.trakt, deployed.upstreams.kinopub, deployed.upstreams.tmdb):
        ours = [entry for entry in app.requests() if not entry.path.startswith(("/_control", "/oauth/authorize"))]
        assert all(entry.headers.get("user-agent", "").startswith("Watchferry/") for entry in ours)
    calls = [entry for entry in deployed.upstreams.trakt.requests() if not entry.path.startswith("/oauth/")]
    assert {(e.headers["trakt-api-key"], e.headers["trakt-api-version"]) for e in calls} == {
        (deployed.upstreams.trakt.client_id, "2")
    }
