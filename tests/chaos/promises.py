"""What was promised, and which of it was broken: held against what the person watched and what the upstreams have."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import httpx

from tests.chaos.actions import Tick
from tests.chaos.viewing import USER, Seen, Watchable
from tests.upstreams.plays import Play
from tests.world import NOW, World
from watchferry.models import Event
from watchferry.storage.runs import Run

if TYPE_CHECKING:
    from tests.chaos.world import Chaos

type Kind = Literal[
    "play",  # lost, twice, undone and back, or at a time when nobody watched
    "cursor",  # it passed what was not dealt with
    "run",  # a run's status and numbers
    "undo",  # of what was undone nothing is left, or it can be undone again
    "idle",  # an hour without news
    "endless",  # somebody reads for ever
    # Untrue words, of events and of runs:
    "sent",
    "removed",
    "already_removed",
    "not_completed",
    "begun again",  # of what was sent and is shown as begun `not_completed` is said
    "refused",  # not_found, episode_not_found, ambiguous, rejected_by_trakt
    "duplicate",
    "succeeded",
]
type Broken = tuple[Kind, str]

LONE = 5
"""So many titles of which an upstream shows nothing, and it is the upstream that has nothing to show."""


class Promises:
    def __init__(self, chaos: "Chaos") -> None:
        self.chaos = chaos
        self.broken: list[Broken] = []
        self.added: dict[str, set[int]] = defaultdict(set)
        """Run → history ids of the plays that its POSTs have made, whenever their effect came."""
        self.removed: dict[str, set[int]] = defaultdict(set)
        """Run → history ids of the plays that its POSTs have removed."""
        self.by_hand: set[int] = set()
        self.known: dict[int, Play] = {}
        """Every play that has been there, by its history id."""
        self.reading = Reading(chaos)
        self._cursor: Any = None
        self._ended: set[str] = set()

    def broke(self, kind: Kind, words: str) -> None:
        self.broken.append((kind, words))

    def all_broken(self) -> list[Broken]:
        """Every promise that was broken, in words."""
        self.chaos.now += 200
        self.chaos.land()
        self.watch()
        self._note_plays()
        found = [*self.broken, *self._of_plays(), *self._of_runs(), *self._of_undos(), *self._of_words()]
        for app in (self.chaos.upstreams.trakt, self.chaos.upstreams.kinopub):
            app.forget()
        self.chaos.now += 10
        self.chaos.act(Tick())
        self.chaos.finish_all()
        if (calls := self.chaos.calls()) != {"trakt": 0, "kinopub": 1}:
            found.append(("idle", f"an idle run made {calls}"))
        return found

    @property
    def plays(self) -> list[Play]:
        """Newest first."""
        return list(self.chaos.upstreams.trakt.users[USER].plays)

    @property
    def all_added(self) -> set[int]:
        return set().union(*self.added.values())

    def plays_of(self, unit: Watchable) -> list[int]:
        """Seconds of each play that Trakt has of it, but for those that somebody else told of besides."""
        return sorted(
            play.at // 1000
            for play in self.plays
            if play.thing is unit.thing and play.id not in self.chaos.viewing.strange
        )

    # ------------------------------------------------ what Trakt has in the end

    def _of_plays(self) -> Iterator[Broken]:
        known = {unit.thing for unit in self.chaos.viewing.units} | set(self.chaos.viewing.others)
        for play in self.plays:
            if play.thing not in known:
                yield "play", f"a play of nothing that was watched: {play}"
        for play in map(self.known.__getitem__, self.all_added):
            if not NOW - 60 < play.at // 1000 <= self.chaos.now:
                yield "play", f"a play when nobody watched: {play}"
        for unit in self.chaos.viewing.units:
            if unit.trakt_id is not None:
                yield from (("play", words) for words in self._of_unit(unit))

    def _of_unit(self, unit: Watchable) -> Iterator[str]:
        left = self.plays_of(unit)
        for seen in sorted(unit.seen, key=lambda seen: not seen.times):
            own = [at for at in left if seen.is_at(at)]
            left = [at for at in left if at not in own]
            if len(own) > 1:
                yield f"duplicate: {unit.name} is at Trakt {len(own)} times: {own}, seen {seen.times}"
            if own and seen.undone:
                yield f"undone and sent again: {unit.name}, seen {seen.times}"
            if not own and seen.visible and not seen.undone and not seen.by_hand:
                yield f"lost: {unit.name}, seen {seen.times}"
        if left:
            yield f"unfinished or made up: {unit.name} is at Trakt at {left}"

    # ------------------------------------------------ runs and undos

    def _of_runs(self) -> Iterator[Broken]:
        if self.chaos.account().active_run_id:
            yield "run", f"run {self.chaos.account().active_run_id} is still active"
        for run in self.chaos.shop.runs.newest(USER, limit=1000):
            yield from (("run", f"run {run.run_id} ({run.status}): {each}") for each in run_problems(self.chaos, run))

    def _of_undos(self) -> Iterator[Broken]:
        """Of a run that was undone nothing is left; what is left can be undone again."""
        left = {play.id for play in self.plays}
        for run in self.chaos.shop.runs.newest(USER, limit=1000):
            if run.undoes and (still := self.added[run.undoes] & left):
                if run.status == "succeeded":
                    yield "undo", f"run {run.undoes} was undone and has plays at Trakt: {still}"
                if run.is_finished and not self.chaos.get(run.undoes).can_be_undone:
                    yield "undo", f"run {run.undoes} has plays at Trakt and cannot be undone: {still}"

    def posted(self, run_id: str, request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        """A POST has its effect: whose plays came of it, and that none leaves which the undone run did not add."""
        before = {play.id: play for play in self.plays}
        self.known |= before
        try:
            return send()
        finally:  # whatever becomes of the answer
            self._note_plays()
            after = {play.id for play in self.plays}
            self.added[run_id] |= after - before.keys()
            self.removed[run_id] |= before.keys() - after
            undoes = self.chaos.stored["Runs"].get((USER, run_id), {}).get("undoes", {}).get("S", "")
            for play_id in before.keys() - after:
                self._removed(before[play_id], own=play_id in self.added[undoes], by=run_id)

    def _note_plays(self) -> None:
        self.known |= {play.id: play for play in self.plays}

    def _removed(self, play: Play, *, own: bool, by: str) -> None:
        if not own:
            self.broke("undo", f"run {by} removed a play that was not the undone run's: {play}")
        for unit in self.chaos.viewing.units:
            for seen in unit.seen:
                seen.undone |= unit.thing is play.thing and seen.is_at(play.at // 1000)

    def removed_by_hand(self, play: Play) -> None:
        self.known[play.id] = play
        self.by_hand.add(play.id)

    # ------------------------------------------------ words

    def _of_words(self) -> Iterator[Broken]:
        """What events say, held against what is and was at Trakt and Kinopub."""
        units = {(unit.title.id, unit.parts[0].media): unit for unit in self.chaos.viewing.units}
        for run in self.chaos.shop.runs.newest(USER, limit=1000):
            for event in self.chaos.events(run) if run.plan else []:
                unit = units.get((event.view.item, event.view.media))
                if unit is not None and (broken := self._untrue(run, event, unit)):
                    kind, why = broken
                    yield (
                        kind,
                        f"run {run.run_id} ({run.mode}) says {event.outcome} {event.reason or ''} {unit.name}: {why}",
                    )

    def _untrue(self, run: Run, event: Event, unit: Watchable) -> Broken | None:
        minute = event.view.watched_at // 60
        of_it = {play.id for play in self.known.values() if play.thing is unit.thing}
        then = {play for play in of_it if self.known[play].at // 60_000 == minute}
        left = {play.id for play in self.plays}
        gone = self.by_hand.union(*self.removed.values())
        ours = then & self.added[run.undoes or run.run_id]
        match event.outcome, event.reason:
            case "sent", _ if not then & (left | gone):
                return "sent", f"no play then, of {self._when(of_it)}"
            case "removed", _ if ours & left or (run.undoes and not ours & self.removed[run.run_id]):
                return "removed", f"its plays are {self._when(ours)}, left {ours & left}"
            case "skipped", "already_removed" if ours & (left | self.removed[run.run_id]):
                return "already_removed", f"left {ours & left}, removed {ours & self.removed[run.run_id]}"
            case "skipped", "duplicate" if not of_it and unit.trakt_id is not None:
                return "duplicate", "no play of it was ever there"
            case "skipped", "not_completed":
                return self._untrue_not_completed(run, unit, of_it)
            case "skipped", "not_found" | "ambiguous" | "episode_not_found" | "rejected_by_trakt":
                if unit.title.id in self.chaos.ever_garbled or (run.note and event.reason == "not_found"):
                    return None  # what was not answered is called that, until it is
                if unit.trakt_id is not None:
                    return "refused", f"Trakt has it, as {unit.trakt_id}"
                if event.reason == "rejected_by_trakt" and not (self.chaos.poisoned or self.chaos.posts_troubled):
                    return "refused", "Trakt does not have it"
        return None

    def _when(self, plays: set[int]) -> list[int]:
        return sorted(self.known[play].at // 1000 for play in plays)

    def _untrue_not_completed(self, run: Run, unit: Watchable, plays: set[int]) -> Broken | None:
        ours = plays & self.all_added & {play.id for play in self.plays}
        if any(play <= self.reading.newest[run.run_id] for play in ours):
            return "begun again", f"it was sent: {self._when(ours)}"
        not_shown = self.reading.nothing[run.run_id] | self.reading.gone[run.run_id]
        readable = unit.title.id not in self.chaos.ever_garbled | not_shown
        if readable and any(self._was_finished(seen, run) for seen in unit.seen):
            return "not_completed", "Kinopub showed it as finished all the time"
        return None

    @staticmethod
    def _was_finished(seen: Seen, run: Run) -> bool:
        end = (run.finished_at or run.started_at) + 1  # runs tell whole seconds
        return seen.since < run.started_at and (seen.until is None or seen.until > end)

    # ------------------------------------------------ all the time

    def read(self, run_id: str, request: httpx.Request, response: httpx.Response) -> None:
        """Somebody was answered."""
        self.reading.note(run_id, request, response)

    def watch(self) -> None:
        self._watch_cursor()
        self._watch_runs()

    def _watch_cursor(self) -> None:
        """Whenever the cursor has moved: what lies behind it was dealt with."""
        stored = self.chaos.stored["Accounts"][(USER,)].get("cursor")
        if stored == self._cursor:
            return
        self._cursor = stored
        if (cursor := self.chaos.account().cursor) is None:
            return
        for unit, seen in self._not_dealt_with():
            if seen.row_at is not None and seen.row_at < cursor.last_seen and seen.times:
                self.broke("cursor", f"the cursor passed {unit.title.name}, seen {seen.times}, not at Trakt")

    def _watch_runs(self) -> None:
        """Whenever a run has succeeded: it has read what there was to read when it began, and dealt with it."""
        for (_, run_id), row in self.chaos.stored["Runs"].items():
            if row["status"]["S"] != "succeeded" or run_id in self._ended:
                continue
            self._ended.add(run_id)
            run = self.chaos.get(run_id)
            if not run.moves_cursor:
                continue
            for unit, seen in self._not_dealt_with():
                if seen.row_at is not None and max(seen.row_at, seen.since) < run.started_at:
                    self.broke("succeeded", f"run {run_id}, and {unit.name}, seen {seen.times}, is not at Trakt")
            for why in self.reading.unread(run_id):
                self.broke("succeeded", f"run {run_id}, and {why}")

    def _not_dealt_with(self) -> Iterator[tuple[Watchable, Seen]]:
        """Views that are at Kinopub, not at Trakt, and not remembered either."""
        for unit in self.chaos.viewing.units:
            for seen in unit.seen:
                if not seen.visible or seen.undone or seen.by_hand or unit.trakt_id is None:
                    continue
                if not any(seen.is_at(at) for at in self.plays_of(unit)) and not self._is_remembered(unit):
                    yield unit, seen

    def _is_remembered(self, unit: Watchable) -> bool:
        """What could not be read when the cursor passed it is looked at again: the title, or the row."""
        waiting = {title.item for _, title in self.chaos.shop.rechecks.all(USER)}
        rows = [row for part in unit.parts if (row := self.chaos.viewing.viewer.rows.get(part.media))]
        return bool(waiting & {unit.title.id, *(-row.media for row in rows), *(-row.last_seen for row in rows)})


class Reading:
    """What each run was answered, and what it was not."""

    def __init__(self, chaos: "Chaos") -> None:
        self.chaos = chaos
        self.rows: dict[str, set[int]] = defaultdict(set)
        """Run → pages of Kinopub's history of which it has not seen the rows when it last asked."""
        self.nothing: dict[str, set[int]] = defaultdict(set)
        """Run → titles of which Kinopub showed nothing, as it did of all."""
        self.gone: dict[str, set[int]] = defaultdict(set)
        """Run → titles of which it showed nothing, while it showed others."""
        self.answered: dict[str, set[int]] = defaultdict(set)
        """Run → titles of which it showed something."""
        self.newest: dict[str, int] = defaultdict(int)
        """Run → the newest history id when Kinopub first showed it a title."""

    def note(self, run_id: str, request: httpx.Request, response: httpx.Response) -> None:
        path, options = request.url.path, self.chaos.upstreams.kinopub.options
        if path == "/v1/history" and response.status_code == 200:
            self._note_page(run_id, request, response)
        elif path == "/v1/watching" and response.status_code in (200, 404):
            self.newest.setdefault(run_id, self.chaos.upstreams.trakt.last_play_id)
            item = int(request.url.params["id"])
            odd = (options.watching_gone, options.watching_empty, options.watching_bare)
            lists = self.answered if not any(odd) or _lists(response) else self.nothing if True in odd else self.gone
            lists[run_id].add(item)

    def _note_page(self, run_id: str, request: httpx.Request, response: httpx.Response) -> None:
        page, perpage = (int(request.url.params[name]) for name in ("page", "perpage"))
        wanted = list(self.chaos.viewing.viewer.page(page, perpage))
        again = page > 1 and self.chaos.upstreams.kinopub.options.endless_history
        if wanted and (again or not json.loads(response.read())["history"]):
            self.rows[run_id].add(page)
        else:
            self.rows[run_id].discard(page)

    def unread(self, run_id: str) -> Iterator[str]:
        """Why the run cannot say that it has read everything."""
        if self.rows[run_id]:
            yield f"pages {self.rows[run_id]} of the history were not shown to it"
        nothing, answered = self.nothing[run_id], self.answered[run_id]
        before = set().union(*(items for run, items in self.answered.items() if run < run_id))
        if nothing and not answered and (before - nothing or len(nothing) >= LONE):
            yield f"of none of {nothing} it was shown anything, nor of any other"


def _lists(response: httpx.Response) -> bool:
    item = json.loads(response.read()).get("item", {}) if response.status_code == 200 else {}
    return bool(item.get("videos") or item.get("seasons"))


def run_problems(world: World, run: Run) -> list[str]:
    """What the run's own numbers must say (http-api.md, run)."""
    counts, events = run.counts, world.events(run) if run.plan else []
    skipped = sum(counts["skipped"].values())
    found = [] if run.is_finished else ["it never ended"]
    if run.mode == "undo":
        return found + _undo_problems(run, events)
    if run.status == "succeeded":
        # What was sent and is shown as begun is skipped as a duplicate, though it is not completed.
        more = counts["sent"] + skipped - counts["completed"] - counts["skipped"]["not_completed"]
        if not 0 <= more <= counts["skipped"]["duplicate"]:
            found.append(f"its numbers do not add up: {counts}")
        gone = counts["already_removed"]  # of what it sent: an undo has found them gone
        for outcomes, count in (({"sent", "removed"}, counts["sent"] - gone), ({"skipped"}, skipped + gone)):
            told = sum(event.outcome in outcomes for event in events)
            if told != count:
                found.append(f"its report tells of {told} {outcomes}, its numbers of {count}")
    if run.status == "failed" and counts["sent"]:
        found.append(f"it sent {counts['sent']}")
    if run.status == "partial" and not counts["sent"]:
        found.append("it sent nothing")
    return found


def _undo_problems(run: Run, events: Sequence[Event]) -> list[str]:
    removed, already = run.counts.get("removed", run.counts["sent"]), run.counts.get("already_removed", 0)
    found = []
    if run.status == "succeeded" and removed + already != run.counts["planned"]:
        found.append(f"it removed {removed} of {run.counts['planned']}, {already} were removed before")
    for said, count in (("removed", removed), ("already_removed", already)):
        told = sum(said in (event.outcome, event.reason) for event in events)
        if run.status == "succeeded" and told != count:
            found.append(f"its report tells of {told} {said}, its numbers of {count}")
    if run.status == "failed" and removed:
        found.append(f"it removed {removed}")
    return found
