"""Kinopub's device flow and rotating tokens (reality: Kinopub, Device flow, Refresh)."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from .app import Clock, Device, Devices, Switches, TokenCounts, Upstream
from .faults import EDGE_PAGE
from .library import Library
from .web import Request, Response, collapse, route

CLIENT_ID = "demo-kinopub-client-id"
CLIENT_SECRET = "demo-kinopub-client-secret-not-a-real-one"


@dataclass(slots=True)
class KinopubSwitches(Switches):
    max_in_flight: int | None = None  # more requests than this at once get 429
    retry_after: str | None = None  # what that 429 says in Retry-After; usually nothing
    numbers_as_strings: bool = True  # every third page of the history has its pagination as strings
    notify_refuses_json: bool = False  # /v1/device/notify wants a form
    notify_fails: bool = False
    token_lifetime: int = 3_600
    refresh_lifetime: int = 30 * 86_400
    token_type_missing: bool = False
    token_edge: int = 0  # an edge answers in the token endpoint's place: 401 without a body, else its page
    poll_edge: int = 0  # the same for polls of a device code
    app_refused: bool = False  # `invalid_client` at the token endpoint and for polls
    device_interval: int = 5
    device_lifetime: int = 8_600
    expired_word: str = "code_expired"  # or authorization_expired
    verification_uri: str = "https://kino.pub/device"


@dataclass(slots=True)
class Pair:
    """An access and a refresh token; both die together when they are refreshed."""

    user: str
    access: str
    refresh: str
    created_at: float
    lifetime: int
    dead: bool = False

    def expired(self, now: float) -> bool:
        return now >= self.created_at + self.lifetime


def _error(error: str, status: int = 400) -> Response:
    return Response.json({"error": error}, status)


def parameter(request: Request, name: str) -> str:
    """A parameter from the query (documented) or from a form body (many clients)."""
    return request.arg(name) or request.form().get(name, "")


class KinopubOAuth(Upstream):
    name = "kinopub"

    def __init__(self, library: Library | None = None, clock: Clock = time.time, lock: Any = None) -> None:
        super().__init__(clock, lock)
        self.library = library or Library(clock())
        self.options = KinopubSwitches()
        self.client_id, self.client_secret = CLIENT_ID, CLIENT_SECRET
        self.devices = Devices()
        self.tokens = TokenCounts()
        self.pairs: list[Pair] = []
        self.by_access: dict[str, Pair] = {}
        self.by_refresh: dict[str, Pair] = {}

    @property
    def switches(self) -> KinopubSwitches:
        return self.options

    # ---- before the route

    def caller(self, request: Request) -> str | None:
        access, refresh = request.arg("access_token"), parameter(request, "refresh_token")
        pair = self.by_access.get(access) or self.by_refresh.get(refresh)
        return pair.user if pair else None

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        edge = self._edge(request)
        if edge is not None:
            return edge
        blocked = self.options.blocked_user_agents
        if blocked and re.search(blocked, request.headers.get("user-agent", "")):
            return Response.text(EDGE_PAGE.format("403 Forbidden"), 403, "text/html")
        if self.options.max_in_flight is not None and in_flight > self.options.max_in_flight:
            headers = {"Retry-After": self.options.retry_after} if self.options.retry_after else {}
            return Response.json({"status": 429, "error": "Too Many Requests"}, 429, headers)
        if not collapse(request.path).startswith("/v1/"):
            return None
        pair = self.by_access.get(request.arg("access_token"))
        if pair is None or pair.dead or pair.expired(self.clock()):
            self.tokens.unauthorized += 1
            return Response.json({"status": 401, "error": "unauthorized"}, 401)
        return None

    def _edge(self, request: Request) -> Response | None:
        """In a form that Kinopub never has: no JSON with a word in `error`."""
        polls = parameter(request, "grant_type") == "device_token"
        places = {"/oauth2/token": self.options.token_edge, "/oauth2/device": self.options.poll_edge if polls else 0}
        status = places.get(collapse(request.path), 0)
        if not status:
            return None
        return Response(401) if status == 401 else Response.text(EDGE_PAGE.format(status), status, "text/html")

    def unknown(self, request: Request, other_methods: bool) -> Response:
        status = 405 if other_methods else 404
        return Response.json(
            {"status": status, "error": "Method Not Allowed" if other_methods else "Not Found"}, status
        )

    # ---- device flow

    @route("POST", "/oauth2/device")
    def device(self, request: Request) -> Response:
        """`device_code` begins, `device_token` polls; every refusal is a 400 with a word in `error`."""
        if not self._knows_client(request):
            return _error("invalid_client")
        grant_type = parameter(request, "grant_type")
        if grant_type == "device_code":
            return self._begin()
        if grant_type == "device_token":
            return self._poll(self.devices.flows.get(parameter(request, "code")))
        return _error("unsupported_grant_type")

    def _knows_client(self, request: Request) -> bool:
        given = (parameter(request, "client_id"), parameter(request, "client_secret"))
        return given == (self.client_id, self.client_secret) and not self.options.app_refused

    def _begin(self) -> Response:
        flow = Device(
            code=secrets.token_hex(16),
            user_code="".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(6)),
            client_id=self.client_id,
            created_at=self.clock(),
            expires_in=self.options.device_lifetime,
            interval=self.options.device_interval,
        )
        self.devices.flows[flow.code] = flow
        return Response.json(
            {
                "code": flow.code,
                "user_code": flow.user_code,
                "verification_uri": self.options.verification_uri,
                "expires_in": flow.expires_in,
                "interval": flow.interval,
            }
        )

    def _poll(self, flow: Device | None) -> Response:
        if flow is None or flow.status == "used":
            return _error("invalid_grant")
        flow.poll(self.clock())
        if flow.status == "denied":
            return _error("access_denied")
        if flow.expired(self.clock()):
            return _error(self.options.expired_word)
        if flow.status == "pending":
            return _error("authorization_pending")
        flow.status = "used"
        self.tokens.issued += 1
        return self._tell(self.grant(flow.user), scope=True)

    def approve(self, user_code: str, user: str) -> None:
        """The person enters the code on Kinopub's page as `user`."""
        if user not in self.library.viewers:
            raise LookupError(f"no Kinopub user {user!r}")
        with self.lock:
            self.devices.decide(user_code, "approved", user)

    def deny(self, user_code: str) -> None:
        with self.lock:
            self.devices.decide(user_code, "denied")

    # ---- tokens

    def grant(self, user: str) -> Pair:
        """A new token pair, as if the user had just gone through a flow."""
        self.library.viewer(user)
        pair = Pair(user, secrets.token_hex(16), secrets.token_hex(16), self.clock(), self.options.token_lifetime)
        with self.lock:
            self.pairs.append(pair)
            self.by_access[pair.access] = self.by_refresh[pair.refresh] = pair
        return pair

    @route("POST", "/oauth2/token")
    def token(self, request: Request) -> Response:
        """Both tokens rotate and the old ones are dead at once; a refresh token dies unused after 30 days."""
        if not self._knows_client(request):
            return _error("invalid_client")
        if parameter(request, "grant_type") != "refresh_token":
            return _error("unsupported_grant_type")
        old = self.by_refresh.get(parameter(request, "refresh_token"))
        if old is None or old.dead or self.clock() >= old.created_at + self.options.refresh_lifetime:
            self.tokens.refreshes_refused += 1
            return _error("invalid_refresh_token")
        old.dead = True
        self.tokens.refreshes_served += 1
        return self._tell(self.grant(old.user), scope=False)

    def _tell(self, pair: Pair, scope: bool) -> Response:
        told: dict[str, Any] = {
            "access_token": pair.access,
            "token_type": "bearer",
            "expires_in": pair.lifetime,
            "refresh_token": pair.refresh,
        }
        if self.options.token_type_missing:
            del told["token_type"]
        return Response.json(told | {"scope": None} if scope else told)

    def expire_tokens(self, user: str) -> None:
        """Access tokens of a user are over; the refresh tokens still work."""
        with self.lock:
            for pair in self.pairs:
                if pair.user == user:
                    pair.lifetime = min(pair.lifetime, int(self.clock() - pair.created_at))

    def revoke_tokens(self, user: str) -> None:
        """The user removed the device: nothing works any more."""
        with self.lock:
            for pair in self.pairs:
                pair.dead |= pair.user == user

    def forget_tokens(self) -> None:
        """Nobody is connected any more."""
        self.pairs.clear()
        self.by_access.clear()
        self.by_refresh.clear()

    def token_counts(self) -> dict[str, int]:
        """Tokens handed out, refreshed, refused; `refresh_peak` is how many refreshes were in flight at once."""
        now = self.clock()
        return {
            "issued": self.tokens.issued,
            "refreshes_served": self.tokens.refreshes_served,
            "refreshes_refused": self.tokens.refreshes_refused,
            "revoked": self.tokens.revoked,
            "unauthorized": self.tokens.unauthorized,
            "refresh_peak": self.peaks["POST /oauth2/token"],
            "alive": sum(not pair.dead and not pair.expired(now) for pair in self.pairs),
        }
