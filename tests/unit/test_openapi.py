"""`GET /api/openapi.json` describes all of the API, and the API is as it says (schemathesis, bounded)."""

import base64
import gzip
import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.auth_api.app import auth_api
from functions.prowlarr_api.app import prowlarr_api
from functions.proxy_api.app import proxy_api
from tests.browser import event
from tests.described import described_successes
from tests.tables import tables
from tests.unit.cloud.test_template import of_type
from tests.unit.proxy.conftest import connect
from tests.unit.proxy.test_policy import SAMPLES
from tests.upstreams import Upstreams
from watchferry.http_api import Api, build_app
from watchferry.openapi.document import described, routes_of_all
from watchferry.proxy.policy import TABLE
from watchferry.sync.routes import mount
from watchferry.wiring import Wiring

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
"""Not `unsupported_method`: what is not there is 404 `unknown_endpoint`, for a method too (http-api.md, Proxy). Nor
`ignored_auth`, which cannot tell its own wrong credential from the cookie that is sent beside: see the test below."""


def as_wsgi(find: Callable[[str], Api]) -> Callable[..., Iterable[bytes]]:
    """The functions behind API Gateway's routes, as a WSGI application."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {
            key[5:].replace("_", "-").lower(): str(value) for key, value in environ.items() if key[:5] == "HTTP_"
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        asked = event(environ["REQUEST_METHOD"], path.removeprefix("/api"), headers=headers, body=body, in_base64=True)
        asked |= {"rawPath": path, "rawQueryString": environ.get("QUERY_STRING", "")}
        answer = find(path)(asked, None)
        content = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        if answer["headers"].pop("Content-Encoding", "") == "gzip":
            content = gzip.decompress(content)  # as every client does, but the one of these tests
        start_response(f"{answer['statusCode']} X", [*answer["headers"].items()])
        return [content]

    return application


def routed(path: str) -> str:
    """As template.yaml's routes: the OAuth facade is auth_api's."""
    return "auth" if path.startswith("/api/trakt/oauth/") else path.split("/")[2]


@pytest.fixture
def api_schema(wiring: Wiring, upstreams: Upstreams) -> Any:
    """The document as the deployed function gives it out, in front of all functions; somebody is signed in."""
    sync = build_app(lambda: wiring)
    mount(sync, lambda: wiring)
    functions = {"auth": auth_api(lambda: wiring), "health": auth_api(lambda: wiring), "sync": sync}
    functions |= {"account": functions["auth"], "prowlarr": prowlarr_api(lambda: wiring)}
    proxy = proxy_api(lambda: wiring)
    user = connect(wiring, upstreams, "harry")
    session = wiring.sessions.begin(user)
    # Credentials are sent beside each request, and tested by themselves: schemathesis would make up others.
    found = json.loads(proxy(event("GET", "/openapi.json"), None)["body"])
    del found["components"]["securitySchemes"]
    for operations in found["paths"].values():
        for operation in operations.values():
            del operation["security"]
    made = schemathesis.openapi.from_dict(found)
    made.app = as_wsgi(lambda path: functions.get(routed(path), proxy))
    return made, {"__Host-session": session}


EXAMPLES = 6
EASY = list(HealthCheck)

LEAVES = {("POST", "/auth/logout"), ("DELETE", "/auth/trakt"), ("DELETE", "/auth/kinopub"), ("DELETE", "/account")}
"""After these nobody would be signed in any more."""

OPERATIONS = [
    (method.upper(), path)
    for path, operations in described()["paths"].items()
    for method in operations
    if (method.upper(), path) not in LEAVES
]


# Not with schemathesis' own pytest plugin, which reaches into pytest's insides and breaks with its versions.
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_api_is_as_described(api_schema: Any, method: str, path: str) -> None:
    """Whatever is sent to any endpoint, right or wrong: an answer of the described kinds, never a 5xx."""
    description, cookies = api_schema
    operation = description[path][method]
    statuses: Counter[int] = Counter()
    for mode in GenerationMode:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=EASY)
        def holds(case: Any) -> None:
            answer = case.call_and_validate(checks=CHECKS, cookies=cookies, headers={"X-CSRF": "1"})
            statuses[answer.status_code] += 1

        with suppress(Unsatisfiable):  # nothing about it could be wrong
            holds()
    assert 401 not in statuses, "somebody is signed in"
    assert statuses.total() > 1 or "{" not in path


def test_what_needs_a_credential_says_so(api_schema: Any) -> None:
    """Without one it is 401 wherever the document names one, and nowhere else."""
    description, _ = api_schema
    for method, path in OPERATIONS:
        operation = description[path][method]
        needs = bool(described()["paths"][path][method.lower()]["security"])
        concrete = {name: SAMPLES.get(name, "x") for name in re.findall(r"\{(\w+)\}", path)}
        case = operation.Case(path_parameters=concrete)
        assert (case.call().status_code == 401) == needs, path


def test_every_route_is_described() -> None:
    """Of every function, and every row of the proxy's table with its HEAD; no id is used twice."""
    paths = described()["paths"]
    for route in routes_of_all():
        assert route.method.lower() in paths[re.sub(r"<(\w+)>", r"{\1}", route.rule.removeprefix("/api"))]
    for row in TABLE:
        operations = paths[f"/{row.prefix}{row.path}"]
        assert row.method.lower() in operations
        assert ("head" in operations) == ("get" in operations)
    ids = [operation["operationId"] for operations in paths.values() for operation in operations.values()]
    assert len(ids) == len(set(ids))


def test_bodies_are_the_models_of_the_handlers() -> None:
    """Every write of ours that takes JSON says which; a new one is found by itself."""
    found = described()
    with_body = {op["operationId"] for ops in found["paths"].values() for op in ops.values() if "requestBody" in op}
    assert {"start_run", "change_settings", "exchange", "authorize", "poll_trakt_device"} <= with_body
    assert found["components"]["schemas"]["SyncStartRun"]["properties"]["mode"]["enum"] == ["sync", "preview"]


def test_what_may_be_left_out_of_a_body_has_no_default_there() -> None:
    """A setting that is left out stays as it was; and makers of clients take what has a default for required."""
    schemas = described()["components"]["schemas"]
    assert "default" not in json.dumps(schemas)
    assert "required" not in schemas["SyncChangeSettings"]


OPERATION_IDS = {
    "begin_trakt_device",
    "poll_trakt_device",
    "authorize",
    "exchange",
    "disconnect_trakt",
    "begin_kinopub_device",
    "poll_kinopub_device",
    "disconnect_kinopub",
    "save_prowlarr",
    "forget_prowlarr",
    "show_session",
    "logout",
    "list_tokens",
    "make_token",
    "revoke_token",
    "start_run",
    "list_runs",
    "show_run",
    "show_events",
    "confirm_run",
    "cancel_run",
    "undo_run",
    "list_unmatched",
    "list_overrides",
    "mend",
    "forget_override",
    "show_state",
    "show_settings",
    "change_settings",
    "try_webhook",
    "export",
    "leave",
    "health",
    "openapi",
    "readable",
}


def test_ids_of_our_own_operations_stay() -> None:
    """Clients are made from them."""
    paths = described()["paths"]
    own = {paths[path][method.lower()]["operationId"] for method, path, *_ in described_successes()}
    assert own == OPERATION_IDS


def test_the_readable_page(wiring: Wiring) -> None:
    """Lists every endpoint; holds no script, no style, nothing from elsewhere."""
    said = proxy_api(lambda: wiring)(event("GET", "/openapi.html"), None)
    assert said["headers"]["Content-Type"] == "text/html; charset=utf-8"
    page = html.unescape(said["body"])
    for path, operations in described()["paths"].items():
        for method in operations:
            assert f"{method.upper()} /api{path}<" in page
    assert not re.search(r"<script|<style|style=|<link|<img|https?://", page)


def test_the_document_is_served_to_anybody(wiring: Wiring) -> None:
    """Without a session, as JSON."""
    said = proxy_api(lambda: wiring)(event("GET", "/openapi.json"), None)
    assert (said["statusCode"], said["headers"]["Content-Type"]) == (200, "application/json")
    told = json.loads(said["body"])
    assert told["openapi"] == "3.1.0"
    assert told == json.loads(json.dumps(described()))


def test_it_tells_nothing_of_the_deployment() -> None:
    """No name of a table, no route of API Gateway's: what it says is in the contract."""
    text = json.dumps(described())
    assert not [name for name in tables() if f"{name}Table" in text]
    assert len(of_type("AWS::ApiGatewayV2::Route")) > 0
