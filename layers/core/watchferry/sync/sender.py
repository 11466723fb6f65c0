"""One message of the queue `history-batches`: its batch, then those that follow it in the plan, while there is time.

Trakt takes a POST a second and SQS delays a message by whole seconds, so a sender goes on by itself: its work on one
batch is done within the second that the next one has to wait for. Every batch has a message all the same, which comes a
little later than that. It finds its batch settled, unless the sender has died or is too slow: then it brings another.
"""

import re
from dataclasses import replace

from watchferry.storage.budgets import PATIENCE
from watchferry.storage.plans import batch_name, number_of
from watchferry.sync.queues import SendJob
from watchferry.sync.sending import POST_TAKES, send_batch
from watchferry.sync.workshop import Workshop

TURN_TAKES = POST_TAKES + 3.0
"""Seconds that a batch may take at most; with less than that left, the next one is another invocation's."""
LOOKS_AHEAD = 3
"""Batches; another sender may be at work on one of them."""
HELD_UP = re.compile(r"put off|stopped|superseded|given up|the run is over|no such user|another worker|.* before$")
"""Words for the log after which the following batches cannot be sent either, or are another sender's."""


def send_batches(shop: Workshop, job: SendJob, *, worker: str, deadline: float) -> str:
    """Returns words for the log. Safe to repeat at any point."""
    said = [send_batch(shop, job, worker=worker, deadline=deadline)]
    while not HELD_UP.match(said[-1]) and (following := _following(shop, job)) is not None:
        job = following
        if shop.clock() + TURN_TAKES > deadline:
            shop.queues.send([(job, 0)])
            break
        said.append(send_batch(shop, job, worker=worker, deadline=deadline, patience=PATIENCE))
    return "; ".join(said)


def _following(shop: Workshop, job: SendJob) -> SendJob | None:
    """The next batch of the plan that nobody has begun."""
    plan, number = int(job.batch.split("-")[0]), number_of(job.batch)
    for ahead in range(1, LOOKS_AHEAD + 1):
        batch = shop.plans.batch(job.run_id, batch_name(plan, number + ahead))
        if batch is None:
            return None
        if batch.status == "PLANNED":
            return replace(job, batch=batch.name, deferrals=0)
    return None
