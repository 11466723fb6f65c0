"""A tick: every user who is due gets one job, spread over the hour, ten to a call (architecture.md, last section).

So does everybody whose Kinopub account has to be looked after, which is once a week. A tick that has more to do than it
has time for is cut off: the next one begins elsewhere, so that nobody is always behind the cut.

While an upstream refuses this deployment's application, nobody is enqueued: there is one look whether that is over.
"""

import hashlib
from collections.abc import Mapping
from itertools import batched

from watchferry.storage.accounts import SHARDS, Accounts
from watchferry.storage.keep_alive import KeepAlive
from watchferry.storage.refusals import Refusals
from watchferry.storage.runs import new_run_id
from watchferry.sync.queues import KeepAliveJob, LookJob, PlanJob, Queues


def tick(
    accounts: Accounts, refusals: Refusals, due: KeepAlive, queues: Queues, *, at: float, spread: int
) -> Mapping[str, int]:
    """Returns how many were enqueued, and for what."""
    turn = accounts.tick()
    refused_by = [refusal.provider for refusal in refusals.all()]
    looks = [provider for provider in refused_by if refusals.claim_look(provider)]
    for provider in looks:
        queues.look(LookJob(provider))
    parts = {
        "enqueued": lambda: enqueue_due(accounts, queues, at=at, spread=spread, first=turn),
        "kept_alive": lambda: enqueue_keep_alive(due, queues, spread=spread, first=turn),
    }
    # A sync needs both upstreams. Kinopub's sign-ins die without use, also while Trakt refuses the application.
    resting = {"enqueued"} if refused_by else set[str]()
    resting |= {"kept_alive"} if "kinopub" in refused_by else set()
    # After every round through the shards the other part comes first.
    order = list(parts) if turn // SHARDS % 2 == 0 else list(parts)[::-1]
    return {part: 0 if part in resting else parts[part]() for part in order} | {"looks": len(looks)}


def enqueue_due(accounts: Accounts, queues: Queues, *, at: float, spread: int, first: int = 0) -> int:
    """Returns how many users were enqueued. A user's place in the hour is always the same.

    `first`: the shard to begin with.
    """
    enqueued = 0
    for users in batched(accounts.due(first), 10, strict=False):
        queues.plan([(scheduled_job(user_id, at), _place(user_id) % spread if spread else 0) for user_id in users])
        enqueued += len(users)
    return enqueued


def enqueue_keep_alive(due: KeepAlive, queues: Queues, *, spread: int, first: int = 0) -> int:
    """Returns how many were enqueued. Who is enqueued again before the job was done is looked after once."""
    enqueued = 0
    for users in batched(due.due(first), 10, strict=False):
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
