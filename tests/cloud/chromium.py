"""Where a Chromium is for the tests of the page, installed first if there is none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from tests.cloud.errors import CannotDeploy

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = [
    # Nothing but the page: no look-ups, updates or telemetry of the browser's own.
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-quic", "--disable-gpu"),
    # Chromium's sandbox does not work for root.
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
]


def chromium() -> str:
    """The path of one: CHROMIUM of the environment, the system's, Playwright's own, Debian's package.

    Raises CannotDeploy.
    """
    for way in (_found, _from_playwright, _from_debian):
        for path in way():
            return path
    raise CannotDeploy("the page's tests need Chromium: install it, or name one in the variable CHROMIUM")


def _found() -> Iterator[str]:
    if named := os.environ.get("CHROMIUM"):
        yield named
    yield from filter(None, map(shutil.which, NAMES))


def _from_playwright() -> Iterator[str]:
    from playwright.sync_api import sync_playwright

    try:
        done = subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"], check=False, capture_output=True, timeout=300
        )
    except subprocess.TimeoutExpired:
        return
    if done.returncode == 0:
        with sync_playwright() as playwright:
            yield playwright.chromium.executable_path


def _from_debian() -> Iterator[str]:
    if shutil.which("apt-get") and os.geteuid() == 0:
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *arguments], check=False, capture_output=True, env=environ)
        yield from _found()


def main() -> int:
    try:
        print(chromium())
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
