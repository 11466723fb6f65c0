"""The queue `notices`: each message to its reader. Delivered at least once; what cannot succeed is not tried again."""

import email.utils
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchferry.clients.guarded import GuardedDoor, Received
from watchferry.errors import BlockedAddress, RetryLater, TooLarge, UnresolvableAddress
from watchferry.notify.notices import LONGEST_PAUSE, Notice
from watchferry.notify.webhook import PURPOSE
from watchferry.notify.wording import FOR_NTFY, operator_mail, webhook_body
from watchferry.storage.webhooks import Webhooks
from watchferry.vault import Sealed, Vault

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SECONDS = 10.0
"""For a receiver's whole answer."""

LARGEST_ANSWER = 64 * 1024
"""Bytes. Nothing of it is used."""

FIRST_PAUSE = 30.0
"""Seconds before a notice is tried again; each next pause is twice as long."""

TRY_AGAIN = frozenset({408, 425, 429})
"""And whatever is 500 or more."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Notifier:
    webhooks: Webhooks
    vault: Vault
    door: GuardedDoor
    sns: "Callable[[], SNSClient]"
    topic: str
    site_url: Callable[[], str]
    user_agent: str
    clock: Callable[[], float]
    retry_base: float = 1.0

    def deliver(self, notice: Notice) -> str:
        """Returns a word for the log. Raises RetryLater while a later try may succeed."""
        if notice.to == "operator":
            return self._publish(notice)
        stored = self.webhooks.get(notice.user_id)
        if stored is None:
            return "no webhook"
        sealed = Sealed(stored.sealed, stored.sealed_key)
        return self._post(notice, self.vault.open(sealed, owner=notice.user_id, purpose=PURPOSE).decode())

    def pause_after(self, deliveries: int, trouble: RetryLater) -> float:
        """Seconds until the next try: 30, 60, 120 … or what the receiver asks for, if that is longer."""
        backoff = FIRST_PAUSE * self.retry_base * 2.0 ** min(deliveries - 1, 10)
        return min(LONGEST_PAUSE, max(backoff, trouble.after or 0.0))

    def _publish(self, notice: Notice) -> str:
        subject, text = operator_mail(notice)
        self.sns().publish(
            TopicArn=self.topic,
            Subject=subject,
            Message=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in (("kind", notice.kind), ("code", notice.code))
            },
        )
        return "published"

    def _post(self, notice: Notice, text: str) -> str:
        """The address is in no message and no log line, nor in any error that is raised here."""
        site_url = self.site_url()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
            "X-Click": site_url,
        } | FOR_NTFY
        try:
            received = self.door.send(
                "POST",
                self.door.rules.read(text),
                headers=headers,
                content=webhook_body(notice, site_url),
                seconds=SECONDS,
                largest=LARGEST_ANSWER,
            )
        except TooLarge as answered:
            received = Received(answered.status, (), b"")
        except BlockedAddress:
            return self._dropped(notice, "blocked_address")
        except UnresolvableAddress as error:
            raise RetryLater("upstream_unreachable", str(error)) from error
        status = received.status
        if 200 <= status < 300:
            return "delivered"
        if status >= 500 or status in TRY_AGAIN:
            raise RetryLater(
                "rate_limited" if status == 429 else "upstream_unreachable",
                f"the webhook answered {status}",
                after=self._asked_for(received),
            )
        # 404 and 410: somebody deleted it there. A redirect is not followed, and another refusal stays one.
        return self._dropped(notice, f"answered {status}")

    def _dropped(self, notice: Notice, why: str) -> str:
        log.warning("a notice was dropped", extra={"user_id": notice.user_id, "kind": notice.kind, "why": why})
        return "dropped"

    def _asked_for(self, received: Received) -> float | None:
        """`Retry-After` in seconds, with a fraction at Discord, or as a date."""
        text = dict(received.headers).get("retry-after", "").strip()
        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - self.clock()
            except (ValueError, OverflowError):
                return None
        return seconds if 0 <= seconds < float("inf") else None
