"""How cost grows with users: so many of them, each with a small history of their own, in one tick of the schedule.

First all have something to be sent, then nobody has. What a user costs must not depend on how many others there are.
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

GROWTH = 1.2
"""What a user may cost among the most, times what one costs among the fewest."""
PATIENCE = 300.0


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
    crowds = [[f"user-{place}-{number}" for number in range(users)] for place, users in enumerate((1, *options.users))]
    found = []
    with deployed(options.out, "tiny", [slug for crowd in crowds for slug in crowd]) as local:
        for crowd in crowds:
            found += ticks(local, crowd)
    found = found[2:]  # the one user's, who waited for every process to start
    table = Table(title="A user's share of one tick", title_justify="left", title_style="bold")
    for head in ("users", "run", "s in all", "s", "Kinopub calls", "Trakt calls", "DynamoDB calls", "write units"):
        table.add_column(head, justify="right")
    for each in found:
        shares = [number(share) for share in each.shares]
        table.add_row(str(each.users), "idle" if each.idle else "first", number(each.seconds), *shares)
    options.out.print(table)
    show(options.out, "Whether a user costs the same, however many there are", growth(found))


def ticks(local: Local, crowd: Sequence[str]) -> list[Tick]:
    """Two: one with everything to do, one with nothing."""
    world = Metered("tiny", crowd)
    with ThreadPoolExecutor(4) as threads:
        people = list(threads.map(local.person, crowd))
    enable(people, enabled=True)
    found = []
    for idle in (False, True):
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
        kinopub, trakt = len(local.upstreams.kinopub.requests()), len(local.upstreams.trakt.requests())
        found.append(Tick(len(people), idle, seconds, kinopub, trakt, world.tick()))
        world.now += 60
    enable(people, enabled=False)
    return found


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
        note = f"of {most.users} users : of {fewest.users} users, {'idle' if idle else 'first'} run"
        names = ("seconds", "Kinopub calls", "Trakt calls", "DynamoDB calls", "write units")
        for name, now, then in zip(names, most.shares, fewest.shares, strict=True):
            if then:
                figures.append(Figure.at_most(name, now / then, GROWTH, note=note))
    return figures
