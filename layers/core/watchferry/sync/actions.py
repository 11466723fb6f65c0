"""What a person does with a run: start, confirm, cancel, undo (http-api.md, Sync)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from watchferry.errors import Problem
from watchferry.notify.telling import Telling
from watchferry.storage._dynamo import ConditionFailed, Item, transact
from watchferry.storage.account import Account, Provider
from watchferry.storage.accounts import Accounts
from watchferry.storage.runs import Run, Runs, new_run_id
from watchferry.sync.begin import begin_run
from watchferry.sync.queues import PlanJob, Queues

if TYPE_CHECKING:
    from watchferry.storage.runs import Trigger

MAY_WAIT = {
    "reauth_required": "an account has to be connected again first",
    "account_locked": "Trakt has locked this account; when it is free again, set `enabled` to true to go on",
    "account_limit": "Trakt's limit for this account is reached; when there is room, set `enabled` to true to go on",
}
"""Pauses in which a run could only fail."""

TRIES = 5
"""Of a change that somebody else's change to the account came in between of."""


class Deployment(Protocol):
    """What these actions need of wiring.py."""

    clock: Callable[[], float]

    @property
    def accounts(self) -> Accounts: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def telling(self) -> Telling: ...


def start(own: Deployment, account: Account, mode: Literal["sync", "preview"], *, full: bool) -> str:
    """Makes the run the user's active one and queues it. Raises Problem, RunActive."""
    _must_be_able(account, ("trakt", "kinopub"))
    if mode == "sync" and (full or account.cursor is None):
        own.queues.wake_sender()  # there will be something to send, and somebody waits for it
    run_id = new_run_id(own.clock())
    run = begin_run(own.accounts, own.runs, own.telling, account, run_id, mode=mode, trigger="manual", full=full)
    _queue(own, run, "manual")
    return run_id


def undo(own: Deployment, account: Account, run: Run) -> str:
    """Starts the run that removes this one's plays. Raises Problem, RunActive."""
    if not run.can_be_undone:
        raise _wrong_state(run, "only a run that is over and has added plays can be undone, and only once")
    _must_be_able(account, ("trakt",))
    run_id = new_run_id(own.clock())
    undoing = begin_run(
        own.accounts, own.runs, own.telling, account, run_id, mode="undo", trigger="undo", undoes=run.run_id
    )
    _queue(own, undoing, "undo")
    return run_id


def confirm(own: Deployment, account: Account, run: Run) -> None:
    """The run that waits goes on. Raises Problem."""
    if run.status != "awaiting_confirmation":
        raise _wrong_state(run, "only a run that waits for a confirmation can be confirmed")
    _must_be_able(account, ("trakt",))

    def both() -> Sequence[Item]:
        return [own.accounts.going_on(run.user_id, run.run_id), own.runs.confirming(run)]

    if not _changed_together(own, run, both, lambda now: now.status == run.status):
        raise _wrong_state(run, "it does not wait for a confirmation any more")
    _queue(own, run, "manual")


def cancel(own: Deployment, run: Run) -> None:
    """The run is over; what it has sent stays sent. Raises Problem."""
    if run.is_finished:
        raise _wrong_state(run, "it is over already")

    def both() -> Sequence[Item]:
        return [own.accounts.cancelling(run.user_id, run.run_id), own.runs.finishing(run, "cancelled")]

    if not _changed_together(own, run, both, lambda now: not now.is_finished):
        raise _wrong_state(run, "it is over already")


def _changed_together(
    own: Deployment, run: Run, parts: Callable[[], Sequence[Item]], may_still: Callable[[Run], bool]
) -> bool:
    """Whether the change was made; not when the run is such no more that it may be."""
    for _ in range(TRIES):
        try:
            transact(own.runs.table.client, parts())
        except ConditionFailed:
            current = own.runs.get(run.user_id, run.run_id)
            if current is None or not may_still(current):
                break
        else:
            return True
    return False


def _queue(own: Deployment, run: Run, trigger: "Trigger") -> None:
    try:
        own.queues.plan([(PlanJob(run.user_id, run.run_id, trigger), 0)])
    except Exception:
        own.accounts.free(run.user_id, run.run_id)
        own.runs.finish(run, "failed", {"code": "not_queued", "detail": "the queue did not take it; start it again"})
        raise


def _must_be_able(account: Account, providers: Sequence[Provider]) -> None:
    for provider in providers:
        if provider not in account.connected:
            raise Problem(409, "not_connected", f"connect {provider.capitalize()} first", provider=provider)
    if account.paused_reason in MAY_WAIT:
        raise Problem(409, account.paused_reason, MAY_WAIT[account.paused_reason])


def _wrong_state(run: Run, detail: str, **more: Any) -> Problem:
    return Problem(409, "wrong_state", detail, run_status=run.status, **more)
