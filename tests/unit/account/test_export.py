"""`GET /account/export`: everything about the user, no secret, in a form that Lambda can carry."""

import base64
import gzip
import json
from typing import Any

import pytest

from tests.browser import Browser, Reply
from tests.conftest import Clock
from tests.tables import everything_stored
from tests.unit.account.conftest import Cloud
from tests.unit.auth.conftest import NewBrowser, sign_in
from tests.upstreams import Upstreams
from watchferry.account import export
from watchferry.http_api.call import takes_gzip

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def read(answer: Reply) -> dict[str, Any]:
    assert answer.status == 200, answer
    body = base64.b64decode(answer.body)
    if answer.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body)
    return found


def test_all_of_it(cloud: Cloud, connected: Browser) -> None:
    """Account, settings, state, connections, sessions, tokens, runs with their events, ledger, rechecks, budgets."""
    cloud.keep_something_everywhere()
    answer = connected.get("/account/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="watchferry-export.json"'
    told = read(answer)
    assert told.keys() == {
        "exported_at",
        "account",
        "settings",
        "state",
        "connections",
        "sessions",
        "api_tokens",
        "prowlarr",
        "runs",
        "ledger",
        "rechecks",
        "unmatched",
        "overrides",
        "budgets",
        "cached_answers",
    }
    assert (told["account"]["id"], told["account"]["slug"]) == (cloud.uuid, "harry")
    assert told["settings"] == connected_settings(cloud)
    assert told["state"]["cursor"]["rows"]
    assert {name: each["status"] for name, each in told["connections"].items()} == {"trakt": "ok", "kinopub": "ok"}
    assert [each.keys() for each in told["sessions"]] == [{"created_at", "last_seen_at"}]
    assert [(each["name"], each["kind"]) for each in told["api_tokens"]] == [("Kodi", "api")]
    [run] = told["runs"]
    assert run["status"] == "succeeded"
    sent = [event for event in run["events"] if event["outcome"] == "sent"]
    assert len(sent) == run["counts"]["sent"] > 0
    assert {entry["outcome"] for entry in told["ledger"]} >= {"sent"}
    assert {entry["run_id"] for entry in told["ledger"]} == {run["id"]}
    assert [each["title"] for each in told["rechecks"]][-1:] == ["Укрытие / Silo"]
    assert [(each["key"], each["reason"]) for each in told["unmatched"]][:1] == [("1", "not_found")]
    assert [(each["key"], each["ignore"]) for each in told["overrides"]] == [("1", True)]
    assert told["budgets"].keys() == {"GET", "POST"}


def connected_settings(cloud: Cloud) -> dict[str, Any]:
    account = cloud.wiring.accounts.get(cloud.uuid)
    assert account is not None
    return json.loads(json.dumps({name: getattr(account.settings, name) for name in account.settings.__slots__}))  # type: ignore[no-any-return]


def test_no_secret_in_it(cloud: Cloud, connected: Browser) -> None:
    """No upstream's token, none of ours, no hash of one, nothing sealed, no address that is a credential."""
    cloud.keep_something_everywhere()
    hook = "https://hooks.test/T0P/S3CRET"
    sealed = cloud.wiring.vault.seal(hook.encode(), owner=cloud.uuid, purpose="webhook")
    cloud.wiring.webhooks.put(cloud.uuid, sealed=sealed.value, sealed_key=sealed.key)
    cloud.wiring.accounts.change_settings(cloud.uuid, webhook_url="https://hooks.test/***")
    _, token = cloud.wiring.api_tokens.make(cloud.uuid, "another")
    text = json.dumps(read(connected.get("/account/export")))
    secrets = {token, hook, connected.cookies["__Host-session"]}
    secrets |= {*cloud.upstreams.trakt.by_access, *cloud.upstreams.trakt.by_refresh}
    secrets |= {*cloud.upstreams.kinopub.by_access, *cloud.upstreams.kinopub.by_refresh}
    secrets |= {each.token_hash for each in cloud.wiring.api_tokens.of(cloud.uuid)}
    secrets |= {each.session_hash for each in cloud.wiring.sessions.of(cloud.uuid)}
    assert len(secrets) >= 9
    assert [secret for secret in secrets if secret in text] == []
    for word in ("sealed", "hash", "cookie", "lease", "version"):
        assert word not in text


def test_nobody_else_s(
    cloud: Cloud, connected: Browser, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock
) -> None:
    """Ron gets his own, which is little."""
    cloud.keep_something_everywhere()
    upstreams.add_user("ron")
    ron = new_browser()
    sign_in(ron, upstreams, clock, "ron")
    told = read(ron.get("/account/export"))
    assert told["account"]["slug"] == "ron"
    assert (told["runs"], told["ledger"], told["api_tokens"], told["rechecks"]) == ([], [], [], [])
    assert "harry" not in json.dumps(told).casefold()


def test_compressed_where_that_is_taken(cloud: Cloud, connected: Browser) -> None:
    """The same either way; caches are told."""
    cloud.keep_something_everywhere()
    plain, small = connected.get("/account/export"), connected.get("/account/export", GZIP)
    assert read(plain) == read(small)
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
    assert len(small.body) < len(plain.body) / 2


def test_what_does_not_fit(cloud: Cloud, connected: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """406 `too_large` names the way out: compressed, and if that is too much as well, run by run."""
    cloud.keep_something_everywhere()
    monkeypatch.setattr(export, "LARGEST", 2_500)
    answer = connected.get("/account/export")
    assert (answer.status, answer.code) == (406, "too_large")
    assert "gzip" in answer.json["detail"]
    assert connected.get("/account/export", GZIP).status == 200
    monkeypatch.setattr(export, "LARGEST", 100)
    answer = connected.get("/account/export", GZIP)
    assert (answer.status, answer.code) == (406, "too_large")
    assert "/sync/runs" in answer.json["detail"]


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("br;q=1.0, gzip;q=0.001", True),
        ("deflate, gzip ; q=1", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("br, *;q=0", False),
    ],
)
def test_who_takes_gzip(header: str, taken: bool) -> None:
    """RFC 9110, 12.5.3."""
    assert takes_gzip(header) is taken


def test_idle_runs_are_cheap(cloud: Cloud, connected: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are read of runs that have any; a year's idle runs cost a few queries."""
    for number in range(60):
        run = cloud.wiring.runs.create(cloud.uuid, f"idle-{number:03d}", mode="sync", trigger="schedule")
        cloud.wiring.runs.finish(run, "succeeded")
    cloud.keep_something_everywhere()
    asked = []
    report = cloud.wiring.plans.report
    monkeypatch.setattr(type(cloud.wiring.plans), "report", lambda _, *it: asked.append(it) or report(*it))
    told = read(connected.get("/account/export", GZIP))
    assert len(told["runs"]) == 61
    assert len(asked) == 1


def test_an_export_changes_nothing(cloud: Cloud, connected: Browser) -> None:
    """Nothing that is stored."""
    cloud.keep_something_everywhere()
    before = everything_stored(cloud.wiring.dynamo)
    connected.get("/account/export")
    assert everything_stored(cloud.wiring.dynamo) == before
