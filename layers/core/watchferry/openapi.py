"""`GET /api/openapi.json`: OpenAPI 3.1 of everything, made from the code — routes, bodies, the proxy's table.

A handler imports the model of its body where it takes it (`auth/bodies.py` and its like say why); that import is where
the body's schema is found. Powertools' own OpenAPI is not used: it wants every handler's parameters to be models, and
its validation answers in another form than http-api.md's.
"""

import dis
import functools
import html
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from pydantic import BaseModel

from watchferry import __version__
from watchferry.http_api import Answer, Api, Call, build_app
from watchferry.http_api.app import Handler, Route
from watchferry.http_api.call import ID
from watchferry.http_api.guard import FOR_A_PERSON, FOR_BOTH
from watchferry.http_api.problems import MEDIA_TYPE
from watchferry.models import Outcome
from watchferry.proxy.policy import PARAMETERS, TABLE, UPSTREAMS, Endpoint
from watchferry.storage.runs import REASONS

type Json = dict[str, Any]

_CURSOR = {"name": "cursor", "in": "query", "schema": {"type": "string", "pattern": f"^{ID.pattern}$"}}
_QUERIES: Mapping[str, list[Json]] = {
    "/sync/runs": [_CURSOR],
    "/sync/runs/{run_id}/events": [
        _CURSOR,
        {"name": "outcome", "in": "query", "schema": {"enum": list(getattr(Outcome.__value__, "__args__", ()))}},
        {"name": "reason", "in": "query", "schema": {"enum": list(REASONS)}},
    ],
    "/sync/unmatched": [_CURSOR],
}
"""Query parameters of our own endpoints; the proxy's are the upstreams'."""

_TITLES = {"auth": "Signing in", "sync": "Sync", "account": "Account"} | dict(UPSTREAMS)
_OTHER = "Other"

OAUTH = "/trakt/oauth"
_GRANT = ("access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at")
_WHOLE = {"expires_in", "interval", "created_at"}
_TRAKTS = {
    "/device/code": (("client_id",), ("device_code", "user_code", "verification_url", "expires_in", "interval")),
    "/device/token": (("code", "client_id", "client_secret"), _GRANT),
    "/token": (("refresh_token", "client_id", "client_secret", "redirect_uri", "grant_type"), _GRANT),
    "/revoke": (("token", "client_id", "client_secret"), ()),
}
"""What clients send and get (sync document 6.1)."""


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
    schemas: Json = {"Problem": _PROBLEM}
    paths: dict[str, Json] = {}
    for route in routes_of_all():
        path = re.sub(r"<(\w+)>", r"{\1}", route.rule.removeprefix("/api"))
        paths.setdefault(path, {})[route.method.lower()] = _own(route, path, schemas)
    for endpoint in TABLE:
        for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
            path = f"/{endpoint.prefix}{endpoint.path}"
            paths.setdefault(path, {})[method.lower()] = _proxied(endpoint, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watchferry",
            "version": __version__,
            "description": "Kinopub → Trakt, and the one safe door to Trakt, TMDB, Kinopub and Prowlarr.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "tags": [{"name": name} for name in (*_TITLES.values(), _OTHER)],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


def routes_of_all() -> Iterator[Route]:
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
    yield from api.routes
    for rule, handler in (("/api/health", health), ("/api/openapi.json", openapi), ("/api/openapi.html", readable)):
        yield Route("GET", rule, True, handler)


def health(_: Call) -> Answer:
    """Whether it answers, and which version."""
    _no_deployment()


def openapi(_: Call) -> Answer:
    """This description."""
    _no_deployment()


def readable(_: Call) -> Answer:
    """This description, for people."""
    _no_deployment()


def _no_deployment() -> NoReturn:
    raise NotImplementedError("described, not called")


# ---- our own endpoints


def _own(route: Route, path: str, schemas: Json) -> Json:
    writes = route.method not in {"GET", "HEAD"}
    ids = re.findall(r"\{(\w+)\}", path)
    operation: Json = {
        "operationId": route.handler.__name__,
        "tags": [_TITLES.get(path.split("/")[1], _OTHER)],
        "summary": _summary(route.handler),
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": _text(ID.pattern)} for name in ids),
            *(() if writes else _QUERIES.get(path, ())),
        ],
        "responses": {"2XX": {"description": "As http-api.md says"}, **_PROBLEMS},
        "security": [] if route.open else _credentials(route, path),
    }
    if path.startswith(OAUTH):
        operation |= _in_trakts_form(path)
    elif model := body_of(route.handler):
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(model, schemas)}},
        }
    return operation


def _credentials(route: Route, path: str) -> list[Json]:
    """What no token opens is guard.py's matter."""
    person = path.startswith(tuple(each.removeprefix("/api") for each in FOR_A_PERSON))
    for_both = path == FOR_BOTH.removeprefix("/api") and route.method == "GET"
    return [{"session": []}] if person and not for_both else [{"session": []}, {"token": []}]


def _in_trakts_form(path: str) -> Json:
    """Of the OAuth facade. Whatever else is sent is not looked at, so there is nothing wrong to be refused."""
    given, granted = _TRAKTS[path.removeprefix(OAUTH)]
    told = {name: {"type": "integer" if name in _WHOLE else "string"} for name in granted}
    answer = {"type": "object", "properties": told, "required": list(granted)}
    return {
        "requestBody": {"content": {"application/json": {"schema": {}, "example": dict.fromkeys(given, "…")}}},
        "responses": {
            "200": {"description": "As Trakt answers", "content": {"application/json": {"schema": answer}}},
            "4XX": {"description": "As Trakt answers: a status alone, or `{error, error_description}`"},
            "5XX": _PROBLEMS["5XX"],
        },
    }


def body_of(handler: Handler) -> type[BaseModel] | None:
    """The model of a handler's body: the one that it imports from a `bodies` module."""
    module = ""
    for instruction in dis.get_instructions(handler):
        if instruction.opname == "IMPORT_NAME":
            module = str(instruction.argval)
        elif instruction.opname == "IMPORT_FROM" and module.endswith(".bodies"):
            found = getattr(importlib.import_module(module), str(instruction.argval))
            if isinstance(found, type) and issubclass(found, BaseModel):
                return found
    return None


def _schema(model: type[BaseModel], schemas: Json) -> Json:
    name = f"{model.__module__.split('.')[-2].capitalize()}{model.__name__}"
    made = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= made.pop("$defs", {})
    schemas[name] = made
    return {"$ref": f"#/components/schemas/{name}"}


def _summary(handler: Handler) -> str:
    told = (handler.__doc__ or "").strip().split("\n")[0]
    return told or handler.__name__.replace("_", " ").capitalize()


# ---- the proxy


def _proxied(endpoint: Endpoint, method: str) -> Json:
    upstream = UPSTREAMS[endpoint.prefix]
    kept = f"remembered for {endpoint.seconds} s" if endpoint.seconds else "never remembered"
    operation: Json = {
        "operationId": re.sub(r"\W+", "_", f"{method}_{endpoint.prefix}{endpoint.path}").strip("_").lower(),
        "tags": [upstream],
        "summary": f"{upstream}'s own, with the {endpoint.credential}'s credential; {kept}",
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _text(PARAMETERS[name])}
                for name in re.findall(r"\{(\w+)\}", endpoint.path)
            ),
        ],
        "responses": {"default": {"description": f"{upstream}'s answer as it is, or a problem", "headers": _CACHE}},
        "security": [{"session": []}, {"token": []}, *_ELSEWHERE[endpoint.prefix]],
    }
    if method == "POST":
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    return operation


def _text(pattern: str) -> Json:
    return {"type": "string", "pattern": f"^{pattern}$"}


_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457; `code` is a stable word",
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code", "request_id")},
        "status": {"type": "integer"},
        "retry_after": {"type": "integer", "description": "seconds"},
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}
_SAYS = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_PROBLEMS: Json = {
    "4XX": {"description": "The request is refused", **_SAYS},
    "5XX": {"description": "An upstream does not answer, or something went wrong", **_SAYS},
}
_CACHE: Json = {
    "Cache-Status": {"description": "RFC 9211", "schema": {"type": "string"}},
    "Age": {"description": "seconds", "schema": {"type": "integer"}},
}
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
    "kinopubToken": {"type": "apiKey", "in": "query", "name": "access_token", "description": "an API token, wf_…"},
}
_ELSEWHERE: Mapping[str, list[Json]] = {
    "tmdb": [{"tmdbKey": []}],
    "trakt": [{"traktKey": []}],
    "kinopub": [{"kinopubToken": []}],
    "prowlarr": [{"prowlarrKey": []}, {"prowlarrQuery": []}],
}
