"""§4.5 of the sync document, with architecture.md's rule 1: a batch is sent once, or its outcome is read back.

    PLANNED ──claim──▶ SENDING ──intend (still active?), posting──▶ POST in its turn ──▶ record ──▶ SENT
                          │                                                     │
                          │ it is certain that nothing was stored               │ not known
                          ▼                                                     ▼
                       PLANNED                                       SENDING, whose owner is gone:
                                                         read back after the settling time; send what is not there

A worker that finds no place in Trakt's budget comes again later, and leaves nothing in the ledger.

Why that holds: a POST is sent only by the batch's owner, whose invocation ends before its lease does. What is about to
be sent is written to the ledger in one transaction with the check that the run is its user's active one; so a later
run, which is planned after this one lost that place, finds it there, waits until it is settled, and looks for it at
Trakt.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from watchferry.clients.trakt import AddedHistory, Trakt
from watchferry.errors import OutcomeUnknown, Rejected, RetryLater, Waiting, WatchferryError
from watchferry.models import Event, Ids, Kind, Reason, Title, iso
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.budgets import PATIENCE
from watchferry.storage.ledger import LedgerOutcome
from watchferry.storage.plans import Batch, BatchStatus, halves, number_of
from watchferry.storage.runs import Run
from watchferry.storage.unmatched import TO_MEND, unmatched_of
from watchferry.sync import commit
from watchferry.sync.deferral import come_back, put_off
from watchferry.sync.queues import MalformedMessage, SendJob
from watchferry.sync.removing import Removing
from watchferry.sync.trakt_history import HISTORY, HistoryReader
from watchferry.sync.workshop import Workshop

POST_TAKES = PATIENCE + 26.0
"""Seconds that a POST may take at most, its turn waited for: its owner must live that long."""
CONTENT_REFUSED = {400, 413, 422}
"""Any other refusal (405, 412 …) is of the request's form, which is our bug: it says nothing of the views."""
MOST_POSTS = 5
ANSWERS_BELIEVED = 2
"""After so many 2xx answers for views that are not there when read back, Trakt does not want them."""
LARGE = 50
"""Views: a larger batch whose POST had no answer may have been too large for it."""
PARTED_AFTER = 3
"""POSTs without an answer, after which one of the views may be what Trakt cannot answer."""


@dataclass(slots=True)
class Sending:
    """One worker's turn at one batch."""

    shop: Workshop
    run: Run
    job: SendJob
    batch: Batch
    """Claimed by this worker."""
    deadline: float
    trakt: Trakt

    def go(self) -> str:
        batch = self.batch
        present: set[int] = self.read_back() if batch.attempts else set()
        to_send = {position for position in range(len(batch.events)) if str(position) not in batch.outcomes}
        missing = sorted(to_send - present)
        if not missing:
            return self.settle("SENT", {})
        # Trakt named as many as are missing, or took the request often enough: it does not want them.
        if len(missing) <= batch.named or batch.answered >= ANSWERS_BELIEVED:
            return self.settle("SENT", {str(position): _refusal(batch.events[position]) for position in missing})
        if batch.attempts >= MOST_POSTS:
            # It has just been read back: what is missing is certainly not there, and the next run's to send.
            self.withdraw([batch.events[position] for position in missing])
            return self.settle("FAILED", {}, present=to_send & present)
        if len(missing) > 1 and self.has_no_answer(len(missing)):
            return self.part(missing, "no answer")
        return self.post(missing)

    def post(self, missing: Sequence[int]) -> str:
        shop, run, batch = self.shop, self.run, self.batch
        events = [batch.events[position] for position in missing]
        settled_at = self.deadline + shop.settings.read_back_settle_seconds
        active = shop.accounts.while_active(run.user_id, run.run_id)
        views = [(event.view, event.ids) for event in events]
        if not shop.ledger.intend(run.user_id, run.run_id, views, settled_at=settled_at, while_active=active):
            self.certainly_not_sent(events)
            commit.superseded(shop, run)
            return "superseded"
        if shop.clock() + POST_TAKES > self.deadline:
            self.certainly_not_sent(events)
            return come_back(shop, self.job, 1)
        posting = shop.plans.posting(batch)
        if posting is None:
            return "another worker has it"
        try:
            answer = self.trakt.add_history(*_body(events))
        except OutcomeUnknown as trouble:
            return self.outcome_unknown(answered=trouble.answered)
        except RetryLater as trouble:
            self.certainly_not_sent(events)
            return put_off(shop, run, self.job, trouble)
        except WatchferryError as trouble:
            if isinstance(trouble, Rejected) and trouble.status in CONTENT_REFUSED:
                return self.rejected(trouble, missing)
            self.certainly_not_sent(events)
            commit.stop(shop, run, trouble)
            return f"stopped: {type(trouble).__name__}"
        refused = not_found(events, answer)
        if refused is None:
            return self.outcome_unknown(answered=True, named=answer.named)
        return self.settle("SENT", {str(missing[position]): reason for position, reason in refused.items()})

    def has_no_answer(self, views: int) -> bool:
        """Whether it may be this very request that Trakt cannot answer: it is large, or was tried often enough."""
        batch = self.batch
        unanswered = batch.attempts - batch.answered
        return batch.attempts > batch.inherited and unanswered >= (1 if views > LARGE else PARTED_AFTER)

    def read_back(self) -> set[int]:
        """The positions whose plays are in Trakt's history: the batch's time range is read, nothing is sent."""
        present: set[int] = set()
        reader = HistoryReader(self.trakt)
        for kind in HISTORY:
            events = {at: event for at, event in enumerate(self.batch.events) if event.view.type == kind}
            plays = reader.read(kind, [(event.ids, event.view.watched_at) for event in events.values()])
            present |= {at for at, event in events.items() if plays.have(kind, event.ids, event.view.watched_at)}
        return present

    def settle(self, status: BatchStatus, outcomes: Mapping[str, Reason], present: Collection[int] = ()) -> str:
        """What became of it, in the ledger first; then the batch and the run's numbers, together and once."""
        shop, run, batch = self.shop, self.run, self.batch
        outcomes = {**batch.outcomes, **outcomes}
        told = [(event, outcomes.get(str(position))) for position, event in enumerate(batch.events)]
        if status == "SENT":
            known = [(event.view, _ledger_word(reason), event.ids) for event, reason in told if reason != "ignored"]
            shop.ledger.record(run.user_id, run.run_id, known)
            missing = [replace(event, reason=reason) for event, reason in told if reason in TO_MEND]
            shop.unmatched.add(run.user_id, [row for event in missing for row in unmatched_of(_title(event), [event])])
        sent = len(batch.events) - len(outcomes) if status == "SENT" else len(present)
        done = shop.runs.batch_done(
            run.user_id, run.run_id, {"sent": sent}, skipped=Counter(outcomes.values()), failed=status == "FAILED"
        )
        try:
            transact(shop.plans.table.client, [shop.plans.settling(batch, status, outcomes, present), done])
        except ConditionFailed:
            return "another worker settled it"
        return status.lower()

    def rejected(self, trouble: Rejected, missing: Sequence[int]) -> str:
        """Trakt refuses what the request says. One bad view must not hold up the others: the batch is halved."""
        if len(self.batch.events) == 1 or len(missing) == 1:
            return self.settle("SENT", {str(position): "rejected_by_trakt" for position in missing})
        return self.part(missing, str(trouble.status))

    def part(self, missing: Sequence[int], why: str) -> str:
        """Two batches in place of this one. It is certain that the missing views are not at Trakt."""
        shop, run, batch = self.shop, self.run, self.batch
        self.withdraw([batch.events[position] for position in missing])
        try:
            transact(
                shop.plans.table.client, [*shop.plans.splitting(batch), shop.runs.batch_split(run.user_id, run.run_id)]
            )
        except ConditionFailed:
            return "another worker has it"
        shop.queues.send([(replace(self.job, batch=name, deferrals=0), 1 + n) for n, name in enumerate(halves(batch))])
        return f"split: {why}"

    def outcome_unknown(self, *, answered: bool, named: int = 0) -> str:
        self.shop.plans.leave_unknown(self.batch, answered=answered, named=named)
        settled = self.shop.settings.read_back_settle_seconds + 2
        trouble = RetryLater("upstream_unreachable", "the outcome of a POST is not known", after=settled)
        return "outcome unknown, " + put_off(self.shop, self.run, self.job, trouble)

    def certainly_not_sent(self, events: Sequence[Event]) -> None:
        """This turn stored nothing. If an earlier one may have, the batch has to be read back again all the same."""
        if self.batch.attempts:
            self.shop.plans.leave_unknown(self.batch, answered=False)
        else:
            self.withdraw(events)
            self.shop.plans.put_back(self.batch)

    def withdraw(self, events: Sequence[Event]) -> None:
        self.shop.ledger.withdraw(self.run.user_id, self.run.run_id, [event.view for event in events])


def send_batch(shop: Workshop, job: SendJob, *, worker: str, deadline: float, patience: float | None = None) -> str:
    """One batch; returns a word for the log. Safe to repeat at any point.

    `patience`: seconds that it may wait for its turn; otherwise only the batch that is next waits, and the others come
    again later unless Trakt can be asked at once: nobody else is sending then.
    """
    run = shop.runs.get(job.user_id, job.run_id)
    batch = shop.plans.batch(job.run_id, job.batch)
    if (run is None or batch is None) and shop.accounts.get(job.user_id) is None:
        return "no such user"
    if run is None or batch is None:
        raise MalformedMessage("there is no such run or batch")
    if batch.is_settled:
        if batch.status == "SPLIT":
            shop.queues.send([(replace(job, batch=name, deferrals=0), 1) for name in halves(batch)])
        commit.commit_if_complete(shop, run)
        return f"{batch.status.lower()} before"
    if run.is_finished or not shop.accounts.keep_run(job.user_id, job.run_id):
        commit.superseded(shop, run)
        return "the run is over"
    if patience is None:
        patience = PATIENCE if number_of(job.batch) <= run.batches_done else 0
    if (wait := shop.budgets.wait(job.user_id, "POST")) > patience:
        return put_off(shop, run, job, Waiting("rate_limited", "it is not this batch's turn", after=wait))
    settle = shop.settings.read_back_settle_seconds
    claimed = shop.plans.claim(batch, owner=worker, until=deadline, settle=settle)
    if claimed is None:
        current = shop.plans.batch(job.run_id, job.batch) or batch
        return come_back(shop, job, current.lease_until + settle - shop.clock() + 1)
    with shop.clients(job.user_id, job.run_id, deadline, kept_back=POST_TAKES) as (trakt, _):
        if claimed.undoing is None:
            said = _take_turn(Sending(shop, run, job, claimed, deadline, trakt))
        else:
            said = Removing(shop, run, job, claimed, claimed.undoing, trakt).go()
    # After the calls were added: who sees that the run is over sees all of its numbers.
    commit.commit_if_complete(shop, shop.runs.get(job.user_id, job.run_id) or run)
    return said


def _take_turn(turn: Sending) -> str:
    try:
        return turn.go()
    except RetryLater as trouble:  # of a read-back, or there is no place for a POST
        turn.certainly_not_sent([])
        return put_off(turn.shop, turn.run, turn.job, trouble)
    except WatchferryError as trouble:
        turn.certainly_not_sent([])
        commit.stop(turn.shop, turn.run, trouble)
        return f"stopped: {type(trouble).__name__}"


def not_found(events: Sequence[Event], answer: AddedHistory) -> dict[int, Reason] | None:
    """Position → why it was not stored (§4.5.3). None when the answer does not account for every event.

    Trakt may name what it does not know by its time alone, as something else than was posted, or not at all.
    """
    reasons: dict[int, Reason] = {}
    if not answer.not_found.keys() <= {"movies", "episodes"}:
        return None
    for kind in ("movie", "episode"):
        positions = [position for position, event in enumerate(events) if event.view.type == kind]
        for ids in answer.not_found.get(f"{kind}s", ()):
            hits = [
                position
                for position in positions
                if any(str(events[position].ids.get(name)) == str(value) for name, value in ids.items())
            ]
            if not hits:
                return None
            reasons |= {position: _refusal(events[position]) for position in hits}
        if answer.stored.get(f"{kind}s", 0) < len([position for position in positions if position not in reasons]):
            return None
    return reasons


def _refusal(event: Event) -> Reason:
    """A film that went by its IMDb id was never looked up: Trakt does not know it. All else Trakt knew before."""
    return "not_found" if event.view.type == "movie" and set(event.ids) == {"imdb"} else "rejected_by_trakt"


def _body(events: Sequence[Event]) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]]]:
    """`movies[]` and `episodes[]`, each `{ids, watched_at}` with one id; Trakt takes UTC with `Z` alone."""

    def of(kind: Kind) -> list[Mapping[str, object]]:
        return [
            {"watched_at": iso(event.view.watched_at).replace("Z", ".000Z"), "ids": _sent_by(kind, event.ids)}
            for event in events
            if event.view.type == kind
        ]

    return of("movie"), of("episode")


def _sent_by(kind: Kind, ids: Ids) -> Ids:
    """The one id by which Trakt is told of a work: it takes episodes by `trakt` or `tvdb` alone."""
    order = ("trakt", "imdb", "tmdb") if kind == "movie" else ("trakt", "tvdb", "imdb", "tmdb")
    return next(({name: ids[name]} for name in order if name in ids), ids)


def _ledger_word(reason: Reason | None) -> LedgerOutcome:
    """Of a view that was to be sent."""
    return "sent" if reason is None else reason if reason in ("duplicate", "not_found") else "rejected_by_trakt"


def _title(event: Event) -> Title:
    """What Trakt does not know or want, as a later run can ask for it again."""
    view = event.view
    rows = {view.media: view.watched_at}
    kind, name = ("movie", view.title) if view.type == "movie" else ("serial", view.show or view.title)
    return Title(view.item, kind, name, view.year, view.imdb, details_known=True, rows=rows)
