"""How a run begins: one per user at a time."""

from watchferry.notify.telling import Telling
from watchferry.storage.account import Account
from watchferry.storage.accounts import Accounts
from watchferry.storage.runs import Mode, Run, Runs, Trigger


def begin_run(
    accounts: Accounts,
    runs: Runs,
    telling: Telling,
    account: Account,
    run_id: str,
    *,
    mode: Mode,
    trigger: Trigger,
    full: bool = False,
    undoes: str | None = None,
) -> Run:
    """Takes the user's place and writes the run. Raises RunActive when another run of the user lives.

    A run that stopped giving signs of life ends as failed, of which its user is told; a run that waits for a
    confirmation as cancelled.
    """
    replaced = accounts.begin_run(account.user_id, run_id)
    for each in replaced:
        run = runs.get(account.user_id, each)
        if run is None or run.is_finished:
            continue
        if run.status == "awaiting_confirmation":
            runs.finish(run, "cancelled")
        else:
            detail = "it gave no sign of life for too long; the next run goes on where it stopped"
            runs.finish(run, "partial" if run.has_effect else "failed", {"code": "abandoned", "detail": detail})
            telling.run_failed(account.user_id, each, "abandoned", detail)
    if replaced:
        accounts.replaced_ended(account.user_id, run_id)
    return runs.create(account.user_id, run_id, mode=mode, trigger=trigger, full=full, undoes=undoes)


def may_run_by_itself(account: Account) -> bool:
    """What the schedule's index says, asked again: it may have changed since the tick."""
    return account.settings.enabled and not account.paused_reason and account.connected >= {"trakt", "kinopub"}
