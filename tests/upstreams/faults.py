"""Scripted faults: what goes wrong, with which request, before or after its effect, and how often."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, Literal

from .web import Response

EDGE_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>cloudflare</body></html>"
UPGRADE = "https://trakt.tv/vip"


@dataclass(slots=True)
class Fault:
    """One fault.

    - `method`, `path`: regular expressions; `path` is searched in the request's path. `user`: only this user's calls.
    - `when`: `before` the effect (which then never happens) or `after` it (the effect stands, the answer is lost).
    - `status`, `headers`, `body`: what is answered instead; what is left out stays as the app answered. A body that is
      not a string is sent as JSON. A header value `http-date:+30` becomes the HTTP date 30 seconds from now.
    - `reset`: the connection is dropped. `delay`: seconds of silence. A fault with `delay` alone and `before` is a
      request that works on although its client has given up: the effect comes when the delay is over.
    - `meanwhile`: done while the request is under way, before the answer, or before an effect that is still to come.
    - `times`: how often it strikes (None: for ever); `skip`: how many matching requests pass unharmed first.
    - `preset`: a name from `PRESETS`, which fills in status, headers and body.
    """

    path: str = ""
    method: str = ""
    when: Literal["before", "after"] = "before"
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    delay: float = 0.0
    meanwhile: Callable[[], object] | None = None
    reset: bool = False
    times: int | None = 1
    skip: int = 0
    user: str | None = None
    preset: str | None = None
    struck: int = 0

    def __post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {self.when!r}")
        if self.preset is not None:
            status, headers, body = PRESETS[self.preset]
            self.status = status if self.status is None else self.status
            self.headers = {**headers, **self.headers}
            self.body = body if self.body is None else self.body

    def fits(self, method: str, path: str, user: str | None) -> bool:
        return bool(
            re.fullmatch(self.method or ".*", method)
            and re.search(self.path, path)
            and (self.user is None or self.user == user)
        )

    @property
    def answers(self) -> bool:
        """Whether the fault itself is the answer, so that nothing need be worked out."""
        return self.status is not None or self.body is not None

    def response(self, now: float, real: Response | None = None) -> Response:
        """The answer that the client sees, made from the fault and (after the effect) from the real one."""
        base = real or Response(self.status or 200)
        body, media = base.body, base.headers.get("Content-Type", "text/html")
        if self.body is not None:
            text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
            media = "text/html" if text.startswith("<") else "text/plain" if text is self.body else "application/json"
            body = text.encode()
        elif self.status is not None and self.status != base.status:
            body, media = EDGE_PAGE.format(self.status).encode(), "text/html"
        headers = {**base.headers, "Content-Type": media, **{k: _header(v, now) for k, v in self.headers.items()}}
        return Response(self.status or base.status, body, headers)


def _header(value: str, now: float) -> str:
    match = re.fullmatch(r"http-date:([+-]\d+)", value)
    return formatdate(now + int(match[1]), usegmt=True) if match else value


class Faults:
    """The script of one upstream, tried in the order in which it was written."""

    def __init__(self) -> None:
        self.script: list[Fault] = []

    def add(self, fault: Fault | None = None, **parts: Any) -> Fault:
        """Adds a fault, given whole or in parts; returns it (its `struck` counts)."""
        added = fault or Fault(**parts)
        self.script.append(added)
        return added

    def clear(self) -> None:
        self.script.clear()

    def take(self, method: str, path: str, user: str | None) -> Fault | None:
        """The fault that strikes this request, if any; asking uses it up."""
        for fault in self.script:
            if (fault.times is not None and fault.struck >= fault.times) or not fault.fits(method, path, user):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.struck += 1
            return replace(fault)
        return None


def _page(status: int, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], Any]:
    return status, headers or {}, EDGE_PAGE.format(status)


_LIMIT = '{"name":"AUTHED_API_POST_LIMIT","period":1,"limit":1,"remaining":0,"until":"2030-01-01T00:00:00Z"}'
_SLOW = {"error": "rate_limit_exceeded"}

# Name: (status, headers, body). Reality: Trakt, "Limits" and "Statuses with meaning"; Kinopub, 401, 403 and 429.
PRESETS: dict[str, tuple[int | None, Mapping[str, str], Any]] = {
    "rate_limited": (429, {"Retry-After": "2", "X-Ratelimit": _LIMIT}, _SLOW),
    "rate_limited_date": (429, {"Retry-After": "http-date:+2", "X-Ratelimit": _LIMIT}, _SLOW),
    "rate_limited_bare": (429, {}, _SLOW),
    "edge_429": _page(429),
    "unauthorized": (401, {"WWW-Authenticate": 'Bearer realm="Trakt", error="invalid_token"'}, ""),
    "app_refused": (403, {}, {"error": "forbidden", "error_description": "invalid API key or unapproved app"}),
    "app_dead": (403, {"Content-Type": "text/plain"}, "This application has been deactivated."),
    "firewall": _page(403),
    "conflict": (409, {}, {"error": "conflict"}),
    "account_limit": (
        420,
        {"X-Account-Limit": "1000", "X-Upgrade-URL": UPGRADE, "X-VIP-User": "false"},
        {"error": "account_limit_exceeded"},
    ),
    "account_limit_bare": (420, {"X-Ratelimit": _LIMIT}, {"error": "account_limit_exceeded"}),
    "validation": (422, {}, {"errors": {"base": ["is invalid"]}}),
    "locked": (423, {"X-Account-Locked": "true"}, {"error": "locked"}),
    "deactivated": (423, {"X-Account-Deactivated": "true"}, {"error": "deactivated"}),
    "vip_only": (426, {"X-Upgrade-URL": UPGRADE, "X-VIP-User": "false"}, {"error": "vip_only"}),
    "server_error": (500, {}, {"error": "internal_server_error"}),
    "bad_gateway": _page(502),
    "unavailable": _page(503),
    "gateway_timeout": _page(504),
    "edge_520": _page(520),
    "edge_521": _page(521),
    "edge_522": _page(522),
    "kinopub_unauthorized": (401, {}, {"status": 401, "error": "unauthorized"}),
    # With `when: after` these keep the real status: the 201 of a POST that was applied, with a useless body.
    "garbage": (None, {}, "\x1f\x8b\x00not json at all"),
    "cut_off": (None, {"Content-Type": "application/json"}, '{"added":{"movies":1,"epis'),
    "html_ok": (None, {}, EDGE_PAGE.format("Just a moment...")),
}
