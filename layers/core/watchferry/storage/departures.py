"""How somebody leaves: the last changes of a row of the table Accounts.

A row with `leaving` is no account any more (storage/accounts.py does not find it); what is left of the user elsewhere
is on its way out. Its value tells one departure from another, and from somebody who has come back. The row stays, with
nothing else in it, until the rest is gone: rows elsewhere have only the user's id, so those of an account that is made
meanwhile could not be told from those that go.
"""

from contextlib import suppress
from dataclasses import dataclass

from watchferry.storage import keep_alive
from watchferry.storage._dynamo import Attr, Clock, ConditionFailed, Table

LEAVES_AT_ONCE = ("schedule_shard", "active_run_id", "active_until", "awaiting_run_id")


@dataclass(slots=True)
class Departures:
    table: Table
    """Accounts."""
    clock: Clock

    def begin(self, user_id: str, mark: str) -> bool:
        """From now on nobody gets at the account, no run of it begins, and none goes on. False when there is none."""
        try:
            self.table.update(
                {"user_id": user_id},
                set_={"leaving": mark, "left_at": int(self.clock()), **keep_alive.NO_PLACE},
                add={"revision": 1},  # a change that has been read but not yet written must fail
                remove=LEAVES_AT_ONCE,
                when=Attr("user_id").exists(),
            )
        except ConditionFailed:
            return False
        return True

    def empty(self, user_id: str, mark: str) -> None:
        """Nothing is left in the row but that somebody is leaving."""
        with suppress(ConditionFailed):
            bare = {"user_id": user_id, "leaving": mark, "left_at": int(self.clock()), "revision": 1}
            self.table.put(bare, Attr("leaving").eq(mark))

    def holds(self, user_id: str, mark: str) -> bool:
        """Whether there is no account, or the one that is on its way out with this mark."""
        item = self.table.get({"user_id": user_id})
        return item is None or item.get("leaving") == mark

    def end(self, user_id: str, mark: str) -> None:
        """The row goes. That of somebody who has come back stays."""
        with suppress(ConditionFailed):
            self.table.delete({"user_id": user_id}, Attr("leaving").eq(mark))
