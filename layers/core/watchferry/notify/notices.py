"""What people are told, and the queue that carries it to the notifier. A standard queue: at least once, in no order."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, Self, get_args

from watchferry.errors import MalformedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

type Kind = Literal[
    "reauth_required", "account_locked", "account_limit", "run_failed", "awaiting_confirmation", "app_refused", "test"
]
"""`app_refused` is of the deployment and for the operator alone; all others are of a user."""
type Reader = Literal["webhook", "operator"]
"""The user's own webhook, or the topic of whoever runs the deployment."""

DEPLOYMENT = "#deployment"
"""In place of a user's id."""

KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
READERS: tuple[Reader, ...] = get_args(Reader.__value__)


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one reader: a webhook that is down must not make the operator read the same again and again."""

    to: Reader
    kind: Kind
    user_id: str
    slug: str
    """The user's name at Trakt; of the deployment, the upstream that it is about."""
    code: str
    """A word of http-api.md: why."""
    detail: str
    """For the user; of the deployment, for its owner."""
    at: int
    run_id: str | None = None

    @classmethod
    def of(cls, body: str) -> Self:
        """Raises MalformedMessage."""
        try:
            fields = json.loads(body)
            notice = cls(**fields)
        except (ValueError, TypeError, RecursionError) as error:
            raise MalformedMessage(f"not a notice: {type(error).__name__}") from error
        texts = (notice.user_id, notice.slug, notice.code, notice.detail, notice.run_id or "")
        if (
            notice.to not in READERS
            or notice.kind not in KINDS
            or not all(isinstance(text, str) for text in texts)
            or not (notice.user_id and notice.code)
            or type(notice.at) is not int
        ):
            raise MalformedMessage("not a notice: a field has no such value")
        return notice


@dataclass(slots=True)
class Notices:
    sqs: "Callable[[], SQSClient]"
    """Made when somebody has to be told: hardly ever."""
    queue: str
    dlq: str

    def send(self, notices: Sequence[Notice]) -> None:
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(asdict(notice))} for number, notice in enumerate(notices)
        ]
        for _ in range(5):
            answer = self.sqs().send_message_batch(QueueUrl=self.queue, Entries=entries)  # type: ignore[arg-type]
            failed = {entry["Id"] for entry in answer.get("Failed", [])}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
        raise RuntimeError(f"SQS did not take {len(entries)} notices")

    def bury(self, body: str) -> None:
        """To the dead-letter queue at once: nobody can read it."""
        self.sqs().send_message(QueueUrl=self.dlq, MessageBody=body)

    def put_off(self, receipt: str, seconds: float) -> None:
        """A message that was delivered comes again after so long; it counts as a delivery."""
        self.sqs().change_message_visibility(
            QueueUrl=self.queue, ReceiptHandle=receipt, VisibilityTimeout=min(LONGEST_PAUSE, max(0, round(seconds)))
        )


LONGEST_PAUSE = 3600
"""Seconds between two tries to deliver a notice."""
