"""What an OAuth host grants, in the one form that the rest of the broker knows."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from watchferry.errors import RetryLater, WatchferryError
from watchferry.storage.account import Provider

OAUTH_TIMEOUT = 10.0
"""Seconds for an answer. Long, since a refresh without one may cost a login; twice must fit into lease and request."""

type Refusal = Literal["pending", "slow_down", "used", "denied", "expired", "invalid"]
"""What a poll of a device code can answer in place of tokens; all but the first two are final."""


class GrantRefused(WatchferryError):
    """The host says in its own form that the code or refresh token is not (or no longer) good."""


class RefusedByEdge(RetryLater):
    """A token endpoint answered 400 or 401, but not in the host's own form: an edge or a firewall did, most likely.

    It says nothing about the grant, unless it goes on for long (auth/credential.py).
    """

    def __init__(self, upstream: str, status: int) -> None:
        detail = f"{upstream} answered {status} to a request for tokens, but not in its own form; it is tried again"
        super().__init__("upstream_unreachable", detail)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Never shown, never logged: `repr` tells nothing of the tokens."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: int
    """`created_at + expires_in`, unix seconds; 0 when the host named no lifetime."""
    redirect_uri: str = ""
    """Trakt wants it again with every refresh."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The beginning of a device flow; `code` stays here, the person gets `user_code`. Times are in seconds."""

    code: str = field(repr=False)
    user_code: str
    verification_url: str
    verification_url_complete: str
    interval: int
    expires_in: int


class OAuthHost(Protocol):
    """One provider. Every call is made once; RetryLater and OutcomeUnknown are as in clients/_transport.py."""

    @property
    def name(self) -> Provider: ...

    def device_code(self) -> DeviceCode:
        """Raises RetryLater, OutcomeUnknown, or AppRefused."""

    def poll(self, code: str) -> TokenPair | Refusal:
        """Raises AppRefused, StopRun for a firewall; trouble on the way counts as pending, and what an edge answers."""

    def refresh(self, pair: TokenPair) -> TokenPair:
        """Raises GrantRefused, RetryLater (nothing happened), OutcomeUnknown, AppRefused, StopRun, StopAccount."""

    def check_client(self) -> None:
        """Whether the host knows this deployment's id and secret. Raises AppRefused if not, RetryLater, OutcomeUnknown
        or StopRun when that is not known.
        """

    def revoke(self, pair: TokenPair) -> None:
        """Where the host can. Raises WatchferryError."""

    def welcome(self, pair: TokenPair) -> None:
        """What the host likes to be told after a sign-in. Never raises."""
