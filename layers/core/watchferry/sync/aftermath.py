"""What is known once a plan is made, whether or not anything is sent: it takes effect when the plan is agreed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from watchferry.models import Event, Ids, Title, View
from watchferry.storage.runs import KEPT, Run
from watchferry.sync.workshop import Workshop

FRESH = 14 * 86400
"""Seconds for which Trakt may still come to have what it lacks: a new episode is on Kinopub first."""
SOON, LATER = 1, 7
"""Days until a title is looked at again; LATER for what has been unmatched for long."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    found: tuple[tuple[View, Ids], ...]
    """Plays that Trakt had already."""
    again: Mapping[int, Sequence[Title]]
    """Days → titles to be looked at again then."""
    done: tuple[int, ...]
    """Titles that need not be."""
    wishes: Mapping[int, str]
    """Titles that their user wanted to be looked at, which they have been (storage/rechecks.py)."""
    unread: frozenset[int] = frozenset()
    """Of those to be looked at again, titles that could not be read: for a day they are due with every run."""

    def take_effect(self, shop: Workshop, run: Run) -> None:
        shop.ledger.record(run.user_id, run.run_id, [(view, "duplicate", ids) for view, ids in self.found])
        for days, titles in self.again.items():
            shop.rechecks.ask(run.user_id, titles, days=days, unread=self.unread)
        shop.rechecks.forget(run.user_id, self.done)

    def plan_holds(self, shop: Workshop, run: Run) -> None:
        """Not before: a planner that dies on the way has a successor, which has to look as well."""
        shop.rechecks.fulfilled(run.user_id, self.wishes)

    def save(self, shop: Workshop, run: Run) -> None:
        """For a plan that waits for a confirmation."""
        stored = {
            "found": [Event(view, "skipped", "duplicate", ids).stored() for view, ids in self.found],
            "again": {str(days): [title.stored() for title in titles] for days, titles in self.again.items()},
            "done": list(self.done),
            "wishes": {str(item): mark for item, mark in self.wishes.items()},
            "unread": sorted(self.unread),
        }
        shop.plans.save(run.run_id, f"aftermath-{run.attempt}", stored, kept=KEPT)

    @classmethod
    def saved(cls, shop: Workshop, run: Run) -> Self:
        data: dict[str, Any] = shop.plans.saved(run.run_id, f"aftermath-{run.plan}") or {}
        found = [Event.restored(event) for event in data.get("found", ())]
        return cls(
            found=tuple((event.view, event.ids) for event in found),
            again={
                int(days): [Title.restored(title) for title in titles] for days, titles in data.get("again", {}).items()
            },
            done=tuple(data.get("done", ())),
            wishes={int(item): mark for item, mark in data.get("wishes", {}).items()},
            unread=frozenset(data.get("unread", ())),
        )
