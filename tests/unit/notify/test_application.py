"""Whether the application is refused, or one account: found out once, and told to the owner once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Clock, NewWiring
from tests.unit.notify.conftest import queued
from tests.upstreams import Upstreams
from watchferry.errors import AppRefused
from watchferry.storage.accounts import TELL_WITHIN
from watchferry.wiring import Wiring

READ = "/sync/history/movies"


def refused(provider: Any = "trakt", path: str | None = READ) -> AppRefused:
    """As a worker meets it; each has one of its own."""
    return AppRefused(provider, "Trakt says that this deployment's application is switched off (403)", path=path)


@pytest.mark.parametrize("how", ["text", "json"])
def test_what_is_refused_to_nobody_s_token_too(wiring: Wiring, upstreams: Upstreams, how: str) -> None:
    """The call is repeated with the application's key alone; its owner is told, and no user."""
    upstreams.trakt.options.set(app_refused=how)
    assert wiring.application.met(refused())
    (asked,) = upstreams.trakt.requests()
    assert (asked.method, asked.path, "authorization" in asked.headers) == ("GET", READ, False)
    (notice,) = queued(wiring)
    assert (notice["to"], notice["kind"], notice["code"]) == ("operator", "app_refused", "app_refused")
    assert "switched off" in notice["detail"]
    (row,) = wiring.refusals.all()
    assert (row.provider, row.path) == ("trakt", READ)


@pytest.mark.parametrize("path", [READ, "/search/movie", "/shows/1/seasons", "/no/such/path"])
def test_what_is_refused_to_one_account(wiring: Wiring, upstreams: Upstreams, path: str) -> None:
    """The key alone is let in (401, 404 and 200 say so): it is that account's, and nothing is noted."""
    assert not wiring.application.met(refused(path=path))
    assert len(upstreams.trakt.requests()) == 1
    assert wiring.refusals.all() == []
    assert queued(wiring) == []


@pytest.mark.parametrize("fault", [{"preset": "unavailable"}, {"preset": "firewall"}, {"reset": True}, {"status": 429}])
def test_what_cannot_be_found_out_now(wiring: Wiring, upstreams: Upstreams, fault: dict[str, Any]) -> None:
    """No user is told; nor is the owner, until it is certain."""
    upstreams.trakt.faults.add(**fault)
    assert wiring.application.met(refused())
    assert wiring.refusals.all() == []
    assert queued(wiring) == []


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_a_secret_that_is_refused(wiring: Wiring, upstreams: Upstreams, provider: Any) -> None:
    """Tokens are asked for with a refresh token that nobody has: the answer is about the client, or about the token."""
    app: Any = getattr(upstreams, provider)
    assert not wiring.application.met(refused(provider, None))
    assert wiring.refusals.all() == []
    app.options.set(app_refused="client" if provider == "trakt" else True)
    assert wiring.application.met(refused(provider, None))
    assert [row.provider for row in wiring.refusals.all()] == [provider]
    assert wiring.application.look(provider) == "still refused"
    app.options.set(app_refused="" if provider == "trakt" else False)
    assert wiring.application.look(provider) == "accepted again"
    assert wiring.refusals.all() == []
    assert [notice["slug"] for notice in queued(wiring)] == [provider.capitalize()]


def test_many_meet_it_at_once(new_wiring: NewWiring, upstreams: Upstreams) -> None:
    """In processes that know nothing of each other: the owner is told once."""
    upstreams.trakt.options.set(app_refused="text")
    processes = [new_wiring() for _ in range(8)]
    for process in processes:
        _ = process.application
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda process: process.application.met(refused()), processes))
    assert len(queued(processes[0])) == 1


def test_who_meets_it_later_asks_no_more(wiring: Wiring, upstreams: Upstreams) -> None:
    """The row says it: neither is Trakt asked nor the owner told again."""
    upstreams.trakt.options.set(app_refused="text")
    wiring.application.met(refused())
    assert len(queued(wiring)) == 1
    asked = len(upstreams.trakt.requests())
    for path in (READ, "/search/movie", None):
        assert wiring.application.met(refused(path=path))
    assert (len(upstreams.trakt.requests()), queued(wiring)) == (asked, [])


def test_one_refusal_is_looked_into_once(wiring: Wiring, upstreams: Upstreams) -> None:
    """It goes through several hands on its way up: the credential's, then the run's."""
    same = refused()
    for _ in range(3):
        assert not wiring.application.met(same)
    assert len(upstreams.trakt.requests()) == 1


def test_an_owner_who_could_not_be_told(
    wiring: Wiring, upstreams: Upstreams, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS was away: the refusal stands, and a look tells."""
    upstreams.trakt.options.set(app_refused="text")

    def away(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(wiring.notices), "send", away)
        assert wiring.application.met(refused())
    clock.advance(TELL_WITHIN + 1)
    for _ in range(2):
        assert wiring.application.look("trakt") == "still refused"
    assert len(queued(wiring)) == 1


def test_a_look(wiring: Wiring, upstreams: Upstreams) -> None:
    """Repeats what was refused. What it cannot find out stays as it is; when it is over, the row is gone."""
    upstreams.trakt.options.set(app_refused="text")
    wiring.application.met(refused())
    since = wiring.refusals.all()
    assert wiring.application.look("trakt") == "still refused"
    for fault in ({"preset": "bad_gateway"}, {"preset": "firewall"}, {"reset": True}):
        upstreams.trakt.faults.add(**fault)
        assert wiring.application.look("trakt").startswith("not known")
    assert wiring.refusals.all() == since
    upstreams.trakt.options.set(app_refused="")
    assert wiring.application.look("trakt") == "accepted again"
    assert wiring.refusals.all() == []
    assert wiring.application.look("trakt") == "not refused"
    assert {entry.path for entry in upstreams.trakt.requests()} == {READ}
