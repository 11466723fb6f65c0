"""The queue `history-batches`: a message is a batch, a batch is one POST. Who sends one goes on with the next."""

from typing import Any

from watchferry.observability import set_up_logging
from watchferry.sync.queues import WAKE, SendJob
from watchferry.sync.records import work_off
from watchferry.wiring import Wiring

set_up_logging()
wiring = Wiring()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    deadline = wiring.clock() + context.get_remaining_time_in_millis() / 1000

    def send(body: str, worker: str) -> str:
        from watchferry.sync.sender import send_batches

        shop = wiring.workshop
        return "awake" if body == WAKE else send_batches(shop, SendJob.of(body), worker=worker, deadline=deadline)

    return work_off(event, send, wiring.queues.bury_send, side_by_side=1)
