"""The sync, seen from outside: through the public API, and by what Trakt has afterwards.

The realistic library's first run takes a while, since Trakt takes a POST a second: the small ones go on meanwhile.
"""

import json
from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import Any

import pytest

from tests.stack.deployed import HARRY, Deployed, until
from tests.stack.person import Person, Plays, follow
from tests.upstreams import film, series
from tests.upstreams.titles import MISSING
from watchferry.models import unix
from watchferry.storage._dynamo import Table
from watchferry.storage.runs import Runs, new_run_id

pytestmark = pytest.mark.stack

RUN = {
    "id",
    "mode",
    "trigger",
    "status",
    "phase_progress",
    "counts",
    "upstream_calls",
    "started_at",
    "finished_at",
    "error",
}
SETTINGS = {
    "enabled": False,
    "rewatch": "each_play",
    "window_minutes": 60,
    "batch_size": None,
    "confirm_above": None,
    "webhook_url": None,
}


@dataclass(frozen=True)
class UnderWay:
    person: Person
    run_id: str
    pages: int
    """Of Kinopub's history, when the run began."""


@pytest.fixture(scope="module", autouse=True)
def under_way(deployed: Deployed) -> UnderWay:
    """Harry's first run, with everything that goes wrong in real libraries."""
    harry = deployed.newcomer("the realistic one", slug=HARRY)
    harry.sign_in()
    harry.connect_kinopub()
    harry.had = harry.plays
    pages = ceil(len(deployed.library.viewer(HARRY).rows) / 50)
    return UnderWay(harry, harry.start(), pages)


@pytest.fixture
def person(deployed: Deployed, request: pytest.FixtureRequest) -> Person:
    """Both accounts connected, and the usual week at Kinopub."""
    made = deployed.person(request.node.name)
    made.usual()
    return made


def check_numbers(person: Person, run: dict[str, Any]) -> None:
    """A succeeded run says what was expected of it, and its numbers add up with its events."""
    counts = run["counts"]
    assert run.keys() == RUN
    assert (run["status"], run["error"]) == ("succeeded", None)
    events = Counter((event["outcome"], event["reason"]) for event in person.events(run))
    skipped = {reason: number for (outcome, reason), number in events.items() if outcome == "skipped"}
    assert counts["skipped"] == skipped
    assert counts["sent"] == sum(number for (outcome, _), number in events.items() if outcome == "sent")
    assert events.total() == counts["sent"] + sum(skipped.values())
    unknown = [event for event in person.events(run, reason="not_found") if event["trakt_ids"]]
    assert 0 <= counts["planned"] - counts["sent"] <= len(unknown), "what was not sent, Trakt did not know"
    assert run["phase_progress"] == {"done": counts["planned"], "total": counts["planned"]} or not counts["planned"]
    assert unix(run["started_at"]) <= unix(run["finished_at"])


# ---------------------------------------------------------------- what a run does


def test_the_usual_week(person: Person) -> None:
    """Finished views are sent once, at their own second; of the others the run says why not."""
    run = person.run()
    check_numbers(person, run)
    assert (run["mode"], run["trigger"]) == ("sync", "manual")
    assert run["counts"]["skipped"] == person.skipped
    assert person.plays == person.wanted
    calls = {upstream: len(person.calls(upstream)) for upstream in ("trakt", "kinopub")}
    assert run["upstream_calls"] == calls


def test_nothing_to_do(person: Person) -> None:
    """An idle run costs one call of Kinopub and none of Trakt."""
    person.run()
    before = person.plays
    run = person.run()
    assert run["status"] == "succeeded"
    assert run["upstream_calls"] == {"kinopub": 1, "trakt": 0}
    nothing = dict.fromkeys(("history", "completed", "planned", "sent", "removed", "already_removed"), 0)
    assert run["counts"] == nothing | {"skipped": {}}
    assert person.events(run) == []
    assert person.plays == before


def test_a_library_of_nothing(deployed: Deployed) -> None:
    """Somebody who never watched anything has a run that succeeds."""
    person = deployed.person("nothing")
    run = person.run()
    assert (run["status"], run["counts"]["sent"], person.plays) == ("succeeded", 0, Counter())


def test_what_comes_afterwards(deployed: Deployed, person: Person) -> None:
    """A new view and a rewatch are sent, each once; what is begun, or moves during the credits, is not."""
    shelf = deployed.shelf
    person.run()
    person.watch_now(shelf.show.id, 1, 6)
    person.watch_now(shelf.films[0].id)
    deployed.library.start(person.slug, shelf.films[1].id)
    deployed.library.drift(person.slug, shelf.show.id, 1, 4, seconds=90)
    run = person.run()
    check_numbers(person, run)
    assert run["counts"]["sent"] == 2
    sent = {(event["type"], event["title"]) for event in person.events(run, outcome="sent")}
    assert sent == {("movie", shelf.films[0].name), ("episode", shelf.show.unit(1, 6).title)}
    # What was sent and is begun again is there already: it is not called unfinished.
    assert shelf.films[1].name in {event["title"] for event in person.events(run, reason="duplicate")}
    assert person.events(run, reason="not_completed") == []
    assert person.plays == person.wanted


def test_preview(person: Person) -> None:
    """Nothing is sent; the plan waits for a confirmation, is no active run, and gives way to the next one."""
    preview = person.run("preview")
    assert (preview["mode"], preview["status"]) == ("preview", "awaiting_confirmation")
    assert preview["counts"]["sent"] == 0
    planned = person.events(preview, outcome="planned")
    assert preview["counts"]["planned"] == len(planned) == 9
    assert person.plays == person.had
    assert person.calls(method="POST") == []
    assert person.state["active_run_id"] is None
    assert person.state["last_success_at"] is None

    run = person.run()
    check_numbers(person, run)
    assert {event["kinopub"]["media"] for event in planned} >= {
        event["kinopub"]["media"] for event in person.events(run, outcome="sent")
    }
    assert person.plays == person.wanted
    assert person.show(preview["id"])["status"] == "cancelled"


def test_preview_of_nothing(person: Person) -> None:
    """A preview that plans nothing has succeeded."""
    person.run()
    preview = person.run("preview")
    assert (preview["status"], preview["counts"]["planned"]) == ("succeeded", 0)
    assert person.show(preview["id"])["finished_at"] is not None


def test_full(person: Person) -> None:
    """The whole history once more: every view is a duplicate by now, and nothing is sent."""
    first = person.run()
    posts = len(person.calls(method="POST"))
    run = person.run(full=True)
    check_numbers(person, run)
    assert run["counts"]["history"] == first["counts"]["history"]
    assert run["counts"]["sent"] == 0
    expected = Counter(view.reason or "duplicate" for view in person.expected())
    assert run["counts"]["skipped"] == dict(expected)
    assert len(person.calls(method="POST")) == posts
    assert person.plays == person.wanted


def test_rewatch_once(deployed: Deployed, person: Person) -> None:
    """With `once` a film that Trakt has at any time is a duplicate, and a rewatch is too; each_play sends both."""
    films = deployed.shelf.films
    person.seen_elsewhere(films[0].trakt, unix("2020-02-02T20:20:20Z"))
    person.settings(rewatch="once")
    run = person.run()
    assert run["status"] == "succeeded"
    first_film = [event for event in person.events(run) if event["title"] == films[0].name]
    assert [(event["outcome"], event["reason"]) for event in first_film] == [("skipped", "duplicate")]
    person.watch_now(films[1].id)
    run = person.run()
    assert (run["counts"]["sent"], run["counts"]["skipped"]["duplicate"]) == (0, 1)
    person.settings(rewatch="each_play")
    person.watch_now(films[2].id)
    assert person.run()["counts"]["sent"] == 1


def test_batches(person: Person) -> None:
    """No POST carries more views than `batch_size`, and there are no more POSTs than that needs."""
    person.settings(batch_size=4)
    run = person.run()
    check_numbers(person, run)
    bodies = [json.loads(entry.body) for entry in person.calls(method="POST") if entry.status == 201]
    assert sorted(len(body["movies"]) + len(body["episodes"]) for body in bodies) == [1, 4, 4]
    assert person.plays == person.wanted


def test_the_documented_forms(deployed: Deployed) -> None:
    """Seasons as the sync document has them, one by one, map as well (reality.md, Season endpoint)."""
    person = deployed.person("documented forms")
    person.usual(deployed.new_shelf())
    with deployed.upstreams.upstreams.lock:
        deployed.upstreams.trakt.options.set(documented_season_form=True)
    try:
        check_numbers(person, person.run())
    finally:
        deployed.upstreams.trakt.options.set(documented_season_form=False)
    assert person.plays == person.wanted


def test_rows_that_shift(deployed: Deployed) -> None:
    """Rows that move or go while the history is paged lose nothing and double nothing (reality.md, Kinopub)."""
    person = deployed.person("shifting rows")
    with deployed.upstreams.upstreams.lock:
        show = series(deployed.library, "Долгий / Lengthy", 2011, "tt7654321", {1: 80, 2: 50}, item=990_001, minutes=20)
    person.watch(*((show, unit.season, unit.number) for unit in show.units), days=100)
    deployed.upstreams.kinopub.shift(person.slug, after_page=1, bump=show.unit(1, 3).media)
    deployed.upstreams.kinopub.shift(person.slug, after_page=2, delete=show.unit(2, 49).media)
    person.run()
    check_numbers(person, person.run())
    assert person.plays == person.wanted


# ---------------------------------------------------------------- what the API says


def test_settings(person: Person) -> None:
    """Off by default; a change keeps the rest; what was shown may be sent back."""
    assert person.call("GET", "sync/settings") == SETTINGS
    changed = person.settings(enabled=True, batch_size=7)
    assert changed == SETTINGS | {"enabled": True, "batch_size": 7}
    assert person.call("PUT", "sync/settings", json=changed) == changed
    assert person.settings(enabled=False) == changed | {"enabled": False}
    assert person.call("GET", "sync/settings") == changed | {"enabled": False}
    assert person.settings(batch_size=None) == SETTINGS


def test_one_run_at_a_time(person: Person) -> None:
    """A second start is 409 `run_active` and names the first, which the state names too, and nobody else's."""
    with person.held():
        run_id = person.start()
        again = person.web.post("sync/runs", json={"mode": "sync"})
        assert (again.status_code, again.json()["code"], again.json()["run_id"]) == (409, "run_active", run_id)
        assert person.state["active_run_id"] == run_id
    run = follow({person: run_id})[person]
    check_numbers(person, run)
    assert person.state["active_run_id"] is None
    assert [each["id"] for each in person.runs()] == [run_id]


def test_not_connected(deployed: Deployed) -> None:
    """Without Kinopub there is nothing to carry: 409 `not_connected`, and no run."""
    person = deployed.newcomer("without Kinopub")
    person.sign_in()
    answer = person.web.post("sync/runs", json={"mode": "preview"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_connected")
    assert person.runs() == []


def test_other_peoples_runs(deployed: Deployed, under_way: UnderWay) -> None:
    """A run of somebody else is as unknown as one that never was."""
    stranger = deployed.newcomer("a stranger")
    stranger.sign_in()
    for run_id in (under_way.run_id, "20200101-000000-00000000", "x"):
        for path in (f"sync/runs/{run_id}", f"sync/runs/{run_id}/events"):
            answer = stranger.web.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_state(person: Person) -> None:
    """When it last succeeded, and, once automatic, when it runs next; the user by a hash, never by name."""
    state = person.state
    times = ("last_success_at", "next_run_at")
    assert state.keys() == {*times, "trakt_user_hash", "active_run_id", "paused_reason", "app_refused"}
    assert [state[name] for name in (*times, "paused_reason", "app_refused")] == [None] * 4
    assert person.slug not in state["trakt_user_hash"]
    run = person.run()
    person.settings(enabled=True)
    tick = invoke_scheduler(person.at)
    state = until("the tick's run", lambda: (now := person.state)["active_run_id"] is None and now)
    assert state["last_success_at"] >= run["finished_at"]
    assert 0 <= unix(state["next_run_at"]) - 3600 - tick <= 5
    person.settings(enabled=False)
    assert person.state["next_run_at"] is None


def invoke_scheduler(deployed: Deployed) -> int:
    """Ticks; returns when, in unix seconds."""
    import time

    began = int(time.time())
    deployed.cloud("lambda").invoke(FunctionName=deployed.stack.functions["SyncScheduler"], Payload=b"{}")
    return began


def test_many_runs(deployed: Deployed) -> None:
    """The list has every run, newest first, over its pages."""
    person = deployed.newcomer("many runs")
    person.sign_in()
    # Rows as runs leave them: 45 real ones would take half a minute.
    runs = Runs(Table(deployed.cloud("dynamodb"), deployed.stack.tables["Runs"]), lambda: 1_900_000_000)
    made = [new_run_id(1_800_000_000 + 3_600 * number) for number in range(45)]
    for run_id in made:
        run = runs.create(person.user_id, run_id, mode="sync", trigger="schedule")
        runs.finish(run, "succeeded")
    assert [run["id"] for run in person.runs()] == made[::-1]
    assert len(person.call("GET", "sync/runs")["items"]) < 45


def test_events_as_a_table(deployed: Deployed) -> None:
    """CSV says what JSON says; no cell of it is a formula."""
    person = deployed.person("a table")
    with deployed.upstreams.upstreams.lock:
        names = ['=HYPERLINK("http://x")', "+1", "-30-", "@home", 'Quotes " and, commas', "Ё\nline"]
        odd = [
            film(deployed.library, name, 2003, f"tt{7_000_001 + n}", item=980_000 + n) for n, name in enumerate(names)
        ]
    person.watch(*odd)
    person.usual()
    run = person.run()
    events, table = person.events(run), person.table(run)
    assert [row["outcome"] for row in table] == [event["outcome"] for event in events]
    for row, event in zip(table, events, strict=True):
        assert (row["reason"] or None) == event["reason"]
        assert row["kinopub_media"] == str(event["kinopub"]["media"])
        assert row["watched_at"] == (event["watched_at"] or "")
        assert row["title"].removeprefix("'") == event["title"]
        assert row["title"][0] not in "=+-@\t\r"
    assert {event["title"] for event in events} >= set(names)
    assert len(person.table(run, reason="not_completed")) == 2


# ---------------------------------------------------------------- the realistic library


@pytest.fixture(scope="module")
def harry(under_way: UnderWay) -> Person:
    return under_way.person


@pytest.fixture(scope="module")
def first(under_way: UnderWay) -> dict[str, Any]:
    return follow({under_way.person: under_way.run_id}, 120)[under_way.person]


def told(events: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Of every event what it is of, what became of it and why; of what was sent, when it was, to the second."""
    return Counter(
        (
            event["type"],
            event["kinopub"]["item"],
            event.get("season") or 0,
            event.get("number") or 0,
            unix(event["watched_at"])
            if event["outcome"] == "sent" and event["reason"] != "timestamp_missing"
            else None,
            event["outcome"],
            event["reason"] or "",
        )
        for event in events
    )


def plays_of(harry: Person, run: dict[str, Any]) -> Plays:
    """What Trakt has; a play at the time of the run stands for a view of which nothing says when."""
    timeless = {(view.kind, view.trakt_id) for view in harry.expected() if view.reason == "timestamp_missing"}
    assert timeless
    began, ended = unix(run["started_at"]), unix(run["finished_at"])
    plays: Plays = Counter()
    for (kind, trakt_id, at), number in harry.plays.items():
        now = (kind, trakt_id) in timeless and began <= (at or 0) <= ended
        plays[kind, trakt_id, None if now else at] += number
    return plays


def test_every_view_is_told_of(harry: Person, first: dict[str, Any]) -> None:
    """All pages of the events say of every view of the library what became of it and why, once."""
    check_numbers(harry, first)
    assert told(harry.events(first)) == Counter(
        (
            view.kind,
            view.item,
            view.season,
            view.number,
            view.watched_at if view.outcome == "sent" else None,
            view.outcome,
            view.reason,
        )
        for view in harry.expected()
    )


def test_trakt_has_every_finished_view(harry: Person, first: dict[str, Any]) -> None:
    """Once, at its own second; what was there before is as it was, and nothing else has come."""
    assert first["counts"]["sent"] > 800
    assert plays_of(harry, first) == harry.wanted


def test_events_by_filter(harry: Person, first: dict[str, Any]) -> None:
    """Outcome and reason narrow the pages down to exactly their events; CSV in one piece."""
    everything = harry.events(first)
    assert len(everything) > 900
    assert len(harry.call("GET", f"sync/runs/{first['id']}/events")["items"]) < len(everything)
    for reason in first["counts"]["skipped"]:
        chosen = [event for event in everything if (event["outcome"], event["reason"]) == ("skipped", reason)]
        assert harry.events(first, outcome="skipped", reason=reason) == chosen
    assert len(harry.table(first)) == len(everything)
    sent = {(row["type"], int(row["kinopub_media"]), row["watched_at"]) for row in harry.table(first, outcome="sent")}
    assert sent == {
        (event["type"], event["kinopub"]["media"], event["watched_at"])
        for event in everything
        if event["outcome"] == "sent"
    }


def test_no_more_calls_than_needed(harry: Person, under_way: UnderWay, first: dict[str, Any]) -> None:
    """Within 15 % of what nobody could do without, and the run counts them right."""
    library = harry.at.library
    titles = {title.id: title for title, _ in (library.by_media[media] for media in library.viewer(HARRY).rows)}
    without_imdb = [
        title
        for title in titles.values()
        if title.row_imdb is MISSING or (title.row_imdb or title.imdb) in (None, "", "0", 0, MISSING)
    ]
    shows = [title for title in titles.values() if title.season_based]
    had = Counter(kind for kind, _, _ in harry.had.elements())
    needed = (
        under_way.pages
        + len(titles)
        + len(without_imdb)
        + 2 * len(shows)
        + ceil(first["counts"]["planned"] / 50)
        + sum(max(1, ceil(had[kind] / 250)) for kind in ("movie", "episode"))
    )
    calls = {upstream: harry.calls(upstream) for upstream in ("kinopub", "trakt")}
    assert {upstream: len(made) for upstream, made in calls.items()} == first["upstream_calls"]
    assert sum(map(len, calls.values())) <= 1.15 * needed
    assert {entry.status for made in calls.values() for entry in made} <= {200, 201, 404, 429}
    assert harry.at.upstreams.kinopub.state_changes == []


@pytest.fixture(scope="module")
def later(harry: Person, first: dict[str, Any]) -> dict[str, Any]:
    """A run with nothing to do, then one after an evening of two films and a film not finished."""
    idle = harry.run()
    assert (idle["upstream_calls"], idle["counts"]["sent"]) == ({"kinopub": 1, "trakt": 0}, 0)
    new, unfinished = [unit for unit in harry.at.library.unwatched(HARRY) if unit["kind"] == "movie"][:2]
    harry.watch_now(new["item"])
    harry.watch_now("The Matrix")
    harry.at.library.start(HARRY, unfinished["item"])
    return harry.run()


def test_harry_goes_on(harry: Person, first: dict[str, Any], later: dict[str, Any]) -> None:
    """After an idle run at the price of one call, the two views of this evening are sent, and nothing else."""
    assert (later["status"], later["counts"]["sent"]) == ("succeeded", 2)
    assert plays_of(harry, first) == harry.wanted
    assert later["upstream_calls"]["kinopub"] <= 5
    assert later["upstream_calls"]["trakt"] <= 5
