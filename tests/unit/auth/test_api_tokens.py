"""`/auth/api-tokens`: made, listed and revoked by a person (http-api.md, API tokens)."""

import re
from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import Clock
from tests.tables import everything_stored
from tests.unit.auth.conftest import NewBrowser, sign_in
from tests.upstreams import Upstreams
from watchferry.storage.api_tokens import MOST
from watchferry.wiring import Wiring

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def make(browser: Browser, name: str = "Kodi") -> dict[str, Any]:
    said = browser.post("/auth/api-tokens", {"name": name})
    assert said.status == 201, said
    made: dict[str, Any] = said.json
    return made


def test_made_and_shown_once(signed_in: Browser, wiring: Wiring) -> None:
    """201 with the token; never again in any answer, and in no table."""
    made = make(signed_in, "Kodi, спальня")
    assert made.keys() == {"id", "name", "token", "created_at"}
    assert made["name"] == "Kodi, спальня"
    assert re.fullmatch(r"wf_[A-Za-z0-9_-]{43}", made["token"])
    assert re.fullmatch(TIME, made["created_at"])
    [listed] = signed_in.get("/auth/api-tokens").json["items"]
    assert listed == {key: made[key] for key in ("id", "name", "created_at")} | {"last_used_at": None}
    assert made["token"].removeprefix("wf_") not in everything_stored(wiring.dynamo)


def test_a_program_uses_it(signed_in: Browser, new_browser: NewBrowser, clock: Clock) -> None:
    """It may ask whose token it has; the list says when it was used."""
    made = make(signed_in)
    program = new_browser()
    clock.advance(60)
    told = program.get("/auth/session", {"Authorization": f"Bearer {made['token']}"})
    assert (told.status, told.json["user"]["slug"]) == (200, "harry")
    [listed] = signed_in.get("/auth/api-tokens").json["items"]
    assert re.fullmatch(TIME, listed["last_used_at"])
    assert listed["last_used_at"] > made["created_at"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/api-tokens"),
        ("POST", "/auth/api-tokens"),
        ("DELETE", "/auth/api-tokens/x"),
        ("DELETE", "/auth/trakt"),
        ("DELETE", "/auth/kinopub"),
        ("POST", "/auth/kinopub/device/code"),
        ("POST", "/auth/trakt/device/code"),
        ("POST", "/auth/logout"),
        ("GET", "/account/export"),
        ("DELETE", "/account"),
    ],
)
def test_what_no_token_opens(signed_in: Browser, new_browser: NewBrowser, method: str, path: str) -> None:
    """A stolen token makes no others and changes no account: 403 `session_required`."""
    token = make(signed_in)["token"]
    said = new_browser().send(method, path, headers={"Authorization": f"Bearer {token}"})
    assert (said.status, said.code) == (403, "session_required")
    assert signed_in.get("/auth/session").json["trakt"]["connected"]


def test_revoked(signed_in: Browser, new_browser: NewBrowser) -> None:
    """204, and it is nobody's from then on; a second time, or an id that never was: 404."""
    kept, gone = make(signed_in), make(signed_in)
    assert signed_in.delete(f"/auth/api-tokens/{gone['id']}").status == 204
    for wrong in (gone["id"], "unknown", kept["token"]):
        said = signed_in.delete(f"/auth/api-tokens/{wrong}")
        assert (said.status, said.code) == (404, "not_found")
    said = new_browser().get("/auth/session", {"Authorization": f"Bearer {gone['token']}"})
    assert (said.status, said.code) == (401, "unauthenticated")
    assert [item["id"] for item in signed_in.get("/auth/api-tokens").json["items"]] == [kept["id"]]


def test_nobody_sees_or_revokes_another_s(
    signed_in: Browser, new_browser: NewBrowser, upstreams: Upstreams, clock: Clock
) -> None:
    """404, as if it were not there."""
    upstreams.add_user("ron")
    ron = new_browser()
    sign_in(ron, upstreams, clock, "ron")
    made = make(signed_in)
    assert ron.get("/auth/api-tokens").json == {"items": []}
    assert ron.delete(f"/auth/api-tokens/{made['id']}").code == "not_found"
    assert len(signed_in.get("/auth/api-tokens").json["items"]) == 1


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 101}, {"name": 7}, {"name": None}])
def test_a_name_is_needed(signed_in: Browser, body: object) -> None:
    """1 to 100 characters: 400 `validation` otherwise, and for fields that nobody knows."""
    for wrong in (body, {"name": "x", "kind": "facade"}):
        said = signed_in.post("/auth/api-tokens", wrong)
        assert (said.status, said.code) == (400, "validation")
    assert make(signed_in, "x" * 100)["name"] == "x" * 100
    assert len(signed_in.get("/auth/api-tokens").json["items"]) == 1


def test_a_limit(signed_in: Browser) -> None:
    """409 `too_many` for the fifty-first."""
    for number in range(MOST):
        make(signed_in, str(number))
    said = signed_in.post("/auth/api-tokens", {"name": "one more"})
    assert (said.status, said.code) == (409, "too_many")


def test_only_for_who_is_signed_in(browser: Browser) -> None:
    """401 `unauthenticated`."""
    assert browser.get("/auth/api-tokens").code == "unauthenticated"
    assert browser.post("/auth/api-tokens", {"name": "x"}).code == "unauthenticated"
    assert browser.delete("/auth/api-tokens/x").code == "unauthenticated"
