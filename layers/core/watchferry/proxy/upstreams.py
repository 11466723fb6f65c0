"""What each upstream's call carries: its address, our headers and whose credential, never the caller's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from watchferry.clients.trakt import Credential, trakt_headers
from watchferry.errors import Problem
from watchferry.proxy.policy import Endpoint, Prefix
from watchferry.settings import Settings


class Credentials(Protocol):
    def credential(self, user_id: str, provider: str, *, until: float) -> Credential: ...


@dataclass(frozen=True, slots=True)
class Dressed:
    """What is added to a request. `query` is appended to the caller's."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class Upstreams:
    settings: Settings
    secret: Callable[[str], str]
    credentials: Callable[[], Credentials]
    """Made when somebody's token is needed: most answers need none."""

    def address(self, prefix: Prefix) -> str:
        settings = self.settings
        found = {
            "tmdb": settings.tmdb_api_url,
            "trakt": settings.trakt_api_url,
            "kinopub": settings.kinopub_api_url,
        }
        return found[prefix].rstrip("/")

    def credential(self, endpoint: Endpoint, user_id: str, until: float) -> Credential:
        return self.credentials().credential(user_id, endpoint.prefix, until=until)

    def anonymous(self, prefix: Prefix) -> Dressed:
        """For a caller whose own credential goes upstream (ProxyPassthrough)."""
        if prefix == "trakt":
            headers = trakt_headers("", self.settings.user_agent)
            del headers["trakt-api-key"]
            return Dressed(headers)
        return Dressed({"User-Agent": self._agent(prefix)})

    def with_app(self, prefix: Prefix) -> Dressed:
        """Our application's credential and nobody's token. Raises Problem 503 where the owner gave none."""
        if prefix == "tmdb":
            token = self._tmdb_token()
            return Dressed({"User-Agent": self._agent(prefix), "Authorization": f"Bearer {token}"}, secrets=(token,))
        return Dressed(trakt_headers(self.settings.trakt_client_id, self.settings.user_agent))

    def with_token(self, prefix: Prefix, token: str) -> Dressed:
        """A user's token: Trakt's in a header beside our key, Kinopub's in the query (KinoAPI §0)."""
        if prefix == "kinopub":
            return Dressed({"User-Agent": self._agent(prefix)}, f"access_token={token}", (token,))
        return Dressed(self.with_app(prefix).headers | {"Authorization": f"Bearer {token}"}, secrets=(token,))  # type: ignore[operator]

    def _agent(self, prefix: Prefix) -> str:
        own = self.settings.user_agent
        return self.settings.kinopub_user_agent or own if prefix == "kinopub" else own

    def _tmdb_token(self) -> str:
        parameter = self.settings.tmdb_read_access_token_parameter
        if not parameter:
            detail = "this deployment has no read access token for TMDB (TmdbReadAccessToken)"
            raise Problem(503, "not_configured", detail)
        return self.secret(parameter)
