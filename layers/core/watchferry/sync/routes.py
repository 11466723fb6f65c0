"""The table "Sync" of http-api.md."""

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, get_args

from watchferry.errors import Problem
from watchferry.http_api import Accepted, Answer, Api, Call, Done, Ok
from watchferry.models import Outcome
from watchferry.storage.plans import Plans
from watchferry.storage.runs import REASONS, Run
from watchferry.sync import actions, answers
from watchferry.sync.report import as_csv, read_report
from watchferry.sync.views import event_view, run_view, settings_view, state_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from watchferry.notify.webhook import WebhookSetting
    from watchferry.settings import Settings

RUNS_A_PAGE = 20
UNMATCHED_A_PAGE = 20
OVERRIDES_A_PAGE = 100
KEY = re.compile(r"\d{1,15}(-\d{1,9}(-\d{1,9})?)?")
"""Of an override: a title, a season of it, an episode (storage/overrides.py)."""

log = logging.getLogger(__name__)


class Deployment(actions.Deployment, Protocol):
    """What these routes need of wiring.py; what mending needs of it, mending.py says."""

    settings: "Settings"

    @property
    def plans(self) -> Plans: ...
    @property
    def webhook(self) -> "WebhookSetting": ...


def mount(api: Api, deployment: "Callable[[], Deployment]") -> None:
    @api.post("/sync/runs")
    def start_run(call: Call) -> Accepted[answers.RunStarted]:
        from watchferry.sync.bodies import StartRun

        wanted = call.json(StartRun)
        return Answer(202, {"run_id": actions.start(deployment(), call.account, wanted.mode, full=wanted.full)})

    @api.get("/sync/runs")
    def list_runs(call: Call) -> Ok[answers.RunPage]:
        found = deployment().runs.newest(call.user_id, limit=RUNS_A_PAGE + 1, before=call.cursor())
        runs, last = _page(found, RUNS_A_PAGE)
        return Answer(200, {"items": [run_view(run) for run in runs], "next_cursor": last.run_id if last else None})

    @api.get("/sync/runs/<run_id>")
    def show_run(call: Call, run_id: str) -> Ok[answers.Run]:
        return Answer(200, run_view(_run(deployment(), call, run_id)))

    @api.get("/sync/runs/<run_id>/events")
    def show_events(call: Call, run_id: str) -> Ok[answers.EventPage | answers.Csv]:
        run = _run(deployment(), call, run_id)
        outcome = _one_of(call, "outcome", get_args(Outcome.__value__))
        reason = _one_of(call, "reason", REASONS)
        as_table = call.accepts("text/csv")
        page = read_report(deployment().plans, run, outcome, reason, call.cursor(), everything=as_table)
        if as_table:
            name = {"Content-Disposition": f'attachment; filename="watchferry-{run_id}.csv"'}
            more = {"X-Next-Cursor": page.next_cursor} if page.next_cursor else {}
            return Answer(200, as_csv(page.events), name | more, content_type="text/csv; charset=utf-8")
        return Answer(200, {"items": [event_view(event) for event in page.events], "next_cursor": page.next_cursor})

    @api.post("/sync/runs/<run_id>/confirm")
    def confirm_run(call: Call, run_id: str) -> Accepted[answers.RunStarted]:
        actions.confirm(deployment(), call.account, _run(deployment(), call, run_id))
        return Answer(202, {"run_id": run_id})

    @api.post("/sync/runs/<run_id>/cancel")
    def cancel_run(call: Call, run_id: str) -> Accepted[answers.RunStarted]:
        actions.cancel(deployment(), _run(deployment(), call, run_id))
        return Answer(202, {"run_id": run_id})

    @api.post("/sync/runs/<run_id>/undo")
    def undo_run(call: Call, run_id: str) -> Accepted[answers.RunStarted]:
        return Answer(202, {"run_id": actions.undo(deployment(), call.account, _run(deployment(), call, run_id))})

    _add_mending(api, deployment)

    @api.get("/sync/state")
    def show_state(call: Call) -> Ok[answers.SyncState]:
        own = deployment()
        account = call.account
        if account.active_run_id and account.active_until < own.clock():
            account = replace(account, active_run_id=None)  # it gave up; the next run says so in its row
        refusal = next(iter(own.refusals.all()), None)
        return Answer(200, state_view(account, own.accounts.last_tick(), own.settings.sync_interval_seconds, refusal))

    @api.get("/sync/settings")
    def show_settings(call: Call) -> Ok[answers.SyncSettings]:
        return Answer(200, settings_view(call.account.settings))

    @api.put("/sync/settings")
    def change_settings(call: Call) -> Ok[answers.SyncSettings]:
        from watchferry.sync.bodies import ChangeSettings

        changes = call.json(ChangeSettings).model_dump(exclude_unset=True)
        # A webhook is shown masked: what comes back as it was shown changes nothing.
        if "webhook_url" in changes and changes["webhook_url"] != call.account.settings.webhook_url:
            changes["webhook_url"] = deployment().webhook.change(call.user_id, changes["webhook_url"])
        return Answer(200, settings_view(deployment().accounts.change_settings(call.user_id, **changes).settings))

    @api.post("/sync/webhook/test")
    def try_webhook(call: Call) -> Accepted[None]:
        deployment().webhook.test(call.account)
        return Answer(202)


def _add_mending(api: Api, deployment: "Callable[[], Deployment]") -> None:
    @api.get("/sync/unmatched")
    def list_unmatched(call: Call) -> Ok[answers.UnmatchedPage]:
        from watchferry.sync.mending import with_candidates

        own: Any = deployment()
        found = own.unmatched.page(call.user_id, limit=UNMATCHED_A_PAGE + 1, after=call.cursor())
        rows, last = _page(found, UNMATCHED_A_PAGE)
        return Answer(200, {"items": with_candidates(own, rows), "next_cursor": last.key if last else None})

    @api.get("/sync/overrides")
    def list_overrides(call: Call) -> Ok[answers.OverridePage]:
        """Beyond http-api.md's table: what cannot be seen cannot be taken back."""
        from watchferry.sync.mending import said

        own: Any = deployment()
        found = own.overrides.all(call.user_id, limit=OVERRIDES_A_PAGE + 1, after=call.cursor())
        overrides, last = _page(found, OVERRIDES_A_PAGE)
        return Answer(200, {"items": [said(each) for each in overrides], "next_cursor": last.key if last else None})

    @api.put("/sync/overrides/<key>")
    def mend(call: Call, key: str) -> Done:
        from watchferry.sync import mending
        from watchferry.sync.bodies import Mend

        own: Any = deployment()
        mending.mend(own, call.user_id, _key(key), call.json(Mend))
        return Answer(204)

    @api.delete("/sync/overrides/<key>")
    def forget_override(call: Call, key: str) -> Done:
        from watchferry.sync import mending

        own: Any = deployment()
        mending.forget(own, call.user_id, _key(key))
        return Answer(204)


def _page[R](found: "Iterable[R]", size: int) -> tuple[list[R], R | None]:
    """What is shown of one row more than that; the last of it where there is more."""
    rows = list(found)
    return rows[:size], rows[size - 1] if len(rows) > size else None


def _run(own: Deployment, call: Call, run_id: str) -> Run:
    """The caller's own run; one of somebody else looks like one that is not there."""
    run = own.runs.get(call.user_id, run_id)
    if run is None:
        raise Problem(404, "not_found", "there is no such run")
    return run


def _key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise Problem(404, "not_found", "there is nothing to mend under this key")
    return key


def _one_of(call: Call, name: str, known: tuple[str, ...]) -> str | None:
    value = call.query.get(name) or None
    if value is not None and value not in known:
        raise Problem(400, "validation", f"{name}: one of {', '.join(known)}")
    return value
