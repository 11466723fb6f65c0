"""Trakt's OAuth host: device flow, authorization code, single-use refresh tokens (reality: Trakt, Token)."""

import secrets
from fnmatch import fnmatch
from typing import Any
from urllib.parse import urlencode

from .app import Device
from .faults import EDGE_PAGE
from .trakt_base import TraktBase, preset
from .trakt_state import Code, Grant
from .web import Json, Request, Response, collapse, route

INVALID_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
    "authorization request, or was issued to another client."
)
INVALID_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, or unsupported "
    "authentication method."
)
CODE_LIFETIME = 600


def _error(status: int, error: str, description: str) -> Response:
    challenge = f'Bearer realm="Doorkeeper", error="{error}", error_description="{description}"'
    headers = {"WWW-Authenticate": challenge} if status == 401 else {}
    return Response.json({"error": error, "error_description": description}, status, headers)


def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was posted; anything else counts as an empty one."""
    try:
        parsed: Json = request.json()
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


class OAuthRoutes(TraktBase):
    # ---- who answers in place of the routes

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        path = collapse(request.path)
        return self._edge(path) or self._application(path) or super().refusal(request, in_flight)

    def _edge(self, path: str) -> Response | None:
        """In a form that Trakt never has (reality: Trakt, Token)."""
        if path == "/oauth/token" and self.options.token_edge == 401:
            return Response(401)
        places = {"/oauth/token": self.options.token_edge, "/oauth/device/token": self.options.poll_edge}
        status = places.get(path, 0)
        return Response.html(EDGE_PAGE.format(status), status) if status else None

    def _application(self, path: str) -> Response | None:
        """The application is refused while tokens still work; or its secret is, at the token endpoint."""
        how = self.options.app_refused
        if how == "client" and path in ("/oauth/token", "/oauth/device/token", "/oauth/revoke"):
            return _error(401, "invalid_client", INVALID_CLIENT)
        if how in ("text", "json") and not path.startswith("/oauth/"):
            return Response.text("Forbidden", 403, "text/plain") if how == "text" else preset("app_refused")
        return None

    # ---- device flow

    @route("POST", "/oauth/device/code")
    def device_code(self, request: Request) -> Response:
        if _body(request).get("client_id") != self.client_id:
            return _error(401, "invalid_client", INVALID_CLIENT)
        flow = Device(
            code=secrets.token_hex(32),
            user_code=secrets.token_hex(4).upper(),
            client_id=self.client_id,
            created_at=self.clock(),
            expires_in=self.options.device_lifetime,
            interval=self.options.device_interval,
        )
        self.devices.flows[flow.code] = flow
        return Response.json(
            {
                "device_code": flow.code,
                "user_code": flow.user_code,
                "verification_url": self.options.verification_url,
                "expires_in": flow.expires_in,
                "interval": flow.interval,
            }
        )

    @route("POST", "/oauth/device/token")
    def device_token(self, request: Request) -> Response:
        """Every answer but the last has no body: only the status says what it means."""
        body = _body(request)
        if (body.get("client_id"), body.get("client_secret")) != (self.client_id, self.client_secret):
            return _error(401, "invalid_client", INVALID_CLIENT)
        flow = self.devices.flows.get(str(body.get("code")))
        status = self._polled(flow) if flow else 404
        if flow is None or status != 200:
            return Response(status, self.options.pending_body.encode() if status == 400 else b"")
        flow.status = "used"
        return self._issue(self.grant(flow.user))

    def _polled(self, flow: Device) -> int:
        fast = flow.poll(self.clock())
        if flow.status == "used":
            return 409
        if flow.expired(self.clock()):
            return 410
        if flow.status == "denied":
            return 418
        return 429 if fast else 400 if flow.status == "pending" else 200

    def approve(self, user_code: str, user: str) -> None:
        """The person enters the code on Trakt's page as `user`."""
        if user not in self.users:
            raise LookupError(f"no Trakt user {user!r}")
        with self.lock:
            self.devices.decide(user_code, "approved", user)

    def deny(self, user_code: str) -> None:
        with self.lock:
            self.devices.decide(user_code, "denied")

    # ---- authorization code

    @route("GET", "/oauth/authorize")
    def authorize(self, request: Request) -> Response:
        """The signed-in user agrees at once; without one there is a page to sign in."""
        redirect_uri = request.arg("redirect_uri")
        if request.arg("client_id") != self.client_id:
            return Response.html(INVALID_CLIENT, 401)
        if request.arg("response_type") != "code" or not self._registered(redirect_uri):
            return Response.html("The requested redirect uri is malformed or doesn't match client redirect URI.", 400)
        if self.signed_in is None:
            return Response.html("Sign in to Trakt")
        answer = {"state": request.arg("state")} if request.arg("state") else {}
        if self.options.authorize_denies:
            answer |= {"error": "access_denied", "error_description": "The resource owner denied the request."}
        else:
            code = secrets.token_hex(32)
            self.codes[code] = Code(self.signed_in, self.client_id, redirect_uri, self.clock())
            answer |= {"code": code}
        separator = "&" if "?" in redirect_uri else "?"
        return Response(302, b"", {"Location": redirect_uri + separator + urlencode(answer)})

    def sign_in(self, user: str | None) -> None:
        """Who is signed in on Trakt's page, for /oauth/authorize."""
        if user is not None and user not in self.users:
            raise LookupError(f"no Trakt user {user!r}")
        self.signed_in = user

    def _registered(self, redirect_uri: str) -> bool:
        return any(fnmatch(redirect_uri, pattern) for pattern in self.redirect_uris)

    # ---- tokens

    @route("POST", "/oauth/token")
    def token(self, request: Request) -> Response:
        body = _body(request)
        if (body.get("client_id"), body.get("client_secret")) != (self.client_id, self.client_secret):
            return _error(401, "invalid_client", INVALID_CLIENT)
        redirect_uri = body.get("redirect_uri")
        if not isinstance(redirect_uri, str):
            return _error(400, "invalid_request", "The request is missing a required parameter: redirect_uri.")
        if body.get("grant_type") == "authorization_code":
            return self._exchange(str(body.get("code")), redirect_uri)
        if body.get("grant_type") == "refresh_token":
            return self._refresh(str(body.get("refresh_token")), redirect_uri)
        return _error(400, "unsupported_grant_type", "The authorization grant type is not supported.")

    def _exchange(self, value: str, redirect_uri: str) -> Response:
        code = self.codes.get(value)
        if (
            code is None
            or code.used
            or code.redirect_uri != redirect_uri
            or self.clock() > code.created_at + CODE_LIFETIME
        ):
            return _error(self.options.oauth_refusal, "invalid_grant", INVALID_GRANT)
        code.used = True
        return self._issue(self.grant(code.user))

    def _refresh(self, value: str, redirect_uri: str) -> Response:
        """Single use: the second refresh with one token is refused, whoever was first."""
        old = self.by_refresh.get(value)
        if old is None or old.refresh_used or not self._registered(redirect_uri):
            self.tokens.refreshes_refused += 1
            return _error(self.options.oauth_refusal, "invalid_grant", INVALID_GRANT)
        old.refresh_used = True
        if self.options.refresh_kills_access and not old.ended:
            old.ended = "refreshed"
        self.tokens.refreshes_served += 1
        return Response.json(self.grant(old.user).as_json())

    def _issue(self, grant: Grant) -> Response:
        self.tokens.issued += 1
        return Response.json(grant.as_json())

    @route("POST", "/oauth/revoke")
    def revoke(self, request: Request) -> Response:
        """Revoking a token ends its pair; an unknown token is no error (RFC 7009)."""
        body = _body(request)
        if (body.get("client_id"), body.get("client_secret")) != (self.client_id, self.client_secret):
            return _error(403, "unauthorized_client", "You are not authorized to revoke this token")
        token = str(body.get("token"))
        if grant := self.by_access.get(token) or self.by_refresh.get(token):
            grant.ended, grant.refresh_used = grant.ended or "revoked", True
            self.tokens.revoked += 1
        return Response.json({})
