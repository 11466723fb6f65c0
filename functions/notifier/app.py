"""The queue `notices`: to users' webhooks and the operator's topic. The only function that calls addresses of users."""

from collections.abc import Mapping
from typing import Any

from watchferry.errors import RetryLater
from watchferry.observability import set_up_logging
from watchferry.sync.records import work_off
from watchferry.wiring import Wiring

set_up_logging()
wiring = Wiring()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    notifier, notices = wiring.notifier, wiring.notices  # before the threads: they are made once

    def tell(body: str, _worker: str) -> str:
        from watchferry.notify.notices import Notice

        return notifier.deliver(Notice.of(body))

    def put_off(record: Mapping[str, Any], trouble: RetryLater) -> None:
        deliveries = int(record["attributes"]["ApproximateReceiveCount"])
        notices.put_off(record["receiptHandle"], notifier.pause_after(deliveries, trouble))

    return work_off(event, tell, notices.bury, side_by_side=10, put_off=put_off)
