"""The proxy's endpoints: a row of its table each."""

import re
from collections.abc import Mapping

from watchferry.openapi.parts import Json, text
from watchferry.proxy.policy import PARAMETERS, UPSTREAMS, Endpoint


def described_proxied(endpoint: Endpoint, method: str) -> Json:
    upstream = UPSTREAMS[endpoint.prefix]
    kept = f"remembered for {endpoint.seconds} s" if endpoint.seconds else "never remembered"
    operation: Json = {
        "operationId": re.sub(r"\W+", "_", f"{method}_{endpoint.prefix}{endpoint.path}").strip("_").lower(),
        "tags": [upstream],
        "summary": f"{upstream}'s own, with the {endpoint.credential}'s credential; {kept}",
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": text(PARAMETERS[name])}
                for name in re.findall(r"\{(\w+)\}", endpoint.path)
            ),
        ],
        "responses": {"default": {"description": f"{upstream}'s answer as it is, or a problem", "headers": _CACHE}},
        "security": [{"session": []}, {"token": []}, *_ELSEWHERE[endpoint.prefix], *_ticket(endpoint)],
    }
    if method == "POST":
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    return operation


def _ticket(endpoint: Endpoint) -> list[Json]:
    """Of the links in search results, which have one."""
    return [{"prowlarrTicket": []}] if endpoint.prefix == "prowlarr" and "{" in endpoint.path else []


_CACHE: Json = {
    "Cache-Status": {"description": "RFC 9211", "schema": {"type": "string"}},
    "Age": {"description": "seconds", "schema": {"type": "integer"}},
}
_ELSEWHERE: Mapping[str, list[Json]] = {
    "tmdb": [{"tmdbKey": []}],
    "trakt": [{"traktKey": []}],
    "kinopub": [{"kinopubToken": []}],
    "prowlarr": [{"prowlarrKey": []}, {"prowlarrQuery": []}],
}
