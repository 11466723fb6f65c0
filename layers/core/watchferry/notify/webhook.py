"""A user's webhook as a setting: write-only. Its address is a secret, since whoever knows it can post there."""

from collections.abc import Callable
from dataclasses import dataclass

from watchferry.clients.guarded import GuardedDoor
from watchferry.errors import Problem
from watchferry.notify.notices import Notice
from watchferry.notify.telling import Sends
from watchferry.storage.account import Account
from watchferry.storage.webhooks import TEST_EVERY, Webhooks
from watchferry.vault import Vault

PURPOSE = "webhook"
"""What the address is sealed for; whoever opens it has to say the same."""


@dataclass(slots=True)
class WebhookSetting:
    webhooks: Webhooks
    vault: Vault
    door: GuardedDoor
    notices: Sends
    clock: Callable[[], float]

    def change(self, user_id: str, text: str | None) -> str | None:
        """Stores the address, or removes what was stored; returns what may be shown of it (`https://host/***`).

        Raises BlockedAddress, UnresolvableAddress, RetryLater, Problem 400 for a masked address that is not the stored
        one's.
        """
        if text is None:
            self.webhooks.delete(user_id)
            return None
        if text.endswith("/***"):
            raise Problem(400, "validation", "webhook_url: this is how an address is shown; send the address itself")
        address = self.door.check(text)
        sealed = self.vault.seal(address.text.encode(), owner=user_id, purpose=PURPOSE)
        self.webhooks.put(user_id, sealed=sealed.value, sealed_key=sealed.key)
        return address.masked

    def test(self, account: Account) -> None:
        """Sends a notice to the webhook alone. Raises Problem 409 `not_configured`, 429 `rate_limited`."""
        begun = "none" if account.settings.webhook_url is None else self.webhooks.begin_test(account.user_id)
        if begun == "none":
            raise Problem(409, "not_configured", "there is no webhook; set webhook_url first")
        if begun == "too_soon":
            raise Problem(429, "rate_limited", "the webhook was tested a moment ago", retry_after=TEST_EVERY)
        detail = "this is how you will be told when something needs you"
        at = int(self.clock())
        self.notices.send([Notice("webhook", "test", account.user_id, account.slug, "test", detail, at)])
