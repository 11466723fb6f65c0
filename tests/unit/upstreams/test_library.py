"""What the libraries expect is what the upstreams show: checked from the outside, with rules of the test's own."""

import re
import time
from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.upstreams import Expected, build, large, tiny

from .conftest import NOW, Stand, stand_on

SEASON_BASED = ("serial", "docuserial", "tvshow")


def imdb_of(value: Any) -> str | None:
    digits = re.sub(r"\D", "", str(value or ""))
    return f"tt{int(digits):07d}" if digits and int(digits) else None


def names(title: str) -> set[str]:
    return {" ".join(name.casefold().split()) for name in title.split("/")}


@pytest.fixture(scope="module")
def found() -> dict[tuple[int, int], dict[str, Any]]:
    """Every unit of every title that has a row, as Kinopub shows it: {(item, media): …}."""
    stand = stand_on("realistic")
    pages = int(stand.kino("/v1/history", perpage=50).json()["pagination"]["total"])
    rows = {
        row["media"]["id"]: row
        for page in range(1, pages + 1)
        for row in stand.kino("/v1/history", perpage=50, page=page).json()["history"]
    }
    units = {}
    for item in {row["item"]["id"]: row["item"] for row in rows.values()}.values():
        imdb = item.get("imdb", "missing")
        if imdb == "missing":
            imdb = stand.kino(f"/v1/items/{item['id']}", nolinks=1).json()["item"]["imdb"]
        watching = stand.kino("/v1/watching", id=item["id"]).json()["item"]
        parts = [(0, video) for video in watching.get("videos", [])]
        parts += [(season["number"], each) for season in watching.get("seasons", []) for each in season["episodes"]]
        for season, unit in parts:
            row = rows.get(unit["id"])
            at = unit["updated"] or (row or {}).get("last_seen")
            units[item["id"], unit["id"]] = {
                **unit,
                "season": season,
                "number": int(unit["number"]),
                "at": at,
                "row": row is not None,
                "imdb": imdb_of(imdb),
                "title": item["title"],
                "year": item["year"],
                "series": item["type"].lower() in SEASON_BASED,
            }
    return units


@pytest.fixture(scope="module")
def expected() -> list[Expected]:
    return stand_on("realistic").upstreams.expected("harry")


def by_item(found: dict[tuple[int, int], dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    grouped = defaultdict(list)
    for (item, _), unit in found.items():
        grouped[item].append(unit)
    return grouped


def test_every_unit_with_an_outcome_is_expected_once(
    found: dict[tuple[int, int], dict[str, Any]], expected: list[Expected]
) -> None:
    """Finished ones and begun ones, and −1 with a row; a film in parts is one unit; the untouched have no outcome."""
    units = {
        (item, media if unit["series"] else 0)
        for (item, media), unit in found.items()
        if unit["status"] >= 0 or unit["row"]
    }
    told = Counter((each.item, each.media if each.kind == "episode" else 0) for each in expected)
    assert set(told) == units
    assert set(told.values()) == {1}


def test_times_are_those_that_kinopub_shows(
    found: dict[tuple[int, int], dict[str, Any]], expected: list[Expected]
) -> None:
    """`updated`, else the row's `last_seen`, else none; of a film the latest part's. None lies in the future."""
    films = by_item(found)
    for each in expected:
        if each.reason == "not_completed":
            parts = [found[each.item, each.media]] if each.kind == "episode" else films[each.item]
            assert any(part["status"] != 1 for part in parts), each
            continue
        shown = found[each.item, each.media]["at"]
        if each.kind == "movie":
            shown = max(part["at"] or 0 for part in films[each.item])
            assert all(part["status"] == 1 for part in films[each.item]), each
        assert each.watched_at == shown, each
        assert (each.watched_at is None) == (each.reason == "timestamp_missing")
        assert each.watched_at is None or each.watched_at < NOW


def test_outcomes_are_what_trakts_catalogue_allows(
    shelf: Stand, found: dict[tuple[int, int], dict[str, Any]], expected: list[Expected]
) -> None:
    """Looked up from the outside: by IMDb id, else by exact title and year; episodes by number."""
    plays = defaultdict(set)
    for play in shelf.trakt.users["harry"].plays:
        plays[play.thing.kind, play.thing.trakt].add(play.at // 60_000)
    for each in expected:
        unit = found[each.item, each.media]
        kind = "show" if each.kind == "episode" else "movie"
        if unit["imdb"]:
            hits = shelf.api("GET", f"/search/imdb/{unit['imdb']}?type={kind}").json()
        else:
            hits = {}
            for name in unit["title"].split("/"):
                query = re.sub(r"([^\w\s])", r"\\\1", name)
                for hit in shelf.api("GET", f"/search/{kind}", params={"query": query, "limit": 100}).json():
                    if names(hit[kind]["title"]) & names(unit["title"]) and hit[kind]["year"] == unit["year"]:
                        hits[hit[kind]["ids"]["trakt"]] = hit
            hits = list(hits.values())
        if each.reason == "not_completed":
            continue
        if each.reason in ("not_found", "ambiguous"):
            assert len(hits) == 0 if each.reason == "not_found" else len(hits) == 2, each
            assert each.trakt_id is None
            continue
        assert len(hits) == 1, each
        trakt_id = hits[0][kind]["ids"]["trakt"]
        if each.kind == "episode":
            seasons = shelf.api("GET", f"/shows/{trakt_id}/seasons?extended=episodes").json()
            numbers = {(e["season"], e["number"]): e["ids"]["trakt"] for s in seasons for e in s["episodes"]}
            trakt_id = numbers.get((each.season, each.number))
        assert (trakt_id is None) == (each.reason == "episode_not_found"), each
        assert each.trakt_id == trakt_id
        had = each.watched_at is not None and each.watched_at // 60 in plays[each.kind, trakt_id]
        assert had == (each.reason == "duplicate"), each


def test_the_realistic_library_has_every_oddity(expected: list[Expected]) -> None:
    """About 60 films, 25 series, 900 finished episodes, and each reason."""
    assert 55 <= len({each.item for each in expected if each.kind == "movie"}) <= 70
    assert len({each.item for each in expected if each.kind == "episode"}) == 25
    assert 850 <= sum(each.kind == "episode" and each.reason != "not_completed" for each in expected) <= 950
    reasons = {(each.kind, each.reason) for each in expected}
    both = ["", "duplicate", "not_completed", "not_found", "ambiguous"]
    assert reasons == {(kind, reason) for kind in ("movie", "episode") for reason in both} | {
        ("episode", "episode_not_found"),
        ("episode", "timestamp_missing"),
    }
    assert {each.outcome for each in expected if each.reason in ("", "timestamp_missing")} == {"sent"}
    assert {each.outcome for each in expected if each.reason not in ("", "timestamp_missing")} == {"skipped"}


def test_trakt_has_plays_that_kinopub_never_saw(expected: list[Expected], shelf: Stand) -> None:
    """Some of other films, some of the same ones at another time."""
    sent = {each.trakt_id for each in expected if each.outcome == "sent"}
    before = [play.thing.trakt for play in shelf.trakt.users["harry"].plays]
    assert any(thing in sent for thing in before)
    known = {each.trakt_id for each in expected}
    assert any(thing not in known for thing in before)


def test_a_seed_makes_the_same_library_again() -> None:
    """Times are relative to `now`; several users saw the same things at other times."""
    one, two = build("realistic", ["harry", "kim"], NOW, 7), build("realistic", ["harry", "kim"], NOW, 7)
    assert one.expected("kim") == two.expected("kim")
    assert {each.watched_at for each in one.expected("kim")} != {each.watched_at for each in one.expected("harry")}
    assert len(one.expected("kim")) == len(one.expected("harry"))


def test_without_a_time_given_it_is_now() -> None:
    """Nothing lies in the future."""
    assert all((each.watched_at or 0) < time.time() for each in build("realistic").expected())


def test_tiny_is_one_film_and_one_episode() -> None:
    """Both to be sent."""
    assert [(each.kind, each.outcome) for each in tiny(now=NOW).expected()] == [("movie", "sent"), ("episode", "sent")]


def test_large_is_quick_to_build() -> None:
    """Ten thousand views in less than three seconds, all to be sent, all at Trakt's disposal."""
    began = time.perf_counter()
    library = large(10_000, now=NOW)
    expected = library.expected()
    assert time.perf_counter() - began < 3
    assert len(expected) == len(library.viewers["harry"].rows) == 10_000
    assert {each.reason for each in expected} == {""}
    assert None not in {each.trakt_id for each in expected}


def reasons(stand: Stand) -> dict[tuple[int, int, int], str]:
    return {(each.item, each.season, each.number): each.reason for each in stand.upstreams.expected()}


def test_a_new_view_is_expected_and_marked_as_new(stand: Stand) -> None:
    """`generation` tells what came after the library was built."""
    stand.upstreams.library.watch("harry", "Silo", 1, 2, at=NOW - 5)
    stand.upstreams.library.watch("harry", "Inception")
    new = [each for each in stand.upstreams.expected() if each.generation]
    assert [(each.title.split(" / ")[1], each.watched_at) for each in new] == [("Silo", NOW - 5), ("Inception", NOW)]


def test_watching_again_replaces_the_view_that_is_shown(stand: Stand) -> None:
    """The earlier view is still there for a run that came before."""
    stand.upstreams.library.rewatch("harry", 113, at=NOW - 5)
    shown = [each for each in stand.upstreams.expected() if each.item == 113]
    assert [each.watched_at for each in shown] == [NOW - 5]
    every = [each for each in stand.upstreams.expected(every=True) if each.item == 113]
    assert [each.visible for each in every] == [False, True]


def test_credits_move_a_time_but_make_no_view(stand: Stand) -> None:
    """`drift` changes what Kinopub shows and nothing of what is expected."""
    before = stand.upstreams.expected()
    updated = stand.kino("/v1/watching", id=113).json()["item"]["videos"][0]["updated"]
    stand.upstreams.library.drift("harry", "The Matrix", seconds=240)
    assert stand.kino("/v1/watching", id=113).json()["item"]["videos"][0]["updated"] == updated + 240
    assert stand.upstreams.expected() == before


def test_a_begun_film_can_be_finished_without_a_new_row(stand: Stand) -> None:
    """First not_completed, then to be sent; the history shows the old row."""
    library = stand.upstreams.library
    library.start("harry", "Inception", at=NOW - 500)
    assert reasons(stand)[740, 0, 0] == "not_completed"
    library.watch("harry", "Inception", at=NOW - 50, row=False)
    assert reasons(stand)[740, 0, 0] == ""
    assert stand.kino("/v1/history").json()["history"][0]["last_seen"] == NOW - 500


def test_a_season_can_be_marked_in_bulk(stand: Stand) -> None:
    """One second for all, no rows."""
    rows = len(stand.upstreams.library.viewers["harry"].rows)
    stand.upstreams.library.mark_season("harry", "Silo", 1, at=NOW - 9)
    assert len(stand.upstreams.library.viewers["harry"].rows) == rows
    seen = {each.watched_at for each in stand.upstreams.expected() if each.item == 91_002}
    assert seen == {NOW - 9}


def test_a_row_that_is_deleted_or_bumped_changes_no_expectation(stand: Stand) -> None:
    """Only the order of the history."""
    before = stand.upstreams.expected()
    [first, last] = [row["media"]["id"] for row in stand.kino("/v1/history").json()["history"]]
    stand.upstreams.library.bump("harry", last)
    assert stand.kino("/v1/history").json()["history"][0]["media"]["id"] == last
    stand.upstreams.library.delete_row("harry", first)
    assert len(stand.kino("/v1/history").json()["history"]) == 1
    assert stand.upstreams.expected() == before


def test_a_film_in_parts_moves_with_any_of_them() -> None:
    """Watching one part again is a new view of the film, at that part's time."""
    library = build("realistic", now=NOW)
    media = library.watch("harry", "Voyna i mir", number=3, at=NOW - 7)
    old, new = [each for each in library.expected(every=True) if each.item == 320]
    assert (new.watched_at, new.media, new.visible, new.generation) == (NOW - 7, media, True, 1)
    assert (old.visible, old.reason) == (False, "")
    library.start("harry", "Voyna i mir", number=1, at=NOW - 5)
    [shown] = [each for each in library.expected() if each.item == 320]
    assert (shown.reason, shown.watched_at) == ("not_completed", None)


def test_a_bump_is_a_view_only_where_the_row_alone_says_when(stand: Stand) -> None:
    """`updated` decides; without it the row does."""
    library = stand.upstreams.library
    silo = library.find("Silo")
    library.finish("harry", silo, silo.unit(1, 2), int(NOW) - 900, updated=False)
    library.bump("harry", silo.unit(1, 1).media)
    library.bump("harry", silo.unit(1, 2).media)
    new = [(each.number, each.watched_at) for each in library.expected() if each.generation]
    assert new == [(2, NOW)]


def test_unwatched_names_what_could_be_watched_next(stand: Stand) -> None:
    """With the arguments that `watch` takes."""
    for unit in stand.upstreams.library.unwatched("harry"):
        stand.upstreams.library.watch("harry", unit["item"], unit["season"], unit["number"], at=NOW - 1)
    assert stand.upstreams.library.unwatched("harry") == []
    assert len(stand.upstreams.expected()) == 4
