"""What our handlers answer when all is well: statuses and schemas, from the annotation by which mypy holds them to it.

def show_run(call: Call, run_id: str) -> Ok[Run]                    200, the TypedDict `Run` as JSON
def poll(call: Call) -> Ok[SignedIn] | Accepted[DeviceWaiting]      200 or 202
def leave(call: Call) -> Done                                       204, no body
Annotated[str, "text/csv"]                                          text of that media type
Annotated[bytes, Export]                                            JSON of that shape, written by the handler
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeAliasType, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import WithDefaultSchema

from watchferry.account.answers import Download
from watchferry.http_api.app import Handler
from watchferry.openapi.parts import Json

_WORDS = {200: "Done", 201: "Made", 202: "Under way", 204: "Done; there is nothing to say"}
_JSON = "application/json"
_NAMED = {"Download": Download}
"""What handlers only name: importing these shapes and all that they are made of would be a part of every cold start."""
REFERENCE = "#/components/schemas/{model}"


class Answers:
    """Of all handlers at once, so that each shape becomes one component, by its name."""

    def __init__(self, handlers: Sequence[Handler]) -> None:
        shapes = {shape: None for handler in handlers for _, _, shape in _kinds(handler) if shape is not None}
        found, made = TypeAdapter.json_schemas(
            [(shape, "serialization", TypeAdapter(shape)) for shape in shapes],
            ref_template=REFERENCE,
            schema_generator=Plain,
        )
        self._schemas = {shape: schema for (shape, _), schema in found.items()}
        self.schemas: Json = {name: made["$defs"][name] for name in sorted(made["$defs"])}
        for schema in self.schemas.values():
            schema.pop("title", None)

    def responses(self, handler: Handler) -> Json:
        """OpenAPI's Responses Object, without what goes wrong."""
        found: Json = {}
        for status, media, shape in _kinds(handler):
            response = found.setdefault(str(status), {"description": _WORDS[status]})
            if shape is not None:
                response.setdefault("content", {})[media] = {"schema": self._schemas[shape]}
        return found


class Plain(GenerateJsonSchema):
    """Without titles, which are the names once more, and without defaults: what a PUT leaves out stays as it was."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: WithDefaultSchema) -> Json:
        return self.generate_inner(schema["schema"])


def _kinds(handler: Handler) -> Iterator[tuple[int, str, Any]]:
    """Status, media type and shape: a TypedDict, str for text, None for no body."""
    for answer in _members(get_type_hints(handler, localns=_NAMED, include_extras=True)["return"]):
        said, body = get_args(answer)
        (status,) = get_args(said)
        for shape in _members(body):
            if shape in {None, type(None)}:
                yield status, "", None
            elif get_origin(shape) is Annotated:
                kind, meant = get_args(shape)
                yield (status, meant, kind) if isinstance(meant, str) else (status, _JSON, meant)
            else:
                yield status, _JSON, shape


def _members(found: Any) -> Iterator[Any]:
    """Of a union, with aliases resolved."""
    if isinstance(found, TypeAliasType):
        yield from _members(found.__value__)
    elif isinstance(get_origin(found), TypeAliasType):
        yield from _members(get_origin(found).__value__[get_args(found)])
    elif get_origin(found) is not None and get_origin(found).__name__ in {"Union", "UnionType"}:
        for member in get_args(found):
            yield from _members(member)
    else:
        yield found
