"""One place for settings: the environment of a function, read once, everything that is wrong named at once."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from watchferry.errors import MissingSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment variables of template.yaml, in upper snake case; a default means that it may be absent."""

    accounts_table: str
    sessions_table: str
    flows_table: str
    tokens_table: str
    runs_table: str
    plans_table: str
    ledger_table: str
    mappings_table: str
    budgets_table: str
    rechecks_table: str
    unmatched_table: str
    overrides_table: str
    webhooks_table: str
    prowlarr_table: str
    api_tokens_table: str
    cached_answers_table: str
    answers_bucket: str
    auth_api_function: str
    """Its name: the proxy hands OAuth calls over to it (proxy/oauth.py)."""
    sync_jobs_queue_url: str
    sync_jobs_dlq_url: str
    history_batches_queue_url: str
    history_batches_dlq_url: str
    notices_queue_url: str
    notices_dlq_url: str
    operator_topic_arn: str
    token_key_arn: str
    site_url_parameter: str
    trakt_api_url: str
    trakt_auth_url: str
    trakt_client_id: str
    trakt_client_secret_parameter: str
    kinopub_api_url: str
    kinopub_client_id: str
    kinopub_client_secret_parameter: str
    tmdb_api_url: str
    allowed_trakt_users: str
    """Slugs or uuids, separated by commas; `*` opens the deployment to everybody."""
    kinopub_user_agent: str = ""
    allow_private_prowlarr: bool = False
    """Whether addresses of users' own, Prowlarr's and webhooks', may be private ones."""
    tmdb_read_access_token_parameter: str = ""
    """Empty without the TMDB proxy."""
    proxy_passthrough: bool = False
    """Whether credentials that are not ours go upstream as they came."""
    sync_schedule: str = "rate(1 hour)"
    sync_spread_seconds: int = 900
    read_back_settle_seconds: int = 60
    retry_base_seconds: float = 1.0
    """The first pause of the exponential backoff (sync document 5.2: 1 s, 2 s, 4 s, 8 s)."""
    session_idle_days: int = 30
    session_absolute_days: int = 180
    watchferry_version: str = "0"

    @property
    def user_agent(self) -> str:
        """Names the program, as Trakt wants it (reality.md, Trakt)."""
        return f"Watchferry/{self.watchferry_version} (+https://github.com/watchferry/watchferry)"

    def serves(self, slug: str, uuid: str) -> bool:
        """Whether this Trakt user is among those for whom the deployment is, in any case of letters."""
        named = {name.strip().casefold() for name in self.allowed_trakt_users.split(",")}
        return bool(named & {"*", slug.casefold(), uuid.casefold()})

    @property
    def sync_interval_seconds(self) -> int | None:
        """The length of `rate(…)`; None for a cron expression."""
        match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", self.sync_schedule)
        return int(match[1]) * {"minute": 60, "hour": 3600, "day": 86400}[match[2]] if match else None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises MissingSettings, which names every variable that is absent, empty or of another type."""
        found: dict[str, object] = {}
        wrong: list[str] = []
        for field in fields(cls):
            name = field.name.upper()
            text = environ.get(name, "").strip()
            if not text:
                if field.default is MISSING:
                    wrong.append(f"{name} is missing")
                continue
            try:
                found[field.name] = _parsed(field.type, text)
            except ValueError as error:
                wrong.append(f"{name} is {error}: {text!r}")
        if wrong:
            raise MissingSettings(
                "Watchferry cannot start: " + "; ".join(wrong) + ". These come from template.yaml; deploy it again."
            )
        return cls(**found)  # type: ignore[arg-type]


def _parsed(kind: object, text: str) -> object:
    """Raises ValueError, which says what the text is not."""
    if kind is str:
        return text
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError("neither true nor false")
        return text == "true"
    try:
        return kind(text)  # type: ignore[operator]
    except ValueError:
        raise ValueError("not a number") from None
