"""The queue `sync-jobs`: the users of one delivery are worked for side by side."""

from typing import Any

from watchferry.observability import set_up_logging
from watchferry.sync.queues import ForgetJob, KeepAliveJob, LookJob, PlanJob, sync_job
from watchferry.sync.records import work_off
from watchferry.wiring import Wiring

set_up_logging()
wiring = Wiring()

CHECKPOINT_TAKES = 30.0
"""Seconds kept back for finishing what is under way and writing it down."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    shop = wiring.workshop  # before the threads: it is made once
    deadline = wiring.clock() + context.get_remaining_time_in_millis() / 1000 - CHECKPOINT_TAKES

    def work(body: str, worker: str) -> str:
        match sync_job(body):
            case PlanJob() as job:
                from watchferry.sync.planner import plan_run

                return plan_run(shop, job, worker=worker, deadline=deadline)
            case KeepAliveJob() as job:
                from watchferry.auth.keep_alive import keep_alive

                return keep_alive(wiring.keep_alive, wiring.broker, job.user_id)
            case LookJob() as job:
                return wiring.application.look(job.provider)
            case ForgetJob() as job:
                from watchferry.account.leave import forget

                return forget(wiring, job, deadline=deadline)

    return work_off(event, work, wiring.queues.bury_plan, side_by_side=10)
