"""Where a function can die, a row each. The state machine (tests/unit/sync) does the same around every call, in memory.

A dead planner's message comes again and takes its run over; a dead sender's finds the batch `SENDING` and waits until
its owner's time is over, then reads back what Trakt has.
"""

from collections.abc import Sequence
from typing import Literal

from tests.stack.person import Person
from tests.stack.strikes import Strike
from tests.stack.trouble import Row

CALLS_OF_BOTOCORE = 7
"""A call and its repetitions, before the product code hears of it."""


def sender(name: str, site: str, when: Literal["before", "after"], way: Literal["sync", "undo"] = "sync") -> Row:
    return Row(name, strikes=[Strike("HistorySender", site, when)], way=way, batch_size=3 if way == "sync" else 50)


def planner(
    name: str, site: str, when: Literal["before", "after"], way: Literal["sync", "confirm", "undo"] = "sync"
) -> Row:
    return Row(name, strikes=[Strike("SyncPlanner", site, when)], way=way)


SENDERS: Sequence[Row] = [
    sender("crash before the claim", r"Plans\.claim", "before"),
    sender("crash at the claim", r"Plans\.claim", "after"),
    sender("crash before the POST: intended", r"Ledger\.intend", "after"),
    sender("crash before the POST: about to", r"Plans\.posting", "after"),
    sender("crash before the POST: at the very call", r"Trakt\.add_history", "before"),
    sender("crash with the POST applied and its answer lost", r"Trakt\.add_history", "after"),
    sender("crash after the POST, before the ledger", r"settle › Ledger\.record", "before"),
    sender("crash after the POST, before SENT", r"settle › Ledger\.record", "after"),
    sender("crash after SENT", r"Sending\.settle$", "after"),
    Row(
        "crash after the last SENT, before the cursor",
        strikes=[Strike("HistorySender", r"commit_if_complete › end$", "before")],
        batch_size=3,
    ),
    sender("crash after the cursor, before the ack", r"commit_if_complete › end$", "after"),
    Row(
        "two crashes: POST applied, then the read-back",
        strikes=[
            Strike("HistorySender", r"Trakt\.add_history", "after"),
            Strike("HistorySender", r"read_back › .*Trakt\.history", "after"),
        ],
    ),
    sender("crash before an undo's batch", r"Trakt\.remove_history", "before", "undo"),
    sender("crash with an undo's batch applied and its answer lost", r"Trakt\.remove_history", "after", "undo"),
    sender("crash after an undo's batch, before the ledger", r"Removing\.settle › Ledger\.record", "before", "undo"),
    sender("crash after an undo's ledger", r"Removing\.settle › Ledger\.record", "after", "undo"),
    sender("crash after an undo's batch is settled", r"Removing\.settle$", "after", "undo"),
]

PLANNERS: Sequence[Row] = [
    planner("crash when a run is taken up", r"Runs\.take_up", "after"),
    planner("crash in the middle of reading", r"Kinopub\.watching", "after"),
    planner("crash with half of a plan", r"hand_over › Plans\.write", "after"),
    planner("crash before the plan holds", r"hand_over$", "before"),
    planner("crash after the plan holds, before its batches are queued", r"hand_over$", "after"),
    planner("crash after the batches are queued, before the ack", r"send_all", "after"),
    planner("crash in a recheck's reading", r"Rechecking\.go › compared_plays", "after", "confirm"),
    planner("crash when a recheck takes effect", r"Rechecking\.go › Aftermath", "after", "confirm"),
    planner("crash before a recheck holds", r"Runs\.rechecked", "before", "confirm"),
    planner("crash after a recheck holds", r"Runs\.rechecked", "after", "confirm"),
    planner("crash in an undo's reading", r"PlanningUndo\.plays_at_trakt", "after", "undo"),
    planner("crash with an undo's plan written", r"hand_over_undo › Plans\.write_undo", "after", "undo"),
    planner("crash after an undo's plan holds", r"hand_over_undo$", "after", "undo"),
]


def expire(person: Person) -> None:
    person.at.upstreams.trakt.expire_tokens(person.slug)


TOKENS: Sequence[Row] = [
    Row(
        "rotated token received, and the write fails for a while",
        before=expire,
        strikes=[Strike("SyncPlanner", r"Tokens\.rotate", do="throttle", times=3 * CALLS_OF_BOTOCORE)],
        refreshes=(1, 0),
    ),
    Row(
        "rotated token received, and the process dies before the write",
        before=expire,
        strikes=[Strike("SyncPlanner", r"Tokens\.rotate", do="exit")],
        heal=lambda person: person.sign_in(),
        status="failed",
        code="reauth_required",
        paused="reauth_required",
        trakt_status="reauth_required",
        refreshes=(1, 0),
    ),
    Row(
        "rotated token written, and the process dies before its use",
        before=expire,
        strikes=[Strike("SyncPlanner", r"Tokens\.rotate", "after", do="exit")],
        refreshes=(1, 0),
    ),
]

CRASHES = [*SENDERS, *PLANNERS, *TOKENS]
