"""How cost grows with users: in one tick of the schedule so many of them, each of whom has watched two films since.

Then a tick in which nobody has watched anything. What a user costs must not depend on how many others there are.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.table import Table

from tests.bench.figures import Figure, number, show
from tests.bench.local import ENDED, LOOK_EVERY, Local, Person, deployed
from tests.bench.metered import Meter, Metered
from tests.bench.options import Options
from tests.upstreams import Library, film

GROWTH = 1.2
"""What a user may cost among the most, times what one costs among the fewest."""
PATIENCE = 300.0
FIRST_FILM = 1_000
HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick took; `meter` counted the same in one process (metered.py)."""

    users: int
    idle: bool
    seconds: float
    kinopub: int
    trakt: int
    meter: Meter

    @property
    def shares(self) -> tuple[float, float, float, float, float]:
        """A user's part of the seconds, calls of Kinopub, of Trakt, of DynamoDB, and write units."""
        amounts = (self.seconds, self.kinopub, self.trakt, self.meter.dynamo_calls, self.meter.bill().writes)
        seconds, kinopub, trakt, dynamo, writes = (amount / self.users for amount in amounts)
        return seconds, kinopub, trakt, dynamo, writes


def bench(options: Options) -> None:
    slugs = [f"user-{number}" for number in range(max(options.users))]
    found: list[Tick] = []
    with deployed(options.out, shelf(slugs, len(options.users)), slugs) as local:
        with ThreadPoolExecutor(4) as threads:
            people = list(threads.map(local.person, slugs))
        ticks(local, people, 0)  # every process of the local cloud starts here, and not in what is measured
        for evening, users in enumerate(options.users, start=1):
            found += ticks(local, people[:users], evening)
    table = Table(title="A user's share of one tick", title_justify="left", title_style="bold")
    for head in ("users", "watched", "s in all", "s", "Kinopub calls", "Trakt calls", "DynamoDB calls", "write units"):
        table.add_column(head, justify="right")
    for each in found:
        shares = [number(share) for share in each.shares]
        table.add_row(str(each.users), "nothing" if each.idle else "two films", number(each.seconds), *shares)
    options.out.print(table)
    show(options.out, "Whether a user costs the same, however many there are", growth(found))


def shelf(slugs: Sequence[str], evenings: int, now: float | None = None) -> Library:
    """Films for every evening, and one to get warm; nobody has watched any."""
    library = Library(now)
    for n in range(2 * evenings + 2):
        film(library, f"Film {n}", 2000 + n, f"tt{7_000_000 + n}", item=FIRST_FILM + n)
    for slug in slugs:
        library.viewer(slug)
    return library


def watch(library: Library, slugs: Sequence[str], evening: int) -> None:
    """Evenings are hours apart and all in the past: Kinopub's rows come a little after what was watched."""
    for slug in slugs:
        for n in (2 * evening, 2 * evening + 1):
            library.watch(slug, FIRST_FILM + n, at=library.now - DAY + n * HOUR)


def ticks(local: Local, people: Sequence[Person], evening: int) -> list[Tick]:
    """One with two films each, one with nothing."""
    slugs = [person.slug for person in people]
    meters = counted(slugs)
    watch(local.upstreams.library, slugs, evening)
    enable(people, enabled=True)
    found = []
    for idle, meter in zip((False, True), meters, strict=True):
        local.upstreams.trakt.forget()
        local.upstreams.kinopub.forget()
        before = ended(local)
        began = time.monotonic()
        local.invoke("SyncScheduler")
        while ended(local) < before + len(people):
            if time.monotonic() > began + PATIENCE:
                raise RuntimeError(f"the runs of {len(people)} users do not end")
            time.sleep(LOOK_EVERY)
        seconds = time.monotonic() - began
        if short := [slug for slug in slugs if local.plays(slug) != local.wanted(slug)]:
            raise RuntimeError(f"Trakt does not have what {', '.join(short)} watched")
        kinopub, trakt = len(local.upstreams.kinopub.requests()), len(local.upstreams.trakt.requests())
        found.append(Tick(len(people), idle, seconds, kinopub, trakt, meter))
    enable(people, enabled=False)
    return found


def counted(slugs: Sequence[str]) -> list[Meter]:
    """The same two ticks in one process, a little apart, after one in which everybody began."""
    world = Metered(shelf(slugs, 1), slugs)
    meters = []
    for evening in (0, 1, None):
        if evening is not None:
            watch(world.upstreams.library, slugs, evening)
        meters.append(world.tick())
        world.now += 60
    return meters[1:]


def enable(people: Sequence[Person], *, enabled: bool) -> None:
    for person in people:
        person.call("PUT", "sync/settings", json={"enabled": enabled})


def ended(local: Local) -> int:
    """How many runs have ended; none may fail."""
    pages = local.stack.aws("dynamodb").get_paginator("scan").paginate(TableName=local.stack.tables["Runs"])
    statuses = [item["status"]["S"] for page in pages for item in page["Items"]]
    if failed := [status for status in statuses if status in ENDED - {"succeeded"}]:
        raise RuntimeError(f"{len(failed)} runs did not succeed")
    return sum(status in ENDED for status in statuses)


def growth(found: Sequence[Tick]) -> list[Figure]:
    figures = []
    for idle in (False, True):
        alike = [each for each in found if each.idle is idle]
        fewest, most = alike[0], alike[-1]
        note = f"of {most.users} users : of {fewest.users} users, {'nothing' if idle else 'two films'} watched"
        names = ("seconds", "Kinopub calls", "Trakt calls", "DynamoDB calls", "write units")
        for name, now, then in zip(names, most.shares, fewest.shares, strict=True):
            if then:
                figures.append(Figure.at_most(name, now / then, GROWTH, note=note))
    return figures
