"""The realistic library, from Kinopub's first page to Trakt's last play, in one process."""

from collections import Counter
from math import ceil

import pytest

from tests.upstreams import DEFAULT_USER, Expected
from tests.upstreams.catalogue import Movie
from tests.upstreams.titles import MISSING
from tests.world import World
from watchferry.models import Event
from watchferry.storage.runs import Run

type Told = tuple[int, int | None, int | None, int | None, str, str]
"""Title, season, number, when, outcome, reason."""


def as_told(event: Event) -> Told:
    """The time of what is not finished, or was watched nobody knows when, is not compared."""
    view = event.view
    at = None if event.reason in ("not_completed", "timestamp_missing") else view.watched_at
    return view.item, view.season, view.number, at, event.outcome, event.reason or ""


def as_expected(entry: Expected) -> Told:
    season, number = (entry.season, entry.number) if entry.kind == "episode" else (None, None)
    return entry.item, season, number, entry.watched_at, entry.outcome, entry.reason


def plays_of_trakt(world: World) -> Counter[tuple[int, int]]:
    """(Trakt id, minute) of every play."""
    return Counter((play.thing.trakt, play.at // 60_000) for play in world.upstreams.trakt.users[DEFAULT_USER].plays)


def expected_plays(world: World, before: Counter[tuple[int, int]], run: Run) -> Counter[tuple[int, int]]:
    """What Trakt had, and one play for each view that is to be sent."""
    made_up = {
        event.view.media: event.view.watched_at for event in world.events(run) if event.reason == "timestamp_missing"
    }
    sent = [entry for entry in world.upstreams.expected() if entry.outcome == "sent"]
    return before + Counter((entry.trakt_id or 0, (entry.watched_at or made_up[entry.media]) // 60) for entry in sent)


def most_calls(world: World, run: Run) -> float:
    """What a first run may cost at most, in calls of both upstreams."""
    library = world.upstreams.library
    viewer = library.viewer(DEFAULT_USER)
    titles = {library.by_media[media][0].id: library.by_media[media][0] for media in viewer.rows}.values()
    unknown = [t for t in titles if t.imdb in (None, 0, "0", MISSING) or t.row_imdb is MISSING]
    seeds = Counter(isinstance(play.thing, Movie) for play in world.upstreams.trakt.users[DEFAULT_USER].plays)
    return 1.15 * (
        ceil(len(viewer.rows) / 50)
        + len(titles)
        + len(unknown)
        + 2 * sum(title.season_based for title in titles)
        + ceil(run.counts["planned"] / world.account().settings.views_a_post(run.counts["planned"]))
        + sum(max(1, ceil(count / 250)) for count in seeds.values())
    )


@pytest.fixture
def world() -> World:
    return World("realistic")


def test_every_view_becomes_what_the_library_says(world: World) -> None:
    """Outcome, reason and time of each film and episode; and exactly those plays are at Trakt that ought to be."""
    before = plays_of_trakt(world)
    run = world.run()
    assert run.status == "succeeded"
    assert sorted(map(as_told, world.events(run)), key=str) == sorted(
        map(as_expected, world.upstreams.expected()), key=str
    )
    assert plays_of_trakt(world) == expected_plays(world, before, run)
    assert world.upstreams.kinopub.state_changes == []


def test_its_numbers_add_up(world: World) -> None:
    """Sent and skipped together are all candidates, reason by reason."""
    run = world.run()
    expected = world.upstreams.expected()
    skipped = Counter(entry.reason for entry in expected if entry.outcome == "skipped")
    assert {reason: n for reason, n in run.counts["skipped"].items() if n} == skipped
    assert run.counts["sent"] == sum(entry.outcome == "sent" for entry in expected)
    assert (
        run.counts["sent"] + sum(skipped.values())
        == len(expected)
        == run.counts["completed"] + skipped["not_completed"]
    )
    assert run.counts["history"] == len(world.upstreams.library.viewer(DEFAULT_USER).rows)


def test_an_idle_run_makes_one_call_of_kinopub_and_none_of_trakt(world: World) -> None:
    """The hour after, and every hour until somebody watches something."""
    world.run()
    for _ in range(3):
        world.now += 3600
        for app in (world.upstreams.trakt, world.upstreams.kinopub):
            app.forget()
        run = world.run()
        assert (run.status, world.calls(), run.calls) == (
            "succeeded",
            {"trakt": 0, "kinopub": 1},
            {"trakt": 0, "kinopub": 1},
        )


def test_a_full_run_sends_nothing_again(world: World) -> None:
    """It reads everything once more; what was sent is known without asking Trakt for its history."""
    world.run()
    plays = plays_of_trakt(world)
    world.upstreams.trakt.forget()
    run = world.run(full=True)
    assert (run.status, run.counts["sent"], plays_of_trakt(world)) == ("succeeded", 0, plays)
    assert not world.upstreams.trakt.requests("^/sync/history", "POST")


@pytest.mark.parametrize("batch_size", [10, 50, 250])
def test_a_first_run_costs_no_more_calls_than_it_has_to(world: World, batch_size: int) -> None:
    """Pages, titles, look-ups, batches: each once, and fifteen in a hundred for what goes wrong."""
    world.settings(batch_size=batch_size)
    allowed = most_calls
    run = world.run()
    calls = world.calls()
    assert calls == run.calls
    assert sum(calls.values()) <= allowed(world, run)


def test_a_new_episode_costs_a_handful_of_calls(world: World) -> None:
    """One new row: its page, its title, Trakt's history of the last days, one POST; the mapping is remembered."""
    world.run()
    for app in (world.upstreams.trakt, world.upstreams.kinopub):
        app.forget()
    world.now += 3600
    show = world.upstreams.library.find("Silo")
    world.upstreams.library.watch(DEFAULT_USER, show.id, 2, 5)
    run = world.run()
    assert (run.status, run.counts["sent"]) == ("succeeded", 1)
    assert world.calls() == {"kinopub": 2, "trakt": 3}


def test_the_documented_form_of_seasons_gives_the_same(world: World) -> None:
    """A Trakt that answers as the older document says: a call per season, and the same plays in the end."""
    world.upstreams.trakt.options.set(documented_season_form=True)
    before = plays_of_trakt(world)
    run = world.run()
    assert run.status == "succeeded"
    assert plays_of_trakt(world) == expected_plays(world, before, run)


def test_many_short_turns_give_what_one_long_turn_gives(world: World) -> None:
    """A planner that has time for a dozen calls goes on by message, again and again; it asks hardly anything twice."""
    in_one_turn = World("realistic")
    whole = in_one_turn.run()
    before = plays_of_trakt(world)
    world.latency, world.planner_lives = 0.5, 12.0
    run = world.run()
    assert run.status == "succeeded"
    assert run.attempt > 5
    assert run.counts == whole.counts
    assert plays_of_trakt(world) == expected_plays(world, before, run)
    assert sum(run.calls.values()) <= 1.15 * sum(whole.calls.values())


def test_several_users_do_not_disturb_each_other() -> None:
    """Each has plays of their own; what Trakt calls a title is asked once for all of them."""
    users = ("harry", "ron")
    world = World("realistic", users)
    for user in users:
        world.start(user)
    world.drain()
    for user in users:
        (run,) = world.shop.runs.newest(user, limit=2)
        expected = world.upstreams.expected(user)
        assert (run.status, run.counts["sent"]) == ("succeeded", sum(entry.outcome == "sent" for entry in expected))
    look_ups = world.upstreams.trakt.requests("^/(search|shows)")
    asked = Counter((entry.path, *sorted(entry.query)) for entry in look_ups)
    assert set(asked.values()) == {1}


def test_reads_at_once_find_the_same() -> None:
    """As in the cloud, several reads at a time; a Kinopub that bears only three of them is asked more slowly."""
    world = World("realistic")
    world.shop.reads_at_once = 6
    world.upstreams.kinopub.options.set(max_in_flight=3)
    before = plays_of_trakt(world)
    run = world.run()
    assert run.status == "succeeded"
    assert plays_of_trakt(world) == expected_plays(world, before, run)
