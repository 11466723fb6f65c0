"""Whether the upstreams accept this deployment's application; when one does not, its owner is told, once.

Such a refusal concerns the deployment and none of its users: nobody is told to connect again, and no account is paused.
As long as it stands, the tick enqueues nobody (sync/schedule.py) but asks for one look, which ends it.

What one user's call meets may be that user's alone: a free Trakt account that has connected another application is
refused with the same 403. So the call is repeated with the application's credential alone, before it counts for all.
That is how a look finds out, too. A user's job would not: when Kinopub has nothing new it never asks Trakt, and it may
fail for reasons of that user's.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from watchferry.errors import AppRefused, WatchferryError
from watchferry.notify.notices import DEPLOYMENT, Notice
from watchferry.notify.telling import Sends
from watchferry.storage.account import Provider
from watchferry.storage.refusals import Refusals

type Ask = Callable[[str | None], None]
"""Asks an upstream with the application's credential alone: for a path below the API's address, or (None) for tokens.

Returns if the upstream accepts the application. Raises AppRefused, or another WatchferryError when nobody knows.
"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Application:
    refusals: Refusals
    notices: Sends
    asks: Mapping[Provider, Ask]
    clock: Callable[[], float]

    def met(self, refused: AppRefused) -> bool:
        """Whether every user is refused, rather than one account. The first who finds that out tells the owner."""
        if refused.everybody is None:
            refused.everybody = self._concerns_everybody(refused)
        return refused.everybody

    def look(self, provider: Provider) -> str:
        """Whether it is over; returns a word for the log. Safe to repeat."""
        standing = self.refusals.get(provider)
        if standing is None:
            return "not refused"
        try:
            self.asks[provider](standing.path)
        except AppRefused as refused:
            self._note(refused, standing.path)
            return "still refused"
        except WatchferryError as trouble:
            return f"not known: {type(trouble).__name__}"
        self.refusals.end(standing)
        log.warning("the application is accepted again", extra={"provider": provider})
        return "accepted again"

    def _concerns_everybody(self, refused: AppRefused) -> bool:
        if self.refusals.get(refused.provider) is None:
            try:
                self.asks[refused.provider](refused.path)
            except AppRefused:
                pass
            except WatchferryError as trouble:
                # The refusal itself was read. Should it be one account's, its next run finds that out.
                log.warning("a refusal could not be looked into", extra={"detail": str(trouble)})
                return True
            else:
                return False
        self._note(refused, refused.path)
        return True

    def _note(self, refused: AppRefused, path: str | None) -> None:
        provider = refused.provider
        if not self.refusals.note(provider, path):
            return
        log.error("the application is refused", extra={"provider": provider, "detail": refused.detail})
        at = int(self.clock())
        notice = Notice("operator", "app_refused", DEPLOYMENT, provider.capitalize(), "app_refused", refused.detail, at)
        try:
            self.notices.send([notice])
        except Exception:
            log.exception("a notice was not sent", extra={"kind": notice.kind})
            return
        self.refusals.told(provider)
