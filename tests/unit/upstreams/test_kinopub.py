"""Kinopub's oddities: how it logs in, pages, names and counts."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.upstreams import Upstreams, film

from .conftest import AGENT, NOW, Stand

BASE = "https://api.service-kp.com"


def device(stand: Stand) -> dict[str, Any]:
    return dict(stand.kino_oauth("/oauth2/device", grant_type="device_code").json())


def poll(stand: Stand, code: str) -> httpx.Response:
    return stand.kino_oauth("/oauth2/device", grant_type="device_token", code=code)


def test_a_device_flow(stand: Stand) -> None:
    """Every answer before the tokens is a 400 with a word; the code works once."""
    codes = device(stand)
    pending = poll(stand, codes["code"])
    assert (pending.status_code, pending.json()) == (400, {"error": "authorization_pending"})
    stand.kinopub.approve(codes["user_code"], "harry")
    answer = poll(stand, codes["code"])
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert poll(stand, codes["code"]).json() == {"error": "invalid_grant"}


def test_denied_expired_and_unknown_codes(stand: Stand) -> None:
    """access_denied, code_expired or authorization_expired, invalid_grant, invalid_client."""
    codes = device(stand)
    stand.kinopub.deny(codes["user_code"])
    assert poll(stand, codes["code"]).json() == {"error": "access_denied"}
    codes = device(stand)
    stand.clock.advance(codes["expires_in"])
    assert poll(stand, codes["code"]).json() == {"error": "code_expired"}
    stand.kinopub.options.expired_word = "authorization_expired"
    assert poll(stand, codes["code"]).json() == {"error": "authorization_expired"}
    assert poll(stand, "nonsense").json() == {"error": "invalid_grant"}
    wrong = stand.kino_oauth("/oauth2/device", grant_type="device_code", client_secret="wrong")
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_client"})


def test_parameters_may_stand_in_a_form_but_not_in_json(stand: Stand) -> None:
    """The query is documented, many clients send a form; JSON is not read."""
    fields = {
        "grant_type": "device_code",
        "client_id": stand.kinopub.client_id,
        "client_secret": stand.kinopub.client_secret,
    }
    assert stand.http.post(f"{BASE}/oauth2/device", data=fields, headers=AGENT).status_code == 200
    assert stand.http.post(f"{BASE}/oauth2/device", json=fields, headers=AGENT).status_code == 400


def refresh(stand: Stand, token: str) -> httpx.Response:
    return stand.kino_oauth("/oauth2/token", grant_type="refresh_token", refresh_token=token)


def test_a_refresh_rotates_both_tokens_and_kills_the_old_ones(stand: Stand) -> None:
    """The old access token is 401 at once, the old refresh token 400 invalid_refresh_token."""
    old = stand.kinopub.by_access[stand.kinopub_access]
    answer = refresh(stand, old.refresh)
    assert answer.status_code == 200
    refused = stand.kino("/v1/history")
    assert (refused.status_code, refused.json()) == (401, {"status": 401, "error": "unauthorized"})
    again = refresh(stand, old.refresh)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_refresh_token"})
    assert stand.kino("/v1/history", access_token=answer.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("edge", [400, 401])
def test_an_edge_before_the_tokens(stand: Stand, edge: int) -> None:
    """It answers without a word of Kinopub's; the refresh token and the code behind it are as good as before."""
    stand.kinopub.options.set(token_edge=edge, poll_edge=edge)
    pair, codes = stand.kinopub.grant("harry"), device(stand)
    stand.kinopub.approve(codes["user_code"], "harry")
    for said in (refresh(stand, pair.refresh), poll(stand, codes["code"])):
        assert (said.status_code, b'"error"' in said.content) == (edge, False)
    stand.kinopub.options.set(token_edge=0, poll_edge=0)
    assert refresh(stand, pair.refresh).status_code == poll(stand, codes["code"]).status_code == 200


def test_an_application_that_is_refused(stand: Stand) -> None:
    """`invalid_client` for a refresh and a poll; tokens that are good still open the API."""
    pair, codes = stand.kinopub.grant("harry"), device(stand)
    stand.kinopub.options.set(app_refused=True)
    for said in (refresh(stand, pair.refresh), poll(stand, codes["code"])):
        assert (said.status_code, said.json()) == (400, {"error": "invalid_client"})
    assert stand.kino("/v1/history").status_code == 200


def test_a_refresh_token_dies_after_thirty_days_without_use(stand: Stand) -> None:
    """A refresh in time starts the thirty days anew."""
    token = stand.kinopub.grant("harry").refresh
    stand.clock.advance(29 * 86_400)
    token = refresh(stand, token).json()["refresh_token"]
    stand.clock.advance(29 * 86_400)
    token = refresh(stand, token).json()["refresh_token"]
    stand.clock.advance(30 * 86_400)
    assert refresh(stand, token).json() == {"error": "invalid_refresh_token"}


def test_token_type_may_be_missing(stand: Stand) -> None:
    """A switch."""
    stand.kinopub.options.token_type_missing = True
    assert "token_type" not in refresh(stand, stand.kinopub.grant("harry").refresh).json()


def test_history_pages_count_pages_and_are_cut_to_fifty(shelf: Stand) -> None:
    """Reality, Kinopub, History: `pagination.total` is pages, numbers may be strings, newest first."""
    first = shelf.kino("/v1/history", perpage=1000).json()
    rows = len(shelf.upstreams.library.viewers["harry"].rows)
    assert len(first["history"]) == 50
    assert first["pagination"] == {"total": str(-(-rows // 50)), "current": 1, "perpage": "50", "total_items": rows}
    second = shelf.kino("/v1/history", perpage=50, page=2).json()
    assert second["pagination"]["total"] == -(-rows // 50)
    seen = [row["last_seen"] for page in (first, second) for row in page["history"]]
    assert seen == sorted(seen, reverse=True)
    assert len(shelf.kino("/v1/history").json()["history"]) == 20


def every_row(stand: Stand) -> list[dict[str, Any]]:
    pages = int(stand.kino("/v1/history", perpage=50).json()["pagination"]["total"])
    return [row for n in range(pages) for row in stand.kino("/v1/history", perpage=50, page=n + 1).json()["history"]]


def test_one_row_for_each_unit_and_films_have_season_0(shelf: Stand) -> None:
    """`media.snumber` is 0 for films; `imdb` comes as an integer, a string, "0", 0, null, or not at all."""
    rows = every_row(shelf)
    assert len({row["media"]["id"] for row in rows}) == len(rows)
    films = [row for row in rows if row["item"]["type"].lower() not in ("serial", "docuserial", "tvshow")]
    assert {row["media"]["snumber"] for row in films} == {0}
    shown = {row["item"]["title"]: row["item"].get("imdb", "missing") for row in rows}
    assert shown["Матрица / The Matrix"] == 133093
    assert shown["Кон-Тики / Kon-Tiki"] == 42650
    assert shown["Сталкер / Stalker"] == "tt0079944"
    assert shown["Солярис / Solaris"] == "0"
    assert shown["ЛЕГЕНДА №17 / LEGEND NO. 17"] == 0
    assert shown["На волне"] is None
    assert shown["Интерстеллар / Interstellar"] == "missing"
    assert {row["item"]["type"] for row in films} >= {"movie", "3D", "3d", "documovie", "concert"}


def test_rows_shift_between_pages(shelf: Stand) -> None:
    """A bumped row pushes one to the next page, where it is seen twice; a deleted one lets one slip by."""
    stand = Upstreams("realistic", clock=lambda: NOW)
    access = stand.kinopub.grant("harry").access
    with httpx.Client(transport=stand.transport(), headers=AGENT, base_url=BASE) as client:

        def media(page: int) -> list[int]:
            query: dict[str, Any] = {"access_token": access, "page": page}
            return [row["media"]["id"] for row in client.get("/v1/history", params=query).json()["history"]]

        last = media(3)[-1]
        stand.kinopub.shift("harry", after_page=1, bump=last)
        first = media(1)
        assert media(2)[0] == first[-1]
        stand.kinopub.shift("harry", after_page=1, delete=media(1)[3])
        second = media(2)
        media(1)
        assert media(2)[0] == second[1]


def test_a_hook_runs_after_each_page(stand: Stand) -> None:
    """For whatever else may happen between two pages."""
    seen: list[tuple[str, int]] = []
    stand.kinopub.on_history_page = lambda user, page: seen.append((user, page))
    stand.kino("/v1/history", page=2)
    assert seen == [("harry", 2)]


def test_watching_again_only_moves_the_row(stand: Stand) -> None:
    """No second row; `counter` goes up, `first_seen` stays."""
    before = {row["media"]["id"]: row for row in every_row(stand)}
    media = stand.upstreams.library.rewatch("harry", "The Matrix", at=NOW - 60)
    [first, *rest] = every_row(stand)
    assert first["media"]["id"] == media
    assert (first["counter"], first["first_seen"]) == (2, before[media]["first_seen"])
    assert len(rest) + 1 == len(before)


def test_watching_of_films_and_series_differ(shelf: Stand) -> None:
    """Films have videos and a status; series have seasons and none."""
    film_like = shelf.kino("/v1/watching", id=320).json()["item"]
    assert set(film_like) == {"id", "title", "type", "status", "videos"}
    assert [video["number"] for video in film_like["videos"]] == [1, 2, 3, 4]
    series = shelf.kino("/v1/watching", id=8121).json()["item"]
    assert set(series) == {"id", "title", "type", "seasons", "watched"}
    episode = series["seasons"][0]["episodes"][0]
    assert set(episode) == {"id", "number", "title", "duration", "time", "status", "updated"}
    statuses = [episode["status"] for episode in series["seasons"][1]["episodes"]]
    assert statuses == [1, 1, 1, 0, -1, -1, -1, -1, -1, -1]
    [second] = shelf.kino("/v1/watching", id=8121, season=2).json()["item"]["seasons"]
    assert second["number"] == 2


def test_bulk_marking_stamps_a_season_with_one_second(shelf: Stand) -> None:
    """And the status says nothing about `time`."""
    seasons = shelf.kino("/v1/watching", id=8632).json()["item"]["seasons"]
    assert [len({episode["updated"] for episode in season["episodes"]}) for season in seasons[:4]] == [1, 1, 1, 1]
    finished = [episode for season in seasons for episode in season["episodes"]]
    assert len({episode["time"] >= episode["duration"] for episode in finished}) == 2


def test_a_removed_title_is_known_to_watching_only(shelf: Stand) -> None:
    """/v1/items/{id} is 404."""
    assert shelf.kino("/v1/watching", id=307).json()["item"]["videos"][0]["status"] == 1
    assert shelf.kino("/v1/items/307", nolinks=1).status_code == 404
    assert shelf.kino("/v1/items/306", nolinks=1).json()["item"]["imdb"] == 816692


def test_numbers_of_some_titles_are_strings(shelf: Stand) -> None:
    """In rows and in /v1/watching; ids, status and updated stay numbers."""
    episode = shelf.kino("/v1/watching", id=8102).json()["item"]["seasons"][0]["episodes"][0]
    assert episode["number"] == "1"
    assert isinstance(episode["duration"], str)
    assert isinstance(episode["id"], int)
    assert isinstance(episode["updated"], int | None)


def test_nolinks_leaves_out_the_links(shelf: Stand) -> None:
    """They are most of the answer."""
    assert "files" in shelf.kino("/v1/items/113").json()["item"]["videos"][0]
    assert "files" not in shelf.kino("/v1/items/113", nolinks=1).json()["item"]["videos"][0]


def test_continue_watching(shelf: Stand) -> None:
    """Begun films; series with something left, all or subscribed ones."""
    begun = {item["title"] for item in shelf.kino("/v1/watching/movies").json()["items"]}
    assert "Рио 2 / Rio 2" in begun
    assert "Матрица / The Matrix" not in begun
    serials = shelf.kino("/v1/watching/serials").json()["items"]
    assert {"total", "watched", "new"} <= set(serials[0])
    subscribed = shelf.kino("/v1/watching/serials", subscribed=1).json()["items"]
    assert {item["id"] for item in subscribed} == {8121, 8122}


def test_the_catalogue_can_be_listed_and_searched(shelf: Stand) -> None:
    """By type and by a part of a title."""
    found = shelf.kino("/v1/items/search", q="матрица").json()
    assert len(found["items"]) == 4
    assert list(shelf.kino("/v1/items/search", q="матрица", sectioned=1).json()["items"]) == ["movie"]
    assert {item["type"] for item in shelf.kino("/v1/items", type="serial").json()["items"]} == {"serial"}


def test_calls_that_change_state_are_remembered(stand: Stand) -> None:
    """They work, so that a proxy which lets them through is found out twice."""
    assert stand.kinopub.state_changes == []
    stand.kino("/v1/watching/toggle", id=113, video=1)
    stand.kino("/v1/watching/marktime", id=740, video=1, time=60)
    assert [path for _, path, _ in stand.kinopub.state_changes] == ["/v1/watching/toggle", "/v1/watching/marktime"]
    assert stand.kino("/v1/watching", id=113).json()["item"]["status"] == -1
    assert stand.kino("/v1/watching", id=740).json()["item"]["status"] == 0


def notify(stand: Stand, **body: Any) -> httpx.Response:
    query = {"access_token": stand.kinopub_access}
    return stand.http.post(f"{BASE}/v1/device/notify", params=query, headers=AGENT, **body)


def test_a_device_is_named_by_json_or_by_a_form(stand: Stand) -> None:
    """A switch refuses JSON, another everything; a cookie is set."""
    fields = {"title": "Watchferry", "hardware": "x", "software": "y"}
    answer = notify(stand, json=fields)
    assert (answer.json(), bool(answer.headers["Set-Cookie"])) == ({"status": 200}, True)
    stand.kinopub.options.notify_refuses_json = True
    assert notify(stand, json=fields).status_code == 400
    assert notify(stand, data=fields).status_code == 200
    stand.kinopub.options.notify_fails = True
    assert notify(stand, data=fields).status_code == 500
    assert [user for user, _ in stand.kinopub.notified] == ["harry", "harry"]


def test_parallel_reads_provoke_a_429_without_a_hint(stand: Stand) -> None:
    """As many as are allowed in flight pass; the switch is off by default."""
    stand.kinopub.options.latency, stand.kinopub.options.max_in_flight = 0.1, 2
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: stand.kino("/v1/history"), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 1 <= len(refused) <= 4
    assert "Retry-After" not in refused[0].headers
    stand.kinopub.options.retry_after = "3"
    stand.kinopub.options.max_in_flight = 0
    assert stand.kino("/v1/history").headers["Retry-After"] == "3"


def test_some_user_agents_are_blocked(stand: Stand) -> None:
    """403 as HTML; which ones is a switch."""
    stand.kinopub.options.blocked_user_agents = "^stand-in-tests"
    answer = stand.kino("/v1/history")
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("token", ["", "unknown"])
def test_without_a_token_it_is_401(stand: Stand, token: str) -> None:
    """With a JSON body that says so again."""
    assert stand.kino("/v1/items", access_token=token).json() == {"status": 401, "error": "unauthorized"}


def test_a_library_of_ones_own(stand: Stand) -> None:
    """Titles can be added to a library that is in use."""
    added = film(stand.upstreams.library, "Новый / New", 2026, "tt7654321", item=900)
    stand.upstreams.library.watch("harry", 900, at=NOW - 10)
    assert every_row(stand)[0]["item"]["id"] == added.id
    assert stand.api("GET", "/search/imdb/tt7654321").json()[0]["movie"]["title"] == "New"
