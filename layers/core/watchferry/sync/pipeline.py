"""The sync, step by step as §4 of the sync document has it: collect → confirm → map → dedupe → plan.

A run is planned by one worker at a time and may take several invocations: what was read is kept in checkpoints. Nothing
is written to Trakt here; what becomes of the plan, handover.py says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import Trakt
from watchferry.errors import NotThere, Rejected, RetryLater, StopRun, WatchferryError
from watchferry.models import Event, Ids, Title, View
from watchferry.storage.account import Account
from watchferry.storage.mappings import FOUND, MOST_WITNESSES, WITNESSES, WITNESSES_CHOSEN_AGAIN_AFTER
from watchferry.storage.runs import Run
from watchferry.sync.collect import Collected, collect
from watchferry.sync.confirm import Confirmed, as_sent_before, confirm_completed, never_finished, unreadable
from watchferry.sync.dedupe import window_end, window_start, without_duplicates, without_known, without_refused
from watchferry.sync.keys import Plays, Within
from watchferry.sync.mapping import Mapped, Mapper, unmappable
from watchferry.sync.plan import Plan
from watchferry.sync.reading import HISTORY_EMPTY
from watchferry.sync.trakt_history import HISTORY, HistoryReader
from watchferry.sync.turn import Turn
from watchferry.sync.workshop import Workshop

EMPTY_BELIEVED_AFTER = 86400
"""Seconds since the last success, after which an empty history is believed to be one that was cleared."""
RUNS_LOOKED_AT = 50
EMPTY_TOGETHER = 5
"""Titles, and no other, of which nothing is shown: then it is not the titles', though there is no witness."""


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
    unread: dict[int, str] = field(default_factory=dict)
    """Titles of which something cannot be read now, and where: `kinopub` or `trakt`."""
    waiting: set[int] = field(default_factory=set)
    """Of these, titles whose views cannot be mapped, so that nothing is known of them."""

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
        begun = [event for each in confirmed.values() for event in each.unfinished]

        ledger = self.shop.ledger.of(self.account.user_id, {view.item for view in (*views, *(e.view for e in begun))})
        unfinished = [as_sent_before(event, ledger) for event in begun]
        new = without_known(views, ledger, self.within, self.shop.clock())
        mapped = self.map(collected, new.unknown)
        waiting = sum(view.item in self.waiting for view in new.unknown)
        ready, refused = without_refused([pair for each in mapped for pair in each.views], ledger)
        against = without_duplicates(ready, self.plays_at_trakt(ready), self.within)

        return Plan(
            collected=collected,
            known=self.account.cursor,
            completed=len(views) + sum(event.reason == "duplicate" for event in unfinished) - waiting,
            unfinished=unfinished,
            dealt_with=new.skips,
            mapped=mapped,
            refused=refused,
            against=against,
            wishes=self.wishes,
            unread=self.unread,
        )

    @property
    def within(self) -> int | None:
        return self.account.settings.one_play_within

    # §4.1.1

    def collect(self) -> Collected:
        known = None if self.run.full else self.account.cursor
        so_far = Collected.restored(self.shop.plans.saved(self.run.run_id, "collected"))

        def tick(now: Collected) -> None:
            page = now.reading.next_page
            self.turn.tick("collecting", page - 1, max(page, now.reading.pages or 0))

        due = self.shop.rechecks.due(self.account.user_id)
        if so_far.cursor is None:
            so_far.owed = {title.item: title for title in due.titles if title.item < 0}
        if not so_far.reading.complete:
            try:
                collect(
                    self.kinopub,
                    known,
                    so_far,
                    tick,
                    before=self.account.cursor,
                    may_be_cleared=self._history_may_be_cleared,
                    pause=self._pause,
                )
            finally:
                # Whenever there is something to confirm: no answer may be older than the cursor that comes with it.
                if so_far.titles or so_far.nameless or due.titles or so_far.reading.furthest > 1:
                    self.turn.checkpoint("collected", so_far.stored())
        self.wishes, self.were_unread = due.wishes, due.unread
        for title in due.titles:
            if title.item > 0:
                so_far.titles[title.item] = title.merged(so_far.titles.get(title.item))
        return so_far

    def _pause(self, seconds: float) -> None:
        self.shop.pause(seconds * self.shop.settings.retry_base_seconds)

    def _history_may_be_cleared(self) -> bool:
        """Its person may have done so: it is believed if it is so for a day, and from then on."""
        last = self.account.last_success_at
        if not last or last < self.shop.clock() - EMPTY_BELIEVED_AFTER:
            return True
        earlier = self.shop.runs.newest(self.account.user_id, limit=RUNS_LOOKED_AT)
        succeeded = next((run for run in earlier if run.status == "succeeded" and run.moves_cursor), None)
        return succeeded is not None and (succeeded.note or {}).get("code") == HISTORY_EMPTY

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
            failed = self.turn.gather(
                ask, items, confirmed, "collecting", unread=self.were_unread, doubt=doubt, gently=True
            )
        finally:
            self.turn.checkpoint("confirmed", {str(item): asdict(each) for item, each in confirmed.items()})
        self._believe_what_is_empty(confirmed)
        confirmed |= {item: unreadable(collected.titles[item]) for item in failed}
        self.unread |= {item: "kinopub" for item in items if confirmed[item].unread}
        return {item: confirmed[item] for item in items}

    def _believe_what_is_empty(self, confirmed: Mapping[int, Confirmed]) -> None:
        """Raises StopRun where titles that Kinopub answers nothing for are Kinopub's trouble rather than theirs.

        They are theirs when any other title is answered: of this run, or else a witness, one that was before.
        """
        if not confirmed:
            return
        known = self.shop.mappings.get([WITNESSES]).get(WITNESSES)
        if answered := [item for item, each in confirmed.items() if not each.empty]:
            if known is None or known.at < self.shop.clock() - WITNESSES_CHOSEN_AGAIN_AFTER:
                witnesses = list(dict.fromkeys([*answered, *(known.value if known else ())]))
                self.shop.mappings.put(WITNESSES, witnesses[:MOST_WITNESSES], kept=FOUND)
            return
        is_there = len(confirmed) < EMPTY_TOGETHER if known is None else any(map(self._shows_something, known.value))
        if not is_there:
            detail = f"Kinopub answers for {len(confirmed)} title(s), and shows no film and no episode of them"
            raise StopRun("upstream_empty", detail, service="kinopub")

    def _shows_something(self, item: int) -> bool:
        try:
            answer = self.kinopub.watching(item)
        except (NotThere, Rejected):
            return False
        except RetryLater as trouble:
            if trouble.code == "rate_limited":
                raise
            return False
        return bool(answer.videos or any(season and season.episodes for season in answer.seasons or []))

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
        for item, trouble in failed.items():
            # Mapping may have to ask Kinopub, too.
            self.unread[item] = getattr(trouble, "service", None) or "trakt"
            if isinstance(trouble, RetryLater):
                self.waiting.add(item)
            else:
                mapped[item] = unmappable(titles[item], by_title[item])
        return list(mapped.values())

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
        return compared_plays(self.turn, self.trakt, ready, self.account.last_success_at, self.within)


def compared_plays(
    turn: Turn, trakt: Trakt, planned: Sequence[tuple[View, Ids]], last_success_at: int | None, within: Within
) -> Plays:
    """Trakt's plays with which these views have to be compared. Raises as HistoryReader.read, and as Turn.tick."""
    plays = Plays()
    reader = HistoryReader(trakt, turn.reading("mapping"))
    for kind in HISTORY:
        wanted = [(ids, view.watched_at) for view, ids in planned if view.type == kind]
        if wanted:
            views = [view for view, _ in planned if view.type == kind]
            window = window_start(views, last_success_at, within), window_end(views, turn.shop.clock(), within)
            reader.read(kind, wanted, within=within, between=window, into=plays)
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
        data.get("empty", False),
    )
