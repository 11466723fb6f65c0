"""The answers of "Auth broker" in http-api.md, as its handlers make them; openapi.py describes them from here."""

from typing import Any, Literal, TypedDict

from watchferry.storage.tokens import ConnectionStatus


class User(TypedDict):
    slug: str
    name: str
    avatar: str | None


class Connection(TypedDict):
    connected: bool
    status: ConnectionStatus
    expires_at: str | None


class TraktConnection(Connection):
    vip: bool
    limits: dict[str, Any]
    """As Trakt's `/users/settings` has them."""


class ProwlarrConnection(TypedDict):
    configured: bool
    base_url: str | None


class Session(TypedDict):
    user: User
    trakt: TraktConnection
    kinopub: Connection
    prowlarr: ProwlarrConnection


class DeviceCode(TypedDict):
    device_code: str
    """An opaque handle of ours."""
    user_code: str
    verification_url: str
    verification_url_complete: str
    interval: int
    expires_in: int


class SignedIn(TypedDict):
    status: Literal["authorized"]
    user: User


class DeviceWaiting(TypedDict):
    status: Literal["pending", "slow_down"]
    interval: int


class Authorize(TypedDict):
    authorize_url: str
    state: str


class ApiToken(TypedDict):
    id: str
    name: str
    created_at: str
    last_used_at: str | None


class ApiTokenList(TypedDict):
    items: list[ApiToken]


class NewApiToken(TypedDict):
    """The only answer that ever shows the token."""

    id: str
    name: str
    token: str
    created_at: str
