"""What the page is told of runs, events and an account's sync (http-api.md, Sync)."""

from collections.abc import Mapping

from watchferry.models import Event, iso
from watchferry.storage.account import Account, SyncSettings
from watchferry.storage.refusals import Refusal
from watchferry.storage.runs import Run
from watchferry.sync import answers


def run_view(run: Run) -> answers.Run:
    """The **run** of http-api.md."""
    counts, progress = run.counts, run.progress
    shown: answers.Progress = {"done": progress["done"], "total": progress["total"]}
    if run.plan and run.batches:
        views = counts["planned"]
        shown = {"done": views * min(run.batches_done, run.batches) // run.batches, "total": views}
    return {
        "id": run.run_id,
        "mode": run.mode,
        "trigger": run.trigger,
        "status": run.status,
        "phase_progress": shown,
        "counts": {
            "history": counts["history"],
            "completed": counts["completed"],
            "planned": counts["planned"],
            "sent": counts["sent"],
            "removed": counts["removed"],
            "already_removed": counts["already_removed"],
            "skipped": {reason: n for reason, n in counts["skipped"].items() if n},
        },
        "upstream_calls": {"trakt": run.calls["trakt"], "kinopub": run.calls["kinopub"]},
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at) if run.finished_at else None,
        "error": _error(run.error) if run.error else None,
    }


def _error(error: Mapping[str, str]) -> answers.RunError:
    shown: answers.RunError = {"code": error["code"], "detail": error["detail"]}
    if "service" in error:
        shown["service"] = error["service"]
    return shown


def event_view(event: Event) -> answers.Event:
    """The **event** of http-api.md."""
    view = event.view
    shown: answers.Event = {
        "type": view.type,
        "title": view.title,
        "watched_at": iso(view.watched_at) if view.watched_at else None,
        "kinopub": {"item": view.item, "media": view.media},
        "trakt_ids": dict(event.ids),
        "outcome": event.outcome,
        "reason": event.reason,
    }
    if view.show is not None:
        shown["show"] = view.show
    if view.season is not None:
        shown["season"] = view.season
    if view.number is not None:
        shown["number"] = view.number
    if view.year is not None:
        shown["year"] = view.year
    return shown


def state_view(
    account: Account, last_tick: int | None, interval: int | None, refusal: Refusal | None = None
) -> answers.SyncState:
    """`next_run_at` is the last tick plus the interval (seconds), null while nothing is due."""
    due = account.settings.enabled and not account.paused_reason and refusal is None
    waits = due and last_tick is not None and interval is not None
    return {
        "last_success_at": iso(account.last_success_at) if account.last_success_at else None,
        "next_run_at": iso((last_tick or 0) + (interval or 0)) if waits else None,
        "trakt_user_hash": account.trakt_user_hash,
        "active_run_id": account.active_run_id,
        "paused_reason": account.paused_reason,
        "app_refused": {"service": refusal.provider, "since": iso(refusal.since)} if refusal else None,
    }


def settings_view(settings: SyncSettings) -> answers.SyncSettings:
    return {
        "enabled": settings.enabled,
        "rewatch": settings.rewatch,
        "window_minutes": settings.window_minutes,
        "batch_size": settings.batch_size,
        "confirm_above": settings.confirm_above,
        "webhook_url": settings.webhook_url,
    }
