"""Until when an answer must be there (http-api.md, Proxy)."""

from watchferry.http_api import Call

SECONDS = 25.0
"""From the request's arrival to its answer."""


def deadline_of(call: Call, now: float) -> float:
    """Unix seconds. The request arrived when API Gateway says; now, where its clock cannot be right."""
    told = (call.event.get("requestContext") or {}).get("timeEpoch")
    arrived = told / 1000 if isinstance(told, (int, float)) else now
    return (arrived if now - SECONDS < arrived <= now else now) + SECONDS
