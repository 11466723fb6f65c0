"""What Trakt keeps, and what it checks before it answers: firewall, key, content type, token, account, limits."""

import hashlib
import re
import secrets
import time
from collections.abc import Sequence
from math import ceil
from random import Random
from typing import Any

from .app import Clock, Devices, TokenCounts, Upstream
from .catalogue import Catalogue
from .faults import PRESETS, UPGRADE
from .trakt_state import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URIS,
    Budget,
    Code,
    Grant,
    TraktSwitches,
    TraktUser,
)
from .web import Request, Response, collapse


class TraktBase(Upstream):
    name = "trakt"

    def __init__(self, catalogue: Catalogue | None = None, clock: Clock = time.time, lock: Any = None) -> None:
        super().__init__(clock, lock)
        self.catalogue = catalogue or Catalogue()
        self.options = TraktSwitches()
        self.client_id, self.client_secret = CLIENT_ID, CLIENT_SECRET
        self.redirect_uris = list(REDIRECT_URIS)
        self.users: dict[str, TraktUser] = {}
        self.signed_in: str | None = None
        self.devices = Devices()
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.by_access: dict[str, Grant] = {}
        self.by_refresh: dict[str, Grant] = {}
        self.tokens = TokenCounts()
        self.last_play_id = 9_800_000_000  # beyond 32 bits, as the real ones
        self.random = Random(1)
        self._budgets: dict[tuple[str, str], Budget] = {}

    @property
    def switches(self) -> TraktSwitches:
        return self.options

    # ---- users and tokens

    def add_user(self, slug: str, **parts: Any) -> TraktUser:
        """A user; `name`, `uuid`, `vip`, `locked`, `account_limit` … as in `TraktUser`."""
        whole: dict[str, Any] = {
            "name": slug.replace("_", " ").title(),
            "uuid": hashlib.sha1(f"trakt {slug}".encode()).hexdigest(),
            "trakt": 41_000 + len(self.users),
        } | parts
        with self.lock:
            self.users[slug] = TraktUser(slug, **whole)
            return self.users[slug]

    def rename_user(self, slug: str, new_slug: str) -> None:
        """Slugs can be renamed and used again by somebody else; the uuid stays."""
        with self.lock:
            user = self.users.pop(slug)
            user.slug = new_slug
            self.users[new_slug] = user
            for grant in self.grants:
                grant.user = new_slug if grant.user == slug else grant.user

    def grant(self, slug: str) -> Grant:
        """A new token pair, as if the user had just gone through a flow."""
        if slug not in self.users:
            raise LookupError(f"no Trakt user {slug!r}")
        with self.lock:
            made = Grant(
                user=slug,
                client_id=self.client_id,
                access=secrets.token_hex(32),
                refresh=secrets.token_hex(32),
                created_at=int(self.clock()),
                expires_in=self.options.token_lifetime,
            )
            self.grants.append(made)
            self.by_access[made.access] = self.by_refresh[made.refresh] = made
            return made

    def expire_tokens(self, slug: str) -> None:
        """Access tokens of a user are over; the refresh tokens still work."""
        self._end(slug, "expired")

    def revoke_tokens(self, slug: str) -> None:
        """The user removed the application on Trakt's page: neither token works any more."""
        self._end(slug, "revoked")

    def _end(self, slug: str, why: str) -> None:
        with self.lock:
            for grant in self.grants:
                if grant.user == slug and not grant.ended:
                    grant.ended = why
                    grant.refresh_used |= why == "revoked"

    def forget_tokens(self) -> None:
        """Nobody is connected any more."""
        self.grants.clear()
        self.by_access.clear()
        self.by_refresh.clear()
        self.codes.clear()

    def token_counts(self) -> dict[str, int]:
        """Tokens handed out, refreshed, refused; `refresh_peak` is how many refreshes were in flight at once."""
        now = self.clock()
        return {
            "issued": self.tokens.issued,
            "refreshes_served": self.tokens.refreshes_served,
            "refreshes_refused": self.tokens.refreshes_refused,
            "revoked": self.tokens.revoked,
            "unauthorized": self.tokens.unauthorized,
            "refresh_peak": self.peaks["POST /oauth/token"],
            "alive": sum(not grant.ended and not grant.expired(now) for grant in self.grants),
        }

    # ---- before the route

    def caller(self, request: Request) -> str | None:
        grant = self.by_access.get(_bearer(request))
        if grant is None and b"refresh_token" in request.body:
            refresh = re.search(rb'"refresh_token"\s*:\s*"(\w+)"', request.body)
            grant = self.by_refresh.get(refresh[1].decode()) if refresh else None
        return grant.user if grant else None

    def user_of(self, request: Request) -> TraktUser:
        """The user of a request that `refusal` let through."""
        return self.users[self.caller(request) or ""]

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        path = collapse(request.path)
        return (
            self._firewall(request)
            or self._elsewhere(request, path)
            or self._refused_app(path)
            or self._unfit(request, path)
        )

    def _firewall(self, request: Request) -> Response | None:
        """A missing User-Agent is enough (reality: Trakt, Statuses with meaning)."""
        agent = request.headers.get("user-agent", "")
        blocked = self.options.blocked_user_agents
        return preset("firewall") if not agent or (blocked and re.search(blocked, agent)) else None

    def _elsewhere(self, request: Request, path: str) -> Response | None:
        """The OAuth host knows no API, and the API host OAuth only as long as the older documents' form works."""
        oauth = path.startswith("/oauth/")
        wrong = not oauth if request.mount == "auth" else oauth and not self.options.oauth_on_api_host
        return self.unknown(request, other_methods=False) if request.mount and wrong else None

    def _refused_app(self, path: str) -> Response | None:
        """Nine bytes of text on everything but OAuth (reality: Trakt, The application may be refused)."""
        dead = self.options.dead_app and not path.startswith("/oauth/")
        return Response.text("Forbidden", 403) if dead else None

    def unknown(self, request: Request, other_methods: bool) -> Response:
        return Response(405 if other_methods else 404)

    def _unfit(self, request: Request, path: str) -> Response | None:
        if request.method in ("POST", "PUT") and request.media_type() != "application/json":
            return Response.json({"error": "precondition_failed", "error_description": "use application/json"}, 412)
        if path.startswith("/oauth/"):
            return None  # client libraries send no key and sometimes an old Bearer here
        if request.headers.get("trakt-api-key") != self.client_id:
            return preset("app_refused")
        if request.headers.get("trakt-api-version") != "2":
            return Response.json({"error": "forbidden", "error_description": "API v1 is no longer available"}, 403)
        return self._account_refusal(request, needs_user=path.startswith(("/sync/", "/users/settings")))

    def _account_refusal(self, request: Request, needs_user: bool) -> Response | None:
        credential = request.headers.get("authorization")
        if credential is None and not needs_user:
            return self._over_limit(request, None)
        grant = self.by_access.get(_bearer(request))
        reason = "" if grant else "The access token is invalid"
        if grant and (grant.ended or grant.expired(self.clock())):
            reason = "The access token was revoked" if grant.ended == "revoked" else "The access token expired"
        if grant is None or reason:
            self.tokens.unauthorized += 1
            challenge = f'Bearer realm="Trakt", error="invalid_token", error_description="{reason}"'
            return Response(401, b"", {"WWW-Authenticate": challenge})
        user = self.users[grant.user]
        if user.locked or user.deactivated:
            return preset("locked" if user.locked else "deactivated")
        return self._over_limit(request, user.slug)

    # ---- limits

    def _budget(self, request: Request, user: str | None) -> Budget:
        """Reality, Trakt, Limits: 1000 GET in 5 minutes, 1 POST, PUT or DELETE a second, per user (or application)."""
        writes = request.method in ("POST", "PUT", "DELETE")
        name = f"{'AUTHED' if user else 'UNAUTHED'}_API_{'POST' if writes else 'GET'}_LIMIT"
        limit, period = (1, self.options.post_period) if writes else (self.options.get_limit, self.options.get_period)
        budget = self._budgets.setdefault((name, user or self.client_id), Budget(name, limit, period, self.clock()))
        if self.clock() - budget.start >= period:
            budget.start, budget.used = self.clock(), 0
        budget.limit, budget.period = limit, period
        return budget

    def _over_limit(self, request: Request, user: str | None) -> Response | None:
        if not self.options.limits:
            return None
        budget = self._budget(request, user)
        if budget.used < budget.limit:
            budget.used += 1
            return None
        wait = max(ceil(budget.start + budget.period - self.clock()), 1)
        return Response.json({"error": "rate_limit_exceeded"}, 429, {"Retry-After": str(wait)})

    def told(self, request: Request) -> dict[str, str]:
        """Where limits are on, every answer tells how much is left."""
        if not self.options.limits or collapse(request.path).startswith("/oauth/"):
            return {}
        return {"X-Ratelimit": self._budget(request, self.caller(request)).as_header()}

    # ---- pages

    def page_of(self, request: Request) -> tuple[int, int]:
        """`page` and `limit` (reality: Trakt, Pagination): default 10, clamped without a word."""
        limit = min(request.number("limit", self.options.page_default), self.options.page_cap)
        return request.number("page", 1), limit

    def paged(self, items: Sequence[Any], total: int, page: int, limit: int, pages: int | None = None) -> Response:
        """`pages`: how many there are said to be, where `total` does not decide it."""
        how = self.options.pagination_headers
        if how == "none":
            return Response.json(items)
        total += limit + 1 if how == "item_count_off" else 0
        pages = 0 if how == "zero_pages" else ceil(total / limit) if pages is None else pages
        headers = {
            "X-Pagination-Page": str(page),
            "X-Pagination-Limit": str(limit),
            "X-Pagination-Page-Count": str(pages),
            "X-Pagination-Item-Count": str(total),
        }
        return Response.json(items, headers=headers)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def preset(name: str) -> Response:
    status, headers, body = PRESETS[name]
    if isinstance(body, str):
        return Response.text(body, status or 200, "text/html", headers)
    return Response.json(body, status or 200, headers)


def account_limit(limit: int, vip: bool, bare: bool = False) -> Response:
    """420, with what the account may hold (reality: Trakt, Statuses with meaning), or as a rate limit looks."""
    if bare:
        return preset("account_limit_bare")
    headers = {"X-Account-Limit": str(limit), "X-Upgrade-URL": UPGRADE, "X-VIP-User": str(vip).lower()}
    return Response.json({"error": "account_limit_exceeded"}, 420, headers)
