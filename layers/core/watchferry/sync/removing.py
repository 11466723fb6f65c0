"""One batch of an undo: plays are removed by their history ids, which Trakt never gives twice.

So, unlike a POST of plays, this one may be repeated whenever its outcome is not known. What the report calls `removed`
was removed by this undo; a play that somebody else had removed before is `already_removed`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from watchferry.clients.trakt import RemovedHistory, Trakt
from watchferry.errors import OutcomeUnknown, Rejected, RetryLater, WatchferryError
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.plans import Batch, BatchStatus, Undoing
from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.deferral import put_off
from watchferry.sync.queues import SendJob
from watchferry.sync.trakt_history import HISTORY, HistoryReader
from watchferry.sync.workshop import Workshop

MOST_REMOVALS = 5
"""POSTs of one batch, after which the plays that are still there are left to another undo."""


@dataclass(slots=True)
class Removing:
    """One worker's turn at one batch."""

    shop: Workshop
    run: Run
    job: SendJob
    batch: Batch
    """Claimed by this worker."""
    undoing: Undoing
    """Of the batch."""
    trakt: Trakt

    def go(self) -> str:
        try:
            return self.remove()
        except RetryLater as trouble:
            return self.again(trouble, self.batch.attempts)
        except Rejected:
            return self.settle("FAILED", gone=(), left=self.plays)
        except WatchferryError as trouble:
            self.shop.plans.put_back(self.batch, attempts=self.batch.attempts)
            commit.stop(self.shop, self.run, trouble)
            return f"stopped: {type(trouble).__name__}"

    @property
    def plays(self) -> list[int]:
        return [play for play in self.undoing.plays if play is not None]

    def remove(self) -> str:
        if not self.plays:
            return self.settle("SENT", gone=(), left=())
        posting = self.shop.plans.posting(self.batch)
        if posting is None:
            return "another worker has it"
        try:
            answer = self.trakt.remove_history(self.plays)
        except OutcomeUnknown as trouble:
            return self.again(RetryLater("upstream_unreachable", str(trouble)), posting.attempts)
        # An earlier POST, whose answer was lost, may have removed what is not there any more.
        gone: frozenset[int] = frozenset() if self.batch.attempts else answer.gone
        if _adds_up(answer, self.plays):
            return self.settle("SENT", gone=gone, left=())
        left = self.still_there()
        if left and posting.attempts < MOST_REMOVALS:
            still = f"Trakt still has {len(left)} of {len(self.plays)} plays that it was to remove"
            return self.again(RetryLater("upstream_unreachable", still), posting.attempts)
        return self.settle("FAILED" if left else "SENT", gone=gone, left=left)

    def still_there(self) -> set[int]:
        """Which of the plays are in Trakt's history."""
        found: set[int] = set()
        reader = HistoryReader(self.trakt)
        for kind in HISTORY:
            events = [event for event in self.batch.events if event.view.type == kind]
            wanted = [(event.ids, event.view.watched_at) for event in events]
            plays = reader.read(kind, wanted)
            for ids, at in wanted:
                found.update(plays.history_ids(kind, ids, at))
        return found & set(self.plays)

    def again(self, trouble: RetryLater, attempts: int) -> str:
        self.shop.plans.put_back(self.batch, attempts=attempts)
        return put_off(self.shop, self.run, self.job, trouble)

    def settle(self, status: BatchStatus, *, gone: Collection[int], left: Collection[int]) -> str:
        """The ledger first, so that what is gone stays gone; then this batch and the undone one, together and once.

        `gone`: plays that somebody else had removed; `left`: those that are still there.
        """
        shop, run, batch, undoing = self.shop, self.run, self.batch, self.undoing
        places = range(len(batch.events))
        absent = [at for at in places if undoing.plays[at] is None or undoing.plays[at] in gone]
        removed = [at for at in places if at not in absent and undoing.plays[at] not in left]
        counts = {"removed": len(removed), "already_removed": len(absent)}
        parts = [
            shop.plans.settling(batch, status, {str(at): "already_removed" for at in absent}, removed),
            shop.runs.batch_done(
                run.user_id,
                run.run_id,
                counts,
                skipped={"already_removed": len(absent)},
                failed=status == "FAILED",
            ),
        ]
        if run.undoes and (removed or absent):
            events = [batch.events[at] for at in sorted([*removed, *absent])]
            shop.ledger.record(run.user_id, run.run_id, [(event.view, "removed", event.ids) for event in events])
            parts += [
                shop.plans.removing(undoing, removed, absent),
                shop.runs.removing(run.user_id, run.undoes, counts),
            ]
        try:
            transact(shop.plans.table.client, parts)
        except ConditionFailed:
            return "another worker settled it"
        return "removed" if status == "SENT" else "failed"


def _adds_up(answer: RemovedHistory, plays: Collection[int]) -> bool:
    return answer.deleted + len(answer.gone & set(plays)) == len(plays)
