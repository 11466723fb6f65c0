"""One user's access to one upstream: the access token as long as it lasts, then one refresh for all who ask at once.

The order is that of architecture.md, rule 3: lease → reload → recheck → refresh → persist → use. Refresh tokens are
single use at both upstreams: two refreshes of one token, or a rotated token that is not stored, cost the login.
"""

import itertools
import logging
import math
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from watchferry.auth.grants import OAUTH_TIMEOUT, GrantRefused, OAuthHost, RefusedByEdge, TokenPair
from watchferry.auth.pairs import Pairs
from watchferry.errors import AppRefused, ConnectAgain, NotConnected, OutcomeUnknown, RetryLater, WatchferryError
from watchferry.notify.application import Application
from watchferry.notify.telling import Telling
from watchferry.storage._dynamo import ConditionFailed
from watchferry.storage.tokens import StoredTokens

MARGIN = 60
"""Seconds before its end at which an access token is renewed (sync document 3, A5)."""

PATIENCE = 25.0
"""Seconds that somebody waits for another's refresh: a request ends after 30."""

REFRESH_TAKES = OAUTH_TIMEOUT + 5
"""Seconds that must be left for a refresh to begin: to connect, to have its answer, and to store the pair."""

LONGEST_PAUSE = 1.0
"""Seconds between two looks at the row while another refreshes."""

BELIEVED_AFTER = 86400
"""Seconds after which a refusal that no host of ours has made in its own form is believed, if every refresh since then
met it: an edge is repaired within a day."""

WRITE_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between the tries to store a rotated pair."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class KeptCredential:
    """A `Credential` of clients/trakt.py. Holds the opened pair for the life of a job; threads may share it."""

    user_id: str
    host: OAuthHost
    pairs: Pairs
    telling: Telling
    application: Application
    clock: Callable[[], float]
    pause: Callable[[float], None]
    until: float = math.inf
    """Unix seconds at which whoever waits has to have an answer, and this process may end."""
    _held: TokenPair | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self) -> str:
        """Good for a minute at least. Raises NotConnected, ConnectAgain, RetryLater, StopAccount, StopRun."""
        with self._lock:
            if self._held is None or self._is_due(self._held.expires_at):
                row = self._row()
                self._held = self._refreshed(row) if self._is_due(row.expires_at) else self.pairs.open(row)
            return self._held.access

    def renewed(self, refused: str) -> str:
        """The stored token if it is not the one that was refused, else a fresh one. Raises as `token`."""
        with self._lock:
            row = self._row()
            self._held = self.pairs.open(row)
            if self._held.access == refused:
                self._held = self._refreshed(row)
            return self._held.access

    def kept_alive(self, *, older_than: float) -> bool:
        """Refreshes a pair that was stored more than so many seconds ago; whether it did. Raises as `token`."""
        with self._lock:
            row = self._row()
            if row.stored_at > self.clock() - older_than:
                return False
            self._held = self._refreshed(row)
            return True

    def _is_due(self, expires_at: int) -> bool:
        """A lifetime that nobody named (0) ends with a 401."""
        return bool(expires_at) and self.clock() >= expires_at - MARGIN

    def _row(self) -> StoredTokens:
        row = self.pairs.tokens.get(self.user_id, self.host.name)
        if row is None:
            raise NotConnected(self.host.name)
        if row.status == "reauth_required":
            raise ConnectAgain(self.host.name)
        return row

    def _refreshed(self, row: StoredTokens) -> TokenPair:
        """The pair that comes after `row`, by our own refresh or by somebody else's."""
        version, owner, patience = row.version, secrets.token_hex(8), min(self.clock() + PATIENCE, self.until)
        for look in itertools.count():
            if row.lease_owner is None or row.lease_until < self.clock():
                self._need_time()
                leased = self.pairs.tokens.lease(self.user_id, self.host.name, version=version, owner=owner)
                if leased:  # as the row is now, and still of this version: reloaded and rechecked in one step
                    return self._refresh(leased, owner)
            if self.clock() >= patience:
                raise RetryLater("upstream_timeout", f"access to {self.host.name} is being renewed", after=5)
            self.pause(min(0.1 * 2 ** min(look, 5), LONGEST_PAUSE))
            row = self._row()
            if row.version != version:
                break
        return self.pairs.open(row)

    def _need_time(self) -> None:
        """A process that ends in the middle of a refresh takes the rotated pair with it: rather none is begun."""
        if self.clock() + REFRESH_TAKES > self.until:
            raise RetryLater("upstream_timeout", f"there is no time left to renew access to {self.host.name}", after=1)

    def _refresh(self, leased: StoredTokens, owner: str) -> TokenPair:
        try:
            pair = self.pairs.open(leased)
            # What can be sealed now can be sealed in a moment: KMS must not fail between the refresh and the write.
            self.pairs.seal(self.user_id, self.host.name, pair)
            fresh = self._asked(pair)
        except GrantRefused as refused:
            return self._after_refusal(leased, refused)
        except RefusedByEdge as refused:
            return self._after_doubt(leased, refused)
        except Exception as trouble:
            self.pairs.tokens.give_up_lease(self.user_id, self.host.name, owner=owner)
            if isinstance(trouble, AppRefused) and self.clock() + OAUTH_TIMEOUT < self.until:
                self.application.met(trouble)  # which asks once more
            raise
        return self._stored(leased, fresh)

    def _asked(self, pair: TokenPair) -> TokenPair:
        """One refresh; one more when no answer came.

        Then the upstream may have rotated the pair, and the new one is lost with the answer. Nothing can be read back;
        all that can be done is to ask again with the same token. Either the first request never got there (or the host
        lets a token be used until its successor was), and this one succeeds; or it was used up, the host says 400, and
        only a new sign-in helps. Asking at once, under the same lease, tells which it is before anybody else tries.
        Where no time is left for that, the next who asks finds out.
        """
        try:
            return self.host.refresh(pair)
        except OutcomeUnknown as unknown:
            log.warning("a refresh had no answer", extra=self._who | {"detail": str(unknown)})
        self._need_time()
        try:
            return self.host.refresh(pair)
        except OutcomeUnknown as unknown:
            # Not OutcomeUnknown: to the caller that would mean its own write, which has not even been sent.
            raise RetryLater("upstream_unreachable", str(unknown)) from unknown

    def _after_doubt(self, leased: StoredTokens, refused: RefusedByEdge) -> TokenPair:
        """Later, until it has gone on for a day."""
        since = self.pairs.tokens.doubted(leased)
        if since is None:
            return self.pairs.open(self._row())
        if self.clock() - since < BELIEVED_AFTER:
            raise refused
        return self._after_refusal(leased, refused)

    def _after_refusal(self, leased: StoredTokens, refused: GrantRefused | RefusedByEdge) -> TokenPair:
        """Counts only while the refused version is the stored one; a sign-in in between has brought a new pair."""
        if not self.pairs.tokens.refused(self.user_id, self.host.name, version=leased.version):
            return self.pairs.open(self._row())
        log.warning("a refresh was refused", extra=self._who)
        again = ConnectAgain(self.host.name)
        with suppress(NotConnected):  # the account itself is gone
            self.telling.pause(self.user_id, "reauth_required", again.advice, to_connect=self.host.name)
        raise again from refused

    def _stored(self, leased: StoredTokens, fresh: TokenPair) -> TokenPair:
        """The old pair is dead from here on: the write is repeated until it holds."""
        sealed = self.pairs.seal(self.user_id, self.host.name, fresh)
        for wait in (*WRITE_PAUSES, None):
            try:
                self.pairs.tokens.rotate(
                    self.user_id,
                    self.host.name,
                    version=leased.version,
                    sealed=sealed.value,
                    sealed_key=sealed.key,
                    expires_at=fresh.expires_at,
                )
            except ConditionFailed:
                # Signed in anew or disconnected meanwhile: what is stored is right, and nobody may use this pair.
                with suppress(WatchferryError):
                    self.host.revoke(fresh)
                return self.pairs.open(self._row())
            except Exception as trouble:
                if wait is None:
                    log.critical("a rotated token could not be stored: this login is lost", extra=self._who)
                    raise RetryLater("upstream_unreachable", "the renewed access could not be stored") from trouble
                log.warning("storing a rotated token is tried again", extra=self._who)
                self.pause(wait)
            else:
                return fresh
        raise AssertionError("the last try returns or raises")

    @property
    def _who(self) -> dict[str, str]:
        return {"user_id": self.user_id, "provider": self.host.name}
