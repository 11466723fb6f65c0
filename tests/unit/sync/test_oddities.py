"""What the real upstreams do beside what they say (`ODD` of tests/chaos/actions.py): each danger by its name."""

from collections.abc import Sequence

import pytest

from tests.chaos.actions import (
    ODD,
    Action,
    Again,
    Begin,
    Confirm,
    Drift,
    Elsewhere,
    FinishUnseen,
    LatePost,
    MarkShow,
    Odd,
    Pass,
    RemovedByHand,
    Start,
    TakeBack,
    Tell,
    Tick,
    Together,
    Trouble,
    Undo,
    Watch,
    Work,
)
from tests.chaos.world import Chaos
from tests.unit.sync.programs import HOUR

DAY = 24 * HOUR
THREE = (Watch(0), Watch(2), Watch(4))
"""Two films and an episode, each by itself: (each number counts among what can be watched then)."""
SENT = (*THREE, Start(), Work(5))
UNDONE = (Undo(), Work(5))
EIGHT_ROWS = (Watch(0), Watch(1), Watch(1), Watch(1), Watch(2), Watch(2), Watch(0), Watch(0))
"""Of five titles, all that there is to watch: three pages of rows."""
IDLE_DAYS = (Pass(25 * HOUR), Tick(), Work(2)) * 3
NEXT_DAY = (Pass(25 * HOUR), Tick(), Work(9))
SAME_MINUTE = (Watch(0), Watch(1), Watch(1), MarkShow())
"""Two films and two episodes of a show, and an episode that Trakt does not have."""
TOLD_BEHIND_OTHERS = (Watch(0, told=True), Watch(3, told=True), Pass(180), Watch(2), Elsewhere(5))
"""What others told Trakt of lies below five films and five episodes of a later minute."""
TOLD_AMONG_OTHERS = (Watch(0, told=True), Elsewhere(5), Start(), Work(5), Pass(HOUR), Watch(4, told=True), Elsewhere(5))


def odd(*names: str) -> tuple[Odd, ...]:
    return tuple(ODD[name] for name in names)


ODD_DANGERS: dict[str, Sequence[Action]] = {
    # ---- Trakt's history
    "plays of one minute lie across a page border, in another order each time": (
        *odd("equal times in any order", "pages of two"),
        *TOLD_AMONG_OTHERS,
        *(Start(), Work(5), Pass(HOUR), Watch(0, told=True), Elsewhere(5), Start(), Work(5)),
    ),
    "the same, and the outcome of a POST is read back": (
        *odd("equal times in any order", "pages of two"),
        *odd("times by the minute"),
        *(*SAME_MINUTE, Start(), Work(1), Elsewhere(5), LatePost(1), LatePost(1), Work(8)),
    ),
    "the same, and a run is undone": (
        *odd("equal times in any order", "pages of two", "times by the minute"),
        *(*SAME_MINUTE, Start(), Work(6), Elsewhere(5), *UNDONE),
    ),
    "the same, and a plan is confirmed": (
        *odd("equal times in any order", "pages of two"),
        *odd("times by the minute"),
        *(*SAME_MINUTE, Start(mode="preview"), Work(2), Elsewhere(5)),
        *(Tell(0), Tell(0), Tell(0), Tell(0), Confirm(), Work(6)),
    ),
    "a page of rows that are not shown stands before what others told": (
        *odd("hidden rows", "pages of two"),
        *(*TOLD_BEHIND_OTHERS, Start(), Work(5)),
    ),
    "a page of rows that are not shown stands before what is undone": (
        *odd("hidden rows", "pages of two"),
        *(Watch(0), Watch(3), Start(), Work(5), Pass(30), Watch(2), Elsewhere(5), *UNDONE),
    ),
    "a page of rows that are not shown stands before what is read back": (
        *odd("hidden rows", "pages of two"),
        *(Watch(0), Watch(3), Start(), Work(1), Pass(30), Watch(2), Elsewhere(5), LatePost(1), Work(4)),
    ),
    "a page is empty once": (
        *odd("page 2 is empty once", "pages of two"),
        *(*TOLD_BEHIND_OTHERS, Start(), Work(5)),
    ),
    "the first page is empty once": (*odd("page 1 is empty once"), *TOLD_BEHIND_OTHERS, Start(), Work(5)),
    "the first page is empty once, of what is read back": (
        *(Watch(0), Start(), Work(1), *odd("page 1 is empty once"), LatePost(1), Work(4)),
    ),
    "the first page is empty once, of what is undone": (*SENT, *odd("page 1 is empty once"), *UNDONE),
    "the first page is empty once, of what a confirmed plan is held against": (
        *(Watch(0), Start(mode="preview"), Work(2), Tell(0), *odd("page 1 is empty once"), Confirm(), Work(5)),
    ),
    "page headers are missing": (*odd("no page headers", "pages of two"), *TOLD_BEHIND_OTHERS, Start(), Work(5)),
    "page headers count no pages": (*odd("no pages", "pages of two"), *TOLD_BEHIND_OTHERS, Start(), Work(5)),
    "page headers count too many": (*odd("too many pages", "pages of two"), *TOLD_BEHIND_OTHERS, Start(), Work(5)),
    "page headers are missing, and rows are not shown": (
        *odd("no page headers", "hidden rows", "pages of two"),
        *(*TOLD_BEHIND_OTHERS, Start(), Work(5)),
    ),
    "the history has no end": (*odd("pages for ever"), *TOLD_BEHIND_OTHERS, Start(), Work(5)),
    "the history has no end and no page headers": (
        *odd("pages for ever", "no page headers", "pages of two"),
        *(*TOLD_BEHIND_OTHERS, Start(), Work(5)),
    ),
    "the history has no end, of what is read back": (
        *(Watch(0), Start(), Work(1), *odd("pages for ever"), LatePost(1), Work(5)),
    ),
    "the history has no end, of what is undone": (*SENT, *odd("pages for ever"), *UNDONE),
    "last activities are minutes behind": (
        *(*SENT, *IDLE_DAYS, *odd("activities are late"), Watch(0, told=True), Start(), Work(5)),
    ),
    "last activities say nothing": (
        *(*SENT, *IDLE_DAYS, *odd("no activities"), Watch(0, told=True), Start(), Work(5)),
    ),
    "times are kept by the minute": (*odd("times by the minute"), *SENT, Drift(0, 90), Start(), Work(5)),
    "times are kept by the minute, and a run is undone": (
        *odd("times by the minute"),
        *(*SENT, *UNDONE, *UNDONE),
    ),
    "times are kept by the minute, of what is read back": (
        *odd("times by the minute"),
        *(*THREE, Start(), Work(1), LatePost(1), LatePost(1), Work(6)),
    ),
    "a play has no date": (*odd("times by the minute"), *THREE, Elsewhere(0, undated=True), Start(), Work(5), *UNDONE),
    # ---- what is undone
    "a play was removed by hand before its run is undone": (*SENT, RemovedByHand(0), *UNDONE),
    "all plays were removed by hand before their run is undone": (
        *(*SENT, RemovedByHand(0), RemovedByHand(0), RemovedByHand(0), *UNDONE),
    ),
    "a play is removed by hand while its run is being undone": (*SENT, Undo(), Work(1), RemovedByHand(0), Work(5)),
    "another program tells of the same play later, and the run is undone": (*SENT, Again(0), Again(2), *UNDONE),
    # ---- Trakt's answers to what is sent
    "answers come in a list": (*odd("wrapped"), Together(), Start(), Work(9), Watch(2), *NEXT_DAY),
    "not_found is wrapped": (*odd("not_found is wrapped"), Together(), Start(), Work(9)),
    "all of it is wrapped": (*odd("wrapped", "not_found is wrapped"), Together(), Start(), Work(9)),
    "not_found names a time, which two films have": (*odd("not_found by time"), Together(), Start(), Work(9)),
    "not_found names episodes inside a show": (*odd("not_found in a show"), MarkShow(), Watch(0), Start(), Work(9)),
    "added says 0": (*odd("added 0"), *SENT, *UNDONE),
    "a 201 is cut off": (*THREE, Start(), Work(1), Trouble("post", "cut off after"), Work(9)),
    "a 500 comes after storing": (*THREE, Start(), Work(1), Trouble("post", "500 after"), Work(9)),
    "episodes are taken by trakt or tvdb only": (
        *odd("episodes by trakt or tvdb"),
        *(MarkShow(), Watch(0), Start(), Work(12)),
    ),
    "the account's limit looks like a rate limit": (*THREE, Trouble("post", "420 bare", times=2), Start(), Work(5)),
    "the application is refused": (*SENT, *odd("the application is refused"), Pass(HOUR), Watch(0), *NEXT_DAY),
    # ---- Trakt's look-ups
    "seasons come without their episodes": (*odd("seasons without episodes"), MarkShow(), Start(), Work(5), *NEXT_DAY),
    "seasons come without their episodes, one by one too": (
        *odd("seasons without episodes", "no season's episodes"),
        *(MarkShow(), Start(), Work(5), Pass(3 * HOUR), Start(full=True), Work(5)),
    ),
    "an episode is found in place of a film": (*odd("episodes under any type"), *EIGHT_ROWS, Start(), Work(9)),
    "no episode is found by its IMDb id": (*odd("no episodes by imdb"), *EIGHT_ROWS, Start(), Work(9)),
    # ---- Kinopub's history
    "rows of the second page are missing once, in a first sync": (
        *(*odd("rows 2 are missing once"), *EIGHT_ROWS, Start(), Work(9)),
    ),
    "rows of the first page are missing once, in a first sync": (
        *(*odd("rows 1 are missing once"), *EIGHT_ROWS, Start(), Work(9)),
    ),
    "rows of the first page are missing": (
        *(*SENT, *odd("rows 1 are missing"), Pass(HOUR), Watch(0), Start(), Work(5), Tick(), Work(5)),
    ),
    "rows of the first page are missing, in a first sync": (*odd("rows 1 are missing"), *EIGHT_ROWS, Start(), Work(9)),
    "too many rows are counted": (*odd("too many rows are counted"), *EIGHT_ROWS, Start(), Work(9)),
    "too few rows are counted": (*odd("too few rows are counted"), *EIGHT_ROWS, Start(), Work(9)),
    "too many pages of rows are counted": (*odd("too many pages of rows"), *EIGHT_ROWS, Start(), Work(9)),
    "too few pages of rows are counted": (*odd("too few pages of rows"), *EIGHT_ROWS, Start(), Work(9)),
    "rows come without pagination": (*odd("no pagination"), *EIGHT_ROWS, Start(), Work(9)),
    "rows come without pagination and are missing once": (
        *(*odd("no pagination", "rows 2 are missing once"), *EIGHT_ROWS, Start(), Work(9)),
    ),
    "rows have no end": (*odd("rows for ever"), *EIGHT_ROWS, Start(), Work(9)),
    "rows are as thin as an id": (*odd("rows of an id"), Watch(0), Watch(2), Start(), Work(5)),
    "rows have no time": (*odd("rows without a time"), MarkShow(timeless=True), Start(), Work(5)),
    "rows have no title": (*odd("rows without a title"), *EIGHT_ROWS, Start(), Work(9)),
    # ---- and what it shows of titles
    "every title is gone, in a first sync": (*EIGHT_ROWS, *odd("every title is gone"), Start(), Work(9)),
    "every title is gone, and one was there before": (
        *(*SENT, *odd("every title is gone"), Pass(HOUR), Watch(0), Watch(3), Start(), Work(9)),
    ),
    "every title is empty, and one was there before": (
        *(*SENT, *odd("every title is empty"), Pass(HOUR), Watch(0), Watch(3), Start(), Work(9)),
    ),
    "every title is bare, and one was there before": (
        *(*SENT, *odd("every title is bare"), Pass(HOUR), Watch(0), Watch(3), Start(), Work(9)),
    ),
    "one title is gone": (*odd("one title is gone"), *THREE, Start(), Work(9)),
    "one title is empty": (*odd("one title is empty"), MarkShow(), Watch(0), Start(), Work(9)),
    "more than four calls a second": (*odd("four calls a second"), *EIGHT_ROWS, Start(), Work(9)),
    "what was sent is shown as begun": (*SENT, TakeBack(0), Pass(HOUR), Start(full=True), Work(5)),
    "what was sent is begun again": (*SENT, Pass(HOUR), Begin(0), Start(), Work(5), FinishUnseen(0), *NEXT_DAY),
    "what was not sent is shown as begun, and finished later": (
        *(*THREE, TakeBack(0), Start(), Work(5), Pass(HOUR), FinishUnseen(0), *NEXT_DAY),
    ),
    **{
        f"a time is none: {at}": (
            *(Watch(at, "odd"), Watch(at, "odd"), Start(), Work(9)),
            *(Pass(HOUR), Start(full=True), Work(9)),
        )
        for at in range(5)
    },
}


def played(*program: Action) -> Chaos:
    chaos = Chaos()
    chaos.play(program)
    chaos.heal()
    return chaos


@pytest.mark.parametrize("name", ODD_DANGERS)
def test_an_oddity_that_has_a_name(name: str) -> None:
    """In the end every finished view is at Trakt once, nothing else is, and nothing was said that was not so."""
    assert played(*ODD_DANGERS[name]).problems() == []


@pytest.mark.parametrize(
    "odd_answer", ["wrapped", "not_found is wrapped", "not_found by time", "not_found in a show", "added 0"]
)
def test_an_odd_answer_holds_up_nothing(odd_answer: str) -> None:
    """What was stored is settled as sent, what was not is named, and no batch is posted again and again."""
    chaos = Chaos()
    chaos.play([*odd(odd_answer), Together(), MarkShow(), Watch(1), Start(), Work(20)])
    run = next(iter(chaos.shop.runs.newest("harry", limit=1)))
    assert (run.status, run.counts["sent"]) == ("succeeded", 4)
    assert run.counts["skipped"]["not_found"] == 1
    assert len(chaos.upstreams.trakt.requests(method="POST")) <= run.batches + 1
    chaos.heal()
    assert chaos.problems() == []


NAMED: dict[str, tuple[str, Sequence[Action]]] = {
    "Trakt's history has no end": (
        "upstream_incomplete",
        (*odd("pages for ever", "no page headers", "pages of two"), *TOLD_BEHIND_OTHERS, Start()),
    ),
    "Trakt's history has no end, of what is undone": (
        "upstream_incomplete",
        (*SENT, Pass(1), *odd("pages for ever"), Undo()),
    ),
    "Kinopub's history has no end": ("upstream_incomplete", (*odd("rows for ever"), *EIGHT_ROWS, Start())),
    "the first page of rows is missing": ("upstream_empty", (*SENT, *odd("rows 1 are missing"), Pass(HOUR), Start())),
    "the first page of rows is missing, in a first sync": (
        "upstream_empty",
        (*odd("rows 1 are missing"), *EIGHT_ROWS, Start()),
    ),
    "every title is gone": ("upstream_empty", (*SENT, *odd("every title is gone"), Pass(HOUR), Watch(3), Start())),
    "every title is empty": ("upstream_empty", (*SENT, *odd("every title is empty"), Pass(HOUR), Watch(3), Start())),
    "every title is gone, and there are many": (
        "upstream_empty",
        (*EIGHT_ROWS, *odd("every title is gone"), Start()),
    ),
    "the application is refused": ("app_refused", (*odd("the application is refused"), *THREE, Start())),
}


@pytest.mark.parametrize("name", NAMED)
def test_trouble_has_a_name(name: str) -> None:
    """The run fails with a word that says what it was, its user has nothing to do, and the next run goes on."""
    code, program = NAMED[name]
    chaos = Chaos()
    chaos.play(program)
    before = chaos.account().cursor
    chaos.finish_all()
    run = next(iter(chaos.shop.runs.newest("harry", limit=1)))
    assert (run.status, (run.error or {}).get("code")) == ("failed", code)
    assert chaos.account().cursor == before
    assert chaos.account().paused_reason is None
    chaos.heal()
    assert chaos.problems() == []
