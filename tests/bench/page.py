"""The page, on a deployed local stack: Lighthouse's scores, and what scrolling through 10,000 rows costs."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench.figures import Figure, show
from tests.bench.options import Options
from tests.cloud.chromium import FLAGS, chromium
from tests.cloud.page import PAGE, prepare
from tests.cloud.tools import installed
from tests.stack.deployed import deploy
from tests.stack.window import opened

ROWS, A_PAGE = 10_000, 500
SCORE = 95
LONGEST_TASK_MS = 50
SCREENS = 60
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def bench(options: Options) -> None:
    prepare(everything=True)
    with tempfile.TemporaryDirectory() as home, deploy(Path(home)) as deployed:
        site = deployed.stack.site_url
        figures = [
            Figure(f"{kind}, {name}", str(score), f"≥ {SCORE}", score >= SCORE) for kind, name, score in scores(site)
        ]
        show(options.out, "Lighthouse", figures)
        person = deployed.person("Harriet")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            with opened(browser, site, person) as window:
                tasks, frames = scrolling(window.page, site)
        show(
            options.out,
            f"Scrolling through {ROWS:,} rows",
            [
                Figure.at_most("longest task", max(tasks, default=0), LONGEST_TASK_MS, "ms"),
                Figure.told("frames in a second", frames, note="a screen without a graphics card has fewer"),
            ],
        )


def scores(site: str) -> list[tuple[str, str, float]]:
    """(mobile or desktop, category, 0-100), of the page that a visitor sees first."""
    tools = installed("node") / "bin"
    found = []
    for kind in ("mobile", "desktop"):
        done = subprocess.run(
            [
                PAGE / "node_modules/.bin/lighthouse",
                f"{site}/connect",
                "--output=json",
                "--quiet",
                f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
                f"--only-categories={','.join(CATEGORIES)}",
                *(["--preset=desktop"] if kind == "desktop" else []),
            ],
            env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "CHROME_PATH": chromium()},
            check=True,
            capture_output=True,
            text=True,
        )
        told = json.loads(done.stdout)["categories"]
        found += [(kind, name, round(100 * told[name]["score"])) for name in CATEGORIES]
    return found


def scrolling(page: Page, site: str) -> tuple[list[float], float]:
    """Long tasks in milliseconds, and frames per second, while a table of many rows is scrolled through."""
    run = json.loads(_RUN)
    page.route("**/api/sync/runs/many", lambda route: route.fulfill(json=run))
    page.route("**/api/sync/runs/many/events*", lambda route: route.fulfill(json=_events(route.request.url)))
    page.route("**/api/kinopub/**", lambda route: route.fulfill(json={"item": {}}))
    page.goto(f"{site}/runs/many")
    page.get_by_text(f"{ROWS} rows").wait_for()
    tasks, frames = page.evaluate(_SCROLL, SCREENS)
    return tasks, frames


def _events(url: str) -> dict[str, Any]:
    first = int(url.partition("cursor=")[2] or 0)
    items = [
        {
            "type": "movie",
            "title": f"Фильм {number} / Film {number}",
            "year": 1950 + number % 70,
            "watched_at": f"20{10 + number % 15}-0{1 + number % 9}-1{number % 9}T20:{number % 60:02}:00Z",
            "kinopub": {"item": number, "media": number},
            "trakt_ids": {},
            "outcome": "planned" if number % 9 else "skipped",
            "reason": None if number % 9 else "duplicate",
        }
        for number in range(first, min(first + A_PAGE, ROWS))
    ]
    following = first + A_PAGE
    return {"items": items, "next_cursor": str(following) if following < ROWS else None}


_RUN = json.dumps(
    {
        "id": "many",
        "mode": "preview",
        "trigger": "manual",
        "status": "awaiting_confirmation",
        "phase_progress": {"done": 0, "total": 0},
        "counts": {
            "history": ROWS,
            "completed": ROWS,
            "planned": ROWS,
            "sent": 0,
            "removed": 0,
            "already_removed": 0,
            "skipped": {},
        },
        "upstream_calls": {"trakt": 1, "kinopub": 1},
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": None,
        "error": None,
    }
)

_SCROLL = """async (screens) => {
  const tasks = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)));
  watch.observe({ type: "longtask" });
  const frame = () => new Promise(requestAnimationFrame);
  const start = performance.now();
  let frames = 0;
  for (let turn = 0; turn < screens * 6; turn++) {
    window.scrollBy(0, window.innerHeight / 6);
    await frame();
    frames++;
  }
  return [tasks, Math.round((1000 * frames) / (performance.now() - start))];
}"""
