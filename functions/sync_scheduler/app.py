"""A tick of the schedule: whatever the event says, every user who is due is enqueued (http-api.md, Fine print)."""

import logging
from typing import Any

from watchferry.observability import set_up_logging
from watchferry.sync.schedule import tick
from watchferry.wiring import Wiring

set_up_logging()
log = logging.getLogger("watchferry.sync_scheduler")
wiring = Wiring()


def handler(_event: Any, _context: Any) -> dict[str, int]:
    spread = wiring.settings.sync_spread_seconds
    accounts, refusals, due = wiring.accounts, wiring.refusals, wiring.keep_alive
    done = dict(tick(accounts, refusals, due, wiring.queues, at=wiring.clock(), spread=spread))
    log.info("tick", extra=done)
    return done
