"""Flows: sign-ins under way. The interval between polls is kept here, and each flow ends once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.flows import REMEMBERED, Flow, Flows, hash_of, new_handle, owner_of


@pytest.fixture
def flows(backend: Backend, clock: Clock) -> Flows:
    return Flows(backend.table("Flows"), clock)


def begin(flows: Flows, **changes: Any) -> tuple[str, Flow]:
    handle = new_handle()
    given = {
        "kind": "device",
        "user_id": None,
        "sealed": b"code",
        "sealed_key": b"key",
        "interval": 5,
        "expires_in": 600,
    }
    flows.begin_device(handle, "trakt", **(given | changes))
    found = flows.find(handle)
    assert found is not None
    return handle, found


def test_a_flow_is_found_by_its_handle(flows: Flows, clock: Clock) -> None:
    """With all that was told; neither the handle itself is stored, nor whose it is."""
    handle, flow = begin(flows, user_id="u-1")
    assert flow == Flow(
        flow_hash=hash_of(handle),
        kind="device",
        provider="trakt",
        status="new",
        expires_at=int(clock.now) + 600,
        owner=owner_of(handle, "u-1"),
        sealed=b"code",
        sealed_key=b"key",
        interval=5,
        polled_at_ms=None,
        redirect_uri="",
        browser="",
    )
    stored = repr(flows.table.get({"flow_hash": flow.flow_hash}))
    assert handle not in stored
    assert "u-1" not in stored
    assert flows.find(new_handle()) is None


def test_a_flow_knows_its_owner(flows: Flows) -> None:
    """By handle and user together; a flow that needs no user has none."""
    handle, flow = begin(flows, user_id="u-1")
    assert flow.owner == owner_of(handle, "u-1") not in {owner_of(handle, "u-2"), owner_of(new_handle(), "u-1"), None}
    _, anybody_s = begin(flows)
    assert anybody_s.owner is None is owner_of("any", None)


def test_who_is_in_a_hurry(flows: Flows, clock: Clock) -> None:
    """Whoever asks again within four fifths of the interval; to ask at once is no hurry yet."""
    handle, _ = begin(flows)

    def hurried() -> bool:
        flow = flows.find(handle)
        assert flow is not None
        return not flows.may_poll(flow) and flows.is_hurried(flow)

    assert not hurried()
    for seconds, expected in ((1.0, True), (3.9, True), (4.1, False), (5.0, False), (4.1, False)):
        clock.advance(seconds)
        assert hurried() == expected


def test_one_poll_per_interval(flows: Flows, clock: Clock) -> None:
    """The first after an interval, to the millisecond."""
    _, flow = begin(flows)
    clock.advance(4.9)
    assert not flows.may_poll(flow)
    clock.advance(0.1)
    assert [flows.may_poll(flow) for _ in range(3)] == [True, False, False]
    clock.advance(5)
    assert flows.may_poll(flow)


def test_of_many_at_once_one_may(flows: Flows, clock: Clock) -> None:
    """The conditional write decides."""
    _, flow = begin(flows)
    clock.advance(5)
    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(lambda _: flows.may_poll(flow), range(20))) == 1


def test_slowing_down_adds_up(flows: Flows, clock: Clock) -> None:
    """Five seconds more each time, from now on."""
    handle, flow = begin(flows)
    clock.advance(5)
    assert flows.may_poll(flow)
    assert flows.slow_down(flow) == 10
    clock.advance(9.9)
    slower = flows.find(handle)
    assert slower is not None
    assert slower.interval == 10
    assert not flows.may_poll(slower)
    clock.advance(0.1)
    assert flows.may_poll(slower)
    assert flows.slow_down(slower) == 15


def test_a_flow_ends_once(flows: Flows, clock: Clock) -> None:
    """Of many who end it, one did; the sealed code is gone then."""
    handle, flow = begin(flows)
    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(lambda _: flows.end(flow, "used"), range(20))) == 1
    assert not flows.end(flow, "denied")
    ended = flows.find(handle)
    assert ended is not None
    assert (ended.status, ended.sealed) == ("used", b"")
    clock.advance(5)
    assert not flows.may_poll(ended)


def test_an_authorization(flows: Flows, clock: Clock) -> None:
    """Bound to a browser, whose mark is kept as a hash."""
    state, browser = new_handle(), new_handle()
    flows.begin_authorize(state, browser=browser, redirect_uri="https://x.test/", expires_in=600)
    flow = flows.find(state)
    assert flow is not None
    assert (flow.kind, flow.provider, flow.redirect_uri) == ("authorize", "trakt", "https://x.test/")
    assert flow.browser == hash_of(browser)
    assert flow.expires_at == int(clock.now) + 600
    assert browser not in repr(flows.table.get({"flow_hash": flow.flow_hash}))


def test_flows_are_remembered_for_a_while(flows: Flows, clock: Clock) -> None:
    """So that an old one can be told from one that never was; then they are gone."""
    handle, _ = begin(flows)
    clock.advance(600 + REMEMBERED - 1)
    assert flows.find(handle) is not None
    clock.advance(1)
    assert flows.find(handle) is None
