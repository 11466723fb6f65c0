"""One batch of an undo: plays are removed by their history ids, which Trakt never gives twice.

So, unlike a POST of plays, this one may be repeated whenever its outcome is not known.
"""

from dataclasses import dataclass

from watchferry.clients.trakt import Trakt
from watchferry.errors import OutcomeUnknown, Rejected, RetryLater, WatchferryError
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.plans import Batch, BatchStatus
from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.deferral import put_off
from watchferry.sync.queues import SendJob
from watchferry.sync.workshop import Workshop


@dataclass(slots=True)
class Removing:
    """One worker's turn at one batch."""

    shop: Workshop
    run: Run
    job: SendJob
    batch: Batch
    """Claimed by this worker."""
    trakt: Trakt

    def go(self) -> str:
        undoing = self.batch.undoing
        plays = [play for play in undoing.plays if play is not None] if undoing else []
        try:
            if plays:
                self.trakt.remove_history(plays)
        except OutcomeUnknown as trouble:
            return self.again(RetryLater("upstream_unreachable", str(trouble)))
        except RetryLater as trouble:
            return self.again(trouble)
        except Rejected:
            return self.settle("FAILED")
        except WatchferryError as trouble:
            self.shop.plans.put_back(self.batch)
            commit.stop(self.shop, self.run, trouble)
            return f"stopped: {type(trouble).__name__}"
        return self.settle("SENT")

    def again(self, trouble: RetryLater) -> str:
        self.shop.plans.put_back(self.batch)
        return put_off(self.shop, self.run, self.job, trouble)

    def settle(self, status: BatchStatus) -> str:
        """The ledger first, so that what is gone stays gone; then this batch and the undone one, together and once."""
        shop, run, batch = self.shop, self.run, self.batch
        removed = len(batch.events) if status == "SENT" else 0
        parts = [
            shop.plans.settling(batch, status, {}),
            shop.runs.batch_done(run.user_id, run.run_id, sent=removed, skipped={}, failed=status == "FAILED"),
        ]
        if status == "SENT" and batch.undoing and run.undoes:
            shop.ledger.record(run.user_id, run.run_id, [(event.view, "removed", event.ids) for event in batch.events])
            parts += [shop.plans.removing(batch.undoing), shop.runs.removing(run.user_id, run.undoes, removed)]
        try:
            transact(shop.plans.table.client, parts)
        except ConditionFailed:
            return "another worker settled it"
        return "removed" if removed else "failed"
