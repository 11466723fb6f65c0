"""Whatever is sent to the broker's endpoints, the answer is a problem with a stable word."""

from typing import Any

import pytest

from tests.browser import Browser, event, reply

POSTS = {
    "/auth/trakt/device/token": {"device_code": "A" * 43},
    "/auth/kinopub/device/token": {"device_code": "A" * 43},
    "/auth/trakt/oauth/exchange": {"code": "c", "state": "A" * 43},
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("wrong", [None, 7, True, [], {}])
def test_every_field_is_checked(signed_in: Browser, path: str, wrong: Any) -> None:
    """400 `validation` for a wrong type of any field, or for one too many."""
    good: dict[str, Any] = POSTS[path]
    bodies = [good | {name: wrong} for name in good]
    bodies += [{name: value for name, value in good.items() if name != gone} for gone in good]
    for body in [*bodies, good | {"extra": wrong}]:
        said = signed_in.post(path, body)
        assert (said.status, said.code) == (400, "validation"), body


@pytest.mark.parametrize("wrong", ["", "a b", "ä", "A" * 129, "A" * 2000, "../x", "A" * 43 + "\n", "\u0000"])
def test_what_cannot_be_a_handle_is_none(signed_in: Browser, wrong: str) -> None:
    """404 `invalid` and 400 `invalid_state`, as for one that never was."""
    for path, body, refusal in (
        ("/auth/trakt/device/token", {"device_code": wrong}, (404, "invalid")),
        ("/auth/kinopub/device/token", {"device_code": wrong}, (404, "invalid")),
        ("/auth/trakt/oauth/exchange", {"code": "c", "state": wrong}, (400, "invalid_state")),
    ):
        said = signed_in.post(path, body)
        assert (said.status, said.code) == refusal


@pytest.mark.parametrize("code", ["", "c" * 1025])
def test_a_code_has_a_length(signed_in: Browser, code: str) -> None:
    """400 `validation`."""
    assert signed_in.post("/auth/trakt/oauth/exchange", {"code": code, "state": "A" * 43}).code == "validation"


@pytest.mark.parametrize("wrong", [7, [], {}, "x" * 5000])
def test_redirect_addresses_are_texts(browser: Browser, wrong: Any) -> None:
    """400 `validation`; absent or null, it is this site's own."""
    assert browser.post("/auth/trakt/authorize", {"redirect_uri": wrong}).code == "validation"
    assert browser.post("/auth/trakt/authorize", {"redirect_uri": None}).status == 200


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"{", b"\x00", b"[1]", b'"x"', b"{}" * 2, b"device_code=A"])
def test_bodies_that_are_no_objects(signed_in: Browser, path: str, body: bytes) -> None:
    """400 `validation`."""
    headers = {"content-type": "application/json", "x-csrf": "1"}
    sent = event("POST", path, headers=headers, cookies=signed_in.cookies, body=body, in_base64=True)
    assert reply(signed_in.api(sent, None)).code == "validation"


@pytest.mark.parametrize("path", POSTS)
def test_forms_of_other_sites(signed_in: Browser, path: str) -> None:
    """415 for a form, 413 for a flood."""
    form = {"content-type": "application/x-www-form-urlencoded", "x-csrf": "1"}
    sent = event("POST", path, headers=form, cookies=signed_in.cookies, body=b"device_code=A")
    assert reply(signed_in.api(sent, None)).code == "unsupported_media_type"
    assert signed_in.post(path, {"device_code": "A" * 70_000}).code == "too_large"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/trakt/device/code"),
        ("POST", "/auth/trakt/device/token"),
        ("POST", "/auth/trakt/authorize"),
        ("POST", "/auth/trakt/oauth/exchange"),
        ("POST", "/auth/kinopub/device/code"),
        ("POST", "/auth/kinopub/device/token"),
        ("POST", "/auth/logout"),
        ("DELETE", "/auth/trakt"),
        ("DELETE", "/auth/kinopub"),
    ],
)
def test_nobody_is_signed_in_by_another_site(signed_in: Browser, browser: Browser, method: str, path: str) -> None:
    """403 `csrf` for every write from elsewhere, with a cookie or without."""
    anonymous = Browser(signed_in.api)
    for visitor in (signed_in, anonymous):
        said = visitor.send(method, path, POSTS.get(path), {"Origin": "https://evil.test"})
        assert (said.status, said.code) == (403, "csrf")
    said = signed_in.send(method, path, POSTS.get(path), {"X-CSRF": ""})
    assert (said.status, said.code) == (403, "csrf")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/trakt/device/code"),
        ("PUT", "/auth/session"),
        ("DELETE", "/auth/session"),
        ("GET", "/auth"),
        ("GET", "/auth/"),
        ("POST", "/auth/plex/device/code"),
        ("GET", "/auth/session/x"),
        ("GET", "/auth/session\n"),
    ],
)
def test_what_is_not_there(signed_in: Browser, method: str, path: str) -> None:
    """404 `unknown_endpoint`."""
    said = signed_in.send(method, path)
    assert (said.status, said.code) == (404, "unknown_endpoint")
