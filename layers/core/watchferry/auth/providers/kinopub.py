"""Kinopub's device flow and rotating tokens (KinoAPI document §1, corrected by reality.md): parameters in the query."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import httpx

from watchferry.auth.grants import DeviceCode, Refusal, TokenPair
from watchferry.auth.providers._answers import MADE_UP, OUR_FAULT, check_client, device_of, pair_of, trouble_of, word
from watchferry.clients._transport import Transport, meaning
from watchferry.errors import AppRefused, OutcomeUnknown, RetryLater, WatchferryError
from watchferry.storage.account import Provider

log = logging.getLogger(__name__)

_BY_WORD: Mapping[str, Refusal] = {
    "authorization_pending": "pending",
    "slow_down": "slow_down",
    "code_expired": "expired",
    "authorization_expired": "expired",
    "access_denied": "denied",
}
"""Words that are not here are final too (reality.md, Kinopub)."""


@dataclass(slots=True)
class KinopubOAuth:
    """`new_http` makes a client with a cookie jar of its own, which `welcome` needs."""

    transport: Transport
    client_id: str
    client_secret: Callable[[], str]
    clock: Callable[[], float]
    new_http: Callable[[], httpx.Client]
    device: Mapping[str, str]
    """`title`, `hardware`, `software`: what Kinopub's page shows in its list of devices."""
    name: ClassVar[Provider] = "kinopub"

    def device_code(self) -> DeviceCode:
        response = self._ask("/oauth2/device", grant_type="device_code")
        if response.status_code == 200:
            return device_of("Kinopub", response, lambda page, _: page)
        raise trouble_of("Kinopub", response)

    def poll(self, code: str) -> TokenPair | Refusal:
        """Decided by the word in `error`: what has none is an edge's answer, and says nothing about the code.

        Trouble on the way counts as pending; why, auth/providers/trakt.py says.
        """
        try:
            response = self._ask("/oauth2/device", grant_type="device_token", code=code)
            error = word(response)
            if response.status_code == 200 and error is None:
                return pair_of("Kinopub", response, self.clock)
        except (OutcomeUnknown, RetryLater):
            return "pending"
        if response.status_code == 429:
            return "slow_down"
        if error in OUR_FAULT:
            raise AppRefused("kinopub", f"Kinopub refuses this deployment's application: {error}")
        if response.status_code == 403 and error is None and (refused := meaning("Kinopub", response)):
            raise refused
        if response.status_code >= 500 or error is None:
            return "pending"
        return _BY_WORD.get(error, "invalid")

    def refresh(self, pair: TokenPair) -> TokenPair:
        """Both tokens are new then, and the old ones dead."""
        response = self._ask("/oauth2/token", grant_type="refresh_token", refresh_token=pair.refresh)
        if response.status_code != 200:
            raise trouble_of("Kinopub", response)
        return pair_of("Kinopub", response, self.clock, before=pair)

    def check_client(self) -> None:
        response = self._ask("/oauth2/token", grant_type="refresh_token", refresh_token=MADE_UP)
        check_client("Kinopub", response)

    def revoke(self, pair: TokenPair) -> None:
        """Kinopub documents no way; the device is removed on its page."""

    def welcome(self, pair: TokenPair) -> None:
        """`POST /v1/device/notify` (1.4): as JSON; as a form where that is refused, with the cookies of the first."""
        try:
            with self.new_http() as http:
                transport = replace(self.transport, http=http)
                if not self._notified(transport, pair, json=self.device):
                    self._notified(transport, pair, form=self.device)
        except WatchferryError as error:
            log.warning("Kinopub was not told the device's name", extra={"detail": str(error)})

    def _notified(self, transport: Transport, pair: TokenPair, **body: Any) -> bool:
        response = transport.exchange("POST", "/v1/device/notify", params={"access_token": pair.access}, **body)
        if not response.is_success:
            log.warning("Kinopub refused the device's name", extra={"status": response.status_code})
        return response.is_success

    def _ask(self, path: str, **given: str) -> httpx.Response:
        known = {"client_id": self.client_id, "client_secret": self.client_secret()}
        return self.transport.exchange("POST", path, params=given | known)
