"""One trouble, and what becomes of the person who has it: a run that meets it, one more film, a run after it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import batched
from typing import Any, Literal, get_args

from tests.stack.deployed import Deployed
from tests.stack.person import AT_REST, Person, Plays
from tests.stack.strikes import Strike
from tests.upstreams import Fault
from watchferry.storage.account import SyncSettings
from watchferry.storage.runs import new_run_id
from watchferry.sync.queues import PlanJob

Change = Callable[[Person], object]

type Way = Literal["sync", "confirm", "undo"]
WAYS: Sequence[Way] = get_args(Way.__value__)

type Life = Generator[tuple[Person, str], dict[str, Any]]
"""Yields a run that has to end first, and is given it."""

PATIENCE = 600.0
"""Seconds for all stories; what is not over then is what it is."""


USUAL_BATCH: int | None = SyncSettings().batch_size


def nothing(_: Person) -> None:
    pass


@dataclass(frozen=True)
class Row:
    """One fault, and what the person sees of it. What heals it is, at least, that the fault is gone."""

    name: str
    trakt: Sequence[Mapping[str, Any]] = ()
    kinopub: Sequence[Mapping[str, Any]] = ()
    strikes: Sequence[Strike] = ()
    """On our own functions."""
    way: Way = "sync"
    """What meets the fault: a run, the confirmation of a preview, the undoing of a run."""
    before: Change = nothing
    meanwhile: Change | None = None
    """What the person does while the request that meets the fault is under way."""
    hours: int = 1
    """How many runs meet the fault: more than one are the schedule's, hour by hour."""
    heal: Change = nothing
    status: str = "succeeded"
    code: str | None = None
    paused: str | None = None
    trakt_status: str = "ok"
    kinopub_status: str = "ok"
    refreshes: tuple[int, int] = (0, 0)
    """Of Trakt's and Kinopub's tokens."""
    unseen: int = 0
    """Plays that the run has added without being told so, nor being able to ask any more."""
    wait: float = 0
    """Seconds between the fault and the next call of its kind, at least."""
    own_titles: bool = False
    """Titles that nobody else maps."""
    batch_size: int | None = USUAL_BATCH
    """One batch, or three."""


@dataclass
class Story:
    """What happened to one person."""

    row: Row
    person: Person
    faults: list[Fault] = field(default_factory=list)
    strikes: dict[str, Strike] = field(default_factory=dict)
    earlier: str = ""
    """The run that is confirmed or undone."""
    sent_before: Plays = field(default_factory=Counter)
    """By that run."""
    first: dict[str, Any] = field(default_factory=dict)
    plays: Plays = field(default_factory=Counter)
    state: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    refused: tuple[int, str] | None = None
    """What a start during the pause was told."""
    calls: int = 0
    refreshes: tuple[int, int] = (0, 0)
    second: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    """The state after the second run."""

    @property
    def wanted(self) -> Plays:
        """What Trakt ought to have in the end."""
        return self.person.wanted - (self.sent_before if self.row.way == "undo" else Counter())


def prepare(deployed: Deployed, rows: Sequence[Row]) -> list[Story]:
    """People with a usual week, whose trouble is still to come."""
    stories = [
        Story(row, person) for row, person in zip(rows, deployed.people([row.name for row in rows]), strict=True)
    ]
    for story in stories:
        person = story.person
        person.usual(deployed.new_shelf() if story.row.own_titles else None)
        if story.row.batch_size != USUAL_BATCH:
            person.settings(batch_size=story.row.batch_size)
    all_at_once([live_before(story) for story in stories if story.row.way != "sync"])
    return stories


def live_before(story: Story) -> Life:
    """The run that is to be confirmed or undone."""
    person = story.person
    run = yield person, person.start("preview" if story.row.way == "confirm" else "sync")
    assert run["status"] in {"awaiting_confirmation", "succeeded"}, run
    story.earlier, story.sent_before = run["id"], person.plays - person.had


def begin(story: Story) -> str:
    """The trouble, and whatever meets it. Returns the run."""
    row, person = story.row, story.person
    row.before(person)
    meanwhile = partial(row.meanwhile, person) if row.meanwhile else None
    for app, faults in ((person.at.upstreams.trakt, row.trakt), (person.at.upstreams.kinopub, row.kinopub)):
        story.faults += [app.faults.add(user=person.slug, meanwhile=meanwhile, **fault) for fault in faults]
    story.strikes = {person.at.strikes.add(person, strike): strike for strike in row.strikes}
    if row.hours > 1:
        return an_hour_later(person)
    return meet(person, row.way, story.earlier)


def meet(person: Person, way: Way, earlier: str) -> str:
    """A run, or what becomes of an earlier one. Returns the run that meets the fault."""
    if way == "sync":
        return person.start()
    told = person.call("POST", f"sync/runs/{earlier}/{way}", json={})
    return str(told["run_id"]) if way == "undo" else earlier


def live(story: Story) -> Life:
    """The whole story; pauses while a run is under way."""
    person = story.person
    run_id = begin(story)
    story.first = yield person, run_id
    for _ in range(1, story.row.hours):
        assert story.first["status"] == story.row.status, story.first
        story.first = yield person, an_hour_later(person)
    take_stock(story)
    heal(story)
    story.second = yield person, person.start()
    story.after = person.state
    if story.row.way == "confirm" or story.row.hours > 1:
        person.settings(enabled=False)


def an_hour_later(person: Person) -> str:
    """What a tick puts on the queue for this person, and for nobody else. Returns the run."""
    person.settings(enabled=True)
    job = PlanJob(person.user_id, new_run_id(time.time()), "schedule")
    person.at.send("SyncJobs", [json.dumps(asdict(job))])
    return job.run_id


def all_at_once(lives: Sequence[Life], begun: Mapping[Life, tuple[Person, str]] | None = None) -> None:
    """Everybody's story to its end; each goes on when its run is over, or waits for a confirmation."""
    waiting = dict(begun or {})
    for each in lives:
        if each not in waiting:
            waiting[each] = next(each)
    deadline = time.monotonic() + PATIENCE
    while waiting:
        resting = at_rest(list(waiting.values()))
        for each, (person, run_id) in list(waiting.items()):
            if (person.user_id, run_id) not in resting and time.monotonic() < deadline:
                continue
            try:
                waiting[each] = each.send(person.show(run_id))
            except StopIteration:
                del waiting[each]
        time.sleep(0.25)


def at_rest(runs: Sequence[tuple[Person, str]]) -> set[tuple[str, str]]:
    """Which of these runs (user, run) are not worked on any more.

    Asked of the table, a hundred at once: so many people at the API would take more of the machine than their runs do.
    """
    found: set[tuple[str, str]] = set()
    for chunk in batched(runs, 100, strict=False):
        at = chunk[0][0].at
        keys = [{"user_id": {"S": person.user_id}, "run_id": {"S": run_id}} for person, run_id in chunk]
        names = {"#status": "status"}
        wanted = {"Keys": keys, "ProjectionExpression": "user_id, run_id, #status", "ExpressionAttributeNames": names}
        rows = at.cloud("dynamodb").batch_get_item(RequestItems={at.stack.tables["Runs"]: wanted})
        for row in rows["Responses"][at.stack.tables["Runs"]]:
            if row["status"]["S"] in AT_REST:
                found.add((row["user_id"]["S"], row["run_id"]["S"]))
    return found


def take_stock(story: Story) -> None:
    """What can be seen when the first run is over."""
    person = story.person
    story.plays = person.plays
    story.state, story.session = person.state, person.session
    story.calls = len(person.calls("trakt")) + len(person.calls("kinopub"))
    story.refreshes = (
        sum(entry.status == 200 for entry in person.at.upstreams.trakt.requests("^/oauth/token", user=person.slug)),
        sum(entry.status == 200 for entry in person.at.upstreams.kinopub.requests("^/oauth2/token", user=person.slug)),
    )
    if story.row.paused:
        answer = person.web.post("sync/runs", json={"mode": "sync"})
        story.refused = answer.status_code, answer.json().get("code", "")


def heal(story: Story) -> None:
    """The trouble is over, and the film that was begun is finished."""
    person = story.person
    for app in (person.at.upstreams.trakt, person.at.upstreams.kinopub):
        app.faults.script[:] = [fault for fault in app.faults.script if fault.user != person.slug]
    story.row.heal(person)
    unfinished = [view for view in person.expected() if view.reason == "not_completed" and view.kind == "movie"]
    person.watch_now(unfinished[0].item)
