"""DynamoDB refuses a call of ours for longer than botocore repeats it: at every place of our code that calls it.

What these places are, a run, a confirmed preview and an undo that nothing befalls say; then each of them happens to a
person of its own. (What the API answers then: tests/unit/http_api/test_answers.py.)
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.stack.crash_rows import CALLS_OF_BOTOCORE
from tests.stack.deployed import Deployed
from tests.stack.person import Person, Plays
from tests.stack.shelf import Shelf
from tests.stack.strikes import Strike, hurried
from tests.stack.trouble import WAYS, Life, Way, all_at_once, meet

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]

BY_TIME = ("Turn.tick", "Budgets.blocked", "Budget.limited", "certainly_not_sent", "put_off")
"""Signs of life come when a while has passed, and who has to wait asks again: neither at a certain call. Nor does who
meets Trakt's limit: a POST that a busy machine held up comes too soon before the next.
"""

each_way = pytest.mark.parametrize("way", WAYS)


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
def throttled(request: pytest.FixtureRequest, deployed: Deployed) -> list[Story]:
    """All places at once, of the ways of which any test is to be done."""
    names = {item.name for item in request.session.items if item.path == Path(__file__)}
    ways = [way for way in WAYS if any(name.endswith(f"[{way}]") for name in names)]
    models = [Story(way, deployed.person(f"whose {way} is recorded")) for way in ways]
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


@each_way
def test_every_place_is_struck(throttled: list[Story], way: Way) -> None:
    """The planner and the sender, at each place where the others have not been, and every one met its fault."""
    told = [each for each in throttled if each.way == way]
    missed = [each.site for each in told if each.person.at.strikes.struck(each.strike) < CALLS_OF_BOTOCORE]
    assert [site for site in missed if not any(name in site for name in BY_TIME)] == []
    least = 10 if way == "sync" else 1
    assert min(sum(each.function == name for each in told) for name in functions(way)) >= least


def functions(way: Way) -> list[str]:
    """A confirmed plan is sent as any other is."""
    return ["SyncPlanner"] if way == "confirm" else ["SyncPlanner", "HistorySender"]


@each_way
def test_nothing_is_sent_twice_or_lost(throttled: list[Story], way: Way) -> None:
    """The message comes again and the run ends as it should; the cursor lets the next one find all that is new."""
    for each in (each for each in throttled if each.way == way):
        assert (each.first["status"], each.first["error"]) == ("succeeded", None), (each.site, each.first)
        assert each.first["counts"]["removed" if each.way == "undo" else "sent"] == 2, (each.site, each.first)
        left_out = {} if each.way == "undo" else {"duplicate": 1, "not_found": 1}
        assert each.first["counts"]["skipped"] == left_out, (each.site, each.first)
        assert (each.second["status"], each.second["counts"]["sent"]) == ("succeeded", 1), (each.site, each.second)
        assert each.person.plays == each.person.wanted - each.undone, each.site
        assert each.person.state["paused_reason"] is None, each.site
