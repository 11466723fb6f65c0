"""Addresses in what a user's Prowlarr says: which of them are its own, and what they are called here.

A download's real address is `{serverUrl}{urlBase}/{indexerId}/download?apikey=…&link=…&file=…` (reality.md, Prowlarr).
It holds the user's key and, behind a reverse proxy, a host that only the inside knows. It is never called as it stands:
its path and query are, at the address that the user gave. All of this is pure.
"""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit

from watchferry.clients.web_address import WebAddress
from watchferry.proxy import policy, query
from watchferry.proxy.address_guard import AddressGuard

CREDENTIALS = frozenset({"apikey"})
"""Names in a query, in whatever case, that never get any further: Prowlarr reads them in every one."""

TICKET = "ticket"

_DOWNLOAD = re.compile(r"(?:/.*)?(/[0-9]{1,10}/download)", re.ASCII)
"""With any urlBase before it, or by the same handler's other path, `/api/v1/indexer/{id}/download`."""
_DOCUMENTED = re.compile(r"(?:/.*)?(/api/v1/(?:download|magnet)/redirect/[A-Za-z0-9_-]{1,128})", re.ASCII)

_SAFE_IN_QUERY = "!$&'()*+,;=:@/?%-._~[]"

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
_INNER_NAME = re.compile(
    r"[^.]+|(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)|.*\.(?:localhost|local|internal|intranet|lan|home|corp|home\.arpa)"
)
"""A single label; IPv4 in any other form than four decimal numbers; names that the public DNS does not know
(RFC 6761, 6762, 8375, ICANN's `internal`, and those that home routers use).
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A row of the table with what it is asked; `query` is percent-encoded and holds no credential."""

    path: str
    query: str = field(repr=False)


def is_web(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def leads_inside(base: WebAddress, text: str) -> bool:
    """Whether an http(s) address leads to the host that the user gave, by whatever scheme and port, or to one that is
    reached, or known, on the inside alone. One that cannot be read counts as such: clients read it in their own way.
    """
    found = _split(text)
    return found is None or _is_inside(base, found)


def link_of(base: WebAddress, text: str) -> Link | None:
    """What an http(s) address is called in the table; None for one that is not Prowlarr's, or not one that we open.

    At a public host that is not the user's it has to look like nothing but Prowlarr's own.
    """
    found = _split(text)
    if found is None:
        return None
    asked = _encoded(found.query)
    if path := _DOWNLOAD.fullmatch(found.path):
        names = {name.lower() for name, _ in query.meant(asked)}
        if not _is_inside(base, found) and not {"apikey", "link", "file"} <= names:
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
    return found if found.scheme in {"http", "https"} and found.hostname and "\\" not in found.netloc else None


def _is_inside(base: WebAddress, found: SplitResult) -> bool:
    try:
        host = _host(found)
    except ValueError:
        return True
    return host == base.host.rstrip(".") or _is_inner(host)


def _host(found: SplitResult) -> str:
    """As a client would look it up: in lower case, without the root's dot, other alphabets as IDNA has them.

    Raises ValueError for what cannot be one.
    """
    host = (found.hostname or "").rstrip(".")
    if ":" in host:
        return str(ip_address(host))
    host = host.encode("idna").decode().lower()
    if not _NAME.fullmatch(host):
        raise ValueError("that is no name of a host")
    return host


def _is_inner(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return bool(_INNER_NAME.fullmatch(host))
    return not AddressGuard().permits(host, 443)


def _encoded(raw: str) -> str:
    """As it may stand in a request line; what is encoded already stays as it is."""
    return quote(raw, safe=_SAFE_IN_QUERY)
