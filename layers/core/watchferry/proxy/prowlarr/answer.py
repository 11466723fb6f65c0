"""What a user's Prowlarr answered, made fit to come from our origin (http-api.md, Proxy; reality.md, Prowlarr).

Links lead to the proxy, errors lose their stack trace, the key is nowhere, and nothing has a type that a browser would
show or run. Torrents and nzb files keep every byte.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin

from watchferry.clients.guarded import Received
from watchferry.clients.web_address import WebAddress
from watchferry.errors import Problem
from watchferry.proxy.answer import is_plain
from watchferry.proxy.forward import LARGEST, REDACTED, Fetched
from watchferry.proxy.prowlarr.links import Link, is_address, is_own, is_web, link_of

JSON = frozenset({"application/json", "text/json", "application/problem+json"})
KEEP = frozenset(
    {
        *("application/x-bittorrent", "application/x-nzb"),
        *("application/xml", "text/xml", "application/rss+xml", "application/atom+xml"),
    }
)
"""Types that stay. SVG and XHTML are XML too, but a browser would run them."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})

LONGEST_HEADER = 7168
"""Bytes. API Gateway carries 10 KB of headers in all."""

SHORTEST_KEY = 8
"""Characters. Prowlarr's keys have 32; to blot out less would blot out ordinary words."""

LONGEST_VALUE = 1024

KEPT_HEADERS = ("retry-after",)
"""Prowlarr has no pages and no rates to tell of; types, names of attachments and redirects are judged below."""

_MAGNET = re.compile(
    r"magnet:\?(?:[!-~]*&)?xt(?:\.[0-9]+)?=urn(?::|%3A)(?:btih|btmh)(?::|%3A)[A-Za-z0-9]+(?:&[!-~]*)?", re.I
)
_WEB = re.compile(r"https?://[A-Za-z0-9\[][!-\[\]-~]*", re.I)
_RELATIVE = re.compile(r"(?!//|[a-z][a-z0-9+.-]*:).", re.I)
"""An address without a host: it is Prowlarr's."""
_ATTACHMENT = re.compile(r"attachment(?:\s*;.*)?", re.I)
_TYPE = re.compile(r"[a-z0-9.+/-]+(?:\s*;\s*charset=[a-z0-9-]+)?", re.I)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one user's Prowlarr. `address` makes one of ours, with a ticket, of a link."""

    base: WebAddress
    key: str = field(repr=False)
    address: Callable[[Link], str]

    def read(self, received: Received, asked: str) -> tuple[Fetched, dict[str, str]]:
        """The answer, and headers that it has besides. `asked` is the address that was called.

        Raises Problem 502 `upstream_refused` for a redirect to where nobody is sent, `upstream_too_large`.
        """
        if not 200 <= received.status <= 599:
            raise Problem(502, "upstream_refused", "Prowlarr answered with a status that means nothing")
        given: dict[str, str] = {}
        for name, value in received.headers:
            given.setdefault(name, value)
        headers = {name: self._scrubbed(given[name][:LONGEST_VALUE]) for name in KEPT_HEADERS if name in given}
        if 300 <= received.status < 400:
            extra = {"location": self._led(given, asked)} if received.status in REDIRECTS else {}
            return Fetched(received.status, headers, plain=b""), extra
        media_type, body = self._shown(received.status, given.get("content-type", ""), received.body)
        if len(body) > LARGEST:
            raise Problem(502, "upstream_too_large", f"Prowlarr answered more than {LARGEST} bytes")
        if body:
            headers["content-type"] = media_type
        if not body or media_type.split(";", 1)[0] in JSON:
            return Fetched(received.status, headers, plain=body), {}
        disposition = self._named(given.get("content-disposition", ""))
        return Fetched(received.status, headers, plain=body), {"content-disposition": disposition}

    # ---- redirects

    def _led(self, given: dict[str, str], asked: str) -> str:
        """Where a redirect leads, which nobody follows: a magnet, the web, or for Prowlarr itself: here."""
        said = given.get("location", "").strip(" ").encode("latin-1", "replace")
        if any(byte < 0x20 or byte == 0x7F for byte in said):
            raise _astray()
        where = quote(said[: LONGEST_HEADER + 1], safe="!#$%&'()*+,/:;=?@[]~-._|{}^`")
        if _MAGNET.fullmatch(where):
            return self._fitting(where)
        if _RELATIVE.match(where):
            where = urljoin(asked, where)
        if not (_WEB.fullmatch(where) and is_address(where)):
            raise _astray()
        if link := link_of(self.base, where):
            return self._fitting(self.address(link))
        if is_own(self.base, where):
            raise Problem(
                502, "upstream_refused", "Prowlarr leads to a page of its own: is the address right, its urlBase?"
            )
        return self._fitting(where)

    def _fitting(self, where: str) -> str:
        if len(where) > LONGEST_HEADER:
            raise Problem(
                502, "upstream_too_large", "Prowlarr redirects to an address that is too long to be passed on"
            )
        return self._scrubbed(where)

    # ---- bodies

    def _shown(self, status: int, kind: str, body: bytes) -> tuple[str, bytes]:
        """The type that it gets, and its bytes."""
        media_type = kind.split(";", 1)[0].strip().lower()
        if media_type in JSON and body:
            try:
                return f"{media_type}; charset=utf-8", self._json(status, body)
            except (ValueError, RecursionError):
                return "application/octet-stream", self._clean(body)
        if media_type not in KEEP:
            return "application/octet-stream", self._clean(body)
        return kind if _TYPE.fullmatch(kind) else media_type, self._clean(body)

    def _json(self, status: int, body: bytes) -> bytes:
        """Written anew, always: what is not understood here is not passed on."""
        # In an error, values are what was wrong with the question: they stay.
        told = json.loads(body, parse_constant=_not_json, object_hook=self._release if status < 400 else None)
        if isinstance(told, dict):  # an error: `description` may be a stack trace
            told = {name: value for name, value in told.items() if name.lower() != "description"}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        for secret in {*self._secrets, *(json.dumps(secret)[1:-1] for secret in self._secrets)}:
            text = text.replace(secret, REDACTED.decode())
        return text.encode()  # a lone surrogate is a ValueError

    def _release(self, release: dict[str, Any]) -> dict[str, Any]:
        """A search result, wherever it stands and whatever its fields are called."""
        return {
            name: self._address(name, value) if isinstance(value, str) else value for name, value in release.items()
        }

    def _address(self, name: str, value: str) -> str | None:
        """Ours in place of Prowlarr's; none in place of one that would lead inside, or run where it is clicked."""
        text = value.strip()
        if is_web(text):
            if link := link_of(self.base, text):
                return self.address(link)
            return None if is_own(self.base, text) else value
        opens = name.lower().endswith("url") or text[:20].lower().startswith(("javascript:", "data:", "vbscript:"))
        return None if opens and text and not text.lower().startswith("magnet:") else value

    # ---- the key

    @property
    def _secrets(self) -> tuple[str, ...]:
        return tuple({self.key, quote(self.key, safe="")}) if len(self.key) >= SHORTEST_KEY else ()

    def _scrubbed(self, value: str) -> str:
        for secret in self._secrets:
            value = value.replace(secret, "redacted")
        return value

    def _clean(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret.encode(), REDACTED)
        return body

    def _named(self, disposition: str) -> str:
        """An attachment in any case, by the name that Prowlarr gives it where a header can carry that."""
        fits = is_plain(disposition) and len(disposition) < LONGEST_VALUE and _ATTACHMENT.fullmatch(disposition)
        return self._scrubbed(disposition) if fits else "attachment"


def _astray() -> Problem:
    return Problem(
        502, "upstream_refused", "Prowlarr redirects to where nobody is sent: neither http(s) nor a magnet link"
    )


def _not_json(_: str) -> None:
    raise ValueError("NaN and infinities are no JSON")
