"""`make demo`: the whole of Watchferry on this machine, driven only through its public API.

A local cloud, stand-ins for Trakt, Kinopub and TMDB with a realistic library, the real template deployed into it; two
accounts connected by code, a preview and its confirmation, an idle run, a title mended by hand, a run that the schedule
starts, and an undo. `ONCE=1` ends by itself; its exit status is not 0 when a number is not what the library says.
"""

import os
import shutil
import signal
import sys
import threading
import time
import webbrowser
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.cloud import ministack
from tests.cloud.errors import CannotDeploy
from tests.cloud.stack import Stack
from tests.cloud.up import demo_folder, up
from tests.upstreams import start
from tests.upstreams.stand_ins import Running

USER = "harry"
ENDED = {"succeeded", "partial", "failed", "cancelled"}
SHOWN = ("collecting", "mapping", "sending")
PATIENCE = 150.0
"""Seconds for one run. A tick of the schedule comes every minute here."""

WHY = {
    "duplicate": "Trakt has this very play already",
    "not_completed": "begun, but not watched to the end",
    "not_found": "Trakt does not have the title",
    "ambiguous": "several titles fit equally; never guessed",
    "episode_not_found": "Trakt has the show, but not this episode",
    "rejected_by_trakt": "Trakt did not take it",
    "ignored": "you have said so",
}


@dataclass
class Demo:
    out: Console
    stack: Stack
    upstreams: Running
    browser: httpx.Client
    wrong: list[str] = field(default_factory=list)

    def connect(self, provider: str) -> None:
        """The device flow, with the person's part played by the stand-in."""
        code = self.call("POST", f"auth/{provider}/device/code", json={})
        where, what = code["verification_url"], code["user_code"]
        self.out.print(
            f"  {provider.capitalize():<8} enter [bold]{what}[/] at [link]{where}[/]  [dim](the stand-in does)[/]"
        )
        app: Any = self.upstreams.trakt if provider == "trakt" else self.upstreams.kinopub
        app.approve(code["user_code"], USER)
        answer: dict[str, Any] = {}
        while answer.get("status") != "authorized":
            answer = self.call("POST", f"auth/{provider}/device/token", json={"device_code": code["device_code"]})
            if answer["status"] != "authorized":
                time.sleep(answer["interval"])
        self.out.print(f"           connected as [bold]{answer['user']['name']}[/]")

    def follow(self, run_id: str, until: Set[str] = ENDED) -> Mapping[str, Any]:
        """A run until it ended, with a bar for each phase."""
        deadline = time.monotonic() + PATIENCE
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.out,
        ) as progress:
            bars: dict[str, Any] = {}
            while True:
                run: dict[str, Any] = self.call("GET", f"sync/runs/{run_id}")
                done, total = run["phase_progress"]["done"], run["phase_progress"]["total"]
                if run["status"] in SHOWN:
                    for status, bar in bars.items():
                        if status != run["status"]:
                            progress.update(bar, completed=progress.tasks[bar].total)
                    if run["status"] not in bars:
                        bars[run["status"]] = progress.add_task(run["status"], total=total or None)
                    progress.update(bars[run["status"]], completed=done, total=total or None)
                if run["status"] in until:
                    for bar in bars.values():
                        progress.update(bar, completed=progress.tasks[bar].total)
                    return run
                if time.monotonic() > deadline:
                    raise CannotDeploy(f"the run {run_id} does not end; it is {run['status']}")
                time.sleep(0.25)

    def start(self, mode: str) -> str:
        """A run by hand; one of the schedule that is under way is waited for."""
        while True:
            answer = self.browser.post("sync/runs", json={"mode": mode})
            if answer.status_code != 409:
                return str(answer.raise_for_status().json()["run_id"])
            self.follow(answer.json()["run_id"])

    def show(self, title: str, run: Mapping[str, Any], seconds: float) -> None:
        counts, calls, undoes = run["counts"], run["upstream_calls"], run["mode"] == "undo"
        table = Table(title=title, title_justify="left", show_header=False, title_style="bold")
        table.add_column(style="dim")
        table.add_column(justify="right")
        table.add_column()
        table.add_row("status", run["status"], "" if run["error"] is None else run["error"]["detail"])
        if not undoes:
            table.add_row("history rows", str(counts["history"]), "new since the last run")
            table.add_row("finished views", str(counts["completed"]), "films and episodes")
        table.add_row("planned", str(counts["planned"]), "")
        word, told = ("removed", "from Trakt") if undoes else ("sent", "to Trakt, at the time each was watched")
        table.add_row(f"[green]{word}[/]", f"[green]{counts['sent']}[/]", told)
        for reason, number in sorted(counts["skipped"].items(), key=lambda pair: -pair[1]):
            table.add_row(f"skipped: {reason}", str(number), f"[dim]{WHY.get(reason, '')}[/]")
        table.add_row("upstream calls", f"{calls['kinopub']} + {calls['trakt']}", "Kinopub + Trakt")
        table.add_row("seconds", f"{seconds:.1f}", "")
        self.out.print(table)

    def examples(self, run: Mapping[str, Any]) -> None:
        """One view of every kind, and where all of them are."""
        table = Table(title="Of every view, what became of it", title_justify="left", title_style="bold")
        for name in ("outcome", "reason", "view", "watched"):
            table.add_column(name, overflow="fold")
        for outcome, reason in [("sent", ""), *(("skipped", reason) for reason in run["counts"]["skipped"])]:
            query = {"outcome": outcome} | ({"reason": reason} if reason else {})
            event = self.call("GET", f"sync/runs/{run['id']}/events", params=query)["items"][0]
            name = f"{event['show']} · S{event['season']}E{event['number']}" if event.get("show") else event["title"]
            table.add_row(outcome, reason, name, event["watched_at"] or "")
        self.out.print(table)
        file = demo_folder() / "events.csv"
        answer = self.browser.get(f"sync/runs/{run['id']}/events", headers={"accept": "text/csv"})
        file.write_text(answer.text)
        self.out.print(f"[dim]All {answer.text.count(chr(10)) - 1} of them, as CSV: {shown(file)}[/]\n")

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found == wanted:
            self.out.print(f"  [green]✓[/] {what}: {found}")
        else:
            self.wrong.append(what)
            self.out.print(f"  [red]✗ {what}: {found}, expected {wanted}[/]")

    def call(self, method: str, path: str, **request: Any) -> Any:
        answer = self.browser.request(method, path, **request)
        if answer.status_code >= 400:
            raise CannotDeploy(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None


def tell(out: Console, once: bool) -> int:
    with start("realistic", limits=True) as upstreams:
        # The stand-ins are on this machine, as a Prowlarr at home is.
        settings = os.environ | environment(upstreams) | {"ALLOW_PRIVATE_PROWLARR": "true"}
        out.rule("[bold]Watchferry[/] deploys itself into a local cloud", align="left")
        began = time.monotonic()
        stack = up(demo_folder(), settings, lambda said: out.print(f"  {said}"))
        for name, address in (
            ("the page", stack.site_url),
            ("its API", stack.api_url),
            ("the cloud", stack.aws_endpoint_url),
            ("Trakt (a stand-in)", upstreams.trakt_url),
            ("Kinopub (a stand-in)", upstreams.kinopub_url),
            ("TMDB (a stand-in)", upstreams.tmdb_url),
            ("Prowlarr (a stand-in)", upstreams.prowlarr_url),
            ("    its key", upstreams.prowlarr.api_key),
        ):
            out.print(f"  {name:<23}{address}")
        out.print(f"  [dim]{time.monotonic() - began:.0f} s[/]\n")
        with stack.browser() as browser:
            demo = Demo(out, stack, upstreams, browser)
            carry_across(demo)
            out.print(f"\n[dim]{time.monotonic() - began:.0f} s in all[/]")
            if demo.wrong:
                out.print(f"[red bold]Not as expected: {', '.join(demo.wrong)}[/]")
                return 1
            if not once:
                upstreams.trakt.sign_in(USER)  # for who goes by way of Trakt's own site
                out.print("\nEverything stays up until [bold]Ctrl-C[/]; the schedule goes on, every minute.")
                out.print(f"The page is at [link]{stack.site_url}[/]: sign in there as [bold]{USER}[/].")
                webbrowser.open(stack.site_url)
                wait_for_the_end()
        return 0


def carry_across(demo: Demo) -> None:
    demo.out.rule("Connect two accounts", align="left")
    demo.connect("trakt")
    demo.connect("kinopub")
    had = len(demo.upstreams.trakt.users[USER].plays)
    sent = first_run(demo, had)
    idle_run(demo)
    run, added = by_itself(demo, had + sent)
    undo(demo, run, added, had + sent)


def first_run(demo: Demo, had: int) -> int:
    """How many plays it sent."""
    out, upstreams = demo.out, demo.upstreams
    out.print()
    out.rule("Look before anything is written", align="left")
    expected = upstreams.upstreams.expected(USER)
    began = time.monotonic()
    preview = demo.follow(demo.start("preview"), {"awaiting_confirmation", *ENDED})
    demo.show("A preview", preview, time.monotonic() - began)
    demo.expect("status", preview["status"], "awaiting_confirmation")
    demo.expect("plays that Trakt has", len(upstreams.trakt.users[USER].plays), had)

    out.print()
    out.rule("Confirmed: exactly that is carried across", align="left")
    began = time.monotonic()
    demo.call("POST", f"sync/runs/{preview['id']}/confirm", json={})
    run = demo.follow(preview["id"])
    demo.show("The first run", run, time.monotonic() - began)
    demo.examples(run)
    sent = sum(view.outcome == "sent" for view in expected)
    skipped = Counter(view.reason for view in expected if view.outcome == "skipped")
    demo.expect("status", run["status"], "succeeded")
    demo.expect("sent", run["counts"]["sent"], sent)
    demo.expect("skipped", dict(sorted(run["counts"]["skipped"].items())), dict(sorted(skipped.items())))
    demo.expect("plays that Trakt has", len(upstreams.trakt.users[USER].plays), had + sent)
    return sent


def idle_run(demo: Demo) -> None:
    demo.out.print()
    demo.out.rule("Run again: nothing to do", align="left")
    began = time.monotonic()
    run = demo.follow(demo.start("sync"))
    demo.show("The second run", run, time.monotonic() - began)
    demo.expect("sent", run["counts"]["sent"], 0)
    demo.expect("calls of Kinopub and Trakt", list(run["upstream_calls"].values()), [0, 1])


def by_itself(demo: Demo, there: int) -> tuple[Mapping[str, Any], int]:
    """A title is mended and two are watched; the schedule finds all of them. The run, and how many plays it added."""
    out, upstreams = demo.out, demo.upstreams
    out.print()
    out.rule("A title that did not match is mended", align="left")
    rows = demo.call("GET", "sync/unmatched")["items"]
    row = next(row for row in rows if row["reason"] == "ambiguous" and row["seen"] == 1)
    chosen = row["candidates"][0]
    out.print(f"  Kinopub: [bold]{row['title']}[/] ({row['year']}). Trakt has {len(row['candidates'])} like it.")
    demo.call("PUT", f"sync/overrides/{row['key']}", json={"trakt_id": chosen["trakt_id"]})
    out.print(f"  chosen: [bold]{chosen['title']}[/] ({chosen['year']}), Trakt's {chosen['trakt_id']}")

    out.print()
    out.rule("By itself: somebody watches two more, and the schedule finds everything", align="left")
    watched = watch_more(upstreams, 2)
    for name in watched:
        out.print(f"  watched just now: [bold]{name}[/]")
    out.print("  [dim]waiting for the next tick, one a minute here, one an hour in AWS[/]")
    began, added = time.monotonic(), len(watched) + row["seen"]
    known = {run["id"] for run in demo.call("GET", "sync/runs")["items"]}
    run = demo.follow(next_scheduled(demo, known))
    demo.show("A scheduled run", run, time.monotonic() - began)
    demo.expect("trigger", run["trigger"], "schedule")
    demo.expect("sent", run["counts"]["sent"], added)
    demo.expect("plays that Trakt has", len(upstreams.trakt.users[USER].plays), there + added)
    return run, added


def undo(demo: Demo, run: Mapping[str, Any], added: int, there: int) -> None:
    demo.out.print()
    demo.out.rule("Taken back: exactly the plays that this run added", align="left")
    began = time.monotonic()
    undone = demo.follow(demo.call("POST", f"sync/runs/{run['id']}/undo", json={})["run_id"])
    demo.show("The undo", undone, time.monotonic() - began)
    demo.expect("removed", undone["counts"]["sent"], added)
    demo.expect("plays that Trakt has", len(demo.upstreams.trakt.users[USER].plays), there)
    removed = demo.call("GET", f"sync/runs/{run['id']}/events", params={"outcome": "removed"})["items"]
    demo.expect("its report says so", len(removed), added)


def watch_more(upstreams: Running, number: int) -> list[str]:
    """The person watches that many things of the library which nobody has watched yet."""
    units = upstreams.library.unwatched(USER)[:number]
    for unit in units:
        upstreams.library.watch(USER, unit["item"], unit["season"], unit["number"])
    return [
        unit["title"] + (f" · S{unit['season']}E{unit['number']}" if unit["kind"] == "episode" else "")
        for unit in units
    ]


def next_scheduled(demo: Demo, known: set[str]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for run in demo.call("GET", "sync/runs")["items"]:
            if run["id"] not in known and run["trigger"] == "schedule":
                return str(run["id"])
        time.sleep(0.5)
    raise CannotDeploy("the schedule does not start a run")


def environment(upstreams: Running) -> dict[str, str]:
    """What `make up` needs to know; the schedule ticks every minute, so that nobody waits for an hour."""
    return {
        "TRAKT_API_URL": upstreams.trakt_url,
        "TRAKT_AUTH_URL": upstreams.trakt_auth_url,
        "TRAKT_CLIENT_ID": upstreams.trakt.client_id,
        "TRAKT_CLIENT_SECRET": upstreams.trakt.client_secret,
        "KINOPUB_API_URL": upstreams.kinopub_url,
        "KINOPUB_CLIENT_ID": upstreams.kinopub.client_id,
        "KINOPUB_CLIENT_SECRET": upstreams.kinopub.client_secret,
        "TMDB_API_URL": upstreams.tmdb_url,
        "TMDB_IMAGE_URL": upstreams.tmdb_image_url,
        "TMDB_READ_ACCESS_TOKEN": upstreams.tmdb.read_access_token,
        "ALLOWED_TRAKT_USERS": USER,
        "SYNC_SCHEDULE": "rate(1 minute)",
    }


def wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def shown(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def main() -> int:
    once = os.environ.get("ONCE", "") not in ("", "0")
    out = Console(highlight=False)
    fresh(demo_folder())
    try:
        return tell(out, once)
    except CannotDeploy as error:
        out.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        ministack.stop(demo_folder())


def fresh(folder: Path) -> None:
    """What an earlier demo left belongs to people who are not there any more: the stand-ins are new each time."""
    ministack.stop(folder)
    shutil.rmtree(folder / "cloud", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
