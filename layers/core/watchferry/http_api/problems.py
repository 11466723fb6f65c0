"""Every error of errors.py as an answer of our own: application/problem+json (RFC 9457; http-api.md, Errors)."""

import json
import math
from typing import Any

from botocore.exceptions import ClientError

from watchferry.errors import (
    BlockedAddress,
    ConnectAgain,
    NotConnected,
    NotThere,
    OutcomeUnknown,
    Problem,
    Rejected,
    RetryLater,
    StopAccount,
    StopRun,
    TokenRefused,
    TooLarge,
    UnresolvableAddress,
)
from watchferry.storage.account import RunActive

MEDIA_TYPE = "application/problem+json"

_THROTTLED = {
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
}
"""What AWS says for longer than botocore repeats a call."""


def problem_of(error: Exception) -> Problem | None:  # noqa: PLR0912 - a case per error is the table
    """The one table. None: an error that nobody foresaw, a 500 whose text must not leave us.

    A `retry_after` among the extras becomes the header as well. Details of our own errors hold no secret.
    """
    match error:
        case Problem():
            return error
        case ConnectAgain():
            return Problem(409, "reauth_required", error.advice, provider=error.provider)
        case NotConnected():
            return Problem(409, "not_connected", str(error), provider=error.provider)
        case RunActive():
            return Problem(409, "run_active", "another run is under way", run_id=error.run_id)
        case RetryLater(code="rate_limited"):
            return Problem(429, "rate_limited", error.detail, retry_after=_seconds(error.after) or 1)
        case RetryLater(code="upstream_timeout"):
            return Problem(504, "upstream_timeout", error.detail, **_retry_after(error))
        case RetryLater():
            return Problem(502, "upstream_unreachable", error.detail, **_retry_after(error))
        case OutcomeUnknown(__cause__=RetryLater() as cause):
            return problem_of(cause)
        case OutcomeUnknown():
            return Problem(502, "upstream_unreachable", str(error))
        case StopAccount():
            return Problem(409, error.code, error.detail)
        case StopRun():
            return Problem(502, error.code, error.detail)
        case BlockedAddress():
            return Problem(422, "blocked_address", f"this address is not called: {error}")
        case UnresolvableAddress():
            return Problem(422, "unresolvable_address", str(error))
        case TooLarge():
            return Problem(502, "upstream_too_large", str(error))
        case TokenRefused() | Rejected() | NotThere():
            return Problem(502, "upstream_refused", str(error))
        case ClientError() if _is_throttled(error):
            return Problem(503, "busy", "too much is asked of this deployment at the moment", retry_after=1)
    return None


def _is_throttled(error: ClientError) -> bool:
    """A transaction says it of its parts."""
    reasons = [error.response["Error"], *error.response.get("CancellationReasons", [])]
    return any(reason.get("Code") in _THROTTLED for reason in reasons)


def unforeseen() -> Problem:
    return Problem(500, "internal", "something went wrong here; the log has it under this request's id")


def unknown_endpoint() -> Problem:
    return Problem(404, "unknown_endpoint", "there is no such endpoint, or not for this method")


def document(problem: Problem, request_id: str) -> str:
    """`{type, title, status, detail, code, request_id}` and what else the problem has to say."""
    members: dict[str, Any] = {
        "type": f"urn:watchferry:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    return json.dumps(members | dict(problem.extra), ensure_ascii=False, separators=(",", ":"))


def _retry_after(error: RetryLater) -> dict[str, int]:
    seconds = _seconds(error.after)
    return {} if seconds is None else {"retry_after": seconds}


def _seconds(after: float | None) -> int | None:
    return None if after is None else math.ceil(after)
