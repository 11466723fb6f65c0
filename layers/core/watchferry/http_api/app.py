"""The table of a function's routes, and what surrounds every request: guard, caller, problems, headers, a log line.

Powertools has a resolver for this. It is not used: with what it imports besides, a cold start takes a fifth longer.
"""

import base64
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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


@dataclass(frozen=True)
class Route:
    """`rule`: a regular expression of the whole path, in which `<run_id>` stands for one segment of it."""

    method: str
    rule: str
    open: bool
    handler: Handler

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", self.rule))


class Api:
    """The application of one function; call it with a Lambda's event and context."""

    def __init__(self, deployment: Callable[[], Deployment]) -> None:
        self._deployment = deployment
        self.routes: list[Route] = []

    def get(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("GET", rule, open)

    def post(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("POST", rule, open)

    def put(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("PUT", rule, open)

    def delete(self, rule: str, *, open: bool = False) -> Callable[[Handler], Handler]:
        return self._route("DELETE", rule, open)

    def __call__(self, event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        """Never raises: an exception would show its text, or nothing at all (local-cloud.md)."""
        began = time.perf_counter()
        try:
            set_up_logging()
            call = Call.of(event, self._deployment())
        except Exception:
            log.exception("a request ended before it was routed")
            return _for_gateway(_document(unforeseen(), "unknown"))
        try:
            answer = _for_gateway(self._answer(call))
        except Exception as error:
            answer = _for_gateway(_refusal(call, error))
        if call.method == "HEAD":
            answer |= {"body": "", "isBase64Encoded": False}
        log.info(
            "request",
            extra={
                "method": call.method,
                "route": call.route,
                "status": answer["statusCode"],
                "code": call.code,
                "ms": round((time.perf_counter() - began) * 1000),
                "request_id": call.request_id,
            },
        )
        return answer

    def _route(self, method: str, rule: str, open_to_all: bool) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            self.routes.append(Route(method, "/api" + rule, open_to_all, handler))
            return handler

        return add

    def _answer(self, call: Call) -> Answer:
        """By the first route that fits. Raises what its guard and its handler raise."""
        route, ids = self._find("GET" if call.method == "HEAD" else call.method, call.path)
        call.route = route.rule
        if not all(ID.fullmatch(value) for value in ids.values()):
            raise Problem(404, "not_found", "ids are made of letters, digits, _ and -")
        refuse_other_sites(call)
        if not route.open:
            _ = call.account  # raises for nobody, and for somebody who has left
        if not route.open or is_for_a_person(call):
            refuse_token(call)
        require_json(call)
        return route.handler(call, **ids)

    def _find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        for route in self.routes:
            if route.method == method and (found := route.pattern.fullmatch(path)):
                return route, found.groupdict()
        raise unknown_endpoint()


def build_app(deployment: Callable[[], Deployment]) -> Api:
    """`deployment` is asked with every request and makes the wiring once (`functools.cache(Wiring)`)."""
    return Api(deployment)


def _refusal(call: Call, error: Exception) -> Answer[int, str]:
    problem = problem_of(error)
    if problem is None:
        log.error("unforeseen", exc_info=error, extra={"request_id": call.request_id})
        problem = unforeseen()
    elif problem.status >= 500:
        log.warning(
            "upstream trouble",
            extra={"code": problem.code, "detail": problem.detail, "request_id": call.request_id},
        )
    call.code = problem.code
    return _document(problem, call.request_id)


def _document(problem: Problem, request_id: str) -> Answer[int, str]:
    headers = {"Retry-After": str(problem.extra["retry_after"])} if "retry_after" in problem.extra else {}
    headers |= problem.headers
    return Answer(problem.status, document(problem, request_id), headers, content_type=MEDIA_TYPE)


def _for_gateway(answer: Answer) -> dict[str, Any]:
    """In API Gateway's payload 2.0."""
    body = answer.body
    if isinstance(body, bytes):
        text = base64.b64encode(body).decode()
    elif body is None or isinstance(body, str):
        text = body or ""
    else:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    content_type = {"Content-Type": answer.content_type} if body is not None else {}
    return {
        "statusCode": answer.status,
        "headers": {**SECURITY_HEADERS, **content_type, **answer.headers},
        "cookies": [str(cookie) for cookie in answer.cookies],
        "body": text,
        "isBase64Encoded": isinstance(body, bytes),
    }
