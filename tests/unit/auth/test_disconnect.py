"""Leaving: revoked upstream where that works, deleted here in any case (http-api.md, Auth broker)."""

from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import Clock
from tests.tables import everything_stored
from tests.unit.auth.conftest import sign_in
from tests.upstreams import Upstreams
from watchferry.errors import NotConnected
from watchferry.wiring import Wiring


def test_trakt_goes_and_the_session_stays(connected: Browser, upstreams: Upstreams, wiring: Wiring) -> None:
    """204; Trakt's tokens are dead there too, and `trakt.connected` is false."""
    uuid = upstreams.trakt.users["harry"].uuid
    assert connected.delete("/auth/trakt").status == 204
    told = connected.get("/auth/session").json
    assert (told["trakt"]["connected"], told["kinopub"]["connected"]) == (False, True)
    assert upstreams.trakt.token_counts()["alive"] == 0
    assert wiring.tokens.get(uuid, "trakt") is None
    with pytest.raises(NotConnected):
        wiring.broker.credential(uuid, "trakt").token()


def test_kinopub_goes(connected: Browser, upstreams: Upstreams, wiring: Wiring) -> None:
    """204; the schedule leaves the account alone."""
    assert connected.delete("/auth/kinopub").status == 204
    assert connected.get("/auth/session").json["kinopub"]["connected"] is False
    account = wiring.accounts.get(upstreams.trakt.users["harry"].uuid)
    assert account is not None
    assert account.connected == {"trakt"}


@pytest.mark.parametrize(
    "fault", [{"preset": "server_error"}, {"reset": True}, {"delay": 60.0, "status": 200}, {"preset": "firewall"}]
)
def test_a_failed_revocation_stops_nobody(
    signed_in: Browser, upstreams: Upstreams, wiring: Wiring, fault: dict[str, Any]
) -> None:
    """The tokens are deleted here, whatever Trakt says."""
    upstreams.trakt.faults.add(path="/oauth/revoke", **fault)
    assert signed_in.delete("/auth/trakt").status == 204
    assert wiring.tokens.get(upstreams.trakt.users["harry"].uuid, "trakt") is None


def test_tokens_that_cannot_be_opened(signed_in: Browser, upstreams: Upstreams, wiring: Wiring) -> None:
    """Nor does a row that is broken."""
    uuid = upstreams.trakt.users["harry"].uuid
    wiring.tokens.table.update({"user_id": uuid, "provider": "trakt"}, set_={"sealed": b"x" * 40})
    assert signed_in.delete("/auth/trakt").status == 204
    assert wiring.tokens.get(uuid, "trakt") is None


def test_twice_is_once(signed_in: Browser) -> None:
    """204 when there is nothing left to do."""
    for _ in range(2):
        assert signed_in.delete("/auth/trakt").status == 204
        assert signed_in.delete("/auth/kinopub").status == 204


def test_coming_back(signed_in: Browser, upstreams: Upstreams, clock: Clock) -> None:
    """The same account, connected again."""
    signed_in.delete("/auth/trakt")
    sign_in(signed_in, upstreams, clock)
    assert signed_in.get("/auth/session").json["trakt"]["connected"] is True


def test_nothing_sealed_is_left(connected: Browser, wiring: Wiring) -> None:
    """Neither tokens nor device codes."""
    connected.delete("/auth/trakt")
    connected.delete("/auth/kinopub")
    assert "sealed" not in everything_stored(wiring.dynamo)


@pytest.mark.parametrize("path", ["/auth/trakt", "/auth/kinopub"])
def test_only_for_who_is_signed_in(browser: Browser, path: str) -> None:
    """401 `unauthenticated`."""
    assert browser.delete(path).code == "unauthenticated"
