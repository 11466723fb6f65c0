"""Who asks the proxy, and where a credential is found under each prefix (http-api.md, Who is calling)."""

from dataclasses import dataclass, replace
from typing import Literal

from watchferry.errors import Problem
from watchferry.http_api import Call
from watchferry.http_api.guard import refuse_token
from watchferry.proxy import query
from watchferry.proxy.policy import Prefix
from watchferry.storage.api_tokens import PREFIX


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client of the upstream puts its credential."""

    where: Literal["bearer", "header", "query"]
    name: str = "authorization"

    def read(self, call: Call, raw_query: str) -> list[str]:
        if self.where == "query":
            return query.values(raw_query, self.name)
        value = call.headers.get(self.name, "").strip()
        if not (value.isascii() and value.isprintable()):
            return []  # no credential looks like that, and none such could be sent on
        if self.where == "bearer":
            scheme, _, value = value.partition(" ")
            value = value.strip() if scheme.lower() == "bearer" else ""
        return [value] if value else []


PLACES: dict[Prefix, tuple[Place, ...]] = {
    "tmdb": (Place("bearer"), Place("query", "api_key")),
    "trakt": (Place("bearer"), Place("header", "trakt-api-key")),
    "kinopub": (Place("bearer"), Place("query", "access_token")),
    "prowlarr": (Place("bearer"), Place("header", "x-api-key"), Place("query", "apikey"), Place("query", "ticket")),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of ours; or, with `user_id` None, somebody whose own credential goes upstream as it came."""

    user_id: str | None
    headers: tuple[tuple[str, str], ...] = ()
    """The foreign credential's headers; one in the query simply stays there."""
    connections: int = 0
    """Which of the user's connections it is (storage/account.py)."""


QUERY_NAMES: dict[Prefix, frozenset[str]] = {
    prefix: frozenset(place.name for place in places if place.where == "query") for prefix, places in PLACES.items()
}
"""Names under which a credential may stand in the query."""


def identify(call: Call, prefix: Prefix, raw_query: str, *, passthrough: bool) -> Caller:
    """Raises Problem 401 `unauthenticated`; 403 `session_required` for a token that does not open this; 403
    `csrf` for a credential in a link of another site.
    """
    offered = [(place, value) for place in PLACES[prefix] for value in place.read(call, raw_query)]
    if not offered:
        return _user(call)
    if any(place.where == "query" for place, _ in offered) and _from_elsewhere(call):
        raise Problem(403, "csrf", "another site has sent a credential in an address")
    ours = next((value for _, value in offered if value.startswith(PREFIX)), None)
    if ours is not None:
        # From here on it is a token like any other, wherever it stood.
        call = replace(call, headers={**call.headers, "authorization": f"Bearer {ours}"})
        refuse_token(call)
        return _user(call)
    if passthrough and call.session_id is None:
        return Caller(
            None, tuple((place.name, call.headers[place.name].strip()) for place, _ in offered if _in_header(place))
        )
    return _user(call)


def _user(call: Call) -> Caller:
    account = call.account  # which nobody has who has left, whatever their session says
    return Caller(account.user_id, connections=account.connections)


def _in_header(place: Place) -> bool:
    return place.where != "query"


def _from_elsewhere(call: Call) -> bool:
    return call.headers.get("sec-fetch-site", "").lower() == "cross-site"
