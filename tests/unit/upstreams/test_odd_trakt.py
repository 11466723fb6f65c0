"""Trakt's oddities, each a switch: the same plays, told otherwise than the documents say."""

import json
from typing import Any

import pytest

from tests.upstreams import Upstreams, build

from .conftest import NOW, Stand

FILM = {"ids": {"imdb": "tt0133093"}}
UNKNOWN = {"ids": {"imdb": "tt0000111"}}
HISTORY = "/sync/history"


def post(stand: Stand, at: str = "2026-01-01T10:00:55.000Z", **more: Any) -> Any:
    return stand.api("POST", HISTORY, json={"movies": [FILM | {"watched_at": at}], **more})


def many(stand: Stand, plays: int, apart: int = 60) -> None:
    thing = stand.upstreams.library.find("The Matrix").trakt
    for n in range(plays):
        stand.trakt.add_play("harry", thing, NOW - n * apart)  # type: ignore[arg-type]


def pages(stand: Stand, limit: int, count: int, path: str = HISTORY) -> list[list[int]]:
    return [
        [play["id"] for play in stand.api("GET", f"{path}?page={page + 1}&limit={limit}").json()]
        for page in range(count)
    ]


def test_times_are_cut_to_the_minute(stand: Stand) -> None:
    """A window that begins later than the stored minute misses the play."""
    stand.trakt.options.minute_times = True
    post(stand)
    assert stand.api("GET", HISTORY).json()[0]["watched_at"] == "2026-01-01T10:00:00.000Z"
    for start, found in (("10:00:30", 0), ("10:00:00", 1)):
        assert len(stand.api("GET", f"{HISTORY}?start_at=2026-01-01T{start}Z").json()) == found
    assert len(stand.api("GET", f"{HISTORY}?end_at=2026-01-01T10:00:00Z").json()) == 1


def test_plays_of_one_time_change_places_between_pages(stand: Stand) -> None:
    """Two pages miss some and repeat others; other times stay in their order."""
    stand.trakt.options.shuffles_equal_times = True
    many(stand, 20)
    assert pages(stand, 20, 1) == pages(stand, 20, 1)
    stand.upstreams.reset()
    stand.trakt.options.shuffles_equal_times = True
    many(stand, 20, apart=0)
    readings = [[play for page in pages(stand, 10, 2) for play in page] for _ in range(5)]
    assert all(len(reading) == 20 for reading in readings)
    assert any(len(set(reading)) < 20 for reading in readings)
    assert len({tuple(reading) for reading in readings}) == 5


def test_hidden_titles_are_counted_and_not_shown(stand: Stand) -> None:
    """A page of theirs is empty, and there is one after it. A film's number hides no show."""
    thing = stand.upstreams.library.find("Inception").trakt
    many(stand, 4)
    for n in range(2):
        stand.trakt.add_play("harry", thing, NOW - 90 - n)  # type: ignore[arg-type]
    assert [len(page) for page in pages(stand, 2, 3)] == [2, 2, 2]
    stand.trakt.options.hidden_titles = [f"movie:{thing.trakt}", "show:481"]  # type: ignore[union-attr]
    assert [len(page) for page in pages(stand, 2, 3)] == [2, 0, 2]
    answer = stand.api("GET", f"{HISTORY}?limit=2")
    assert (answer.headers["X-Pagination-Item-Count"], answer.headers["X-Pagination-Page-Count"]) == ("6", "3")
    assert stand.api("GET", f"{HISTORY}/movies/{thing.trakt}").json() == []  # type: ignore[union-attr]


@pytest.mark.parametrize(("times", "seen"), [(1, [0, 2]), (2, [0, 0, 2]), (-1, [0, 0, 0])])
def test_a_page_can_be_empty_for_a_while(stand: Stand, times: int, seen: list[int]) -> None:
    """Of the whole history; one title's own is not touched."""
    many(stand, 6)
    stand.trakt.options.empty_pages = {2: times}
    assert [len(page) for page in pages(stand, 2, 2, f"{HISTORY}/movies/481")] == [2, 2]
    assert [len(pages(stand, 2, 3)[1]) for _ in seen] == seen


def test_page_headers_may_lie_or_be_missing(stand: Stand) -> None:
    """None at all, no pages, too many."""
    many(stand, 6)
    told = {}
    for how in ("all", "none", "zero_pages", "item_count_off"):
        stand.trakt.options.pagination_headers = how
        headers = stand.api("GET", f"{HISTORY}?limit=2").headers
        told[how] = [headers.get(f"X-Pagination-{name}") for name in ("Page-Count", "Item-Count")]
    assert told == {
        "all": ["3", "6"],
        "none": [None, None],
        "zero_pages": ["0", "6"],
        "item_count_off": ["5", "9"],
    }


def test_a_history_may_have_no_end(stand: Stand) -> None:
    """The same full page for ever, and there is always another."""
    many(stand, 6)
    stand.trakt.options.endless_history = True
    first, *_, last = pages(stand, 2, 90)
    assert first == last
    assert stand.api("GET", f"{HISTORY}?page=90&limit=2").headers["X-Pagination-Page-Count"] == "91"


def test_the_default_of_a_page_is_a_switch(stand: Stand) -> None:
    """100 was seen."""
    many(stand, 12)
    stand.trakt.options.page_default = 100
    assert len(stand.api("GET", HISTORY).json()) == 12


def test_last_activities_may_be_behind_or_say_nothing(stand: Stand) -> None:
    """What was posted a minute ago is not told yet."""
    before = stand.api("GET", "/sync/last_activities").json()
    stand.trakt.options.activities_lag = 120
    post(stand)
    stand.clock.advance(60)
    assert stand.api("GET", "/sync/last_activities").json() == before
    stand.clock.advance(60)
    assert stand.api("GET", "/sync/last_activities").json()["movies"] != before["movies"]
    stand.trakt.options.activities_empty = True
    assert stand.api("GET", "/sync/last_activities").json() == {}


def test_the_answer_to_a_post_may_be_wrapped(stand: Stand) -> None:
    """In a list; and each list of `not_found` in another."""
    stand.trakt.options.wrapped_answer = stand.trakt.options.not_found_wrapped = True
    [answer] = stand.api("POST", HISTORY, json={"movies": [FILM, UNKNOWN]}).json()
    assert answer["added"]["movies"] == 1
    assert answer["not_found"]["movies"] == [[UNKNOWN]]
    assert answer["not_found"]["episodes"] == []
    assert len(stand.trakt.plays("harry")) == 1


def test_not_found_may_name_nothing_but_the_time(stand: Stand) -> None:
    """Which of the films at that time it means is not said."""
    stand.trakt.options.not_found_by_time = True
    at = {"watched_at": "2026-01-01T10:00:00.000Z"}
    answer = stand.api("POST", HISTORY, json={"movies": [FILM | at, UNKNOWN | at]}).json()
    assert answer["not_found"]["movies"] == [at]


def test_episodes_that_are_not_found_come_in_two_shapes(stand: Stand) -> None:
    """Ids alone, or inside a season of a show."""
    body = {"episodes": [{"ids": {"trakt": 5}}]}
    assert stand.api("POST", HISTORY, json=body).json()["not_found"]["episodes"] == body["episodes"]
    stand.trakt.options.not_found_nested = True
    [entry] = stand.api("POST", HISTORY, json=body).json()["not_found"]["episodes"]
    assert entry["seasons"][0]["episodes"][0]["ids"] == {"trakt": 5}


def test_added_may_say_0_though_the_plays_were_stored(stand: Stand) -> None:
    """`updated` tells their number then."""
    stand.trakt.options.added_zero = True
    answer = post(stand).json()
    assert (answer["added"]["movies"], answer["updated"]["movies"]) == (0, 1)
    assert len(stand.trakt.plays("harry")) == 1


@pytest.mark.parametrize(
    ("episode", "status"),
    [
        ({"ids": ["trakt"]}, 201),
        ({"ids": ["tvdb"]}, 201),
        ({"ids": ["trakt", "tvdb"]}, 201),
        ({"ids": ["trakt", "imdb"]}, 422),
        ({"ids": ["imdb"]}, 422),
        ({"ids": ["trakt"], "season": 1}, 422),
        ({"ids": ["trakt"], "watched_at": "2026-01-01T10:00:00.000Z"}, 201),
    ],
)
def test_episodes_may_be_taken_by_some_ids_only(stand: Stand, episode: dict[str, Any], status: int) -> None:
    """Another id, or anything beside ids and time, is 422, and nothing of the body is stored; films are as ever."""
    stand.trakt.options.episodes_by = ("trakt", "tvdb")
    [season] = stand.upstreams.library.find("Silo").trakt.seasons.values()  # type: ignore[union-attr]
    ids = next(iter(season.episodes.values())).brief()["ids"]
    sent = episode | {"ids": {name: ids[name] for name in episode["ids"]}}
    assert post(stand, episodes=[sent]).status_code == status
    assert len(stand.trakt.plays("harry")) == (2 if status == 201 else 0)


def test_films_shows_and_episodes_may_have_the_same_number(stand: Stand) -> None:
    """History and search keep the kinds apart."""
    odd = stand.upstreams
    odd.load("odd")
    show = odd.library.find("24").trakt
    films = {film.trakt for film in odd.trakt.catalogue.movies}
    number = min(films & {each.trakt for each in show.episodes()})  # type: ignore[union-attr]
    [shared] = odd.trakt.catalogue.by_id("movie", "trakt", str(number))
    [twin] = odd.trakt.catalogue.by_id("episode", "trakt", str(number))
    odd.trakt.add_play("harry", shared, NOW)  # type: ignore[arg-type]
    assert stand.api("GET", f"{HISTORY}/episodes/{twin.trakt}").json() == []
    assert len(stand.api("GET", f"{HISTORY}/movies/{twin.trakt}").json()) == 1
    found = stand.api("GET", f"/search/trakt/{twin.trakt}?type=movie").json()
    assert [hit["type"] for hit in found] == ["movie"]
    assert {hit["type"] for hit in stand.api("GET", f"/search/trakt/{twin.trakt}").json()} >= {"movie", "episode"}


def test_a_slug_of_digits_is_read_as_an_id(stand: Stand) -> None:
    """The show that is called 24 is not found by its slug."""
    stand.upstreams.load("odd")
    show = stand.upstreams.library.find("24").trakt
    assert show.slug == "24"  # type: ignore[union-attr]
    assert stand.api("GET", "/shows/24/seasons").status_code == 404
    assert stand.api("GET", f"/shows/{show.trakt}/seasons").status_code == 200  # type: ignore[union-attr]
    answer = stand.api("POST", HISTORY, json={"shows": [{"ids": {"slug": "24"}}]}).json()
    assert answer["not_found"]["shows"] == [{"ids": {"slug": "24"}}]


def test_ids_hold_nulls_and_a_record(stand: Stand) -> None:
    """Films and shows have `plex` beside numbers and words."""
    [hit] = stand.api("GET", "/search/trakt/481?type=movie").json()
    assert set(hit["movie"]["ids"]["plex"]) == {"guid", "slug"}


@pytest.mark.parametrize(
    ("how", "as_film", "as_any"),
    [("by_type", [], ["episode"]), ("nothing", [], []), ("always", ["episode"], ["episode"])],
)
def test_an_episodes_imdb_id_finds_it_or_nothing(stand: Stand, how: str, as_film: list[str], as_any: list[str]) -> None:
    """Whatever type was asked for."""
    stand.trakt.options.episode_imdb = how
    episodes = stand.upstreams.library.find("Silo").trakt.episodes()  # type: ignore[union-attr]
    imdb = next(episode.imdb for episode in episodes if episode.imdb)
    kinds = [
        [hit["type"] for hit in stand.api("GET", f"/search/imdb/{imdb}{query}").json()] for query in ("?type=movie", "")
    ]
    assert kinds == [as_film, as_any]


def test_seasons_may_come_without_their_episodes(stand: Stand) -> None:
    """With their number; season by season they are there, or not either."""
    stand.trakt.options.empty_episodes = True
    [season] = stand.api("GET", "/shows/silo/seasons?extended=full,episodes").json()
    assert (season["episode_count"], season["episodes"]) == (2, [])
    assert len(stand.api("GET", "/shows/silo/seasons/1").json()) == 2
    stand.trakt.options.empty_seasons = True
    assert stand.api("GET", "/shows/silo/seasons/1").json() == []


def test_an_account_limit_may_look_like_a_rate_limit(stand: Stand) -> None:
    """No X-Account-Limit, nothing remaining."""
    stand.trakt.options.account_limit_bare = True
    stand.trakt.users["harry"].account_limit = 0
    answer = post(stand)
    assert (answer.status_code, answer.headers.get("X-Account-Limit")) == (420, None)
    assert json.loads(answer.headers["X-Ratelimit"])["remaining"] == 0


def test_the_application_may_be_refused_while_tokens_still_work(stand: Stand) -> None:
    """Nine bytes of text on the API; refreshing goes on."""
    refresh = stand.trakt.grant("harry").refresh
    stand.trakt.options.dead_app = True
    answer = stand.api("GET", "/users/settings")
    assert (answer.status_code, len(answer.content)) == (403, 9)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert stand.refresh(refresh).status_code == 200


def test_a_201_may_be_cut_off(stand: Stand) -> None:
    """The play is stored, the body ends in the middle."""
    stand.trakt.faults.add(path="^/sync/history$", method="POST", when="after", preset="cut_off")
    answer = post(stand)
    assert answer.status_code == 201
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()
    assert len(stand.trakt.plays("harry")) == 1


def test_a_play_may_have_no_date(stand: Stand) -> None:
    """1970-01-01."""
    thing = stand.upstreams.library.find("The Matrix").trakt
    stand.trakt.add_play("harry", thing, 0)  # type: ignore[arg-type]
    assert stand.api("GET", HISTORY).json()[0]["watched_at"] == "1970-01-01T00:00:00.000Z"


def test_bulk_marks_share_one_time() -> None:
    """Of a show, or of films."""
    made = Upstreams(build("large:60", now=NOW), clock=lambda: NOW)
    plays = made.add_bulk("harry", at=NOW, plays=7)
    plays += made.add_bulk("harry", at=NOW, show="Series 0", plays=5)
    assert {play.at for play in plays} == {round(NOW * 1000)}
    assert [play.thing.kind for play in plays] == ["movie"] * 7 + ["episode"] * 5
    assert len({(play.thing.kind, play.thing.trakt) for play in plays}) == 12


def test_names_with_slashes_are_one_name() -> None:
    """And Trakt knows nothing of the IMDb id of the newest film."""
    library = build("odd", now=NOW)
    assert library.find("Face/Off").name == "Без лица / Face/Off"
    assert library.find("24/7").trakt.title == "24/7"  # type: ignore[union-attr]
    assert library.find("<b>Bold</b>").trakt.title == "<b>Bold</b>"  # type: ignore[union-attr]
    [lost] = [each for each in library.expected() if each.outcome == "skipped"]
    assert (lost.title, lost.reason) == ("Новинка / Brand New", "not_found")
