"""Runs in a person's hand, through the public API: confirm, brake, cancel, undo, mend (http-api.md, Sync)."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.deployed import Deployed, until
from tests.stack.person import Person
from watchferry.models import unix

pytestmark = pytest.mark.stack


@pytest.fixture
def person(deployed: Deployed, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Both accounts connected, and the usual week at Kinopub; later ticks leave them alone."""
    made = deployed.person(request.node.name)
    made.usual()
    yield made
    made.settings(enabled=False)


def act(person: Person, run_id: str, action: str) -> Any:
    answer = person.web.post(f"sync/runs/{run_id}/{action}", json={})
    assert answer.status_code == 202, answer.text
    return answer.json()


def refused(person: Person, method: str, path: str, **body: Any) -> tuple[int, str]:
    answer = person.web.request(method, path, json=body or {})
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def awaited(person: Person, run_id: str) -> dict[str, Any]:
    """The run at its end, though it has waited for a confirmation before."""
    until("the run is over", lambda: person.show(run_id)["finished_at"], seconds=60)
    return person.show(run_id)


def test_preview_and_confirm(person: Person) -> None:
    """Nothing is sent before the confirmation; then exactly that, and automatic sync is on."""
    preview = person.run("preview")
    assert (preview["status"], preview["mode"], preview["counts"]["sent"]) == ("awaiting_confirmation", "preview", 0)
    assert person.plays == person.had
    assert person.state["active_run_id"] is None
    assert Counter(event["outcome"] for event in person.events(preview))["planned"] == preview["counts"]["planned"]
    assert not person.call("GET", "sync/settings")["enabled"]
    act(person, preview["id"], "confirm")
    run = awaited(person, preview["id"])
    assert (run["status"], run["error"], run["id"]) == ("succeeded", None, preview["id"])
    assert person.plays == person.wanted
    assert person.call("GET", "sync/settings")["enabled"]
    assert person.run()["upstream_calls"] == {"kinopub": 1, "trakt": 0}
    assert refused(person, "POST", f"sync/runs/{preview['id']}/confirm") == (409, "wrong_state")


def test_plays_that_appeared_meanwhile(person: Person) -> None:
    """Another program was quicker between the preview and its confirmation."""
    preview = person.run("preview")
    event = next(event for event in person.events(preview, outcome="planned") if event["type"] == "movie")
    film = person.at.library.titles[event["kinopub"]["item"]].trakt
    person.seen_elsewhere(film, unix(event["watched_at"]) // 60 * 60 + 3)
    act(person, preview["id"], "confirm")
    run = awaited(person, preview["id"])
    assert (run["status"], run["counts"]["planned"]) == ("succeeded", preview["counts"]["planned"])
    assert run["counts"]["sent"] == (person.plays - person.had).total()
    minutes = Counter((kind, trakt_id, at // 60) for kind, trakt_id, at in person.plays.elements())
    assert max(minutes.values()) == 1


def test_the_brake(person: Person) -> None:
    """A number binds runs by hand too; the run says why it waits, and can be cancelled."""
    person.settings(confirm_above=3)
    run = person.run()
    assert (run["status"], run["error"]["code"]) == ("awaiting_confirmation", "awaiting_confirmation")
    assert "more than 3" in run["error"]["detail"]
    assert person.plays == person.had
    act(person, run["id"], "cancel")
    assert person.show(run["id"])["status"] == "cancelled"
    person.settings(confirm_above=None)
    assert person.run()["status"] == "succeeded"
    assert person.plays == person.wanted


def test_a_braked_scheduled_run(deployed: Deployed, person: Person) -> None:
    """It pauses the account with a reason; its confirmation ends the pause."""
    person.settings(confirm_above=3, enabled=True)
    deployed.tick({})
    [run] = until("the braked run", lambda: [run for run in person.runs() if run["status"] == "awaiting_confirmation"])
    assert (run["trigger"], person.state["paused_reason"]) == ("schedule", "awaiting_confirmation")
    act(person, run["id"], "confirm")
    assert person.state["paused_reason"] is None
    assert awaited(person, run["id"])["status"] == "succeeded"
    assert person.plays == person.wanted


def test_cancelled_while_it_works(person: Person) -> None:
    """At once for the person; the next run makes up for it."""
    with person.held():
        run_id = person.start()
        assert refused(person, "POST", "sync/runs", mode="sync") == (409, "run_active")
        act(person, run_id, "cancel")
        assert person.show(run_id)["status"] == "cancelled"
        assert person.state["active_run_id"] is None
        assert refused(person, "POST", f"sync/runs/{run_id}/cancel") == (409, "wrong_state")
    assert person.run()["status"] == "succeeded"
    assert person.plays == person.wanted


def test_undo(person: Person) -> None:
    """Exactly what the run added leaves Trakt, and is not sent again."""
    run = person.run()
    added = person.plays - person.had
    someone_else = next(iter(person.at.library.titles[event["kinopub"]["item"]].trakt for event in person.events(run)))
    person.seen_elsewhere(someone_else, 1_700_000_000)
    undo = awaited(person, act(person, run["id"], "undo")["run_id"])
    assert (undo["mode"], undo["trigger"], undo["status"], undo["error"]) == ("undo", "undo", "succeeded", None)
    assert undo["counts"]["planned"] == added.total()
    assert person.plays == person.had
    outcomes = Counter(event["outcome"] for event in person.events(run))
    assert (outcomes["removed"], outcomes["sent"]) == (added.total(), 0)
    assert person.events(run, outcome="removed")
    assert refused(person, "POST", f"sync/runs/{run['id']}/undo") == (409, "wrong_state")
    again = person.run(full=True)
    assert again["counts"]["sent"] == 0
    assert person.plays == person.had


def test_unmatched_and_mended(person: Person) -> None:
    """Each has its reason and candidates; a choice is checked, and the next run sends."""
    person.run()
    rows = {row["reason"]: row for row in person.pages("sync/unmatched")}
    assert rows.keys() == {"not_found", "episode_not_found"}
    lost, episode = rows["not_found"], rows["episode_not_found"]
    assert {"key", "title", "year", "type", "reason", "seen", "candidates"} <= lost.keys()
    assert (episode["season"], episode["episode"], episode["type"]) == (1, 5, "episode")
    show = episode["candidates"][0]["trakt_id"]
    assert refused(person, "PUT", f"sync/overrides/{episode['key']}", trakt_id=show) == (400, "validation")
    assert refused(person, "PUT", "sync/overrides/987654", ignore=True) == (404, "not_found")
    answer = person.web.put(f"sync/overrides/{episode['key']}", json={"trakt_id": show, "episode_offset": 1})
    assert (answer.status_code, answer.content) == (204, b"")
    assert person.web.put(f"sync/overrides/{lost['key']}", json={"ignore": True}).status_code == 204
    assert person.pages("sync/unmatched") == []
    said = {each["key"]: each for each in person.pages("sync/overrides")}
    led, ignored = said[episode["key"]], said[lost["key"]]
    assert (led["title"], led["trakt_id"], led["episode_offset"], led["ignore"]) == (episode["title"], show, 1, False)
    assert led["trakt_title"] == episode["candidates"][0]["title"]
    assert (ignored["title"], ignored["trakt_id"], ignored["ignore"]) == (lost["title"], None, True)
    run = person.run()
    assert (run["counts"]["sent"], run["counts"]["skipped"]["ignored"]) == (1, 1)
    assert person.web.delete(f"sync/overrides/{lost['key']}").status_code == 204
    person.run()
    assert [row["key"] for row in person.pages("sync/unmatched")] == [lost["key"]]
    assert [each["key"] for each in person.pages("sync/overrides")] == [episode["key"]]
    assert refused(person, "DELETE", f"sync/overrides/{lost['key']}") == (404, "not_found")


def test_somebody_elses_run(deployed: Deployed, person: Person) -> None:
    """It looks like one that is not there."""
    run = person.run()
    other = deployed.person("the other one")
    for action in ("confirm", "cancel", "undo"):
        assert refused(other, "POST", f"sync/runs/{run['id']}/{action}") == (404, "not_found")
    assert other.pages("sync/unmatched") == []
