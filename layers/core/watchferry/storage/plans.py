"""Plans: what a run means to do, in pages of events — batches to send, and what is skipped and why — and checkpoints.

A batch moves `PLANNED → SENDING → SENT` by conditional writes (architecture.md, rule 1); `SPLIT` has become two others,
`FAILED` was given up. A batch of an undo removes what one batch of the undone run has sent.

Pages are named `{plan}-{number}`: a plan's name is the planner's attempt, so that a planner which lost its lease can
only write pages that nobody reads.
"""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from watchferry.models import Event, Reason
from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Key, Table
from watchferry.storage._packed import pack, unpack
from watchferry.storage.runs import KEPT

type BatchStatus = Literal["PLANNED", "SENDING", "SENT", "SPLIT", "FAILED"]

SETTLED: frozenset[str] = frozenset({"SENT", "SPLIT", "FAILED"})
SKIPS_PER_PAGE = 500
CHECKPOINT_KEPT = 7 * 86400
_ITEM_BYTES = 300_000


def batch_name(plan: int, number: int) -> str:
    return f"{plan:04d}-{number:05d}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that go to Trakt in one POST."""

    run_id: str
    name: str
    status: BatchStatus
    events: tuple[Event, ...]
    """As planned; `outcomes` says what became of them."""
    outcomes: Mapping[str, Reason]
    """Position → why it was skipped after all."""
    owner: str | None
    lease_until: int
    attempts: int
    """How many POSTs may have reached Trakt."""
    inherited: int
    """How many of them were of the batch of which this is a half."""
    answered: int
    """How many of them Trakt answered with 2xx."""
    named: int
    """How many of its works one of those answers named as unknown, without saying which."""
    present: frozenset[int]
    """Of a FAILED one: the positions that were done all the same."""
    removed: frozenset[int]
    """Positions whose plays an undo removed."""
    gone: frozenset[int]
    """Positions whose plays were not there any more when an undo came for them."""
    undoing: "Undoing | None"

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            run_id=item["run_id"],
            name=item["row"].removeprefix("batch#"),
            status=item["status"],
            events=tuple(Event.restored(data) for data in unpack(item["events"])),
            outcomes=item.get("outcomes", {}),
            owner=item.get("owner"),
            lease_until=item.get("lease_until", 0),
            attempts=item.get("attempts", 0),
            inherited=item.get("inherited", 0),
            answered=item.get("answered", 0),
            named=item.get("named", 0),
            present=frozenset(item.get("present", ())),
            removed=frozenset(int(position) for position in item.get("removed", ())),
            gone=frozenset(int(position) for position in item.get("gone", ())),
            undoing=Undoing(**item["undoing"]) if "undoing" in item else None,
        )

    def report(self) -> Iterator[Event]:
        """What became of each event, as far as it is known."""
        for position, event in enumerate(self.events):
            if (reason := self.outcomes.get(str(position))) is not None:
                yield replace(event, outcome="skipped", reason=reason)
            elif position in self.gone:
                yield replace(event, outcome="skipped", reason="already_removed")
            elif position in self.removed:
                yield replace(event, outcome="removed")
            elif self.status == "SENT" or position in self.present:
                yield replace(event, outcome="removed" if self.undoing else "sent")
            else:
                yield event


@dataclass(frozen=True, slots=True)
class Undoing:
    """What a batch of an undo removes: event by event, all from one batch of the undone run."""

    run_id: str
    batch: str
    positions: list[int]
    """Of the events in that batch."""
    plays: list[int | None]
    """Trakt's history ids; None for a play that is not there any more."""


@dataclass(slots=True)
class Plans:
    table: Table
    clock: Clock

    # Writing a plan

    def write(self, run_id: str, plan: int, batches: Sequence[Sequence[Event]], skips: Sequence[Event]) -> None:
        ttl = int(self.clock()) + KEPT
        self.table.put_many(
            self._batch_item(run_id, batch_name(plan, number), events, ttl) for number, events in enumerate(batches)
        )
        self.table.put_many(
            {
                "run_id": run_id,
                "row": f"skips#{batch_name(plan, start // SKIPS_PER_PAGE)}",
                "events": pack([event.stored() for event in skips[start : start + SKIPS_PER_PAGE]]),
                "ttl": ttl,
            }
            for start in range(0, len(skips), SKIPS_PER_PAGE)
        )

    def write_undo(self, run_id: str, plan: int, batches: Sequence[tuple[Sequence[Event], Undoing]]) -> None:
        ttl = int(self.clock()) + KEPT
        self.table.put_many(
            self._batch_item(run_id, batch_name(plan, number), events, ttl) | {"undoing": asdict(undoing)}
            for number, (events, undoing) in enumerate(batches)
        )

    # Reading it

    def batch(self, run_id: str, name: str) -> Batch | None:
        item = self.table.get({"run_id": run_id, "row": f"batch#{name}"})
        return Batch.of(item) if item else None

    def batches(self, run_id: str, plan: int) -> Iterator[Batch]:
        key = Key("run_id").eq(run_id) & Key("row").begins_with(f"batch#{plan:04d}-")
        return (Batch.of(item) for item in self.table.query(key))

    def report(self, run_id: str, plan: int, *, after: str | None = None) -> Iterator[tuple[str, list[Event]]]:
        """Pages of events, each with its name: what is sent first, then what is skipped."""
        for kind in ("batch", "skips"):
            prefix = f"{kind}#{plan:04d}-"
            if after and after >= prefix + "~":
                continue
            key = Key("run_id").eq(run_id) & Key("row").begins_with(prefix)
            start = {"run_id": run_id, "row": after} if after and after.startswith(prefix) else None
            for item in self.table.query(key, after=start):
                if kind == "batch":
                    batch = Batch.of(item)
                    if batch.status != "SPLIT":
                        yield item["row"], list(batch.report())
                else:
                    yield item["row"], [Event.restored(data) for data in unpack(item["events"])]

    # A batch's way

    def leave_out(self, batch: Batch, outcomes: Mapping[str, Reason]) -> None:
        """Of a plan that a person has just confirmed: these are not to be sent after all."""
        self._move(batch, {"outcomes": dict(outcomes)}, when=Attr("status").eq("PLANNED"))

    def claim(self, batch: Batch, *, owner: str, until: float, settle: float) -> Batch | None:
        """`PLANNED → SENDING`, or the take-over of a `SENDING` whose owner's time has been over for `settle` seconds.

        None: it is somebody else's. The answer's `attempts` tells whether an earlier POST may have reached Trakt.
        Safe to repeat by the same owner, as botocore does when the answer was lost.
        """
        settled = int(self.clock() - settle)
        ours = Attr("status").eq("PLANNED") | (
            Attr("status").eq("SENDING") & (Attr("lease_until").lte(settled) | Attr("owner").eq(owner))
        )
        return self._move(
            batch, {"status": "SENDING", "owner": owner, "lease_until": int(until) + 1}, when=ours, add=None
        )

    def posting(self, batch: Batch) -> Batch | None:
        """Written just before the POST: from here on its effect is unknown until it is known. None: not ours."""
        return self._move(batch, {}, when=_held_by(batch), add={"attempts": 1})

    def put_back(self, batch: Batch, *, attempts: int = 0) -> None:
        """`SENDING → PLANNED`: it may be begun anew at once.

        `attempts`: how many POSTs of it may have had an effect; of plays that are to be stored, none, ever.
        """
        set_ = {"status": "PLANNED", "attempts": attempts}
        self._move(batch, set_, when=_held_by(batch), remove=["owner", "lease_until"])

    def leave_unknown(self, batch: Batch, *, answered: bool, named: int = 0) -> None:
        """Stays `SENDING`, for whoever reads it back after the settling time. `answered`, `named`: as in Batch."""
        self._move(
            batch,
            {"lease_until": int(self.clock()) + 1, "named": max(named, batch.named) or None},
            when=_held_by(batch),
            add={"answered": int(answered)},
            remove=["owner"],
        )

    def settling(
        self, batch: Batch, status: BatchStatus, outcomes: Mapping[str, Reason], present: Collection[int] = ()
    ) -> Item:
        """Part of the transaction that settles the batch; holds only while it is this owner's."""
        return self.table.updating(
            _key(batch),
            set_={"status": status, "outcomes": dict(outcomes), "present": sorted(present) or None},
            remove=["owner", "lease_until"],
            when=_held_by(batch),
        )

    def removing(self, undoing: Undoing, removed: Collection[int], gone: Collection[int]) -> Item:
        """Part of the transaction that settles a batch of an undo.

        `removed`, `gone`: positions in that batch whose plays it removed, or did not find any more.
        """
        found = {"removed": [undoing.positions[at] for at in removed], "gone": [undoing.positions[at] for at in gone]}
        return self.table.updating(
            {"run_id": undoing.run_id, "row": f"batch#{undoing.batch}"},
            add={name: set(map(str, positions)) for name, positions in found.items() if positions},
            when=Attr("row").exists(),
        )

    def splitting(self, batch: Batch) -> list[Item]:
        """Parts of the transaction that makes two batches of this one, `name-a` and `name-b`.

        If an earlier POST of it may have reached Trakt, so of its halves: they begin as `SENDING`, to be read back.
        """
        middle = len(batch.events) // 2
        parts = ((0, batch.events[:middle]), (middle, batch.events[middle:]))
        ttl = int(self.clock()) + KEPT
        inherited: Item = {}
        if batch.attempts:
            inherited = {
                "status": "SENDING",
                "attempts": batch.attempts,
                "inherited": batch.attempts,
                "lease_until": int(self.clock()),
            }
        return [
            self.table.updating(
                _key(batch), set_={"status": "SPLIT"}, remove=["owner", "lease_until"], when=_held_by(batch)
            ),
            *(
                self.table.putting(
                    self._batch_item(batch.run_id, name, part, ttl)
                    | {"outcomes": _of_part(batch.outcomes, start, len(part))}
                    | inherited,
                    Attr("row").not_exists(),
                )
                for name, (start, part) in zip(halves(batch), parts, strict=True)
            ),
        ]

    # Checkpoints

    def save(self, run_id: str, name: str, value: Any, *, kept: int = CHECKPOINT_KEPT) -> None:
        """A planner's work so far; only the last saved value of a name is ever read."""
        data = pack(value)
        parts = [data[start : start + _ITEM_BYTES] for start in range(0, len(data), _ITEM_BYTES)]
        ttl = int(self.clock()) + kept
        for number, part in reversed(list(enumerate(parts))):
            # The first part, which says how many there are, is written last.
            self.table.put(
                {
                    "run_id": run_id,
                    "row": f"work#{name}#{number:03d}",
                    "data": part,
                    "parts": len(parts),
                    "bytes": len(data),
                    "ttl": ttl,
                }
            )

    def saved(self, run_id: str, name: str) -> Any | None:
        """None when nothing, or not everything, was saved."""
        key = Key("run_id").eq(run_id) & Key("row").begins_with(f"work#{name}#")
        items = list(self.table.query(key))
        if not items or len(items) < items[0]["parts"]:
            return None
        data = b"".join(item["data"] for item in items[: items[0]["parts"]])
        try:
            return unpack(data) if len(data) == items[0]["bytes"] else None
        except (OSError, EOFError, ValueError, zlib.error):
            return None  # parts of two checkpoints, of which the later one was not finished

    def delete(self, run_id: str) -> None:
        """Every page and checkpoint of a run."""
        rows = self.table.query(Key("run_id").eq(run_id))
        self.table.delete_many({"run_id": run_id, "row": row["row"]} for row in rows)

    @staticmethod
    def _batch_item(run_id: str, name: str, events: Sequence[Event], ttl: int) -> Item:
        return {
            "run_id": run_id,
            "row": f"batch#{name}",
            "status": "PLANNED",
            "events": pack([event.stored() for event in events]),
            "ttl": ttl,
        }

    def _move(
        self, batch: Batch, set_: Item, *, when: Any, add: Item | None = None, remove: Sequence[str] = ()
    ) -> Batch | None:
        try:
            return Batch.of(self.table.update(_key(batch), set_=set_, add=add, remove=remove, when=when))
        except ConditionFailed:
            return None


def number_of(name: str) -> int:
    """The place of a batch, or of a part of it, in its plan."""
    return int(name.split("-")[1])


def halves(batch: Batch) -> tuple[str, str]:
    return f"{batch.name}-a", f"{batch.name}-b"


def _of_part(outcomes: Mapping[str, Reason], start: int, length: int) -> dict[str, Reason]:
    moved = {int(position) - start: reason for position, reason in outcomes.items()}
    return {str(position): reason for position, reason in moved.items() if 0 <= position < length}


def _key(batch: Batch) -> Item:
    return {"run_id": batch.run_id, "row": f"batch#{batch.name}"}


def _held_by(batch: Batch) -> Any:
    return Attr("status").eq("SENDING") & Attr("owner").eq(batch.owner)
