"""Reading answers tolerantly (reality.md: "Parse tolerantly"): nonsense refuses as little as it can."""

from typing import Annotated, Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator


def record(value: object) -> dict[str, Any]:
    """An empty one in place of what is none."""
    return value if isinstance(value, dict) else {}


def _if_readable(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


type IfReadable[T] = Annotated[T | None, WrapValidator(_if_readable)]
"""None in place of one that cannot be read."""
