"""Tickets: for this user, this link and an hour (http-api.md, Proxy)."""

import base64
import re

import pytest

from tests.conftest import Clock, NewWiring
from tests.unit.proxy.conftest import Client
from tests.unit.proxy.prowlarr.conftest import Home
from tests.upstreams.prowlarr import Prowlarr
from watchferry.proxy.prowlarr.links import Link
from watchferry.proxy.prowlarr.tickets import SECONDS, Tickets, holder
from watchferry.vault import Sealed


@pytest.fixture
def link(harry: Client) -> str:
    """Path and query, with a ticket."""
    result = harry.get("/prowlarr/api/v1/search?query=the&indexerIds=1").json[0]
    return str(result["downloadUrl"]).removeprefix("https://watchferry.test/api")


def status(client: Client, link: str, **headers: str) -> int:
    said = client.get(link, **headers)
    assert said.status != 401 or said.code == "unauthenticated"
    return said.status


def test_lets_in_for_an_hour(home: Home, link: str, clock: Clock) -> None:
    """Anybody, by GET and HEAD; not a second longer."""
    stranger = home.stranger()
    assert status(stranger, link) == 200
    assert stranger.send("HEAD", link).status == 200
    clock.advance(SECONDS - 1)
    assert status(stranger, link) == 200
    clock.advance(1)
    assert status(stranger, link) == 401


def test_however_it_is_encoded(home: Home, link: str) -> None:
    """Clients write what they follow in their own way."""
    anew = link.replace("+", "%20").replace("%28", "(").replace("%29", ")").replace("%5B", "%5b").replace("_", "%5F")
    assert anew != link
    assert status(home.stranger(), anew) == 200
    assert status(home.stranger(), link.replace("/prowlarr/", "/prowlarr//")) == 200


@pytest.mark.parametrize(
    ("what", "other"),
    [
        (r"/1/download", "/2/download"),
        (r"link=\w", "link=_"),
        (r"&file=[^&]*", "&file=other"),
        (r"&file=[^&]*", ""),
        (r"$", "&more=1"),
        (r"\?", "?link=first&"),
        (r"ticket=.", "ticket=B"),
        (r"ticket=.*", "ticket="),
        (r"ticket=.*", "ticket=x"),
        (r"ticket=.*", "ticket=" + "A" * 80),
        (r"&ticket=.*", ""),
    ],
)
def test_opens_that_link_alone(home: Home, link: str, prowlarr: Prowlarr, what: str, other: str) -> None:
    """401 `unauthenticated` for every other; nothing goes to Prowlarr."""
    prowlarr.forget()
    changed = re.sub(what, other, link, count=1)
    assert changed != link
    assert status(home.stranger(), changed) == 401
    assert not prowlarr.requests()


def test_is_one_user_s(home: Home, link: str, prowlarr: Prowlarr) -> None:
    """A ticket that is made to say another name opens nobody's."""
    home.save(home.url, user="sally", key=home.key)
    ticket = link.rpartition("ticket=")[2]
    packed = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
    assert holder(ticket) == "harry"
    forged = base64.urlsafe_b64encode(packed[:-5] + b"sally").decode().rstrip("=")
    assert holder(forged) == "sally"
    assert status(home.stranger(), link.replace(ticket, forged)) == 401


def test_ends_with_the_setting(home: Home, link: str) -> None:
    """Saved anew, even as it was, or deleted: tickets of before are over."""
    home.save(home.url, key=home.key)
    assert status(home.stranger(), link) == 401
    home.wiring.prowlarrs.delete("harry")
    assert status(home.stranger(), link) == 401


def test_ends_with_the_account(home: Home, link: str) -> None:
    """With the answer to `DELETE /account`, before the rows are gone."""
    home.wiring.departures.begin("harry", "mark")
    assert status(home.stranger(), link) == 401


def test_ends_with_being_served(home: Home, link: str, new_wiring: NewWiring) -> None:
    """Whom the deployment does not serve any more gets in by no ticket either."""
    home.wiring = new_wiring(allow_private_prowlarr="true", allowed_trakt_users="somebody-else")
    assert status(home.stranger(), link) == 401


def test_is_a_credential_in_a_query(home: Home, link: str) -> None:
    """403 `csrf` from another site's page; it opens no search."""
    said = home.stranger().get(link, Sec_Fetch_Site="cross-site")
    assert (said.status, said.code) == (403, "csrf")
    ticket = link.rpartition("ticket=")[2]
    assert status(home.stranger(), f"/prowlarr/api/v1/search?query=the&ticket={ticket}") == 401


def test_a_caller_who_is_known_needs_none(home: Home, link: str, clock: Clock) -> None:
    """A session or a token opens the link when its ticket is over."""
    clock.advance(SECONDS + 1)
    assert status(home.browser(), link) == 200
    assert status(home.stranger(), link, X_Api_Key=home.token()) == 200


def test_every_process_makes_the_same(home: Home, new_wiring: NewWiring) -> None:
    """The key is derived, not stored: what one function signs, another opens; it is no other purpose's key."""
    own = home.wiring.prowlarrs.get("harry")
    assert own
    link = Link("/1/download", "link=a&file=b")
    ticket = Tickets(home.wiring.vault, home.wiring.clock).make(own, link)
    other = new_wiring()
    assert Tickets(other.vault, other.clock).opens(ticket, own, link)
    sealed = Sealed(own.sealed, own.sealed_key)
    keys = {home.wiring.vault.derive(sealed, owner=who, purpose=why) for who in "ab" for why in "xy"}
    assert len(keys) == 4
