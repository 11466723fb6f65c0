"""Queries go out as they came, but for credentials; and two questions never share one answer."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchferry.errors import Problem
from watchferry.proxy.query import canonical, checked, is_personal, values, without

PIECES = st.lists(st.text("ab=&%20+wf_[]", max_size=8), max_size=6).map("&".join)


@given(PIECES)
def test_what_has_no_credential_is_not_touched(raw: str) -> None:
    """Byte for byte: order, repetition, encoding, empty parts."""
    plain = "&".join(part for part in raw.split("&") if "wf" not in part)
    assert without(plain, {"api_key"}) == plain


@given(PIECES, PIECES)
def test_credentials_are_taken_out_wherever_they_stand(before: str, after: str) -> None:
    """By their name, however it is written, and ours by their form."""
    token = "s3cret" + "x" * 37
    ours = (f"x=wf_{token}", f"x=%77f_{token}", f"x=wf_{'m' * 22}{token}", "token=wf_s3cret", "ApiKey=%77f_s3cret")
    for secret in ("api_key=s3cret", "api%5Fkey=s3cret", "%61pi_key=s3cret", *ours):
        assert "s3cret" not in without("&".join((before, secret, after)), {"api_key"})


@pytest.mark.parametrize("raw", ["query=wf_the+film", "query=wf_", "query=wf_" + "x" * 50, "q=a%20wf_" + "x" * 43])
def test_what_only_begins_like_a_token_stays(raw: str) -> None:
    """Under a name that is no credential's."""
    assert without(raw, {"api_key"}) == raw


@given(PIECES)
def test_order_of_names_does_not_matter_order_of_values_does(raw: str) -> None:
    """The canonical form asks the same: each name has its values, in their order."""

    def asked(text: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True, encoding="latin-1"):
            found.setdefault(name, []).append(value)
        return found

    assert asked(canonical(raw)) == asked(raw)
    assert canonical(canonical(raw)) == canonical(raw)


def test_canonical() -> None:
    """Sorted by name, stable; encodings stay apart."""
    assert canonical("b=2&a=2&a=1") == "a=2&a=1&b=2" == canonical("a=2&b=2&a=1")
    assert canonical("a=1&a=2") != canonical("a=2&a=1")
    assert canonical("q=a%20b") != canonical("q=a+b")
    assert canonical("q=%ff") != canonical("q=%fe")


def test_values() -> None:
    """All of a name, decoded."""
    assert values("a=1&b=2&a=%33&a", "a") == ["1", "3", ""]


@pytest.mark.parametrize("raw", ["session_id=x", "a=1&SESSION_ID=x", "guest%5Fsession_id=1", "api_key="])
def test_personal(raw: str) -> None:
    """What names somebody's credential is not for all."""
    assert is_personal(raw)
    assert not is_personal("query=session_id&page=1")


@pytest.mark.parametrize("raw", ["a b", "a\r\nHost: x", "a\tb", "ключ=1", "a#b", "\x00", "a" * 9000, "a\x7f"])
def test_what_cannot_stand_in_a_request_line(raw: str) -> None:
    """400 `validation`."""
    with pytest.raises(Problem) as refused:
        checked(raw)
    assert (refused.value.status, refused.value.code) == (400, "validation")
