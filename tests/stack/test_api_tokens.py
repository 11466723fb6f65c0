"""API tokens at the deployed API: made by a person, used by a program (http-api.md, Who is calling)."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.stack.deployed import Deployed
from tests.stack.person import ENDED, Person

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def owner(deployed: Deployed) -> Person:
    return deployed.person("owner of tokens")


def make(person: Person, name: str = "a program") -> dict[str, Any]:
    answer = person.web.post("auth/api-tokens", json={"name": name})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def program(deployed: Deployed, token: str, **headers: str) -> httpx.Client:
    """It sends its token and nothing that a browser would send."""
    web = deployed.web()
    web.headers = httpx.Headers({"authorization": f"Bearer {token}", **headers})
    return web


def word(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_made_listed_revoked(deployed: Deployed, owner: Person) -> None:
    """The token is told once; the list says when it was used; revoked, it is nobody's."""
    made = make(owner, "Kodi")
    assert made.keys() == {"id", "name", "token", "created_at"}
    assert re.fullmatch(r"wf_[A-Za-z0-9_-]{43}", made["token"])
    [listed] = [item for item in owner.call("GET", "auth/api-tokens")["items"] if item["id"] == made["id"]]
    assert listed == {"id": made["id"], "name": "Kodi", "created_at": made["created_at"], "last_used_at": None}
    kodi = program(deployed, made["token"])
    assert kodi.get("sync/state").status_code == 200
    [listed] = [item for item in owner.call("GET", "auth/api-tokens")["items"] if item["id"] == made["id"]]
    assert listed["last_used_at"] >= made["created_at"]
    assert owner.web.delete(f"auth/api-tokens/{made['id']}").status_code == 204
    assert word(owner.web.delete(f"auth/api-tokens/{made['id']}")) == (404, "not_found")
    assert word(kodi.get("sync/state")) == (401, "unauthenticated")


def test_a_program_syncs(deployed: Deployed, owner: Person) -> None:
    """From its own origin, without cookie or X-CSRF: settings, a run, its events."""
    web = program(deployed, make(owner)["token"], origin="https://desktop.test")
    assert web.put("sync/settings", json={"batch_size": 7}).json()["batch_size"] == 7
    started = web.post("sync/runs", json={"mode": "sync"})
    assert started.status_code == 202
    run_id = started.json()["run_id"]
    while (run := web.get(f"sync/runs/{run_id}").json())["status"] not in ENDED:
        pass
    assert run["status"] == "succeeded"
    assert web.get(f"sync/runs/{run_id}/events").json()["items"] == []
    assert web.get("auth/session").json()["user"]["slug"] == owner.slug
    assert owner.show(run_id)["id"] == run_id


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "auth/api-tokens", None),
        ("POST", "auth/api-tokens", {"name": "another"}),
        ("DELETE", "auth/api-tokens/x", None),
        ("DELETE", "auth/trakt", None),
        ("DELETE", "auth/kinopub", None),
        ("POST", "auth/kinopub/device/code", {}),
        ("POST", "auth/logout", None),
        ("GET", "account/export", None),
        ("DELETE", "account", None),
    ],
)
def test_what_is_a_person_s(
    deployed: Deployed, owner: Person, method: str, path: str, body: Mapping[str, str] | None
) -> None:
    """403 `session_required`; an unknown token is 401 there, too."""
    web = program(deployed, make(owner)["token"])
    assert word(web.request(method, path, json=body)) == (403, "session_required")
    assert word(program(deployed, "wf_" + "A" * 43).request(method, path, json=body)) == (401, "unauthenticated")
    assert owner.session["kinopub"]["connected"]


def test_with_a_cookie_beside_it(deployed: Deployed, owner: Person) -> None:
    """The token says who calls, good or not; the cookie still asks for X-CSRF."""
    other = deployed.newcomer("beside it")
    other.sign_in()
    headers = {"authorization": f"Bearer {make(owner)['token']}"}
    assert other.web.get("auth/session", headers=headers).json()["user"]["slug"] == owner.slug
    assert word(other.web.get("sync/state", headers={"authorization": "Bearer wf_x"})) == (401, "unauthenticated")
    answer = other.web.put("sync/settings", json={"batch_size": 9}, headers={**headers, "x-csrf": ""})
    assert word(answer) == (403, "csrf")
    foreign = {"authorization": "Bearer something.of.theirs", "origin": "https://evil.test"}
    assert word(other.web.put("sync/settings", json={"batch_size": 9}, headers=foreign)) == (403, "csrf")


@pytest.mark.parametrize("name", ["", " ", "x" * 101, 7, None])
def test_names(owner: Person, name: Any) -> None:
    """400 `validation`."""
    assert word(owner.web.post("auth/api-tokens", json={"name": name})) == (400, "validation")
