"""The sync, step by step as §4 of the sync document has it: collect → confirm → map → dedupe → plan.

A run is planned by one worker at a time and may take several invocations: what was read is kept in checkpoints. Nothing
is sent from here; a preview ends where a sync hands its batches to the senders (sending.py).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import Any

from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import HistoryType, Trakt
from watchferry.errors import NotThere, WatchferryError
from watchferry.models import Event, Ids, Kind, View, unix
from watchferry.storage.accounts import Account
from watchferry.storage.plans import batch_name
from watchferry.storage.runs import Run, Status
from watchferry.sync import commit
from watchferry.sync.collect import Collected, collect, has_news
from watchferry.sync.confirm import Confirmed, confirm_completed, never_finished
from watchferry.sync.dedupe import (
    WINDOW_AHEAD,
    AgainstTrakt,
    window_start,
    without_duplicates,
    without_known,
    without_refused,
)
from watchferry.sync.gather import Gather
from watchferry.sync.keys import remote_keys
from watchferry.sync.mapping import Mapped, Mapper
from watchferry.sync.queues import SendJob
from watchferry.sync.workshop import RATES, Workshop

SIGN_OF_LIFE_EVERY = 60.0
PROGRESS_EVERY = 1.0

HISTORY: Mapping[Kind, HistoryType] = {"movie": "movies", "episode": "episodes"}


class OutOfTime(WatchferryError):
    """The function's time is nearly over: the checkpoint is written, a successor goes on."""


class Superseded(WatchferryError):
    """Another run is the user's active one."""


@dataclass(slots=True)
class Planning:
    """One worker's turn at one run."""

    shop: Workshop
    account: Account
    run: Run
    worker: str
    deadline: float
    trakt: Trakt
    kinopub: Kinopub
    _shown_at: float = field(default=0.0)
    _alive_at: float = field(default=0.0)

    def go(self) -> Run | None:
        """The planned run, for `begin_sending`; None when another's plan holds.

        Raises OutOfTime, Superseded, and the tree of errors.py; everything done so far is kept.
        """
        collected = self.collect()
        confirmed = self.confirm(collected)
        views = [view for each in confirmed.values() for view in each.finished]
        unfinished = [event for each in confirmed.values() for event in each.unfinished]

        ledger = self.shop.ledger.of(self.account.user_id, {view.item for view in views})
        new = without_known(views, ledger, self.account.settings.rewatch, self.shop.clock())
        mapped = self.map(collected, new.unknown)
        ready, refused = without_refused([pair for each in mapped for pair in each.views], ledger)
        plan = without_duplicates(ready, self.remote_keys(ready), self.account.settings.rewatch)

        skips = [*new.skips, *(event for each in mapped for event in each.skips), *refused, *plan.skips, *unfinished]
        if self.run.mode == "sync":
            self.remember(collected, unfinished, plan)
        return self.hand_over(collected, len(views), plan.to_send, skips)

    # §4.1.1

    def collect(self) -> Collected:
        known = None if self.run.full else self.account.cursor
        so_far = Collected.restored(self.shop.plans.saved(self.run.run_id, "collected"))

        def tick(now: Collected) -> None:
            self.tick("collecting", now.next_page - 1, now.pages or now.next_page)

        due = self.shop.rechecks.due(self.account.user_id)
        if not so_far.complete:
            try:
                collect(self.kinopub, known, so_far, tick)
            finally:
                # Whenever there is something to confirm: no answer may be older than the cursor that comes with it.
                if so_far.titles or due or so_far.next_page > 2:
                    self.shop.plans.save(self.run.run_id, "collected", so_far.stored())
        for title in due:
            so_far.titles[title.item] = title.merged(so_far.titles.get(title.item))
        return so_far

    # §4.1.2

    def confirm(self, collected: Collected) -> Mapping[int, Confirmed]:
        if not collected.titles:
            return {}
        saved: dict[str, Any] = self.shop.plans.saved(self.run.run_id, "confirmed") or {}
        confirmed = {int(item): _restored(data) for item, data in saved.items()}
        now = int(self.shop.clock())

        def ask(item: int) -> Confirmed:
            title = collected.titles[item]
            try:
                return confirm_completed(title, self.kinopub.watching(item), now)
            except NotThere:
                return never_finished(title)

        try:
            self.gather(ask, list(collected.titles), confirmed, "collecting")
        finally:
            self.shop.plans.save(
                self.run.run_id, "confirmed", {str(item): asdict(each) for item, each in confirmed.items()}
            )
        return {item: confirmed[item] for item in collected.titles}

    # §4.2

    def map(self, collected: Collected, views: Sequence[View]) -> Sequence[Mapped]:
        by_title: dict[int, list[View]] = {}
        for view in views:
            by_title.setdefault(view.item, []).append(view)
        if not by_title:
            return []
        mapper = Mapper(self.trakt, self.kinopub, self.shop.mappings, self.shop.clock, {})
        mapper.load([collected.titles[item] for item in by_title])
        mapped: dict[int, Mapped] = {}
        self.gather(lambda item: mapper.map(collected.titles[item], by_title[item]), list(by_title), mapped, "mapping")
        return list(mapped.values())

    # §4.3

    def remote_keys(self, ready: Sequence[tuple[View, Ids]]) -> set[str]:
        """What Trakt has in the window; of films only, or of episodes only, where there is nothing else to compare."""
        if not ready:
            return set()
        now = self.shop.clock()
        once = self.account.settings.rewatch == "once"
        start = 0 if once else window_start((view for view, _ in ready), self.account.last_success_at)
        kinds = sorted({view.type for view, _ in ready})
        # After a first run Trakt's last activity may tell that nothing can be in the window.
        active = self.trakt.last_activities() if self.account.last_success_at and not once else None
        keys: set[str] = set()
        for number, kind in enumerate(kinds):
            if active is not None:
                last = getattr(active, HISTORY[kind]).watched_at
                if last is None or unix(last) < start:
                    continue
            for play in self.trakt.history(HISTORY[kind], start, now + WINDOW_AHEAD):
                keys |= remote_keys(kind, [(play.ids, play.watched_at)])
                self.tick("mapping", number, len(kinds))
        return keys

    # What is known from now on, whether or not anything is sent

    def remember(self, collected: Collected, unfinished: Sequence[Event], plan: AgainstTrakt) -> None:
        shop, user_id = self.shop, self.account.user_id
        shop.ledger.record(user_id, self.run.run_id, [(view, "duplicate", ids) for view, ids in plan.found])
        again = {event.view.item for event in unfinished}
        # The next run's cursor cannot bring back a title without a new row, should the sending of its views fail.
        again |= {
            item
            for item in {event.view.item for event in plan.to_send}
            if not has_news(collected.titles[item], self.account.cursor)
        }
        shop.rechecks.ask_tomorrow(user_id, [collected.titles[item] for item in again])
        shop.rechecks.forget(user_id, [item for item in collected.titles if item not in again])

    # §4.5.1

    def hand_over(
        self, collected: Collected, completed: int, to_send: Sequence[Event], skips: Sequence[Event]
    ) -> Run | None:
        """Writes the plan; from the moment that it holds, redeliveries and crashes find the same batches."""
        shop, run = self.shop, self.run
        batches = list(batched(to_send, self.account.settings.batch_size, strict=False))
        shop.plans.write(run.run_id, run.attempt, batches, skips)
        waits = run.mode == "preview" and bool(batches)
        # None: the worker whose plan holds, or who ended the run, sees to the rest.
        return shop.runs.planned(
            run,
            worker=self.worker,
            status="awaiting_confirmation" if waits else "sending",
            counts={"history": collected.rows, "completed": completed, "planned": len(to_send)},
            skipped=Counter(str(event.reason) for event in skips),
            batches=len(batches),
            cursor=collected.cursor,
        )

    # Time, progress, signs of life

    def gather[K, V](self, ask: Callable[[K], V], keys: Sequence[K], answers: dict[K, V], status: Status) -> None:
        shop = self.shop
        gather = Gather(at_most=shop.reads_at_once, first_pause=shop.settings.retry_base_seconds, pause=shop.pause)
        gather(ask, keys, answers, lambda: self.tick(status, len(answers), len(keys)))

    def tick(self, status: Status, done: int, total: int) -> None:
        now = self.shop.clock()
        if now >= self.deadline:
            raise OutOfTime("this invocation's time is over")
        if now - self._alive_at >= SIGN_OF_LIFE_EVERY:
            self._alive_at = now
            if not self.shop.accounts.keep_run(self.run.user_id, self.run.run_id):
                raise Superseded("another run is active")
        if now - self._shown_at >= PROGRESS_EVERY:
            self._shown_at = now
            self.shop.runs.progress(self.run, worker=self.worker, status=status, done=done, total=total)


def begin_sending(shop: Workshop, run: Run) -> None:
    """What follows a plan that holds: a preview waits, a sync is sent, a sync of nothing is over."""
    if run.status == "awaiting_confirmation":
        shop.accounts.free(run.user_id, run.run_id, awaiting=True)
    elif run.batches:
        send_all(shop, run, [batch_name(run.plan, number) for number in range(run.batches)])
    else:
        commit.commit_if_complete(shop, run)


def send_all(shop: Workshop, run: Run, batches: Sequence[str]) -> None:
    """Queues the batches, one delayed after the other by Trakt's rate, so that they come when they may be sent."""
    apart = RATES["POST"].interval_ms / 1000
    shop.queues.send([(SendJob(run.user_id, run.run_id, name), number * apart) for number, name in enumerate(batches)])


def resend_open(shop: Workshop, run: Run) -> None:
    """After a crash between plan and queue: what is queued twice is sent once (sending.py)."""
    send_all(shop, run, [batch.name for batch in shop.plans.batches(run.run_id, run.plan) if not batch.is_settled])


def _restored(data: dict[str, Any]) -> Confirmed:
    return Confirmed(
        tuple(View(**view) for view in data["finished"]), tuple(Event.restored(event) for event in data["unfinished"])
    )
