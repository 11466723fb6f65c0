"""Answers of OAuth hosts, read tolerantly; nothing of them is repeated in an error, since they hold tokens."""

from collections.abc import Callable

import httpx
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from watchferry.auth.grants import DeviceCode, GrantRefused, RefusedByEdge, TokenPair
from watchferry.clients._transport import meaning
from watchferry.errors import AppRefused, NotThere, OutcomeUnknown, Rejected, RetryLater, TokenRefused, WatchferryError
from watchferry.storage.account import Provider

OUR_FAULT = frozenset({"invalid_client", "unauthorized_client"})
"""Said of a deployment with a wrong key or secret; the person's login is not to blame."""

_DEAD = frozenset(
    {"invalid_grant", "invalid_refresh_token", "invalid_token", "expired_token", "access_denied", "unauthorized"}
)
"""What Trakt, Kinopub and RFC 6749 call a code or refresh token that is not good. A word that is not here is about
something else, or an edge's own, and must not send a person to sign in again for nothing."""


class _Answer(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class _Tokens(_Answer):
    """`token_type` may be missing (reality.md, Kinopub); we do not look at it."""

    access_token: str = Field(min_length=1)
    refresh_token: str | None = None
    expires_in: int | None = None
    created_at: int | None = None


class _Device(_Answer):
    """Trakt says device_code and verification_url, Kinopub code and verification_uri. The addresses become links."""

    code: str = Field(min_length=1, validation_alias=AliasChoices("device_code", "code"))
    user_code: str = Field(min_length=1)
    page: str = Field(pattern="^https?://", validation_alias=AliasChoices("verification_url", "verification_uri"))
    page_complete: str | None = Field(
        default=None,
        pattern="^https?://",
        validation_alias=AliasChoices("verification_url_complete", "verification_uri_complete"),
    )
    interval: int = Field(default=5, ge=1)
    expires_in: int = Field(default=600, ge=1)


def word(response: httpx.Response) -> str | None:
    """The `error` of a JSON answer."""
    try:
        answer = response.json()
    except ValueError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, str) else None


def device_of(upstream: str, response: httpx.Response, complete: Callable[[str, str], str]) -> DeviceCode:
    """`complete` makes the address that has the code in it, where the host tells none. Raises RetryLater."""
    try:
        told = _Device.model_validate_json(response.content)
    except ValidationError as error:
        raise RetryLater("upstream_unreachable", f"{upstream} began a device flow in a form unknown here") from error
    page_complete = told.page_complete or complete(told.page, told.user_code)
    return DeviceCode(told.code, told.user_code, told.page, page_complete, told.interval, told.expires_in)


def pair_of(
    upstream: str, response: httpx.Response, clock: Callable[[], float], *, before: TokenPair | None = None
) -> TokenPair:
    """The tokens of a 200. Raises OutcomeUnknown for an answer that cannot be read: a grant may have been used up.

    Without `created_at` the lifetime begins now. Without `expires_in` nothing is known of it, and to guess would be a
    lifetime of our own making: such a token is used until a 401 says that it is over. A refresh that names no new
    refresh token leaves the old one good (RFC 6749, 6).
    """
    try:
        told = _Tokens.model_validate_json(response.content)
    except ValidationError as error:
        raise OutcomeUnknown(f"{upstream} granted access in a form that cannot be read") from error
    refresh = told.refresh_token or (before.refresh if before else None)
    if not refresh:
        raise OutcomeUnknown(f"{upstream} granted access without a refresh token")
    created_at = told.created_at if told.created_at is not None else int(clock())
    expires_at = 0 if told.expires_in is None else created_at + told.expires_in
    return TokenPair(told.access_token, refresh, expires_at, before.redirect_uri if before else "")


def trouble_of(upstream: str, response: httpx.Response) -> WatchferryError:
    """What a token endpoint's status means, when it is not 200.

    400 and 401 refuse the grant (Trakt used both; reality.md, Token) if the host itself says so, unless they refuse
    this deployment's key. Of a 5xx nobody knows what happened before it.
    """
    said = word(response)
    if response.status_code < 500 and said in OUR_FAULT:
        provider: Provider = "trakt" if upstream == "Trakt" else "kinopub"
        return AppRefused(provider, f"{upstream} refuses this deployment's application: {said}")
    if response.status_code in {400, 401}:
        if said in _DEAD:
            return GrantRefused(f"{upstream} refused the grant ({response.status_code})")
        return RefusedByEdge(upstream, response.status_code)
    if response.status_code >= 500:
        return OutcomeUnknown(f"{upstream} answered {response.status_code}")
    trouble = meaning(upstream, response)
    if trouble is None or isinstance(trouble, (NotThere, Rejected, TokenRefused)):
        return RetryLater("upstream_unreachable", f"{upstream} answered {response.status_code}")
    return trouble


MADE_UP = "a-refresh-token-that-was-never-given-out"
"""Who is asked for tokens with it looks at the client first, and at the token only if it knows the client."""


def check_client(upstream: str, response: httpx.Response) -> None:
    """Of a refresh with MADE_UP: raises AppRefused, or what else is wrong when the host did not look at it.

    Whatever else the host says in its own form, it says to a client that it knows.
    """
    if response.status_code == 200:
        return
    trouble = trouble_of(upstream, response)
    refused = isinstance(trouble, GrantRefused) or (isinstance(trouble, RefusedByEdge) and word(response) is not None)
    if not refused:
        raise trouble
