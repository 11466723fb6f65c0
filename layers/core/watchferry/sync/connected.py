"""The upstreams of a connected user: clients that carry the user's credential."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from watchferry.clients._transport import Throttle, Transport
from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import Credential, Trakt, trakt_headers
from watchferry.settings import Settings
from watchferry.sync.workshop import Watch


class Credentials(Protocol):
    def credential(self, user_id: str, provider: str, *, until: float) -> Credential: ...


@dataclass(slots=True)
class Connected:
    """workshop.Upstreams for real accounts."""

    settings: Settings
    http: httpx.Client
    broker: Credentials
    pause: Callable[[float], None]

    def trakt(self, user_id: str, throttle: Throttle, watch: Watch) -> Trakt:
        settings = self.settings
        headers = trakt_headers(settings.trakt_client_id, settings.user_agent)
        transport = self._transport("Trakt", settings.trakt_api_url, headers, throttle, watch)
        return Trakt(transport, self.broker.credential(user_id, "trakt", until=watch.ends_at))

    def kinopub(self, user_id: str, throttle: Throttle, watch: Watch) -> Kinopub:
        settings = self.settings
        headers = {"User-Agent": settings.kinopub_user_agent or settings.user_agent}
        transport = self._transport("Kinopub", settings.kinopub_api_url, headers, throttle, watch)
        return Kinopub(transport, self.broker.credential(user_id, "kinopub", until=watch.ends_at))

    def _transport(
        self, upstream: str, base_url: str, headers: Mapping[str, str], throttle: Throttle, watch: Watch
    ) -> Transport:
        return Transport(
            http=self.http,
            upstream=upstream,
            base_url=base_url,
            headers=headers,
            retry_base=self.settings.retry_base_seconds,
            throttle=throttle,
            pause=self.pause,
            out_of_time=watch.out_of_time,
            on_call=watch.on_call,
        )
