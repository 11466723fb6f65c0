"""A newcomer's first run on the deployed local stack: how long a person waits for 60 films and 900 episodes."""

import time

from tests.bench.figures import Figure, show
from tests.bench.lambdas import worked
from tests.bench.large import outcome, told
from tests.bench.local import deployed
from tests.bench.options import Options
from tests.bench.timeline import Timeline
from tests.upstreams.household import household

USER = "harry"
SECONDS = 8.0
PATIENCE = 120.0


def bench(options: Options) -> None:
    """From the click to the end; the functions' processes begin with it."""
    with deployed(options.out, household([USER]), [USER]) as local:
        person = local.person(USER)
        for app in (local.upstreams.trakt, local.upstreams.kinopub):
            app.forget()
            app.switches.latency = options.latency
        wanted = local.wanted(USER)
        began = time.time()
        run = person.follow(person.start(), patience=PATIENCE)
        ended = time.time()
        figures = outcome(local, run, wanted)
        timeline = Timeline.of(local.upstreams, began, ended)
        functions = {name: worked(local.stack, name, began) for name in ("SyncPlanner", "HistorySender")}
    slow = f", {options.latency:g} s for every answer" if options.latency else ""
    show(
        options.out,
        f"First run of {wanted.total()} views{slow}",
        [*figures, Figure.at_most("from the click to the end", ended - began, SECONDS, "s")],
    )
    show(options.out, "Where the time went", timeline.figures())
    show(options.out, "What the functions say", told(functions))
