"""Every error, named by what the caller does about it.

WatchferryError
├── RetryLater          the same call may succeed later; `after` seconds if the upstream said so
│   ├── Waiting         nobody was asked: its time has not come yet, `after` says when it does
│   └── Unsettled       a write may still be at work upstream: wait until `after`, then read back
├── OutcomeUnknown      a write whose effect is not known: read back, never send again blindly
├── Rejected            the upstream refused this very request (400, 422): skip or split it
├── NotThere            the upstream does not have it (404)
├── TokenRefused        401: refresh once, then ConnectAgain
├── ConnectAgain        the person must connect the account again
├── NotConnected        there is no such account (any more)
├── StopAccount         stop this account with a reason that a person understands (420, 423)
├── StopRun             this run cannot go on, the next may (403, 426): the deployment's or the plan's matter
│   └── AppRefused      an upstream refuses this deployment's application: its owner's matter, no user's
├── BlockedAddress      an address that a user gave is not one that we call
├── UnresolvableAddress its name leads nowhere: perhaps later
├── TooLarge            an answer is longer than the caller can carry
├── MissingSettings     our deployment: a setting is missing; names all of them
└── Problem             the caller of our HTTP API did something that we refuse (RFC 9457)

MalformedMessage        beside the tree, since no job handles it: the message goes to the dead-letter queue
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class WatchferryError(Exception):
    """Root of the tree."""


class Limit(NamedTuple):
    """An upstream's own word on how often it may be asked."""

    calls: float
    seconds: float


class RetryLater(WatchferryError):
    """Retry later. `code` is a word of http-api.md; `after` is in seconds, None when nobody said.

    `service`: whose trouble it is (`trakt`, `kinopub`), where a run has to say so.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        after: float | None = None,
        limit: Limit | None = None,
        service: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.service = service
        self.code = code
        self.detail = detail
        self.after = after
        self.limit = limit
        """What the upstream named (`X-Ratelimit`), if it did."""


class Waiting(RetryLater):
    """Our own budget has no place yet, or the upstream has asked for silence until then: no sign of trouble."""


class Unsettled(RetryLater):
    """A write of an earlier run may still be at work upstream; `after` says how long to wait."""


class OutcomeUnknown(WatchferryError):
    """A write was sent and its effect is not known. `answered`: the upstream took it (2xx), in words of no use."""

    def __init__(self, detail: str, *, answered: bool = False) -> None:
        super().__init__(detail)
        self.answered = answered


class Rejected(WatchferryError):
    """The upstream read the request and refused its content."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class NotThere(WatchferryError):
    """404."""


class TokenRefused(WatchferryError):
    """401: the access token is not accepted."""


ONE_APPLICATION = (
    "A free Trakt account can have only one connected application: if you have connected another one, Trakt has "
    "disconnected this one"
)
"""The likely cause where Trakt does not accept a sign-in any more."""


class ConnectAgain(WatchferryError):
    """A refresh was refused for good: only a new sign-in at `provider` helps."""

    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} has to be connected again")
        self.provider = provider

    @property
    def advice(self) -> str:
        """For the person."""
        name = self.provider.capitalize()
        said = f"{name} has to be connected again: sign in there once more, the sync goes on by itself then"
        return f"{said}. {ONE_APPLICATION}" if self.provider == "trakt" else said


class NotConnected(WatchferryError):
    """No account of `provider` is connected."""

    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} is not connected")
        self.provider = provider


class StopAccount(WatchferryError):
    """The upstream stopped this account; `code` becomes the pause's reason."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class StopRun(WatchferryError):
    """This run fails with `code`; a later one may succeed. `service`: as RetryLater's."""

    def __init__(self, code: str, detail: str, *, service: str | None = None) -> None:
        super().__init__(detail)
        self.service = service
        self.code = code
        self.detail = detail


class AppRefused(StopRun):
    """An upstream refuses this deployment's application (its id, its secret, or all that it asks)."""

    def __init__(self, provider: Literal["trakt", "kinopub"], detail: str, *, path: str | None = None) -> None:
        super().__init__("app_refused", detail)
        self.provider = provider
        self.path = path
        """What was asked, below the API's address; None for a token endpoint."""
        self.everybody: bool | None = None
        """Whether every user's calls are refused, or one account's alone; None until notify/application.py knows."""


class BlockedAddress(WatchferryError):
    """An address that a user gave, or where it leads, is not called. The text repeats nothing of it."""


class UnresolvableAddress(WatchferryError):
    """No host has the name in an address that a user gave."""


class TooLarge(WatchferryError):
    """An upstream's answer is longer than what was asked for at most. What it answered, `status` says."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class MalformedMessage(ValueError):
    """Nobody can work on it: it goes to the dead-letter queue."""


class MissingSettings(WatchferryError):
    """Names every setting that is missing or malformed."""


class Problem(WatchferryError):
    """An answer of our own HTTP API, `application/problem+json` (http-api.md, Errors)."""

    def __init__(self, status: int, code: str, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra: Mapping[str, object] = extra
        self.headers: Mapping[str, str] = {}
        """What an upstream's own answer had besides, to be passed on."""
