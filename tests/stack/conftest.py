"""The tests of the deployed stack. What they have heard is looked through last; then come those that break it."""

import pytest

LATE = {"test_secrets.py": 1, "test_faults.py": 2, "test_throttled.py": 2, "test_at_once.py": 2}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LATE.get(item.path.name, 0))
