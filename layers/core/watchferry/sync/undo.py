"""Undo: which plays of Trakt's history a run has added, and the plan that removes exactly those.

Trakt does not tell the ids of what it stores, so they are read back. A play is the run's own when its work is that of a
view which the run sent and its time is that view's to the minute, since Trakt keeps no seconds; of several such plays
the oldest entry, since a play that was there before would have made ours a duplicate.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched

from watchferry.clients.trakt import Trakt
from watchferry.errors import Unsettled
from watchferry.models import Event, Ids, Kind
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.account import Account
from watchferry.storage.ledger import Entry
from watchferry.storage.plans import Batch, Undoing
from watchferry.storage.runs import Run
from watchferry.sync import commit
from watchferry.sync.keys import Plays
from watchferry.sync.trakt_history import HistoryReader
from watchferry.sync.turn import Turn
from watchferry.sync.workshop import Workshop

type Removal = tuple[tuple[Event, ...], Undoing]


@dataclass(slots=True)
class PlanningUndo:
    """One worker's turn. Safe to repeat: nothing is removed before the plan holds."""

    turn: Turn
    account: Account
    trakt: Trakt

    def go(self) -> list[Removal]:
        """What to remove, batch by batch. Raises as Planning.go does, and Unsettled while a POST may be at work."""
        shop, run = self.turn.shop, self.turn.run
        undone = shop.runs.get(run.user_id, run.undoes or "")
        if undone is None:
            return []
        batches = list(shop.plans.batches(undone.run_id, undone.plan))
        ledger = shop.ledger.of(run.user_id, {event.view.item for batch in batches for event in batch.events})
        added = [(batch, list(self.added(batch, ledger))) for batch in batches]
        found = self.plays_at_trakt(event for _, events in added for _, event in events)
        removals: list[Removal] = []
        size = self.account.settings.views_a_post(sum(len(events) for _, events in added))
        for batch, events in added:
            ours = [(position, event, found.take(event)) for position, event in events]
            # What may have been sent, and was not, is the next run's to send.
            gone = [each for each in ours if each[2] is not None or each[1].outcome == "sent"]
            for part in batched(gone, size, strict=False):
                undoing = Undoing(batch.run_id, batch.name, [each[0] for each in part], [each[2] for each in part])
                removals.append((tuple(replace(event, outcome="planned") for _, event, _ in part), undoing))
        return removals

    def added(self, batch: Batch, ledger: Mapping[str, Sequence[Entry]]) -> Iterator[tuple[int, Event]]:
        """Positions and events of what this batch has stored at Trakt, or may have."""
        open_ended = not batch.is_settled and batch.attempts > 0
        if open_ended:
            shop = self.turn.shop
            late = batch.lease_until + shop.settings.read_back_settle_seconds - shop.clock()
            if late > 0:
                raise Unsettled("unsettled", "a write of the run may still be at work", after=late)
        if batch.status == "SPLIT":
            return
        for position, event in enumerate(batch.report()):
            minute = event.view.watched_at // 60
            entry = next((each for each in ledger.get(event.view.unit, ()) if each.at // 60 == minute), None)
            if (event.outcome == "sent" and _is_still(entry, batch.run_id)) or (
                event.outcome == "planned" and open_ended and _may_be(entry, batch.run_id)
            ):
                yield position, event

    def plays_at_trakt(self, events: Iterable[Event]) -> "Found":
        wanted: dict[Kind, list[tuple[Ids, int]]] = defaultdict(list)
        for event in events:
            wanted[event.view.type].append((event.ids, event.view.watched_at))
        reader = HistoryReader(self.trakt, self.turn.reading("mapping"))
        found = Found()
        for kind, plays in wanted.items():
            reader.read(kind, plays, into=found.plays)
        return found


def _is_still(entry: Entry | None, run_id: str) -> bool:
    """Whether a view that the run has sent is still its doing: not undone before, nor sent anew by a later run."""
    return entry is None or (entry.outcome != "removed" and (entry.outcome != "sent" or entry.run_id == run_id))


def _may_be(entry: Entry | None, run_id: str) -> bool:
    """Whether a view of a batch that was never settled may be this run's doing.

    A later run found it, none came, or the sender ended between the ledger's word and the batch's.
    """
    return entry is not None and (
        entry.outcome == "duplicate" or (entry.outcome in ("sending", "sent") and entry.run_id == run_id)
    )


@dataclass(slots=True)
class Found:
    """Plays of Trakt's history; each is given out once."""

    plays: Plays = field(default_factory=Plays)
    taken: set[int] = field(default_factory=set)

    def take(self, event: Event) -> int | None:
        """The history id of this event's play; None when it is not there (any more)."""
        plays = self.plays.history_ids(event.view.type, event.ids, event.view.watched_at)
        oldest = min((play for play in plays if play not in self.taken), default=None)
        if oldest is not None:
            self.taken.add(oldest)
        return oldest


def hand_over_undo(shop: Workshop, run: Run, removals: Sequence[Removal], *, worker: str) -> Run | None:
    """The plan holds from here on. None: another's does, or the run is over."""
    if not shop.accounts.keep_run(run.user_id, run.run_id):
        commit.superseded(shop, run)
        return None
    shop.plans.write_undo(run.run_id, run.attempt, removals)
    holds = shop.runs.planning(
        run,
        worker=worker,
        status="sending",
        counts={"planned": sum(len(events) for events, _ in removals)},
        skipped={},
        batches=len(removals),
        cursor=None,
    )
    try:
        transact(shop.runs.table.client, [holds])
    except ConditionFailed:
        return None
    return shop.runs.get(run.user_id, run.run_id)
