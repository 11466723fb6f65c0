"""A run in a person's hand: looked at before anything is sent, confirmed, braked, cancelled (http-api.md, Sync)."""

from dataclasses import replace

import pytest

from tests.upstreams import Library, film
from tests.world import NOW, ONE_BATCH, World
from watchferry.errors import Problem
from watchferry.models import Title
from watchferry.storage.account import RunActive
from watchferry.storage.accounts import RUN_LEASE
from watchferry.storage.overrides import Override
from watchferry.storage.runs import Run
from watchferry.sync.brake import NEVER_BELOW, too_many
from watchferry.sync.queues import PlanJob
from watchferry.sync.schedule import enqueue_due

USER = "harry"


def tick(world: World) -> Run | None:
    """The schedule ticks, and all that follows is done; the run that came of it."""
    before = {run.run_id for run in world.shop.runs.newest(USER, limit=100)}
    enqueue_due(world.shop.accounts, world.queues, at=world.now, spread=0)  # type: ignore[arg-type]
    world.drain()
    world.now += 60
    return next((run for run in world.shop.runs.newest(USER, limit=100) if run.run_id not in before), None)


def refused(world: World, action: str, run_id: str) -> str:
    with pytest.raises(Problem) as raised:
        getattr(world, action)(run_id)
    assert raised.value.status == 409
    return raised.value.code


@pytest.fixture
def crowd() -> World:
    """Ten films in four batches."""
    library = Library(NOW)
    for n in range(1, 11):
        title = film(library, f"Фильм {n} / Film {n}", 2000 + n, f"tt{1_000_000 + n:07d}", item=n)
        library.finish(USER, title, title.units[0], NOW - n * 86_400)
    world = World(library)
    world.settings(batch_size=3)
    return world


# ---------------------------------------------------------------- preview and confirmation


def test_a_preview_waits_with_its_plan(world: World) -> None:
    """Nothing is sent, the cursor stays, no run is active."""
    run = world.run(mode="preview")
    assert (run.status, run.counts["planned"], run.error) == ("awaiting_confirmation", 2, None)
    assert [event.outcome for event in world.events(run)] == ["planned", "planned"]
    account = world.account()
    assert (account.active_run_id, account.awaiting_run_id, account.cursor) == (None, run.run_id, None)
    assert world.plays() == []


def test_a_preview_of_nothing_is_over(world: World) -> None:
    world.run()
    run = world.run(mode="preview")
    assert (run.status, run.counts["planned"]) == ("succeeded", 0)
    assert world.account().awaiting_run_id is None


def test_a_confirmed_preview_sends_its_plan(world: World) -> None:
    """The same run goes on; it ends as any other does, and automatic sync is on from then on."""
    preview = world.run(mode="preview")
    assert not world.account().settings.enabled
    world.confirm(preview.run_id)
    assert world.account().settings.enabled
    assert world.get(preview.run_id).status == "queued"
    world.drain()
    run = world.get(preview.run_id)
    assert (run.status, run.mode, run.counts["sent"], len(world.plays())) == ("succeeded", "preview", 2, 2)
    assert [event.outcome for event in world.events(run)] == ["sent", "sent"]
    account = world.account()
    assert (account.active_run_id, account.awaiting_run_id) == (None, None)
    assert account.last_success_at is not None
    assert world.run().calls == {"kinopub": 1, "trakt": 0}, "the cursor has moved"


def test_exactly_what_was_shown_is_sent(world: World) -> None:
    """A view that came after the preview is the next run's."""
    preview = world.run(mode="preview")
    world.upstreams.library.watch(USER, "Inception")
    world.confirm(preview.run_id)
    world.drain()
    assert len(world.plays()) == 2
    assert world.run().counts["sent"] == 1


def test_a_play_that_appeared_meanwhile_is_not_sent_again(world: World) -> None:
    """It is a duplicate of this run then, in its numbers and its report."""
    preview = world.run(mode="preview")
    [film_event] = [event for event in world.events(preview) if event.view.type == "movie"]
    title = world.upstreams.library.titles[film_event.view.item]
    world.upstreams.trakt.add_play(USER, title.trakt, film_event.view.watched_at // 60 * 60 + 5)
    world.confirm(preview.run_id)
    world.drain()
    run = world.get(preview.run_id)
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 1, 1)
    assert len(world.plays()) == 2
    assert {(event.outcome, event.reason) for event in world.events(run)} == {("sent", None), ("skipped", "duplicate")}
    assert world.run(full=True).counts["sent"] == 0


def test_a_whole_plan_may_have_appeared_meanwhile(crowd: World) -> None:
    """Then nothing is posted."""
    preview = crowd.run(mode="preview")
    for event in crowd.events(preview):
        title = crowd.upstreams.library.titles[event.view.item]
        crowd.upstreams.trakt.add_play(USER, title.trakt, event.view.watched_at)
    crowd.confirm(preview.run_id)
    crowd.drain()
    run = crowd.get(preview.run_id)
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 0, 10)
    assert not [request for request in crowd.upstreams.trakt.requests() if request.method == "POST"]


def test_what_is_ignored_after_the_preview_is_not_sent(crowd: World) -> None:
    """The page says "Ignore": a confirmation after that must not surprise."""
    preview = crowd.run(mode="preview")
    ignored = Title(4, "movie", "Фильм 4 / Film 4", 2004, "tt1000004", True, {})
    crowd.shop.overrides.put(USER, Override("4", ignored, ignore=True))
    crowd.confirm(preview.run_id)
    crowd.drain()
    run = crowd.get(preview.run_id)
    assert (run.counts["sent"], run.counts["skipped"]["ignored"]) == (9, 1)


def test_confirmed_once(world: World) -> None:
    """A second click, a click when all is over, a run that never waited."""
    preview = world.run(mode="preview")
    world.confirm(preview.run_id)
    assert refused(world, "confirm", preview.run_id) == "wrong_state"
    world.drain()
    assert refused(world, "confirm", preview.run_id) == "wrong_state"
    assert refused(world, "confirm", world.run().run_id) == "wrong_state"


def test_an_account_that_has_to_be_connected_again_cannot_confirm(world: World) -> None:
    preview = world.run(mode="preview")
    world.shop.accounts.pause(USER, "reauth_required")
    assert refused(world, "confirm", preview.run_id) == "reauth_required"
    world.shop.accounts.disconnect(USER, "trakt")
    assert refused(world, "confirm", preview.run_id) == "not_connected"
    assert world.get(preview.run_id).status == "awaiting_confirmation"


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_which_account_has_to_be_connected_again(world: World, provider: str) -> None:
    """And of Trakt the likely cause: a free account has one connected application."""
    preview = world.run(mode="preview")
    world.shop.accounts.pause(USER, "reauth_required", provider)
    with pytest.raises(Problem) as problem:
        world.confirm(preview.run_id)
    assert problem.value.extra == {"provider": provider}
    assert problem.value.detail.startswith(f"{provider.capitalize()} has to be connected again")
    assert ("only one connected application" in problem.value.detail) == (provider == "trakt")


def test_somebody_who_has_switched_it_off_stays_without_automatic_sync(world: World) -> None:
    """A confirmation switches on what nobody has chosen; a choice stays."""
    world.settings(enabled=True)
    world.settings(enabled=False)
    preview = world.run(mode="preview")
    world.confirm(preview.run_id)
    assert not world.account().settings.enabled


def test_other_settings_are_no_choice_of_that(world: World) -> None:
    """A page sends all settings back with the one that it changed."""
    world.settings(batch_size=10)
    preview = world.run(mode="preview")
    world.confirm(preview.run_id)
    assert world.account().settings.enabled


def test_starting_another_run_cancels_the_one_that_waits(world: World) -> None:
    preview = world.run(mode="preview")
    assert world.run().counts["sent"] == 2
    assert world.get(preview.run_id).status == "cancelled"
    assert refused(world, "confirm", preview.run_id) == "wrong_state"


def test_another_kinopub_account_ends_the_waiting_of_a_plan(world: World) -> None:
    """It was made of the other account's history; with the next run it is cancelled."""
    preview = world.run(mode="preview")
    world.shop.accounts.connect(USER, "kinopub")
    assert refused(world, "confirm", preview.run_id) == "wrong_state"
    assert world.run().counts["sent"] == 2
    assert world.get(preview.run_id).status == "cancelled"


def test_a_confirmed_run_is_the_active_one(world: World) -> None:
    """Nobody starts another beside it."""
    preview = world.run(mode="preview")
    world.confirm(preview.run_id)
    with pytest.raises(RunActive) as raised:
        world.start()
    assert raised.value.run_id == preview.run_id


# ---------------------------------------------------------------- the brake


def test_a_scheduled_run_of_too_many_is_braked(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why, pauses the account, and goes on when it is confirmed; the schedule then goes on too."""
    monkeypatch.setattr("watchferry.sync.brake.NEVER_BELOW", 9)
    crowd.settings(enabled=True)
    run = tick(crowd)
    assert run is not None
    assert (run.status, run.trigger, crowd.plays()) == ("awaiting_confirmation", "schedule", [])
    assert run.error is not None
    assert run.error["code"] == "awaiting_confirmation"
    assert "10 plays" in run.error["detail"]
    assert "9 " in run.error["detail"]
    assert crowd.account().paused_reason == "awaiting_confirmation"
    assert tick(crowd) is None, "the schedule leaves the account alone"
    assert [(each.to, each.kind, each.run_id) for each in crowd.notices.sent] == [
        ("webhook", "awaiting_confirmation", run.run_id),
        ("operator", "awaiting_confirmation", run.run_id),
    ]
    crowd.confirm(run.run_id)
    assert crowd.account().paused_reason is None
    crowd.drain()
    run = crowd.get(run.run_id)
    assert (run.status, run.error, len(crowd.plays())) == ("succeeded", None, 10)
    again = tick(crowd)
    assert again is not None
    assert again.status == "succeeded"


def test_a_run_by_hand_is_free_of_the_brake(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a number was set."""
    monkeypatch.setattr("watchferry.sync.brake.NEVER_BELOW", 9)
    crowd.settings(confirm_above=9)
    run = crowd.run()
    assert (run.status, crowd.account().paused_reason) == ("awaiting_confirmation", None)
    crowd.settings(confirm_above=None)
    assert crowd.run().counts["sent"] == 10
    assert crowd.get(run.run_id).status == "cancelled"


def test_a_run_at_the_limit_is_not_braked(crowd: World) -> None:
    crowd.settings(confirm_above=10)
    assert crowd.run().status == "succeeded"


def test_starting_by_hand_ends_the_brakes_pause(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing left to confirm."""
    monkeypatch.setattr("watchferry.sync.brake.NEVER_BELOW", 9)
    crowd.settings(enabled=True)
    tick(crowd)
    assert crowd.run().counts["sent"] == 10
    assert crowd.account().paused_reason is None
    assert tick(crowd) is not None


@pytest.mark.parametrize(
    ("sent_before", "planned", "braked"),
    [
        ([], NEVER_BELOW, False),
        ([], NEVER_BELOW + 1, True),
        ([100], 300, False),
        ([100], 301, True),
        ([0] * 9 + [100], 300, False),
        ([0] * 10 + [100], 300, True),
    ],
)
def test_too_many_is_three_times_the_largest_of_the_last_ten(
    world: World, sent_before: list[int], planned: int, braked: bool
) -> None:
    """And 200 at least; older runs do not count."""
    run = replace(world.get(world.start()), trigger="schedule")
    earlier = [replace(run, run_id=f"r{n}", counts={**run.counts, "sent": sent}) for n, sent in enumerate(sent_before)]
    undo = replace(run, run_id="u", mode="undo", counts={**run.counts, "sent": 5000})
    why = too_many(run, planned, world.account().settings, [run, undo, *earlier])
    assert (why is not None) == braked


# ---------------------------------------------------------------- cancelling


def test_a_queued_run_is_cancelled(world: World) -> None:
    """Its message finds nothing to do, and another may begin at once."""
    run_id = world.start()
    world.cancel(run_id)
    assert (world.get(run_id).status, world.account().active_run_id) == ("cancelled", None)
    world.drain()
    assert (world.results[-1], world.calls()) == ("finished before", {"trakt": 0, "kinopub": 0})
    assert world.run().counts["sent"] == 2


def test_a_run_is_cancelled_while_it_sends(crowd: World) -> None:
    """What was sent stays and is counted, the rest is the next run's."""
    crowd.sender_lives = ONE_BATCH
    run_id = crowd.start()
    crowd.step()
    crowd.step()
    crowd.cancel(run_id)
    crowd.drain()
    run = crowd.get(run_id)
    assert (run.status, run.counts["sent"], len(crowd.plays())) == ("cancelled", 3, 3)
    assert crowd.account().cursor is None
    assert crowd.run().counts["sent"] == 7
    assert len(crowd.plays()) == 10


def test_a_waiting_run_is_cancelled(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A braked one with the pause that it brought."""
    preview = crowd.run(mode="preview")
    crowd.cancel(preview.run_id)
    assert (crowd.get(preview.run_id).status, crowd.account().awaiting_run_id) == ("cancelled", None)
    monkeypatch.setattr("watchferry.sync.brake.NEVER_BELOW", 9)
    crowd.settings(enabled=True)
    run = tick(crowd)
    assert run is not None
    crowd.cancel(run.run_id)
    assert crowd.account().paused_reason is None


def test_what_is_over_cannot_be_cancelled(world: World) -> None:
    assert refused(world, "cancel", world.run().run_id) == "wrong_state"


def test_a_dead_run_can_be_cancelled(world: World) -> None:
    """Nobody works on it any more, and nobody has noticed yet."""
    run_id = world.start()
    world.queues.messages.clear()
    world.now += RUN_LEASE + 1
    world.cancel(run_id)
    assert world.get(run_id).status == "cancelled"


def test_a_cancelled_run_cannot_be_started_again_by_a_late_message(world: World) -> None:
    run_id = world.start()
    world.cancel(run_id)
    world.queues.plan([(PlanJob(USER, run_id, "manual"), 0)])
    world.drain()
    assert world.get(run_id).status == "cancelled"
    assert world.plays() == []
