"""Trakt's history: stores what it is sent, pages as it likes, removes by id."""

import time
from typing import Any

import pytest

from tests.upstreams import Upstreams

from .conftest import NOW, Stand

AT = "2026-01-01T10:00:30.000Z"


def film(at: str | None = AT, **ids: Any) -> dict[str, Any]:
    return {"movies": [{"ids": ids or {"imdb": "tt0133093"}} | ({"watched_at": at} if at else {})]}


def episode_ids(stand: Stand) -> dict[str, Any]:
    return dict(stand.api("GET", "/shows/silo/seasons/1").json()[0]["ids"])


def test_posting_twice_stores_twice(stand: Stand) -> None:
    """Reality, Trakt: the same item at the same time is two plays, each with its own int64 id."""
    for _ in range(2):
        answer = stand.api("POST", "/sync/history", json=film())
        assert answer.status_code == 201
        assert answer.json()["added"] == {"movies": 1, "episodes": 0}
    plays = stand.api("GET", "/sync/history").json()
    assert [play["watched_at"] for play in plays] == [AT, AT]
    assert len({play["id"] for play in plays}) == 2
    assert all(play["id"] > 2**32 for play in plays)


def test_the_answer_has_no_history_ids_and_updated_is_optional(stand: Stand) -> None:
    """201 with added and not_found; `updated` can be switched off, 200 on."""
    answer = stand.api("POST", "/sync/history", json=film())
    assert set(answer.json()) == {"added", "updated", "not_found"}
    assert set(answer.json()["not_found"]) == {"movies", "shows", "seasons", "episodes"}
    stand.trakt.options.history_updated, stand.trakt.options.history_status = False, 200
    answer = stand.api("POST", "/sync/history", json=film())
    assert (answer.status_code, set(answer.json())) == (200, {"added", "not_found"})


@pytest.mark.parametrize("id_type", ["trakt", "imdb", "tmdb", "slug"])
def test_a_film_is_found_by_any_of_its_ids(stand: Stand, id_type: str) -> None:
    """trakt, imdb, tmdb, slug."""
    ids = stand.api("GET", "/search/trakt/481?type=movie").json()[0]["movie"]["ids"]
    answer = stand.api("POST", "/sync/history", json=film(**{id_type: ids[id_type]}))
    assert answer.json()["added"]["movies"] == 1


@pytest.mark.parametrize("id_type", ["trakt", "imdb", "tmdb", "tvdb"])
def test_an_episode_is_found_by_any_of_its_ids(stand: Stand, id_type: str) -> None:
    """trakt, imdb, tmdb, tvdb."""
    ids = {id_type: episode_ids(stand)[id_type]}
    answer = stand.api("POST", "/sync/history", json={"episodes": [{"ids": ids, "watched_at": AT}]})
    assert answer.json()["added"]["episodes"] == 1


def test_what_is_unknown_comes_back_under_not_found(stand: Stand) -> None:
    """With the ids as they were sent and without the time; the rest is stored."""
    body = {
        "movies": [*film()["movies"], {"ids": {"imdb": "tt0000111"}, "watched_at": AT}],
        "episodes": [{"ids": {"trakt": 5}, "watched_at": AT}],
    }
    answer = stand.api("POST", "/sync/history", json=body).json()
    assert answer["added"] == {"movies": 1, "episodes": 0}
    assert answer["not_found"]["movies"] == [{"ids": {"imdb": "tt0000111"}}]
    assert answer["not_found"]["episodes"] == [{"ids": {"trakt": 5}}]


@pytest.mark.parametrize("at", ["2026-01-01T13:00:00+03:00", "2026-01-01T10:00:00", "2026-01-01", "now", 1767261600])
def test_only_utc_times_that_end_in_z_are_taken(stand: Stand, at: Any) -> None:
    """422, and nothing of the request is stored."""
    body = {"movies": [*film()["movies"], {"ids": {"trakt": 481}, "watched_at": at}]}
    assert stand.api("POST", "/sync/history", json=body).status_code == 422
    assert stand.trakt.plays("harry") == []


@pytest.mark.parametrize(
    ("at", "stored"),
    [
        ("2026-01-01T10:00Z", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01T10:00:05Z", "2026-01-01T10:00:05.000Z"),
        ("2026-01-01T10:00:05.250Z", "2026-01-01T10:00:05.250Z"),
        ("unknown", "1970-01-01T00:00:00.000Z"),
        ("released", "1999-06-15T00:00:00.000Z"),
        (None, "2026-09-21T14:13:20.000Z"),
    ],
)
def test_times_are_stored_to_the_millisecond(stand: Stand, at: str | None, stored: str) -> None:
    """`released` and `unknown` are taken; without a time it is now."""
    assert stand.api("POST", "/sync/history", json=film(at)).status_code == 201
    assert stand.api("GET", "/sync/history").json()[0]["watched_at"] == stored


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"", 400),
        (b"[]", 422),
        (b'{"movies": {}}', 422),
        (b'{"movies": [1]}', 422),
        (b'{"movies": [{"ids": {}}]}', 422),
        (b'{"movies": [{"ids": {"imdb": null}}]}', 422),
        (b'{"movies": [{"ids": {"imdb": 133093}}]}', 422),
        (b'{"movies": [{"ids": {"trakt": "481"}}]}', 422),
        (b'{"episodes": [{"title": "Freedom Day", "year": 2023}]}', 422),
        (b'{"shows": [{"ids": {"slug": "silo"}, "seasons": 1}]}', 422),
        (b"{}", 201),
    ],
)
def test_bodies_are_validated(stand: Stand, body: bytes, status: int) -> None:
    """400 for what is no JSON, 422 for what is of the wrong type; nothing at all is fine."""
    answer = stand.api("POST", "/sync/history", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert stand.trakt.plays("harry") == []


def test_whole_shows_and_numbered_episodes_can_be_posted(stand: Stand) -> None:
    """A show is all its episodes; seasons and numbers narrow it; the innermost time counts."""
    show = {"ids": {"slug": "silo"}, "watched_at": AT}
    assert stand.api("POST", "/sync/history", json={"shows": [show]}).json()["added"]["episodes"] == 2
    other = "2026-02-02T10:00:00.000Z"
    numbered = show | {"seasons": [{"number": 1, "episodes": [{"number": 2, "watched_at": other}, {"number": 77}]}]}
    answer = stand.api("POST", "/sync/history", json={"shows": [numbered]}).json()
    assert answer["added"]["episodes"] == 1
    absent = [{"number": 1, "episodes": [{"number": 77}]}]
    assert answer["not_found"]["shows"] == [{"ids": {"slug": "silo"}, "seasons": absent}]
    assert stand.api("GET", "/sync/history").json()[0]["watched_at"] == other


def test_pages_are_clamped_and_told_in_headers(stand: Stand) -> None:
    """Reality, Trakt, Pagination: `limit` is cut to 250 without a word, the default is 10, newest first."""
    thing = stand.upstreams.library.find("The Matrix").trakt
    for n in range(260):
        stand.trakt.add_play("harry", thing, NOW - n * 60)  # type: ignore[arg-type]
    default = stand.api("GET", "/sync/history")
    assert len(default.json()) == 10
    first = stand.api("GET", "/sync/history/movies?page=1&limit=1000")
    assert len(first.json()) == 250
    assert first.headers["X-Pagination-Limit"] == "250"
    assert first.headers["X-Pagination-Page"] == "1"
    assert first.headers["X-Pagination-Page-Count"] == "2"
    assert first.headers["X-Pagination-Item-Count"] == "260"
    second = stand.api("GET", "/sync/history/movies?page=2&limit=1000").json()
    assert len(second) == 10
    times = [play["watched_at"] for play in first.json() + second]
    assert times == sorted(times, reverse=True)
    assert stand.api("GET", "/sync/history?page=99").json() == []


def test_a_window_includes_both_ends(stand: Stand) -> None:
    """start_at and end_at; a form that is no UTC time is refused."""
    for at in ("2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z"):
        stand.api("POST", "/sync/history", json=film(at))
    query = "start_at=2026-01-01T10:00:00.000Z&end_at=2026-01-02T10:00:00.000Z"
    assert len(stand.api("GET", f"/sync/history?{query}").json()) == 2
    assert stand.api("GET", "/sync/history?start_at=2026-01-01T10:00:00%2B03:00").status_code == 400


def test_history_of_one_kind_or_one_item(stand: Stand) -> None:
    """Films, episodes, a show with all its episodes, a season, one episode."""
    ids = episode_ids(stand)
    stand.api("POST", "/sync/history", json=film() | {"episodes": [{"ids": ids, "watched_at": AT}]})
    season = stand.api("GET", "/shows/silo/seasons").json()[0]["ids"]["trakt"]
    paths = ["movies", "episodes", "movies/481", "shows/180770", f"seasons/{season}", f"episodes/{ids['trakt']}"]
    for path in paths:
        [play] = stand.api("GET", f"/sync/history/{path}").json()
        assert play["type"] == ("movie" if path.startswith("movies") else "episode")
    assert stand.api("GET", "/sync/history/movies/482").json() == []


def test_plays_are_removed_by_their_ids(stand: Stand) -> None:
    """Exactly those; ids that are none are reported. Items take all their plays with them."""
    for _ in range(3):
        stand.api("POST", "/sync/history", json=film())
    first, *_ = stand.api("GET", "/sync/history").json()
    answer = stand.api("POST", "/sync/history/remove", json={"ids": [first["id"], 42]})
    assert answer.status_code == 200
    assert answer.json()["deleted"] == {"movies": 1, "episodes": 0}
    assert answer.json()["not_found"]["ids"] == [42]
    assert len(stand.trakt.plays("harry")) == 2
    assert stand.api("POST", "/sync/history/remove", json={"ids": ["1"]}).status_code == 422
    answer = stand.api("POST", "/sync/history/remove", json={"movies": [{"ids": {"trakt": 481}}]})
    assert answer.json()["deleted"]["movies"] == 2


def test_an_account_has_room_for_so_many_plays(stand: Stand) -> None:
    """420 with the limit and where to upgrade; nothing of the request is stored."""
    stand.trakt.users["harry"].account_limit = 1
    assert stand.api("POST", "/sync/history", json=film()).status_code == 201
    answer = stand.api("POST", "/sync/history", json=film())
    assert answer.status_code == 420
    assert answer.headers["X-Account-Limit"] == "1"
    assert answer.headers["X-Upgrade-URL"]
    assert len(stand.trakt.plays("harry")) == 1


def test_last_activities_move_when_the_history_changes(stand: Stand) -> None:
    """To the time of the change, not of the play."""
    before = stand.api("GET", "/sync/last_activities").json()
    stand.api("POST", "/sync/history", json=film())
    after = stand.api("GET", "/sync/last_activities").json()
    assert before["movies"]["watched_at"] != after["movies"]["watched_at"] == "2026-09-21T14:13:20.000Z"
    assert before["episodes"] == after["episodes"]
    assert after["all"] == after["movies"]["watched_at"]


def test_users_have_their_own_plays(stand: Stand) -> None:
    """What one posts the other never sees."""
    stand.upstreams.add_user("kim")
    kim = {"Authorization": f"Bearer {stand.trakt.grant('kim').access}"}
    stand.api("POST", "/sync/history", json=film(), headers=kim)
    assert stand.api("GET", "/sync/history").json() == []
    assert len(stand.api("GET", "/sync/history", headers=kim).json()) == 1


def test_watched_is_paginated_and_has_seasons_on_request(stand: Stand) -> None:
    """Reality, Trakt: `seasons` only with extended=progress, a hundred a page at most."""
    stand.api("POST", "/sync/history", json=film() | {"shows": [{"ids": {"slug": "silo"}, "watched_at": AT}]})
    answer = stand.api("GET", "/sync/watched/shows?limit=250&extended=progress")
    assert answer.headers["X-Pagination-Limit"] == "100"
    [entry] = answer.json()
    assert [episode["plays"] for episode in entry["seasons"][0]["episodes"]] == [1, 1]
    assert "seasons" not in stand.api("GET", "/sync/watched/shows").json()[0]
    assert stand.api("GET", "/sync/watched/movies").json()[0]["plays"] == 1


def test_a_long_history_is_read_as_fast_as_a_short_one() -> None:
    """A page in the middle of 10,000 plays takes less than a few milliseconds."""
    made = Upstreams("tiny", clock=lambda: NOW)
    thing = made.library.find("The Matrix").trakt
    for n in range(10_000):
        made.trakt.add_play("harry", thing, NOW - n * 600)  # type: ignore[arg-type]
    plays = made.trakt.users["harry"].plays
    began = time.perf_counter()
    for page in range(1, 101):
        plays.page(("movies", None), None, round(NOW * 1000), page, 100)
    assert (time.perf_counter() - began) / 100 < 0.005
