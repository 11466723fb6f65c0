"""DynamoDB refuses a call of ours for longer than botocore repeats it: at every place of our code that calls it.

What these places are, a run that nothing befalls says; then each of them happens to a person of its own.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.stack.crash_rows import CALLS_OF_BOTOCORE
from tests.stack.deployed import Deployed
from tests.stack.person import Person
from tests.stack.shelf import Shelf
from tests.stack.strikes import Strike, hurried
from tests.stack.trouble import Life, all_at_once

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]

BY_TIME = "Turn.tick"
"""Signs of life come when a while has passed, not at a certain call."""


@dataclass
class Throttled:
    function: Any
    site: str
    person: Person
    strike: str = ""
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def throttled(deployed: Deployed) -> list[Throttled]:
    """All places at once."""
    model = deployed.person("whose run is recorded")
    watch(model, deployed.new_shelf())
    deployed.strikes.record(model)
    model.run()
    calls = deployed.strikes.recorded(model)
    places = sorted({(function, site) for function, call, site in calls if call.startswith("dynamodb.")})
    places = [place for place in places if place[0] in ("SyncPlanner", "HistorySender")]
    people = deployed.people([site for _, site in places])
    told = [Throttled(*place, person) for place, person in zip(places, people, strict=True)]
    with hurried(deployed):
        all_at_once([live(each, deployed.new_shelf()) for each in told])
    return told


def watch(person: Person, shelf: Shelf) -> None:
    """One of each kind that leads to other calls: two views to send, and a film each that Trakt has or has not."""
    person.watch(shelf.films[0], shelf.unknown, days=9)
    person.watch(shelf.films[1], had=True, days=8)
    person.watch((shelf.show, 1, 1), days=7)


def live(each: Throttled, shelf: Shelf) -> Life:
    person = each.person
    watch(person, shelf)
    site = f"^{re.escape(each.site)}$"
    each.strike = person.at.strikes.add(person, Strike(each.function, site, do="throttle", times=CALLS_OF_BOTOCORE))
    each.first = yield person, person.start()
    person.watch_now(shelf.films[2].id)
    each.second = yield person, person.start()


def test_every_place_is_struck(deployed: Deployed, throttled: list[Throttled]) -> None:
    """The planner and the sender, each at a good many places, and every one of them met its fault."""
    missed = [each.site for each in throttled if deployed.strikes.struck(each.strike) < CALLS_OF_BOTOCORE]
    assert [site for site in missed if BY_TIME not in site] == []
    assert min(sum(each.function == name for each in throttled) for name in ("SyncPlanner", "HistorySender")) >= 10


def test_nothing_is_sent_twice_or_lost(throttled: list[Throttled]) -> None:
    """The message comes again and the run ends as it should; the cursor lets the next one find all that is new."""
    for each in throttled:
        assert (each.first["status"], each.first["error"]) == ("succeeded", None), (each.site, each.first)
        assert each.first["counts"]["sent"] == 2, (each.site, each.first)
        assert each.first["counts"]["skipped"] == {"duplicate": 1, "not_found": 1}, (each.site, each.first)
        assert (each.second["status"], each.second["counts"]["sent"]) == ("succeeded", 1), (each.site, each.second)
        assert each.person.plays == each.person.wanted, each.site
        assert each.person.state["paused_reason"] is None, each.site
