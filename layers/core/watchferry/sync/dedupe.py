"""§4.3 and §4.4 of the sync document: nothing that Trakt has, or that we have dealt with, is planned. Pure: no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from watchferry.errors import Unsettled
from watchferry.models import Event, Ids, View
from watchferry.storage.ledger import DEALT_WITH, REFUSED, Entry
from watchferry.sync.keys import Plays, Within

WINDOW_SLACK = 2 * 86400
"""Seconds before the earliest time that matters (§4.3.1)."""
WINDOW_AHEAD = 86400
"""The window ends a day ahead: clocks differ (architecture.md, rule 1)."""

type Known = Mapping[str, Sequence[Entry]]


@dataclass(frozen=True, slots=True)
class AgainstLedger:
    unknown: tuple[View, ...]
    """Still to be mapped and compared with Trakt."""
    skips: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class AgainstTrakt:
    to_send: tuple[Event, ...]
    skips: tuple[Event, ...]
    found: tuple[tuple[View, Ids], ...]
    """Of the skips: the plays that Trakt had already, for the ledger."""


def without_known(views: Iterable[View], ledger: Known, within: Within, now: float) -> AgainstLedger:
    """Sets aside the views that the ledger has dealt with; what was undone stays so: `ignored`.

    A view whose sending had no known outcome takes the time that it was sent with, so that it is recognised at Trakt
    even if Kinopub's time moved since. Raises Unsettled while such a sending may still be at work.
    """
    unknown: list[View] = []
    skips: list[Event] = []
    for view in views:
        known = [entry for entry in ledger.get(view.unit, ()) if _is_one_play(entry, view, within)]
        dealt_with = [entry for entry in known if entry.outcome in DEALT_WITH]
        if dealt_with:
            undone = all(entry.outcome == "removed" for entry in dealt_with)
            ids = next((entry.ids for entry in dealt_with if entry.ids), {})
            skips.append(Event(view, "skipped", "ignored" if undone else "duplicate", ids))
            continue
        sending = [entry for entry in known if entry.outcome == "sending"]
        if sending:
            late = max(entry.settled_at for entry in sending) - now
            if late > 0:
                raise Unsettled("unsettled", "a write of an earlier run may still be at work", after=late)
            view = view.at(max(entry.at for entry in sending))  # noqa: PLW2901
        unknown.append(view)
    return AgainstLedger(tuple(unknown), tuple(skips))


def _is_one_play(entry: Entry, view: View, within: Within) -> bool:
    if within is None or entry.is_view(view):
        return True
    return abs(entry.at // 60 - view.watched_at // 60) <= within > 0


def without_refused(mapped: Iterable[tuple[View, Ids]], ledger: Known) -> tuple[list[tuple[View, Ids]], list[Event]]:
    """§4.5.3: what Trakt did not find is not sent again until it would be sent under other ids."""
    left: list[tuple[View, Ids]] = []
    skips: list[Event] = []
    for view, ids in mapped:
        refused = [
            entry.outcome
            for entry in ledger.get(view.unit, ())
            if entry.outcome in REFUSED and entry.is_view(view) and dict(entry.ids) == dict(ids)
        ]
        if refused:
            skips.append(Event(view, "skipped", refused[0], ids))  # type: ignore[arg-type]
        else:
            left.append((view, ids))
    return left, skips


def window_start(views: Iterable[View], last_success_at: int | None, within: Within) -> int:
    """§4.3.1 with architecture.md, rule 1: min(last success, earliest view that the ledger does not know) − 2 days."""
    if within is None:
        return 0
    earliest = min(view.watched_at for view in views)
    return min(earliest, last_success_at or earliest) - WINDOW_SLACK - within * 60


def window_end(views: Iterable[View], now: float, within: Within) -> float:
    """A day ahead, or later where a view's own time is."""
    latest = max(view.watched_at for view in views)
    return max(now + WINDOW_AHEAD, latest + (within or 0) * 60)


def without_duplicates(mapped: Iterable[tuple[View, Ids]], remote: Plays, within: Within) -> AgainstTrakt:
    """§4.4, in the order of watching. Of two views that are one play the second is a duplicate too."""
    planned = Plays()
    to_send: list[Event] = []
    skips: list[Event] = []
    found: list[tuple[View, Ids]] = []
    for view, ids in sorted(mapped, key=lambda pair: (pair[0].watched_at, pair[0].unit)):
        if any(plays.have(view.type, ids, view.watched_at, within) for plays in (remote, planned)):
            skips.append(Event(view, "skipped", "duplicate", ids))
            found.append((view, ids))
            continue
        planned.add(view.type, ids, view.watched_at)
        to_send.append(Event(view, "planned", "timestamp_missing" if view.timestamp_missing else None, ids))
    return AgainstTrakt(tuple(to_send), tuple(skips), tuple(found))
