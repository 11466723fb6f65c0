"""§4.5 of the sync document, with architecture.md's rule 1: a batch is sent once, or its outcome is read back.

    PLANNED ──claim──▶ SENDING ──intend (still active?), posting──▶ POST in its turn ──▶ record ──▶ SENT
                          │                                                     │
                          │ it is certain that nothing was stored               │ not known
                          ▼                                                     ▼
                       PLANNED                                       SENDING, whose owner is gone:
                                                         read back after the settling time; send what is not there

Who finds no place in Trakt's budget comes again later and has written nothing.

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
from watchferry.models import Event, Kind, Reason, Title, iso
from watchferry.storage._dynamo import ConditionFailed, transact
from watchferry.storage.budgets import PATIENCE
from watchferry.storage.ledger import LedgerOutcome
from watchferry.storage.plans import Batch, BatchStatus, halves, number_of
from watchferry.storage.runs import Run
from watchferry.storage.unmatched import TO_MEND, unmatched_of
from watchferry.sync import commit
from watchferry.sync.deferral import come_back, put_off
from watchferry.sync.keys import Plays
from watchferry.sync.pipeline import HISTORY
from watchferry.sync.queues import MalformedMessage, SendJob
from watchferry.sync.removing import Removing
from watchferry.sync.workshop import Workshop

POST_TAKES = PATIENCE + 26.0
"""Seconds that a POST may take at most, its turn waited for: its owner must live that long."""
CONTENT_REFUSED = {400, 413, 422}
"""Any other refusal (405, 412 …) is of the request's form, which is our bug: it says nothing of the views."""
MOST_POSTS = 5
ANSWERS_BELIEVED = 2
"""After so many 2xx answers for views that are not there when read back, Trakt does not want them."""


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
        present: set[int] = self.read_back() if self.batch.attempts else set()
        to_send = {position for position in range(len(self.batch.events)) if str(position) not in self.batch.outcomes}
        missing = sorted(to_send - present)
        if not missing:
            return self.settle("SENT", {})
        if self.batch.answered >= ANSWERS_BELIEVED:
            return self.settle("SENT", dict.fromkeys(map(str, missing), "rejected_by_trakt"))
        if self.batch.attempts >= MOST_POSTS:
            # It has just been read back: what is missing is certainly not there, and the next run's to send.
            self.withdraw([self.batch.events[position] for position in missing])
            return self.settle("FAILED", {}, present=to_send & present)
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
        except OutcomeUnknown:
            return self.outcome_unknown(answered=False)
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
            return self.outcome_unknown(answered=True)
        return self.settle("SENT", {str(missing[position]): reason for position, reason in refused.items()})

    def read_back(self) -> set[int]:
        """The positions whose plays are in Trakt's history: the batch's time range is read, nothing is sent."""
        present: set[int] = set()
        for kind, history in HISTORY.items():
            times = [event.view.watched_at for event in self.batch.events if event.view.type == kind]
            if not times:
                continue
            plays = self.trakt.history(history, min(times) - 60, max(times) + 60)
            remote = Plays().read(kind, ((play.ids, play.watched_at) for play in plays))
            present |= {
                position
                for position, event in enumerate(self.batch.events)
                if event.view.type == kind and remote.have(kind, event.ids, event.view.watched_at)
            }
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
            run.user_id, run.run_id, sent=sent, skipped=Counter(outcomes.values()), failed=status == "FAILED"
        )
        try:
            transact(shop.plans.table.client, [shop.plans.settling(batch, status, outcomes, present), done])
        except ConditionFailed:
            return "another worker settled it"
        return status.lower()

    def rejected(self, trouble: Rejected, missing: Sequence[int]) -> str:
        """Trakt refuses what the request says. One bad view must not hold up the others: halve it."""
        shop, run, batch = self.shop, self.run, self.batch
        if len(batch.events) == 1 or len(missing) == 1:
            return self.settle("SENT", {str(position): "rejected_by_trakt" for position in missing})
        self.withdraw([batch.events[position] for position in missing])
        try:
            transact(
                shop.plans.table.client, [*shop.plans.splitting(batch), shop.runs.batch_split(run.user_id, run.run_id)]
            )
        except ConditionFailed:
            return "another worker has it"
        shop.queues.send([(replace(self.job, batch=name, deferrals=0), 1 + n) for n, name in enumerate(halves(batch))])
        return f"split: {trouble.status}"

    def outcome_unknown(self, *, answered: bool) -> str:
        self.shop.plans.leave_unknown(self.batch, answered=answered)
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
            said = Removing(shop, run, job, claimed, trakt).go()
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
    """Position → why it was not stored (§4.5.3). None when the answer does not account for every event."""
    reasons: dict[int, Reason] = {}
    for kind, missing in (("movie", answer.not_found.movies), ("episode", answer.not_found.episodes)):
        plural = f"{kind}s"
        positions = [position for position, event in enumerate(events) if event.view.type == kind]
        for work in missing:
            hits = [
                position
                for position in positions
                if any(str(events[position].ids.get(name)) == str(value) for name, value in work.known_ids.items())
            ]
            if not hits:
                return None
            for position in hits:
                by_imdb_alone = kind == "movie" and set(events[position].ids) == {"imdb"}
                reasons[position] = "not_found" if by_imdb_alone else "rejected_by_trakt"
        stored = answer.added.get(plural, 0) + answer.updated.get(plural, 0)
        if stored < len([position for position in positions if position not in reasons]):
            return None
    return reasons


def _body(events: Sequence[Event]) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]]]:
    """`movies[]` and `episodes[]`, each `{ids, watched_at}`; only UTC with `Z` is accepted (reality.md, Trakt)."""

    def of(kind: Kind) -> list[Mapping[str, object]]:
        return [
            {"watched_at": iso(event.view.watched_at).replace("Z", ".000Z"), "ids": dict(event.ids)}
            for event in events
            if event.view.type == kind
        ]

    return of("movie"), of("episode")


def _ledger_word(reason: Reason | None) -> LedgerOutcome:
    """Of a view that was to be sent."""
    return "sent" if reason is None else reason if reason in ("duplicate", "not_found") else "rejected_by_trakt"


def _title(event: Event) -> Title:
    """What Trakt does not know or want, as a later run can ask for it again."""
    view = event.view
    rows = {view.media: view.watched_at}
    kind, name = ("movie", view.title) if view.type == "movie" else ("serial", view.show or view.title)
    return Title(view.item, kind, name, view.year, view.imdb, details_known=True, rows=rows)
