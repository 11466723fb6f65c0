"""Whatever is sent, whatever an upstream answers: a problem document with a stable word, never a 500, never a trace.

That every error has this form, `Deployed.hear` checks of each answer to anybody.
"""

from typing import Any

import httpx
import pytest

from tests.stack.deployed import Deployed
from tests.stack.person import Person

pytestmark = pytest.mark.stack

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "auth/trakt/device/token"): {"device_code": "A" * 43},
    ("POST", "auth/kinopub/device/token"): {"device_code": "A" * 43},
    ("POST", "auth/trakt/authorize"): {"redirect_uri": None},
    ("POST", "auth/trakt/oauth/exchange"): {"code": "c", "state": "A" * 43},
    ("POST", "sync/runs"): {"mode": "preview", "full": False},
    ("PUT", "sync/settings"): {"enabled": False, "rewatch": "once", "batch_size": 50},
}
"""Requests with a body, each with one that is well-formed."""

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def person(deployed: Deployed) -> Person:
    """Signed in, nothing to sync."""
    made = deployed.newcomer("bad input")
    made.sign_in()
    return made


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["code"])


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_bodies_that_are_not_what_is_asked_for(person: Person, method: str, path: str) -> None:
    """400 `validation` for what is no JSON, no object, of a wrong type, or has a field too many."""
    good = BODIES[method, path]
    texts = [
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"\xff\xfe",
        b"\x00",
        b'{"a":1}{"b":2}',
        b"[" * 20_000,
        b"NaN",
        b'{"a":"\\ud800"}',
    ]
    wrong: list[Any] = [7, 7.5, True, [], {}, "\u0000", "x" * 3_000, {"$ne": 1}]
    changed = [
        good | {name: value}
        for name in good
        for value in wrong
        if type(value) is not type(good[name]) and not (name == "code" and isinstance(value, str))
    ]
    for content in texts:
        assert said(person.web.request(method, path, content=content, headers=JSON)) == (400, "validation"), content
    for body in [*changed, good | {"surplus": 1}, good | {"__proto__": {}}]:
        assert said(person.web.request(method, path, json=body)) == (400, "validation"), body


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 0},
        {"batch_size": 251},
        {"batch_size": "50"},
        {"batch_size": 50.5},
        {"batch_size": 10**30},
        {"rewatch": "sometimes"},
        {"rewatch": None},
        {"enabled": "yes"},
        {"enabled": 1},
        {"enabled": None},
        {"window_minutes": -1},
        {"confirm_above": -1},
        {"webhook_url": 5},
    ],
)
def test_settings_out_of_range(person: Person, settings: dict[str, Any]) -> None:
    """400 `validation`, and the settings are as they were."""
    before = person.call("GET", "sync/settings")
    assert said(person.web.put("sync/settings", json=settings)) == (400, "validation")
    assert person.call("GET", "sync/settings") == before


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_floods_and_forms(person: Person, method: str, path: str) -> None:
    """413 for more than anybody needs, 415 for what is not JSON."""
    flood = b'{"code":"' + b"A" * 70_000 + b'"}'
    assert said(person.web.request(method, path, content=flood, headers=JSON)) == (413, "too_large")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"):
        answer = person.web.request(method, path, content=b"mode=sync", headers={"content-type": kind})
        assert said(answer) == (415, "unsupported_media_type"), kind


def test_megabytes(person: Person) -> None:
    """As much as the HTTP API lets through is refused like a little too much."""
    answer = person.web.post("sync/runs", content=b"x" * 3_000_000, headers=JSON)
    assert said(answer) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("GET", "sync"),
        ("GET", "sync/nothing"),
        ("GET", "auth/nothing"),
        ("GET", "auth"),
        ("GET", "sync/runs/a/b/c"),
        ("GET", "sync/runs/a/"),
        ("GET", "health/x"),
        ("POST", "health"),
        ("DELETE", "sync/runs"),
        ("PATCH", "sync/settings"),
        ("POST", "sync/settings"),
        ("PUT", "auth/session"),
        ("GET", "auth/logout"),
        ("GET", "auth/trakt/device/code"),
        ("POST", "auth/elsewhere/device/code"),
        ("HEAD", "nothing"),
        ("GET", "%2e%2e/health"),
        ("GET", "sync/%00"),
        ("GET", "a" * 4_000),
        ("GET", "ключ"),
    ],
)
def test_what_is_not_there(person: Person, method: str, path: str) -> None:
    """404 `unknown_endpoint` for every other path and method."""
    answer = person.web.request(method, path)
    assert answer.status_code == 404
    assert method == "HEAD" or answer.json()["code"] == "unknown_endpoint"


@pytest.mark.parametrize("run_id", ["x", "20200101-000000-00000000", "%20", "a.b", "%2e%2e", "ы", "a" * 1500, "'--"])
def test_runs_that_are_not_there(person: Person, run_id: str) -> None:
    """404 `not_found`, whatever the id looks like."""
    for path in (f"sync/runs/{run_id}", f"sync/runs/{run_id}/events"):
        answer = person.web.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] in {"not_found", "unknown_endpoint"}


def test_queries_that_make_no_sense(deployed: Deployed) -> None:
    """400 `validation` for cursors that were not given out, and for filters that nobody knows."""
    person = deployed.person("bad queries")
    run_id = person.run()["id"]
    for cursor in ("!", "%00", "a b", "YQ", "YmF0Y2g", "%F0%9F", "a" * 3_000, "-", "_" * 8):
        assert said(person.web.get(f"sync/runs/{run_id}/events?cursor={cursor}")) == (400, "validation"), cursor
    for cursor in ("!", "%00", "a b", "..", "a" * 3_000):
        assert said(person.web.get(f"sync/runs?cursor={cursor}")) == (400, "validation"), cursor
    for name, value in (("outcome", "maybe"), ("outcome", "SENT"), ("reason", "bored"), ("reason", "%00")):
        assert said(person.web.get(f"sync/runs/{run_id}/events?{name}={value}")) == (400, "validation"), value
    assert person.web.get(f"sync/runs/{run_id}/events?unknown=1&&=&%ff").status_code == 200


def test_nobody_signed_in(deployed: Deployed) -> None:
    """401 `unauthenticated` for all that belongs to somebody, without a session and with one that never was."""
    web = deployed.web()
    reads = ["auth/session", "sync/runs", "sync/runs/x", "sync/runs/x/events", "sync/state", "sync/settings"]
    writes = [("POST", "sync/runs"), ("PUT", "sync/settings"), ("DELETE", "auth/trakt"), ("DELETE", "auth/kinopub")]
    for method, path in [*(("GET", path) for path in reads), *writes, ("POST", "auth/kinopub/device/code")]:
        assert said(web.request(method, path)) == (401, "unauthenticated"), path
        for cookie in (b"A" * 43, b"", b"\xc3\xbc", b"\xff", b"a=b", b"x" * 3_000):
            headers = {b"cookie": b"__Host-session=" + cookie}
            assert said(web.request(method, path, headers=headers)) == (401, "unauthenticated"), (path, cookie)


# ---------------------------------------------------------------- upstreams that make no sense

NONSENSE: list[dict[str, Any]] = [
    {"preset": "garbage"},
    {"preset": "html_ok"},
    {"status": 200, "body": []},
    {"status": 200, "body": {"device_code": 5, "code": None, "user": "x"}},
    {"status": 200, "body": {}},
    {"status": 200, "body": "null"},
    {"status": 302, "headers": {"Location": "http://169.254.169.254/"}},
    {"status": 500},
    {"preset": "bad_gateway"},
    {"preset": "edge_429"},
    {"preset": "app_refused"},
    {"preset": "app_dead"},
    {"preset": "firewall"},
    {"reset": True},
]


def named(fault: dict[str, Any]) -> str:
    return str(fault.get("preset") or fault.get("status") or "reset")


@pytest.mark.parametrize("fault", NONSENSE, ids=named)
@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_no_code_to_be_had(deployed: Deployed, person: Person, provider: str, fault: dict[str, Any]) -> None:
    """A device flow that the upstream cannot begin is its trouble, with a word for it: 502 or 429."""
    app: Any = getattr(deployed.upstreams, provider)
    struck = app.faults.add(path="^/oauth2?/device", **fault)
    answer = person.web.post(f"auth/{provider}/device/code", json={})
    assert struck.struck == 1
    assert (answer.status_code, answer.json()["code"]) in {
        (502, "upstream_unreachable"),
        (502, "app_refused"),
        (502, "upstream_firewall"),
        (429, "rate_limited"),
    }
    assert "169.254" not in answer.text


@pytest.mark.parametrize("fault", [*NONSENSE, {"preset": "locked"}, {"preset": "unauthorized"}], ids=named)
def test_no_profile_to_be_had(deployed: Deployed, fault: dict[str, Any]) -> None:
    """A sign-in after which Trakt does not say who this is leaves no session, and no tokens behind."""
    person = deployed.newcomer("no profile")
    begun = person.call("POST", "auth/trakt/authorize", json={})
    given = {"code": person.agree(begun), "state": begun["state"]}
    faults = deployed.upstreams.trakt.faults
    struck = faults.add(path="^/users/settings", user=person.slug, times=None, **fault)
    answer = person.web.post("auth/trakt/oauth/exchange", json=given)
    faults.script.remove(struck)
    assert struck.struck >= 1
    assert answer.status_code in {409, 429, 502}
    assert not [line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-session=")]
    assert person.web.get("auth/session").status_code == 401
    assert [grant.ended for grant in deployed.upstreams.trakt.grants if grant.user == person.slug] == ["revoked"]


@pytest.mark.parametrize("fault", NONSENSE, ids=named)
def test_no_tokens_to_be_had(deployed: Deployed, fault: dict[str, Any]) -> None:
    """An exchange that Trakt answers with nonsense leaves no session; the next sign-in works."""
    person = deployed.newcomer("no tokens")
    begun = person.call("POST", "auth/trakt/authorize", json={})
    given = {"code": person.agree(begun), "state": begun["state"]}
    struck = deployed.upstreams.trakt.faults.add(path="^/oauth/token", **fault)
    answer = person.web.post("auth/trakt/oauth/exchange", json=given)
    assert struck.struck == 1
    assert answer.status_code in {400, 409, 429, 502}
    assert person.web.get("auth/session").status_code == 401
    person.sign_in()
    assert person.session["user"]["slug"] == person.slug
