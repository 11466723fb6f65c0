"""What all the other tests made Watchferry say and keep, looked through last: no secret in any of it.

By itself it signs somebody in and syncs, so that it has something to look at when it runs alone.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.deployed import Deployed, until

pytestmark = pytest.mark.stack

NOT_OURS = ("START ", "END ", "REPORT ", "INIT_START ", "EXTENSION")
"""Lines that Lambda itself writes."""


@pytest.fixture(scope="module", autouse=True)
def lived(deployed: Deployed) -> None:
    """Every function has worked: somebody is synced by a tick, with a refresh of each token on the way."""
    person = deployed.person("the last one")
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
    """Every token, code and key that an upstream ever gave out."""
    trakt, kinopub = deployed.upstreams.trakt, deployed.upstreams.kinopub
    found = {trakt.client_secret, kinopub.client_secret, deployed.upstreams.tmdb.read_access_token}
    for app in (trakt, kinopub):
        found |= {*app.by_access, *app.by_refresh, *app.devices.flows}
    return found | set(trakt.codes)


@pytest.fixture(scope="module")
def lines(deployed: Deployed) -> dict[str, list[str]]:
    """Function → everything in its log."""
    logs = deployed.cloud("logs")
    return {
        logical: [
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
            for event in page["events"]
        ]
        for logical, name in deployed.stack.functions.items()
    }


def stored(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """Table → every value of it as text, unpacked."""
    for logical, name in deployed.stack.tables.items():
        for page in deployed.cloud("dynamodb").get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                yield logical, " ".join(map(text, item.values()))


def text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return gzip.decompress(value).decode()
        except (OSError, EOFError):
            return value.decode("latin1")
    if isinstance(value, dict):
        return " ".join(text(part) for pair in value.items() for part in pair)
    if isinstance(value, list | set):
        return " ".join(map(text, value))
    return str(value)


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
    tables = {table for table, _ in stored(deployed)}
    assert tables >= set(deployed.stack.tables)


def test_no_log_has_a_secret(deployed: Deployed, lines: dict[str, list[str]], upstream_secrets: set[str]) -> None:
    """Neither the upstreams' nor ours: tokens, keys, codes, sessions, handles, states."""
    everything = "\n".join(line for log in lines.values() for line in log)
    assert [secret for secret in upstream_secrets | deployed.secrets if secret in everything] == []


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


def test_no_table_has_a_secret(deployed: Deployed, upstream_secrets: set[str]) -> None:
    """Tokens and device codes are sealed; sessions, handles and states are hashes."""
    secrets = upstream_secrets | deployed.secrets
    found = [(table, secret) for table, item in stored(deployed) for secret in secrets if secret in item]
    assert found == []


def test_no_answer_has_a_secret(deployed: Deployed, upstream_secrets: set[str]) -> None:
    """No token, key or code of an upstream was in any answer to anybody: body, header or cookie."""
    everything = "\n".join(deployed.answers)
    codes = set(deployed.upstreams.trakt.codes)  # these, the browser itself brings
    assert [secret for secret in upstream_secrets - codes if secret in everything] == []


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
