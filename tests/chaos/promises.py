"""What was promised, and which of it was broken: held against what the person watched and what Trakt has."""

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from tests.chaos.actions import Tick
from tests.chaos.viewing import USER, Watchable
from tests.world import World
from watchferry.storage.runs import Run

if TYPE_CHECKING:
    from tests.chaos.world import Chaos


class Promises:
    def __init__(self, chaos: "Chaos") -> None:
        self.chaos = chaos
        self.broken: list[str] = []
        self.added: dict[str, set[int]] = defaultdict(set)
        """Run → history ids of the plays that its POSTs have made, whenever their effect came."""
        self._cursor: Any = None

    def all_broken(self) -> list[str]:
        """Every promise that was broken, in words."""
        self.chaos.now += 200
        self.chaos.land()
        found = [*self.broken, *self._of_plays(), *self._of_runs(), *self._of_undos()]
        for app in (self.chaos.upstreams.trakt, self.chaos.upstreams.kinopub):
            app.forget()
        self.chaos.now += 10
        self.chaos.act(Tick())
        self.chaos.finish_all()
        if (calls := self.chaos.calls()) != {"trakt": 0, "kinopub": 1}:
            found.append(f"an idle run made {calls}")
        return found

    def plays_of(self, unit: Watchable) -> list[int]:
        """Seconds of each play that Trakt has of it."""
        plays = self.chaos.upstreams.trakt.users[USER].plays
        return sorted(play.at // 1000 for play in plays if play.thing.trakt == unit.trakt_id)

    def _of_plays(self) -> list[str]:
        known = {unit.trakt_id for unit in self.chaos.viewing.units}
        plays = self.chaos.upstreams.trakt.users[USER].plays
        found = [f"a play of nothing that was watched: {play}" for play in plays if play.thing.trakt not in known]
        for unit in self.chaos.viewing.units:
            if unit.trakt_id is None:
                continue
            name = f"{unit.title.name} {unit.parts[0].season}x{unit.parts[0].number}"
            left = self.plays_of(unit)
            for seen in sorted(unit.seen, key=lambda seen: not seen.times):
                own = [at for at in left if at in seen.times or not seen.times]
                left = [at for at in left if at not in own]
                if len(own) > 1:
                    found.append(f"duplicate: {name} is at Trakt {len(own)} times: {own}, seen {seen.times}")
                if own and seen.undone:
                    found.append(f"undone and sent again: {name}, seen {seen.times}")
                if not own and seen.visible and not seen.undone:
                    found.append(f"lost: {name}, seen {seen.times}")
            if left:
                found.append(f"unfinished or made up: {name} is at Trakt at {left}")
        return found

    def _of_runs(self) -> list[str]:
        found = []
        if self.chaos.account().active_run_id:
            found.append(f"run {self.chaos.account().active_run_id} is still active")
        for run in self.chaos.shop.runs.newest(USER, limit=1000):
            found += [f"run {run.run_id} ({run.status}): {each}" for each in run_problems(self.chaos, run)]
        return found

    def _of_undos(self) -> list[str]:
        """Of a run that was undone nothing is left."""
        left = {play.id for play in self.chaos.upstreams.trakt.users[USER].plays}
        return [
            f"run {run.undoes} was undone and has plays at Trakt: {still}"
            for run in self.chaos.shop.runs.newest(USER, limit=1000)
            if run.undoes and run.status == "succeeded" and (still := self.added[run.undoes] & left)
        ]

    def posted(self, run_id: str, request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        """A POST has its effect: whose plays came of it, and that none leaves which the undone run did not add."""
        plays = self.chaos.upstreams.trakt.users[USER].plays
        before = {play.id: play for play in plays}
        try:
            return send()
        finally:  # whatever becomes of the answer
            after = {play.id for play in plays}
            self.added[run_id] |= after - before.keys()
            undoes = self.chaos.stored["Runs"].get((USER, run_id), {}).get("undoes", {}).get("S", "")
            for play_id in before.keys() - after:
                self._removed(before[play_id], own=play_id in self.added[undoes], by=run_id)

    def _removed(self, play: Any, *, own: bool, by: str) -> None:
        if not own:
            self.broken.append(f"run {by} removed a play that was not the undone run's: {play}")
        for unit in self.chaos.viewing.units:
            for seen in unit.seen:
                seen.undone |= unit.trakt_id == play.thing.trakt and (play.at // 1000 in seen.times or not seen.times)

    def watch_cursor(self) -> None:
        """Whenever the cursor has moved: what lies behind it was dealt with."""
        stored = self.chaos.stored["Accounts"][(USER,)].get("cursor")
        if stored == self._cursor:
            return
        self._cursor = stored
        if (cursor := self.chaos.account().cursor) is None:
            return
        for unit in self.chaos.viewing.units:
            for seen in unit.seen:
                passed = seen.visible and seen.row_at is not None and seen.row_at < cursor.last_seen
                if passed and not self._is_remembered(unit) and not seen.undone and unit.trakt_id is not None:
                    plays = self.plays_of(unit)
                    if not any(at in seen.times for at in plays) and seen.times:
                        self.broken.append(f"the cursor passed {unit.title.name}, seen {seen.times}, not at Trakt")

    def _is_remembered(self, unit: Watchable) -> bool:
        """What could not be read when the cursor passed it is looked at again: the title, or the row."""
        waiting = {title.item for _, title in self.chaos.shop.rechecks.all(USER)}
        return bool(waiting & {unit.title.id, *(-part.media for part in unit.parts)})


def run_problems(world: World, run: Run) -> list[str]:
    """What the run's own numbers must say (http-api.md, run)."""
    found = []
    skipped = sum(run.counts["skipped"].values())
    unfinished = run.counts["skipped"]["not_completed"]
    if not run.is_finished:
        found.append("it never ended")
    if run.mode == "undo":
        taken_back = run.counts["removed"] + run.counts["already_removed"]
        if run.status == "succeeded" and taken_back != run.counts["planned"]:
            found.append(f"it removed {taken_back} of {run.counts['planned']}")
    elif run.status == "succeeded" and run.counts["sent"] + skipped != run.counts["completed"] + unfinished:
        found.append(f"its numbers do not add up: {run.counts}")
    if run.status == "failed" and run.has_effect:
        found.append(f"it had an effect: {run.counts}")
    if run.status == "partial" and not run.has_effect:
        found.append("it did nothing")
    events = world.events(run) if run.plan else []
    # Of what it sent an undo may have taken back some since then.
    told = {"sent": ("sent", "removed"), "skipped": ("skipped",)} if run.mode != "undo" else {"removed": ("removed",)}
    for outcome, outcomes in told.items():
        count = skipped if outcome == "skipped" else run.counts[outcome]
        gone = run.counts["already_removed"] if run.mode != "undo" else 0
        count += {"sent": -gone, "skipped": gone}.get(outcome, 0)
        if run.status == "succeeded" and (rows := sum(event.outcome in outcomes for event in events)) != count:
            found.append(f"its report tells of {rows} {outcome}, its numbers of {count}")
    return found
