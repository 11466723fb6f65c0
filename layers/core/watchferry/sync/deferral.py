"""A batch that cannot be worked on now: a delayed successor takes its message's place (architecture.md, rule 4)."""

from dataclasses import replace

from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.queues import SendJob
from watchferry.sync.workshop import Workshop

MOST_DEFERRALS = 60


def put_off(shop: Workshop, run: Run, job: SendJob, delay: float | None) -> str:
    """A successor on the queue; this message is done with. `delay` None: nobody said how long."""
    if job.deferrals >= MOST_DEFERRALS:
        commit.fail(shop, run, "upstream_unreachable", "Trakt could not be reached for too long; the next run goes on")
        return "given up"
    if delay is None:
        delay = 5.0 * shop.settings.retry_base_seconds * float(2 ** min(job.deferrals, 6))
    shop.accounts.keep_run(job.user_id, job.run_id, for_seconds=delay)
    shop.queues.send([(replace(job, deferrals=job.deferrals + 1), max(1.0, delay))])
    return f"put off for {delay:.0f} s"
