"""The queue `sync-jobs`: the users of one delivery are planned side by side."""

from typing import Any

from watchferry.observability import set_up_logging
from watchferry.sync.queues import PlanJob
from watchferry.sync.records import work_off
from watchferry.wiring import Wiring

set_up_logging()
wiring = Wiring()

CHECKPOINT_TAKES = 30.0
"""Seconds kept back for finishing what is under way and writing it down."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    shop = wiring.workshop  # before the threads: it is made once
    deadline = wiring.clock() + context.get_remaining_time_in_millis() / 1000 - CHECKPOINT_TAKES

    def plan(body: str, worker: str) -> str:
        from watchferry.sync.planner import plan_run

        return plan_run(shop, PlanJob.of(body), worker=worker, deadline=deadline)

    return work_off(event, plan, wiring.queues.bury_plan, side_by_side=10)
