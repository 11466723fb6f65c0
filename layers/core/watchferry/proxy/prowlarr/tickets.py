"""Tickets: what lets in a client that follows a link of a search result without any header (http-api.md, Proxy).

A ticket is a signature over its holder, its end and the link: for this user, this link and an hour. It opens nothing
else, and it is no row anywhere.

Its key is derived from the data key under which the user's Prowlarr key is sealed, and from that sealed value. So it
costs nothing (a KMS key for HMAC is a dollar a month, one for GenerateMac a call per link besides; a secret of its own
would have to be made and rotated), it is the same in every process without being stored, and nobody can make it but who
may both read the table Prowlarr and open data keys: this function, and the one that saves the setting and signs people
in anyway. Whoever saves a setting anew, or deletes it, ends all tickets of before.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from watchferry.proxy import query
from watchferry.proxy.prowlarr.links import Link
from watchferry.storage.prowlarr import StoredProwlarr
from watchferry.vault import Sealed, Vault

SECONDS = 3600

PURPOSE = "prowlarr ticket"

_END, _MAC = 5, 32
"""Bytes. The end comes first: so no ticket ever looks like a token of ours, `wf_…`."""
_FORM = re.compile(r"[A-Za-z0-9_-]{51,400}", re.ASCII)


@dataclass(slots=True)
class Tickets:
    vault: Vault
    clock: Callable[[], float]

    def make(self, own: StoredProwlarr, link: Link) -> str:
        """Characters of [A-Za-z0-9_-]."""
        ends = int(self.clock()) + SECONDS
        packed = ends.to_bytes(_END) + self._signature(own, link, ends) + own.user_id.encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def opens(self, ticket: str, own: StoredProwlarr, link: Link) -> bool:
        """Whether it is one of ours for this link, and not over."""
        packed = _unpacked(ticket)
        if packed is None or packed[_END + _MAC :] != own.user_id.encode():
            return False
        ends = int.from_bytes(packed[:_END])
        return hmac.compare_digest(packed[_END : _END + _MAC], self._signature(own, link, ends)) and self.clock() < ends

    def _signature(self, own: StoredProwlarr, link: Link, ends: int) -> bytes:
        key = self.vault.derive(Sealed(own.sealed, own.sealed_key), owner=own.user_id, purpose=PURPOSE)
        # What the query means, not how it is written: clients encode anew what they follow.
        said = json.dumps([own.user_id, ends, link.path, query.meant(link.query)])
        return hmac.digest(key, said.encode(), "sha256")


def holder(ticket: str) -> str | None:
    """Whose it says it is, which is not yet believed."""
    packed = _unpacked(ticket)
    text = packed[_END + _MAC :].decode("ascii", "replace") if packed else ""
    return text if re.fullmatch(r"[A-Za-z0-9_-]{1,128}", text, re.ASCII) else None


def _unpacked(ticket: str) -> bytes | None:
    if not _FORM.fullmatch(ticket) or len(ticket) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
