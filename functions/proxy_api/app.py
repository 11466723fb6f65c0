"""`/api/tmdb/*`, `/api/trakt/*`, `/api/kinopub/*` (http-api.md, Proxy), and the description of the whole API."""

from collections.abc import Callable
from functools import cache

from watchferry.http_api import Api, build_app
from watchferry.openapi.routes import add_openapi_routes
from watchferry.proxy.routes import mount
from watchferry.wiring import Wiring


def proxy_api(wiring: Callable[[], Wiring]) -> Api:
    """The function on the given wiring."""
    api = build_app(wiring)
    mount(api, wiring)
    add_openapi_routes(api)
    return api


handler = proxy_api(cache(Wiring))
