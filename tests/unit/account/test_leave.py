"""`DELETE /account`: access goes at once, every row soon, and nothing of it comes back (http-api.md, Fine print)."""

import json
from typing import Any

import pytest

from tests.browser import Browser
from tests.tables import everything_stored, tables
from tests.unit.account.conftest import Cloud
from tests.unit.auth.conftest import NewBrowser, connect_kinopub, sign_in
from tests.world import PLANNER_LIVES, MemoryQueues
from watchferry.account import belongings
from watchferry.account import leave as leaving
from watchferry.account.belongings import NOBODYS
from watchferry.auth.grants import TokenPair
from watchferry.errors import NotConnected
from watchferry.models import Event, View
from watchferry.storage.runs import Run
from watchferry.sync.queues import ForgetJob, PlanJob, SendJob

SLUG = "harry"


def traces(cloud: Cloud, uuid: str) -> list[str]:
    """Tables with a row that names the user, or has their views."""
    found = []
    for table in sorted(set(tables()) - {"Mappings"}):
        rows = repr(cloud.wiring.dynamo.scan(TableName=table)["Items"])
        if uuid in rows or SLUG in rows.casefold() or (table == "Plans" and rows != "[]"):
            found.append(table)
    return found


def posts(cloud: Cloud) -> int:
    return len(cloud.upstreams.trakt.requests("^/sync/history", "POST"))


def test_gone_at_once(cloud: Cloud, connected: Browser, new_browser: NewBrowser) -> None:
    """With the 204: no session, token or account, no upstream's token; Trakt's are revoked, the cookie is cleared."""
    cloud.keep_something_everywhere()
    token = connected.post("/auth/api-tokens", {"name": "x"}).json["token"]
    elsewhere = new_browser()
    elsewhere.cookies["__Host-session"] = cloud.wiring.sessions.begin(cloud.uuid)
    assert elsewhere.get("/auth/session").status == 200
    assert connected.delete("/account").status == 204
    assert connected.cookies.keys().isdisjoint({"__Host-session"})
    for visitor, headers in ((elsewhere, {}), (new_browser(), {"Authorization": f"Bearer {token}"})):
        assert visitor.get("/auth/session", headers).code == "unauthenticated"
    assert cloud.upstreams.trakt.token_counts()["alive"] == 0
    assert not set(traces(cloud, cloud.uuid)) & {"Tokens", "Sessions", "ApiTokens"}
    assert "Harry" not in repr(cloud.wiring.dynamo.scan(TableName="Accounts")["Items"])


def test_every_row_soon(cloud: Cloud, connected: Browser) -> None:
    """The first sweep leaves nothing, in whatever table."""
    cloud.keep_something_everywhere()
    connected.delete("/account")
    assert traces(cloud, cloud.uuid)
    cloud.drain(until=cloud.clock() + 1)
    assert traces(cloud, cloud.uuid) == []
    cloud.drain()
    assert set(cloud.results[-4:]) == {"forgotten"}
    assert cloud.queues.messages == []


def test_others_stay(cloud: Cloud, connected: Browser, new_browser: NewBrowser) -> None:
    """Ron notices nothing."""
    cloud.upstreams.add_user("ron")
    ron = new_browser()
    sign_in(ron, cloud.upstreams, cloud.clock, "ron")
    connect_kinopub(ron, cloud.upstreams, cloud.clock, "ron")
    theirs = cloud.upstreams.trakt.users["ron"].uuid
    cloud.keep_something_everywhere()
    for _, title in cloud.wiring.rechecks.all(cloud.uuid):
        cloud.wiring.rechecks.ask(theirs, [title], days=1)
        cloud.wiring.rechecks.wish(theirs, title)
    cloud.wiring.unmatched.add(theirs, cloud.wiring.unmatched.all(cloud.uuid))
    for override in cloud.wiring.overrides.all(cloud.uuid):
        cloud.wiring.overrides.put(theirs, override)
    before = {name: rows_of(cloud, name, theirs) for name in tables()}
    connected.delete("/account")
    cloud.drain()
    assert {name: rows_of(cloud, name, theirs) for name in tables()} == before
    assert ron.get("/auth/session").json["trakt"]["connected"]


def rows_of(cloud: Cloud, table: str, user_id: str) -> list[Any]:
    return [row for row in cloud.wiring.dynamo.scan(TableName=table)["Items"] if user_id in repr(row)]


def test_twice(cloud: Cloud, connected: Browser) -> None:
    """The second is nobody's: 401. One that was under way beside the first does no harm."""
    leaving.leave(cloud.wiring, cloud.uuid)
    leaving.leave(cloud.wiring, cloud.uuid)
    assert connected.delete("/account").code == "unauthenticated"
    cloud.drain()
    assert traces(cloud, cloud.uuid) == []


@pytest.mark.parametrize("steps", range(8))
def test_in_the_middle_of_a_run(cloud: Cloud, connected: Browser, steps: int) -> None:
    """After so many messages of a run: it is over, no POST begins any more, nothing of it is left."""
    cloud.wiring.accounts.change_settings(cloud.uuid, batch_size=2)
    cloud.start()
    for _ in range(steps):
        if cloud.queues.messages:
            cloud.deliver(cloud.take())
    connected.delete("/account")
    before = posts(cloud)
    cloud.drain()
    assert posts(cloud) == before
    assert traces(cloud, cloud.uuid) == []
    assert not [said for said in cloud.results if said.startswith("stopped")]


@pytest.mark.parametrize("moment", ["claimed", "intended", "sent", "planning"])
def test_while_a_worker_is_at_it(
    cloud: Cloud, connected: Browser, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a worker writes after the first sweep, the second finds; a POST that was not yet meant never begins."""
    cloud.wiring.accounts.change_settings(cloud.uuid, batch_size=2)
    cloud.start()
    left: list[int] = []

    def and_then(kind: type, verb: str, *, before: bool) -> None:
        """Harry leaves, and the first sweep comes, beside this call of a worker."""
        original = getattr(kind, verb)

        def beside(*args: Any, **kwargs: Any) -> Any:
            result = None if before else original(*args, **kwargs)
            if not left:
                connected.delete("/account")
                left.append(posts(cloud))
                job = [m for m in cloud.queues.messages if "forget" in m.body and m.due <= cloud.clock()]
                for message in job:
                    cloud.queues.messages.remove(message)
                    cloud.deliver(message)
            return original(*args, **kwargs) if before else result

        monkeypatch.setattr(kind, verb, beside)

    plans, ledger = type(cloud.wiring.plans), type(cloud.wiring.ledger)
    if moment == "planning":
        and_then(plans, "write", before=True)
    elif moment == "claimed":
        and_then(plans, "claim", before=False)
    elif moment == "intended":
        and_then(ledger, "intend", before=False)
    else:
        and_then(ledger, "record", before=True)
    cloud.drain(until=cloud.clock() + 300)
    assert left
    cloud.drain()
    if moment != "intended":
        assert posts(cloud) == left[0]
    assert traces(cloud, cloud.uuid) == []


def test_a_post_under_way_is_waited_for(cloud: Cloud, connected: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a few seconds: the answer comes when the sender is done; a sender that died is not waited for longer."""
    cloud.start()
    cloud.deliver(cloud.take())
    run = newest(cloud)
    [batch] = cloud.wiring.plans.batches(run.run_id, run.plan)
    claimed = cloud.wiring.plans.claim(batch, owner="w", until=cloud.clock() + 60, settle=60)
    assert claimed is not None
    slept: list[float] = []

    def pause(seconds: float) -> None:
        slept.append(seconds)
        cloud.clock.advance(seconds)
        if len(slept) == 5:
            cloud.wiring.plans.put_back(claimed)

    cloud.wiring.pause = pause
    began = cloud.clock()
    connected.delete("/account")
    assert len(slept) == 5
    assert cloud.clock() - began < leaving.PATIENCE


def test_a_dead_sender_is_not_waited_for(cloud: Cloud, connected: Browser) -> None:
    """The answer comes well before the API gives up."""
    cloud.start()
    cloud.deliver(cloud.take())
    run = newest(cloud)
    [batch] = cloud.wiring.plans.batches(run.run_id, run.plan)
    cloud.wiring.plans.claim(batch, owner="w", until=cloud.clock() + 60, settle=60)
    began = cloud.clock()
    assert connected.delete("/account").status == 204
    assert cloud.clock() - began <= leaving.PATIENCE + 1


def newest(cloud: Cloud) -> Run:
    [run] = cloud.wiring.runs.newest(cloud.uuid, limit=1)
    return run


def test_the_run_ends_as_cancelled(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Active or waiting; those that are over keep their end."""
    cloud.start()
    cloud.drain()
    cloud.start()
    monkeypatch.setattr(MemoryQueues, "forget", lambda *_: None)
    leaving.leave(cloud.wiring, cloud.uuid)
    assert [run.status for run in cloud.wiring.runs.of(cloud.uuid)] == ["cancelled", "succeeded"]


CUTS: list[tuple[str, str]] = [
    ("departures", "begin"),
    ("runs", "newest"),
    ("broker", "drop_tokens"),
    ("sessions", "end_all"),
    ("api_tokens", "end_all"),
    ("departures", "empty"),
]


@pytest.mark.parametrize(("what", "verb"), CUTS)
def test_cut_short_anywhere(
    cloud: Cloud, connected: Browser, what: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either nothing has happened, or it comes to its end without the request: no access, no rows, tokens revoked."""
    cloud.keep_something_everywhere()
    with monkeypatch.context() as patch:
        patch.setattr(type(getattr(cloud.wiring, what)), verb, failing)
        assert connected.delete("/account").status == 500
    began = verb != "begin"
    assert (connected.get("/auth/session").status == 401) is began
    cloud.drain()
    assert (traces(cloud, cloud.uuid) == []) is began
    assert (cloud.upstreams.trakt.token_counts()["alive"] == 0) is began
    if not began:
        assert connected.get("/auth/session").json["trakt"]["connected"]


def failing(*_: Any, **__: Any) -> Any:
    raise RuntimeError("the cloud is away")


def test_no_queue_no_departure(cloud: Cloud, connected: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be finished is not begun; once the safety net is there, a failing queue stops nobody."""
    with monkeypatch.context() as patch:
        patch.setattr(MemoryQueues, "forget", failing)
        assert connected.delete("/account").status == 500
    assert connected.get("/auth/session").status == 200
    taken = []

    def once(_: MemoryQueues, job: ForgetJob, delay: float) -> None:
        if taken:
            raise RuntimeError("the queue is away")
        taken.append((job, delay))

    monkeypatch.setattr(MemoryQueues, "forget", once)
    assert connected.delete("/account").status == 204
    assert [delay for _, delay in taken] == [leaving.SAFETY_NET]


def test_coming_back(cloud: Cloud, connected: Browser, new_browser: NewBrowser) -> None:
    """Between the sweeps: the new account is left alone, with all that it has from then on."""
    cloud.keep_something_everywhere()
    connected.delete("/account")
    cloud.drain(until=cloud.clock() + 1)
    back = new_browser()
    sign_in(back, cloud.upstreams, cloud.clock)
    connect_kinopub(back, cloud.upstreams, cloud.clock)
    run_id = cloud.start()
    cloud.drain()
    assert "somebody has come back" in cloud.results
    told = back.get("/auth/session").json
    assert (told["trakt"]["connected"], told["kinopub"]["connected"]) == (True, True)
    run = cloud.wiring.runs.get(cloud.uuid, run_id)
    assert run is not None
    assert run.status == "succeeded"


def test_coming_back_at_once(cloud: Cloud, connected: Browser, new_browser: NewBrowser) -> None:
    """Before the first sweep is over: 409 `leaving`, the fresh token is revoked; then nothing is there of before."""
    cloud.keep_something_everywhere()
    connected.delete("/account")
    back = new_browser()
    begun = back.post("/auth/trakt/device/code").json
    cloud.upstreams.trakt.approve(begun["user_code"], SLUG)
    cloud.clock.advance(begun["interval"])
    said = back.post("/auth/trakt/device/token", {"device_code": begun["device_code"]})
    assert (said.status, said.code) == (409, "leaving")
    assert cloud.upstreams.trakt.token_counts()["alive"] == 0
    cloud.drain(until=cloud.clock() + 1)
    assert traces(cloud, cloud.uuid) == []
    sign_in(back, cloud.upstreams, cloud.clock)
    assert back.get("/auth/session").json["prowlarr"]["configured"] is False


def test_coming_back_while_the_sweep_is_at_work(cloud: Cloud, connected: Browser, new_browser: NewBrowser) -> None:
    """The sign-in waits for it, and nobody is told anything."""
    cloud.keep_something_everywhere()
    connected.delete("/account")
    waits = cloud.wiring.pause
    cloud.wiring.broker.pause = lambda seconds: (waits(seconds), cloud.drain(until=cloud.clock()))[0]
    sign_in(new_browser(), cloud.upstreams, cloud.clock)
    assert cloud.wiring.accounts.get(cloud.uuid) is not None


def test_a_sign_in_under_way(cloud: Cloud, connected: Browser) -> None:
    """It stored its tokens after the account was gone: the sweep revokes and deletes them, too."""
    pair = cloud.upstreams.trakt.grant(SLUG)
    connected.delete("/account")
    with pytest.raises(NotConnected):
        cloud.wiring.broker._connect(
            cloud.uuid, cloud.wiring.trakt_oauth, TokenPair(pair.access, pair.refresh, 0, "https://watchferry.test/")
        )
    assert cloud.wiring.tokens.get(cloud.uuid, "trakt") is not None
    cloud.drain()
    assert traces(cloud, cloud.uuid) == []
    assert cloud.upstreams.trakt.token_counts()["alive"] == 0


def test_messages_that_come_late(cloud: Cloud, connected: Browser) -> None:
    """Jobs of somebody who has left are done with, quietly; none is malformed, none brings anything back."""
    run_id = cloud.start()
    cloud.drain()
    connected.delete("/account")
    cloud.drain()
    cloud.results.clear()
    cloud.queues.plan([(PlanJob(cloud.uuid, run_id, "manual"), 0), (PlanJob(cloud.uuid, "new", "schedule"), 0)])
    cloud.queues.send([(SendJob(cloud.uuid, run_id, "0001-00000"), 0)])
    cloud.drain()
    assert cloud.results == ["no such user"] * 3
    assert traces(cloud, cloud.uuid) == []


def test_a_sweep_that_runs_out_of_time(cloud: Cloud, connected: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes on by message, a step at a time if need be, until all is gone."""
    monkeypatch.setattr(belongings, "RUNS_AT_ONCE", 5)
    for number in range(12):
        run_id = f"run-{number:03d}"
        cloud.wiring.runs.create(cloud.uuid, run_id, mode="sync", trigger="schedule")
        cloud.wiring.plans.write(run_id, 1, [[an_event()]], [])
    connected.delete("/account")
    message = next(m for m in cloud.queues.messages if m.due <= cloud.clock())
    cloud.queues.messages.clear()
    job = ForgetJob.of(message.body)
    said = []
    while not said or said[-1] == "goes on":
        lives = -1 if len(said) < 40 else PLANNER_LIVES  # each step of the first is one too many
        said.append(leaving.forget(cloud.wiring, job, deadline=cloud.clock() + lives))
        if said[-1] == "goes on":
            job = ForgetJob.of(cloud.queues.messages.pop().body)
    assert said[-1] == "forgotten"
    cloud.drain()
    assert traces(cloud, cloud.uuid) == []


def an_event() -> Event:
    return Event(View("movie", 1, 1, "Film", 1_700_000_000, 7200), "planned", None, {"trakt": 1})


def test_the_journal_of_a_departure(cloud: Cloud, connected: Browser) -> None:
    """What is queued: a safety net, the sweep, and once more when every worker is gone."""
    connected.delete("/account")
    began = cloud.clock()
    waiting = sorted((message.due - began, json.loads(message.body)["sweeps"]) for message in cloud.queues.messages)
    assert waiting == [(0, 2), (leaving.SAFETY_NET, 2)]
    cloud.drain(until=began + 1)
    last = [json.loads(m.body) for m in cloud.queues.messages if m.due - cloud.clock() == leaving.WORKERS_GONE]
    assert [job["sweeps"] for job in last] == [1]


def test_what_is_nobody_s_stays(cloud: Cloud, connected: Browser) -> None:
    """Mappings are everybody's."""
    cloud.keep_something_everywhere()
    connected.delete("/account")
    cloud.drain()
    assert cloud.wiring.dynamo.scan(TableName="Mappings")["Count"] > 0
    assert set(NOBODYS) == {"Mappings", "Flows"}
    assert cloud.uuid not in everything_stored(cloud.wiring.dynamo)
