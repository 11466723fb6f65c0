"""What a run has come to: what it would send, what it leaves out and why, and what follows for later runs. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watchferry.models import Event, Title
from watchferry.storage.account import Cursor
from watchferry.storage.runs import NOT_ALL_READ
from watchferry.storage.unmatched import UNMATCHED, Unmatched, unmatched_of
from watchferry.sync.aftermath import FRESH, LATER, SOON, Aftermath
from watchferry.sync.collect import Collected, has_news
from watchferry.sync.dedupe import AgainstTrakt
from watchferry.sync.mapping import Mapped

NAMED = 5
"""Titles that are named to the person, of those that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    collected: Collected
    known: Cursor | None
    """The account's cursor: what was no news."""
    completed: int
    """How many finished views there are."""
    unfinished: Sequence[Event]
    dealt_with: Sequence[Event]
    """Skipped since the ledger knows them."""
    mapped: Sequence[Mapped]
    refused: Sequence[Event]
    against: AgainstTrakt
    wishes: Mapping[int, str]
    """Of the titles, those that their user wanted to be looked at (storage/rechecks.py)."""
    unread: Mapping[int, str] = field(default_factory=dict)
    """Titles of which something cannot be read, and where: `kinopub` or `trakt`."""

    @property
    def to_send(self) -> Sequence[Event]:
        return self.against.to_send

    @property
    def skips(self) -> Sequence[Event]:
        unmapped = [event for each in self.mapped for event in each.skips]
        return [*self.dealt_with, *unmapped, *self.refused, *self.against.skips, *self.unfinished]

    @property
    def unmatched(self) -> Sequence[Unmatched]:
        refused: dict[int, list[Event]] = defaultdict(list)
        for event in self.refused:
            refused[event.view.item].append(event)
        return [
            row
            for each in self.mapped
            for row in (*each.unmatched, *unmatched_of(each.title, refused.get(each.title.item, ())))
        ]

    @property
    def decided(self) -> Sequence[int]:
        """Titles of which it is known anew what did not match."""
        mapped = {each.title.item for each in self.mapped}
        return [item for item in self.collected.titles if item in mapped or item not in self.unread]

    def aftermath(self, now: float) -> Aftermath:
        again = self._again(now)
        titles = self.collected.titles
        by_days: dict[int, list[Title]] = defaultdict(list)
        for item, days in again.items():
            by_days[days].append(titles[item])
        nameless, owed = self.collected.nameless, self.collected.owed
        for title in nameless.values():
            by_days[_days(max(title.rows.values()), now)].append(title)
        done = tuple(item for item in titles if item not in again) + tuple(
            item for item in owed if item not in nameless
        )
        return Aftermath(self.against.found, by_days, done, self.wishes, frozenset(self.unread))

    @property
    def note(self) -> Mapping[str, str] | None:
        """What its person has to know. What could not be read is remembered, and looked at again by later runs."""
        said = []
        services = set(self.unread.values())
        for service in sorted(services):
            titles = [self.collected.titles[item].title or str(item) for item in sorted(self._unread_at(service))]
            more = f" and {len(titles) - NAMED} more" if len(titles) > NAMED else ""
            names = ", ".join(titles[:NAMED]) + more
            said.append(f"{len(titles)} title(s) could not be read at {service.capitalize()}: {names}")
        if self.collected.nameless:
            services.add("kinopub")
            said.append(
                f"{len(self.collected.nameless)} row(s) of Kinopub's history do not say of which title they are"
            )
        of_reading = self.collected.reading.note
        if not said:
            return of_reading
        detail = (
            "; ".join(said) + "; later runs look at them again" + (f"; {of_reading['detail']}" if of_reading else "")
        )
        return {"code": NOT_ALL_READ, "detail": detail, **({"service": services.pop()} if len(services) == 1 else {})}

    def _unread_at(self, service: str) -> list[int]:
        return [item for item, where in self.unread.items() if where == service]

    def _again(self, now: float) -> Mapping[int, int]:
        """Title → in how many days it has to be looked at again, news or not."""
        again: dict[int, int] = {}
        for each in self.mapped:
            times = [event.view.watched_at for event in each.skips if event.reason in UNMATCHED]
            if times:
                again[each.title.item] = _days(max(times), now)
        again |= dict.fromkeys(self.unread, SOON)
        for event in self.unfinished:
            again[event.view.item] = SOON
        for event in self.to_send:
            # The next run's cursor cannot bring back a title without a new row, should the sending of its views fail.
            if not has_news(self.collected.titles[event.view.item], self.known):
                again[event.view.item] = SOON
        return again


def _days(seen: int, now: float) -> int:
    return SOON if seen > now - FRESH else LATER
