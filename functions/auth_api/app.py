"""HTTP: signing in, sessions, connected accounts, leaving (http-api.md, Auth broker)."""

from collections.abc import Callable
from functools import cache

from watchferry.account.routes import add_account_routes
from watchferry.auth.facade_routes import add_facade_routes
from watchferry.auth.routes import add_auth_routes
from watchferry.http_api import Api, build_app
from watchferry.http_api.health import add_health_route
from watchferry.wiring import Wiring


def auth_api(wiring: Callable[[], Wiring]) -> Api:
    """The function on the given wiring."""
    api = build_app(wiring)
    add_auth_routes(api, wiring)
    add_facade_routes(api, wiring)
    add_account_routes(api, wiring)
    add_health_route(api)
    return api


handler = auth_api(cache(Wiring))
