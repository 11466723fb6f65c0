"""Kinopub's oddities, each a switch: the same views, told otherwise than the documents say."""

from typing import Any

import pytest

from .conftest import Stand


def history(stand: Stand, page: int = 1, perpage: int = 1) -> dict[str, Any]:
    return dict(stand.kino("/v1/history", page=page, perpage=perpage).json())


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize(("times", "seen"), [(1, [0, 1]), (2, [0, 0, 1]), (-1, [0, 0, 0])])
def test_a_page_of_the_history_can_be_empty_for_a_while(stand: Stand, page: int, times: int, seen: list[int]) -> None:
    """While its counts stay; keys of JSON are text."""
    whole = history(stand, page)["pagination"]
    stand.kinopub.options.empty_history_pages = {str(page): times}  # type: ignore[dict-item]
    answers = [history(stand, page) for _ in seen]
    assert [len(answer["history"]) for answer in answers] == seen
    assert answers[0]["pagination"] == whole
    assert len(history(stand, 3 - page)["history"]) == 1


def test_the_counts_of_the_history_may_lie_or_be_missing(stand: Stand) -> None:
    """Rows and pages, too many or too few."""
    for rows, pages in ((5, 1), (-1, -1)):
        stand.kinopub.options.history_count_off, stand.kinopub.options.history_pages_off = rows, pages
        told = history(stand)["pagination"]
        assert (int(told["total_items"]), int(told["total"])) == (2 + rows, 2 + pages)
    stand.kinopub.options.pagination_missing = True
    assert set(history(stand)) == {"status", "history"}


def test_the_history_may_have_no_end(stand: Stand) -> None:
    """The same page for ever, and there is always another."""
    stand.kinopub.options.endless_history = True
    first, last = history(stand), history(stand, 90)
    assert first["history"] == last["history"]
    assert last["pagination"]["total"] == 91


@pytest.mark.parametrize(
    ("how", "row"),
    [
        ("id", {"item": {"id": 113}}),
        ("timeless", {"item", "media"}),
        ("itemless", {"item", "last_seen"}),
    ],
)
def test_rows_may_be_thin(stand: Stand, how: str, row: Any) -> None:
    """As they were recorded; other titles' rows are whole."""
    stand.kinopub.options.thin_rows = {113: how}
    whole, thin = history(stand, perpage=20)["history"]
    assert (thin if how == "id" else set(thin)) == row
    assert thin["item"] is None or thin["item"]["id"] == 113
    assert whole["item"]["id"] == 91_002


@pytest.mark.parametrize("named", [True, [113]])
def test_watching_may_know_nothing(stand: Stand, named: Any) -> None:
    """404, an empty list, or no list: of all titles, or of those that are named."""
    other = 200 if named == [113] else 404
    stand.kinopub.options.watching_gone = named
    assert stand.kino("/v1/watching", id=113).status_code == 404
    assert stand.kino("/v1/watching", id=91_002).status_code == other
    stand.kinopub.options.watching_gone, stand.kinopub.options.watching_empty = False, named
    assert stand.kino("/v1/watching", id=113).json()["item"]["videos"] == []
    assert (stand.kino("/v1/watching", id=91_002).json()["item"]["seasons"] == []) == (other == 404)
    stand.kinopub.options.watching_empty, stand.kinopub.options.watching_bare = False, named
    assert "videos" not in stand.kino("/v1/watching", id=113).json()["item"]
    assert ("seasons" in stand.kino("/v1/watching", id=91_002).json()["item"]) == (other == 200)


@pytest.mark.parametrize("odd", [0, -1, 1, 2**31, "ms"])
def test_updated_may_be_no_time(stand: Stand, odd: Any) -> None:
    """Of one unit."""
    [unit] = stand.upstreams.library.find("The Matrix").units
    before = stand.kino("/v1/watching", id=113).json()["item"]["videos"][0]["updated"]
    stand.kinopub.options.odd_updated = {unit.media: odd}
    shown = stand.kino("/v1/watching", id=113).json()["item"]["videos"][0]["updated"]
    assert shown == (before * 1000 if odd == "ms" else odd)


def test_a_view_may_be_taken_back(stand: Stand) -> None:
    """Status 1 came too early; the row and the time stay."""
    before = history(stand, perpage=20)
    updated = stand.kino("/v1/watching", id=113).json()["item"]["videos"][0]["updated"]
    stand.upstreams.library.take_back("harry", "The Matrix")
    [video] = stand.kino("/v1/watching", id=113).json()["item"]["videos"]
    assert (video["status"], video["updated"], history(stand, perpage=20)) == (0, updated, before)
    assert [each.reason for each in stand.upstreams.expected("harry")] == ["not_completed", ""]


def test_too_many_requests_a_second_are_refused_for_a_while(stand: Stand) -> None:
    """Without Retry-After; whatever is asked meanwhile is refused, and nothing of it counts."""
    stand.kinopub.options.rate_limit, stand.kinopub.options.rate_penalty = 2, 3.0

    def asked() -> int:
        return stand.kino("/v1/history").status_code

    assert [asked(), asked(), asked()] == [200, 200, 429]
    assert "Retry-After" not in stand.kino("/v1/history").headers
    stand.clock.advance(2.9)
    assert asked() == 429
    stand.clock.advance(0.2)
    assert [asked(), asked()] == [200, 200]
    stand.clock.advance(0.5)
    spread = []
    for _ in range(6):
        stand.clock.advance(0.5)
        spread.append(asked())
    assert spread == [200] * 6


@pytest.mark.parametrize(
    "path",
    [
        "/v1/watching/togglewatchlist",
        "/v1/items/vote",
        "/v1/history/clear-for-media",
        "/v1/history/clear-for-season",
        "/v1/history/clear-for-item",
    ],
)
def test_more_reads_that_change_state_are_remembered(stand: Stand, path: str) -> None:
    """They work, as toggle and marktime do."""
    assert stand.kino(path, id=113).status_code == 200
    assert [called for _, called, _ in stand.kinopub.state_changes] == [path]
    rows = [row["item"]["id"] for row in history(stand, perpage=20)["history"]]
    assert (113 in rows) == ("clear-for-" not in path)


def test_a_mirror_may_have_a_path(stand: Stand) -> None:
    """Nothing is found outside it; signing in is inside, too."""
    stand.kinopub.options.base_path = "/api"
    assert stand.kino("/api/v1/history").status_code == 200
    assert stand.kino("/v1/history").status_code == 404
    assert stand.kino("/apiv1/history").status_code == 404
    assert stand.kino_oauth("/api/oauth2/device", grant_type="device_code").status_code == 200
    assert [entry.path for entry in stand.kinopub.requests("history")] == [
        "/v1/history",
        "/v1/history",
        "/apiv1/history",
    ]
