"""The document, and the same as a page for people."""

import functools
import html
import json
import re
from typing import NoReturn

from watchferry import __version__
from watchferry.http_api import Api, build_app
from watchferry.http_api.app import Route
from watchferry.http_api.health import add_health_route
from watchferry.openapi.answers import Answers
from watchferry.openapi.own import OTHER, TITLES, described_own, in_trakts_form
from watchferry.openapi.parts import PROBLEM, Json
from watchferry.openapi.proxied import described_proxied
from watchferry.openapi.routes import add_openapi_routes
from watchferry.proxy.policy import TABLE


@functools.cache
def document() -> str:
    """The whole description, as JSON."""
    return json.dumps(described(), ensure_ascii=False, indent=1)


@functools.cache
def page() -> str:
    """The same for people: one table, without any script or style (nothing of either could run under /api)."""
    rows = "".join(
        f"<tr><td><code>{method.upper()} /api{html.escape(path)}</code></td>"
        f"<td>{html.escape(operation['tags'][0])}</td><td>{html.escape(operation['summary'])}</td></tr>"
        for path, operations in described()["paths"].items()
        for method, operation in operations.items()
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Watchferry: the API</title></head><body>'
        f"<h1>Watchferry {__version__}: the API</h1>"
        '<p>Every endpoint; bodies, parameters and answers are in <a href="/api/openapi.json">openapi.json</a>.'
        " Errors are <code>application/problem+json</code> with a stable <code>code</code>.</p>"
        f'<table border="1" cellpadding="4"><tr><th>endpoint</th><th>of</th><th></th></tr>{rows}</table></body></html>'
    )


def described() -> Json:
    routes = routes_of_all()
    answers = Answers([route.handler for route in routes if not in_trakts_form(path_of(route))])
    schemas: Json = {"Problem": PROBLEM, **answers.schemas}
    paths: dict[str, Json] = {}
    for route in routes:
        path = path_of(route)
        paths.setdefault(path, {})[route.method.lower()] = described_own(route, path, answers, schemas)
    for endpoint in TABLE:
        for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
            path = f"/{endpoint.prefix}{endpoint.path}"
            paths.setdefault(path, {})[method.lower()] = described_proxied(endpoint, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watchferry",
            "version": __version__,
            "description": "Kinopub → Trakt, and the one safe door to Trakt, TMDB, Kinopub and Prowlarr.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "tags": [{"name": name} for name in (*TITLES.values(), OTHER)],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


def routes_of_all() -> list[Route]:
    """The routes of every function but the proxy's, which the table describes."""
    from watchferry.account.routes import add_account_routes
    from watchferry.auth.facade_routes import add_facade_routes
    from watchferry.auth.routes import add_auth_routes
    from watchferry.sync.routes import mount as mount_sync

    api: Api = build_app(_no_deployment)
    add_auth_routes(api, _no_deployment)
    add_facade_routes(api, _no_deployment)
    mount_sync(api, _no_deployment)
    add_account_routes(api, _no_deployment)
    add_health_route(api)
    add_openapi_routes(api)
    return api.routes


def path_of(route: Route) -> str:
    """As OpenAPI writes it, below /api."""
    return re.sub(r"<(\w+)>", r"{\1}", route.rule.removeprefix("/api"))


def _no_deployment() -> NoReturn:
    raise NotImplementedError("described, not called")


_SECURITY: Json = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-session",
        "description": "a browser's; its writes need the header X-CSRF: 1 besides",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "an API token, wf_…"},
    "tmdbKey": {"type": "apiKey", "in": "query", "name": "api_key", "description": "an API token, wf_…"},
    "traktKey": {"type": "apiKey", "in": "header", "name": "trakt-api-key", "description": "an API token, wf_…"},
    "prowlarrKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "an API token, wf_…"},
    "prowlarrQuery": {"type": "apiKey", "in": "query", "name": "apikey", "description": "an API token, wf_…"},
    "prowlarrTicket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "stands in the links of a search's results; good for that link and an hour",
    },
    "kinopubToken": {"type": "apiKey", "in": "query", "name": "access_token", "description": "an API token, wf_…"},
}
