"""Everything that can go wrong, a row each: nothing is lost, nothing is doubled, and the person is told.

All rows happen at the same time, each to a person of its own: a run that meets the fault, then the end of the trouble,
one more film, and a run after it (trouble.py). What is no single run's stands elsewhere:

| fault | where |
| --- | --- |
| crash at the claim, around the POST, before SENT, before the cursor, before the ack | crash_rows.py |
| crash in planning, in a confirmation's recheck, in an undo's planner, in an undo's batch | crash_rows.py |
| rotated token received and the write fails | crash_rows.py |
| 5xx, dropped connections, nonsense; 401, 403, 409, 420, 422, 423, 426, 429; partial `not_found` | upstream_rows.py |
| 5xx storm over three hourly runs; disconnect during a run | upstream_rows.py |
| the same message twice, ten times, at once; poison beside good ones | test_delivery.py |
| DynamoDB throttled at each call site | test_throttled.py |
| 429 seen by ten workers; refresh race with 2, 5, 20, 50; visibility timeout over in a run | test_at_once.py |
| a job that kills its process beside nine good ones; clock skew of ± 5 minutes | test_at_once.py |
| Kinopub rows shifting between pages | test_sync.py, test_rows_that_shift |
"""

from pathlib import Path

import pytest

from tests.stack.crash_rows import CRASHES
from tests.stack.deployed import Deployed, until
from tests.stack.strikes import hurried, one_by_one
from tests.stack.trouble import Row, Story, all_at_once, live, prepare
from tests.stack.upstream_rows import UPSTREAMS

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]

ROWS = [*UPSTREAMS, *CRASHES]

SKIPPED = {"duplicate": 1, "episode_not_found": 1, "not_completed": 2, "not_found": 1}
"""Of a run without trouble."""

MOST_CALLS = 100
"""Of a run of 14 rows in 9 titles, at both upstreams, whatever happens: trouble must not be answered with a storm.

Some forty are Trakt's history, which is read twice for each kind whenever the outcome of a POST is not known.
"""


@pytest.fixture(scope="module")
def stories(request: pytest.FixtureRequest, deployed: Deployed) -> dict[str, Story]:
    """All rows at once; but who makes a planner die does so before the others begin, who would share its process."""
    with hurried(deployed):
        told = {story.row.name: story for story in prepare(deployed, selected(request.session))}
        lives = {name: live(story) for name, story in told.items()}
        deadly = [name for name, story in told.items() if any(s.function == "SyncPlanner" for s in story.row.strikes)]
        with one_by_one(deployed, "SyncJobs"):
            begun = {lives[name]: next(lives[name]) for name in deadly}
            until("the planners' deaths", lambda: all(map(struck, (told[name] for name in deadly))), 120)
        all_at_once(list(lives.values()), begun)
    return told


def selected(session: pytest.Session) -> list[Row]:
    """Those of which any test is to be done."""
    ids = {item.nodeid.partition("[")[2].removesuffix("]") for item in session.items if item.path == Path(__file__)}
    return [row for row in ROWS if row.name in ids]


def struck(story: Story) -> bool:
    strikes = story.person.at.strikes
    return all(strikes.struck(name) >= strike.times for name, strike in story.strikes.items())


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param.name]


def done(story: Story) -> int:
    """How many views the run has sent; of an undo, how many plays it has removed."""
    counts = story.first["counts"]
    return int(counts["removed"] + counts["already_removed"] if story.row.way == "undo" else counts["sent"])


def test_the_fault_happened(story: Story) -> None:
    """Every scripted fault struck, as often as it was to."""
    for fault in story.faults:
        assert fault.struck >= (fault.times or 1), fault
    assert struck(story), story.row.strikes


def test_what_the_person_sees(story: Story) -> None:
    """The run's end and its word; whether the account is paused, and which one has to be looked after."""
    row, run = story.row, story.first
    assert (run["status"], run["error"] and run["error"]["code"]) == (row.status, row.code), run
    assert story.state["paused_reason"] == row.paused
    assert story.session["trakt"]["status"] == row.trakt_status
    assert story.session["kinopub"]["status"] == row.kinopub_status
    assert story.refused == ((409, row.paused) if row.paused else None)
    assert row.code is None or " " in run["error"]["detail"], "in words"
    assert (done(story) > 0) == (row.status in {"succeeded", "partial"})


def test_nothing_is_sent_twice_or_unfinished(story: Story) -> None:
    """Trouble or not: Trakt has no play that it had before or that nobody finished, and none twice."""
    assert not story.plays - story.person.wanted
    if story.row.status == "succeeded":
        assert done(story) == 8
        told = {} if story.row.way == "undo" else SKIPPED
        skipped = {reason: n for reason, n in story.first["counts"]["skipped"].items() if reason != "already_removed"}
        assert skipped == told
    added = 0 if story.row.way == "undo" else story.first["counts"]["sent"]
    assert story.plays.total() == story.person.had.total() + added + story.row.unseen


def test_nothing_is_lost(story: Story) -> None:
    """The run after the trouble succeeds; then Trakt has every finished view, once, to the second."""
    assert (story.second["status"], story.second["error"]) == ("succeeded", None)
    assert story.after["paused_reason"] is None
    assert story.person.plays == story.wanted
    assert done(story) + story.row.unseen + story.second["counts"]["sent"] == 9


def test_one_refresh(story: Story) -> None:
    """An access token that is refused is renewed once, however many calls meet it."""
    assert story.refreshes == story.row.refreshes


def test_no_storm(story: Story) -> None:
    """Trouble is not answered with more and more calls."""
    assert story.calls <= MOST_CALLS * story.row.hours


@pytest.mark.parametrize("row", [row for row in ROWS if row.wait], ids=lambda row: row.name)
def test_waiting_as_told(stories: dict[str, Story], row: Row) -> None:
    """After a 429 the next call of that kind comes no sooner than Retry-After says."""
    [fault] = row.trakt
    calls = stories[row.name].person.calls("trakt", fault["path"], fault["method"])
    limited = [entry.status for entry in calls].index(429)
    assert calls[limited + 1].at - calls[limited].at >= row.wait - 0.05
