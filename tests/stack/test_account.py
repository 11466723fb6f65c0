"""Taking everything along, and leaving (http-api.md, `GET /account/export` and `DELETE /account`)."""

from typing import Any

import pytest

from tests.stack.deployed import Deployed, until
from tests.stack.leaks import stored
from tests.stack.person import Person, follow

pytestmark = pytest.mark.stack


def traces(deployed: Deployed, person: Person, runs: list[str]) -> list[tuple[str, str]]:
    """Every row of every table that names the person, or one of their runs."""
    marks = [person.user_id, person.name, *runs]
    return [
        (table, item)
        for table, item in stored(deployed)
        if any(mark in item for mark in marks) or person.slug in item.split()
    ]


def posts(person: Person) -> int:
    return len(person.calls("trakt", "^/sync/history", "POST"))


def sending(deployed: Deployed) -> int:
    """Messages of batches, the delayed ones too."""
    url = deployed.stack.queues["HistoryBatches"]
    names = ["ApproximateNumberOfMessages" + kind for kind in ("", "NotVisible", "Delayed")]
    told = deployed.cloud("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, told.values()))


def test_export(deployed: Deployed) -> None:
    """All of it, as a file, compressed on its way; no secret in it (test_secrets.py looks through every answer)."""
    person = deployed.person("takes it along")
    person.usual()
    token = person.call("POST", "auth/api-tokens", json={"name": "Kodi"})["token"]
    run = person.run()
    answer = person.web.get("account/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-encoding"] == "gzip"
    told: dict[str, Any] = answer.json()
    assert told["account"]["slug"] == person.slug
    assert told["settings"] == person.call("GET", "sync/settings")
    assert {name: each["connected"] for name, each in told["connections"].items()} == {"trakt": True, "kinopub": True}
    assert [each["name"] for each in told["api_tokens"]] == ["Kodi"]
    assert len(told["sessions"]) == 1
    [exported] = told["runs"]
    events = exported.pop("events")
    assert exported == run
    assert events == person.events(run)
    assert sum(entry["outcome"] == "sent" for entry in told["ledger"]) == run["counts"]["sent"] == 8
    assert told["rechecks"]
    assert token not in answer.text
    plain = person.web.get("account/export", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json()["ledger"] == told["ledger"]
    assert deployed.web().get("account/export").status_code == 401


def test_leaving(deployed: Deployed) -> None:
    """Access is gone with the 204, Trakt's grant is revoked, and within seconds no row names the person any more."""
    person = deployed.person("Leaves For Good")
    person.usual()
    token = person.call("POST", "auth/api-tokens", json={"name": "Kodi"})["token"]
    person.settings(enabled=True)
    person.call("GET", "trakt/users/settings")  # remembered by the proxy
    person.call("POST", "auth/kinopub/device/code", json={})  # a flow that stays under way
    person.call("PUT", "auth/prowlarr", json={"base_url": "http://127.0.0.1:9", "api_key": "key-of-one-who-leaves"})
    person.settings(webhook_url="http://127.0.0.1:9/of-one-who-leaves")
    run = person.run()
    assert run["status"] == "succeeded"
    mended, *left = person.pages("sync/unmatched")
    person.call("PUT", f"sync/overrides/{mended['key']}", json={"ignore": True})
    assert left
    tables = {table for table, _ in traces(deployed, person, [run["id"]])}
    assert tables == set(deployed.stack.tables) - {"Mappings", "Flows"}
    grants = [grant for grant in deployed.upstreams.trakt.grants if grant.user == person.slug]
    plays = person.plays

    answer = person.web.delete("account")
    assert answer.status_code == 204
    assert answer.headers["set-cookie"].startswith("__Host-session=;")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert person.web.get("auth/session").status_code == 401
    assert deployed.web().get("sync/state", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert grants[-1].ended == "revoked"
    until("no trace", lambda: not traces(deployed, person, [run["id"]]), 20)
    assert person.plays == plays, "what was sent stays at Trakt"
    assert person.web.delete("account").status_code == 401

    person.sign_in()
    assert person.session["kinopub"]["connected"] is False
    assert person.runs() == []
    assert person.state["last_success_at"] is None


def test_leaving_while_a_run_sends(deployed: Deployed) -> None:
    """No POST begins after the 204, and none of the run's rows stays or comes back."""
    person = deployed.person("Leaves In A Hurry")
    person.usual()
    person.settings(batch_size=1)
    run_id = person.start()
    until("a POST", lambda: posts(person) >= 2)
    assert person.web.delete("account").status_code == 204
    begun = posts(person)
    assert begun < 8
    until("no trace", lambda: not traces(deployed, person, [run_id]), 20)
    until("the last batch's message", lambda: not sending(deployed), 30)
    until("empty queues", deployed.drained)
    assert posts(person) == begun
    assert traces(deployed, person, [run_id]) == []
    assert deployed.take_all("HistoryBatchesDlq") == []


def test_leaving_while_a_run_reads(deployed: Deployed) -> None:
    """Its planner finds nobody any more."""
    person = deployed.person("Leaves Early")
    person.usual()
    with person.held():
        run_id = person.start()
        until("a call", lambda: person.calls("kinopub", "^/v1/history"))
        assert person.web.delete("account").status_code == 204
    until("no trace", lambda: not traces(deployed, person, [run_id]), 20)
    assert posts(person) == 0


def test_others_notice_nothing(deployed: Deployed) -> None:
    """A run of somebody else goes on beside it."""
    leaves, stays = deployed.people(["leaves", "stays"])
    for person in (leaves, stays):
        person.usual()
    started = {stays: stays.start()}
    leaves.start()
    assert leaves.web.delete("account").status_code == 204
    assert follow(started)[stays]["status"] == "succeeded"
    assert stays.plays == stays.wanted


def test_only_a_person_at_the_page(deployed: Deployed) -> None:
    """401 without a session; what is under /account and nobody knows is 404, in our own form."""
    web = deployed.web()
    assert web.delete("account").status_code == 401
    assert web.get("account").json()["code"] == web.get("account/other").json()["code"] == "unknown_endpoint"
