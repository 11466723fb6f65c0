"""Runs: one row per run, newest last by its id, and who works on it now."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

from watchferry.models import Reason
from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table
from watchferry.storage.account import Cursor

KEPT = 400 * 86400
"""Seconds; a little more than the twelve months that the page's chart shows."""

type Mode = Literal["sync", "preview", "undo"]
type Trigger = Literal["schedule", "manual", "undo"]
type RunStatus = Literal[
    "queued", "collecting", "mapping", "awaiting_confirmation", "sending", "succeeded", "partial", "failed", "cancelled"
]

NOT_ALL_READ = "not_all_read"
"""The note of a run that could not read all that it came upon; its views were not all sent."""

_THERE = Attr("run_id").exists()
"""Asked by every change that would make a row otherwise: a run that was deleted with its user must not come back."""

FINISHED: frozenset[str] = frozenset({"succeeded", "partial", "failed", "cancelled"})
REASONS: tuple[str, ...] = get_args(Reason.__value__)
TRIGGERS: tuple[str, ...] = get_args(Trigger.__value__)


def new_run_id(at: float, unique: str | None = None) -> str:
    """Sorts by time. The same `unique` word gives the same id: a redelivered tick does not make a second run.

    It must be unique among all users (a plan's pages are found by it alone), a million of them at one tick included.
    """
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{unique or secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Run:
    user_id: str
    run_id: str
    mode: Mode
    trigger: Trigger
    status: RunStatus
    full: bool
    counts: Mapping[str, Any]
    calls: Mapping[str, int]
    progress: Mapping[str, int]
    started_at: int
    finished_at: int | None
    error: Mapping[str, str] | None
    worker: str | None
    worker_until: int
    attempt: int
    """How often a planner took this run up; it names the plan, so that a planner that lost its lease harms nothing."""
    plan: int
    """The attempt whose plan holds; 0 before there is one."""
    batches: int
    batches_done: int
    batches_failed: int
    cursor: Cursor | None
    """Where the account's cursor goes when every batch is sent."""
    confirmed: bool
    """A person has agreed to the plan."""
    undoes: str | None
    """The run whose plays this one removes."""
    note: Mapping[str, str] | None
    """What its user has to know of a run that comes to its end: `code`, `detail` and perhaps `service`."""
    progressed_at: int
    """When its sending began, or a batch of it was last settled."""

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def moves_cursor(self) -> bool:
        """Whether, once it succeeds, everything up to its cursor has been dealt with."""
        return self.mode == "sync" or (self.mode == "preview" and self.confirmed)

    @property
    def can_be_undone(self) -> bool:
        """It is over and may have added plays that are still there."""
        unsettled = self.moves_cursor and self.batches_done < self.batches
        left = self.counts["sent"] - self.counts["removed"] - self.counts["already_removed"]
        return self.mode != "undo" and self.is_finished and (left > 0 or unsettled)

    @property
    def has_effect(self) -> bool:
        """Whether it has done some of what it was to do."""
        done = ("removed", "already_removed") if self.mode == "undo" else ("sent",)
        return any(self.counts[name] for name in done)

    @classmethod
    def of(cls, item: Item) -> Self:
        cursor = item.get("cursor")
        return cls(
            user_id=item["user_id"],
            run_id=item["run_id"],
            mode=item["mode"],
            trigger=item["trigger"],
            status=item["status"],
            full=item["full"],
            counts=item["counts"],
            calls=item["calls"],
            progress=item["progress"],
            started_at=item["started_at"],
            finished_at=item.get("finished_at"),
            error=item.get("error"),
            worker=item.get("worker"),
            worker_until=item.get("worker_until", 0),
            attempt=item["attempt"],
            plan=item["plan"],
            batches=item["batches"],
            batches_done=item["batches_done"],
            batches_failed=item["batches_failed"],
            cursor=Cursor(cursor["last_seen"], frozenset(cursor["rows"])) if cursor else None,
            confirmed=item.get("confirmed", False),
            undoes=item.get("undoes"),
            note=item.get("note"),
            progressed_at=item.get("progressed_at") or item["started_at"],
        )


@dataclass(slots=True)
class Runs:
    table: Table
    clock: Clock

    def create(
        self,
        user_id: str,
        run_id: str,
        *,
        mode: Mode,
        trigger: Trigger,
        full: bool = False,
        undoes: str | None = None,
    ) -> Run:
        """Returns the run that is there already when it was created before."""
        now = int(self.clock())
        item: Item = {
            "user_id": user_id,
            "run_id": run_id,
            "mode": mode,
            "trigger": trigger,
            "status": "queued",
            "full": full,
            "counts": {
                "history": 0,
                "completed": 0,
                "planned": 0,
                "sent": 0,
                "removed": 0,
                "already_removed": 0,
                "skipped": dict.fromkeys(REASONS, 0),
            },
            "calls": {"trakt": 0, "kinopub": 0},
            "progress": {"done": 0, "total": 0},
            "started_at": now,
            "attempt": 0,
            "plan": 0,
            "batches": 0,
            "batches_done": 0,
            "batches_failed": 0,
            "undoes": undoes,
            "ttl": now + KEPT,
        }
        try:
            self.table.put(item, Attr("run_id").not_exists())
        except ConditionFailed as failed:
            return Run.of(failed.item or self.table.get({"user_id": user_id, "run_id": run_id}) or item)
        return Run.of(item)

    def get(self, user_id: str, run_id: str) -> Run | None:
        item = self.table.get({"user_id": user_id, "run_id": run_id})
        return Run.of(item) if item else None

    def newest(self, user_id: str, *, limit: int, before: str | None = None) -> Iterator[Run]:
        user = Key("user_id").eq(user_id)
        key = user & Key("run_id").lt(before) if before else user
        for item in self.table.query(key, newest_first=True, limit=limit):
            yield Run.of(item)

    def of(self, user_id: str) -> Iterator[Run]:
        """Every run of a user, newest first."""
        return map(Run.of, self.table.query(Key("user_id").eq(user_id), newest_first=True))

    def delete(self, user_id: str, run_ids: Iterable[str]) -> None:
        self.table.delete_many({"user_id": user_id, "run_id": run_id} for run_id in run_ids)

    # The planner's lease

    def take_up(self, run: Run, *, worker: str, until: float) -> Run | None:
        """The right to plan this run until then. None: another planner has it, or the run is past planning."""
        free = Attr("worker").not_exists() | Attr("worker_until").lt(int(self.clock())) | Attr("worker").eq(worker)
        try:
            return self._update(
                run,
                set_={"worker": worker, "worker_until": int(until) + 1},
                add={"attempt": 1},
                when=free & Attr("status").is_in(["queued", "collecting", "mapping"]),
            )
        except ConditionFailed:
            return None

    def let_go(self, run: Run, *, worker: str) -> None:
        """Lets the successor begin at once."""
        self._quietly(run, Attr("worker").eq(worker), remove=["worker", "worker_until"])

    def progress(self, run: Run, *, worker: str, status: RunStatus, done: int, total: int) -> None:
        self._quietly(
            run,
            Attr("worker").eq(worker),
            set_={"status": status, "progress": {"done": done, "total": total}},
        )

    def planning(
        self,
        run: Run,
        *,
        worker: str,
        status: RunStatus,
        counts: Mapping[str, int],
        skipped: Mapping[str, int],
        batches: int,
        cursor: Cursor | None,
        note: Mapping[str, str] | None = None,
        error: Mapping[str, str] | None = None,
    ) -> Item:
        """Part of the transaction from which on the plan of this attempt holds; holds itself for one planner only."""
        numbers = {f"counts.{name}": n for name, n in counts.items()}
        reasons = {f"counts.skipped.{reason}": skipped.get(reason, 0) for reason in REASONS}
        return self.table.updating(
            {"user_id": run.user_id, "run_id": run.run_id},
            set_={
                **numbers,
                **reasons,
                "status": status,
                "plan": run.attempt,
                "batches": batches,
                "cursor": {"last_seen": cursor.last_seen, "rows": sorted(cursor.rows)} if cursor else None,
                "note": dict(note) if note else None,
                "error": dict(error) if error else None,
                "progressed_at": int(self.clock()),
            },
            remove=["worker", "worker_until"],
            when=Attr("worker").eq(worker) & Attr("attempt").eq(run.attempt) & Attr("plan").eq(0),
        )

    def confirming(self, run: Run) -> Item:
        """Part of the transaction by which a run that waits goes on."""
        return self.table.updating(
            {"user_id": run.user_id, "run_id": run.run_id},
            set_={"status": "queued", "confirmed": True, "error": None},
            when=Attr("status").eq("awaiting_confirmation"),
        )

    def rechecked(self, run: Run, *, worker: str) -> Run | None:
        """The confirmed plan is as it is to be sent. None: another worker has seen to that, or the run is over.

        Safe to repeat, as botocore does when the answer was lost.
        """
        try:
            return self._update(
                run,
                set_={"status": "sending", "progressed_at": int(self.clock())},
                remove=["worker_until"],
                when=Attr("worker").eq(worker) & Attr("status").is_in(["queued", "mapping", "sending"]),
            )
        except ConditionFailed:
            return None

    # Numbers

    def add_calls(self, user_id: str, run_id: str, calls: Mapping[str, int]) -> None:
        """Of a run that is gone with its user, nothing."""
        made = {f"calls.{upstream}": n for upstream, n in calls.items() if n}
        if made:
            with suppress(ConditionFailed):
                self.table.update({"user_id": user_id, "run_id": run_id}, add=made, when=_THERE)

    def batch_done(
        self,
        user_id: str,
        run_id: str,
        counts: Mapping[str, int],
        *,
        skipped: Mapping[str, int] | None = None,
        failed: bool = False,
    ) -> Item:
        """Part of the transaction that settles a batch, so that each is counted once. `counts`: names as in Run."""
        return self.table.updating(
            {"user_id": user_id, "run_id": run_id},
            set_={"progressed_at": int(self.clock())},
            add={
                "batches_done": 1,
                "batches_failed": int(failed),
                **{f"counts.{name}": n for name, n in counts.items()},
                **{f"counts.skipped.{reason}": n for reason, n in (skipped or {}).items()},
            },
            when=_THERE,
        )

    def removing(self, user_id: str, run_id: str, counts: Mapping[str, int]) -> Item:
        """Part of the transaction that settles a batch of the run which undoes this one."""
        return self.table.updating(
            {"user_id": user_id, "run_id": run_id},
            add={f"counts.{name}": n for name, n in counts.items()},
            when=Attr("run_id").exists(),
        )

    def batch_split(self, user_id: str, run_id: str) -> Item:
        """Part of the transaction that makes one batch two."""
        return self.table.updating({"user_id": user_id, "run_id": run_id}, add={"batches": 1}, when=_THERE)

    # The end

    def finishing(self, run: Run, status: RunStatus, error: Mapping[str, str] | None = None) -> Item:
        """Part of the transaction that ends a run; holds only while it is not ended."""
        return self.table.updating(
            {"user_id": run.user_id, "run_id": run.run_id},
            set_={
                "status": status,
                "finished_at": int(self.clock()),
                "error": dict(error) if error else None,
            },
            remove=["worker", "worker_until"],
            when=_THERE & ~Attr("status").is_in(sorted(FINISHED)),
        )

    def sent_after_all(self, run: Run) -> None:
        """`failed` says that nothing was sent; a batch that was under way when the run ended may prove it wrong."""
        self._quietly(run, Attr("status").eq("failed"), set_={"status": "partial"})

    def finish(self, run: Run, status: RunStatus, error: Mapping[str, str] | None = None) -> None:
        """Ends a run that is nobody's active one any more."""
        self._quietly(
            run,
            _THERE & ~Attr("status").is_in(sorted(FINISHED)),
            set_={"status": status, "finished_at": int(self.clock()), "error": dict(error) if error else None},
            remove=["worker", "worker_until"],
        )

    def _update(self, run: Run, **change: Any) -> Run:
        return Run.of(self.table.update({"user_id": run.user_id, "run_id": run.run_id}, **change))

    def _quietly(self, run: Run, when: Any, **change: Any) -> None:
        try:
            self._update(run, when=when, **change)
        except ConditionFailed:
            return
