"""Prowlarr: where a user's own is, and its sealed key."""

from tests.contract.conftest import Backend
from watchferry.storage.prowlarr import Prowlarrs, StoredProwlarr


def test_what_is_put_is_there(backend: Backend, user: str) -> None:
    """Until something else is, or it is deleted; for this user alone."""
    prowlarrs = Prowlarrs(backend.table("Prowlarr"))
    assert prowlarrs.get(user) is None
    for url in ("http://one.example:9696", "https://two.example/prowlarr"):
        prowlarrs.put(user, base_url=url, sealed=url.encode(), sealed_key=b"key")
        assert prowlarrs.get(user) == StoredProwlarr(user, url, url.encode(), b"key")
    assert prowlarrs.get(f"{user}-other") is None
    prowlarrs.delete(user)
    assert prowlarrs.get(user) is None
    prowlarrs.delete(user)
