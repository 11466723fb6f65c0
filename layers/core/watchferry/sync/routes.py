"""The table "Sync" of http-api.md, but for what acts on a finished plan."""

import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from watchferry.errors import Problem
from watchferry.http_api import Answer, Api, Call
from watchferry.models import Outcome
from watchferry.storage.accounts import Account, Accounts, SyncSettings, public_state
from watchferry.storage.plans import Plans
from watchferry.storage.runs import REASONS, Run, Runs, new_run_id
from watchferry.sync.begin import begin_run
from watchferry.sync.queues import PlanJob, Queues
from watchferry.sync.report import as_csv, read_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchferry.settings import Settings

RUNS_A_PAGE = 20
MAY_WAIT = {
    "reauth_required": "an account has to be connected again first",
    "account_locked": "Trakt has locked this account; when it is free again, set `enabled` to true to go on",
    "account_limit": "Trakt's limit for this account is reached; when there is room, set `enabled` to true to go on",
}
"""Pauses in which a run could only fail."""

log = logging.getLogger(__name__)


class Deployment(Protocol):
    """What these routes need of wiring.py."""

    settings: "Settings"
    clock: "Callable[[], float]"

    @property
    def accounts(self) -> Accounts: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def queues(self) -> Queues: ...


def mount(api: Api, deployment: "Callable[[], Deployment]") -> None:
    @api.post("/sync/runs")
    def start_run(call: Call) -> Answer:
        from watchferry.sync.bodies import StartRun

        wanted = call.json(StartRun)
        return Answer(202, {"run_id": start(deployment(), call.account, wanted.mode, full=wanted.full)})

    @api.get("/sync/runs")
    def list_runs(call: Call) -> Answer:
        runs = list(deployment().runs.newest(call.user_id, limit=RUNS_A_PAGE + 1, before=call.cursor()))
        more = len(runs) > RUNS_A_PAGE
        shown = runs[:RUNS_A_PAGE]
        return Answer(
            200, {"items": [run.public() for run in shown], "next_cursor": shown[-1].run_id if more else None}
        )

    @api.get("/sync/runs/<run_id>")
    def show_run(call: Call, run_id: str) -> Answer:
        return Answer(200, _run(deployment(), call, run_id).public())

    @api.get("/sync/runs/<run_id>/events")
    def show_events(call: Call, run_id: str) -> Answer:
        run = _run(deployment(), call, run_id)
        outcome = _one_of(call, "outcome", get_args(Outcome.__value__))
        reason = _one_of(call, "reason", REASONS)
        as_table = call.accepts("text/csv")
        page = read_report(deployment().plans, run, outcome, reason, call.cursor(), everything=as_table)
        if as_table:
            name = {"Content-Disposition": f'attachment; filename="watchferry-{run_id}.csv"'}
            more = {"X-Next-Cursor": page.next_cursor} if page.next_cursor else {}
            return Answer(200, as_csv(page.events), name | more, content_type="text/csv; charset=utf-8")
        return Answer(200, {"items": [event.public() for event in page.events], "next_cursor": page.next_cursor})

    @api.get("/sync/state")
    def show_state(call: Call) -> Answer:
        own = deployment()
        account = call.account
        if account.active_run_id and account.active_until < own.clock():
            account = replace(account, active_run_id=None)  # it gave up; the next run says so in its row
        return Answer(200, public_state(account, own.accounts.last_tick(), own.settings.sync_interval_seconds))

    @api.get("/sync/settings")
    def show_settings(call: Call) -> Answer:
        return Answer(200, asdict(call.account.settings))

    @api.put("/sync/settings")
    def change_settings(call: Call) -> Answer:
        from watchferry.sync.bodies import Settings

        changes = call.json(Settings).model_dump(exclude_unset=True)
        wanted = merged(call.account.settings, changes)
        return Answer(200, asdict(deployment().accounts.set_settings(call.user_id, wanted).settings))


def start(own: Deployment, account: Account, mode: Literal["sync", "preview"], *, full: bool) -> str:
    """Makes the run the user's active one and queues it. Raises Problem, RunActive."""
    for provider in ("trakt", "kinopub"):
        if provider not in account.connected:
            raise Problem(409, "not_connected", f"connect {provider.capitalize()} first", provider=provider)
    if account.paused_reason in MAY_WAIT:
        raise Problem(409, account.paused_reason, MAY_WAIT[account.paused_reason])
    run_id = new_run_id(own.clock())
    run = begin_run(own.accounts, own.runs, account, run_id, mode=mode, trigger="manual", full=full)
    try:
        own.queues.plan([(PlanJob(account.user_id, run_id, "manual"), 0)])
    except Exception:
        own.accounts.free(account.user_id, run_id)
        own.runs.finish(run, "failed", {"code": "not_queued", "detail": "the queue did not take it; start it again"})
        raise
    return run_id


def merged(present: SyncSettings, changes: dict[str, Any]) -> SyncSettings:
    """`PUT /sync/settings`: fields that are left out stay. Raises Problem 400 for what is not settable yet.

    A client may send back all that it was shown, so unchanged values always pass.
    """
    for name in ("window_minutes", "confirm_above", "webhook_url"):
        if name in changes and changes[name] != getattr(present, name):
            raise Problem(400, "validation", f"{name}: this version cannot change it")
    if changes.get("rewatch") == "window":
        raise Problem(400, "validation", "rewatch: this version knows each_play and once")
    return replace(present, **changes)


def _run(own: Deployment, call: Call, run_id: str) -> Run:
    """The caller's own run; one of somebody else looks like one that is not there."""
    run = own.runs.get(call.user_id, run_id)
    if run is None:
        raise Problem(404, "not_found", "there is no such run")
    return run


def _one_of(call: Call, name: str, known: tuple[str, ...]) -> str | None:
    value = call.query.get(name) or None
    if value is not None and value not in known:
        raise Problem(400, "validation", f"{name}: one of {', '.join(known)}")
    return value
