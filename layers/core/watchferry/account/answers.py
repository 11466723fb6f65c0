"""The answer of `GET /account/export`: each part is what one function of belongings.py makes.

Nobody needs this at run time but who describes it: openapi/answers.py.
"""

from typing import Annotated, Any, Literal, TypedDict

from watchferry.auth.answers import ApiToken, Connection
from watchferry.storage.account import PausedReason
from watchferry.storage.ledger import LedgerOutcome
from watchferry.sync.answers import Event, KinopubIds, Run, SyncSettings


class ExportedAccount(TypedDict):
    id: str
    slug: str
    name: str
    avatar: str | None
    vip: bool
    limits: dict[str, Any]


class ExportedCursor(TypedDict):
    last_seen: str
    rows: list[str]


class ExportedState(TypedDict):
    last_success_at: str | None
    paused_reason: PausedReason | None
    active_run_id: str | None
    awaiting_run_id: str | None
    cursor: ExportedCursor | None


class WhoTheyAre(TypedDict):
    account: ExportedAccount
    settings: SyncSettings
    state: ExportedState


class Connections(TypedDict):
    trakt: Connection
    kinopub: Connection


class TheirConnections(TypedDict):
    connections: Connections


class ExportedSession(TypedDict):
    created_at: str
    last_seen_at: str


class TheirSessions(TypedDict):
    sessions: list[ExportedSession]


class ExportedToken(ApiToken):
    kind: Literal["api", "facade"]


class TheirTokens(TypedDict):
    api_tokens: list[ExportedToken]


class Nothing(TypedDict):
    pass


class ExportedProwlarr(TypedDict):
    base_url: str


class TheirProwlarr(TypedDict):
    prowlarr: ExportedProwlarr | None


class ExportedRun(Run):
    events: list[Event]


class TheirRuns(TypedDict):
    runs: list[ExportedRun]


class ExportedEntry(TypedDict):
    kinopub: KinopubIds
    watched_at: str
    timestamp_missing: bool
    outcome: LedgerOutcome
    trakt_ids: dict[str, int | str]
    run_id: str


class TheirLedger(TypedDict):
    ledger: list[ExportedEntry]


class TheirRechecks(TypedDict):
    rechecks: list[dict[str, Any]]
    """`due_at`, and the title as it is kept."""


class TheirUnmatched(TypedDict):
    unmatched: list[dict[str, Any]]


class TheirOverrides(TypedDict):
    overrides: list[dict[str, Any]]


class TheirBudgets(TypedDict):
    budgets: dict[str, dict[str, Any]]


class ExportedAnswer(TypedDict):
    at: str
    answer: str


class TheirAnswers(TypedDict):
    cached_answers: list[ExportedAnswer]


class Export(
    WhoTheyAre,
    TheirConnections,
    TheirSessions,
    TheirTokens,
    TheirProwlarr,
    TheirRuns,
    TheirLedger,
    TheirRechecks,
    TheirUnmatched,
    TheirOverrides,
    TheirBudgets,
    TheirAnswers,
):
    exported_at: str


type Download = Annotated[bytes, Export]
"""JSON of it."""
