"""From a plan to its sending: a preview waits for a person, and so does a sync that would send too much.

From the moment that a plan holds, redeliveries and crashes find the same batches.
"""

from collections import Counter
from itertools import batched

from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.account import Account
from watchferry.storage.plans import batch_name
from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.brake import RUNS_COMPARED, too_many
from watchferry.sync.deferral import TURN
from watchferry.sync.plan import Plan
from watchferry.sync.queues import SendJob
from watchferry.sync.workshop import Workshop

BRAKED = "awaiting_confirmation"

HEAD_START = 10.0
"""Seconds that the sender of the first batch is ahead of the messages of the others."""


def hand_over(shop: Workshop, account: Account, run: Run, plan: Plan, *, worker: str) -> Run | None:
    """Writes the plan and sees to what follows. None: another's plan holds, or the run is over."""
    titles, skips, aftermath = list(plan.collected.titles), plan.skips, plan.aftermath(shop.clock())
    if not _is_still_active(shop, run, bool(titles or plan.collected.nameless or plan.collected.owed)):
        return None
    if titles:
        shop.unmatched.replace(run.user_id, plan.decided, plan.unmatched)
    batches = list(batched(plan.to_send, account.settings.views_a_post(len(plan.to_send)), strict=False))
    shop.plans.write(run.run_id, run.attempt, batches, skips)
    braked = None
    if run.mode == "sync":
        # Twice the number, since undos and this very run do not count.
        earlier = shop.runs.newest(run.user_id, limit=2 * RUNS_COMPARED)
        braked = too_many(run, len(plan.to_send), account.settings, earlier)
    waits = bool(braked) or (run.mode == "preview" and bool(batches))
    if waits:
        aftermath.save(shop, run)
    elif run.mode == "sync":
        aftermath.take_effect(shop, run)
    holds = shop.runs.planning(
        run,
        worker=worker,
        status="awaiting_confirmation" if waits else "sending",
        counts={"history": plan.collected.rows, "completed": plan.completed, "planned": len(plan.to_send)},
        skipped=Counter(str(event.reason) for event in skips),
        batches=len(batches),
        cursor=plan.collected.cursor,
        note=plan.note,
        error={"code": BRAKED, "detail": braked} if braked else None,
    )
    pause = bool(braked) and run.trigger == "schedule"
    aside = [shop.accounts.setting_aside(run.user_id, run.run_id, pause=pause)] if waits else []
    try:
        transact(shop.runs.table.client, [holds, *aside])
    except ConditionFailed:
        current = shop.runs.get(run.user_id, run.run_id) or run
        if not current.plan:
            commit.superseded(shop, current)
        return None
    if not waits and run.mode == "sync":
        aftermath.plan_holds(shop, run)
    if braked and pause:
        shop.telling.awaiting_confirmation(run.user_id, run.run_id, braked)
    return shop.runs.get(run.user_id, run.run_id)


def _is_still_active(shop: Workshop, run: Run, writes: bool) -> bool:
    """Asked before rows are written that nobody would look for: of a run that is over, of somebody who has left."""
    if not writes or shop.accounts.keep_run(run.user_id, run.run_id):
        return True
    commit.superseded(shop, run)
    return False


def begin_sending(shop: Workshop, run: Run) -> None:
    """What follows a plan that holds and need not wait: its batches are queued; a plan of nothing ends the run."""
    if run.status != "sending":
        return
    if run.batches:
        send_all(shop, run, [batch_name(run.plan, number) for number in range(run.batches)])
    else:
        commit.commit_if_complete(shop, run)


def send_all(shop: Workshop, run: Run, batches: list[str]) -> None:
    """Queues the batches. The sender of the first goes on with the others (sender.py): theirs come a little later."""
    jobs = [SendJob(run.user_id, run.run_id, name) for name in batches]
    shop.queues.send([(job, number * TURN + HEAD_START if number else 0) for number, job in enumerate(jobs)])


def resend_open(shop: Workshop, run: Run) -> None:
    """After a crash between plan and queue: what is queued twice is sent once (sending.py)."""
    send_all(shop, run, [batch.name for batch in shop.plans.batches(run.run_id, run.plan) if not batch.is_settled])
