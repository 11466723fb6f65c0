"""A Kinopub account whose sync is paused or off must not be lost meanwhile (reality.md, Kinopub, Refresh).

Its refresh token dies after about 30 days without use. So once a week each account is looked at: a pair that no run has
refreshed in that time is refreshed; if that is refused, the account is paused as `reauth_required`, in time to be seen.
"""

import logging

from watchferry.auth.broker import Broker
from watchferry.errors import ConnectAgain, NotConnected, WatchferryError
from watchferry.storage.keep_alive import EVERY, KeepAlive

AGAIN_IN = 3600
"""Seconds, when an upstream was in trouble: a later tick tries again, without a storm until then."""

log = logging.getLogger(__name__)


def keep_alive(due: KeepAlive, broker: Broker, user_id: str) -> str:
    """Returns a word for the log. Safe to repeat, and by several at once: one of them has the claim."""
    if not due.claim(user_id, again_in=AGAIN_IN):
        return "not due any more"
    try:
        refreshed = broker.credential(user_id, "kinopub").kept_alive(older_than=EVERY)
    except (ConnectAgain, NotConnected):
        said = "has to be connected again"  # the account is paused and says so
    except WatchferryError as trouble:
        log.warning("Kinopub was not kept alive", extra={"user_id": user_id, "detail": str(trouble)})
        return f"put off: {type(trouble).__name__}"
    else:
        said = "refreshed" if refreshed else "was in use"
    due.done(user_id)
    return said
