"""§4.6 of the sync document: how a run ends. The cursor moves last, and only when every batch is sent."""

from collections.abc import Mapping
from contextlib import suppress

from watchferry.errors import (
    ONE_APPLICATION,
    AppRefused,
    ConnectAgain,
    NotConnected,
    RetryLater,
    StopAccount,
    StopRun,
    WatchferryError,
)
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.runs import NOT_ALL_READ, Run, RunStatus
from watchferry.sync.workshop import Workshop


def commit_if_complete(shop: Workshop, run: Run) -> None:
    """Whoever settles the last batch ends the run. Safe to repeat, from any worker."""
    if run.status == "failed" and run.has_effect:
        # One worker's trouble ended it while another's POST was under way.
        shop.runs.sent_after_all(run)
    if run.status != "sending" or run.batches_done < run.batches:
        return
    if run.batches_failed:
        error = {"code": "not_all_sent", "detail": f"{run.batches_failed} of {run.batches} batches could not be sent"}
        end(shop, run, "partial" if run.has_effect else "failed", error)
        shop.telling.run_failed(run.user_id, run.run_id, error["code"], error["detail"])
    elif run.note:
        # Every batch was sent and what could not be read is remembered: all that lies behind the cursor is dealt with.
        is_part = run.note["code"] == NOT_ALL_READ and run.has_effect
        end(shop, run, "partial" if is_part else "succeeded", run.note, dealt_with=True)
    else:
        end(shop, run, "succeeded", dealt_with=True)


def stop(shop: Workshop, run: Run, trouble: WatchferryError) -> None:
    """Ends a run that cannot go on, and pauses the account where only a person can help (sync document §5.1)."""
    match trouble:
        case StopAccount():
            _end_paused(shop, run, trouble.code, trouble.detail)
        case ConnectAgain():
            _end_paused(shop, run, "reauth_required", trouble.advice, to_connect=trouble.provider)
        case NotConnected():
            fail(shop, run, "not_connected", f"{trouble}: connect it, then start the sync again")
        case AppRefused() if shop.application.met(trouble):
            # The owner is told of it, once. Users can do nothing about it: none of them is told.
            _end_badly(shop, run, trouble.code, trouble.detail)
        case AppRefused(provider="trakt"):
            fail(shop, run, trouble.code, f"{trouble.detail}, for this account alone. {ONE_APPLICATION}")
        case StopRun() | RetryLater():
            fail(shop, run, trouble.code, trouble.detail, trouble.service)
        case _:
            fail(shop, run, "upstream_refused", str(trouble))


def fail(shop: Workshop, run: Run, code: str, detail: str, service: str | None = None) -> None:
    """Ends it badly, and tells its user if that is new."""
    _end_badly(shop, run, code, detail, service)
    shop.telling.run_failed(run.user_id, run.run_id, code, detail)


def _end_paused(shop: Workshop, run: Run, reason: str, detail: str, *, to_connect: str | None = None) -> None:
    """The user is told of the pause, and not of the run as well."""
    with suppress(NotConnected):  # the account itself is gone
        shop.telling.pause(run.user_id, reason, detail, run.run_id, to_connect=to_connect)
    _end_badly(shop, run, reason, detail)


def _end_badly(shop: Workshop, run: Run, code: str, detail: str, service: str | None = None) -> None:
    """`partial` when some of its views were sent, else `failed`. The cursor stays: the next run takes up the rest."""
    current = shop.runs.get(run.user_id, run.run_id) or run
    error = {"code": code, "detail": detail, **({"service": service} if service else {})}
    end(shop, current, "partial" if current.has_effect else "failed", error)
    if (ended := shop.runs.get(run.user_id, run.run_id)) is not None:
        commit_if_complete(shop, ended)  # a batch may have been counted between the two


def end(
    shop: Workshop,
    run: Run,
    status: RunStatus,
    error: Mapping[str, str] | None = None,
    *,
    dealt_with: bool = False,
) -> None:
    """Ends the run and frees its user for the next, in one transaction; if all is dealt with the cursor moves too."""
    moves = dealt_with and run.moves_cursor
    try:
        transact(
            shop.accounts.table.client,
            [
                shop.accounts.ending_run(run.user_id, run.run_id, succeeded=moves, cursor=run.cursor),
                shop.runs.finishing(run, status, error),
            ],
        )
    except ConditionFailed:
        superseded(shop, run)


def superseded(shop: Workshop, run: Run) -> None:
    """The run is not its user's active one (any more): if it was not ended properly, its row must not look alive."""
    current = shop.runs.get(run.user_id, run.run_id) or run
    error = {"code": "superseded", "detail": "it stood still, or an account was connected anew; the next run goes on"}
    shop.runs.finish(current, "partial" if current.has_effect else "failed", error)
