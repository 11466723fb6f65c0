"""A plan that a person has confirmed is sent as it is, but for plays that have appeared at Trakt meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from watchferry.clients.trakt import Trakt
from watchferry.models import Event, Kind, Reason, View
from watchferry.storage.account import Account
from watchferry.storage.overrides import Rules
from watchferry.storage.plans import Batch
from watchferry.storage.runs import Run
from watchferry.sync.aftermath import Aftermath
from watchferry.sync.dedupe import WINDOW_AHEAD, window_start
from watchferry.sync.keys import Plays
from watchferry.sync.pipeline import HISTORY
from watchferry.sync.turn import Turn


@dataclass(slots=True)
class Rechecking:
    """One worker's turn at a confirmed run. Safe to repeat: nothing of it is sent before it is done."""

    turn: Turn
    account: Account
    trakt: Trakt

    def go(self) -> Run | None:
        """The run, now `sending`; None when another worker has seen to it. Raises as Planning.go does."""
        shop, run = self.turn.shop, self.turn.run
        batches = list(shop.plans.batches(run.run_id, run.plan))
        views = [event.view for batch in batches for event in batch.events]
        plays = {kind: self.plays_at_trakt(kind, [view for view in views if view.type == kind]) for kind in HISTORY}
        rules = shop.overrides.rules(run.user_id)
        for batch in batches:
            if outcomes := self.left_out(batch, plays, rules):
                shop.plans.leave_out(batch, outcomes)
        aftermath = Aftermath.saved(shop, run)
        aftermath.take_effect(shop, run)
        checked = shop.runs.rechecked(run, worker=self.turn.worker)
        aftermath.plan_holds(shop, run)
        return checked

    def plays_at_trakt(self, kind: Kind, views: Sequence[View]) -> Plays:
        plays = Plays()
        if views:
            start = window_start(views, None, self.account.settings.one_play_within)
            for number, play in enumerate(
                self.trakt.history(HISTORY[kind], start, self.turn.shop.clock() + WINDOW_AHEAD)
            ):
                plays.read(kind, [(play.ids, play.watched_at)])
                self.turn.tick("mapping", number, number + 1)
        return plays

    def left_out(self, batch: Batch, plays: dict[Kind, Plays], rules: Rules) -> dict[str, Reason]:
        """Position → why it is not sent after all."""
        within = self.account.settings.one_play_within

        def why(event: Event) -> Reason | None:
            rule = rules.of(event.view)
            if rule is not None and rule.ignore:
                return "ignored"
            found = plays[event.view.type].have(event.view.type, event.ids, event.view.watched_at, within)
            return "duplicate" if found else None

        return {str(position): reason for position, event in enumerate(batch.events) if (reason := why(event))}
