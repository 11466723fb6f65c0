"""Programs: who calls with an API token, and what that opens (http-api.md, Who is calling)."""

import logging
from typing import Any

import pytest

from tests.browser import Browser
from watchferry.http_api import guard
from watchferry.wiring import Wiring

PEOPLE_S = [
    ("PUT", "/auth/session"),
    ("POST", "/auth/open"),
    ("GET", "/auth/open"),
    ("GET", "/account/export"),
    ("HEAD", "/account/export"),
    ("DELETE", "/account"),
]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {} "])
def test_a_token_is_its_user(visitor: Browser, token: str, form: str) -> None:
    """Without a cookie; the scheme in any case."""
    assert visitor.get("/sync/mine", {"Authorization": form.format(token)}).json == {"slug": "harry"}


def test_a_token_wins_over_the_cookie(member: Browser, wiring: Wiring) -> None:
    """What a program sends counts, whoever is signed in beside it."""
    wiring.accounts.sign_in("u-2", {"slug": "ron", "name": "Ron"})
    _, theirs = wiring.api_tokens.make("u-2", "a program")
    assert member.get("/sync/mine").json == {"slug": "harry"}
    assert member.get("/sync/mine", bearer(theirs)).json == {"slug": "ron"}


@pytest.mark.parametrize("path", ["/sync/mine", "/auth/session", "/auth/open", "/account/export"])
@pytest.mark.parametrize("wrong", ["wf_", "wf_abc", "wf_" + "A" * 43, "{}x", "{}, Bearer {}", "wf_{}"])
def test_an_unknown_token_is_nobody(member: Browser, token: str, wrong: str, path: str) -> None:
    """401 `unauthenticated`, though there is a good cookie beside it."""
    said = member.get(path, bearer(wrong.format(token, token)))
    assert (said.status, said.code) == (401, "unauthenticated")


def test_a_revoked_token_is_nobody(visitor: Browser, wiring: Wiring, token: str) -> None:
    """At once."""
    [row] = wiring.api_tokens.of("u-1")
    wiring.api_tokens.revoke("u-1", row.token_id)
    assert visitor.get("/sync/mine", bearer(token)).code == "unauthenticated"


def test_a_token_without_its_account(visitor: Browser, wiring: Wiring, token: str) -> None:
    """401 everywhere, on routes that look at no account too."""
    wiring.accounts.table.delete({"user_id": "u-1"})
    for path in ("/sync/mine", "/sync/things/t", "/sync/table", "/auth/session"):
        assert visitor.get(path, bearer(token)).code == "unauthenticated"


@pytest.mark.parametrize(("method", "path"), PEOPLE_S)
def test_what_is_a_person_s(visitor: Browser, member: Browser, token: str, method: str, path: str) -> None:
    """Under /auth and /account 403 `session_required`, whether the route is open or there is a cookie as well."""
    for browser in (visitor, member):
        said = browser.send(method, path, headers=bearer(token))
        assert said.status == 403
        if method != "HEAD":
            assert said.code == "session_required"
    assert member.send(method, path).status in {200, 204, 400}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_program_may_ask_whose_token_it_has(visitor: Browser, token: str, method: str) -> None:
    """`GET /auth/session` is the exception."""
    assert visitor.send(method, "/auth/session", headers=bearer(token)).status == 200


def test_open_routes_elsewhere_ask_nobody(visitor: Browser) -> None:
    """A client may still send an old token where none is needed."""
    assert visitor.post("/trakt/proxied", None, bearer("wf_" + "A" * 43)).status == 200


def test_a_kind_opens_what_it_names(
    visitor: Browser, token: str, monkeypatch: pytest.MonkeyPatch, wiring: Wiring
) -> None:
    """A kind for one upstream opens that alone, a kind that nobody knows nothing."""
    monkeypatch.setattr(guard, "OPENS", {"api": ("/api/trakt/",)})
    assert visitor.get("/sync/mine", bearer(token)).code == "session_required"
    assert visitor.get("/auth/session", bearer(token)).code == "session_required"
    monkeypatch.setattr(guard, "OPENS", {})
    assert visitor.get("/sync/mine", bearer(token)).code == "session_required"


def test_tokens_are_never_logged(
    visitor: Browser, token: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[Any]
) -> None:
    """Neither good ones nor bad ones."""
    caplog.set_level(logging.DEBUG, logger="watchferry")
    for sent in (token, "wf_" + "A" * 43):
        visitor.get("/sync/mine", bearer(sent))
        visitor.get("/account/export", bearer(sent))
        assert sent not in caplog.text + capsys.readouterr().out
