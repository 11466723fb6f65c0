"""The pipeline against a Trakt that never deduplicates, while everything goes wrong that can (tests/chaos).

First the dangers that have a name, one program each; then programs that hypothesis makes up: sixty in `make test`, more
in `make test-all`, and with `CHAOS_EXAMPLES=2000` as many as that. The seed is fixed, so a run can be repeated;
`CHAOS_SEED` chooses another.
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.chaos.actions import (
    GARBLED,
    Action,
    Begin,
    Cancel,
    Clear,
    Confirm,
    Deliver,
    Drift,
    FinishUnseen,
    Garble,
    Interruption,
    LatePost,
    Limit,
    Pass,
    Poison,
    Reconnect,
    Start,
    Tick,
    Trouble,
    Undo,
    Watch,
    Work,
)
from tests.chaos.viewing import USER
from tests.chaos.world import Chaos
from tests.unit.sync.programs import HOUR, programs
from watchferry.storage.runs import Run

EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "60"))
SEED = int(os.environ.get("CHAOS_SEED", "20261122"))

INTENT, POST, SETTLE = "Accounts+Ledger", "POST /sync/history", "Plans+Runs"
"""Calls of a sender: what it is about to send; the sending; the batch and the run's numbers."""


def slow(at: str, *meanwhile: Action, effect: bool = False, copies: int = 0) -> Deliver:
    """A worker that stands still at a call while other things happen."""
    return Deliver(0, (Interruption(at, "meanwhile", effect, meanwhile=meanwhile),), copies)


def killed(at: str, *, effect: bool = False, late: int = 0) -> Deliver:
    return Deliver(0, (Interruption(at, "crash", effect, late),))


ANOTHER_RUN = (Reconnect("kinopub"), Start())
"""Takes the place of the one that is under way."""

THREE_VIEWS = (Watch(0), Watch(1), Watch(2))
"""Two batches. (Each number counts among what can be watched then.)"""

PLANNED = (Watch(0), Start(), Work(1))
"""One view, planned and not sent."""

DANGERS: dict[str, Sequence[Action]] = {
    "another run sends while the first one's sender stands still before it says what it is about to send": (
        *PLANNED,
        slow(INTENT, *ANOTHER_RUN, Work(3)),
    ),
    "another run starts while the first one's sender stands still just before its POST": (
        *PLANNED,
        slow(POST, *ANOTHER_RUN, Work(3)),
        Work(3),
    ),
    "another run starts just after the first one's POST, whose answer nobody reads": (
        *PLANNED,
        slow(POST, *ANOTHER_RUN, Work(3), effect=True),
        Work(3),
    ),
    "another run starts at once, while a POST without an answer is still at work": (
        *PLANNED,
        LatePost(50),
        Work(1),
        *ANOTHER_RUN,
        Work(4),
    ),
    "the sender dies during a POST that is still at work, and another run starts": (
        *PLANNED,
        killed(POST, late=50),
        *ANOTHER_RUN,
        Work(4),
    ),
    "the sender dies during a POST that is still at work, and its message comes back": (
        *PLANNED,
        killed(POST, late=50),
        Work(3),
    ),
    "the sender dies after the POST and before it writes that down": (*PLANNED, killed(POST, effect=True), Work(3)),
    "the sender dies after the ledger and before the batch is settled": (*PLANNED, killed(SETTLE), Work(3)),
    "the sender dies after the batch is settled and before the run is ended": (
        *PLANNED,
        killed(SETTLE, effect=True),
        Work(3),
    ),
    "a superseded sender wakes up while its successor's POST is at work, and a third run starts": (
        *PLANNED,
        slow(INTENT, *ANOTHER_RUN, Work(1), killed(POST, late=50)),
        *ANOTHER_RUN,
        Work(4),
    ),
    "a message comes ten times at once": (*PLANNED, Deliver(copies=10), Work(11)),
    "a second copy of the message comes seconds after a POST that is still at work": (
        *PLANNED,
        LatePost(50),
        Deliver(copies=1),
        Pass(5),
        Work(2),
    ),
    "the read-back fails, when the POST that it was to look for has long had its effect": (
        *PLANNED,
        LatePost(50),
        Work(1),
        Trouble("trakt", "502 before", times=5),
        Work(3),
    ),
    "a message comes again while its first worker stands before the POST": (
        *PLANNED,
        slow(POST, Work(2), copies=2),
        Work(3),
    ),
    "the view's time moves while the outcome of its POST is not known, and another run starts": (
        Watch(0),
        Pass(600),
        Start(),
        Work(1),
        LatePost(50),
        Work(1),
        Drift(0, 300),
        *ANOTHER_RUN,
        Work(4),
    ),
    "a film that was finished without a new row is sent by a run that fails": (
        *(Begin(0), Start(), Work(2), FinishUnseen(0), Pass(25 * HOUR)),
        *(Trouble("post", "403"), Start(), Work(3)),
    ),
    "a full run finds what lies behind the cursor, and fails": (
        *(Begin(0), Start(), Work(2), FinishUnseen(0)),
        *(Trouble("post", "420"), Start(full=True), Work(3)),
    ),
    "a title is begun again between two turns of one planner": (
        *(Begin(0), Start(), Work(2), FinishUnseen(0), Pass(25 * HOUR), Start()),
        Deliver(0, (Interruption("batch_write_item Plans", "error", effect=True),)),
        *(Begin(0), Start(), Work(2), FinishUnseen(0), Pass(25 * HOUR), Tick(), Work(4)),
    ),
    "the planner dies before its plan holds": (Watch(0), Start(), killed("batch_write_item Plans"), Work(3)),
    "Trakt answers each of five POSTs with an error before it stores anything": (
        *PLANNED,
        Trouble("post", "502 before", times=5),
        Work(8),
    ),
}


def broken_promises(*program: Action) -> None:
    chaos = Chaos()
    chaos.play(program)
    chaos.heal()
    assert chaos.problems() == []


def run_of(*program: Action) -> Run:
    """The one run of a program, or its undo, when all messages are worked off and before any other run begins."""
    chaos = Chaos()
    chaos.play(program)
    chaos.finish_all()
    run, *undone = chaos.shop.runs.newest(USER, limit=10)
    assert [run.undoes] == [each.run_id for each in undone] or not undone
    chaos.heal()
    assert chaos.problems() == []
    return run


@pytest.mark.parametrize("program", DANGERS.values(), ids=DANGERS.keys())
def test_a_danger_that_has_a_name(program: Sequence[Action]) -> None:
    """In the end every finished view is at Trakt once, and nothing else is."""
    broken_promises(*program)


@pytest.mark.parametrize("how", GARBLED)
@pytest.mark.parametrize("title", range(5))
@pytest.mark.parametrize("days", [0, 2])
def test_a_title_that_cannot_be_read_for_a_while(title: int, how: str, days: int) -> None:
    """It is not lost when the cursor passes it, nor sent twice when it can be read again; nothing else waits for it."""
    watched = (Watch(0), Watch(1), Watch(1), Watch(1), Watch(1), Watch(1))
    again = [action for _ in range(days) for action in (Pass(25 * HOUR), Watch(0), Tick(), Work(9))]
    chaos = Chaos()
    chaos.play([*watched, Garble(title, how), Start(), Work(20)])
    newest = next(iter(chaos.shop.runs.newest(USER, limit=1)))
    assert newest.status in {"succeeded", "partial"}
    assert chaos.account().cursor == newest.cursor
    chaos.play([*again, Clear(), Watch(2), Tick(), Work(9)])
    chaos.heal()
    assert chaos.problems() == []


@pytest.mark.parametrize("how", GARBLED)
def test_a_confirmed_plan_remembers_what_could_not_be_read(how: str) -> None:
    """Its aftermath takes effect when a person agrees to it, and not before."""
    broken_promises(
        *(*THREE_VIEWS, Garble(0, how), Start(mode="preview"), Work(9), Confirm(), Work(9), Clear()),
    )


def test_a_waiting_run_is_ended_even_if_the_one_that_replaces_it_dies_at_once() -> None:
    """Between taking its place and ending it: the same message, coming again, sees to it."""
    broken_promises(Limit(0), Watch(0), Start(), Work(1), Tick(), killed("update_item Runs"), Work(3))


CALLS_OF_A_PLANNER, CALLS_OF_A_SENDER, CALLS_OF_A_RECHECK, CALLS_OF_AN_UNDO = 44, 18, 26, 22
"""A little more than they make, so that the last ones change nothing."""

EVERYTHING = (*THREE_VIEWS, Begin(5), Start())
"""Three views to send, one title begun; then the planner's message."""


SAMPLED = 7
"""Of so many calls `make test` tries one."""


def everywhere(calls: int) -> pytest.MarkDecorator:
    """Each call of a worker, before and after its effect."""
    places = [(at, effect) for at in range(calls) for effect in (False, True)]
    return pytest.mark.parametrize(
        ("at", "effect"),
        [
            pytest.param(*place, marks=() if number % SAMPLED == 0 else pytest.mark.thorough)
            for number, place in enumerate(places)
        ],
    )


@everywhere(CALLS_OF_A_PLANNER)
@pytest.mark.parametrize("what", ["crash", "error", "repeat"])
def test_a_planner_that_fails_at_any_call(at: int, effect: bool, what: Any) -> None:
    """It dies, gets an error, or its library repeats the call: everything is sent, and by this very run."""
    run = run_of(*EVERYTHING, Deliver(0, (Interruption(at, what, effect),)))
    assert (run.status, run.counts["sent"]) == ("succeeded", 3)


@everywhere(CALLS_OF_A_PLANNER)
def test_a_planner_that_is_superseded_at_any_call(at: int, effect: bool) -> None:
    """Another run takes its place and works to its end meanwhile."""
    broken_promises(
        *EVERYTHING, Deliver(0, (Interruption(at, "meanwhile", effect, meanwhile=(*ANOTHER_RUN, Work(4))),))
    )


@everywhere(CALLS_OF_A_SENDER)
@pytest.mark.parametrize("late", [0, 50], ids=["at once or never", "late"])
@pytest.mark.parametrize("what", ["crash", "error", "repeat"])
def test_a_sender_that_fails_at_any_call(at: int, effect: bool, late: int, what: Any) -> None:
    """It dies, gets an error, or its library repeats the call: the view is sent once, and by this very run."""
    run = run_of(*PLANNED, Deliver(0, (Interruption(at, what, effect, late),)))
    assert (run.status, run.counts["sent"]) == ("succeeded", 1)


@everywhere(CALLS_OF_A_SENDER)
def test_a_sender_that_is_superseded_at_any_call(at: int, effect: bool) -> None:
    """Another run takes its place and works to its end meanwhile."""
    superseded = Interruption(at, "meanwhile", effect, meanwhile=(*ANOTHER_RUN, Work(4)))
    broken_promises(*PLANNED, Deliver(0, (superseded,)))


@everywhere(CALLS_OF_A_SENDER)
def test_a_message_that_comes_again_at_any_call(at: int, effect: bool) -> None:
    """The same batch, delivered to a second worker while the first one is at it."""
    run = run_of(*PLANNED, Deliver(0, (Interruption(at, "meanwhile", effect, meanwhile=(Work(1),)),), copies=1))
    assert (run.status, run.counts["sent"]) == ("succeeded", 1)


@everywhere(CALLS_OF_A_SENDER)
def test_a_sender_that_reads_back_and_fails_at_any_call(at: int, effect: bool) -> None:
    """The POST's outcome was not known; the worker that reads it back dies as well."""
    run = run_of(*PLANNED, LatePost(50), Work(1), Deliver(0, (Interruption(at, "crash", effect, 50),)))
    assert (run.status, run.counts["sent"]) == ("succeeded", 1)


PREVIEWED = (*THREE_VIEWS, Start(mode="preview"), Work(1), Confirm())
"""Three views that a person has seen and agreed to; then the planner's second message."""

DONE = (*THREE_VIEWS, Start(), Work(4))
"""Three views that were sent, in two batches."""


@everywhere(CALLS_OF_A_RECHECK)
@pytest.mark.parametrize("what", ["crash", "error", "repeat"])
def test_a_confirmation_that_fails_at_any_call(at: int, effect: bool, what: Any) -> None:
    """What was confirmed is sent once, whatever becomes of the worker that looks for plays that appeared meanwhile."""
    run = run_of(*PREVIEWED, Deliver(0, (Interruption(at, what, effect),)))
    assert (run.status, run.counts["sent"]) == ("succeeded", 3)


@everywhere(CALLS_OF_A_RECHECK)
def test_a_play_that_appears_during_the_confirmation(at: int, effect: bool) -> None:
    """Another run sends the very same views, at any moment of it: one of the two gives way."""
    others = (Cancel(), Start(), Work(4))
    broken_promises(*PREVIEWED, Deliver(0, (Interruption(at, "meanwhile", effect, meanwhile=others),)))


@everywhere(CALLS_OF_A_PLANNER)
def test_cancelled_while_it_is_planned(at: int, effect: bool) -> None:
    """At any call: the next run makes up for it."""
    broken_promises(*EVERYTHING, Deliver(0, (Interruption(at, "meanwhile", effect, meanwhile=(Cancel(),)),)))


@everywhere(CALLS_OF_A_SENDER)
def test_cancelled_while_it_is_sent_and_another_is_started(at: int, effect: bool) -> None:
    """At any call of a sender, the next run beside it."""
    others = (Cancel(), Start(), Work(3))
    broken_promises(*PLANNED, Deliver(0, (Interruption(at, "meanwhile", effect, meanwhile=others),)))


@everywhere(CALLS_OF_AN_UNDO)
@pytest.mark.parametrize("what", ["crash", "error", "repeat"])
def test_an_undo_that_fails_at_any_call_of_its_planner(at: int, effect: bool, what: Any) -> None:
    """In the end all of the run's plays are gone, and nobody else's."""
    run = run_of(*DONE, Undo(), Deliver(0, (Interruption(at, what, effect),)))
    assert (run.mode, run.status, run.counts["removed"]) == ("undo", "succeeded", 3)


@everywhere(CALLS_OF_AN_UNDO)
@pytest.mark.parametrize("late", [0, 50], ids=["at once or never", "late"])
@pytest.mark.parametrize("what", ["crash", "error", "repeat"])
def test_an_undo_that_fails_at_any_call_of_its_sender(at: int, effect: bool, late: int, what: Any) -> None:
    run = run_of(*DONE, Undo(), Work(1), Deliver(0, (Interruption(at, what, effect, late),)))
    assert (run.mode, run.status, run.counts["removed"]) == ("undo", "succeeded", 3)


@everywhere(CALLS_OF_A_SENDER)
def test_an_undo_of_a_run_whose_sender_ended_at_any_call(at: int, effect: bool) -> None:
    """The run was cancelled before anybody came to settle the batch: what the sender had sent goes all the same."""
    broken_promises(*PLANNED, Deliver(0, (Interruption(at, "crash", effect),)), Pass(285), Cancel(), Undo(), Work(4))


@everywhere(CALLS_OF_AN_UNDO)
def test_an_undo_of_a_run_whose_last_post_is_still_at_work(at: int, effect: bool) -> None:
    """The run was cancelled, its outcome is not known; the undo waits for it, wherever it is disturbed."""
    broken_promises(
        *PLANNED, LatePost(50), Work(1), Cancel(), Undo(), Deliver(1, (Interruption(at, "crash", effect),)), Work(4)
    )


def test_a_plan_that_was_not_queued_is_queued_again() -> None:
    """A crash between the plan and the queue: the planner's message comes again and finds the plan."""
    run = run_of(*THREE_VIEWS, Start(), killed("queue send"))
    assert (run.status, run.counts["sent"]) == ("succeeded", 3)


@pytest.mark.parametrize("at", ["put_item Plans", "batch_write_item Plans"], ids=["long before", "just before"])
@pytest.mark.parametrize("messages", [1, 2], ids=["planned", "sent"])
def test_a_planner_that_was_overtaken_harms_nothing(at: str, messages: int) -> None:
    """Its lease was over, another one planned the run: that plan holds, the run goes on and ends well."""
    run = run_of(Watch(0), Start(), slow(at, Pass(285), Work(messages), copies=1))
    assert (run.status, run.counts["sent"], run.attempt) == ("succeeded", 1, 2)


def test_a_write_that_botocore_repeats_counts_once() -> None:
    """The answer to a write may be lost; then the library writes again, and finds its own first write there."""
    again = tuple(Interruption("update_item", "repeat", effect=True) for _ in range(30))
    run = run_of(*THREE_VIEWS, Start(), *(Deliver(0, again) for _ in range(3)))
    assert (run.status, run.counts["sent"]) == ("succeeded", 3)


def test_halves_that_were_not_queued_are_queued_again() -> None:
    """A crash between the split of a batch and the queue: the batch's message comes again and finds the halves."""
    run = run_of(Poison(), Watch(3), Watch(0), Start(), Work(1), killed("queue send"))
    assert (run.status, run.counts["sent"], run.counts["skipped"]["rejected_by_trakt"]) == ("succeeded", 1, 1)


def test_a_run_that_ends_while_a_post_is_under_way_tells_what_was_sent() -> None:
    """One batch's trouble ends the run as failed; the other batch's views are sent all the same, so it is partial."""
    ended_by_the_other = slow(POST, Trouble("post", "403"), Pass(3), Work(1), effect=True)
    run = run_of(*THREE_VIEWS, Start(), Work(1), ended_by_the_other)
    assert (run.status, run.counts["sent"]) == ("partial", 2)


def test_a_sender_with_too_little_time_left_sends_nothing() -> None:
    """A POST may take 26 seconds; whoever does not live that long leaves it to a successor."""
    chaos = Chaos()
    chaos.play([*PLANNED, slow(INTENT, Pass(40))])
    assert chaos.results[-1].startswith("put off")
    assert not chaos.upstreams.trakt.requests(method="POST")
    chaos.heal()
    assert chaos.problems() == []


@pytest.mark.timeout(max(300, EXAMPLES))
@seed(SEED)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(programs)
def test_nothing_is_lost_and_nothing_is_sent_twice(program: list[Action]) -> None:
    """Whatever is killed, delivered again, answered wrongly or not at all: in the end every view is at Trakt once."""
    broken_promises(*program)
