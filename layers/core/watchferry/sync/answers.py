"""The answers of "Sync" in http-api.md, as its handlers make them; openapi.py describes them from here."""

from typing import Annotated, NotRequired, TypedDict

from watchferry.models import Kind, Outcome, Reason
from watchferry.storage.account import PausedReason, Provider, Rewatch
from watchferry.storage.runs import Mode, RunStatus, Trigger

type Csv = Annotated[str, "text/csv"]


class RunStarted(TypedDict):
    run_id: str


class Progress(TypedDict):
    done: int
    total: int


class Counts(TypedDict):
    history: int
    completed: int
    planned: int
    sent: int
    removed: int
    """Of an undo: plays that it removed. Of a run: plays of it that undos removed."""
    already_removed: int
    """Plays that were not there any more when an undo came for them."""
    skipped: dict[Reason, int]
    """Reasons that occurred."""


class UpstreamCalls(TypedDict):
    trakt: int
    kinopub: int


class RunError(TypedDict):
    code: str
    detail: str
    service: NotRequired[str]
    """`trakt` or `kinopub`, where it is one of them alone."""


class Run(TypedDict):
    id: str
    mode: Mode
    trigger: Trigger
    status: RunStatus
    phase_progress: Progress
    counts: Counts
    upstream_calls: UpstreamCalls
    started_at: str
    finished_at: str | None
    error: RunError | None


class RunPage(TypedDict):
    items: list[Run]
    next_cursor: str | None


class KinopubIds(TypedDict):
    item: int
    media: int


class Event(TypedDict):
    type: Kind
    title: str
    show: NotRequired[str]
    season: NotRequired[int]
    number: NotRequired[int]
    year: NotRequired[int]
    watched_at: str | None
    kinopub: KinopubIds
    trakt_ids: dict[str, int | str]
    outcome: Outcome
    reason: Reason | None


class EventPage(TypedDict):
    items: list[Event]
    next_cursor: str | None


class AppRefused(TypedDict):
    """An upstream refuses this deployment's application. The owner has been told; the sync goes on by itself later."""

    service: Provider
    since: str


class SyncState(TypedDict):
    last_success_at: str | None
    next_run_at: str | None
    trakt_user_hash: str
    active_run_id: str | None
    paused_reason: PausedReason | None
    app_refused: AppRefused | None


class SyncSettings(TypedDict):
    enabled: bool
    rewatch: Rewatch
    window_minutes: int
    batch_size: int | None
    confirm_above: int | None
    webhook_url: str | None
    """Masked."""


class Candidate(TypedDict):
    trakt_id: int
    type: str
    title: str | None
    year: int | None
    ids: dict[str, int | str]


class Unmatched(TypedDict):
    key: str
    title: str
    year: int | None
    type: Kind
    season: NotRequired[int]
    episode: NotRequired[int]
    reason: Reason
    seen: int
    candidates: list[Candidate]


class Override(TypedDict):
    """What its user has said of a title, a season or an episode: another one at Trakt, or none."""

    key: str
    title: str
    year: int | None
    type: Kind
    ignore: bool
    trakt_id: int | None
    trakt_title: str | None
    trakt_year: int | None
    season_offset: int
    episode_offset: int
    at: str


class OverridePage(TypedDict):
    items: list[Override]
    next_cursor: str | None


class UnmatchedPage(TypedDict):
    items: list[Unmatched]
    next_cursor: str | None
