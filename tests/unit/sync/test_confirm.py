"""§1.3 and §4.1.2: only what `/v1/watching` calls finished is finished, and when that was (http-api.md, Fine print)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import NOON, show, steadily, title
from watchferry.clients.kinopub import Watching
from watchferry.storage.ledger import Entry
from watchferry.sync.confirm import Confirmed, as_sent_before, confirm_completed, never_finished, unreadable

NOW = NOON + 500_000

updated = st.sampled_from([None, 0, -1, NOON - 7, str(NOON - 9), NOON + 5])
unit = st.fixed_dictionaries(
    {"id": st.integers(1, 9), "status": st.sampled_from([-1, 0, 1, "1", 2]), "updated": updated},
    optional={"duration": st.sampled_from([None, 0, 1500, "2700", 45.5]), "title": st.none() | st.just("x")},
)
videos = st.lists(unit, min_size=1, max_size=3, unique_by=lambda each: each["id"])
seasons = st.lists(
    st.fixed_dictionaries({"number": st.integers(0, 2), "episodes": videos}),
    max_size=2,
    unique_by=lambda s: s["number"],
)
rows = st.dictionaries(st.integers(1, 9), st.integers(NOON - 100, NOON), max_size=4)
Y2000 = 946_684_800
odd_times = st.sampled_from([-1, 0, 1, 1000, Y2000 - 1, NOW + 86_401, 2**31, 2**31 - 1, NOON * 1000])
good_times = st.sampled_from([Y2000, NOON - 9, NOON, NOW, NOW + 86_400])
any_time = st.none() | good_times | odd_times


def told(**item: Any) -> Watching:
    return Watching.model_validate({"id": 1, **item})


def parts(*units: dict[str, Any]) -> Watching:
    return told(videos=[{"number": number, "duration": 1500, **each} for number, each in enumerate(units, 1)])


def one_season(*units: dict[str, Any]) -> Watching:
    episodes = [{"number": number, "duration": 1500, **each} for number, each in enumerate(units, 1)]
    return told(type="serial", seasons=[{"number": 1, "episodes": episodes}])


def only_view(confirmed: Confirmed) -> tuple[int, bool]:
    (view,) = confirmed.finished
    return view.watched_at, view.timestamp_missing


@steadily
@given(seasons, rows)
def test_an_episode_is_finished_exactly_when_its_status_is_1(made, known_rows) -> None:
    """Whether it has a row of its own or not; begun ones, and unwatched ones with a row, are `not_completed`."""
    confirmed = confirm_completed(show(rows=known_rows), told(type="serial", seasons=made), NOW)
    units = [(season["number"], each) for season in made for each in season["episodes"]]
    finished = sorted((season, each["id"]) for season, each in units if int(each["status"]) == 1)
    begun = sorted(
        (season, each["id"])
        for season, each in units
        if int(each["status"]) == 0 or (int(each["status"]) != 1 and each["id"] in known_rows)
    )
    assert sorted((view.season, view.media) for view in confirmed.finished) == finished
    if units:
        assert sorted((event.view.season, event.view.media) for event in confirmed.unfinished) == begun
    else:
        assert confirmed == never_finished(show(rows=known_rows))
    assert {(event.outcome, event.reason) for event in confirmed.unfinished} <= {("skipped", "not_completed")}


@steadily
@given(videos, rows)
def test_a_film_is_one_unit_and_finished_when_all_of_its_parts_are(made, known_rows) -> None:
    confirmed = confirm_completed(title(rows=known_rows), told(videos=made), NOW)
    done = all(int(each["status"]) == 1 for each in made)
    assert (len(confirmed.finished), len(confirmed.unfinished)) == ((1, 0) if done else (0, 1))


@steadily
@given(any_time, any_time, st.booleans(), st.booleans())
def test_when_it_was(said, row, is_film, as_text) -> None:
    """`updated`, also as text, if it lies between 2000 and a day ahead; else the row's `last_seen`, if that does; else
    now, with a note. Milliseconds, -1, 0, 1 and the year 2038 are no times."""
    kept = {} if row is None else {7: row}
    seen = {"id": 7, "status": 1, "updated": said if said is None or not as_text else str(said)}
    watching, made = (parts(seen), title(rows=kept)) if is_film else (one_season(seen), show(rows=kept))
    times = [at for at in (said, row) if at is not None and Y2000 <= at <= NOW + 86_400]
    expected = (times[0], False) if times else (NOW, True)
    assert only_view(confirm_completed(made, watching, NOW)) == expected


def test_a_film_in_parts_was_watched_when_its_latest_part_was() -> None:
    """Each part's own `updated`, or its row; the first part names the unit, whatever the order; lengths add up."""
    watching = told(
        videos=[
            {"id": 12, "number": 2, "status": 1, "updated": None, "duration": 1000},
            {"id": 11, "number": 1, "status": 1, "updated": NOON - 50, "duration": 2000},
        ]
    )
    (view,) = confirm_completed(title(rows={12: NOON - 20}), watching, NOW).finished
    assert (view.watched_at, view.media, view.duration, view.type) == (NOON - 20, 11, 3000, "movie")
    (view,) = confirm_completed(title(rows={}), watching, NOW).finished
    assert (view.watched_at, view.timestamp_missing) == (NOON - 50, False)


def test_a_part_without_a_time_does_not_date_the_film() -> None:
    """The year 2038 is not the latest part's."""
    watching = parts({"id": 11, "status": 1, "updated": NOON}, {"id": 12, "status": 1, "updated": 2**31})
    assert only_view(confirm_completed(title(rows={}), watching, NOW)) == (NOON, False)


@pytest.mark.parametrize("statuses", [(1, 1, 0), (1, -1), (0,), (-1,), (-1, -1)])
def test_a_film_with_an_unfinished_part_is_not_completed(statuses: tuple[int, ...]) -> None:
    """Once for the whole film, with its time if there is one, and without a made-up one."""
    watching = parts(*({"id": 20 + n, "status": status} for n, status in enumerate(statuses)))
    for kept, at in [({20: NOON}, NOON), ({}, 0)]:
        confirmed = confirm_completed(title(rows=kept), watching, NOW)
        assert confirmed.finished == ()
        assert [(e.view.media, e.view.watched_at, e.reason) for e in confirmed.unfinished] == [
            (20, at, "not_completed")
        ]


@pytest.mark.parametrize(
    ("status", "has_row", "reason"), [(0, False, 1), (0, True, 1), (-1, True, 1), (-1, False, 0), (2, False, 0)]
)
def test_an_unwatched_episode_counts_only_with_a_row(status: int, has_row: bool, reason: int) -> None:
    """Of a long series nobody wants to read of every episode that was never begun."""
    watching = one_season({"id": 5, "status": status, "updated": NOON})
    confirmed = confirm_completed(show(rows={5: NOON} if has_row else {6: NOON}), watching, NOW)
    assert (len(confirmed.finished), len(confirmed.unfinished)) == (0, reason)


@pytest.mark.parametrize("kind", ["serial", "docuserial", "tvshow", "TVShow"])
def test_season_based_titles_give_episodes(kind: str) -> None:
    """With the show's names, and the episode's season and number; `item.status` is not there and not needed."""
    (view,) = confirm_completed(show(type=kind), one_season({"id": 5, "status": 1, "title": "Свобода"}), NOW).finished
    assert (view.type, view.show, view.title, view.season, view.number) == (
        "episode",
        "Укрытие / Silo",
        "Свобода",
        1,
        1,
    )


@pytest.mark.parametrize("kind", ["movie", "concert", "documovie", "3D", "3d"])
def test_film_like_titles_give_a_film(kind: str) -> None:
    """Also where the answer has an empty list of seasons besides its videos."""
    seen = {"id": 5, "status": 1, "updated": NOON}
    for watching in (parts(seen), told(videos=[seen], seasons=[])):
        (view,) = confirm_completed(title(type=kind), watching, NOW).finished
        assert (view.type, view.season, view.title) == ("movie", None, "Матрица / The Matrix")


def test_the_shape_decides_where_it_contradicts_the_type() -> None:
    """A "movie" with seasons and no videos has episodes; a "serial" with videos alone is a film."""
    seen = {"id": 5, "status": 1, "updated": NOON}
    assert confirm_completed(title(), one_season(seen), NOW).finished[0].type == "episode"
    assert confirm_completed(show(), parts(seen), NOW).finished[0].type == "movie"


def test_specials_are_season_0() -> None:
    watching = told(type="serial", seasons=[{"number": 0, "episodes": [{"id": 5, "number": 3, "status": 1}]}])
    (view,) = confirm_completed(show(), watching, NOW).finished
    assert (view.season, view.number) == (0, 3)


@pytest.mark.parametrize("watching", [told(), told(videos=[]), told(type="serial")])
def test_a_title_that_shows_nothing_is_not_finished(watching: Watching) -> None:
    """Nor one that Kinopub does not answer for at all."""
    assert confirm_completed(title(), watching, NOW) == never_finished(title())
    assert never_finished(title()).finished == ()
    assert never_finished(title()).empty


@pytest.mark.parametrize("watching", [parts({"id": 5, "status": -1}), one_season({"id": 5, "status": -1})])
def test_a_title_of_which_something_is_shown_is_not_empty(watching: Watching) -> None:
    assert not confirm_completed(title(), watching, NOW).empty
    assert not unreadable(title()).empty


def entry(outcome: Any, at: int = NOON, **ids: int) -> Entry:
    return Entry(at, outcome, ids, "a run", timestamp_missing=False, settled_at=0)


@pytest.mark.parametrize("outcome", ["sent", "duplicate"])
@pytest.mark.parametrize("status", [0, -1])
def test_what_was_sent_and_is_not_finished_now_is_a_duplicate(outcome: str, status: int) -> None:
    """A film in parts too, whose unit is its first part: it is being watched again, or was taken back."""
    film = confirm_completed(title(), parts({"id": 5, "status": 1}, {"id": 6, "status": status}), NOW)
    part = confirm_completed(show(rows={5: NOON}), one_season({"id": 5, "status": status}), NOW)
    for (event,), unit in ((film.unfinished, "113-5"), (part.unfinished, "90-5")):
        sent = as_sent_before(
            event, {unit: [entry("sending"), entry(outcome, NOON - 9, trakt=1), entry(outcome, trakt=2)]}
        )
        assert (sent.view, sent.outcome, sent.reason, sent.ids) == (event.view, "skipped", "duplicate", {"trakt": 2})
        for other in (
            {},
            {"113-6": [entry(outcome)]},
            {unit: [entry("removed"), entry("not_found"), entry("sending")]},
        ):
            assert as_sent_before(event, other) == event


def test_two_episodes_marked_in_bulk_share_their_second() -> None:
    """Both count: bulk marking stamps a whole season at once."""
    seen = [{"id": media, "status": 1, "updated": NOON} for media in (5, 6)]
    views = confirm_completed(show(), one_season(*seen), NOW).finished
    assert [(view.unit, view.watched_at) for view in views] == [("90-5", NOON), ("90-6", NOON)]


nonsense = st.sampled_from(
    [{"id": 5, "status": "watched"}, {"id": None, "status": 1}, {"status": 1}, {"id": 5, "status": []}, None, "x", 7]
)


@steadily
@given(st.lists(unit.map(lambda each: each | {"status": 1}), max_size=3), nonsense, st.integers(0, 3))
def test_a_unit_that_cannot_be_read_is_not_taken_for_finished(good, bad, place: int) -> None:
    """It hides no other episode; the title says so of itself, to be looked at again. Of a film it is the whole film."""
    made = [*good[:place], bad, *good[place:]]
    told_of = told(type="serial", seasons=[{"number": 1, "episodes": made}])
    confirmed = confirm_completed(show(), told_of, NOW)
    assert [view.media for view in confirmed.finished] == [each["id"] for each in good]
    assert ([event.reason for event in confirmed.unfinished], confirmed.unread) == (["not_completed"], True)
    assert confirm_completed(title(), told(videos=made), NOW) == unreadable(title())


@pytest.mark.parametrize("season", [None, [], {"episodes": [{"id": 5, "status": 1}]}, {"number": "x"}, {"number": -1}])
def test_a_season_that_cannot_be_read_hides_no_other(season: Any) -> None:
    """Without its number nobody knows which episodes they are."""
    good = {"number": 2, "episodes": {"1": {"id": 6, "status": 1}, "3": {"id": 7, "status": 1}}}
    confirmed = confirm_completed(show(), told(type="serial", seasons=[season, good]), NOW)
    assert ([view.media for view in confirmed.finished], confirmed.unread) == ([6, 7], True)


@pytest.mark.parametrize("seasons", [[], {}, [{"number": 1}], [{"number": 1, "episodes": None}]])
def test_a_show_without_any_episode_is_not_finished(seasons: Any) -> None:
    """Its row says that something was seen: so it is asked again, and not forgotten."""
    assert confirm_completed(show(), told(type="serial", seasons=seasons), NOW) == never_finished(show())


@pytest.mark.parametrize("said", ["1700000000.5", 1700000000.5, "1700000000"])
def test_a_time_may_be_a_text_or_have_a_fraction(said: Any) -> None:
    assert only_view(confirm_completed(title(rows={}), parts({"id": 7, "status": 1, "updated": said}), NOW)) == (
        1_700_000_000,
        False,
    )


@pytest.mark.parametrize("said", ["yesterday", [], {}, True, 1e300, float("nan"), 1_700_000_000_000])
def test_a_time_that_is_none_counts_as_missing(said: Any) -> None:
    """The row's time takes its place; milliseconds are no seconds."""
    seen = {"id": 7, "status": 1, "updated": said, "duration": said, "title": said, "number": said}
    assert only_view(confirm_completed(title(rows={7: NOON}), parts(seen), NOW)) == (NOON, False)
