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
from watchferry.proxy.prowlarr.links import Link, is_web, leads_inside, link_of

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
_BLANK = re.compile(r"^[\x00- ]+|[\x00- ]+$|[\t\r\n]")
"""What browsers leave out of an address before they read it."""
_OPEN = ("javascript:", "data:", "vbscript:", "http:", "https:")
"""Beginnings of what is opened where it is clicked, even without the slashes."""
_TYPE = re.compile(r"[a-z0-9.+/-]+(?:\s*;\s*charset=[a-z0-9-]+)?", re.I)

_TRACES = frozenset({"description", "exception", "stack", "stacktrace", "stacktracestring"})
"""Names in an error under which .NET writes one, in lower case."""
_FRAME = re.compile(
    r"(?:^|(?<=[\s;]))at[ \t]{1,4}(?=[^\s().]{1,200}\.)[^\s()\"]{3,600}\([^()\r\n\"]{0,600}\)"
    r"(?:[ \t]in[ \t][^\r\n\"]{1,400})?"
)
"""A line of one, `at System.Net.Http.X.Send(HttpRequest r) in /src/X.cs:line 5`, in text, XML or JSON."""


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
        if not _WEB.fullmatch(where):
            raise _astray()
        link = link_of(self.base, where)
        if link and link != link_of(self.base, asked):
            return self._fitting(self.address(link))
        if link or leads_inside(self.base, where):
            # To the same again, by https or at another port: whoever followed it here would go in circles.
            raise Problem(
                502,
                "upstream_refused",
                "Prowlarr leads to an address of its own: is the saved one right, with https, port and urlBase?",
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
        shown = self._clean(body if status < 400 else _FRAME.sub("", body.decode("latin-1")).encode("latin-1"))
        if media_type in JSON and body:
            try:
                return f"{media_type}; charset=utf-8", self._json(status, body)
            except (ValueError, RecursionError):
                return "application/octet-stream", shown
        if media_type not in KEEP:
            return "application/octet-stream", shown
        return kind if _TYPE.fullmatch(kind) else media_type, shown

    def _json(self, status: int, body: bytes) -> bytes:
        """Written anew, always: what is not understood here is not passed on."""
        told = json.loads(body, parse_constant=_not_json)
        # In an error, values are what was wrong with the question: they stay.
        told = self._led_here("", told) if status < 400 else _without_traces(told)
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        for secret in {*self._secrets, *(json.dumps(secret)[1:-1] for secret in self._secrets)}:
            text = text.replace(secret, REDACTED.decode())
        return text.encode()  # a lone surrogate is a ValueError

    def _led_here(self, name: str, told: Any) -> Any:
        """Search results, wherever they stand and whatever their fields are called."""
        if isinstance(told, dict):
            return {name: self._led_here(name, value) for name, value in told.items()}
        if isinstance(told, list):
            return [self._led_here(name, value) for value in told]
        return self._address(name, told) if isinstance(told, str) else told

    def _address(self, name: str, value: str) -> str | None:
        """Ours in place of Prowlarr's; none in place of one that would lead inside, or run where it is clicked."""
        text = _BLANK.sub("", value)
        if is_web(text):
            if link := link_of(self.base, text):
                return self.address(link)
            return None if leads_inside(self.base, text) else value
        opens = name.lower().endswith("url") or text[:20].lower().startswith(_OPEN)
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


def _without_traces(told: Any) -> Any:
    """An error, with all that it says but stack traces."""
    if isinstance(told, dict):
        return {name: _without_traces(value) for name, value in told.items() if name.lower() not in _TRACES}
    if isinstance(told, list):
        return [_without_traces(value) for value in told]
    return _FRAME.sub("", told) if isinstance(told, str) else told


def _astray() -> Problem:
    return Problem(
        502, "upstream_refused", "Prowlarr redirects to where nobody is sent: neither http(s) nor a magnet link"
    )


def _not_json(_: str) -> None:
    raise ValueError("NaN and infinities are no JSON")
