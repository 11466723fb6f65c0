"""Addresses in what a user's Prowlarr says: which of them are its own, and what they are called here.

A download's real address is `{serverUrl}{urlBase}/{indexerId}/download?apikey=…&link=…&file=…` (reality.md, Prowlarr).
It holds the user's key and, behind a reverse proxy, a host that only the inside knows. It is never called as it stands:
its path and query are, at the address that the user gave. All of this is pure.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlsplit

from watchferry.clients.web_address import WebAddress
from watchferry.proxy import policy, query

CREDENTIALS = frozenset({"apikey"})
"""Names in a query, in whatever case, that never get any further: Prowlarr reads them in every one."""

TICKET = "ticket"

_DOWNLOAD = re.compile(r"(?:/.*)?(/[0-9]{1,10}/download)", re.ASCII)
"""With any urlBase before it, or by the same handler's other path, `/api/v1/indexer/{id}/download`."""
_DOCUMENTED = re.compile(r"(?:/.*)?(/api/v1/(?:download|magnet)/redirect/[A-Za-z0-9_-]{1,128})", re.ASCII)

_SAFE_IN_QUERY = "!$&'()*+,;=:@/?%-._~[]"


@dataclass(frozen=True, slots=True)
class Link:
    """A row of the table with what it is asked; `query` is percent-encoded and holds no credential."""

    path: str
    query: str = field(repr=False)


def is_web(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def is_address(text: str) -> bool:
    """Whether it is a whole http(s) address."""
    return _split(text) is not None


def is_own(base: WebAddress, text: str) -> bool:
    """Whether an http(s) address leads to the host and port that the user gave."""
    found = _split(text)
    return found is not None and _leads_to(base, found)


def link_of(base: WebAddress, text: str) -> Link | None:
    """What an http(s) address is called in the table; None for one that is not Prowlarr's, or not one that we open.

    Elsewhere than at the user's own host it has to look like nothing but Prowlarr's own.
    """
    found = _split(text)
    if found is None:
        return None
    asked = _encoded(found.query)
    if path := _DOWNLOAD.fullmatch(found.path):
        names = {name.lower() for name, _ in query.meant(asked)}
        if not _leads_to(base, found) and not {"apikey", "link", "file"} <= names:
            return None
    else:
        path = _DOCUMENTED.fullmatch(found.path)
    if path is None or policy.find("prowlarr", "GET", path[1]) is None:
        return None
    return Link(path[1], query.without(asked, {TICKET, *query.named(asked, CREDENTIALS)}))


def _split(text: str) -> SplitResult | None:
    try:
        found = urlsplit(text)
        _ = found.port
    except ValueError:
        return None
    return found if found.scheme in {"http", "https"} and found.hostname else None


def _leads_to(base: WebAddress, found: SplitResult) -> bool:
    port = found.port or (443 if found.scheme == "https" else 80)
    return (found.hostname or "").rstrip(".") == base.host.rstrip(".") and port == base.port


def _encoded(raw: str) -> str:
    """As it may stand in a request line; what is encoded already stays as it is."""
    return quote(raw, safe=_SAFE_IN_QUERY)
