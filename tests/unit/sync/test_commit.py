"""How a run that ends badly is told of (issue "Runs in the user's hand", Notifications)."""

from collections import Counter
from typing import Any

import pytest

from tests.world import World

USER = "harry"


def told(world: World) -> Counter[tuple[str, str, str]]:
    return Counter((each.to, each.kind, each.code) for each in world.notices.sent)


def both(kind: str, code: str) -> Counter[tuple[str, str, str]]:
    return Counter([("webhook", kind, code), ("operator", kind, code)])


@pytest.mark.parametrize(
    ("preset", "method", "kind"),
    [
        ("locked", "GET", "account_locked"),
        ("locked", "POST", "account_locked"),
        ("account_limit", "POST", "account_limit"),
    ],
)
def test_a_stopped_account_is_told_once(preset: str, method: str, kind: str) -> None:
    """Of the pause, not of the failed run as well, however many batches or runs come upon it."""
    world = World()
    world.settings(batch_size=1)
    world.upstreams.trakt.faults.add(path="^/sync/history", method=method, preset=preset, times=None)
    for _ in range(2):
        assert world.run().status == "failed"
    assert told(world) == both(kind, kind)
    assert {each.slug for each in world.notices.sent} == {USER}
    assert all(each.run_id for each in world.notices.sent)


@pytest.mark.parametrize("provider", ["trakt", "kinopub"])
def test_whoever_refuses_fresh_tokens_has_to_be_connected_again(provider: str) -> None:
    """A 401, a refresh that works, and a 401 again: the account knows which of the two it is."""
    world = World()
    upstream = getattr(world.upstreams, provider)
    upstream.faults.add(path="/history", status=401, body="", times=None)
    assert world.run().status == "failed"
    assert (world.account().paused_reason, world.account().to_connect) == ("reauth_required", {provider})


def test_a_night_without_an_upstream_is_one_message() -> None:
    """The next success ends it: another night is another message."""
    world = World()
    for night in (1, 2):
        fault = world.upstreams.kinopub.faults.add(path="^/v1/history", status=503, times=None)
        for _ in range(3):
            assert world.run().status == "failed"
        world.upstreams.kinopub.faults.script.remove(fault)
        assert told(world) == Counter(dict.fromkeys(both("run_failed", "upstream_unreachable"), night))
        assert world.run().status == "succeeded"


def test_success_is_not_told() -> None:
    """Nor is a preview."""
    world = World()
    world.run(mode="preview")
    world.run()
    assert world.notices.sent == []


def test_batches_that_were_not_sent() -> None:
    """A run that comes to its end without all of them is told of too."""
    world = World()
    world.settings(batch_size=1)
    faults: Any = world.upstreams.trakt.faults
    faults.add(path="^/sync/history$", method="POST", status=500, times=None)
    run = world.run()
    assert run.status in {"failed", "partial"}
    assert {kind for _, kind, _ in told(world)} == {"run_failed"}
    assert len(world.notices.sent) == 2
