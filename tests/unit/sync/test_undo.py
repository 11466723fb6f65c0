"""Undo: exactly the plays that a run has added leave Trakt (http-api.md, Sync; product.md)."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.upstreams import Library, film, series
from tests.world import NOW, ONE_BATCH, World
from watchferry.errors import Problem
from watchferry.storage.account import RunActive
from watchferry.sync.removing import MOST_REMOVALS
from watchferry.sync.views import run_view

USER = "harry"
DAY = 86_400


@pytest.fixture
def world() -> World:
    """Five films and a show of four episodes, one of which Trakt has already; two views a batch."""
    library = Library(NOW)
    for n in range(1, 6):
        title = film(library, f"Фильм {n} / Film {n}", 2000 + n, f"tt{1_000_000 + n:07d}", item=n)
        library.finish(USER, title, title.units[0], NOW - n * DAY - 17)
    show = series(library, "Укрытие / Silo", 2023, "tt14688458", {1: 4}, item=90)
    for n, unit in enumerate(show.units):
        library.finish(USER, show, unit, NOW - 20 * DAY + n * 3600 + 29)
    made = World(library)
    made.upstreams.trakt.add_play(USER, show.trakt_episode(show.units[0]), NOW - 20 * DAY + 29)
    made.settings(batch_size=2)
    return made


def ids(world: World) -> set[int]:
    return {play.id for play in world.upstreams.trakt.users[USER].plays}


def undone(world: World, run_id: str) -> Any:
    undo_id = world.undo(run_id)
    world.drain()
    return world.get(undo_id)


def refused(world: World, run_id: str) -> str:
    with pytest.raises(Problem) as raised:
        world.undo(run_id)
    assert raised.value.status == 409
    return raised.value.code


def test_what_the_run_added_is_removed_and_nothing_else(world: World) -> None:
    """The undone run's report says so, and so does the undo's own."""
    before = ids(world)
    run = world.run()
    assert run.counts["sent"] == 8
    undo = undone(world, run.run_id)
    assert ids(world) == before
    assert (undo.status, undo.mode, undo.trigger, undo.error) == ("succeeded", "undo", "undo", None)
    assert (undo.counts["planned"], undo.counts["removed"], undo.counts["sent"]) == (8, 8, 0)
    assert run_view(undo)["phase_progress"] == {"done": 8, "total": 8}
    assert [event.outcome for event in world.events(undo)] == ["removed"] * 8
    outcomes = [event.outcome for event in world.events(world.get(run.run_id))]
    assert (outcomes.count("removed"), outcomes.count("skipped")) == (8, 1)


@pytest.mark.parametrize(("views", "sizes"), [(60, [50, 10]), (501, [250, 250, 1])])
def test_a_large_run_is_undone_in_large_batches(views: int, sizes: list[int]) -> None:
    """The same rule as for sending."""
    world = World(f"large:{views}")
    run = world.run()
    world.settings(batch_size=None)
    assert undone(world, run.run_id).counts["removed"] == views
    removals = world.upstreams.trakt.requests("^/sync/history/remove$", "POST")
    assert [len(json.loads(entry.body)["ids"]) for entry in removals] == sizes


def test_undone_views_are_not_sent_again(world: World) -> None:
    """Neither by the next run nor by a full one, which says that they are ignored; a later view is another one."""
    run = world.run()
    undone(world, run.run_id)
    left = ids(world)
    assert world.run().counts["sent"] == 0
    full = world.run(full=True)
    assert (full.counts["sent"], full.counts["skipped"]["ignored"], full.counts["skipped"]["duplicate"]) == (0, 8, 1)
    assert ids(world) == left
    world.upstreams.library.watch(USER, "Film 1")
    assert world.run().counts["sent"] == 1


def test_plays_from_elsewhere_stay(world: World) -> None:
    """Of the same films: at other times, in the same minute, and even in the same second."""
    run = world.run()
    theirs = set()
    for event in world.events(run)[:3]:
        title = world.upstreams.library.titles[event.view.item]
        thing = title.trakt if event.view.type == "movie" else title.trakt_episode(title.units[event.view.number - 1])
        for at in (event.view.watched_at, event.view.watched_at // 60 * 60, event.view.watched_at + 7200):
            theirs.add(world.upstreams.trakt.add_play(USER, thing, at).id)
    before = ids(world)
    undone(world, run.run_id)
    assert theirs <= ids(world)
    assert len(before - ids(world)) == 8


def test_a_play_that_somebody_removed_already_is_no_trouble(world: World) -> None:
    """It is not said that this undo removed it. It is gone all the same, and is not to come back."""
    run = world.run()
    plays = world.upstreams.trakt.users[USER].plays
    for play in sorted(plays, key=lambda play: play.id)[-3:]:
        plays.remove(play.id)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"], undo.counts["already_removed"]) == ("succeeded", 5, 3)
    assert len(ids(world)) == 1
    undone_run = world.get(run.run_id)
    assert (undone_run.counts["removed"], undone_run.counts["already_removed"]) == (5, 3)
    for each in (undo, undone_run):
        told = Counter((event.outcome, event.reason) for event in world.events(each))
        assert (told["removed", None], told["skipped", "already_removed"]) == (5, 3)
    assert refused(world, run.run_id) == "wrong_state"
    assert world.run(full=True).counts["sent"] == 0


def test_undone_once(world: World) -> None:
    """Nor can an undo be undone, nor a run that sent nothing or waits."""
    run = world.run()
    undo = undone(world, run.run_id)
    assert refused(world, run.run_id) == "wrong_state"
    assert refused(world, undo.run_id) == "wrong_state"
    assert refused(world, world.run().run_id) == "wrong_state"
    world.upstreams.library.watch(USER, "Film 1")
    preview = world.run(mode="preview")
    assert refused(world, preview.run_id) == "wrong_state"
    world.cancel(preview.run_id)
    assert refused(world, preview.run_id) == "wrong_state"


def test_a_confirmed_preview_can_be_undone(world: World) -> None:
    before = ids(world)
    preview = world.run(mode="preview")
    world.confirm(preview.run_id)
    world.drain()
    assert undone(world, preview.run_id).counts["removed"] == 8
    assert ids(world) == before


def test_a_partly_sent_run_is_undone_as_far_as_it_came(world: World) -> None:
    """What it did not send is still to be sent."""
    before = ids(world)
    world.sender_lives = ONE_BATCH
    run_id = world.start()
    world.step()
    world.step()
    world.cancel(run_id)
    world.drain()
    assert world.get(run_id).counts["sent"] == 2
    assert undone(world, run_id).counts["removed"] == 2
    assert ids(world) == before
    assert world.run().counts["sent"] == 6


def test_a_later_runs_plays_are_not_touched(world: World) -> None:
    """A batch of an outcome that was never known: what the next run found is the first one's, what it sent is not."""
    world.upstreams.trakt.faults.add(method="POST", path="^/sync/history$", reset=True, when="after")
    world.sender_lives = ONE_BATCH
    run_id = world.start()
    world.step()
    world.step()  # its effect is there, its answer is lost
    world.upstreams.trakt.faults.add(method="POST", path="^/sync/history$", preset="unavailable")
    world.step()  # this one has none
    world.cancel(run_id)
    world.now += 3600
    first = ids(world)
    second = world.run()
    assert len(ids(world) - first) == second.counts["sent"] == 6
    assert undone(world, run_id).counts["removed"] == 2
    assert len(ids(world)) == len(first) - 2 + 6
    assert undone(world, second.run_id).counts["removed"] == 6
    assert len(ids(world)) == 1


def test_a_post_that_may_still_be_at_work_is_waited_for(world: World) -> None:
    """Else it would add after the undo what the undo was to remove."""
    world.upstreams.trakt.faults.add(method="POST", path="^/sync/history$", reset=True, when="after")
    world.sender_lives = ONE_BATCH
    run_id = world.start()
    world.step()
    world.step()
    world.cancel(run_id)
    undo_id = world.undo(run_id)
    message = world.next_message()
    while message.kind != "plan":
        world.deliver(message)
        message = world.next_message()
    assert world.deliver(message).startswith("goes on in")
    world.drain()
    assert (world.get(undo_id).status, world.get(undo_id).counts["removed"], len(ids(world))) == ("succeeded", 2, 1)


@pytest.mark.parametrize("preset", ["rate_limited", "edge_429", "unavailable", "conflict"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_trouble_on_the_way_is_tried_again(world: World, preset: str, when: str) -> None:
    """A removal may be repeated: what is gone is gone."""
    before = ids(world)
    run = world.run()
    world.upstreams.trakt.faults.add(method="POST", path="remove$", preset=preset, when=when, times=2)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"] + undo.counts["already_removed"]) == ("succeeded", 8)
    assert ids(world) == before


def test_no_answer_at_all(world: World) -> None:
    before = ids(world)
    run = world.run()
    world.upstreams.trakt.faults.add(method="POST", path="remove$", reset=True, when="after", times=3)
    assert undone(world, run.run_id).status == "succeeded"
    assert ids(world) == before


def test_a_locked_account_stops_it(world: World) -> None:
    """What was removed by then is told; the rest can be undone later."""
    before = ids(world)
    run = world.run()
    world.upstreams.trakt.faults.add(method="POST", path="remove$", preset="locked", skip=2, times=None)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"]) == ("partial", 4)
    assert world.account().paused_reason == "account_locked"
    assert refused(world, run.run_id) == "account_locked"
    world.upstreams.trakt.faults.clear()
    world.settings(enabled=True)
    assert undone(world, run.run_id).counts["removed"] == 4
    assert ids(world) == before


def test_an_undo_is_the_users_one_run(world: World) -> None:
    run = world.run()
    world.undo(run.run_id)
    with pytest.raises(RunActive):
        world.start()


def test_an_undo_does_not_move_the_cursor(world: World) -> None:
    run = world.run()
    cursor, success = world.account().cursor, world.account().last_success_at
    world.now += 3600
    undone(world, run.run_id)
    assert (world.account().cursor, world.account().last_success_at) == (cursor, success)


def test_calls_of_an_undo(world: World) -> None:
    """Trakt's history of the run's range, read twice for each kind, and a POST a batch."""
    run = world.run()
    assert undone(world, run.run_id).calls == {"trakt": 2 * 2 + 4, "kinopub": 0}


# ---------------------------------------------------------------- Trakt's own ways


def test_times_that_trakt_cut_to_the_minute(world: World) -> None:
    """Plays at :00, :29 and :55 are all stored as :00, and are the run's own all the same."""
    world.upstreams.trakt.options.minute_times = True
    before = ids(world)
    run = world.run()
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"], undo.counts["already_removed"]) == ("succeeded", 8, 0)
    assert ids(world) == before


def test_what_trakt_did_not_remove_is_not_said_to_be_removed(world: World) -> None:
    """Trakt says 200 and removes nothing: the undo has failed, the report says so, and it can be repeated."""
    before = ids(world)
    run = world.run()
    nothing = {"deleted": {"movies": 0, "episodes": 0}, "not_found": {"ids": []}}
    world.upstreams.trakt.faults.add(method="POST", path="remove$", status=200, body=nothing, times=None, skip=1)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"], undo.error and undo.error["code"]) == ("partial", 2, "not_all_sent")
    told = Counter(event.outcome for event in world.events(undo))
    assert (told["removed"], told["planned"]) == (2, 6)
    assert Counter(event.outcome for event in world.events(world.get(run.run_id)))["removed"] == 2
    assert len(ids(world) - before) == 6
    assert len(world.upstreams.trakt.requests("remove$")) == 1 + 3 * MOST_REMOVALS
    world.upstreams.trakt.faults.clear()
    again = undone(world, run.run_id)
    assert (again.status, again.counts["removed"]) == ("succeeded", 6)
    assert ids(world) == before
    assert refused(world, run.run_id) == "wrong_state"


def test_an_answer_that_says_less_than_was_done(world: World) -> None:
    """The counts are wrong; what is not in the history any more was removed."""
    before = ids(world)
    run = world.run()
    less = {"deleted": {"movies": 0, "episodes": 0}}
    world.upstreams.trakt.faults.add(method="POST", path="remove$", body=less, when="after", times=None)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"], undo.counts["already_removed"]) == ("succeeded", 8, 0)
    assert ids(world) == before


def test_a_play_that_is_removed_between_the_plan_and_its_batch(world: World) -> None:
    """Trakt says which history id it did not find."""
    run = world.run()
    undo_id = world.undo(run.run_id)
    world.step()
    plays = world.upstreams.trakt.users[USER].plays
    gone = max(plays, key=lambda play: play.id)
    plays.remove(gone.id)
    world.drain()
    undo = world.get(undo_id)
    assert (undo.status, undo.counts["removed"], undo.counts["already_removed"]) == ("succeeded", 7, 1)


def test_an_answer_that_was_lost_is_this_undos_own(world: World) -> None:
    """The second POST finds nothing to remove: the first one did it, and not somebody else."""
    run = world.run()
    world.upstreams.trakt.faults.add(method="POST", path="remove$", reset=True, when="after", times=4)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.counts["removed"], undo.counts["already_removed"]) == ("succeeded", 8, 0)


def test_a_history_that_cannot_be_read_whole_undoes_nothing(world: World) -> None:
    run = world.run()
    before = ids(world)
    world.upstreams.trakt.options.set(endless_history=True, page_cap=3)
    undo = undone(world, run.run_id)
    assert (undo.status, undo.error and undo.error["code"], ids(world)) == ("failed", "upstream_incomplete", before)
    world.upstreams.trakt.options.set(endless_history=False)
    assert undone(world, run.run_id).counts["removed"] == 8
