"""What is kept about a user, table by table: for who wants to see it (export.py), and for who leaves (leave.py).

Every table of template.yaml stands here, or in NOBODYS with the reason: a test goes through them.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any, Protocol

from watchferry.account import answers
from watchferry.auth.views import api_token_view, connection_view
from watchferry.models import iso
from watchferry.storage.account import Account, Provider
from watchferry.storage.budgets import KINOPUB, RATES
from watchferry.storage.ledger import Entry
from watchferry.storage.runs import Run
from watchferry.sync.answers import Event
from watchferry.sync.views import event_view, run_view, settings_view

if TYPE_CHECKING:
    from watchferry.auth.broker import Broker
    from watchferry.storage.answers import Answers
    from watchferry.storage.api_tokens import ApiTokens
    from watchferry.storage.budgets import Budgets
    from watchferry.storage.ledger import Ledger
    from watchferry.storage.overrides import Overrides
    from watchferry.storage.plans import Plans
    from watchferry.storage.prowlarr import Prowlarrs
    from watchferry.storage.rechecks import Rechecks
    from watchferry.storage.runs import Runs
    from watchferry.storage.sessions import Sessions
    from watchferry.storage.tokens import Tokens
    from watchferry.storage.unmatched import UnmatchedTitles
    from watchferry.storage.webhooks import Webhooks

RUNS_AT_ONCE = 50
THREADS = 8
"""Most runs have no page; to ask for those of a year one after another would take a minute."""

PROVIDERS: Sequence[Provider] = ("trakt", "kinopub")


class Tables(Protocol):
    """What is needed of wiring.py."""

    @property
    def sessions(self) -> "Sessions": ...
    @property
    def api_tokens(self) -> "ApiTokens": ...
    @property
    def tokens(self) -> "Tokens": ...
    @property
    def webhooks(self) -> "Webhooks": ...
    @property
    def prowlarrs(self) -> "Prowlarrs": ...
    @property
    def broker(self) -> "Broker": ...
    @property
    def runs(self) -> "Runs": ...
    @property
    def plans(self) -> "Plans": ...
    @property
    def ledger(self) -> "Ledger": ...
    @property
    def rechecks(self) -> "Rechecks": ...
    @property
    def unmatched(self) -> "UnmatchedTitles": ...
    @property
    def overrides(self) -> "Overrides": ...
    @property
    def budgets(self) -> "Budgets": ...
    @property
    def answers(self) -> "Answers": ...


type Steps = Iterator[None]
"""Work that may stop after every step, and begin anew."""


@dataclass(frozen=True, slots=True)
class Belongings:
    tables: tuple[str, ...]
    """Logical ids of template.yaml."""
    export: Callable[[Tables, Account], Mapping[str, Any]]
    """Members of the export: no secret, no hash of one, nothing sealed."""
    forget: Callable[[Tables, str], Steps]
    """Deletes all of a user's rows."""


# ---------------------------------------------------------------- who they are


def _account(_: Tables, account: Account) -> answers.WhoTheyAre:
    cursor = account.cursor
    return {
        "account": {
            "id": account.user_id,
            "slug": account.slug,
            "name": account.name,
            "avatar": account.avatar,
            "vip": account.vip,
            "limits": account.limits,
        },
        "settings": settings_view(account.settings),  # a webhook's address is masked in them
        "state": {
            "last_success_at": iso(account.last_success_at) if account.last_success_at else None,
            "paused_reason": account.paused_reason,
            "active_run_id": account.active_run_id,
            "awaiting_run_id": account.awaiting_run_id,
            "cursor": {"last_seen": iso(cursor.last_seen), "rows": sorted(cursor.rows)} if cursor else None,
        },
    }


def _leave_account(_: Tables, __: str) -> Steps:
    """The account's own row goes last, by itself (leave.py)."""
    yield from ()


def _connections(tables: Tables, account: Account) -> answers.TheirConnections:
    trakt, kinopub = (tables.tokens.get(account.user_id, provider) for provider in PROVIDERS)
    return {"connections": {"trakt": connection_view(account, trakt), "kinopub": connection_view(account, kinopub)}}


def _drop_tokens(tables: Tables, user_id: str) -> Steps:
    for provider in PROVIDERS:
        tables.broker.drop_tokens(user_id, provider)
        yield


def _sessions(tables: Tables, account: Account) -> answers.TheirSessions:
    found = tables.sessions.of(account.user_id)
    return {"sessions": [{"created_at": iso(each.created_at), "last_seen_at": iso(each.last_seen)} for each in found]}


def _end_sessions(tables: Tables, user_id: str) -> Steps:
    tables.sessions.end_all(user_id)
    yield


def _api_tokens(tables: Tables, account: Account) -> answers.TheirTokens:
    found = tables.api_tokens.of(account.user_id)
    return {"api_tokens": [{**api_token_view(each), "kind": each.kind} for each in found]}


def _end_api_tokens(tables: Tables, user_id: str) -> Steps:
    tables.api_tokens.end_all(user_id)
    yield


def _webhook(_: Tables, __: Account) -> answers.Nothing:
    """Whoever has its address can write there; that there is one, the settings tell."""
    return {}


def _forget_webhook(tables: Tables, user_id: str) -> Steps:
    tables.webhooks.delete(user_id)
    yield


def _prowlarr(tables: Tables, account: Account) -> answers.TheirProwlarr:
    found = tables.prowlarrs.get(account.user_id)
    return {"prowlarr": {"base_url": found.base_url} if found else None}


def _forget_prowlarr(tables: Tables, user_id: str) -> Steps:
    tables.prowlarrs.delete(user_id)
    yield


# ---------------------------------------------------------------- what was done for them


def _runs(tables: Tables, account: Account) -> answers.TheirRuns:
    found = tables.runs.of(account.user_id)
    return {"runs": [{**run_view(run), "events": list(_events(tables, run))} for run in found]}


def _events(tables: Tables, run: Run) -> Iterator[Event]:
    """Read only where there are any: of a year's hourly runs nearly all found nothing to do."""
    if run.plan and (run.batches or any(run.counts["skipped"].values())):
        for _, events in tables.plans.report(run.run_id, run.plan):
            yield from (event_view(event) for event in events)


def _forget_runs(tables: Tables, user_id: str) -> Steps:
    """A run's pages first: without its row nobody would find them."""
    with ThreadPoolExecutor(THREADS) as threads:
        for some in batched((run.run_id for run in tables.runs.of(user_id)), RUNS_AT_ONCE, strict=False):
            list(threads.map(tables.plans.delete, some))
            tables.runs.delete(user_id, some)
            yield


def _ledger(tables: Tables, account: Account) -> answers.TheirLedger:
    return {"ledger": [_entry(unit, entry) for unit, entry in tables.ledger.all(account.user_id)]}


def _entry(unit: str, entry: Entry) -> answers.ExportedEntry:
    item, _, media = unit.partition("-")
    return {
        "kinopub": {"item": int(item), "media": int(media)},
        "watched_at": iso(entry.at),
        "timestamp_missing": entry.timestamp_missing,
        "outcome": entry.outcome,
        "trakt_ids": dict(entry.ids),
        "run_id": entry.run_id,
    }


def _forget_ledger(tables: Tables, user_id: str) -> Steps:
    tables.ledger.delete(user_id)
    yield


def _rechecks(tables: Tables, account: Account) -> answers.TheirRechecks:
    found = tables.rechecks.all(account.user_id)
    return {"rechecks": [{"due_at": iso(due_at), **title.stored()} for due_at, title in found]}


def _forget_rechecks(tables: Tables, user_id: str) -> Steps:
    tables.rechecks.delete(user_id)
    yield


def _unmatched(tables: Tables, account: Account) -> answers.TheirUnmatched:
    return {"unmatched": [row.stored() for row in tables.unmatched.all(account.user_id)]}


def _forget_unmatched(tables: Tables, user_id: str) -> Steps:
    tables.unmatched.delete(user_id, [row.key for row in tables.unmatched.all(user_id)])
    yield


def _overrides(tables: Tables, account: Account) -> answers.TheirOverrides:
    return {"overrides": [override.stored() for override in tables.overrides.all(account.user_id)]}


def _forget_overrides(tables: Tables, user_id: str) -> Steps:
    for override in tables.overrides.all(user_id):
        tables.overrides.delete(user_id, override.key)
        yield


def _budgets(tables: Tables, account: Account) -> answers.TheirBudgets:
    shown = ("taken", "blocked_until", "interval_ms", "burst", "learned_until")
    found = tables.budgets.all(account.user_id, [*RATES, KINOPUB])
    return {"budgets": {verb: {name: row[name] for name in shown if name in row} for verb, row in found.items()}}


def _forget_budgets(tables: Tables, user_id: str) -> Steps:
    tables.budgets.delete(user_id, [*RATES, KINOPUB])
    yield


def _cached_answers(tables: Tables, account: Account) -> answers.TheirAnswers:
    """Upstreams' answers about the user, as the proxy remembers them for some minutes."""
    found = tables.answers.of(account.user_id)
    shown: list[answers.ExportedAnswer] = [
        {"at": iso(each.stored_ms / 1000), "answer": gzip.decompress(each.packed).decode()} for each in found
    ]
    return {"cached_answers": shown}


def _forget_cached_answers(tables: Tables, user_id: str) -> Steps:
    tables.answers.forget(user_id)
    yield


BELONGINGS: Sequence[Belongings] = (
    Belongings(("Accounts",), _account, _leave_account),
    Belongings(("Tokens",), _connections, _drop_tokens),
    Belongings(("Sessions",), _sessions, _end_sessions),
    Belongings(("ApiTokens",), _api_tokens, _end_api_tokens),
    Belongings(("Webhooks",), _webhook, _forget_webhook),
    Belongings(("Prowlarr",), _prowlarr, _forget_prowlarr),
    Belongings(("Runs", "Plans"), _runs, _forget_runs),
    Belongings(("Ledger",), _ledger, _forget_ledger),
    Belongings(("Rechecks",), _rechecks, _forget_rechecks),
    Belongings(("Unmatched",), _unmatched, _forget_unmatched),
    Belongings(("Overrides",), _overrides, _forget_overrides),
    Belongings(("Budgets",), _budgets, _forget_budgets),
    Belongings(("CachedAnswers",), _cached_answers, _forget_cached_answers),
)
"""What gives access goes first."""

NOBODYS: Mapping[str, str] = {
    "Mappings": "what Trakt calls a title, the same for everybody",
    "Flows": "sign-ins under way, which name nobody and end within minutes",
}
"""Tables that keep nothing about anybody, and why."""
