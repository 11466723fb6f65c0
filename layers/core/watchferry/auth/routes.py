"""The "Auth broker" rows of http-api.md: each handler decodes, calls one thing and encodes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from watchferry.auth import answers
from watchferry.auth.devices import Waiting
from watchferry.auth.views import api_token_view, session_view, user_view
from watchferry.errors import Problem
from watchferry.http_api import Accepted, Answer, Api, Call, Created, Done, Ok, browser_cookie
from watchferry.http_api.cookies import AUTHORIZE_COOKIE, session_cookies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools.shared.cookies import Cookie

    from watchferry.auth.broker import Broker
    from watchferry.auth.grants import TokenPair
    from watchferry.auth.prowlarr import ProwlarrSetting
    from watchferry.storage.account import Account
    from watchferry.storage.api_tokens import ApiTokens
    from watchferry.storage.prowlarr import Prowlarrs
    from watchferry.storage.sessions import Sessions
    from watchferry.storage.tokens import Tokens


class AuthDeployment(Protocol):
    """What these routes need of wiring.py. The broker is made when it is asked for: reading a session does without."""

    @property
    def broker(self) -> "Broker": ...

    @property
    def sessions(self) -> "Sessions": ...

    @property
    def api_tokens(self) -> "ApiTokens": ...

    @property
    def tokens(self) -> "Tokens": ...

    @property
    def prowlarrs(self) -> "Prowlarrs": ...

    @property
    def prowlarr(self) -> "ProwlarrSetting": ...


def add_auth_routes(api: Api, deployment: Callable[[], AuthDeployment]) -> None:
    """Adds every route; the deployment is asked with each request."""
    _add_trakt(api, deployment)
    _add_kinopub(api, deployment)
    _add_prowlarr(api, deployment)
    _add_session(api, deployment)
    _add_api_tokens(api, deployment)


def _add_trakt(api: Api, deployment: Callable[[], AuthDeployment]) -> None:
    @api.post("/auth/trakt/device/code", open=True)
    def begin_trakt_device(_: Call) -> Ok[answers.DeviceCode]:
        return Answer(200, deployment().broker.devices.begin("trakt"))

    @api.post("/auth/trakt/device/token", open=True)
    def poll_trakt_device(call: Call) -> Ok[answers.SignedIn] | Accepted[answers.DeviceWaiting]:
        from watchferry.auth.bodies import DeviceToken

        said = deployment().broker.devices.poll("trakt", call.json(DeviceToken).device_code)
        return _waiting(said) if isinstance(said, Waiting) else _signed_in(call, deployment(), said)

    @api.post("/auth/trakt/authorize", open=True)
    def authorize(call: Call) -> Ok[answers.Authorize]:
        from watchferry.auth.bodies import Authorize
        from watchferry.auth.broker import STATE_LIFETIME

        wanted = call.json(Authorize)
        begun = deployment().broker.authorize(wanted.redirect_uri, call.cookies.get(AUTHORIZE_COOKIE))
        cookie = browser_cookie(AUTHORIZE_COOKIE, begun.browser, STATE_LIFETIME)
        return Answer(200, {"authorize_url": begun.url, "state": begun.state}, cookies=[cookie])

    @api.post("/auth/trakt/oauth/exchange", open=True)
    def exchange(call: Call) -> Ok[answers.SignedIn]:
        from watchferry.auth.bodies import Exchange

        given = call.json(Exchange)
        pair = deployment().broker.exchange(given.code, given.state, call.cookies.get(AUTHORIZE_COOKIE))
        return _signed_in(call, deployment(), pair)

    @api.delete("/auth/trakt")
    def disconnect_trakt(call: Call) -> Done:
        deployment().broker.disconnect(call.user_id, "trakt")
        return Answer(204)


def _add_kinopub(api: Api, deployment: Callable[[], AuthDeployment]) -> None:
    @api.post("/auth/kinopub/device/code")
    def begin_kinopub_device(call: Call) -> Ok[answers.DeviceCode]:
        return Answer(200, deployment().broker.devices.begin("kinopub", call.account.user_id))

    @api.post("/auth/kinopub/device/token")
    def poll_kinopub_device(call: Call) -> Ok[answers.SignedIn] | Accepted[answers.DeviceWaiting]:
        from watchferry.auth.bodies import DeviceToken

        broker, account = deployment().broker, call.account
        said = broker.devices.poll("kinopub", call.json(DeviceToken).device_code, account.user_id)
        if isinstance(said, Waiting):
            return _waiting(said)
        broker.connect_kinopub(account.user_id, said)
        return _authorized(account)

    @api.delete("/auth/kinopub")
    def disconnect_kinopub(call: Call) -> Done:
        deployment().broker.disconnect(call.user_id, "kinopub")
        return Answer(204)


def _add_prowlarr(api: Api, deployment: Callable[[], AuthDeployment]) -> None:
    @api.put("/auth/prowlarr")
    def save_prowlarr(call: Call) -> Done:
        from watchferry.auth.bodies import Prowlarr

        given = call.json(Prowlarr)
        deployment().prowlarr.save(call.account.user_id, given.base_url, given.api_key)
        return Answer(204)

    @api.delete("/auth/prowlarr")
    def forget_prowlarr(call: Call) -> Done:
        deployment().prowlarrs.delete(call.user_id)
        return Answer(204)


def _add_session(api: Api, deployment: Callable[[], AuthDeployment]) -> None:
    @api.get("/auth/session")
    def show_session(call: Call) -> Ok[answers.Session]:
        account, tokens = call.account, deployment().tokens
        trakt, kinopub = tokens.get(account.user_id, "trakt"), tokens.get(account.user_id, "kinopub")
        return Answer(200, session_view(account, trakt, kinopub, deployment().prowlarrs.get(account.user_id)))

    @api.post("/auth/logout", open=True)
    def logout(call: Call) -> Done:
        """Of a session that is over as well: what counts is that it is gone."""
        if call.session_id:
            deployment().sessions.end(call.session_id)
        return Answer(204, cookies=session_cookies("", 0))


def _add_api_tokens(api: Api, deployment: Callable[[], AuthDeployment]) -> None:
    @api.get("/auth/api-tokens")
    def list_tokens(call: Call) -> Ok[answers.ApiTokenList]:
        """Programs that came by the OAuth facade stand here too, each with the name that it gave itself."""
        return Answer(200, {"items": [api_token_view(token) for token in deployment().api_tokens.of(call.user_id)]})

    @api.post("/auth/api-tokens")
    def make_token(call: Call) -> Created[answers.NewApiToken]:
        from watchferry.auth.bodies import NewApiToken
        from watchferry.storage.api_tokens import MOST, TooMany

        try:
            made, token = deployment().api_tokens.make(call.user_id, call.json(NewApiToken).name)
        except TooMany as many:
            raise Problem(409, "too_many", f"you have {MOST} tokens; revoke one first") from many
        view = api_token_view(made)
        return Answer(201, {"id": view["id"], "name": made.name, "token": token, "created_at": view["created_at"]})

    @api.delete("/auth/api-tokens/<token_id>")
    def revoke_token(call: Call, token_id: str) -> Done:
        if not deployment().api_tokens.revoke(call.user_id, token_id):
            raise Problem(404, "not_found", "you have no such token")
        return Answer(204)


def _waiting(said: Waiting) -> Accepted[answers.DeviceWaiting]:
    return Answer(202, {"status": said.status, "interval": said.interval})


def _signed_in(call: Call, deployment: AuthDeployment, pair: "TokenPair") -> Ok[answers.SignedIn]:
    """A new session, whatever the browser held before: an id known from before the sign-in is worthless."""
    account = deployment.broker.sign_in(pair)
    sessions = deployment.sessions
    if call.session_id:
        sessions.end(call.session_id)
    return _authorized(account, session_cookies(sessions.begin(account.user_id), sessions.lifetime))


def _authorized(account: "Account", cookies: "Sequence[Cookie]" = ()) -> Ok[answers.SignedIn]:
    return Answer(200, {"status": "authorized", "user": user_view(account)}, cookies=cookies)
