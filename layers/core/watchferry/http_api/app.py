"""Routing on Powertools' resolver, and what surrounds every request: guard, caller, problems, headers, a log line."""

import base64
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from watchferry.errors import Problem
from watchferry.http_api.call import ID, Answer, Call, Deployment
from watchferry.http_api.guard import is_for_a_person, refuse_other_sites, refuse_token, require_json
from watchferry.http_api.problems import MEDIA_TYPE, document, problem_of, unforeseen, unknown_endpoint
from watchferry.observability import set_up_logging

type Handler = Callable[..., Answer]
"""Takes the Call and the route's ids by name."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """`rule` as Powertools has it: `/api/sync/runs/<run_id>`."""

    method: str
    rule: str
    open: bool
    handler: Handler


class Api:
    """The application of one function; call it with a Lambda's event and context. One request at a time."""

    def __init__(self, deployment: Callable[[], Deployment]) -> None:
        self._deployment = deployment
        self._resolver = APIGatewayHttpResolver()
        # Powertools asks the nearest class first; with these two nothing is left that it would log by itself.
        self._resolver.exception_handler(NotFoundError)(lambda _: self._refuse(unknown_endpoint()))
        self._resolver.exception_handler(Exception)(self._refuse)
        self._call: Call
        self.routes: list[Route] = []

    def get(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("GET", rule, open)

    def post(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("POST", rule, open)

    def put(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("PUT", rule, open)

    def delete(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("DELETE", rule, open)

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Never raises: an exception would show its text, or nothing at all (local-cloud.md)."""
        began = time.perf_counter()
        answer: dict[str, Any]
        try:
            set_up_logging()
            self._call = Call.of(event, self._deployment())
            answer = self._resolver.resolve(_as_get(event) if self._call.method == "HEAD" else event, context)
        except Exception:
            log.exception("a request ended before it was routed")
            return _last_resort()
        answer["headers"] = {**SECURITY_HEADERS, **answer["headers"]}
        if self._call.method == "HEAD":
            answer |= {"body": "", "isBase64Encoded": False}
        log.info(
            "request",
            extra={
                "method": self._call.method,
                "route": self._call.route,
                "status": answer["statusCode"],
                "code": self._call.code,
                "ms": round((time.perf_counter() - began) * 1000),
                "request_id": self._call.request_id,
            },
        )
        return answer

    def _route(self, method: str, rule: str, open_to_all: bool) -> Callable[[Handler], Handler]:
        rule = "/api" + rule

        def add(handler: Handler) -> Handler:
            def run(**ids: str) -> Response[Any]:
                call = self._call
                call.route = rule
                if call.path.endswith("\n"):  # the resolver's patterns end with `$`, which lets one through
                    raise unknown_endpoint()
                if not all(ID.fullmatch(value) for value in ids.values()):
                    raise Problem(404, "not_found", "ids are made of letters, digits, _ and -")
                refuse_other_sites(call)
                if not open_to_all:
                    _ = call.account  # raises for nobody, and for somebody who has left
                if not open_to_all or is_for_a_person(call):
                    refuse_token(call)
                require_json(call)
                return _response(handler(call, **ids))

            self._resolver.route(rule, method=method)(run)
            self.routes.append(Route(method, rule, open_to_all, handler))
            return handler

        return add

    def _refuse(self, error: Exception) -> Response[str]:
        problem = problem_of(error)
        if problem is None:
            log.error("unforeseen", exc_info=error, extra={"request_id": self._call.request_id})
            problem = unforeseen()
        elif problem.status >= 500:
            log.warning(
                "upstream trouble",
                extra={"code": problem.code, "detail": problem.detail, "request_id": self._call.request_id},
            )
        self._call.code = problem.code
        headers = {"Retry-After": str(problem.extra["retry_after"])} if "retry_after" in problem.extra else {}
        return Response(problem.status, MEDIA_TYPE, document(problem, self._call.request_id), headers)


def build_app(deployment: Callable[[], Deployment]) -> Api:
    """`deployment` is asked with every request and makes the wiring once (`functools.cache(Wiring)`)."""
    return Api(deployment)


def _response(answer: Answer) -> Response[Any]:
    body = answer.body
    in_base64 = isinstance(body, bytes)
    if isinstance(body, bytes):
        body = base64.b64encode(body).decode()  # not left to Powertools, which takes bytes of JSON for an object
    elif body is not None and not isinstance(body, str):
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    content_type = answer.content_type if body is not None else None
    made = Response(answer.status, content_type, body or "", dict(answer.headers), list(answer.cookies))
    made.base64_encoded = in_base64
    return made


def _as_get(event: Mapping[str, Any]) -> dict[str, Any]:
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _last_resort() -> dict[str, Any]:
    return {
        "statusCode": 500,
        "headers": {**SECURITY_HEADERS, "Content-Type": MEDIA_TYPE},
        "body": document(unforeseen(), "unknown"),
        "isBase64Encoded": False,
    }
