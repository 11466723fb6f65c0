"""The control API: everything that another process needs in order to script the stand-ins and to read them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.upstreams import start

ROOT = Path(__file__).resolve().parents[3]
FILM = {"movies": [{"ids": {"imdb": "tt0133093"}, "watched_at": "2026-01-01T10:00:00Z"}]}


class Remote:
    """What a test of the deployed stack has: addresses, no Python objects."""

    def __init__(self, told: dict[str, Any], http: httpx.Client) -> None:
        self.told, self.http = told, http

    def control(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.http.request(method, f"{self.told['control_url']}/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def trakt(self, method: str, path: str, token: str, **more: Any) -> httpx.Response:
        headers = {
            "trakt-api-key": self.told["trakt"]["client_id"],
            "trakt-api-version": "2",
            "Authorization": f"Bearer {token}",
        }
        return self.http.request(method, self.told["trakt_url"] + path, headers=headers, **more)

    def token(self, side: str = "trakt", user: str = "harry") -> str:
        return str(self.control("POST", f"{side}/tokens/grant", {"user": user})["access_token"])


@pytest.fixture
def remote() -> Iterator[Remote]:
    with start("tiny") as running, httpx.Client(headers={"User-Agent": "control-tests/1"}) as http:
        yield Remote(running.as_json(), http)


def test_faults_are_set_shown_and_cleared(remote: Remote) -> None:
    """One or many; those that struck are counted."""
    token = remote.token()
    remote.control("POST", "trakt/faults", [{"path": "settings", "preset": "unavailable", "times": 1}])
    assert remote.trakt("GET", "/users/settings", token).status_code == 503
    assert remote.trakt("GET", "/users/settings", token).status_code == 200
    [fault] = remote.control("GET", "trakt/faults")["faults"]
    assert (fault["struck"], fault["status"]) == (1, 503)
    remote.control("POST", "trakt/faults", {"path": "settings", "reset": True, "when": "after"})
    with pytest.raises(httpx.ReadError):
        remote.trakt("GET", "/users/settings", token)
    assert remote.control("DELETE", "trakt/faults") == {"faults": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "trakt/faults", {"pathh": "x"}, 400),
        ("POST", "nobody/faults", {"path": "x"}, 404),
        ("PUT", "trakt/switches", {"limit": True}, 400),
        ("POST", "trakt/approve", {"user_code": "XXX", "user": "harry"}, 404),
        ("POST", "trakt/tokens/grant", {"user": "nobody"}, 404),
        ("POST", "library/watch", {"user": "harry", "item": "No Such Film"}, 404),
        ("POST", "library/watch", {"user": "harry", "film": "The Matrix"}, 400),
        ("POST", "library/titles", {}, 404),
        ("GET", "no/such/thing", None, 404),
    ],
)
def test_mistakes_are_told(remote: Remote, method: str, path: str, body: Any, status: int) -> None:
    """A script with a typo must not pass for one that works."""
    assert "error" in remote.control(method, path, body, status)


def test_switches_are_read_and_set(remote: Remote) -> None:
    """By name, at either side."""
    assert remote.control("PUT", "trakt/switches", {"limits": True, "post_period": 60})["post_period"] == 60
    token = remote.token()
    statuses = [remote.trakt("POST", "/sync/history", token, json={}).status_code for _ in range(2)]
    assert statuses == [201, 429]
    assert remote.control("PUT", "kinopub/switches", {"max_in_flight": 1})["max_in_flight"] == 1


def test_the_log_and_its_summary(remote: Remote) -> None:
    """What was asked, by whom, with what result; counts by method and path template; control calls leave no trace."""
    token = remote.token()
    remote.trakt("GET", "/sync/history/movies?page=1", token)
    remote.trakt("POST", "/sync/history", token, json=FILM)
    log = remote.control("GET", "trakt/log?full=1")
    first, second = log["entries"]
    assert first["query"] == [["page", "1"]]
    assert (first["user"], first["status"], first["template"]) == ("harry", 200, "/sync/history/{kind}")
    assert json.loads(second["body"]) == FILM
    remote.trakt("GET", "/users/settings", token)
    assert len(remote.control("GET", f"trakt/log?since={log['next']}")["entries"]) == 1
    assert len(remote.control("GET", "trakt/log?method=POST&path=history")["entries"]) == 1
    counts = remote.control("GET", "trakt/summary")["counts"]
    assert counts == {"GET /sync/history/{kind}": 1, "POST /sync/history": 1, "GET /users/settings": 1}
    remote.control("DELETE", "trakt/log")
    assert remote.control("GET", "trakt/summary")["requests"] == 0


def test_people_approve_and_deny(remote: Remote) -> None:
    """Both device flows, and the page behind the verification address."""
    credentials = remote.told["trakt"]
    codes = remote.http.post(f"{remote.told['trakt_auth_url']}/oauth/device/code", json=credentials).json()
    page = remote.http.get(codes["verification_url"])
    assert "harry" in page.text
    approved = remote.http.get(codes["verification_url"], params={"code": codes["user_code"], "user": "harry"})
    assert approved.status_code == 200
    body = credentials | {"code": codes["device_code"]}
    assert remote.http.post(f"{remote.told['trakt_auth_url']}/oauth/device/token", json=body).status_code == 200
    query = remote.told["kinopub"] | {"grant_type": "device_code"}
    codes = remote.http.post(f"{remote.told['kinopub_url']}/oauth2/device", params=query).json()
    remote.control("POST", "kinopub/deny", {"user_code": codes["user_code"]})
    query |= {"grant_type": "device_token", "code": codes["code"]}
    answer = remote.http.post(f"{remote.told['kinopub_url']}/oauth2/device", params=query)
    assert answer.json() == {"error": "access_denied"}


def test_somebody_signs_in(remote: Remote) -> None:
    """For the authorization-code flow, with redirect URIs that a deployment registers."""
    remote.control("POST", "trakt/sign-in", {"user": "harry"})
    remote.control("PUT", "trakt/redirect-uris", {"redirect_uris": ["https://mine.example/back"]})
    query = {"response_type": "code", "client_id": remote.told["trakt"]["client_id"]}
    address = f"{remote.told['trakt_auth_url']}/oauth/authorize"
    allowed = remote.http.get(address, params=query | {"redirect_uri": "https://mine.example/back"})
    assert allowed.headers["Location"].startswith("https://mine.example/back?")
    assert remote.http.get(address, params=query | {"redirect_uri": "http://localhost:1/"}).status_code == 400


def test_tokens_expire_and_are_counted(remote: Remote) -> None:
    """expire, revoke, and the counts that show whether refreshing was single-flight."""
    token = remote.token()
    remote.control("POST", "trakt/tokens/expire", {"user": "harry"})
    assert remote.trakt("GET", "/users/settings", token).status_code == 401
    assert remote.control("GET", "trakt/tokens")["unauthorized"] == 1
    assert remote.control("POST", "kinopub/tokens/revoke", {"user": "harry"})["refreshes_served"] == 0


def test_users_are_added_and_changed(remote: Remote) -> None:
    """At both upstreams; locked, limited, renamed."""
    shown = remote.control("POST", "users", {"user": "kim", "vip": False})
    assert ["harry", "kim"] == [user["slug"] for user in shown["trakt"]] == shown["kinopub"]
    token = remote.token(user="kim")
    remote.control("PUT", "trakt/users/kim", {"locked": True})
    assert remote.trakt("GET", "/users/settings", token).status_code == 423
    remote.control("PUT", "trakt/users/kim", {"locked": False, "slug": "kim_k"})
    assert remote.trakt("GET", "/users/settings", token).json()["user"]["ids"]["slug"] == "kim_k"


def test_plays_are_read_and_added(remote: Remote) -> None:
    """As /sync/history shows them."""
    remote.control("POST", "trakt/plays/harry", {"kind": "movie", "trakt_id": 481, "at": 1_700_000_000})
    [play] = remote.control("GET", "trakt/plays/harry")["plays"]
    assert (play["movie"]["ids"]["trakt"], play["watched_at"]) == (481, "2023-11-14T22:13:20.000Z")


def test_the_library_is_changed_and_tells_what_it_expects(remote: Remote) -> None:
    """watch and the rest, by name; expected and unwatched."""
    [first, *_] = remote.control("GET", "library/unwatched/harry")["unwatched"]
    at = int(time.time()) - 5
    remote.control("POST", "library/watch", {"user": "harry", "item": first["item"], "at": at})
    told = remote.control("GET", "library/expected/harry")["expected"]
    assert [each["watched_at"] for each in told if each["generation"]] == [at]
    remote.control("POST", "kinopub/shift", {"user": "harry", "after_page": 1, "delete": told[0]["media"]})
    remote.http.get(
        f"{remote.told['kinopub_url']}/v1/watching/toggle", params={"access_token": remote.token("kinopub")}
    )
    assert len(remote.control("GET", "kinopub/state-changes")["calls"]) == 1


def test_reset_begins_anew_but_leaves_people_connected(remote: Remote) -> None:
    """A fresh library and no faults; tokens stay unless they are to go too. Time can be moved."""
    token = remote.token()
    remote.trakt("POST", "/sync/history", token, json=FILM)
    remote.control("POST", "trakt/faults", {"path": "/", "preset": "locked", "times": None})
    assert remote.control("POST", "reset", {"library": "large:50"})["plays"] == {"harry": 0}
    assert len(remote.control("GET", "library/expected/harry")["expected"]) == 50
    assert remote.trakt("GET", "/users/settings", token).status_code == 200
    remote.control("POST", "clock", {"advance": 604_800})
    assert remote.trakt("GET", "/users/settings", token).status_code == 401
    remote.control("POST", "users", {"user": "kim"})
    token = remote.token(user="kim")
    remote.control("POST", "reset")
    assert remote.trakt("GET", "/users/settings", token).status_code == 200
    remote.control("POST", "reset", {"tokens": True})
    assert remote.trakt("GET", "/users/settings", token).status_code == 401


def test_the_program_writes_a_file_and_stops_on_sigterm(tmp_path: Path) -> None:
    """`python -m tests.upstreams`: addresses and credentials in a file that is whole, a clean end."""
    file = tmp_path / "upstreams.json"
    command = [sys.executable, "-m", "tests.upstreams", "--library", "tiny", "--users", "a,b", "--port-file", str(file)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        try:
            deadline = time.monotonic() + 20
            while not file.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            told = json.loads(file.read_text())
            assert told["users"] == ["a", "b"]
            assert httpx.get(f"{told['control_url']}/trakt/switches").json()["limits"] is True
            assert httpx.get(f"{told['kinopub_url']}/v1/history").status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("side", ["trakt", "kinopub"])
def test_every_switch_can_be_read_and_set_from_outside(remote: Remote, side: str) -> None:
    """What is shown can be sent back."""
    shown = remote.control("GET", f"{side}/switches")
    assert remote.control("PUT", f"{side}/switches", shown) == shown


def test_plays_are_removed_and_marked_in_bulk(remote: Remote) -> None:
    """By hand, and by another program."""
    ids = remote.control("POST", "trakt/bulk-plays/harry", {"at": 1_700_000_000, "show": "Silo", "plays": 2})["ids"]
    [left] = remote.control("DELETE", "trakt/plays/harry", {"id": ids[0]})["plays"]
    assert left["id"] == ids[1]
