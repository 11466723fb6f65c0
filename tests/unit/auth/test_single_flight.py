"""However many ask at once, in however many processes, the upstream sees one refresh (architecture.md, rule 3)."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.conftest import Clock, NewWiring
from tests.unit.auth.test_credential import LIFETIME, USER, Login
from tests.upstreams import Upstreams
from watchferry.wiring import Wiring


def brief(_: float) -> None:
    """The clock stands still here: waiting is for the other threads' sake."""
    time.sleep(0.001)


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
@pytest.mark.parametrize("callers", [2, 5, 20, 50])
def test_one_refresh_for_all(
    provider: str, callers: int, upstreams: Upstreams, new_wiring: NewWiring, clock: Clock
) -> None:
    """All of them get the new token; nobody is refused, and no second pair is ever made."""
    processes = [new_wiring(pause=brief) for _ in range(callers)]
    login = Login(provider, upstreams, processes[0])
    login.upstream.options.set(latency=0.05)  # so that the others come while it is under way
    clock.advance(LIFETIME[provider])
    tokens = at_once(processes, lambda process: process.broker.credential(USER, provider).token())
    assert set(tokens) == {login.newest()}
    assert (login.asked(), login.counts()["refreshes_served"], login.counts()["refreshes_refused"]) == (1, 1, 0)


@pytest.mark.parametrize("callers", [2, 5, 20, 50])
def test_one_refresh_after_a_401_for_all(callers: int, upstreams: Upstreams, new_wiring: NewWiring) -> None:
    """The same, when the token ended before its time and everybody met the 401."""
    processes = [new_wiring(pause=brief) for _ in range(callers)]
    login = Login("trakt", upstreams, processes[0])
    login.upstream.options.set(latency=0.05)
    upstreams.trakt.expire_tokens("harry")
    refused = login.granted.access
    tokens = at_once(processes, lambda process: process.broker.credential(USER, "trakt").renewed(refused))
    assert set(tokens) == {login.newest()}
    assert login.counts()["refreshes_served"] == 1


def test_threads_of_one_job(upstreams: Upstreams, new_wiring: NewWiring, clock: Clock) -> None:
    """They share one credential; the table is asked once."""
    wiring = new_wiring(pause=brief)
    login = Login("kinopub", upstreams, wiring)
    clock.advance(LIFETIME["kinopub"])
    credential = login.credential()
    assert set(at_once([wiring] * 20, lambda _: credential.token())) == {login.newest()}
    assert login.asked() == 1


def at_once(processes: list[Wiring], ask: Any) -> list[str]:
    """Everybody begins at the same moment."""
    for process in processes:
        _ = process.broker  # made before, as in a warm process
    gate = Barrier(len(processes))

    def caller(process: Wiring) -> str:
        gate.wait()
        return str(ask(process))

    with ThreadPoolExecutor(len(processes)) as threads:
        return list(threads.map(caller, processes))
