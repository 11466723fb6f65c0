"""`/api/prowlarr/*`: from a request to the answer of the user's own Prowlarr.

Known endpoint → who is calling → whose Prowlarr → the guarded call → what may come back. Every call is judged anew by
the address guard, at the socket, and nothing is remembered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from watchferry.clients.guarded import GuardedDoor, Received
from watchferry.clients.web_address import WebAddress
from watchferry.errors import NotConnected, Problem, RetryLater, UnresolvableAddress
from watchferry.http_api import Answer, Call
from watchferry.http_api.problems import unknown_endpoint
from watchferry.proxy import policy, query
from watchferry.proxy.answer import answer_of, is_plain
from watchferry.proxy.breaker import Breaker
from watchferry.proxy.caller import QUERY_NAMES, identify
from watchferry.proxy.deadline import deadline_of
from watchferry.proxy.forward import LARGEST
from watchferry.proxy.prowlarr.answer import Reader
from watchferry.proxy.prowlarr.links import CREDENTIALS, TICKET, Link
from watchferry.proxy.prowlarr.tickets import Tickets, holder
from watchferry.storage.accounts import Accounts
from watchferry.storage.prowlarr import PURPOSE, Prowlarrs, StoredProwlarr
from watchferry.vault import Sealed, Vault


@dataclass(slots=True)
class ProwlarrDoor:
    prowlarrs: Prowlarrs
    accounts: Accounts
    vault: Vault
    tickets: Tickets
    guarded: GuardedDoor
    breaker: Breaker
    serves: Callable[[str, str], bool]
    """Settings.serves"""
    site_url: Callable[[], str]
    user_agent: str
    clock: Callable[[], float]

    def answer(self, call: Call) -> Answer:
        """Raises Problem, NotConnected, BlockedAddress, TooLarge, RetryLater, and what storage raises."""
        path = policy.collapsed(call.path.removeprefix("/api/prowlarr"))
        endpoint = policy.find("prowlarr", call.method, path)
        if endpoint is None:
            raise unknown_endpoint()
        call.route = f"/api/prowlarr{endpoint.path}"
        until = deadline_of(call, self.clock())
        raw_query = query.checked(str(call.event.get("rawQueryString") or ""))
        taken_out = QUERY_NAMES["prowlarr"] | query.named(raw_query, CREDENTIALS)
        link = Link(path, query.without(raw_query, taken_out))
        own = self._whose(call, raw_query, link)

        base = self.guarded.rules.read(own.base_url)
        key = self.vault.open(Sealed(own.sealed, own.sealed_key), owner=own.user_id, purpose=PURPOSE).decode()
        there = replace(base, path=base.path.rstrip("/") + link.path, query=link.query or None)
        received = self._sent(own, there, _headers(call) | {"User-Agent": self.user_agent, "X-Api-Key": key}, until)

        reader = Reader(base, key, lambda found: self._address(own, found))
        fetched, extra = reader.read(received, there.text)
        extra["cache-status"] = "Watchferry; fwd=bypass"
        return answer_of(fetched, wants_gzip=call.takes_gzip, extra=extra)

    def _whose(self, call: Call, raw_query: str, link: Link) -> StoredProwlarr:
        """The caller's; or, for somebody whom nothing else lets in, that of the ticket's holder.

        Raises Problem 401 and 403 as `identify`, NotConnected.
        """
        try:
            user_id = identify(call, "prowlarr", raw_query, passthrough=False).user_id or ""
        except Problem as nobody:
            own = self._by_ticket(raw_query, link) if nobody.status == 401 else None
            if own is None:
                raise
            return own
        found = self.prowlarrs.get(user_id)
        if found is None:
            raise NotConnected("prowlarr")
        return found

    def _by_ticket(self, raw_query: str, link: Link) -> StoredProwlarr | None:
        ticket = next(iter(query.values(raw_query, TICKET)), "")
        user_id = holder(ticket)
        own = self.prowlarrs.get(user_id) if user_id else None
        if own is None or not self.tickets.opens(ticket, own, link):
            return None
        # A session and a token are asked for their account with every call (http_api/call.py); so is a ticket.
        account = self.accounts.get(own.user_id)
        return own if account and self.serves(account.slug, account.user_id) else None

    def _sent(self, own: StoredProwlarr, there: WebAddress, headers: Mapping[str, str], until: float) -> Received:
        """A HEAD is asked as a GET, which is all that Prowlarr's controllers answer (405 otherwise)."""
        whom = f"{own.user_id} {own.base_url}"
        if self.clock() >= until:
            raise RetryLater("upstream_timeout", "there was no time left for Prowlarr")
        try:
            self.breaker.check(whom)
        except RetryLater as still_down:
            # Its own text has the address in it.
            detail = "Prowlarr does not answer at the moment"
            raise RetryLater("upstream_unreachable", detail, after=still_down.after) from None
        try:
            received = self.guarded.send("GET", there, headers=headers, seconds=until - self.clock(), largest=LARGEST)
        except UnresolvableAddress as error:
            self.breaker.failed(whom)
            raise RetryLater("upstream_unreachable", "there is no host of the name in Prowlarr's address") from error
        except RetryLater as error:
            self.breaker.failed(whom)
            raise RetryLater(error.code, f"Prowlarr: {error.detail}", after=error.after) from error
        self.breaker.passed(whom)
        return received

    def _address(self, own: StoredProwlarr, link: Link) -> str:
        """Of ours, with a ticket, for a link of theirs."""
        asked = "&".join(filter(None, (link.query, f"{TICKET}={self.tickets.make(own, link)}")))
        return f"{self.site_url()}/api/prowlarr{link.path}?{asked}"


def _headers(call: Call) -> dict[str, str]:
    given = {name: call.headers[name].strip() for name in ("accept", "accept-language") if name in call.headers}
    return {name: value for name, value in given.items() if value and is_plain(value)}
