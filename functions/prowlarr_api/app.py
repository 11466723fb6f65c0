"""`/api/prowlarr/*` (http-api.md, Proxy). It calls addresses of users, so its role sees no token of anybody."""

from collections.abc import Callable
from functools import cache

from watchferry.http_api import Api, build_app
from watchferry.proxy.prowlarr.routes import mount
from watchferry.wiring import Wiring


def prowlarr_api(wiring: Callable[[], Wiring]) -> Api:
    """The function on the given wiring."""
    api = build_app(wiring)
    mount(api, wiring)
    return api


handler = prowlarr_api(cache(Wiring))
