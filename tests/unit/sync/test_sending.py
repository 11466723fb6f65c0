"""§4.5 and §4.6: what each answer of Trakt to a POST leads to, and how the run ends.

The crashes are in test_state_machine.py. Everything runs on the stand-ins, which store whatever they are sent.
"""

import json
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from tests.memory_dynamo import MemoryDynamo
from tests.upstreams import Library, Response, film
from tests.upstreams.titles import Title
from tests.world import NOW, World
from watchferry.clients._transport import READ_TIMEOUT
from watchferry.models import iso
from watchferry.sync.deferral import STANDSTILL
from watchferry.sync.queues import MalformedMessage, SendJob
from watchferry.sync.sending import MOST_POSTS, PARTED_AFTER, send_batch

USER = "harry"


def posts(world: World) -> list[list[str]]:
    """The ids that each POST carried, as Trakt got them."""
    bodies = [json.loads(entry.body) for entry in world.upstreams.trakt.requests("^/sync/history$", "POST")]
    return [[str(work["ids"]) for kind in ("movies", "episodes") for work in body[kind]] for body in bodies]


def plays(world: World) -> Counter[tuple[int, int]]:
    """(Trakt id, second) of every play."""
    return Counter((play.thing.trakt, play.at // 1000) for play in world.upstreams.trakt.users[USER].plays)


def expected_plays(world: World) -> Counter[tuple[int, int]]:
    expected = [entry for entry in world.upstreams.expected() if entry.outcome == "sent"]
    return Counter((entry.trakt_id or 0, entry.watched_at or 0) for entry in expected)


def fault(world: World, preset: str | None = None, **more: Any) -> None:
    """Meets POSTs of plays."""
    world.upstreams.trakt.faults.add(path="^/sync/history$", method="POST", preset=preset, **more)


@dataclass
class Refusing:
    """A Trakt that answers 422 to whatever has one of these in it."""

    world: World
    bad: set[str]

    def install(self) -> None:
        app = self.world.upstreams.trakt
        handle = app.handle

        def refuse(request: Any, *more: Any) -> Any:
            if request.method == "POST" and any(bad in request.body.decode() for bad in self.bad):
                app._note(request, "/sync/history")
                return Response.json({"errors": {"base": ["is invalid"]}}, 422)
            return handle(request, *more)

        app.handle = refuse  # type: ignore[method-assign]


def fifty_films() -> World:
    world = World("large:250")
    library = world.upstreams.library
    for title in list(library.titles.values()):
        if title.season_based:
            for unit in title.units:
                library.viewer(USER).states.pop(unit.media, None)
                if unit.media in library.viewer(USER).rows:
                    library.delete_row(USER, unit.media)
    return world


# ---------------------------------------------------------------- what went well


def test_plays_are_sent_as_they_were_watched(world: World) -> None:
    """Films by IMDb id, episodes by Trakt's ids, UTC with `Z`, the seconds included (§4.5.2)."""
    run = world.run()
    (entry,) = world.upstreams.trakt.requests("^/sync/history$", "POST")
    body = json.loads(entry.body)
    (seen,) = (entry for entry in world.upstreams.expected() if entry.kind == "movie")
    at = iso(seen.watched_at or 0).replace("Z", ".000Z")
    assert body["movies"] == [{"watched_at": at, "ids": {"imdb": "tt0133093"}}]
    assert [work["ids"]["trakt"] for work in body["episodes"]] == [7_000_003]
    assert (run.status, plays(world)) == ("succeeded", expected_plays(world))


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("updated", [False, True])
def test_both_forms_of_a_good_answer_are_understood(world: World, status: int, updated: bool) -> None:
    """201, or 200; `updated` is there or not (reality.md, Trakt)."""
    world.upstreams.trakt.options.set(history_status=status, history_updated=updated)
    assert world.run().status == "succeeded"
    assert (len(posts(world)), plays(world)) == (1, expected_plays(world))


def test_batches_are_as_large_as_the_person_wants_and_a_second_apart() -> None:
    """Trakt takes one POST a second; its stand-in, which minds, answers not one 429."""
    world = World("large:100")
    world.settings(batch_size=7)
    world.upstreams.trakt.options.set(limits=True)
    run = world.run()
    sent = world.upstreams.trakt.requests("^/sync/history$", "POST")
    times = [entry.at for entry in sent]
    assert (run.status, run.counts["sent"]) == ("succeeded", 100)
    assert [len(each) for each in posts(world)] == [7] * 14 + [2]
    assert {entry.status for entry in sent} == {201}
    assert min(later - earlier for earlier, later in pairwise(times)) >= 1.0
    assert plays(world) == expected_plays(world)


@pytest.mark.parametrize(("views", "sizes"), [(60, [50, 10]), (500, [50] * 10), (501, [250, 250, 1])])
def test_a_person_who_wants_no_size_gets_large_batches_in_a_large_plan(views: int, sizes: list[int]) -> None:
    """A first run is a matter of seconds then; an hourly one loses little when a batch is refused."""
    world = World(f"large:{views}")
    run = world.run()
    assert (run.status, run.counts["sent"], [len(each) for each in posts(world)]) == ("succeeded", views, sizes)
    assert plays(world) == expected_plays(world)


def test_what_was_sent_is_known_without_asking_trakt(world: World) -> None:
    """A full run over what the ledger holds makes no call of Trakt at all."""
    world.run()
    world.upstreams.trakt.forget()
    run = world.run(full=True)
    assert (run.status, run.calls["trakt"], run.counts["skipped"]["duplicate"]) == ("succeeded", 0, 2)


# ---------------------------------------------------------------- what Trakt does not take


def test_what_trakt_does_not_know_is_told_and_not_sent_again() -> None:
    """§4.5.3: `not_found` is logged and skipped, until the mapping changes; the others of the batch are sent."""
    library = Library(NOW)
    known = film(library, "Матрица / The Matrix", 1999, "tt0133093", item=1)
    unknown = film(library, "Невидимый город", 2020, "tt9899991", item=2, known=False, lost="not_found")
    for title in (known, unknown):
        library.finish(USER, title, title.units[0], int(NOW) - 9_000)
    world = World(library)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["not_found"]) == ("succeeded", 1, 1)
    assert {(e.view.title, e.outcome, e.reason) for e in world.events(run)} == {
        (known.name, "sent", None),
        (unknown.name, "skipped", "not_found"),
    }
    again = world.run(full=True)
    assert (again.counts["planned"], again.counts["skipped"]["not_found"]) == (0, 1)
    assert len(posts(world)) == 1


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_one_bad_view_does_not_hold_up_the_others(bad: int) -> None:
    """422 for a batch of fifty: it is halved until the bad ones stand alone; each of them costs a few POSTs."""
    world = fifty_films()
    refused = [f"tt{3_000_000 + n * 17:07d}" for n in range(bad)]
    Refusing(world, set(refused)).install()
    run = world.run()
    assert (run.status, run.counts["planned"], run.counts["sent"]) == ("succeeded", 50, 50 - bad)
    assert run.counts["skipped"]["rejected_by_trakt"] == bad
    assert {str(e.ids["imdb"]) for e in world.events(run) if e.reason == "rejected_by_trakt"} == set(refused)
    assert max(plays(world).values()) == 1
    assert len(plays(world)) == 50 - bad
    assert len(posts(world)) <= 1 + bad * 12
    assert len(list(world.shop.plans.batches(run.run_id, run.plan))) == 1 + 2 * (run.batches - 1)
    assert world.run(full=True).counts["planned"] == 0


def test_halves_of_a_batch_whose_outcome_was_unknown_are_read_back() -> None:
    """A play turns up at Trakt while the outcome is unknown, then the rest is refused and halved: it stays one play."""
    library = Library(NOW)
    titles = [film(library, f"Фильм {n}", 1990 + n, f"tt000010{n}", item=n + 1) for n in range(4)]
    for n, title in enumerate(titles):
        library.finish(USER, title, title.units[0], int(NOW) - 9_000 + n)
    world = World(library)
    fault(world, "bad_gateway")
    Refusing(world, {"tt0000102"}).install()
    world.start()
    world.step()
    assert world.step() == "split: 422" or world.results[-1].startswith("outcome unknown")
    world.upstreams.trakt.add_play(USER, titles[0].trakt, int(NOW) - 9_000)
    world.drain()
    (run,) = world.shop.runs.newest(USER, limit=2)
    assert (run.status, run.counts["sent"], run.counts["skipped"]["rejected_by_trakt"]) == ("succeeded", 3, 1)
    assert sorted(plays(world).values()) == [1, 1, 1]


# ---------------------------------------------------------------- outcomes that nobody knows

UNKNOWN: dict[str, dict[str, Any]] = {
    "reset": {"reset": True},
    "409": {"preset": "conflict"},
    "500": {"preset": "server_error"},
    "502": {"preset": "bad_gateway"},
    "503": {"preset": "unavailable"},
    "504": {"preset": "gateway_timeout"},
    "520": {"preset": "edge_520"},
    "521": {"preset": "edge_521"},
    "522": {"preset": "edge_522"},
    "302": {"status": 302, "headers": {"Location": "https://trakt.tv/login"}},
    "201 and HTML": {"preset": "html_ok"},
    "201 and garbage": {"preset": "garbage"},
    "201 and an empty object": {"body": {}},
    "201 and counts that do not add up": {"body": {"added": {"movies": 0, "episodes": 0}, "not_found": {}}},
    "201 and somebody else's not_found": {
        "body": {"added": {"movies": 1, "episodes": 1}, "not_found": {"movies": [{"ids": {"imdb": "tt1"}}]}}
    },
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("trouble", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unknown_outcome_is_read_back_before_anything_is_sent_again(
    world: World, trouble: dict[str, Any], when: str
) -> None:
    """Whether the plays were stored or not: one of each in the end, and nothing sent within the settling time."""
    if when == "before" and "status" not in trouble and "body" in trouble:
        trouble = {"status": 201, **trouble}
    fault(world, when=when, **trouble)
    run = world.run()
    sent = world.upstreams.trakt.requests("^/sync/history$", "POST")
    assert (run.status, run.counts["sent"]) == ("succeeded", 2)
    assert plays(world) == expected_plays(world)
    assert len(sent) == (1 if when == "after" else 2)
    assert all(later.at - sent[0].at > 60 for later in sent[1:])


def test_a_post_that_works_on_after_its_client_gave_up_is_waited_for(world: World) -> None:
    """It lands fifty seconds after that: the read-back comes later still, finds it, and sends nothing."""
    fault(world, delay=READ_TIMEOUT + 50)
    run = world.run()
    assert (run.status, run.counts["sent"], len(posts(world))) == ("succeeded", 2, 1)
    assert plays(world) == expected_plays(world)


def test_only_what_is_missing_is_sent_again(world: World) -> None:
    """Half of a batch turns up at Trakt: the other half is sent, the whole batch counts as sent."""
    fault(world, "bad_gateway")
    world.start()
    world.step()
    world.step()
    matrix = world.upstreams.library.find("The Matrix")
    seen = next(entry for entry in world.upstreams.expected() if entry.item == matrix.id)
    world.upstreams.trakt.add_play(USER, matrix.trakt, seen.watched_at or 0)
    world.drain()
    (run,) = world.shop.runs.newest(USER, limit=2)
    assert (run.status, run.counts["sent"], [len(each) for each in posts(world)]) == ("succeeded", 2, [2, 1])
    assert plays(world) == expected_plays(world)


def test_a_trakt_that_says_yes_and_stores_nothing_is_believed_after_two_times(world: World) -> None:
    """What it answered 2xx for twice and does not have is what it does not want: `rejected_by_trakt`, not a loop."""
    fault(world, status=201, body={"added": {"movies": 0, "episodes": 0}, "not_found": {}}, times=None)
    run = world.run()
    skipped = {reason: n for reason, n in run.counts["skipped"].items() if n}
    assert (run.status, run.counts["sent"]) == ("succeeded", 0)
    assert skipped == {"not_found": 1, "rejected_by_trakt": 1}  # the film was never looked up
    assert len(posts(world)) == 2


def test_five_posts_without_effect_are_enough(world: World) -> None:
    """The views fail and so does the run; the cursor stays, and the next run sends what is missing."""
    fault(world, "bad_gateway", times=None)
    run = world.run()
    assert (run.status, run.counts["sent"]) == ("failed", 0)
    assert [len(each) for each in posts(world)] == [2] * PARTED_AFTER + [1] * 2 * (MOST_POSTS - PARTED_AFTER)
    assert run.error is not None
    assert run.error["code"] == "not_all_sent"
    assert world.account().cursor is None
    world.upstreams.trakt.faults.clear()
    assert world.run().status == "succeeded"
    assert plays(world) == expected_plays(world)


def test_of_several_batches_one_that_fails_makes_the_run_partial() -> None:
    """`partial`: some were sent. The cursor stays; the next run sends the rest and finds the others in the ledger."""
    world = World("large:6")
    world.settings(batch_size=2)
    fault(world, "bad_gateway", times=None, skip=1)
    run = world.run()
    world.upstreams.trakt.faults.clear()
    assert (run.status, world.account().cursor, world.account().last_success_at) == ("partial", None, None)
    assert 0 < run.counts["sent"] < 6
    rest = world.run()
    assert (rest.status, rest.counts["sent"]) == ("succeeded", 6 - run.counts["sent"])
    assert plays(world) == expected_plays(world)
    assert world.account().cursor is not None


# ---------------------------------------------------------------- refusals that are certain


@pytest.mark.parametrize(
    ("preset", "wait"), [("rate_limited", 2), ("rate_limited_bare", 10), ("edge_429", 10), ("rate_limited_date", 0)]
)
def test_a_429_is_waited_out_and_stored_nothing(world: World, preset: str, wait: float) -> None:
    """`Retry-After` in seconds or as a date, or none at all: nobody sends before it is over, and nothing twice."""
    fault(world, preset)
    run = world.run()
    first, second = world.upstreams.trakt.requests("^/sync/history$", "POST")
    assert (run.status, run.counts["sent"]) == ("succeeded", 2)
    assert second.at - first.at >= wait
    assert not world.upstreams.trakt.requests("^/sync/history/")[4:]
    assert plays(world) == expected_plays(world)


def test_a_429_holds_for_all_batches() -> None:
    """The first batch's 429 says 30 seconds; none of the others goes out before."""
    world = World("large:20")
    world.settings(batch_size=2)
    fault(world, status=429, headers={"Retry-After": "30"}, body="")
    assert world.run().counts["sent"] == 20
    first, *others = [entry.at for entry in world.upstreams.trakt.requests("^/sync/history$", "POST")]
    assert min(others) - first >= 30


def test_a_plan_longer_than_messages_can_be_held_back_is_sent_at_trakts_pace() -> None:
    """SQS holds a message back for 15 minutes, which are some 800 POSTs: those behind come early and are put off.

    That is no trouble, and there are not many more messages than batches.
    """
    world = World("large:1300")
    world.settings(batch_size=1)
    run = world.run()
    sent = world.upstreams.trakt.requests("^/sync/history$", "POST")
    assert (run.status, run.error, run.counts["sent"]) == ("succeeded", None, 1300)
    assert plays(world) == expected_plays(world)
    assert 1.0 * 1300 < sent[-1].at - sent[0].at < 1.3 * 1300
    assert len(world.results) < 2 * 1300


def test_who_waits_for_a_place_has_written_no_intent() -> None:
    """Nor does a wait of a day end the run: it ends by itself."""

    class Counted(MemoryDynamo):
        transactions = 0

        def transact_write_items(self, **request: Any) -> Any:
            self.transactions += 1
            return super().transact_write_items(**request)

    world = World("tiny", dynamo=(client := Counted()))
    world.start()
    world.step()
    world.shop.budgets.block(USER, "POST", seconds=86_400)
    before = client.transactions
    assert world.step() == "put off for 900 s"
    assert (client.transactions, client.tables["Ledger"]) == (before, {})
    world.drain()
    assert next(world.shop.runs.newest(USER, limit=1)).status == "succeeded"
    assert [entry.at - NOW >= 86_400 for entry in world.upstreams.trakt.requests(method="POST")] == [True]


def test_a_trakt_that_takes_nothing_for_hours_ends_the_run(world: World) -> None:
    """By its standstill and not by a count: with a word that says why. The next run sends everything."""
    fault(world, status=429, headers={"Retry-After": "600"}, body="", times=None)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.error["code"]) == ("failed", "rate_limited")
    assert STANDSTILL < world.now - NOW < STANDSTILL + 1200
    world.upstreams.trakt.faults.clear()
    assert world.run().counts["sent"] == 2


def test_a_401_is_answered_by_one_refresh(world: World) -> None:
    """It means that nothing was done, so the same POST goes out once more (§5.1)."""
    fault(world, "unauthorized")
    assert world.run().status == "succeeded"
    assert (len(posts(world)), plays(world)) == (2, expected_plays(world))


STOPS: dict[str, tuple[str, str | None]] = {
    "unauthorized": ("reauth_required", "reauth_required"),
    "app_refused": ("app_refused", None),
    "app_dead": ("app_refused", None),
    "firewall": ("upstream_firewall", None),
    "account_limit": ("account_limit", "account_limit"),
    "locked": ("account_locked", "account_locked"),
    "deactivated": ("account_locked", "account_locked"),
    "vip_only": ("vip_required", None),
}


@pytest.mark.parametrize(("preset", "code", "pause"), [(name, *what) for name, what in STOPS.items()])
def test_a_refusal_of_the_whole_account_ends_the_run(world: World, preset: str, code: str, pause: str | None) -> None:
    """It is paused where only a person can help. Nothing is lost: when the trouble is over, everything is sent once."""
    fault(world, preset, times=None)
    run = world.run()
    assert run.error is not None
    assert (run.status, run.error["code"], world.account().paused_reason) == ("failed", code, pause)
    assert (world.account().cursor, world.account().active_run_id) == (None, None)
    world.upstreams.trakt.faults.clear()
    world.shop.accounts.connect(USER, "trakt")
    world.settings(enabled=True)
    assert world.account().paused_reason is None
    assert world.run().status == "succeeded"
    assert plays(world) == expected_plays(world)


@pytest.mark.parametrize("status", [404, 405, 412])
def test_a_request_that_is_wrong_as_a_whole_condemns_no_view(world: World, status: int) -> None:
    """That is our fault or a changed API; a view is `rejected_by_trakt` only if its own content was refused."""
    fault(world, status=status, body="", times=None)
    run = world.run()
    assert (run.status, run.counts["skipped"]["rejected_by_trakt"]) == ("failed", 0)
    world.upstreams.trakt.faults.clear()
    assert world.run().counts["sent"] == 2


# ---------------------------------------------------------------- rules of the person, and odd messages


def watch_again(world: World) -> int:
    world.now += 5 * 86_400
    return world.upstreams.library.watch(USER, "The Matrix")


@pytest.mark.parametrize(("rule", "sent"), [("each_play", 1), ("once", 0)])
def test_a_rewatch_is_sent_unless_the_person_wants_each_film_once(world: World, rule: str, sent: int) -> None:
    """§5.4: the key has the time in it by default; `once` leaves it out."""
    world.settings(rewatch=rule)
    world.run()
    watch_again(world)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", sent, 1 - sent)


def test_once_leaves_out_what_trakt_has_from_elsewhere(world: World) -> None:
    """Seen years ago, told by another program: with `once` it is not sent."""
    world.settings(rewatch="once")
    matrix: Title = world.upstreams.library.find("The Matrix")
    world.upstreams.trakt.add_play(USER, matrix.trakt, int(NOW) - 2_000 * 86_400)
    run = world.run()
    assert (run.counts["sent"], run.counts["skipped"]["duplicate"]) == (1, 1)


def test_a_time_that_moves_during_the_credits_is_not_a_second_play(world: World) -> None:
    """Run, `updated` and the row move by minutes, run: one play."""
    world.run()
    world.upstreams.library.drift(USER, "The Matrix", seconds=400)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 0, 1)


def test_a_message_without_a_batch_is_malformed(world: World) -> None:
    """Nobody can work on it: it goes to the dead-letter queue."""
    run = world.run()
    for job in (SendJob(USER, run.run_id, "0009-00000"), SendJob(USER, "no-such-run", "0001-00000")):
        with pytest.raises(MalformedMessage):
            send_batch(world.shop, job, worker="w", deadline=world.now + 60)


def test_one_new_episode_brings_no_old_one_back(world: World) -> None:
    """Its whole show is asked for again; what was sent is known, and Trakt's history is read from then on only."""
    world.run()
    world.now += 86_400
    world.upstreams.library.watch(USER, "Silo", 1, 2)
    run = world.run()
    assert (run.status, run.counts["sent"], run.counts["skipped"]["duplicate"]) == ("succeeded", 1, 1)
    assert plays(world) == expected_plays(world)


# ---------------------------------------------------------------- Trakt's own ways


def three_films(*unknown: int, together: bool = False) -> World:
    """Of three films, Trakt does not know these; the first two were watched in one minute, if they are together."""
    library = Library(NOW)
    for n in (1, 2, 3):
        title = film(
            library,
            f"Фильм {n} / Film {n}",
            2000 + n,
            f"tt100000{n}",
            item=n,
            known=n not in unknown,
            lost="not_found" if n in unknown else "",
        )
        library.finish(USER, title, title.units[0], int(NOW) - (1 if together and n < 3 else n) * 9_000)
    return World(library)


def told(world: World, run: Any) -> dict[int, tuple[str, str | None]]:
    return {event.view.item: (event.outcome, event.reason) for event in world.events(run)}


SENT, UNKNOWN_TO_TRAKT = ("sent", None), ("skipped", "not_found")

FORMS: dict[str, dict[str, Any]] = {
    "in a list of one": {"wrapped_answer": True},
    "not_found wrapped once more": {"not_found_wrapped": True},
    "all in a list, not_found too": {"wrapped_answer": True, "not_found_wrapped": True},
    "named by their time alone": {"not_found_by_time": True},
    "by their time, wrapped": {"not_found_by_time": True, "not_found_wrapped": True, "wrapped_answer": True},
    "added says 0, updated the number": {"added_zero": True},
}


@pytest.mark.parametrize("together", [False, True], ids=["apart", "two in one minute"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_an_answer_leads_to_the_truth(form: dict[str, Any], together: bool) -> None:
    """One of three films is unknown: one POST, two plays, and the one has its reason and can be mended."""
    world = three_films(2, together=together)
    world.upstreams.trakt.options.set(**form)
    run = world.run()
    assert (run.status, told(world, run)) == ("succeeded", {1: SENT, 2: UNKNOWN_TO_TRAKT, 3: SENT})
    assert len(posts(world)) == 1
    assert plays(world) == expected_plays(world)
    assert [row.key for row in world.shop.unmatched.all(USER)] == ["2"]
    again = world.run(full=True)
    assert (again.status, len(posts(world))) == ("succeeded", 1)


@pytest.mark.parametrize("answer", ["[]", "[1, 2]", '{"added": 3}', '{"ok": true}', '"yes"', "null", "<html>"])
def test_an_answer_that_nobody_can_read_is_settled_by_what_is_there(answer: str) -> None:
    """Two POSTs at most; what Trakt has is sent, and what it does not want can be mended. Later runs are free of it."""
    world = three_films(2)
    world.upstreams.trakt.faults.add(
        path="^/sync/history$", method="POST", when="after", body=answer, status=201, times=None
    )
    run = world.run()
    assert (run.status, told(world, run)) == ("succeeded", {1: SENT, 2: UNKNOWN_TO_TRAKT, 3: SENT})
    assert len(posts(world)) == 2
    assert plays(world) == expected_plays(world)
    assert [row.key for row in world.shop.unmatched.all(USER)] == ["2"]
    assert (world.run(full=True).status, len(posts(world))) == ("succeeded", 2)


@pytest.mark.parametrize("preset", ["server_error", "cut_off"])
def test_an_answer_that_was_lost_on_its_way_back(preset: str) -> None:
    """500 after storing, a 201 that breaks off: what is there was sent."""
    world = three_films()
    fault(world, preset, when="after")
    run = world.run()
    assert (run.status, run.counts["sent"], len(posts(world))) == ("succeeded", 3, 1)
    assert plays(world) == expected_plays(world)


def test_a_trakt_that_takes_episodes_by_two_ids_alone(world: World) -> None:
    """`trakt` or `tvdb`, and nothing beside: 422 else."""
    world.upstreams.trakt.options.set(episodes_by=("trakt", "tvdb"))
    run = world.run()
    assert (run.status, run.counts["sent"], len(posts(world))) == ("succeeded", 2, 1)
    (entry,) = world.upstreams.trakt.requests("^/sync/history$", "POST")
    body = json.loads(entry.body)
    assert [set(each) for each in body["episodes"]] == [{"ids", "watched_at"}]
    assert [set(each["ids"]) for each in body["episodes"]] == [{"trakt"}]


def test_a_film_that_was_found_by_its_title_goes_by_trakts_number() -> None:
    """Its other ids stay at home."""
    library = Library(NOW)
    title = film(library, "Солярис / Solaris", 1972, "tt0069293", item=308, shown=None)
    library.finish(USER, title, title.units[0], int(NOW) - 9_000)
    world = World(library)
    assert world.run().counts["sent"] == 1
    (entry,) = world.upstreams.trakt.requests("^/sync/history$", "POST")
    assert [work["ids"] for work in json.loads(entry.body)["movies"]] == [{"trakt": title.trakt.trakt}]


def test_a_large_batch_without_an_answer_is_halved() -> None:
    """It is read back first; the halves are answered."""
    world = World("large:80")
    world.settings(batch_size=80)
    fault(world, delay=READ_TIMEOUT + 5, status=504)
    run = world.run()
    assert (run.status, run.counts["sent"]) == ("succeeded", 80)
    assert [len(each) for each in posts(world)] == [80, 40, 40]
    assert plays(world) == expected_plays(world)


def test_one_view_that_trakt_cannot_answer_for_holds_up_no_other() -> None:
    """Whatever has it in it gets a 500: the batch is parted until it is nearly alone, and the others are sent."""
    world = World("large:16")
    world.settings(batch_size=16)
    poison = posts_of_a_preview(world)[5]
    app = world.upstreams.trakt
    handle = app.handle

    def fail(request: Any, *more: Any) -> Any:
        if request.method == "POST" and poison in request.body.decode():
            app._note(request, "/sync/history")
            return Response.json({}, 500)
        return handle(request, *more)

    app.handle = fail  # type: ignore[method-assign]
    sent = 0
    for _ in range(3):
        run = world.run()
        sent += run.counts["sent"]
        assert run.status in ("partial", "failed")
    assert sent == 15
    app.handle = handle  # type: ignore[method-assign]
    assert world.run().counts["sent"] == 1
    assert plays(world) == expected_plays(world)


def posts_of_a_preview(world: World) -> list[str]:
    """A piece of each view's part of the POST that would be made."""
    run = world.run(mode="preview")
    events = world.events(run)
    world.cancel(run.run_id)
    return [iso(event.view.watched_at)[:-1] for event in events]
