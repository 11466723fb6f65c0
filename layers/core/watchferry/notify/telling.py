"""The one place that says when somebody is told of a user's trouble: once per trouble, not once per run.

Of the deployment's own, the owner alone is told (application.py).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from watchferry.notify.notices import KINDS, READERS, Kind, Notice
from watchferry.storage.account import Account
from watchferry.storage.accounts import Accounts

log = logging.getLogger(__name__)


class Sends(Protocol):
    """notices.Notices"""

    def send(self, notices: list[Notice]) -> None: ...


@dataclass(slots=True)
class Telling:
    accounts: Accounts
    notices: Sends
    clock: Callable[[], float]

    def pause(
        self, user_id: str, reason: str, detail: str, run_id: str | None = None, *, to_connect: str | None = None
    ) -> None:
        """Automatic sync stops for `reason`; who is told of it, is told once, however many workers come upon it.

        `to_connect`: the upstream that has to be connected again. Raises NotConnected when there is no such account.
        """
        account = self.accounts.pause(user_id, reason, to_connect)
        kind: Kind = next((known for known in KINDS if known == reason), "run_failed")
        if account is not None and self._tell(account, kind, reason, detail, run_id):
            self.accounts.told_of_pause(user_id)

    def awaiting_confirmation(self, user_id: str, run_id: str, detail: str) -> None:
        """A scheduled run would send far more than usual: it waits for its user, and so does the schedule.

        It was paused as it was set aside (`Accounts.setting_aside`); the user may have confirmed it meanwhile.
        """
        kind: Kind = "awaiting_confirmation"
        account = self.accounts.braked(user_id, run_id)
        if account is not None and self._tell(account, kind, kind, detail, run_id):
            self.accounts.told_of_pause(user_id)

    def run_failed(self, user_id: str, run_id: str, code: str, detail: str) -> None:
        """Told of the first failure since the last success: a night in which Trakt is down is one message."""
        account = self.accounts.first_failure(user_id)
        if account is not None:
            self._tell(account, "run_failed", code, detail, run_id)

    def _tell(self, account: Account, kind: Kind, code: str, detail: str, run_id: str | None) -> bool:
        at = int(self.clock())
        notices = [Notice(to, kind, account.user_id, account.slug, code, detail, at, run_id) for to in READERS]
        try:
            self.notices.send(notices)
        except Exception:
            # What ends the run, or the pause itself, must not fail because nobody can be told of it.
            log.exception("a notice was not sent", extra={"user_id": account.user_id, "kind": kind})
            return False
        return True
