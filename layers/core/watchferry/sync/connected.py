"""The upstreams of a connected user: clients that carry the user's credential."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from watchferry.clients._transport import Throttle, Transport
from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import Credential, Trakt, trakt_headers
from watchferry.settings import Settings


class Credentials(Protocol):
    def credential(self, user_id: str, provider: str) -> Credential: ...


@dataclass(slots=True)
class Connected:
    """workshop.Upstreams for real accounts."""

    settings: Settings
    http: httpx.Client
    broker: Credentials
    pause: Callable[[float], None]

    def trakt(self, user_id: str, throttle: Throttle, on_call: Callable[[], None]) -> Trakt:
        settings = self.settings
        transport = Transport(
            http=self.http,
            upstream="Trakt",
            base_url=settings.trakt_api_url,
            headers=trakt_headers(settings.trakt_client_id, settings.user_agent),
            retry_base=settings.retry_base_seconds,
            throttle=throttle,
            pause=self.pause,
            on_call=on_call,
        )
        return Trakt(transport, self.broker.credential(user_id, "trakt"))

    def kinopub(self, user_id: str, throttle: Throttle, on_call: Callable[[], None]) -> Kinopub:
        settings = self.settings
        transport = Transport(
            http=self.http,
            upstream="Kinopub",
            base_url=settings.kinopub_api_url,
            headers={"User-Agent": settings.kinopub_user_agent or settings.user_agent},
            retry_base=settings.retry_base_seconds,
            throttle=throttle,
            pause=self.pause,
            on_call=on_call,
        )
        return Kinopub(transport, self.broker.credential(user_id, "kinopub"))
