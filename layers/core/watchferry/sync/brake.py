"""The brake: nothing surprising happens to anybody's Trakt history. Pure: no I/O."""

from collections.abc import Iterable

from watchferry.storage.account import SyncSettings
from watchferry.storage.runs import Run

RUNS_COMPARED = 10
USUAL_TIMES = 3
NEVER_BELOW = 200
"""Plays that are no surprise, whatever was sent before."""


def too_many(run: Run, planned: int, settings: SyncSettings, earlier: Iterable[Run]) -> str | None:
    """Why a run that would send so many has to wait for a confirmation; None when it need not.

    `confirm_above`: null counts for scheduled runs only, a number for those that a person started too (http-api.md,
    Sync). `earlier`: runs before this one, newest first; asked for only when they matter.
    """
    if settings.confirm_above is not None:
        limit, why = settings.confirm_above, "the limit that you have set"
    elif run.trigger == "manual" or planned <= NEVER_BELOW:
        return None
    else:
        sent = [each.counts["sent"] for each in earlier if each.mode != "undo" and each.run_id != run.run_id]
        limit = max(NEVER_BELOW, USUAL_TIMES * max(sent[:RUNS_COMPARED], default=0))
        why = f"{USUAL_TIMES} times the largest of the last {RUNS_COMPARED} runs, and {NEVER_BELOW} at least"
    if planned <= limit:
        return None
    return f"it would send {planned} plays to Trakt, more than {limit} ({why}): look at them, then confirm or cancel it"
