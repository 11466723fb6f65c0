"""The OAuth facade: Trakt's own OAuth endpoints for existing Trakt clients (http-api.md, OAuth facade).

A person agrees at Trakt by the device flow, as in a browser; what the program gets are tokens of ours, which open
`/trakt/*` alone. Trakt's stay in the broker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchferry.auth.broker import Broker
from watchferry.auth.devices import Waiting
from watchferry.errors import Problem, RetryLater, StopAccount, WatchferryError
from watchferry.storage.api_tokens import ACCESS_LIFETIME, ApiTokens, ProgramTokens
from watchferry.storage.budgets import Budgets, Rate

CODES = Rate(interval_ms=1000, burst=10)
"""Device codes for all strangers together: each is a call to Trakt in our name. API Gateway's limit of the route says
the same, but a path with double slashes comes by another route."""

_HANDLE = re.compile(r"[A-Za-z0-9_-]{43}")


class Refused(WatchferryError):
    """Answered in OAuth's form (RFC 6749, 5.2); `error` is one of its words."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(slots=True)
class Facade:
    broker: Broker
    api_tokens: ApiTokens
    budgets: Budgets

    def begin(self) -> dict[str, Any]:
        """`{device_code, user_code, verification_url, expires_in, interval}` (sync document 6.1.1).

        Raises RetryLater, and what the broker raises.
        """
        place = self.budgets.take("facade", "device_code", CODES)
        if place.wait:
            raise RetryLater("rate_limited", "too many sign-ins begin at once", after=place.wait)
        begun = self.broker.devices.begin("trakt", kind="facade")
        return {name: said for name, said in begun.items() if name != "verification_url_complete"}

    def poll(self, code: str, name: str) -> dict[str, Any] | int:
        """The tokens, or the status that says why there are none (sync document 6.1.2): 400, 404, 409, 410, 418, 429.

        Raises Refused for an account that this deployment does not serve: for the program that is a denial, too.
        `name` is what the person's list of tokens calls the program.
        """
        if not _HANDLE.fullmatch(code):
            return 404
        try:
            said = self.broker.devices.poll("trakt", code, kind="facade")
        except Problem as ended:
            return ended.status
        if isinstance(said, Waiting):
            return 429 if said.hurried or said.status == "slow_down" else 400
        try:
            account = self.broker.sign_in(said)
        except (Problem, StopAccount) as refused:
            raise Refused(418, "access_denied", refused.detail) from refused
        return _granted(self.api_tokens.begin_program(account.user_id, name))

    def refresh(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The next tokens (sync document 6.1.3); the same ones for a token that comes again within a minute.

        Raises Refused 400, as Trakt does (reality.md, Token).
        """
        if given.get("grant_type") != "refresh_token":
            raise Refused(400, "unsupported_grant_type", "only refresh_token; a sign-in goes by the device flow")
        made = self.api_tokens.refresh_program(given.get("refresh_token", ""))
        if made is None:
            raise Refused(400, "invalid_grant", "the refresh token is unknown, expired, revoked or was used before")
        return _granted(made)

    def revoke(self, given: Mapping[str, str]) -> None:
        """Ends the program's tokens, and nothing else. An unknown token is none any more (RFC 7009, 2.2)."""
        self.api_tokens.end_program(given.get("token", ""))


def _granted(made: ProgramTokens) -> dict[str, Any]:
    return {
        "access_token": made.access,
        "token_type": "bearer",
        "expires_in": ACCESS_LIFETIME,
        "refresh_token": made.refresh,
        "scope": "public",
        "created_at": made.created_at,
    }
