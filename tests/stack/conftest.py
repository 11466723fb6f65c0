"""The tests of the deployed stack. What they have heard is looked through last; then come those that break it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cloud.chromium import FLAGS, chromium
from tests.cloud.page import prepare
from tests.stack.deployed import Deployed
from tests.stack.person import Person
from tests.stack.window import Window, opened

LATE = {"test_secrets.py": 1, "test_faults.py": 2, "test_throttled.py": 2, "test_at_once.py": 2}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LATE.get(item.path.name, 0))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    prepare(everything=True)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def stranger(browser: Browser, deployed: Deployed) -> Iterator[Window]:
    with opened(browser, deployed.stack.site_url) as window:
        yield window


@pytest.fixture
def person(deployed: Deployed) -> Iterator[Person]:
    """Both accounts connected, and the usual week at Kinopub."""
    made = deployed.person("Harriet")
    made.usual()
    yield made
    made.web.put("sync/settings", json={"enabled": False})  # should they still be there


@pytest.fixture
def window(browser: Browser, deployed: Deployed, person: Person) -> Iterator[Window]:
    with opened(browser, deployed.stack.site_url, person) as made:
        yield made
