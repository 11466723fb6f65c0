"""Scripted faults strike whom they name, when they say, as often as they say."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.upstreams import PRESETS, Fault

from .conftest import NOW, Stand

FILM = {"movies": [{"ids": {"imdb": "tt0133093"}, "watched_at": "2026-01-01T10:00:00Z"}]}


def test_skip_and_times_count_matching_requests(stand: Stand) -> None:
    """The first passes, the next two are struck, the rest pass."""
    fault = stand.trakt.faults.add(path="^/users/settings$", status=503, skip=1, times=2)
    seen = [stand.api("GET", "/users/settings").status_code for _ in range(4)]
    assert seen == [200, 503, 503, 200]
    assert fault.struck == 2


def test_a_fault_can_be_for_one_user_only(stand: Stand) -> None:
    """Another user's requests pass."""
    stand.upstreams.add_user("kim")
    kim = {"Authorization": f"Bearer {stand.trakt.grant('kim').access}"}
    stand.trakt.faults.add(path="/", preset="locked", times=None, user="kim")
    assert stand.api("GET", "/users/settings").status_code == 200
    answer = stand.api("GET", "/users/settings", headers=kim)
    assert (answer.status_code, answer.headers["X-Account-Locked"]) == (423, "true")


def test_a_refresh_is_known_by_its_user_too(stand: Stand) -> None:
    """A refresh has no access token; its refresh token names the user."""
    grant = stand.trakt.grant("harry")
    stand.trakt.faults.add(path="/oauth/token", status=502, user="harry")
    assert stand.refresh(grant.refresh).status_code == 502
    assert stand.refresh(grant.refresh).status_code == 200


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_is_an_answer(stand: Stand, preset: str) -> None:
    """Each named fault answers with its status and type, and nothing was done."""
    stand.trakt.faults.add(path="^/sync/history$", method="POST", preset=preset)
    answer = stand.api("POST", "/sync/history", json=FILM)
    assert answer.status_code == (PRESETS[preset][0] or 200)
    assert stand.trakt.plays("harry") == []


def test_an_edge_429_is_html_without_any_hint(stand: Stand) -> None:
    """Reality, Trakt, Limits: an edge 429 may lack both headers and be HTML."""
    stand.trakt.faults.add(path="/", preset="edge_429")
    answer = stand.api("GET", "/users/settings")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Retry-After" not in answer.headers
    assert "X-Ratelimit" not in answer.headers


def test_retry_after_may_be_a_date(stand: Stand) -> None:
    """An HTTP date, reckoned from the stand-in's own clock."""
    stand.trakt.faults.add(path="/", preset="rate_limited_date", headers={"Retry-After": "http-date:+30"})
    date = stand.api("GET", "/users/settings").headers["Retry-After"]
    assert parsedate_to_datetime(date).timestamp() == NOW + 30


@pytest.mark.parametrize("preset", ["garbage", "html_ok"])
def test_a_post_can_be_applied_and_answered_with_nonsense(stand: Stand, preset: str) -> None:
    """The status is the real 201, the body useless, the play stored."""
    stand.trakt.faults.add(path="^/sync/history$", method="POST", when="after", preset=preset)
    answer = stand.api("POST", "/sync/history", json=FILM)
    assert answer.status_code == 201
    with pytest.raises(ValueError, match=r"Expecting|Invalid|decode"):
        answer.json()
    assert len(stand.trakt.plays("harry")) == 1


def test_a_5xx_after_the_effect_leaves_it_standing(stand: Stand) -> None:
    """A 504 says nothing about what happened."""
    stand.trakt.faults.add(path="^/sync/history$", method="POST", when="after", preset="gateway_timeout")
    assert stand.api("POST", "/sync/history", json=FILM).status_code == 504
    assert len(stand.trakt.plays("harry")) == 1


@pytest.mark.parametrize("wrong", [{"when": "during"}, {"preset": "no such"}, {"statuss": 5}])
def test_a_misspelt_fault_is_refused(wrong: dict[str, Any]) -> None:
    """A typo must not be a fault that never strikes."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        Fault(path="/", **wrong)


def test_a_misspelt_switch_is_refused(stand: Stand) -> None:
    """Nor a switch that does nothing."""
    with pytest.raises(ValueError, match="no switch 'limit'"):
        stand.trakt.options.set(limit=True)
