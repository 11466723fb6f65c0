"""A first run of a long history on the deployed local stack, with Trakt's limits on: time, memory, correctness, cost.

The time is held against what the limits alone force. Units of DynamoDB, keys and queues are counted apart, on the same
history in one process (metered.py): the local cloud does not say who asked it what.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from tests.bench import cost
from tests.bench.figures import Figure, show
from tests.bench.lambdas import Worked, peak_memory, worked
from tests.bench.local import Local, Person, deployed
from tests.bench.metered import Metered
from tests.bench.options import Options
from tests.bench.timeline import Timeline

USER = "harry"
BATCH = 50
"""Views in one POST: a large history has many POSTs then."""
SLOWER = 1.15
"""Than what the limits force: all of it, the reading of two thousand titles at Kinopub too."""
PACE = 1.15
"""The same of the POSTs alone."""
REFUSED = 0.01
"""The share of POSTs that may be answered 429."""
MEGABYTES = 200


def bench(options: Options) -> None:
    views = options.views
    with deployed(options.out, f"large:{views}", [USER]) as local:
        person = local.person(USER)
        person.call("PUT", "sync/settings", json={"batch_size": BATCH})
        for app in (local.upstreams.trakt, local.upstreams.kinopub):
            app.forget()
            app.switches.latency = options.latency
        wanted = local.wanted(USER)
        began = time.time()
        run = person.follow(person.start(), patience=600 + views / 5)
        ended = time.time()
        figures = outcome(local, run, wanted)
        timeline = Timeline.of(local.upstreams, began, ended)
        functions = {name: worked(local.stack, name, began) for name in ("SyncPlanner", "HistorySender")}
        memory = {name: peak_memory(local.stack, name) for name in functions}
        quiet = idle_run(local, person)
    forced = forced_seconds(views, timeline)
    slow = f" and {options.latency:g} s for every answer" if options.latency else ""
    show(
        options.out,
        f"First run of {views:,} views{slow}",
        [
            *figures,
            Figure.told("seconds that the limits alone force", forced),
            Figure.at_most("seconds / forced", (ended - began) / forced, SLOWER, note=f"{ended - began:.0f} s in all"),
            Figure.at_most("first to last POST / forced", timeline.sending / forced, PACE),
            Figure.at_most("POSTs refused with 429, of all", timeline.share_refused, REFUSED),
            Figure.at_most(
                "planner's memory", max(memory["SyncPlanner"]), MEGABYTES, "MB", note="peak of its worker (/proc)"
            ),
            Figure.told("sender's memory", f"{memory['HistorySender']}", note="MB, each worker"),
        ],
    )
    show(options.out, "Where the time went", timeline.figures())
    show(options.out, "What the functions say", told(functions))
    bill(options, functions, quiet)


def outcome(local: Local, run: Mapping[str, Any], wanted: Counter[Any]) -> list[Figure]:
    found = local.plays(USER)
    return [
        Figure.exactly("status", run["status"], "succeeded", note=str(run["error"] or "")),
        Figure.exactly("sent", run["counts"]["sent"], wanted.total()),
        Figure.exactly("lost", (wanted - found).total(), 0),
        Figure.exactly("too many at Trakt", (found - wanted).total(), 0),
    ]


def forced_seconds(views: int, timeline: Timeline) -> float:
    """A POST a second, and no more than 1000 GETs in five minutes: the first of either waits for nothing."""
    posts = ceil(views / BATCH) - 1
    return max(posts * 1.0, (ceil(timeline.trakt_gets / 1000) - 1) * 300.0)


def idle_run(local: Local, person: Person) -> Mapping[str, Worked]:
    """What a tick and a run with nothing to do take, once all processes are warm."""
    began = time.time()
    local.invoke("SyncScheduler")
    person.follow(person.start(), patience=60)
    time.sleep(1)  # logs come after the answer
    return {name: worked(local.stack, name, began) for name in ("SyncScheduler", "SyncPlanner")}


def told(functions: Mapping[str, Worked]) -> list[Figure]:
    found = []
    for name, took in functions.items():
        results = ", ".join(f"{result}: {count}" for result, count in took.results.most_common())
        found.append(Figure.told(name, f"{took.invocations} times, {took.seconds:.0f} s", note=results))
    return found


def bill(options: Options, functions: Mapping[str, Worked], quiet: Mapping[str, Worked]) -> None:
    """DynamoDB, queues and keys from the counted run, Lambda from the deployed one."""
    world = Metered(f"large:{options.views}", [USER])
    nobody = Metered("tiny", []).tick().bill()
    world.cold_start()
    world.run(USER)
    first = world.dynamo.meter
    world.now += 3600
    hourly = world.tick()
    views = options.views
    show(
        options.out,
        f"DynamoDB of the same first run, counted: {first.dynamo_calls:,} calls",
        [
            Figure.told("calls a view", first.dynamo_calls / views),
            Figure.told("write units a view", sum(first.writes.values()) / views, note=_shares(first.writes, views)),
            Figure.told("read units a view", first.bill().reads / views, note=_shares(first.half_reads, 2 * views)),
            Figure.told("calls of an idle hourly run", hourly.dynamo_calls, note=_calls(hourly.calls)),
            Figure.told("write units of it", sum(hourly.writes.values()), note=_shares(hourly.writes, 1)),
        ],
    )
    planner, sender = functions["SyncPlanner"], functions["HistorySender"]
    cold = cost.COLD_START * cost.GIGABYTES
    per_run = replace(
        hourly.bill().minus(nobody), gigabyte_seconds=quiet["SyncPlanner"].gigabyte_seconds + cold, invocations=1
    )
    per_tick = replace(nobody, gigabyte_seconds=quiet["SyncScheduler"].gigabyte_seconds + cold, invocations=1)
    first_run = replace(
        first.bill(),
        gigabyte_seconds=planner.gigabyte_seconds + sender.gigabyte_seconds,
        invocations=planner.invocations + sender.invocations,
    )
    month = "deployment, a month"
    cost.show(
        options.out,
        "Dollars, approximately (us-east-1, no free tier; cost.py has the prices)",
        {
            "1,000 views": first_run.times(1000 / views),
            "idle user, a month": per_run.times(cost.HOURS_A_MONTH),
            month: per_tick.times(cost.HOURS_A_MONTH),
        },
        {month: cost.standing()},
    )


def _shares(units: Counter[str], by: int) -> str:
    return ", ".join(f"{name} {count / by:.2f}" for name, count in units.most_common() if count / by >= 0.005)


def _calls(calls: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(calls.items()))
