"""Which upstreams refuse this deployment's application: rows of the table Accounts that are no user, like the tick's.

One row for each upstream that does, as long as it does. It is of the deployment: what one user's worker has found out
holds for all, and the owner is told once.
"""

from contextlib import suppress
from dataclasses import dataclass

from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Item, Table
from watchferry.storage.account import Provider
from watchferry.storage.accounts import TELL_WITHIN

PROVIDERS: tuple[Provider, ...] = ("trakt", "kinopub")

LOOK_EVERY = 45 * 60
"""Seconds between two looks whether it is over. Less than an hour, since a tick looks, which comes every hour, and a
refusal is found some minutes after one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    provider: Provider
    since: int
    """Unix seconds."""
    path: str | None
    """What was refused, below the API's address; None: the application's id or secret, at the token endpoint."""


@dataclass(slots=True)
class Refusals:
    table: Table
    """Accounts."""
    clock: Clock

    def get(self, provider: Provider) -> Refusal | None:
        item = self.table.get(_key(provider))
        return Refusal(provider, item["since"], item.get("path")) if item else None

    def all(self) -> list[Refusal]:
        return [refusal for refusal in map(self.get, PROVIDERS) if refusal]

    def note(self, provider: Provider, path: str | None) -> bool:
        """Whether the caller is the one to tell the owner: the first who notes it, or the next should that one die."""
        now = int(self.clock())
        telling = {"telling_until": now + TELL_WITHIN}
        first = {"since": now, "look_at": now + LOOK_EVERY, "path": path, **telling}
        with suppress(ConditionFailed):
            self.table.update(_key(provider), set_=first, when=Attr("since").not_exists())
            return True
        with suppress(ConditionFailed):
            self.table.update(_key(provider), set_=telling, when=Attr("telling_until").lt(now))
            return True
        return False

    def told(self, provider: Provider) -> None:
        """The owner knows."""
        with suppress(ConditionFailed):  # it is over already
            self.table.update(_key(provider), remove=["telling_until"], when=Attr("since").exists())

    def claim_look(self, provider: Provider) -> bool:
        """The right to look now, for nobody else within LOOK_EVERY seconds. False: not yet, or nothing is refused."""
        now = int(self.clock())
        try:
            self.table.update(_key(provider), set_={"look_at": now + LOOK_EVERY}, when=Attr("look_at").lte(now))
        except ConditionFailed:
            return False
        return True

    def end(self, refusal: Refusal) -> None:
        """The upstream accepts the application again. A refusal that began anew meanwhile stays."""
        with suppress(ConditionFailed):
            self.table.delete(_key(refusal.provider), Attr("since").eq(refusal.since))


def _key(provider: Provider) -> Item:
    return {"user_id": f"#refused-by-{provider}"}
