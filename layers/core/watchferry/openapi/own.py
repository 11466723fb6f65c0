"""Our own endpoints: routes, bodies, answers."""

import dis
import importlib
import re
from collections.abc import Mapping
from typing import get_args

from pydantic import BaseModel

from watchferry.http_api.app import Handler, Route
from watchferry.http_api.call import ID
from watchferry.http_api.guard import FOR_A_PERSON, FOR_BOTH
from watchferry.models import Outcome
from watchferry.openapi.answers import REFERENCE, Answers, Plain
from watchferry.openapi.parts import PROBLEMS, Json, text
from watchferry.proxy.policy import UPSTREAMS
from watchferry.storage.runs import REASONS

_CURSOR = {"name": "cursor", "in": "query", "schema": {"type": "string", "pattern": f"^{ID.pattern}$"}}
_QUERIES: Mapping[str, list[Json]] = {
    "/sync/runs": [_CURSOR],
    "/sync/runs/{run_id}/events": [
        _CURSOR,
        {"name": "outcome", "in": "query", "schema": {"enum": list(get_args(Outcome.__value__))}},
        {"name": "reason", "in": "query", "schema": {"enum": list(REASONS)}},
    ],
    "/sync/unmatched": [_CURSOR],
    "/sync/overrides": [_CURSOR],
}
"""Query parameters of our own endpoints; the proxy's are the upstreams'."""

TITLES = {"auth": "Signing in", "sync": "Sync", "account": "Account"} | dict(UPSTREAMS)
OTHER = "Other"

_OAUTH = "/trakt/oauth"
_GRANT = ("access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at")
_WHOLE = {"expires_in", "interval", "created_at"}
_TRAKTS = {
    "/device/code": (("client_id",), ("device_code", "user_code", "verification_url", "expires_in", "interval")),
    "/device/token": (("code", "client_id", "client_secret"), _GRANT),
    "/token": (("refresh_token", "client_id", "client_secret", "redirect_uri", "grant_type"), _GRANT),
    "/revoke": (("token", "client_id", "client_secret"), ()),
}
"""What clients send and get (sync document 6.1)."""


def described_own(route: Route, path: str, answers: Answers, schemas: Json) -> Json:
    writes = route.method not in {"GET", "HEAD"}
    ids = re.findall(r"\{(\w+)\}", path)
    operation: Json = {
        "operationId": route.handler.__name__,
        "tags": [TITLES.get(path.split("/")[1], OTHER)],
        "summary": _summary(route.handler),
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": text(ID.pattern)} for name in ids),
            *(() if writes else _QUERIES.get(path, ())),
        ],
        "security": [] if route.open else _credentials(route, path),
    }
    if in_trakts_form(path):
        return operation | _in_trakts_form(path)
    operation["responses"] = answers.responses(route.handler) | PROBLEMS
    if model := body_of(route.handler):
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(model, schemas)}},
        }
    return operation


def in_trakts_form(path: str) -> bool:
    """The OAuth facade's: bodies and answers are Trakt's."""
    return path.startswith(_OAUTH)


def _credentials(route: Route, path: str) -> list[Json]:
    """What no token opens is guard.py's matter."""
    person = path.startswith(tuple(each.removeprefix("/api") for each in FOR_A_PERSON))
    for_both = path == FOR_BOTH.removeprefix("/api") and route.method == "GET"
    return [{"session": []}] if person and not for_both else [{"session": []}, {"token": []}]


def _in_trakts_form(path: str) -> Json:
    """Of the OAuth facade. Whatever else is sent is not looked at, so there is nothing wrong to be refused."""
    given, granted = _TRAKTS[path.removeprefix(_OAUTH)]
    told = {name: {"type": "integer" if name in _WHOLE else "string"} for name in granted}
    answer = {"type": "object", "properties": told, "required": list(granted)}
    return {
        "requestBody": {"content": {"application/json": {"schema": {}, "example": dict.fromkeys(given, "…")}}},
        "responses": {
            "200": {"description": "As Trakt answers", "content": {"application/json": {"schema": answer}}},
            "4XX": {"description": "As Trakt answers: a status alone, or `{error, error_description}`"},
            "5XX": PROBLEMS["5XX"],
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
    made = model.model_json_schema(ref_template=REFERENCE, schema_generator=Plain)
    for each, schema in (*made.pop("$defs", {}).items(), (name, made)):
        schema.pop("title", None)
        if schemas.setdefault(each, schema) != schema:
            raise ValueError(f"two schemas have the name {each}")
    return {"$ref": REFERENCE.format(model=name)}


def _summary(handler: Handler) -> str:
    told = (handler.__doc__ or "").strip().split("\n")[0]
    return told or handler.__name__.replace("_", " ").capitalize()
