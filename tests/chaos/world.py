"""The world to which it happens."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import httpx

from tests.chaos.actions import (
    FAULTS,
    LATEST,
    OTHERS,
    Action,
    Again,
    Begin,
    Cancel,
    Clear,
    Confirm,
    Deliver,
    Disconnect,
    Drift,
    Elsewhere,
    FinishUnseen,
    Garble,
    Interruption,
    LatePost,
    Limit,
    MarkShow,
    Odd,
    Pass,
    Poison,
    Reconnect,
    RemovedByHand,
    Start,
    TakeBack,
    Tell,
    Tick,
    Together,
    Trouble,
    Undo,
    Watch,
    Work,
)
from tests.chaos.calls import Credentials, Killed, WatchedDynamo, WatchedQueues, WatchedTransport, Worker
from tests.chaos.promises import Promises
from tests.chaos.viewing import USER, Viewing, small_library
from tests.memory_dynamo import MemoryDynamo
from tests.upstreams import Fault
from tests.world import NOW, MemoryQueues, Message, World
from watchferry.errors import Problem
from watchferry.storage.account import Provider, RunActive
from watchferry.storage.accounts import RUN_LEASE
from watchferry.sync.queues import MalformedMessage
from watchferry.sync.schedule import enqueue_due

VISIBILITY = {"plan": 1800.0, "send": 360.0}
LIFETIME = {"plan": 300.0, "send": 60.0}
MOST_RECEIVES = 5
"""As in template.yaml."""
MOST_READS = 150
"""Of one worker, of so few plays and rows: whoever makes more reads for ever."""

DAY = 86_400


class Chaos(World):
    def __init__(self) -> None:
        self.working: list[Worker] = []
        self.late: list[tuple[float, Callable[[], object]]] = []
        self.late_posts: list[int] = []
        self.poisoned = False
        self.garbled: dict[int, str] = {}
        """Title → how."""
        self.ever_garbled: set[int] = set()
        self.posts_troubled = False
        """Some answers to POSTs may be unreadable."""
        self.away: set[str] = set()
        self.trace: list[str] = []
        memory = MemoryDynamo()
        self.stored = memory.tables
        super().__init__(small_library(NOW), dynamo=WatchedDynamo(memory, self))
        self.viewing = Viewing(self)
        self.promises = Promises(self)
        self.settings(enabled=True, batch_size=2)
        self.shop.upstreams.broker = Credentials(self)

    def transport(self) -> httpx.BaseTransport:
        return WatchedTransport(super().transport(), self)

    def new_queues(self) -> MemoryQueues:
        return WatchedQueues(self)

    # ------------------------------------------------ actions

    def play(self, program: Sequence[Action]) -> None:
        for action in program:
            self.act(action)

    def act(self, action: Action) -> None:  # noqa: PLR0912 - one case for each action
        self.trace.append(f"{'  ' * len(self.working)}{self.now - NOW:9.1f} {action}")
        if isinstance(action, Watch | Begin | FinishUnseen | MarkShow | TakeBack | Together):
            self.now += 1  # nobody does two things in one second
        match action:
            case Watch():
                self.viewing.watch(action)
            case Together():
                self.viewing.together()
            case Begin(unit):
                self.viewing.begin(self.viewing.units[unit % len(self.viewing.units)])
            case FinishUnseen(unit):
                self.viewing.finish_unseen(unit)
            case TakeBack(unit):
                self.viewing.take_back(unit)
            case Drift(unit, seconds):
                self.viewing.drift(unit, seconds)
            case MarkShow(timeless):
                self.viewing.mark_show(timeless)
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
            case Odd():
                self.odd(action)
            case Elsewhere(plays, undated):
                self.viewing.told_elsewhere(plays, undated)
            case Tell(unit):
                self.viewing.tell(unit)
            case Again(pick):
                self.viewing.told_again(pick)
            case RemovedByHand(pick):
                self.viewing.removed_by_hand(pick)
            case LatePost(after):
                self.late_posts.append(after)
            case Garble(title, how):
                titles = list(self.upstreams.library.titles)
                self.garbled[titles[title % len(titles)]] = how
                self.ever_garbled.add(titles[title % len(titles)])
            case Clear():
                self.garbled.clear()
            case Poison():
                self.poisoned = True
            case Deliver():
                self.deliver_one(action)
            case Work(messages):
                for _ in range(messages):
                    self.deliver_one(Deliver())
        self.promises.watch()

    def _outside(self, call: Callable[[], object]) -> None:
        """What no worker does is not interrupted."""
        working, self.working = self.working, []
        try:
            call()
        finally:
            self.working = working

    def begin_run(self, full: bool, mode: Literal["sync", "preview"] = "sync") -> None:
        with suppress(RunActive):
            self.start(USER, mode, full=full)

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
        self.posts_troubled |= at == "post"
        app.faults.add(Fault(method=method, times=times, skip=skip, **FAULTS[fault]))

    def odd(self, action: Odd) -> None:
        value, titles = action.value, list(self.upstreams.library.titles)
        if value == OTHERS:
            value = [f"{thing.kind}:{thing.trakt}" for thing in self.viewing.others]
        if action.title is not None:
            item = titles[action.title % len(titles)]
            value = [item] if value is True else {item: value}
        app = self.upstreams.kinopub if action.at == "kinopub" else self.upstreams.trakt
        app.options.set(**{action.switch: value})

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
        run_id = json.loads(message.body).get("run_id", "")  # a look has none
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

    def io(self, name: str, effect: Callable[[], Any], error: Callable[[], Exception]) -> Any:
        """A call that leaves the process."""
        self.land()
        if not self.working:
            return effect()
        worker = self.working[-1]
        self._live(worker)
        worker.reads += name.startswith("GET ")
        if worker.reads > MOST_READS:
            self.promises.broke(
                "endless", f"a worker of run {worker.run_id} asked {worker.reads} times, at last {name}"
            )
            worker.dead = True
            raise Killed
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
        self.upstreams.reset_switches()
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
            self.promises.watch()
        raise AssertionError("the queues do not run dry")

    def problems(self) -> list[str]:
        """Every promise that was broken, in words."""
        return [f"{kind}: {words}" for kind, words in self.promises.all_broken()]
