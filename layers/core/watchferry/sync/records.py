"""An SQS delivery, record by record: what one of them does to itself holds up none of the others."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from watchferry.errors import MalformedMessage, RetryLater

log = logging.getLogger(__name__)


def work_off(
    event: Mapping[str, Any],
    work: Callable[[str, str], str],
    bury: Callable[[str], None],
    *,
    side_by_side: int,
    put_off: Callable[[Mapping[str, Any], RetryLater], None] | None = None,
) -> dict[str, list[dict[str, str]]]:
    """Calls `work(body, worker)` for every record; answers with the failures (partial batch response).

    A failed record comes again after the visibility timeout, and after five deliveries goes to the dead-letter queue.
    What cannot be read is buried there at once. `put_off` may set when a record comes again whose `work` raised
    RetryLater.
    """

    def comes_again(record: Mapping[str, Any], told: dict[str, Any], trouble: Exception) -> str:
        if put_off is None or not isinstance(trouble, RetryLater):
            log.exception("a job failed and comes again", extra=told)
        else:
            log.warning("a job comes again", extra=told | {"code": trouble.code, "detail": trouble.detail})
            try:
                put_off(record, trouble)
            except Exception:
                log.exception("a job could not be put off: it comes when its visibility timeout is over", extra=told)
        return str(record["messageId"])

    def one(record: Mapping[str, Any]) -> str | None:
        started = time.monotonic()
        message_id = record["messageId"]
        told = {"message_id": message_id}
        body = record.get("body") or "-"
        try:
            try:
                told["result"] = work(body, f"{message_id}-{secrets.token_hex(4)}")
            except MalformedMessage as problem:
                bury(body)
                log.warning("malformed message", extra=told | {"problem": str(problem)})
                return None
        except Exception as trouble:
            return comes_again(record, told, trouble)
        log.info("job done", extra=told | {"ms": round((time.monotonic() - started) * 1000)})
        return None

    records = event.get("Records", [])
    if side_by_side > 1 and len(records) > 1:
        with ThreadPoolExecutor(min(side_by_side, len(records))) as pool:
            failed = list(pool.map(one, records))
    else:
        failed = [one(record) for record in records]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed if message_id]}
