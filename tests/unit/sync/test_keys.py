"""Keys of plays (sync document §2.2) and the normaliser of IMDb ids (reality.md, Kinopub)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import NOON, film, steadily, times
from watchferry.models import MOVED_AT_LEAST, imdb_id, iso, unix
from watchferry.sync.keys import COMPARED, Plays, id_keys

kinds = st.sampled_from(["movie", "episode"])
minutes = st.integers(0, 10_000)
ids = st.dictionaries(st.sampled_from(COMPARED), st.integers(1, 50) | st.sampled_from(["tt0000001", "1"]), min_size=1)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (133093, "tt0133093"),
        (42650, "tt0042650"),
        (13802658, "tt13802658"),
        (1, "tt0000001"),
        ("133093", "tt0133093"),
        ("0133093", "tt0133093"),
        ("tt0133093", "tt0133093"),
        ("tt133093", "tt0133093"),
        (" tt0133093 ", "tt0133093"),
        *(
            (nothing, None)
            for nothing in (0, "0", "", None, "tt", "tt0", "0000000", -5, "n/a", "nm0000206", "١٢٣", "²")
        ),
    ],
)
def test_an_imdb_id_is_tt_and_at_least_seven_digits_or_nothing(told: object, meant: str | None) -> None:
    """Integers without padding, numeric strings and `tt…` occur; 0, "0", "" and null mean none."""
    assert imdb_id(told) == meant


@steadily
@given(st.integers(1, 999_999_999))
def test_every_way_of_writing_an_imdb_id_gives_the_same(number: int) -> None:
    """And normalising twice changes nothing."""
    written = {imdb_id(form) for form in (number, str(number), f"tt{number}", f"tt{number:07d}", f"{number:09d}")}
    assert len(written) == 1
    (meant,) = written
    assert meant is not None
    assert imdb_id(meant) == meant


def at_trakt(kind, known, *shown: str | None) -> Plays:
    plays = Plays()
    for watched_at in shown:
        plays.add(kind, known, unix(watched_at) if watched_at else None)
    return plays


@steadily
@given(kinds, ids, times, st.integers(0, 59), st.integers(0, 59_999))
def test_seconds_and_milliseconds_do_not_matter(kind, known, at, ours, theirs) -> None:
    """A view and the play that came of it are one, though Trakt shows the time with other seconds."""
    minute = at // 60 * 60
    shown = iso(minute + theirs // 1000).replace("Z", f".{theirs % 1000:03d}Z")
    assert at_trakt(kind, known, shown).have(kind, known, minute + ours)


@steadily
@given(kinds, ids, times, st.integers(1, 10_000))
def test_another_minute_is_another_play(kind, known, at, later) -> None:
    assert not at_trakt(kind, known, iso(at + 60 * later), iso(at - 60 * later)).have(kind, known, at)


@steadily
@given(kinds, ids, times, minutes, minutes)
def test_within_a_window_two_plays_are_one(kind, known, at, apart, window) -> None:
    """Minutes are counted, not seconds, before and after alike; without an end any play is the same."""
    for other in (at + 60 * apart, at - 60 * apart):
        plays = at_trakt(kind, known, iso(other))
        assert plays.have(kind, known, at, window) == (apart <= window)
        assert plays.have(kind, known, at, None)


@steadily
@given(times, st.integers(-12, 14))
def test_trakts_time_may_come_with_an_offset(at: int, hours: int) -> None:
    """The minute is that of UTC, however it is written."""
    there = datetime.fromtimestamp(at, UTC).astimezone(timezone(timedelta(hours=hours)))
    assert unix(there.isoformat()) == at == unix(iso(at))


@steadily
@given(kinds, ids, kinds, ids, times)
def test_plays_are_the_same_only_by_the_same_id_of_the_same_kind(kind, some, other_kind, others, at) -> None:
    """`tmdb` 1 is not `trakt` 1, and a film's `tmdb` 1 is not an episode's; text and number are the same id."""
    same = kind == other_kind and any(name in others and str(some[name]) == str(others[name]) for name in some)
    for within in (0, 60, None):
        assert at_trakt(kind, some, iso(at)).have(other_kind, others, at, within) == same
    assert bool(id_keys(kind, some) & id_keys(other_kind, others)) == same


def test_a_slug_is_no_key() -> None:
    """It can be renamed and reused."""
    assert not at_trakt("movie", {"slug": "the-matrix-1999"}, iso(NOON)).have(
        "movie", {"slug": "the-matrix-1999"}, NOON
    )


def test_a_play_without_a_time_counts_for_once_only() -> None:
    """`watched_at` may be null: such a play says that it was seen, not when."""
    plays = at_trakt("movie", {"imdb": "tt0000001"}, None)
    assert plays.have("movie", {"imdb": "tt0000001"}, NOON, None)
    assert not plays.have("movie", {"imdb": "tt0000001"}, NOON, 10_000)


@steadily
@given(st.integers(0, 40_000), st.integers(-90_000, 90_000))
def test_a_time_that_moved_during_the_credits_is_the_same_view(duration: int, moved: int) -> None:
    """By less than the unit's duration, and at least 30 minutes: for both sides alike."""
    view = film(1, duration=duration)
    assert view.may_be(NOON + moved) == (abs(moved) < max(duration, MOVED_AT_LEAST))
    assert view.may_be(NOON + moved) == view.at(NOON + moved).may_be(NOON)
