"""What descriptions of our own endpoints and of the proxy's have in common."""

from typing import Any

from watchferry.http_api.problems import MEDIA_TYPE

type Json = dict[str, Any]


def text(pattern: str) -> Json:
    return {"type": "string", "pattern": f"^{pattern}$"}


PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457; `code` is a stable word",
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code", "request_id")},
        "status": {"type": "integer"},
        "retry_after": {"type": "integer", "description": "seconds"},
        "run_id": {"type": "string", "description": "of `run_active`: the run that is under way"},
        "run_status": {"type": "string", "description": "of `wrong_state`"},
        "provider": {
            "enum": ["trakt", "kinopub", "prowlarr"],
            "description": "of `not_connected` and `reauth_required`",
        },
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}
_SAYS = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
PROBLEMS: Json = {
    "4XX": {"description": "The request is refused", **_SAYS},
    "5XX": {"description": "An upstream does not answer, or something went wrong", **_SAYS},
}
