"""The auth broker: who signs in, which accounts are connected, and access to them (http-api.md, Auth broker).

Tokens come in here and never go out again, but to the clients of this process.
"""

import logging
import math
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from watchferry.auth.credential import KeptCredential
from watchferry.auth.devices import Devices
from watchferry.auth.grants import GrantRefused, OAuthHost, TokenPair
from watchferry.auth.pairs import Pairs
from watchferry.auth.profile import Profile
from watchferry.auth.providers.trakt import TraktOAuth
from watchferry.clients._transport import Transport
from watchferry.clients.trakt import Trakt
from watchferry.errors import Problem, RetryLater, WatchferryError
from watchferry.notify.application import Application
from watchferry.notify.telling import Telling
from watchferry.storage.account import Account, Provider, StillLeaving
from watchferry.storage.accounts import Accounts
from watchferry.storage.flows import Flows, hash_of, new_handle

LEAVING_TAKES = 10.0
"""Seconds for which a sign-in waits until what was deleted under its id is gone."""

STATE_LIFETIME = 600
"""Seconds between authorize and exchange."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The beginning of an authorization-code flow; `browser` goes into a cookie, `url` and `state` into the answer."""

    url: str
    state: str
    browser: str


@dataclass(slots=True)
class Broker:
    trakt: TraktOAuth
    hosts: Mapping[str, OAuthHost]
    """Trakt too."""
    trakt_api: Transport
    accounts: Accounts
    telling: Telling
    application: Application
    pairs: Pairs
    flows: Flows
    devices: Devices
    serves: Callable[[str, str], bool]
    """Settings.serves"""
    clock: Callable[[], float]
    pause: Callable[[float], None]

    # Trakt: signing in

    def authorize(self, redirect_uri: str | None, browser: str | None) -> Authorization:
        """`browser` is what the cookie holds already: two tabs may sign in at once. Raises Problem 400."""
        redirect_uri = redirect_uri or self.trakt.home
        path = redirect_uri.removeprefix(self.trakt.site_url())
        if path == redirect_uri or not re.fullmatch(r"(/[A-Za-z0-9._~-]*)*", path):
            raise Problem(400, "validation", "redirect_uri: must be an address of this site")
        state = new_handle()
        if not browser or not re.fullmatch(r"[A-Za-z0-9_-]{43}", browser):
            browser = new_handle()
        self.flows.begin_authorize(state, browser=browser, redirect_uri=redirect_uri, expires_in=STATE_LIFETIME)
        return Authorization(self.trakt.authorize_url(redirect_uri, state), state, browser)

    def exchange(self, code: str, state: str, browser: str | None) -> TokenPair:
        """Raises Problem 400 `invalid_state` (unknown, old, used, of another browser) or `invalid_grant`."""
        flow = self.flows.find(state)
        if (
            flow is None
            or flow.kind != "authorize"
            or self.clock() >= flow.expires_at
            or not secrets.compare_digest(flow.browser, hash_of(browser or ""))
            or not self.flows.end(flow, "used")
        ):
            raise Problem(400, "invalid_state", "this sign-in is not under way in this browser; begin it again")
        try:
            return self.trakt.exchange(code, flow.redirect_uri)
        except GrantRefused as refused:
            raise Problem(400, "invalid_grant", "Trakt does not accept this code; begin the sign-in again") from refused

    def sign_in(self, pair: TokenPair) -> Account:
        """Whose tokens these are; the account is made or renewed, and connected.

        Raises Problem 403 `not_allowed`, 409 `leaving` while an account that was deleted is on its way out, StopAccount
        for a locked account, RetryLater. A pair that leads to no sign-in is revoked: nobody else holds it.
        """
        try:
            who = Profile.of(Trakt(self.trakt_api, _JustGranted(pair.access)).settings())
            if not self.serves(who.slug, who.uuid):
                raise Problem(403, "not_allowed", "this deployment does not serve this Trakt account")
            account = self._account(who)
        except WatchferryError:
            self._revoke(self.trakt, pair)
            raise
        self._connect(who.uuid, self.trakt, pair)
        return account

    # Accounts

    def _account(self, who: Profile) -> Account:
        """Who left a moment ago and comes back waits for the sweep, which as a rule takes a few seconds."""
        until = self.clock() + LEAVING_TAKES
        while True:
            try:
                return self.accounts.sign_in(who.uuid, dict(who.shown))
            except StillLeaving as leaving:
                if self.clock() >= until:
                    detail = "the account that was deleted is being cleared away; sign in again in a minute"
                    raise Problem(409, "leaving", detail, retry_after=leaving.after) from leaving
            self.pause(0.5)

    def connect_kinopub(self, user_id: str, pair: TokenPair) -> None:
        host = self.hosts["kinopub"]
        self._connect(user_id, host, pair)
        host.welcome(pair)

    def disconnect(self, user_id: str, provider: Provider) -> None:
        """Revoked upstream where that works, and in any case deleted here. Nothing to do is done as well."""
        self.drop_tokens(user_id, provider)
        self.accounts.disconnect(user_id, provider)

    def drop_tokens(self, user_id: str, provider: Provider) -> None:
        """Of an account that need not be there any more."""
        row = self.pairs.tokens.get(user_id, provider)
        if row is not None:
            try:
                self._revoke(self.hosts[provider], self.pairs.open(row))
            except Exception:
                # A pair that cannot be opened (its key is gone) must be deletable all the same.
                log.exception("tokens could not be opened to revoke them", extra={"provider": provider})
            self.pairs.tokens.delete(user_id, provider)

    def credential(self, user_id: str, provider: str, *, until: float = math.inf) -> KeptCredential:
        """`provider` is `trakt` or `kinopub`. For one job, which ends at `until` (unix seconds).

        What it raises, auth/credential.py says.
        """
        host = self.hosts[provider]
        return KeptCredential(user_id, host, self.pairs, self.telling, self.application, self.clock, self.pause, until)

    def _connect(self, user_id: str, host: OAuthHost, pair: TokenPair) -> None:
        # The tokens first: an account that counts as connected has some.
        self.pairs.connect(user_id, host.name, pair)
        self.accounts.connect(user_id, host.name)

    def _revoke(self, host: OAuthHost, pair: TokenPair) -> None:
        """A failure is only noted: it must not keep anybody from leaving."""
        try:
            host.revoke(pair)
        except WatchferryError as error:
            log.warning("tokens were not revoked upstream", extra={"provider": host.name, "detail": str(error)})


@dataclass(frozen=True, slots=True)
class _JustGranted:
    """The Credential of a sign-in: there is nothing to renew it with yet."""

    access: str

    def token(self) -> str:
        return self.access

    def renewed(self, refused: str) -> NoReturn:  # noqa: ARG002 - the protocol's
        raise RetryLater("upstream_unreachable", "Trakt does not accept the token that it has just granted")
