"""Somebody at the page: a window of a real browser on the deployed site."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.cloud.page import PAGE
from tests.cloud.stack import BrowserCookies
from tests.cloud.tools import ROOT
from tests.stack.deployed import until
from tests.stack.person import Person

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000
"""A machine that is busy with other tests takes its time."""

PICTURES = ROOT / ".local/pictures"
"""Those of the README are made anew by `make pictures`."""


@dataclass
class Window:
    context: BrowserContext
    page: Page
    site: str
    errors: list[str] = field(default_factory=list)
    """What the console said was wrong, and what nobody caught."""

    def visit(self, path: str = "/") -> None:
        self.page.goto(self.site + path)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=re.compile(name))

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=re.compile(name))

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=re.compile(name))

    def text(self, text: str) -> Locator:
        return self.page.get_by_text(re.compile(text))

    def sees(self, locator: Locator) -> Locator:
        expect(locator.first).to_be_visible(timeout=PATIENCE_MS)
        return locator.first

    def violations(self) -> list[str]:
        """Of the accessibility rules, in light and dark."""
        found = []
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            self.page.evaluate(_AT_REST)
            told: list[dict[str, Any]] = self.page.evaluate(_axe() + "; axe.run().then(result => result.violations)")
            found += [f"{scheme} {each['id']}: {node['html'][:200]}" for each in told for node in each["nodes"]]
        self.page.emulate_media(color_scheme="light")
        return found

    def picture(self, name: str) -> None:
        """Of the window as it is, and on a phone; nothing is wrong with either, also for who cannot see it."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        assert (wrong := self.violations()) == [], wrong  # a plain module: nothing else would name them
        self.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        until("all fits a phone", lambda: self.page.evaluate(too_wide) <= 0)  # charts follow a moment later
        self.page.screenshot(path=PICTURES / f"{name}-phone.png", animations="disabled")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    def kept(self) -> str:
        """Everything that scripts can find in the browser's storage."""
        return str(self.page.evaluate(_STORED))


_AT_REST = """async () => {
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().iterations < 100);
  await Promise.allSettled(ending.map(({ finished }) => finished));
}"""
"""Colours on their way to others are not what is judged."""

_STORED = """async () => {
  const found = [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((done) => (indexedDB.open(name).onsuccess = (e) => done(e.target.result)));
    for (const store of database.objectStoreNames) {
      const all = database.transaction(store).objectStore(store).getAll();
      found.push(JSON.stringify(await new Promise((done) => (all.onsuccess = () => done(all.result)))));
    }
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    found.push(...(await cache.keys()).map((request) => request.url));
  }
  return found.join("\\n");
}"""


@cache
def _axe() -> str:
    return Path(PAGE / "node_modules/axe-core/axe.min.js").read_text()


@contextmanager
def opened(browser: Browser, site: str, person: Person | None = None, language: str = "en-GB") -> Iterator[Window]:
    """A window of a browser that nobody used before; `person`: who is signed in there. No error goes unnoticed."""
    context = browser.new_context(viewport=WIDE, locale=language, timezone_id="Europe/Berlin")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    if person is not None:
        assert isinstance(person.web.auth, BrowserCookies)
        context.add_cookies(
            [
                {
                    "name": cookie.name,
                    "value": cookie.value or "",
                    "domain": site.split("/")[2].split(":", maxsplit=1)[0],
                    "path": "/",
                    "secure": True,
                    "httpOnly": cookie.name == "__Host-session",
                    "sameSite": "Strict",
                }
                for cookie in person.web.auth.cookies.jar
                if cookie.name in ("__Host-session", "__Host-signed-in")
            ]
        )
    page = context.new_page()
    window = Window(context, page, site)
    page.on("console", lambda said: window.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: window.errors.append(str(error)))
    try:
        yield window
        assert window.errors == [], window.errors  # a plain module: nothing else would name them
    finally:
        context.close()


@contextmanager
def held(page: Page, method: str, url: str) -> Iterator[None]:
    """Questions of this kind get no answer until the block ends."""
    waiting = list[Route]()

    def hold(route: Route) -> None:
        waiting.append(route) if route.request.method == method else route.fallback()

    page.route(url, hold)
    yield
    for route in waiting:
        route.continue_()
    page.unroute(url, hold)
