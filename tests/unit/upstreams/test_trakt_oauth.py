"""Trakt's OAuth host refuses what the real one refuses, in its words and statuses."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .conftest import AGENT, Stand

OOB = "urn:ietf:wg:oauth:2.0:oob"


def device(stand: Stand) -> dict[str, str]:
    answer = stand.oauth("/oauth/device/code")
    assert answer.status_code == 200
    return dict(answer.json())


def poll(stand: Stand, code: str) -> httpx.Response:
    return stand.oauth("/oauth/device/token", code=code)


def test_a_device_flow_from_code_to_used_code(stand: Stand) -> None:
    """Pending is 400 with an empty body; approved is 200 once; after that the code is 409."""
    codes = device(stand)
    pending = poll(stand, codes["device_code"])
    assert (pending.status_code, pending.content) == (400, b"")
    stand.trakt.approve(codes["user_code"], "harry")
    stand.clock.advance(5)
    answer = poll(stand, codes["device_code"])
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 604_800
    assert answer.json()["created_at"] == int(stand.clock())
    stand.clock.advance(5)
    assert poll(stand, codes["device_code"]).status_code == 409


def test_polling_faster_than_the_interval_is_429(stand: Stand) -> None:
    """Even where the person has approved meanwhile."""
    codes = device(stand)
    assert poll(stand, codes["device_code"]).status_code == 400
    stand.trakt.approve(codes["user_code"], "harry")
    stand.clock.advance(2)
    assert poll(stand, codes["device_code"]).status_code == 429
    stand.clock.advance(5)
    assert poll(stand, codes["device_code"]).status_code == 200


def test_unknown_expired_and_denied_codes(stand: Stand) -> None:
    """404, 410 and 418, each without a body."""
    assert poll(stand, "no such code").status_code == 404
    codes = device(stand)
    stand.trakt.deny(codes["user_code"])
    assert poll(stand, codes["device_code"]).status_code == 418
    codes = device(stand)
    stand.clock.advance(600)
    expired = poll(stand, codes["device_code"])
    assert (expired.status_code, expired.content) == (410, b"")


@pytest.mark.parametrize(("edge", "body"), [(400, b"<!DOCTYPE html>"), (401, b"")])
def test_an_edge_before_the_token_endpoint(stand: Stand, edge: int, body: bytes) -> None:
    """It answers in a form of its own; the refresh token behind it is as good as before."""
    stand.trakt.options.set(token_edge=edge)
    grant = stand.trakt.grant("harry")
    said = stand.refresh(grant.refresh)
    assert (said.status_code, said.content[:15]) == (edge, body)
    stand.trakt.options.set(token_edge=0)
    assert stand.refresh(grant.refresh).status_code == 200


def test_an_edge_before_the_polls(stand: Stand) -> None:
    """A page with whatever status; the poll never got there."""
    codes = device(stand)
    stand.trakt.approve(codes["user_code"], "harry")
    stand.trakt.options.set(poll_edge=404)
    said = poll(stand, codes["device_code"])
    assert (said.status_code, said.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    stand.trakt.options.set(poll_edge=0)
    assert poll(stand, codes["device_code"]).status_code == 200


def test_a_pending_poll_may_say_anything(stand: Stand) -> None:
    """Reality, Trakt, Token: an empty or unusable body."""
    stand.trakt.options.set(pending_body="\x1f\x8b{")
    codes = device(stand)
    assert (poll(stand, codes["device_code"]).status_code, poll(stand, codes["device_code"]).status_code) == (400, 429)


@pytest.mark.parametrize(("how", "body"), [("text", b"Forbidden"), ("json", b'{"error"')])
def test_an_application_that_is_refused(stand: Stand, how: str, body: bytes) -> None:
    """Every call of the API is 403, with a token and without; tokens are still renewed."""
    stand.trakt.options.set(app_refused=how)
    for headers in ({}, {"Authorization": None}):
        said = stand.api("GET", "/sync/history/movies", headers=headers)
        assert (said.status_code, said.content[: len(body)]) == (403, body)
    assert stand.refresh(stand.trakt.by_access[stand.access].refresh).status_code == 200


def test_a_secret_that_is_refused(stand: Stand) -> None:
    """`invalid_client` wherever a secret is asked for; the API itself still answers."""
    stand.trakt.options.set(app_refused="client")
    said = stand.refresh(stand.trakt.by_access[stand.access].refresh)
    assert (said.status_code, said.json()["error"]) == (401, "invalid_client")
    assert stand.api("GET", "/users/settings").status_code == 200


def test_a_refresh_token_is_single_use(stand: Stand) -> None:
    """Reality, Trakt, Token: the second refresh with it is a 400 with error and error_description."""
    grant = stand.trakt.grant("harry")
    first = stand.refresh(grant.refresh)
    assert first.status_code == 200
    assert first.json()["refresh_token"] != grant.refresh
    second = stand.refresh(grant.refresh)
    assert second.status_code == 400
    assert second.json()["error"] == "invalid_grant"
    assert second.json()["error_description"]
    assert stand.refresh(first.json()["refresh_token"]).status_code == 200
    counts = stand.trakt.token_counts()
    assert (counts["refreshes_served"], counts["refreshes_refused"]) == (2, 1)


def test_the_older_host_says_401_to_a_used_refresh_token(stand: Stand) -> None:
    """The status is a switch; the body is the same."""
    stand.trakt.options.oauth_refusal = 401
    answer = stand.refresh("unknown")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_grant")
    assert "invalid_grant" in answer.headers["WWW-Authenticate"]


def test_refreshing_ends_the_old_access_token(stand: Stand) -> None:
    """Whoever still holds it is told 401; a switch keeps it alive."""
    stand.refresh(stand.trakt.by_access[stand.access].refresh)
    answer = stand.api("GET", "/users/settings")
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_an_access_token_ends_when_its_lifetime_is_over(stand: Stand) -> None:
    """created_at + expires_in, whatever it is set to; the refresh token still works."""
    stand.trakt.options.token_lifetime = 60
    grant = stand.trakt.grant("harry")
    headers = {"Authorization": f"Bearer {grant.access}"}
    stand.clock.advance(59)
    assert stand.api("GET", "/users/settings", headers=headers).status_code == 200
    stand.clock.advance(1)
    assert stand.api("GET", "/users/settings", headers=headers).status_code == 401
    assert stand.refresh(grant.refresh).status_code == 200


def test_a_revoked_pair_is_dead(stand: Stand) -> None:
    """Neither token works after /oauth/revoke; nor after the user removed the application."""
    grant = stand.trakt.by_access[stand.access]
    assert stand.oauth("/oauth/revoke", token=grant.access).json() == {}
    assert stand.api("GET", "/users/settings").status_code == 401
    assert stand.refresh(grant.refresh).status_code == 400
    other = stand.trakt.grant("harry")
    stand.trakt.revoke_tokens("harry")
    assert stand.refresh(other.refresh).status_code == 400


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"redirect_uri": "https://elsewhere.example/"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_refresh_needs_everything_right(stand: Stand, changed: dict[str, str], status: int, error: str) -> None:
    """A refusal does not use the token up."""
    grant = stand.trakt.grant("harry")
    answer = stand.refresh(grant.refresh, **changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert stand.refresh(grant.refresh).status_code == 200


def test_an_old_bearer_does_not_disturb_a_refresh(stand: Stand) -> None:
    """Client libraries attach the expired token to the refresh, and no trakt-api-key."""
    grant = stand.trakt.grant("harry")
    stand.trakt.expire_tokens("harry")
    body = {
        "grant_type": "refresh_token",
        "refresh_token": grant.refresh,
        "client_id": stand.trakt.client_id,
        "client_secret": stand.trakt.client_secret,
        "redirect_uri": OOB,
    }
    headers = AGENT | {"Authorization": f"Bearer {grant.access}"}
    assert stand.http.post("https://auth.trakt.tv/oauth/token", json=body, headers=headers).status_code == 200


def test_oauth_takes_json_only(stand: Stand) -> None:
    """A form is 412, as everywhere at Trakt."""
    answer = stand.http.post("https://auth.trakt.tv/oauth/token", data={"grant_type": "refresh_token"}, headers=AGENT)
    assert answer.status_code == 412


def authorize(stand: Stand, **query: str) -> httpx.Response:
    asked = {"response_type": "code", "client_id": stand.trakt.client_id, "redirect_uri": "http://localhost:1/back"}
    return stand.http.get("https://auth.trakt.tv/oauth/authorize", params=asked | query, headers=AGENT)


def test_authorize_redirects_with_a_single_use_code(stand: Stand) -> None:
    """The signed-in person agrees; the code is for one exchange, with the same redirect URI."""
    assert authorize(stand).status_code == 200  # nobody is signed in: a page
    stand.trakt.sign_in("harry")
    answer = authorize(stand, state="s1")
    assert answer.status_code == 302
    sent = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert sent["state"] == ["s1"]
    exchange = {"grant_type": "authorization_code", "code": sent["code"][0]}
    wrong = stand.oauth("/oauth/token", **exchange, redirect_uri=OOB)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    right = stand.oauth("/oauth/token", **exchange, redirect_uri="http://localhost:1/back")
    assert right.status_code == 200
    assert stand.oauth("/oauth/token", **exchange, redirect_uri="http://localhost:1/back").status_code == 400


def test_authorize_never_redirects_to_a_foreign_address(stand: Stand) -> None:
    """A redirect URI that is not registered, or an unknown client, gets a page."""
    stand.trakt.sign_in("harry")
    assert authorize(stand, redirect_uri="https://evil.example/").status_code == 400
    assert authorize(stand, client_id="somebody").status_code == 401


def test_a_person_may_say_no(stand: Stand) -> None:
    """Then the redirect carries an error and the state."""
    stand.trakt.sign_in("harry")
    stand.trakt.options.authorize_denies = True
    sent = parse_qs(urlsplit(authorize(stand, state="s2").headers["Location"]).query)
    assert (sent["error"], sent["state"]) == (["access_denied"], ["s2"])
