"""A Watchferry to which everything happens that may happen to it, in an order that a test chooses and can repeat.

A program is a list of actions. What a person, the schedule, the queues, the upstreams and the cloud do are actions; a
delivery carries interruptions: at its n-th call of DynamoDB, a queue or an upstream the worker dies, gets an error, has
the call repeated by its library, or is so slow that whole other actions — other workers' deliveries among them — happen
meanwhile. Everything is one thread of control, so a program always does the same.

`heal` ends all trouble; `problems` says what promise was broken.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import httpx

from tests.memory_dynamo import MemoryDynamo, refused
from tests.upstreams import Fault, Library, film, series
from tests.upstreams.titles import State, Title, Unit
from tests.world import NOW, MemoryQueues, Message, World
from watchferry.errors import ConnectAgain, NotConnected, Problem
from watchferry.models import MOVED_AT_LEAST
from watchferry.storage.account import Provider, RunActive
from watchferry.storage.accounts import RUN_LEASE
from watchferry.storage.runs import Run
from watchferry.sync.queues import MalformedMessage
from watchferry.sync.schedule import enqueue_due

USER = "harry"
VISIBILITY = {"plan": 1800.0, "send": 360.0}
LIFETIME = {"plan": 300.0, "send": 60.0}
MOST_RECEIVES = 5
"""As in template.yaml."""

PATIENCE = 20.0
"""Seconds after which the HTTP client gives up on an answer."""
PER_PAGE = 3
"""Rows of Kinopub's history that come in one answer; so few that there are several pages."""

LATEST = 50
"""Seconds after its client gave up, or died, for which a request may still be at work."""
UNKNOWN = b"tt9899991"
DAY = 86_400


class Killed(BaseException):
    """The function's process is gone; nothing of it may run any more."""


# ---------------------------------------------------------------- actions


@dataclass(frozen=True)
class Watch:
    """The viewer finishes a film, a part or an episode, once more if need be.

    `row`: `updated` stays null, as long as it has no row yet (an older row's time could be taken for this view's when
    the row moves between the reading of the history and that of the title).
    """

    unit: int
    timed_by: Literal["updated", "row"] = "updated"
    told: bool = False
    """Another program tells Trakt of it at once."""


@dataclass(frozen=True)
class Begin:
    """The viewer begins (again) and does not finish."""

    unit: int


@dataclass(frozen=True)
class FinishUnseen:
    """What was begun is finished without a new row: only `/v1/watching` knows."""

    unit: int


@dataclass(frozen=True)
class Drift:
    """`updated` moves during the credits."""

    unit: int
    seconds: int


@dataclass(frozen=True)
class MarkShow:
    """Bulk marking: all that is left of the show in one second, one row for all; `timeless`: nothing says when."""

    timeless: bool = False


@dataclass(frozen=True)
class Start:
    """The person starts a run."""

    full: bool = False
    mode: Literal["sync", "preview"] = "sync"


@dataclass(frozen=True)
class Confirm:
    """The person agrees to the plan that waits, if one does."""


@dataclass(frozen=True)
class Cancel:
    """The person cancels the run that is active, or waits."""


@dataclass(frozen=True)
class Undo:
    """The person undoes one of the runs that can be."""

    pick: int = 0


@dataclass(frozen=True)
class Limit:
    """The person wants to be asked before so many plays are sent."""

    confirm_above: int


@dataclass(frozen=True)
class Tick:
    """The schedule ticks."""


@dataclass(frozen=True)
class Reconnect:
    """An account is disconnected and connected again, at once."""

    provider: Provider


@dataclass(frozen=True)
class Disconnect:
    provider: Provider


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    seconds: int


@dataclass(frozen=True)
class Trouble:
    """The next so many fitting requests meet a fault."""

    at: Literal["post", "trakt", "kinopub"]
    fault: str
    times: int = 1
    skip: int = 0


@dataclass(frozen=True)
class Garble:
    """From now on Kinopub or Trakt answers nonsense, or an error, for one title or row: a fault of `GARBLED`.

    `title`: one of the library's, by its place.
    """

    title: int
    how: str


@dataclass(frozen=True)
class Clear:
    """What was garbled can be read again."""


@dataclass(frozen=True)
class Poison:
    """Trakt refuses every POST with the film that it does not have, in place of naming it in `not_found`."""


@dataclass(frozen=True)
class LatePost:
    """The next POST gets no answer, and its effect comes this long after the client gave up."""

    after: int


@dataclass(frozen=True)
class Interruption:
    """At the worker's call number `at`, or the first whose name has `at` in it.

    `effect`: whether it comes after the call's effect or instead of it.
    """

    at: int | str
    what: Literal["crash", "error", "repeat", "meanwhile"]
    effect: bool = False
    late: int = 0
    """Of a crash during a POST without effect: the effect comes so many seconds later, if not 0."""
    meanwhile: tuple["Action", ...] = ()


@dataclass(frozen=True)
class Deliver:
    """One of the visible messages is delivered; where there is none, time passes until there is.

    `copies` of it stay on the queue: standard queues deliver at least once.
    """

    pick: int = 0
    interruptions: tuple[Interruption, ...] = ()
    copies: int = 0


@dataclass(frozen=True)
class Work:
    """So many messages are delivered, in the order of their time, without anything happening."""

    messages: int


type Action = (
    Watch
    | Begin
    | FinishUnseen
    | Drift
    | MarkShow
    | Start
    | Confirm
    | Cancel
    | Undo
    | Limit
    | Tick
    | Reconnect
    | Disconnect
    | Pass
    | Trouble
    | LatePost
    | Garble
    | Clear
    | Poison
    | Deliver
    | Work
)

FAULTS: dict[str, dict[str, Any]] = {
    "reset before": {"reset": True},
    "reset after": {"reset": True, "when": "after"},
    "silence after": {"delay": PATIENCE + 1, "when": "after"},
    "502 before": {"preset": "bad_gateway"},
    "503 after": {"preset": "unavailable", "when": "after"},
    "500 after": {"preset": "server_error", "when": "after"},
    "520 before": {"preset": "edge_520"},
    "409": {"preset": "conflict"},
    "429": {"preset": "rate_limited"},
    "429 bare": {"preset": "edge_429"},
    "401": {"preset": "unauthorized"},
    "403": {"preset": "firewall"},
    "420": {"preset": "account_limit"},
    "423": {"preset": "locked"},
    "426": {"preset": "vip_only"},
    "garbage after": {"preset": "garbage", "when": "after"},
    "html after": {"preset": "html_ok", "when": "after"},
}

GARBLED = ("no item", "no list", "500", "410", "unit", "row", "media", "search 404", "search 503", "seasons", "details")
"""What of a title cannot be read: its watching, one unit of it, its history's rows, what Trakt says of it."""


# ---------------------------------------------------------------- what was watched


@dataclass(slots=True, eq=False)
class Seen:
    """One view as the person knows it: it ought to be one play."""

    times: list[int]
    """Each `watched_at` that Kinopub showed for it; empty when nothing, or only the row, said when."""
    row_at: int | None
    visible: bool = True
    """Kinopub still shows it: no later view or new beginning has taken its place."""
    undone: bool = False
    """Its play was removed by an undo: it must not come back."""


@dataclass(slots=True, eq=False)
class Watchable:
    title: Title
    parts: list[Unit]
    seen: list[Seen] = field(default_factory=list)
    settled: bool = False
    """Its time is not known to us any more (made up by the run): no later view can be told from it."""

    @property
    def trakt_id(self) -> int | None:
        return self.title.trakt_id(self.parts[0])

    @property
    def apart(self) -> int:
        """Seconds from which on two times are two views."""
        return max(sum(part.duration for part in self.parts), MOVED_AT_LEAST)


def small_library(now: float) -> Library:
    """Films: plain, in two parts, without an IMDb id, not on Trakt; a show of three episodes, one not on Trakt."""
    library = Library(now)
    film(library, "Матрица / The Matrix", 1999, "tt0133093", item=113, minutes=20)
    film(library, "Ирония судьбы / The Irony of Fate", 1976, "tt0073179", item=321, minutes=20, parts=2)
    film(library, "Солярис / Solaris", 1972, "tt0069293", item=308, minutes=20, shown=None)
    film(library, "Невидимый город", 2020, "tt9899991", item=311, known=False, lost="not_found")
    series(library, "Укрытие / Silo", 2023, "tt14688458", {1: 3}, item=91_002, minutes=20, without=[(1, 3)])
    return library


# ---------------------------------------------------------------- the world


@dataclass(slots=True)
class Worker:
    kill_at: float
    script: list[Interruption]
    run_id: str
    calls: int = 0
    dead: bool = False

    def interruption(self, name: str) -> Interruption | None:
        """Of this call, which is counted."""
        number, self.calls = self.calls, self.calls + 1
        for each in self.script:
            if each.at == number or (isinstance(each.at, str) and each.at in name):
                self.script.remove(each)
                return each
        return None


class Chaos(World):
    def __init__(self) -> None:
        self.working: list[Worker] = []
        self.late: list[tuple[float, Callable[[], object]]] = []
        self.late_posts: list[int] = []
        self.poisoned = False
        self.garbled: dict[int, str] = {}
        """Title → how."""
        self.lost_messages = 0
        self.away: set[str] = set()
        self.broken: list[str] = []
        self.trace: list[str] = []
        memory = MemoryDynamo()
        self.stored = memory.tables
        super().__init__(small_library(NOW), dynamo=_WatchedDynamo(memory, self))
        library = self.upstreams.library
        self.units = [
            Watchable(title, parts)
            for title in library.titles.values()
            for parts in ([[unit] for unit in title.units] if title.season_based else [title.units])
        ]
        self.viewer = library.viewer(USER)
        self.settings(enabled=True, batch_size=2)
        self.shop.upstreams.broker = _Credentials(self)
        self._cursor: Any = None
        self.runs_begun: list[str] = []
        self.added: dict[str, set[int]] = defaultdict(set)
        """Run → history ids of the plays that its POSTs have made, whenever their effect came."""

    def transport(self) -> httpx.BaseTransport:
        return _WatchedTransport(super().transport(), self)

    def new_queues(self) -> MemoryQueues:
        return _WatchedQueues(self)

    # ------------------------------------------------ actions

    def play(self, program: Sequence[Action]) -> None:
        for action in program:
            self.act(action)

    def act(self, action: Action) -> None:  # noqa: PLR0912 - one case for each action
        self.trace.append(f"{'  ' * len(self.working)}{self.now - NOW:9.1f} {action}")
        if isinstance(action, Watch | Begin | FinishUnseen | MarkShow):
            self.now += 1  # nobody does two things in one second
        match action:
            case Watch():
                self.watch(action)
            case Begin(unit):
                self.begin(self.units[unit % len(self.units)])
            case FinishUnseen(unit):
                self.finish_unseen(unit)
            case Drift(unit, seconds):
                self.drift(unit, seconds)
            case MarkShow(timeless):
                self.mark_show(timeless)
            case Start(full, mode):
                self._outside(lambda: self.begin_run(full, mode))
            case Confirm():
                self._outside(lambda: self.on_run(self.confirm, self.account().awaiting_run_id))
            case Cancel():
                account = self.account()
                self._outside(lambda: self.on_run(self.cancel, account.active_run_id or account.awaiting_run_id))
            case Undo(pick):
                self._outside(lambda: self.undo_one_of(pick))
            case Limit(confirm_above):
                self._outside(lambda: self.settings(confirm_above=confirm_above))
            case Tick():
                self._outside(lambda: enqueue_due(self.shop.accounts, self.queues, at=self.now, spread=0))
            case Reconnect(provider):
                self._outside(lambda: self.reconnect(provider))
            case Disconnect(provider):
                self.away.add(provider)
                self._outside(lambda: self.shop.accounts.disconnect(USER, provider))
            case Pass(seconds):
                self.now += seconds
            case Trouble(at, fault, times, skip):
                self.trouble(at, fault, times, skip)
            case LatePost(after):
                self.late_posts.append(after)
            case Garble(title, how):
                titles = list(self.upstreams.library.titles)
                self.garbled[titles[title % len(titles)]] = how
            case Clear():
                self.garbled.clear()
            case Poison():
                self.poisoned = True
            case Deliver():
                self.deliver_one(action)
            case Work(messages):
                for _ in range(messages):
                    self.deliver_one(Deliver())
        self._watch_cursor()

    def _outside(self, call: Callable[[], object]) -> None:
        """What no worker does is not interrupted."""
        working, self.working = self.working, []
        try:
            call()
        finally:
            self.working = working

    def begin_run(self, full: bool, mode: Literal["sync", "preview"] = "sync") -> None:
        with suppress(RunActive):
            self.runs_begun.append(self.start(USER, mode, full=full))

    def on_run(self, act: Callable[[str], object], run_id: str | None) -> None:
        """What the API would refuse is not done."""
        if run_id is not None:
            with suppress(Problem, RunActive):
                act(run_id)

    def undo_one_of(self, pick: int) -> None:
        runs = [run for run in self.shop.runs.newest(USER, limit=1000) if run.can_be_undone]
        if runs:
            self.on_run(self.undo, runs[pick % len(runs)].run_id)

    def reconnect(self, provider: Provider) -> None:
        self.shop.accounts.disconnect(USER, provider)
        self.away.discard(provider)
        self.shop.accounts.connect(USER, provider)

    def trouble(self, at: str, fault: str, times: int, skip: int) -> None:
        app = self.upstreams.kinopub if at == "kinopub" else self.upstreams.trakt
        method = "POST" if at == "post" else "GET"
        app.faults.add(Fault(method=method, times=times, skip=skip, **FAULTS[fault]))

    # ------------------------------------------------ the person

    def _one_of(self, number: int, fits: Callable[[Watchable], bool]) -> Watchable | None:
        """Of the units that fit: most numbers mean something then."""
        fitting = [unit for unit in self.units if fits(unit)]
        return fitting[number % len(fitting)] if fitting else None

    def _is_new(self, unit: Watchable) -> bool:
        """Whether a view now is another one than the last."""
        if not unit.seen:
            return True
        return not unit.settled and int(self.now) - max(unit.seen[-1].times) >= unit.apart

    def _finished(self, unit: Watchable, at: int | None, row_at: int | None) -> None:
        if all(self.viewer.state(part).status == 1 for part in unit.parts):
            for earlier in unit.seen:
                earlier.visible = False
            unit.seen.append(Seen([] if at is None else [at], row_at))
            unit.settled = at is None

    def watch(self, action: Watch) -> None:
        unit = self._one_of(action.unit, self._is_new)
        if unit is not None:
            self._watch(unit, action)

    def _watch(self, unit: Watchable, action: Watch) -> None:
        now = int(self.now)
        part = next((part for part in unit.parts if self.viewer.state(part).status != 1), unit.parts[-1])
        by_row = (
            action.timed_by == "row"
            and not unit.seen
            and not any(each.media in self.viewer.rows for each in unit.parts)
        )
        self.viewer.states[part.media] = State(1, part.duration, None if by_row else now)
        self.viewer.see(part, now, part.duration)
        before = len(unit.seen)
        self._finished(unit, None if by_row else now, now)
        if not by_row and action.told and len(unit.seen) > before and unit.trakt_id is not None:
            thing = unit.title.trakt if not unit.title.season_based else unit.title.trakt_episode(unit.parts[0])
            self.upstreams.trakt.add_play(USER, thing, now)
            unit.settled = True  # at this minute and no other: a time that moves before we see it is another key

    def begin(self, unit: Watchable) -> None:
        part = unit.parts[0]
        self.viewer.states[part.media] = State(0, 5, int(self.now))
        self.viewer.see(part, int(self.now), 5)
        for earlier in unit.seen:
            earlier.visible = False

    def finish_unseen(self, number: int) -> None:
        unit = self._one_of(number, lambda unit: self.viewer.state(unit.parts[0]).status == 0 and self._is_new(unit))
        if unit is not None:
            part = unit.parts[0]
            self.viewer.states[part.media] = State(1, part.duration, int(self.now))
            self._finished(unit, int(self.now), None)

    def drift(self, number: int, seconds: int) -> None:
        unit = self._one_of(number, lambda unit: bool(unit.seen) and unit.seen[-1].visible and not unit.settled)
        if unit is None:
            return
        seen = unit.seen[-1]
        at = max(seen.times) + seconds
        if at > self.now or at - seen.times[0] >= unit.apart:
            return
        part = max(unit.parts, key=self._time_of)
        if self.viewer.states[part.media].updated is not None:
            self.viewer.states[part.media].updated = at
        if part.media in self.viewer.rows:
            self.viewer.see(part, at, part.duration)
            seen.row_at = at
        seen.times.append(at)

    def _time_of(self, part: Unit) -> int:
        row = self.viewer.rows.get(part.media)
        return self.viewer.state(part).updated or (row.last_seen if row else 0)

    def mark_show(self, timeless: bool) -> None:
        """The last episode has the row that makes the show a candidate; what has no time was never watched before."""
        show = [unit for unit in self.units if unit.title.season_based]
        now, last = int(self.now), show[-1]
        if not self._is_new(last):
            return
        for unit in show[:-1]:
            part = unit.parts[0]
            if self.viewer.state(part).status == 1 or not self._is_new(unit) or (timeless and unit.seen):
                continue
            known_time = part.media in self.viewer.rows
            self.viewer.states[part.media] = State(1, part.duration, None if timeless and not known_time else now)
            self._finished(unit, None if timeless and not known_time else now, None)
        self._watch(last, Watch(0))

    # ------------------------------------------------ the cloud

    def deliver_one(self, action: Deliver) -> None:
        waiting = sorted(self.queues.messages, key=lambda message: (message.due, message.number))
        if not waiting:
            return
        visible = [message for message in waiting if message.due <= self.now]
        if not visible:
            self.now = waiting[0].due
            visible = [message for message in waiting if message.due <= self.now]
        message = visible[action.pick % len(visible)]
        self.queues.messages.remove(message)
        for _ in range(action.copies):
            self.queues.messages.append(replace(message, due=self.now, number=next(self.queues.numbers)))
        self.invoke(message, action.interruptions)

    def invoke(self, message: Message, interruptions: Sequence[Interruption]) -> None:
        started = self.now
        run_id = json.loads(message.body)["run_id"]
        worker = Worker(started + LIFETIME[message.kind], list(interruptions), run_id)
        message.receives += 1
        self.working.append(worker)
        try:
            result = self.deliver(message)
        except Killed:
            result = "killed"
        except MalformedMessage as trouble:
            result = f"malformed: {trouble}"
        except Exception as trouble:
            result = f"{type(trouble).__name__}: {trouble}"
        else:
            message = None  # type: ignore[assignment]
        finally:
            self.working.pop()
        self.trace.append(f"{'  ' * len(self.working)}          -> {result} after {worker.calls} calls")
        self.results.append(result)
        if message is not None and message.receives < MOST_RECEIVES:
            back = max(self.now, started + VISIBILITY[message.kind])
            self.queues.messages.append(replace(message, due=back))
        elif message is not None:
            self.lost_messages += 1

    def io(self, name: str, effect: Callable[[], Any], error: Callable[[], Exception]) -> Any:
        """A call that leaves the process."""
        self.land()
        if not self.working:
            return effect()
        worker = self.working[-1]
        self._live(worker)
        interruption = worker.interruption(name)
        if interruption is None:
            return effect()
        self.trace.append(f"{'  ' * len(self.working)}          {interruption.what} at {name}")
        if interruption.what == "meanwhile":
            if not interruption.effect:
                self._meanwhile(interruption.meanwhile, worker)
                return effect()
            answer = effect()
            self._meanwhile(interruption.meanwhile, worker)
            return answer
        if interruption.what == "repeat" and name.startswith("dynamo") and "transact" not in name:
            effect()
            return effect()
        if interruption.what == "repeat":
            return effect()
        try:
            if interruption.effect:
                effect()
            elif interruption.late and name.startswith("POST"):
                self.late.append((self.now + min(interruption.late, LATEST), effect))
        finally:
            if interruption.what == "crash":
                worker.dead = True
                raise Killed
        raise error()

    def _meanwhile(self, actions: Sequence[Action], worker: Worker) -> None:
        self.play(actions)
        assert self.working[-1] is worker
        self._live(worker)

    def _live(self, worker: Worker) -> None:
        if worker.dead or self.now >= worker.kill_at:
            worker.dead = True
            raise Killed

    def land(self) -> None:
        """The effects of requests whose clients gave up on them."""
        due = [each for each in self.late if each[0] <= self.now]
        self.late = [each for each in self.late if each[0] > self.now]
        for _, effect in due:
            with suppress(httpx.HTTPError):
                effect()

    # ------------------------------------------------ the end

    def heal(self) -> None:
        """All trouble ends; then the schedule goes on as ever, for as long as it takes to make up for everything."""
        for app in (self.upstreams.trakt, self.upstreams.kinopub):
            app.faults.clear()
        self.garbled.clear()
        self.late_posts.clear()
        for provider in sorted(self.away):
            self.reconnect(provider)  # type: ignore[arg-type]
        self.settings(enabled=True, confirm_above=None)
        self.finish_all()
        for wait in (RUN_LEASE + 1, DAY + 1):
            self.now += wait
            self.settings(enabled=True)
            self.act(Tick())
            self.finish_all()

    def finish_all(self) -> None:
        for _ in range(2_000):
            if not self.queues.messages:
                return
            self.deliver_one(Deliver())
            self._watch_cursor()
        raise AssertionError("the queues do not run dry")

    def problems(self) -> list[str]:
        """Every promise that was broken, in words."""
        self.now += 200
        self.land()
        found = [*self.broken, *self._of_plays(), *self._of_runs(), *self._of_undos()]
        for app in (self.upstreams.trakt, self.upstreams.kinopub):
            app.forget()
        self.now += 10
        self.act(Tick())
        self.finish_all()
        if (calls := self.calls()) != {"trakt": 0, "kinopub": 1}:
            found.append(f"an idle run made {calls}")
        return found

    def plays_of(self, unit: Watchable) -> list[int]:
        """Seconds of each play that Trakt has of it."""
        plays = self.upstreams.trakt.users[USER].plays
        return sorted(play.at // 1000 for play in plays if play.thing.trakt == unit.trakt_id)

    def _of_plays(self) -> list[str]:
        known = {unit.trakt_id for unit in self.units}
        plays = self.upstreams.trakt.users[USER].plays
        found = [f"a play of nothing that was watched: {play}" for play in plays if play.thing.trakt not in known]
        for unit in self.units:
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
        if self.account().active_run_id:
            found.append(f"run {self.account().active_run_id} is still active")
        for run in self.shop.runs.newest(USER, limit=1000):
            found += [f"run {run.run_id} ({run.status}): {each}" for each in run_problems(self, run)]
        return found

    def _of_undos(self) -> list[str]:
        """Of a run that was undone nothing is left."""
        left = {play.id for play in self.upstreams.trakt.users[USER].plays}
        return [
            f"run {run.undoes} was undone and has plays at Trakt: {still}"
            for run in self.shop.runs.newest(USER, limit=1000)
            if run.undoes and run.status == "succeeded" and (still := self.added[run.undoes] & left)
        ]

    def posted(self, run_id: str, request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        """A POST has its effect: whose plays came of it, and that none leaves which the undone run did not add."""
        plays = self.upstreams.trakt.users[USER].plays
        before = {play.id: play for play in plays}
        try:
            return send()
        finally:  # whatever becomes of the answer
            after = {play.id for play in plays}
            self.added[run_id] |= after - before.keys()
            undoes = self.stored["Runs"].get((USER, run_id), {}).get("undoes", {}).get("S", "")
            for play_id in before.keys() - after:
                self._removed(before[play_id], own=play_id in self.added[undoes], by=run_id)

    def _removed(self, play: Any, *, own: bool, by: str) -> None:
        if not own:
            self.broken.append(f"run {by} removed a play that was not the undone run's: {play}")
        for unit in self.units:
            for seen in unit.seen:
                seen.undone |= unit.trakt_id == play.thing.trakt and (play.at // 1000 in seen.times or not seen.times)

    def _watch_cursor(self) -> None:
        """Whenever the cursor has moved: what lies behind it was dealt with."""
        stored = self.stored["Accounts"][(USER,)].get("cursor")
        if stored == self._cursor:
            return
        self._cursor = stored
        if (cursor := self.account().cursor) is None:
            return
        for unit in self.units:
            for seen in unit.seen:
                passed = seen.visible and seen.row_at is not None and seen.row_at < cursor.last_seen
                if passed and not self._is_remembered(unit) and not seen.undone and unit.trakt_id is not None:
                    plays = self.plays_of(unit)
                    if not any(at in seen.times for at in plays) and seen.times:
                        self.broken.append(f"the cursor passed {unit.title.name}, seen {seen.times}, not at Trakt")

    def _is_remembered(self, unit: Watchable) -> bool:
        """What could not be read when the cursor passed it is looked at again: the title, or the row."""
        waiting = {title.item for _, title in self.shop.rechecks.all(USER)}
        return bool(waiting & {unit.title.id, *(-part.media for part in unit.parts)})


def run_problems(world: World, run: Run) -> list[str]:
    """What the run's own numbers must say (http-api.md, run)."""
    found = []
    skipped = sum(run.counts["skipped"].values())
    unfinished = run.counts["skipped"]["not_completed"]
    if not run.is_finished:
        found.append("it never ended")
    if run.mode == "undo":
        if run.status == "succeeded" and run.counts["sent"] != run.counts["planned"]:
            found.append(f"it removed {run.counts['sent']} of {run.counts['planned']}")
    elif run.status == "succeeded" and run.counts["sent"] + skipped != run.counts["completed"] + unfinished:
        found.append(f"its numbers do not add up: {run.counts}")
    if run.status == "failed" and run.counts["sent"]:
        found.append(f"it sent {run.counts['sent']}")
    if run.status == "partial" and not run.counts["sent"]:
        found.append("it sent nothing")
    events = world.events(run) if run.plan else []
    for outcome, count in (("sent", run.counts["sent"]), ("skipped", skipped)):
        told = sum(event.outcome == outcome or (outcome, event.outcome) == ("sent", "removed") for event in events)
        if run.status == "succeeded" and told != count:
            found.append(f"its report tells of {told} {outcome}, its numbers of {count}")
    return found


# ---------------------------------------------------------------- where calls pass


class _WatchedDynamo:
    def __init__(self, inner: MemoryDynamo, chaos: Chaos) -> None:
        self.exceptions = inner.exceptions
        self._inner, self._chaos = inner, chaos

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = getattr(self._inner, operation)

        def watched(**request: Any) -> Any:
            name = f"dynamo {operation} {_tables(request)}"
            return self._chaos.io(name, lambda: call(**request), lambda: refused("InternalServerError", operation))

        return watched


def _tables(request: dict[str, Any]) -> str:
    if "TransactItems" in request:
        names = [part["TableName"] for each in request["TransactItems"] for part in each.values()]
        return "+".join(dict.fromkeys(names))
    return request.get("TableName") or "+".join(request["RequestItems"])


class _WatchedQueues(MemoryQueues):
    def __init__(self, chaos: Chaos) -> None:
        super().__init__(lambda: chaos.now)
        self._chaos = chaos

    def _add(self, kind: str, jobs: Any) -> None:
        call = super()._add
        self._chaos.io(f"queue {kind}", lambda: call(kind, jobs), lambda: refused("ServiceUnavailable", "SendMessage"))


class _WatchedTransport(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport, chaos: Chaos) -> None:
        self._inner, self._chaos = inner, chaos

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        chaos = self._chaos
        name = f"{request.method} {request.url.path}"
        if request.url.path == "/v1/history":
            request.url = request.url.copy_set_param("perpage", PER_PAGE)
        run_id = chaos.working[-1].run_id if chaos.working else ""
        return chaos.io(  # type: ignore[no-any-return]
            name, lambda: self._send(request, run_id), lambda: httpx.ReadError("reset", request=request)
        )

    def _send(self, request: httpx.Request, run_id: str) -> httpx.Response:
        chaos = self._chaos
        if request.method == "POST":
            return chaos.posted(run_id, request, lambda: self._post(request, run_id))
        response = self._inner.handle_request(request)
        return _garbled(chaos, request, response) if chaos.garbled and response.status_code == 200 else response

    def _post(self, request: httpx.Request, run_id: str) -> httpx.Response:
        chaos = self._chaos
        if chaos.poisoned and UNKNOWN in request.read():
            return httpx.Response(422, json={"errors": {"base": ["is invalid"]}}, request=request)
        if chaos.late_posts:
            after = min(chaos.late_posts.pop(0), LATEST)
            waited = min(PATIENCE, chaos.working[-1].kill_at - chaos.now)
            chaos.now += waited
            late = partial(chaos.posted, run_id, request, lambda: self._inner.handle_request(request))
            chaos.late.append((chaos.now + after, late))
            raise httpx.ReadTimeout("the read operation timed out", request=request)
        return self._inner.handle_request(request)


def _garbled(  # noqa: PLR0912 - one case for each way
    chaos: Chaos, request: httpx.Request, response: httpx.Response
) -> httpx.Response:
    path, answer = request.url.path, json.loads(response.read())
    titles = chaos.upstreams.library.titles
    status = 200
    for item, how in chaos.garbled.items():
        title, asked = titles[item], request.url.params.get("id") == str(item)
        if path == "/v1/history":
            for row in [row for row in answer["history"] if row["item"] and row["item"]["id"] == item]:
                if how == "row":
                    row["item"] = None
                if how == "media":
                    row["media"] = []
                if how == "details":
                    row["item"] |= {"year": "1999-2001", "title": []}
                    row["item"].pop("imdb", None)
        elif path == "/v1/watching" and asked:
            if how in ("500", "410"):
                status = int(how)
            elif how == "no item":
                answer["item"] = None
            elif how == "no list":
                answer["item"] |= {"videos": "3", "seasons": "3"}
            elif how == "unit":
                units = answer["item"].get("videos") or answer["item"]["seasons"][0]["episodes"]
                units[0]["status"] = "watched"
        elif path.startswith("/search/") and how.startswith("search "):
            names = [name.strip() for name in title.name.split("/")]
            if path.endswith(f"/{title.imdb}") or request.url.params.get("query") in names:
                status = int(how.removeprefix("search "))
        elif path.endswith("/seasons") and how == "seasons" and title.season_based:
            answer[0]["number"] = None
        elif path == f"/v1/items/{item}" and how == "details":
            answer = {"item": []}
    pages = {name: value for name, value in response.headers.items() if name.startswith("x-pagination")}
    return httpx.Response(status, json=answer, headers=pages, request=request)


@dataclass(slots=True)
class _Credential:
    """Works while its account is connected."""

    chaos: Chaos
    provider: str
    value: str

    def token(self) -> str:
        if self.provider in self.chaos.away:
            raise NotConnected(self.provider)
        return self.value

    def renewed(self, refused: str) -> str:
        if self.provider in self.chaos.away:
            raise ConnectAgain(self.provider)
        return self.value


@dataclass(slots=True)
class _Credentials:
    chaos: Chaos

    def credential(self, user_id: str, provider: str, *, until: float) -> _Credential:
        app: Any = self.chaos.upstreams.trakt if provider == "trakt" else self.chaos.upstreams.kinopub
        return _Credential(self.chaos, provider, app.grant(user_id).access)
