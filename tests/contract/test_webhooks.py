"""Webhooks: one sealed address a user, and how often it may be tested."""

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from watchferry.storage.webhooks import TEST_EVERY, StoredWebhook, Webhooks


@pytest.fixture
def webhooks(backend: Backend, clock: Clock) -> Webhooks:
    return Webhooks(backend.table("Webhooks"), clock)


def test_what_is_put_is_there(webhooks: Webhooks, user: str) -> None:
    """Until something else is, or it is deleted; for this user alone."""
    assert webhooks.get(user) is None
    webhooks.put(user, sealed=b"one", sealed_key=b"key")
    assert webhooks.get(user) == StoredWebhook(user, b"one", b"key")
    assert webhooks.get(f"{user}-other") is None
    webhooks.put(user, sealed=b"two", sealed_key=b"key-2")
    assert webhooks.get(user) == StoredWebhook(user, b"two", b"key-2")
    webhooks.delete(user)
    assert webhooks.get(user) is None
    webhooks.delete(user)


def test_tests_are_not_a_hammer(webhooks: Webhooks, user: str, clock: Clock) -> None:
    """One in ten seconds, over a change of the address too; none without an address, which leaves nothing behind."""
    assert webhooks.begin_test(user) == "none"
    assert webhooks.get(user) is None
    webhooks.put(user, sealed=b"one", sealed_key=b"key")
    assert webhooks.begin_test(user) == "begun"
    webhooks.put(user, sealed=b"two", sealed_key=b"key")
    assert webhooks.begin_test(user) == "too_soon"
    clock.advance(TEST_EVERY - 1)
    assert webhooks.begin_test(user) == "too_soon"
    clock.advance(1)
    assert webhooks.begin_test(user) == "begun"
    assert webhooks.get(user) == StoredWebhook(user, b"two", b"key")
    webhooks.delete(user)
    assert webhooks.begin_test(user) == "none"
