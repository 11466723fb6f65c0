"""Holds real answers of our own endpoints to `GET /api/openapi.json`; whatever sends a request in a test asks here."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from watchferry.openapi.document import described
from watchferry.openapi.own import in_trakts_form

type Success = tuple[str, str, str, str]
"""Method, path as the document has it, status, media type ("" for no body)."""


def held_to_description(method: str, path: str, status: int, content_type: str, body: bytes) -> Success | None:
    """`path` below /api. None for what is not an own endpoint's success; fails where it is and is not as described.

    Nothing may be in an answer that is not described, either: clients are made from the description.
    """
    known = next((known for pattern, known in _patterns(method.lower()) if pattern.fullmatch(path)), None)
    if known is None or status >= 300:
        return None
    responses = _description()["paths"][known][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {known}: {status} is not described"
    content = responses[str(status)].get("content", {})
    if not content:
        assert not body, f"{method} {known}: a body where none is described"
        return method, known, str(status), ""
    media = content_type.partition(";")[0]
    assert media in content, f"{method} {known}: {media} is not described"
    if media == "application/json":
        held = _schema(method.lower(), known, str(status)).iter_errors(json.loads(body))
        wrong = [f"{each.instance_path}: {each.message}" for each in held]
        assert not wrong, f"{method} {known}: {wrong}"
    return method, known, str(status), media


@cache
def described_successes() -> frozenset[Success]:
    """All of them, of our own endpoints."""
    return frozenset(_successes())


def _successes() -> Iterator[Success]:
    for path, operations in _description()["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                if status[0] == "2" and not in_trakts_form(path):
                    yield from ((method.upper(), path, status, media) for media in response.get("content", {"": {}}))


@cache
def _patterns(method: str) -> list[tuple[re.Pattern[str], str]]:
    """Those without a parameter first."""
    paths = {path for known, path, *_ in described_successes() if known.lower() == method}
    in_order = sorted(paths, key=lambda path: "{" in path)
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in in_order]


@cache
def _schema(method: str, path: str, status: str) -> Draft202012Validator:
    content = _description()["paths"][path][method]["responses"][status]["content"]
    return Draft202012Validator({**content["application/json"]["schema"], "components": _strict()})


@cache
def _strict() -> dict[str, Any]:
    """The components, without room for more than they name."""
    components = copy.deepcopy(_description()["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return components


_description = cache(described)
"""Made once: making it takes longer than what most tests ask for."""
