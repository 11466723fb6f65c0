"""A tick: every user who is due gets one job, spread over the hour, ten to a call (architecture.md, last section).

So does everybody whose Kinopub account has to be looked after, which is once a week.
"""

import hashlib
from itertools import batched

from watchferry.storage.accounts import Accounts
from watchferry.storage.keep_alive import KeepAlive
from watchferry.storage.runs import new_run_id
from watchferry.sync.queues import KeepAliveJob, PlanJob, Queues


def enqueue_due(accounts: Accounts, queues: Queues, *, at: float, spread: int) -> int:
    """Returns how many users were enqueued. A user's place in the hour is always the same."""
    accounts.tick()
    enqueued = 0
    for users in batched(accounts.due(), 10, strict=False):
        queues.plan([(scheduled_job(user_id, at), _place(user_id) % spread if spread else 0) for user_id in users])
        enqueued += len(users)
    return enqueued


def enqueue_keep_alive(due: KeepAlive, queues: Queues, *, spread: int) -> int:
    """Returns how many were enqueued. Who is enqueued again before the job was done is looked after once."""
    enqueued = 0
    for users in batched(due.due(), 10, strict=False):
        queues.keep_alive([(KeepAliveJob(user_id), _place(user_id) % spread if spread else 0) for user_id in users])
        enqueued += len(users)
    return enqueued


def scheduled_job(user_id: str, tick: float) -> PlanJob:
    """The same tick makes the same run, however often its message comes."""
    return PlanJob(user_id, new_run_id(tick, _hash(user_id)[:24]), "schedule")


def _place(user_id: str) -> int:
    return int(_hash(user_id)[:8], 16)


def _hash(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()
