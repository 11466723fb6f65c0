"""The sync, step by step as §4 of the sync document has it: collect → confirm → map → dedupe → plan.

A run is planned by one worker at a time and may take several invocations: what was read is kept in checkpoints. Nothing
is written to Trakt here; what becomes of the plan, handover.py says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import HistoryType, Trakt
from watchferry.errors import NotThere, Rejected, RetryLater, WatchferryError
from watchferry.models import Event, Ids, Kind, Title, View, unix
from watchferry.storage.account import Account
from watchferry.storage.runs import Run
from watchferry.sync.collect import Collected, collect
from watchferry.sync.confirm import Confirmed, confirm_completed, never_finished, unreadable
from watchferry.sync.dedupe import WINDOW_AHEAD, window_start, without_duplicates, without_known, without_refused
from watchferry.sync.keys import Plays
from watchferry.sync.mapping import Mapped, Mapper, unmappable
from watchferry.sync.plan import Plan
from watchferry.sync.turn import Turn
from watchferry.sync.workshop import Workshop

HISTORY: Mapping[Kind, HistoryType] = {"movie": "movies", "episode": "episodes"}


@dataclass(slots=True)
class Planning:
    """One worker's turn at one run."""

    turn: Turn
    account: Account
    trakt: Trakt
    kinopub: Kinopub
    wishes: Mapping[int, str] = field(default_factory=dict)
    """Of the titles that are looked at, those that their user wanted to be."""
    were_unread: frozenset[int] = frozenset()
    """Titles that an earlier run could not read."""
    unread: set[int] = field(default_factory=set)
    """Titles of which something cannot be read now."""

    @property
    def shop(self) -> Workshop:
        return self.turn.shop

    @property
    def run(self) -> Run:
        return self.turn.run

    def go(self) -> Plan:
        """Raises OutOfTime, Superseded, and the tree of errors.py; everything done so far is kept."""
        collected = self.collect()
        confirmed = self.confirm(collected)
        views = [view for each in confirmed.values() for view in each.finished]
        unfinished = [event for each in confirmed.values() for event in each.unfinished]

        ledger = self.shop.ledger.of(self.account.user_id, {view.item for view in views})
        new = without_known(views, ledger, self.within, self.shop.clock())
        mapped = self.map(collected, new.unknown)
        ready, refused = without_refused([pair for each in mapped for pair in each.views], ledger)
        against = without_duplicates(ready, self.plays_at_trakt(ready), self.within)

        return Plan(
            collected=collected,
            known=self.account.cursor,
            completed=len(views),
            unfinished=unfinished,
            dealt_with=new.skips,
            mapped=mapped,
            refused=refused,
            against=against,
            wishes=self.wishes,
            unread=frozenset(self.unread),
        )

    @property
    def within(self) -> int | None:
        return self.account.settings.one_play_within

    # §4.1.1

    def collect(self) -> Collected:
        known = None if self.run.full else self.account.cursor
        so_far = Collected.restored(self.shop.plans.saved(self.run.run_id, "collected"))

        def tick(now: Collected) -> None:
            self.turn.tick("collecting", now.next_page - 1, now.pages or now.next_page)

        due = self.shop.rechecks.due(self.account.user_id)
        if so_far.cursor is None:
            so_far.owed = {title.item: title for title in due.titles if title.item < 0}
        if not so_far.complete:
            try:
                collect(self.kinopub, known, so_far, tick)
            finally:
                # Whenever there is something to confirm: no answer may be older than the cursor that comes with it.
                if so_far.titles or so_far.nameless or due.titles or so_far.next_page > 2:
                    self.turn.checkpoint("collected", so_far.stored())
        self.wishes, self.were_unread = due.wishes, due.unread
        for title in due.titles:
            if title.item > 0:
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

        items = list(collected.titles)

        def doubt(trouble: WatchferryError) -> None:
            answered = [title for title in collected.titles.values() if title.item in confirmed]
            self._another_is_answered(
                trouble,
                [*answered[:1], collected.witness, collected.titles[items[-1]]],
                lambda it: self.kinopub.watching(it.item),
            )

        try:
            failed = self.turn.gather(ask, items, confirmed, "collecting", unread=self.were_unread, doubt=doubt)
        finally:
            self.turn.checkpoint("confirmed", {str(item): asdict(each) for item, each in confirmed.items()})
        confirmed |= {item: unreadable(collected.titles[item]) for item in failed}
        self.unread |= {item for item in items if confirmed[item].unread}
        return {item: confirmed[item] for item in items}

    # §4.2

    def map(self, collected: Collected, views: Sequence[View]) -> Sequence[Mapped]:
        by_title: dict[int, list[View]] = {}
        for view in views:
            by_title.setdefault(view.item, []).append(view)
        if not by_title:
            return []
        rules = self.shop.overrides.rules(self.account.user_id)
        mapper = Mapper(self.trakt, self.kinopub, self.shop.mappings, self.shop.clock, rules, {})
        titles = {item: _as_watched(collected.titles[item], views) for item, views in by_title.items()}
        mapper.load(list(titles.values()))
        mapped: dict[int, Mapped] = {}

        def ask(item: int) -> Mapped:
            return mapper.map(titles[item], by_title[item])

        def doubt(trouble: WatchferryError) -> None:
            answered = [mapped[item].title for item in mapped]
            known = [title for title in [*answered, collected.witness] if title and title.imdb]
            self._another_is_answered(
                trouble,
                known[:1],
                lambda it: self.trakt.search_id("imdb", it.imdb or "", "show" if it.is_show else "movie"),
            )

        failed = self.turn.gather(ask, list(by_title), mapped, "mapping", unread=self.were_unread, doubt=doubt)
        self.unread |= failed.keys()
        return [*mapped.values(), *(unmappable(titles[item], by_title[item]) for item in failed)]

    @staticmethod
    def _another_is_answered(
        trouble: WatchferryError, others: Sequence[Title | None], ask: Callable[[Title], object]
    ) -> None:
        """Raises the trouble unless the upstream answers for another title: then it is not the upstream's."""
        other = next((title for title in others if title is not None), None)
        if other is None:
            raise trouble
        try:
            ask(other)
        except NotThere:
            pass
        except (RetryLater, Rejected) as also:
            raise (also if isinstance(also, RetryLater) and also.code == "rate_limited" else trouble) from also

    # §4.3

    def plays_at_trakt(self, ready: Sequence[tuple[View, Ids]]) -> Plays:
        """What Trakt has in the window; of films only, or of episodes only, where there is nothing else to compare."""
        plays = Plays()
        if not ready:
            return plays
        start = window_start((view for view, _ in ready), self.account.last_success_at, self.within)
        kinds = sorted({view.type for view, _ in ready})
        # After a first run Trakt's last activity may tell that nothing can be in the window.
        active = self.trakt.last_activities() if self.account.last_success_at and start else None
        for number, kind in enumerate(kinds):
            if active is not None:
                last = getattr(active, HISTORY[kind]).watched_at
                if last is None or unix(last) < start:
                    continue
            for play in self.trakt.history(HISTORY[kind], start, self.shop.clock() + WINDOW_AHEAD):
                plays.read(kind, [(play.ids, play.watched_at)])
                self.turn.tick("mapping", number, len(kinds))
        return plays


def _as_watched(title: Title, views: Sequence[View]) -> Title:
    """Whatever its row calls it, what has episodes is a show."""
    is_show = title.is_show or any(view.type == "episode" for view in views)
    return title if is_show == title.is_show else replace(title, type="serial")


def _restored(data: dict[str, Any]) -> Confirmed:
    return Confirmed(
        tuple(View(**view) for view in data["finished"]),
        tuple(Event.restored(event) for event in data["unfinished"]),
        data.get("unread", False),
    )
