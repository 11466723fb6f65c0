"""One message of the queue `sync-jobs`: a turn of planning, and what follows when it does not come to its end."""

from dataclasses import replace

from watchferry.errors import NotConnected, RetryLater, Waiting, WatchferryError
from watchferry.storage.account import Account, RunActive
from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.begin import begin_run, may_run_by_itself
from watchferry.sync.handover import begin_sending, hand_over, resend_open
from watchferry.sync.pipeline import Planning
from watchferry.sync.queues import LONGEST_DELAY, PlanJob
from watchferry.sync.recheck import Rechecking
from watchferry.sync.turn import OutOfTime, Superseded, Turn
from watchferry.sync.undo import PlanningUndo, hand_over_undo
from watchferry.sync.workshop import Workshop

LONGEST_DEFERRALS = 4
"""In a row, of an upstream in trouble: 30 s, 60 s, 120 s, 240 s. Then the run fails and the next hour tries again."""
LONGEST_WAITS = 100
"""Of a rate limit, which ends by itself."""
LONGEST_TURNS = 200
FIRST_DEFERRAL = 30.0


def plan_run(shop: Workshop, job: PlanJob, *, worker: str, deadline: float) -> str:
    """Works on the job until it is done or `deadline` comes; returns a word for the log.

    Safe to repeat at any point, by several workers at once: one of them holds the run's lease, and a plan that holds
    is only queued again.
    """
    run = _take_up(shop, job, worker=worker, deadline=deadline)
    if isinstance(run, str):
        return run
    account = shop.accounts.get(job.user_id)
    if account is None:
        return "no such user"
    try:
        planned = _plan(Turn(shop, run, worker, deadline, job.deferrals >= LONGEST_DEFERRALS), account)
    except OutOfTime:
        return _go_on(shop, run, worker, replace(job, deferrals=0), delay=0)
    except Superseded:
        commit.superseded(shop, run)
        return "superseded"
    except RetryLater as trouble:
        return _defer(shop, run, worker, job, trouble)
    except WatchferryError as trouble:
        commit.stop(shop, run, trouble)
        return f"stopped: {type(trouble).__name__}"
    if planned is None:
        return "another's plan holds"
    begin_sending(shop, planned)
    return "planned"


def _plan(turn: Turn, account: Account) -> Run | None:
    """The run with a plan that holds. Upstream calls are counted before it does: who sees it sees its numbers."""
    shop, run, worker = turn.shop, turn.run, turn.worker
    with shop.clients(run.user_id, run.run_id, turn.deadline) as (trakt, kinopub):
        if run.confirmed:
            return Rechecking(turn, account, trakt).go()
        if run.mode == "undo":
            removals = PlanningUndo(turn, account, trakt).go()
        else:
            plan = Planning(turn, account, trakt, kinopub).go()
    if run.mode == "undo":
        return hand_over_undo(shop, run, removals, worker=worker)
    return hand_over(shop, account, run, plan, worker=worker)


def _take_up(shop: Workshop, job: PlanJob, *, worker: str, deadline: float) -> Run | str:
    account = shop.accounts.get(job.user_id)
    if account is None:
        return "no such user"
    run = shop.runs.get(job.user_id, job.run_id)
    due = may_run_by_itself(account) and shop.settings.serves(account.slug, account.user_id)
    if run is None and job.trigger == "schedule" and not due:
        return "not due any more"
    if run is not None and (over := _over(shop, run)):
        return over
    try:
        if run is None:
            run = begin_run(
                shop.accounts, shop.runs, shop.telling, account, job.run_id, mode="sync", trigger=job.trigger
            )
        elif not shop.accounts.keep_run(job.user_id, job.run_id):
            commit.superseded(shop, run)
            return "superseded"
    except RunActive:
        return "another run is active"
    except NotConnected:  # who has left meanwhile
        return "no such user"
    if run.attempt >= LONGEST_TURNS:
        commit.fail(shop, run, "too_long", "this history could not be read in many turns; please report it")
        return "given up"
    taken = shop.runs.take_up(run, worker=worker, until=deadline)
    if taken is not None:
        return taken
    current = shop.runs.get(job.user_id, job.run_id) or run
    if current.status == "sending":
        resend_open(shop, current)
        commit.commit_if_complete(shop, current)
        return "planned before"
    if over := _over(shop, current):
        return over
    # Another worker has it. If that one dies, this job's successor takes over.
    shop.queues.plan([(job, current.worker_until - shop.clock() + 1)])
    return "another worker has it"


def _over(shop: Workshop, run: Run) -> str | None:
    if run.is_finished:
        shop.accounts.free(run.user_id, run.run_id)
        return "finished before"
    if run.status != "awaiting_confirmation":
        return None
    if run.error:  # whoever set it aside may not have come to telling
        shop.telling.awaiting_confirmation(run.user_id, run.run_id, run.error["detail"])
    return "waits for a confirmation"


def _defer(shop: Workshop, run: Run, worker: str, job: PlanJob, trouble: RetryLater) -> str:
    """An upstream is in trouble: the job's successor comes later, so that no function waits."""
    if isinstance(trouble, Waiting):
        return _go_on(shop, run, worker, job, delay=trouble.after or 0)
    waits = trouble.code in {"rate_limited", "unsettled"}
    if job.deferrals >= (LONGEST_WAITS if waits else LONGEST_DEFERRALS):
        commit.stop(shop, run, trouble)
        return f"given up: {trouble.code}"
    delay = trouble.after
    if delay is None:
        delay = FIRST_DEFERRAL * shop.settings.retry_base_seconds * float(2 ** min(job.deferrals, 5))
    return _go_on(shop, run, worker, replace(job, deferrals=job.deferrals + 1), delay=delay)


def _go_on(shop: Workshop, run: Run, worker: str, job: PlanJob, *, delay: float) -> str:
    delay = min(delay, LONGEST_DELAY)
    shop.accounts.keep_run(run.user_id, run.run_id, for_seconds=delay)
    shop.runs.let_go(run, worker=worker)
    shop.queues.plan([(job, delay)])
    return f"goes on in {delay:.0f} s"
