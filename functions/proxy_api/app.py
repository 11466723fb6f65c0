"""`/api/tmdb/*`, `/api/trakt/*`, `/api/kinopub/*` (http-api.md, Proxy), and the description of the whole API."""

from collections.abc import Callable
from functools import cache

from watchferry.http_api import Answer, Api, Call, build_app
from watchferry.proxy.routes import mount
from watchferry.wiring import Wiring


def proxy_api(wiring: Callable[[], Wiring]) -> Api:
    """The function on the given wiring."""
    api = build_app(wiring)
    mount(api, wiring)

    @api.get("/openapi.json", open=True)
    def openapi(_: Call) -> Answer:
        from watchferry.openapi import document

        return Answer(200, document())

    @api.get("/openapi.html", open=True)
    def readable(_: Call) -> Answer:
        from watchferry.openapi import page

        return Answer(200, page(), content_type="text/html; charset=utf-8")

    return api


handler = proxy_api(cache(Wiring))
