"""DynamoDB refuses a call of ours for longer than botocore repeats it: at every place of our code that calls it.

What these places are, a run, a confirmed preview and an undo that nothing befalls say; then each of them happens to a
person of its own. (What the API answers then: tests/unit/http_api/test_answers.py.)
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.stack.crash_rows import CALLS_OF_BOTOCORE
from tests.stack.deployed import Deployed
from tests.stack.person import Person, Plays
from tests.stack.shelf import Shelf
from tests.stack.strikes import Strike, hurried
from tests.stack.trouble import WAYS, Life, Way, all_at_once, meet

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]

BY_TIME = "Turn.tick"
"""Signs of life come when a while has passed, not at a certain call."""


@dataclass
class Story:
    """A run that meets the fault, whatever leads to it, one more film, and a run after it."""

    way: Way
    person: Person
    function: Any = ""
    site: str = ""
    strike: str = ""
    first: dict[str, Any] = field(default_factory=dict)
    undone: Plays = field(default_factory=Counter)
    second: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def throttled(deployed: Deployed) -> list[Story]:
    """All places at once."""
    models = [Story(way, deployed.person(f"whose {way} is recorded")) for way in WAYS]
    for model in models:
        deployed.strikes.record(model.person)
    told: list[Story] = []
    with hurried(deployed):
        all_at_once([live(model, deployed.new_shelf()) for model in models])
        known: set[tuple[str, str]] = set()
        for model in models:
            new = set(places(model)) - known
            known |= new
            people = deployed.people([f"{model.way}: {site}" for _, site in sorted(new)])
            told += [Story(model.way, who, *place) for place, who in zip(sorted(new), people, strict=True)]
        all_at_once([live(each, deployed.new_shelf()) for each in told])
    return told


def places(model: Story) -> list[tuple[str, str]]:
    calls = model.person.at.strikes.recorded(model.person)
    ours = [(function, site) for function, call, site in calls if call.startswith("dynamodb.")]
    return [place for place in ours if place[0] in ("SyncPlanner", "HistorySender")]


def watch(person: Person, shelf: Shelf) -> None:
    """One of each kind that leads to other calls: two views to send, and a film each that Trakt has or has not."""
    person.watch(shelf.films[0], shelf.unknown, days=9)
    person.watch(shelf.films[1], had=True, days=8)
    person.watch((shelf.show, 1, 1), days=7)


def live(each: Story, shelf: Shelf) -> Life:
    person = each.person
    watch(person, shelf)
    if each.site:
        site = f"^{re.escape(each.site)}$"
        strike = Strike(each.function, site, do="throttle", times=CALLS_OF_BOTOCORE)
        each.strike = person.at.strikes.add(person, strike)
    earlier = ""
    if each.way != "sync":
        run = yield person, person.start("preview" if each.way == "confirm" else "sync")
        earlier = run["id"]
    if each.way == "undo":
        each.undone = person.plays - person.had
    each.first = yield person, meet(person, each.way, earlier)
    person.watch_now(shelf.films[2].id)
    each.second = yield person, person.start()
    person.settings(enabled=False)


def test_every_place_is_struck(deployed: Deployed, throttled: list[Story]) -> None:
    """The planner and the sender, each at a good many places, and every one of them met its fault."""
    missed = [each.site for each in throttled if deployed.strikes.struck(each.strike) < CALLS_OF_BOTOCORE]
    assert [site for site in missed if BY_TIME not in site] == []
    assert min(sum(each.function == name for each in throttled) for name in ("SyncPlanner", "HistorySender")) >= 10


def test_nothing_is_sent_twice_or_lost(throttled: list[Story]) -> None:
    """The message comes again and the run ends as it should; the cursor lets the next one find all that is new."""
    for each in throttled:
        assert (each.first["status"], each.first["error"]) == ("succeeded", None), (each.site, each.first)
        assert each.first["counts"]["sent"] == 2, (each.site, each.first)
        left_out = {} if each.way == "undo" else {"duplicate": 1, "not_found": 1}
        assert each.first["counts"]["skipped"] == left_out, (each.site, each.first)
        assert (each.second["status"], each.second["counts"]["sent"]) == ("succeeded", 1), (each.site, each.second)
        assert each.person.plays == each.person.wanted - each.undone, each.site
        assert each.person.state["paused_reason"] is None, each.site
