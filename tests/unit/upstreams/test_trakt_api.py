"""What Trakt checks before it answers, and what it answers to look-ups."""

import json

import pytest

from .conftest import Stand


@pytest.mark.parametrize(
    ("headers", "status", "media"),
    [
        ({"User-Agent": None}, 403, "text/html"),
        ({"trakt-api-key": None}, 403, "application/json"),
        ({"trakt-api-key": "wrong"}, 403, "application/json"),
        ({"trakt-api-version": None}, 403, "application/json"),
        ({"trakt-api-version": "1"}, 403, "application/json"),
    ],
)
def test_required_headers(stand: Stand, headers: dict[str, str | None], status: int, media: str) -> None:
    """Reality, Trakt, Statuses: 403 as HTML is the firewall, as JSON the key or the application."""
    answer = stand.api("GET", "/users/settings", headers=headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(media)


@pytest.mark.parametrize("credential", [None, "Bearer unknown", "Basic abc", "bare-token"])
def test_a_missing_or_unknown_token_is_401(stand: Stand, credential: str | None) -> None:
    """With a challenge and no body to lean on."""
    answer = stand.api("GET", "/sync/history", headers={"Authorization": credential})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")


def test_public_answers_need_no_token_but_no_wrong_one_either(stand: Stand) -> None:
    """An expired token on a public read is 401, none at all is fine."""
    assert stand.api("GET", "/shows/silo/seasons", headers={"Authorization": None}).status_code == 200
    stand.trakt.expire_tokens("harry")
    assert stand.api("GET", "/shows/silo/seasons").status_code == 401


def test_unknown_paths_and_methods(stand: Stand) -> None:
    """404 for a path that does not exist, 405 for one that does with another method."""
    assert stand.api("GET", "/no/such/path").status_code == 404
    assert stand.api("DELETE", "/sync/history").status_code == 405


def test_another_content_type_is_412(stand: Stand) -> None:
    """Reality, Trakt, Statuses: wrong content type."""
    assert stand.api("POST", "/sync/history", data={"movies": "[]"}).status_code == 412


def test_locked_and_deactivated_accounts(stand: Stand) -> None:
    """423 on everything of that user, with the header that says which."""
    stand.trakt.users["harry"].locked = True
    answer = stand.api("GET", "/sync/history")
    assert (answer.status_code, answer.headers["X-Account-Locked"]) == (423, "true")
    stand.trakt.users["harry"].locked = False
    stand.trakt.users["harry"].deactivated = True
    assert stand.api("GET", "/sync/history").headers["X-Account-Deactivated"] == "true"


def test_settings_follow_the_user(stand: Stand) -> None:
    """The slug can be renamed and reused; the uuid stays with the person."""
    before = stand.api("GET", "/users/settings").json()["user"]["ids"]
    stand.trakt.rename_user("harry", "tequila_sunset")
    stand.trakt.add_user("harry", uuid="somebody else", vip=False)
    after = stand.api("GET", "/users/settings").json()["user"]["ids"]
    assert after["slug"] == "tequila_sunset"
    assert after["uuid"] == before["uuid"]
    other = stand.trakt.grant("harry").access
    shown = stand.api("GET", "/users/settings", headers={"Authorization": f"Bearer {other}"}).json()
    assert (shown["user"]["ids"]["uuid"], shown["user"]["vip"]) == ("somebody else", False)


def test_one_post_a_second(stand: Stand) -> None:
    """Reality, Trakt, Limits: 429 as JSON with Retry-After and X-Ratelimit; reading has a budget of its own."""
    stand.trakt.options.limits = True
    assert stand.api("POST", "/sync/history", json={}).status_code == 201
    refused = stand.api("POST", "/sync/history/remove", json={})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    told = json.loads(refused.headers["X-Ratelimit"])
    assert told["name"] == "AUTHED_API_POST_LIMIT"
    assert (told["period"], told["limit"], told["remaining"]) == (1, 1, 0)
    read = stand.api("GET", "/sync/history")
    assert (read.status_code, json.loads(read.headers["X-Ratelimit"])["remaining"]) == (200, 999)
    stand.clock.advance(1)
    assert stand.api("POST", "/sync/history", json={}).status_code == 201


def test_a_thousand_reads_in_five_minutes_for_each_user(stand: Stand) -> None:
    """HEAD counts as a read; another user, and the application without a user, have their own budget."""
    stand.trakt.options.limits, stand.trakt.options.get_limit = True, 3
    statuses = [stand.api(method, "/sync/history").status_code for method in ("GET", "HEAD", "GET", "GET")]
    assert statuses == [200, 200, 200, 429]
    assert stand.api("HEAD", "/shows/silo/seasons", headers={"Authorization": None}).status_code == 200
    stand.upstreams.add_user("kim")
    kim = {"Authorization": f"Bearer {stand.trakt.grant('kim').access}"}
    assert stand.api("GET", "/sync/history", headers=kim).status_code == 200
    stand.clock.advance(300)
    assert stand.api("GET", "/sync/history").status_code == 200


def test_unauthenticated_reads_share_one_budget(stand: Stand) -> None:
    """Per application."""
    stand.trakt.options.limits, stand.trakt.options.get_limit = True, 1
    public = {"Authorization": None}
    assert stand.api("GET", "/movies/trending", headers=public).status_code == 200
    refused = stand.api("GET", "/shows/trending", headers=public)
    assert json.loads(refused.headers["X-Ratelimit"])["name"] == "UNAUTHED_API_GET_LIMIT"


def test_id_lookups_have_no_score_and_need_the_exact_id(stand: Stand) -> None:
    """`score` is null; an id without its padding, or of another type, finds nothing."""
    [hit] = stand.api("GET", "/search/imdb/tt0133093?type=movie").json()
    assert (hit["type"], hit["score"], hit["movie"]["ids"]["trakt"]) == ("movie", None, 481)
    assert stand.api("GET", "/search/imdb/tt133093").json() == []
    assert stand.api("GET", "/search/imdb/tt0133093?type=show").json() == []


def test_an_imdb_id_can_mean_two_shows(shelf: Stand) -> None:
    """Nothing tells them apart: both have a null score."""
    hits = shelf.api("GET", "/search/imdb/tt2384811?type=show").json()
    assert [hit["score"] for hit in hits] == [None, None]
    assert len({hit["show"]["ids"]["trakt"] for hit in hits}) == 2


def test_text_search_is_fuzzy_and_ranks_near_titles_first(shelf: Stand) -> None:
    """Scores are floats, highest first; the right film need not be the first one."""
    query = {"query": r"Happy People\: A Year in the Taiga"}
    hits = shelf.api("GET", "/search/movie", params=query).json()
    assert hits[0]["movie"]["title"] != "Happy People: A Year in the Taiga"
    assert "Happy People: A Year in the Taiga" in [hit["movie"]["title"] for hit in hits]
    scores = [hit["score"] for hit in hits]
    assert all(isinstance(score, float) for score in scores)
    assert scores == sorted(scores, reverse=True)


def test_text_search_reads_translations(shelf: Stand) -> None:
    """A Russian title finds the film, which is shown under its own title."""
    [hit, *_] = shelf.api("GET", "/search/movie", params={"query": "Форрест Гамп"}).json()
    assert hit["movie"]["title"] == "Forrest Gump"


@pytest.mark.parametrize("query", ["Солярис / Solaris", 'The "Matrix', "(Solaris", ""])
def test_a_query_that_the_engine_cannot_read_finds_nothing(shelf: Stand, query: str) -> None:
    """The OpenAPI document names characters that must be escaped; unescaped ones spoil the query."""
    answer = shelf.api("GET", "/search/movie", params={"query": query})
    assert (answer.status_code, answer.json()) == (200, [])


def test_a_minus_shuns_a_word(shelf: Stand) -> None:
    """`-word` leaves out what has the word."""
    shown = shelf.api("GET", "/search/movie", params={"query": "Matrix -Reloaded"}).json()
    assert "The Matrix Reloaded" not in [hit["movie"]["title"] for hit in shown]


def test_seasons_with_and_without_episodes(shelf: Stand) -> None:
    """Reality, Trakt, Season endpoint: one call for all, a flat list for one season."""
    plain = shelf.api("GET", "/shows/silo/seasons").json()
    assert [season["number"] for season in plain] == [1, 2]
    assert "episodes" not in plain[0]
    full = shelf.api("GET", "/shows/180770/seasons?extended=full,episodes").json()
    assert [len(season["episodes"]) for season in full] == [10, 10]
    flat = shelf.api("GET", "/shows/tt14688458/seasons/1").json()
    assert [episode["number"] for episode in flat] == list(range(1, 11))
    assert flat == full[0]["episodes"]
    assert {episode["season"] for episode in flat} == {1}


def test_the_documented_season_form_is_a_switch(stand: Stand) -> None:
    """`[{number, episodes}]` for one season, and no episodes in the list of all."""
    stand.trakt.options.documented_season_form = True
    [season] = stand.api("GET", "/shows/silo/seasons/1?extended=episodes").json()
    assert (season["number"], [episode["number"] for episode in season["episodes"]]) == (1, [1, 2])
    assert "episodes" not in stand.api("GET", "/shows/silo/seasons?extended=episodes").json()[0]


def test_unknown_shows_and_seasons_are_404(stand: Stand) -> None:
    """Not an empty list."""
    assert stand.api("GET", "/shows/no-such-show/seasons").status_code == 404
    assert stand.api("GET", "/shows/silo/seasons/9").status_code == 404


def test_trending_is_paginated(shelf: Stand) -> None:
    """Ten by default."""
    answer = shelf.api("GET", "/movies/trending")
    assert len(answer.json()) == 10
    assert int(answer.headers["X-Pagination-Page-Count"]) > 1
