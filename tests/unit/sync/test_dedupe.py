"""§4.3 and §4.4: nothing that Trakt has, or that was dealt with, is planned; nothing else is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.examples import NOON, episode, film, steadily, times
from watchferry.errors import Unsettled
from watchferry.storage.ledger import DEALT_WITH, REFUSED, Entry
from watchferry.sync.dedupe import (
    WINDOW_SLACK,
    window_start,
    without_duplicates,
    without_known,
    without_refused,
)
from watchferry.sync.keys import Plays, id_keys

HALF_AN_HOUR = 1800
rules = st.sampled_from([0, 0, 1, 45, 1500, None])
"""SyncSettings.one_play_within: each_play, several windows, once."""
EACH_PLAY, ONCE = 0, None
near = st.integers(-3 * HALF_AN_HOUR, 3 * HALF_AN_HOUR).map(lambda moved: NOON + moved)
views = st.builds(
    lambda make, media, at, missing: make(media, at, duration=1500, timestamp_missing=missing),
    st.sampled_from([film, episode]),
    st.integers(1, 4),
    near | times,
    st.sampled_from([False, False, False, True]),
)


def entry(outcome: str = "sent", at: int = NOON, **more) -> Entry:
    return Entry(
        **{
            "at": at,
            "outcome": outcome,
            "ids": {"trakt": 7},
            "run_id": "r",
            "timestamp_missing": False,
            "settled_at": 0,
            **more,
        }
    )


def ids_of(view) -> dict[str, int | str]:
    return {"imdb": view.imdb} if view.type == "movie" else {"trakt": 100 + view.media, "tvdb": 300 + view.media}


entries = st.builds(
    entry,
    st.sampled_from([*sorted(DEALT_WITH | REFUSED), "sending"]),
    near,
    timestamp_missing=st.booleans(),
    ids=st.sampled_from([{"imdb": "tt0000001"}, {"trakt": 101, "tvdb": 301}, {}]),
)
ledgers = st.dictionaries(
    st.sampled_from(["1-1", "2-2", "90-1", "90-2", "90-3"]), st.lists(entries, max_size=3), max_size=5
)
plays = st.lists(st.tuples(views, st.sampled_from([0, 0, 0, 60, -60, 90_000])), max_size=4)


def trakts(watched) -> Plays:
    """What Trakt's history of these plays comes to; it knows more ids, or others, than we do."""
    plays = Plays()
    for view, off in watched:
        known = {"trakt": ids_of(view).get("trakt", 900 + view.media), "imdb": view.imdb or f"tt9{view.media:06d}"}
        plays.add(view.type, known, view.watched_at + off)
    return plays


@steadily
@given(st.lists(views, max_size=8), ledgers, plays, rules)
def test_every_candidate_is_planned_or_skipped_and_never_both(candidates, ledger, watched, rule) -> None:
    """And no step makes up a view, changes what it is, or plans what Trakt or the ledger has."""
    known = without_known(candidates, ledger, rule, NOON)
    left, refused = without_refused([(view, ids_of(view)) for view in known.unknown], ledger)
    remote = trakts(watched)
    plan = without_duplicates(left, remote, rule)

    events = [*known.skips, *refused, *plan.to_send, *plan.skips]
    assert sorted(event.view.unit for event in events) == sorted(view.unit for view in candidates)
    assert {event.outcome for event in plan.to_send} <= {"planned"}
    assert {event.outcome for event in [*known.skips, *refused, *plan.skips]} <= {"skipped"}
    assert [pair[0] for pair in plan.found] == [event.view for event in plan.skips]

    planned = Plays()
    for event in plan.to_send:
        at = (event.view.type, event.ids, event.view.watched_at, rule)
        assert not remote.have(*at)
        assert not planned.have(*at), "one play planned twice"
        planned.add(*at[:3])
        dealt_with = [known for known in ledger.get(event.view.unit, ()) if known.outcome in DEALT_WITH]
        assert not (rule is ONCE and dealt_with)
        assert event.view not in candidates or not any(known.is_view(event.view) for known in dealt_with)
        if rule and event.view in candidates:
            minutes = [abs(known.at // 60 - event.view.watched_at // 60) for known in dealt_with]
            assert all(apart > rule for apart in minutes)


@steadily
@given(st.lists(views, max_size=8), plays)
def test_once_plans_no_film_or_episode_that_trakt_has_seen_at_any_time(candidates, watched) -> None:
    """§5.4: the key is the id alone."""
    remote = trakts(watched)
    plan = without_duplicates([(view, ids_of(view)) for view in candidates], remote, ONCE)
    planned = [id_keys(event.view.type, event.ids) for event in plan.to_send]
    assert all(not keys & remote.by_key.keys() for keys in planned)
    assert len({key for keys in planned for key in keys}) == sum(len(keys) for keys in planned)


@steadily
@given(st.lists(views, max_size=8), plays, rules)
def test_a_second_run_plans_nothing(candidates, watched, rule) -> None:
    """What was sent is in Trakt's history, and in the ledger: each of them alone is enough."""
    mapped = [(view, ids_of(view)) for view in candidates]
    remote = trakts(watched)
    plan = without_duplicates(mapped, remote, rule)
    sent = [(event.view, event.ids) for event in plan.to_send]
    for view, ids in sent:
        remote.add(view.type, ids, view.watched_at // 60 * 60 + 31)
    assert without_duplicates(mapped, remote, rule).to_send == ()

    ledger: dict[str, list[Entry]] = {}
    for view, ids in [*sent, *plan.found]:
        made = entry(at=view.watched_at, ids=ids, timestamp_missing=view.timestamp_missing)
        ledger.setdefault(view.unit, []).append(made)
    assert without_known(candidates, ledger, rule, NOON).unknown == ()


@pytest.mark.parametrize(
    ("duration", "moved", "is_same"),
    [(7200, 7199, True), (7200, 7200, False), (600, 1799, True), (600, 1800, False), (0, -1799, True)],
)
@pytest.mark.parametrize("outcome", sorted(DEALT_WITH))
def test_a_time_that_moved_is_the_view_that_was_dealt_with(outcome, duration, moved, is_same) -> None:
    """By less than the unit's duration, at least 30 minutes; a longer way off it is another view of the unit."""
    view = film(1, NOON + moved, duration=duration)
    known = without_known([view], {"1-1": [entry(outcome)]}, EACH_PLAY, NOON)
    reason = "ignored" if outcome == "removed" else "duplicate"
    assert (known.unknown, [event.reason for event in known.skips]) == (((), [reason]) if is_same else ((view,), []))


def test_a_view_without_a_time_is_sent_once() -> None:
    """It is planned with a note; later runs know it, whatever "now" is then, and when a time turns up for it."""
    view = film(1, NOON, timestamp_missing=True)
    (planned,) = without_duplicates([(view, {"imdb": "tt0000001"})], Plays(), EACH_PLAY).to_send
    assert (planned.outcome, planned.reason) == ("planned", "timestamp_missing")
    ledger = {"1-1": [entry(timestamp_missing=True)]}
    month_later = film(1, NOON + 30 * 86_400, timestamp_missing=True)
    earlier_after_all = film(1, NOON - 400 * 86_400)
    assert without_known([month_later, earlier_after_all], ledger, EACH_PLAY, NOON).unknown == ()
    assert without_known([film(1, NOON + 30 * 86_400)], ledger, EACH_PLAY, NOON).unknown != ()


@steadily
@given(rules, st.integers(1, 600), st.lists(st.integers(-500, 0), max_size=2))
def test_while_a_write_may_be_at_work_nothing_is_planned(rule, late, others) -> None:
    """`Unsettled` says how long to wait: for the last one that may still come."""
    settling = [entry("sending", settled_at=NOON + when) for when in [late, *others]]
    with pytest.raises(Unsettled) as raised:
        without_known([film(2), film(1)], {"1-1": settling}, rule, NOON)
    assert (raised.value.code, raised.value.after) == ("unsettled", late)
    (view,) = without_known([film(1)], {"1-1": settling}, rule, NOON + late).unknown
    assert view == film(1)


@steadily
@given(st.integers(-1799, 1799))
def test_a_view_of_unknown_outcome_keeps_the_time_that_it_was_sent_with(moved: int) -> None:
    """So that Trakt's history tells whether it arrived, though Kinopub's time has moved since."""
    sent_with = NOON + moved
    (view,) = without_known([film(1)], {"1-1": [entry("sending", sent_with)]}, EACH_PLAY, NOON).unknown
    ids = {"imdb": "tt0000001"}
    assert view.watched_at == sent_with
    remote = Plays()
    remote.add("movie", ids, sent_with)
    assert not without_duplicates([(view, ids)], remote, EACH_PLAY).to_send


@pytest.mark.parametrize("outcome", sorted(REFUSED))
def test_what_trakt_refused_waits_for_another_mapping(outcome: str) -> None:
    """§4.5.3: the same ids are not sent again, others are; a later view of the unit is tried."""
    ledger = {"1-1": [entry(outcome, ids={"imdb": "tt0000001"})]}
    assert without_known([film(1)], ledger, EACH_PLAY, NOON).unknown == (film(1),)
    left, skips = without_refused([(film(1), {"imdb": "tt0000001"})], ledger)
    assert (left, [event.reason for event in skips]) == ([], [outcome])
    for mapped in [(film(1), {"trakt": 481}), (film(1, NOON + 86_400), {"imdb": "tt0000001"})]:
        assert without_refused([mapped], ledger) == ([mapped], [])


def test_plays_go_out_in_the_order_of_watching() -> None:
    mapped = [(film(media, NOON - media), {"trakt": media}) for media in (2, 5, 1)]
    plan = without_duplicates(mapped, Plays(), EACH_PLAY)
    assert [event.view.media for event in plan.to_send] == [5, 2, 1]


@steadily
@given(st.lists(views, min_size=1, max_size=6), st.none() | times, rules)
def test_the_window_covers_every_view_and_the_last_success(candidates, last, rule) -> None:
    """Two days before whatever came first (§4.3.1; architecture.md, rule 1), and what may count as one play with it."""
    start = window_start(candidates, last, rule)
    earliest = min(view.watched_at for view in candidates)
    first = earliest if last is None else min(earliest, last)
    assert start == (0 if rule is ONCE else first - WINDOW_SLACK - 60 * rule)
