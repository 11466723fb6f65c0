"""A batch that cannot be worked on now: a delayed successor takes its message's place (architecture.md, rule 4).

Waiting is no trouble: a large plan is longer than a message can be held back, so that many of its batches come before
their turn. It ends by itself, in a try. What fails ends the run once nothing of it has been settled for hours.
"""

from dataclasses import replace

from watchferry.errors import RetryLater, Waiting
from watchferry.storage.plans import number_of
from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.queues import LONGEST_DELAY, SendJob
from watchferry.sync.workshop import Workshop

TURN = 1.1
"""Seconds from one POST of a user to the next: the one that Trakt wants between them, and what an answer takes."""

STANDSTILL = 6 * 3600
"""Seconds in which no batch of a run was settled, after which the next failure ends it."""


def put_off(shop: Workshop, run: Run, job: SendJob, trouble: RetryLater) -> str:
    """A successor on the queue, no sooner than the trouble says; this message is done with."""
    if isinstance(trouble, Waiting):
        return come_back(shop, job, (trouble.after or 0) + _turn(run, job))
    limited = trouble.code == "rate_limited"
    if shop.clock() - run.progressed_at > STANDSTILL:
        code = trouble.code if limited else "upstream_unreachable"
        commit.fail(shop, run, code, "Trakt has taken nothing for hours; the next run goes on")
        return "given up"
    delay = trouble.after
    if delay is None:
        delay = 5.0 * shop.settings.retry_base_seconds * float(2 ** min(job.deferrals, 6))
    # Whoever else is sending meets the same limit: all would come at once when it is over.
    delay += _turn(run, job) if limited else 0
    return come_back(shop, replace(job, deferrals=job.deferrals + 1), delay)


def come_back(shop: Workshop, job: SendJob, delay: float) -> str:
    """A successor on the queue, for nothing that went wrong."""
    delay = min(max(1.0, delay), LONGEST_DELAY)
    shop.accounts.keep_run(job.user_id, job.run_id, for_seconds=delay)
    shop.queues.send([(job, delay)])
    return f"put off for {delay:.0f} s"


def _turn(run: Run, job: SendJob) -> float:
    """Seconds until it is this batch's turn: batches are sent in their order, at Trakt's rate.

    So each has a time of its own, and the budget is not asked by all of them whenever one place comes free.
    """
    left = run.batches - run.batches_done
    ahead = min(max(0, number_of(job.batch) - run.batches_done), left)
    return ahead * TURN
