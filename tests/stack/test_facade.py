"""The OAuth facade of the deployed stack, and clients of others that have to work with another base URL alone.

The clients are programs in an environment of their own (tests/clients), unmodified.
"""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cloud.tools import ROOT, installed
from tests.stack.deployed import Deployed
from tests.stack.person import Person

pytestmark = pytest.mark.stack

CLIENTS = ROOT / "tests" / "clients"


class Program:
    """A Trakt client made by hand. What it gets is a secret, which no log and no table may have (test_secrets.py)."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        self.web = deployed.stack.browser()
        self.web.headers = httpx.Headers({"user-agent": "a program", "trakt-api-version": "2"})
        deployed.at_the_end.callback(self.web.close)

    def post(self, path: str, body: dict[str, str], **headers: str) -> httpx.Response:
        said = self.web.post(path, json=body, headers=headers)
        if said.status_code == 200:
            told = said.json()
            names = ("device_code", "access_token", "refresh_token")
            self.deployed.secrets |= {told[name] for name in names if name in told}
        return said

    def begin(self, person: Person, at: str = "trakt") -> dict[str, Any]:
        """A flow that the person has agreed to."""
        said = self.post(f"{at}/oauth/device/code", {"client_id": "any"})
        assert said.status_code == 200, said.text
        begun: dict[str, Any] = said.json()
        self.deployed.upstreams.trakt.approve(begun["user_code"], person.slug)
        return begun

    def poll(self, begun: dict[str, Any], at: str = "trakt") -> httpx.Response:
        given = {"code": begun["device_code"], "client_id": "any", "client_secret": "any"}
        return self.post(f"{at}/oauth/device/token", given)

    def sign_in(self, person: Person, at: str = "trakt") -> dict[str, Any]:
        begun = self.begin(person, at)
        time.sleep(begun["interval"])
        said = self.poll(begun, at)
        assert said.status_code == 200, said.text
        granted: dict[str, Any] = said.json()
        return granted

    def refresh(self, token: str, at: str = "trakt", **headers: str) -> httpx.Response:
        return self.post(f"{at}/oauth/token", {"grant_type": "refresh_token", "refresh_token": token}, **headers)

    def get(self, path: str, token: str) -> httpx.Response:
        return self.web.get(path, headers={"authorization": f"Bearer {token}"})


@pytest.fixture(scope="module")
def program(deployed: Deployed) -> Program:
    return Program(deployed)


@pytest.fixture(scope="module")
def person(deployed: Deployed) -> Person:
    return deployed.person("owner of programs")


@pytest.mark.parametrize("at", ["trakt", "trakt/", "trakt//"])
def test_from_the_code_to_the_end(program: Program, person: Person, at: str) -> None:
    """Signed in, used, refreshed with an old Bearer beside it, revoked; with double slashes, too."""
    begun = program.begin(person, at)
    assert begun.keys() == {"device_code", "user_code", "verification_url", "expires_in", "interval"}
    early = [program.poll(begun, at) for _ in range(2)]
    assert [(said.status_code, said.content) for said in early] == [(400, b""), (429, b"")]
    time.sleep(begun["interval"])
    granted = program.poll(begun, at).json()
    assert program.poll(begun, at).status_code == 409
    assert program.get("trakt/users/settings", granted["access_token"]).json()["user"]["ids"]["slug"] == person.slug
    said = program.refresh(granted["refresh_token"], at, authorization=f"Bearer {granted['access_token']}")
    newer = said.json()
    assert newer.keys() == granted.keys()
    assert program.get("trakt/users/settings", granted["access_token"]).status_code == 401
    assert program.get("trakt/users/settings", newer["access_token"]).status_code == 200
    said = program.post(f"{at}/oauth/revoke", {"token": newer["access_token"]})
    assert (said.status_code, said.json()) == (200, {})
    assert program.get("trakt/users/settings", newer["access_token"]).status_code == 401
    said = program.refresh(newer["refresh_token"], at)
    assert (said.status_code, said.json()["error"]) == (400, "invalid_grant")


def test_a_copied_refresh_token(program: Program, person: Person) -> None:
    """Gets the same tokens for a minute; once the next one was used, it ends the program that it was copied from."""
    other, granted = program.sign_in(person), program.sign_in(person)
    newer = program.refresh(granted["refresh_token"]).json()
    assert program.refresh(granted["refresh_token"]).json() == newer
    newest = program.refresh(newer["refresh_token"]).json()
    assert program.refresh(granted["refresh_token"]).status_code == 400
    assert program.get("trakt/users/settings", newest["access_token"]).status_code == 401
    assert program.get("trakt/users/settings", other["access_token"]).status_code == 200


def test_it_opens_trakt_alone(program: Program, person: Person) -> None:
    """403 `session_required` elsewhere; as `trakt-api-key` it will do."""
    token = program.sign_in(person)["access_token"]
    for path in ("tmdb/3/configuration", "kinopub/v1/history", "sync/state", "auth/session", "account/export"):
        said = program.get(path, token)
        assert (said.status_code, said.json()["code"]) == (403, "session_required"), path
    assert program.web.get(f"tmdb/3/configuration?api_key={token}").status_code == 403
    assert program.web.get(f"kinopub/v1/history?access_token={token}").status_code == 403
    assert program.web.get("trakt/movies/trending", headers={"trakt-api-key": token}).status_code == 200
    assert "a program" in {item["name"] for item in person.call("GET", "auth/api-tokens")["items"]}


def test_no_authorize(program: Program) -> None:
    """404, with one slash or two."""
    for path in ("trakt/oauth/authorize", "trakt//oauth/authorize"):
        assert program.web.get(path).json()["code"] == "unknown_endpoint"
        assert program.web.post(path, json={}).json()["code"] == "unknown_endpoint"


def run(name: str, *arguments: str | Path) -> "subprocess.Popen[str]":
    python = installed("clients", CLIENTS / "requirements.txt") / "bin" / "python"
    command = [python, "-u", CLIENTS / f"{name}.py", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_pytrakt(deployed: Deployed, person: Person, tmp_path: Path) -> None:
    """Signs in by its device flow, reads the history, adds a play, refreshes, is revoked."""
    film = next(movie for movie in deployed.library.catalogue.movies if movie.imdb and movie.tmdb)
    with run("with_pytrakt", f"{deployed.stack.api_url}/trakt/", str(film.imdb), tmp_path) as client:
        assert client.stdout is not None
        try:
            shown = re.search(r"user code is: (\S+),", client.stdout.readline())
            assert shown, client.stdout.read()
            deployed.upstreams.trakt.approve(shown[1], person.slug)
            said = client.communicate(timeout=60)[0]
        finally:
            client.kill()
    assert client.returncode == 0, said
    told = json.loads(said.splitlines()[-1])
    tokens = set(told.pop("tokens"))
    deployed.secrets |= tokens
    assert len(tokens) == 4
    had, has = told.pop("plays")
    assert (told.pop("added")["added"]["movies"], has - had, told.pop("after_refresh")) == (1, 1, has)
    assert told.pop("trending") > 0
    assert told == {"user": person.slug, "revoked": {}, "then": "signed out", "and": "for good"}


def test_tmdbsimple(deployed: Deployed, person: Person) -> None:
    """Searches, finds and shows a film with `?api_key=wf_…`."""
    film = next(movie for movie in deployed.library.catalogue.movies if movie.imdb and movie.tmdb)
    token = person.call("POST", "auth/api-tokens", json={"name": "tmdbsimple"})["token"]
    with run("with_tmdbsimple", f"{deployed.stack.api_url}/tmdb/3", token, film.title, str(film.imdb)) as client:
        said = client.communicate(timeout=60)[0]
    assert client.returncode == 0, said
    told = json.loads(said.splitlines()[-1])
    assert told["id"] == film.tmdb
    assert film.tmdb in told["hits"]
    assert told["title"] == film.title
