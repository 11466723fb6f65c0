"""An address that a user gave, taken apart. What may stand in one, proxy/address_guard.py decides."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Of a canonical http(s) address. What follows the host may be a secret: Discord's webhooks hold a token there."""

    scheme: Literal["http", "https"]
    host: str
    """A name or an IP address, in lower case; IPv6 without brackets."""
    port: int
    path: str = field(repr=False)
    """Begins with `/`."""
    query: str | None = field(repr=False, default=None)

    @property
    def site(self) -> str:
        """`https://example.org:8443`; a port that the scheme implies is left out."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """As the Host header says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """The path and the query, as the request line says them."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def text(self) -> str:
        return self.site + self.target

    @property
    def masked(self) -> str:
        """What may be shown: where it goes, not what lets one in."""
        return f"{self.site}/***"
