"""The two queues and what their messages say. Standard queues: at least once, in no order (architecture.md, rule 4)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from watchferry.errors import MalformedMessage
from watchferry.storage.account import Provider
from watchferry.storage.refusals import PROVIDERS
from watchferry.storage.runs import TRIGGERS, Trigger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["LONGEST_DELAY", "WAKE", "MalformedMessage", "PlanJob", "Queues", "SendJob"]

LONGEST_DELAY = 900
"""Seconds that SQS can hold a message back."""

WAKE = '{"job": "wake"}'
"""On the queue `history-batches`: there is nothing to send yet, but a sender's process may start."""


@dataclass(frozen=True, slots=True)
class PlanJob:
    """Plan this run of this user. The scheduler's jobs begin the run, too."""

    user_id: str
    run_id: str
    trigger: Trigger
    deferrals: int = 0
    """How often this job was put off because an upstream was in trouble."""

    @classmethod
    def of(cls, body: str) -> Self:
        fields = _fields(body, {"user_id": str, "run_id": str, "trigger": str})
        if fields["trigger"] not in TRIGGERS:
            raise MalformedMessage(f"trigger is not one of {', '.join(TRIGGERS)}")
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class SendJob:
    """Send this batch of this run."""

    user_id: str
    run_id: str
    batch: str
    deferrals: int = 0

    @classmethod
    def of(cls, body: str) -> Self:
        return cls(**_fields(body, {"user_id": str, "run_id": str, "batch": str}))


@dataclass(frozen=True, slots=True)
class KeepAliveJob:
    """Look after this user's Kinopub account, whose tokens die without use."""

    user_id: str
    job: Literal["keep_alive"] = "keep_alive"

    @classmethod
    def of(cls, body: str) -> Self:
        return cls(_fields(body, {"user_id": str})["user_id"])


@dataclass(frozen=True, slots=True)
class LookJob:
    """Look whether this upstream accepts the deployment's application again."""

    provider: Provider
    job: Literal["look"] = "look"

    @classmethod
    def of(cls, body: str) -> Self:
        provider = _fields(body, {"provider": str})["provider"]
        if provider not in PROVIDERS:
            raise MalformedMessage(f"provider is not one of {', '.join(PROVIDERS)}")
        return cls(provider)


@dataclass(frozen=True, slots=True)
class ForgetJob:
    """Delete whatever is left of a user who has left."""

    user_id: str
    mark: str
    """Of the departure (storage/departures.py): whoever has come back since is left alone."""
    runs: list[str] = field(default_factory=list)
    """Those that an earlier sweep found: their workers may write pages after the run itself is gone."""
    sweeps: int = 2
    """How many are left, this one included."""
    job: Literal["forget"] = "forget"

    @classmethod
    def of(cls, body: str) -> Self:
        fields = _fields(body, {"user_id": str, "mark": str})
        message = json.loads(body)
        runs, sweeps = message.get("runs", []), message.get("sweeps", 1)
        if not isinstance(runs, list) or not all(isinstance(run, str) and run for run in runs):
            raise MalformedMessage("runs of the wrong type")
        if not isinstance(sweeps, int):
            raise MalformedMessage("sweeps of the wrong type")
        return cls(fields["user_id"], fields["mark"], runs, sweeps)


type SyncJob = PlanJob | KeepAliveJob | LookJob | ForgetJob
"""What the queue `sync-jobs` carries."""

_KINDS: Mapping[str, type[KeepAliveJob | LookJob | ForgetJob]] = {
    "keep_alive": KeepAliveJob,
    "look": LookJob,
    "forget": ForgetJob,
}


def sync_job(body: str) -> SyncJob:
    """Told apart by `job`; a message without it is a PlanJob. Raises MalformedMessage."""
    try:
        kind = json.loads(body).get("job")
    except (ValueError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"not a job: {type(error).__name__}") from error
    if kind is None:
        return PlanJob.of(body)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise MalformedMessage("job is not one of " + ", ".join(_KINDS))
    return _KINDS[kind].of(body)


@dataclass(slots=True)
class Queues:
    sqs: "SQSClient"
    sync_jobs: str
    sync_jobs_dlq: str
    history_batches: str
    history_batches_dlq: str

    def plan(self, jobs: Sequence[tuple[PlanJob, float]]) -> None:
        """Each with its delay in seconds."""
        self._send(self.sync_jobs, jobs)

    def keep_alive(self, jobs: Sequence[tuple[KeepAliveJob, float]]) -> None:
        self._send(self.sync_jobs, jobs)

    def look(self, job: LookJob) -> None:
        self._send(self.sync_jobs, [(job, 0)])

    def forget(self, job: ForgetJob, delay: float) -> None:
        self._send(self.sync_jobs, [(job, delay)])

    def send(self, jobs: Sequence[tuple[SendJob, float]]) -> None:
        self._send(self.history_batches, jobs)

    def wake_sender(self) -> None:
        self.sqs.send_message(QueueUrl=self.history_batches, MessageBody=WAKE)

    def bury_plan(self, body: str) -> None:
        """To the dead-letter queue at once: five deliveries of what nobody can read take hours and help nobody."""
        self.sqs.send_message(QueueUrl=self.sync_jobs_dlq, MessageBody=body)

    def bury_send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.history_batches_dlq, MessageBody=body)

    def _send(self, queue: str, jobs: Iterable[tuple[SyncJob | SendJob, float]]) -> None:
        pending = [(json.dumps(asdict(job)), min(LONGEST_DELAY, max(0, round(delay + 0.49)))) for job, delay in jobs]
        for start in range(0, len(pending), 10):
            chunk = pending[start : start + 10]
            left = [
                {"Id": str(number), "MessageBody": body, "DelaySeconds": delay}
                for number, (body, delay) in enumerate(chunk)
            ]
            for _ in range(5):
                answer = self.sqs.send_message_batch(QueueUrl=queue, Entries=left)  # type: ignore[arg-type]
                failed = {entry["Id"] for entry in answer.get("Failed", [])}
                left = [entry for entry in left if entry["Id"] in failed]
                if not left:
                    break
            else:
                raise RuntimeError(f"SQS did not take {len(left)} messages")


def _fields(body: str, wanted: Mapping[str, type]) -> dict[str, Any]:
    try:
        message = json.loads(body)
        fields = {name: message[name] for name in wanted}
        deferrals = message.get("deferrals", 0)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"not a job: {type(error).__name__}") from error
    wrong = [name for name, kind in wanted.items() if not isinstance(fields[name], kind) or not fields[name]]
    if wrong or not isinstance(deferrals, int):
        raise MalformedMessage(f"{', '.join(wrong) or 'deferrals'} of the wrong type")
    return {**fields, "deferrals": deferrals}
