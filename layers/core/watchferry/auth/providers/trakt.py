"""Trakt's OAuth host (sync document §3, §6.1; reality.md: a host of its own, single-use refresh tokens)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx

from watchferry.auth.grants import DeviceCode, Refusal, TokenPair
from watchferry.auth.providers._answers import MADE_UP, OUR_FAULT, check_client, device_of, pair_of, trouble_of, word
from watchferry.clients._transport import Transport, is_page, meaning
from watchferry.errors import AppRefused, OutcomeUnknown, RetryLater
from watchferry.storage.account import Provider

_BY_STATUS: Mapping[int, Refusal] = {
    400: "pending",
    404: "invalid",
    409: "used",
    410: "expired",
    418: "denied",
}


@dataclass(slots=True)
class TraktOAuth:
    """`transport` leads to TraktAuthUrl; the secret and the site's address are read when they are first needed."""

    transport: Transport
    site_url: Callable[[], str]
    client_id: str
    client_secret: Callable[[], str]
    clock: Callable[[], float]
    name: ClassVar[Provider] = "trakt"

    @property
    def home(self) -> str:
        """The redirect address that the owner registers at Trakt; refreshes name it whatever flow began (6.1.3)."""
        return f"{self.site_url()}/"

    def device_code(self) -> DeviceCode:
        response = self.transport.exchange("POST", "/oauth/device/code", json={"client_id": self.client_id})
        if response.status_code != 200:
            raise trouble_of("Trakt", response)
        return device_of("Trakt", response, lambda page, user_code: f"{page.rstrip('/')}/{quote(user_code)}")

    def poll(self, code: str) -> TokenPair | Refusal:
        """Decided by the status: Trakt's own refusals have empty or unusable bodies (reality.md, Token).

        An edge answers with a page, or with a status that Trakt has no meaning for: the person's code is as good as
        before, so that is pending. A code that never gets an answer of Trakt's ends with its own lifetime.
        No answer, a 5xx or a 200 without tokens: the code may have been used up by this very poll, or the poll never
        got there. Sending it again at once would prove nothing, so it counts as pending: if the code is still good the
        next poll succeeds, if not that one is told "already used" and the person starts anew.
        """
        given = {"code": code, "client_id": self.client_id, "client_secret": self.client_secret()}
        try:
            response = self.transport.exchange("POST", "/oauth/device/token", json=given)
            if response.status_code == 200:
                return replace(pair_of("Trakt", response, self.clock), redirect_uri=self.home)
        except (OutcomeUnknown, RetryLater):
            return "pending"
        status = response.status_code
        if word(response) in OUR_FAULT:
            raise AppRefused("trakt", "Trakt refuses this deployment's application")
        if status == 403 and (refused := meaning("Trakt", response)):
            raise refused
        if status == 429:
            return "slow_down"
        return "pending" if is_page(response) else _BY_STATUS.get(status, "pending")

    def authorize_url(self, redirect_uri: str, state: str) -> str:
        """Where a browser goes to agree (variant B, B1)."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self.transport.base_url}/oauth/authorize?{urlencode(asked)}"

    def exchange(self, code: str, redirect_uri: str) -> TokenPair:
        """Raises GrantRefused, and the rest as `refresh` does."""
        pair = self._token({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})
        return replace(pair, redirect_uri=redirect_uri)

    def refresh(self, pair: TokenPair) -> TokenPair:
        given = {"grant_type": "refresh_token", "refresh_token": pair.refresh, "redirect_uri": pair.redirect_uri}
        return self._token(given, before=pair)

    def check_client(self) -> None:
        given = {"grant_type": "refresh_token", "refresh_token": MADE_UP, "redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}
        check_client("Trakt", self._asked(given))

    def revoke(self, pair: TokenPair) -> None:
        """Ends the pair, the refresh token too (sync document 6.1.4)."""
        given = {"token": pair.access, "client_id": self.client_id, "client_secret": self.client_secret()}
        response = self.transport.exchange("POST", "/oauth/revoke", json=given)
        if response.status_code != 200:
            raise trouble_of("Trakt", response)

    def welcome(self, pair: TokenPair) -> None:
        """Trakt wants to be told nothing."""

    def _token(self, given: dict[str, str], before: TokenPair | None = None) -> TokenPair:
        response = self._asked(given)
        if response.status_code != 200:
            raise trouble_of("Trakt", response)
        return pair_of("Trakt", response, self.clock, before=before)

    def _asked(self, given: dict[str, str]) -> httpx.Response:
        known = {"client_id": self.client_id, "client_secret": self.client_secret()}
        return self.transport.exchange("POST", "/oauth/token", json=given | known)
