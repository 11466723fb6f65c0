"""`DELETE /account`: access is gone with the answer, the rows within seconds (http-api.md, Fine print).

    mark the row ─▶ end the run, let a POST under way end ─▶ revoke, delete tokens, sessions, profile ─▶ 204
         │                                                                                               │
         └─ should this be cut short: a sweep, a minute later           a sweep of all the rest, now ◀───┘
                                                                                 │
                                                        and once more, when every worker of then is gone

From the mark on there is no account for anybody: no request passes, no run begins, none may send (sync/sending.py asks
in the transaction that precedes every POST). Whoever signs in anew waits for the first sweep, and gets a new account,
which no later one touches.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from watchferry.account.belongings import BELONGINGS, PROVIDERS, Tables
from watchferry.storage.runs import Run
from watchferry.sync.queues import ForgetJob

if TYPE_CHECKING:
    from watchferry.storage.departures import Departures
    from watchferry.sync.queues import Queues

SAFETY_NET = 60.0
"""Seconds until the sweep that finishes what a request began which was cut short; a request lives 29."""

WORKERS_GONE = 400.0
"""Seconds until nothing is at work that was then: the planner lives 300, a sender 60 (template.yaml)."""

PATIENCE = 8.0
"""Seconds for which a POST under way is waited for; none follows it."""

LOOK_EVERY = 0.2

NEWEST = 20
"""Runs that may have had a worker just now: one that died or was overtaken is hardly older than its successor."""

log = logging.getLogger(__name__)


class Deployment(Tables, Protocol):
    """What this needs of wiring.py."""

    clock: Callable[[], float]
    pause: Callable[[float], None]

    @property
    def departures(self) -> "Departures": ...
    @property
    def queues(self) -> "Queues": ...


def leave(own: Deployment, user_id: str) -> None:
    """Once the row is marked it comes to its end, wherever it is cut short."""
    job = ForgetJob(user_id, secrets.token_hex(8))
    own.queues.forget(job, SAFETY_NET)
    if not own.departures.begin(user_id, job.mark):
        return  # gone already
    stopped = [run for run in own.runs.newest(user_id, limit=NEWEST) if not run.is_finished]
    for run in stopped:
        own.runs.finish(run, "cancelled")
    _let_senders_end(own, stopped)
    for provider in PROVIDERS:
        own.broker.drop_tokens(user_id, provider)
    own.sessions.end_all(user_id)
    own.api_tokens.end_all(user_id)
    own.departures.empty(user_id, job.mark)
    try:
        own.queues.forget(job, 0)
    except Exception:
        log.exception("the rows go a minute later")


def forget(own: Deployment, job: ForgetJob, *, deadline: float) -> str:
    """A sweep; returns a word for the log. Safe to repeat; one that runs out of time is gone on with by message."""
    runs = {*job.runs, *(run.run_id for run in islice(own.runs.of(job.user_id), NEWEST))}
    job = replace(job, runs=sorted(runs)[-2 * NEWEST :])
    for belongings in BELONGINGS:
        if not own.departures.holds(job.user_id, job.mark):
            return "somebody has come back"
        for _ in belongings.forget(own, job.user_id):
            if own.clock() >= deadline:
                own.queues.forget(job, 0)
                return "goes on"
    for run_id in job.runs:
        own.plans.delete(run_id)
    own.departures.end(job.user_id, job.mark)
    if job.sweeps > 1:
        own.queues.forget(replace(job, sweeps=job.sweeps - 1), WORKERS_GONE)
    return "forgotten"


def _let_senders_end(own: Deployment, runs: Sequence[Run]) -> None:
    """So that no POST begins after the answer, and none is cut off."""
    until = own.clock() + PATIENCE
    while any(_is_sending(own, run) for run in runs) and own.clock() < until:
        own.pause(LOOK_EVERY)


def _is_sending(own: Deployment, run: Run) -> bool:
    now = own.clock()
    batches = own.plans.batches(run.run_id, run.plan)
    return any(each.status == "SENDING" and each.owner and each.lease_until > now for each in batches)
