"""A plan that a person has confirmed is sent as it is, but for plays that have appeared at Trakt meanwhile."""

from dataclasses import dataclass

from watchferry.clients.trakt import Trakt
from watchferry.models import Event, Reason
from watchferry.storage.account import Account
from watchferry.storage.overrides import Rules
from watchferry.storage.plans import Batch
from watchferry.storage.runs import Run
from watchferry.sync.aftermath import Aftermath
from watchferry.sync.keys import Plays, Within
from watchferry.sync.pipeline import compared_plays
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
        planned = [(event.view, event.ids) for batch in batches for event in batch.events]
        within = self.account.settings.one_play_within
        plays = compared_plays(self.turn, self.trakt, planned, None, within)
        rules = shop.overrides.rules(run.user_id)
        for batch in batches:
            if outcomes := self.left_out(batch, plays, rules, within):
                shop.plans.leave_out(batch, outcomes)
        aftermath = Aftermath.saved(shop, run)
        aftermath.take_effect(shop, run)
        checked = shop.runs.rechecked(run, worker=self.turn.worker)
        aftermath.plan_holds(shop, run)
        return checked

    def left_out(self, batch: Batch, plays: Plays, rules: Rules, within: Within) -> dict[str, Reason]:
        """Position → why it is not sent after all."""

        def why(event: Event) -> Reason | None:
            rule = rules.of(event.view)
            if rule is not None and rule.ignore:
                return "ignored"
            found = plays.have(event.view.type, event.ids, event.view.watched_at, within)
            return "duplicate" if found else None

        return {str(position): reason for position, event in enumerate(batch.events) if (reason := why(event))}
