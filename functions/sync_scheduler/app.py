"""A tick of the schedule: whatever the event says, every user who is due is enqueued (http-api.md, Fine print)."""

import logging
from typing import Any

from watchferry.observability import set_up_logging
from watchferry.sync.schedule import enqueue_due, enqueue_keep_alive
from watchferry.wiring import Wiring

set_up_logging()
log = logging.getLogger("watchferry.sync_scheduler")
wiring = Wiring()


def handler(_event: Any, _context: Any) -> dict[str, int]:
    enqueued = enqueue_due(
        wiring.accounts, wiring.queues, at=wiring.clock(), spread=wiring.settings.sync_spread_seconds
    )
    looked_after = enqueue_keep_alive(wiring.keep_alive, wiring.queues, spread=wiring.settings.sync_spread_seconds)
    log.info("tick", extra={"enqueued": enqueued, "kept_alive": looked_after})
    return {"enqueued": enqueued, "kept_alive": looked_after}
