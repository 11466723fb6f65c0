"""Trakt's switches, users, tokens and budgets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from .app import Switches
from .plays import Plays, utc

CLIENT_ID = "demo-trakt-client-id-not-a-real-one"
CLIENT_SECRET = "demo-trakt-client-secret-not-a-real-one"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
REDIRECT_URIS = [
    OUT_OF_BAND,
    "http://127.0.0.1:*",
    "http://localhost:*",
    "http://*.localhost:*",
    "https://watchferry.test/*",
]
FREE_LIMITS = {"list": {"count": 2, "item_count": 100}, "watchlist": {"item_count": 100}}
VIP_LIMITS = {"list": {"count": 100, "item_count": 1000}, "watchlist": {"item_count": 1000}}


@dataclass(slots=True)
class TraktSwitches(Switches):
    edge_cookie: bool = True  # Trakt's edge sets one on every answer, whoever asks
    documented_season_form: bool = False  # seasons as the older document has them (reality: Trakt, Season endpoint)
    limits: bool = False  # enforce the rate limits
    get_limit: int = 1000
    get_period: float = 300.0
    post_period: float = 1.0
    token_lifetime: int = 604_800  # seconds; it was 3 months, then a day, then a week
    refresh_kills_access: bool = True  # refreshing ends the old access token too
    oauth_refusal: int = 400  # of a used or unknown grant; 401 on the older host
    token_edge: int = 0  # an edge answers in the token endpoint's place: 401 without a body, else its page
    poll_edge: int = 0  # the same for polls of a device code, always with its page
    pending_body: str = ""  # of the 400 that a pending poll gets; whatever stands there says nothing
    app_refused: str = ""  # the application is: "text" or "json" (403 for all but OAuth), "client" (`invalid_client`)
    oauth_on_api_host: bool = True  # the older documents' address still answers
    device_interval: int = 5
    device_lifetime: int = 600
    verification_url: str = "https://trakt.tv/activate"
    authorize_denies: bool = False  # the signed-in person says no
    history_status: int = 201
    history_updated: bool = True  # whether the answer to POST /sync/history has `updated`
    page_cap: int = 250
    page_default: int = 10  # rows where no `limit` is asked for; 100 was seen
    # ---- how times and pages of /sync/history differ from what was posted
    minute_times: bool = False  # times are stored cut to the minute, and windows compare what is stored
    shuffles_equal_times: bool = False  # plays of one time are ordered anew for each request
    hidden_titles: Sequence[str] = ()  # `movie:481`, `show:…`, `episode:…`: their plays are counted and not shown
    empty_pages: Mapping[int, int] = field(default_factory=dict)  # page → how often it answers []; -1: always
    endless_history: bool = False  # every page is the first one, and there is always another
    pagination_headers: str = "all"  # none; zero_pages: Page-Count is 0; item_count_off: counts are too high
    # ---- /sync/last_activities
    activities_lag: float = 0.0  # seconds that it is behind
    activities_empty: bool = False  # it is {}
    # ---- the answer to POST /sync/history
    wrapped_answer: bool = False  # in a list of one element
    not_found_wrapped: bool = False  # each list in `not_found` in another list
    not_found_by_time: bool = False  # entries of `not_found` hold `watched_at` alone
    not_found_nested: bool = False  # episodes in `not_found` stand in seasons of a show
    added_zero: bool = False  # `added` says 0, `updated` says how many
    episodes_by: Sequence[str] = ()  # the ids by which episodes are taken, 422 for anything else; (): all ids
    # ---- look-ups
    episode_imdb: str = "by_type"  # an episode's IMDb id under /search; nothing: []; always: whatever `type` says
    empty_episodes: bool = False  # seasons have an `episode_count` and no episodes
    empty_seasons: bool = False  # one season has no episodes either
    # ---- refusals
    account_limit_bare: bool = False  # 420 looks as a rate limit does: without X-Account-Limit
    dead_app: bool = False  # the application is refused: 403 as nine bytes of text, while /oauth/token works


@dataclass(slots=True)
class Grant:
    """A token pair. `ended` says why its access token no longer opens anything."""

    user: str
    client_id: str
    access: str
    refresh: str
    created_at: int
    expires_in: int
    ended: str = ""
    refresh_used: bool = False

    def expired(self, now: float) -> bool:
        return now >= self.created_at + self.expires_in

    def as_json(self) -> dict[str, Any]:
        return {
            "access_token": self.access,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "refresh_token": self.refresh,
            "scope": "public",
            "created_at": self.created_at,
        }


@dataclass(slots=True)
class TraktUser:
    """`slug` names the user here; it can be renamed, `uuid` stays."""

    slug: str
    name: str
    uuid: str
    vip: bool = True
    trakt: int = 41_000
    locked: bool = False
    deactivated: bool = False
    account_limit: int | None = None  # the most plays that the account may hold
    plays: Plays = field(default_factory=Plays)
    changed: dict[str, list[float]] = field(default_factory=lambda: {"movies": [], "episodes": []})
    """When plays of each kind came or went, for /sync/last_activities."""


@dataclass(slots=True)
class Budget:
    """Calls of one kind by one user: a window begins with the first call and ends a period later."""

    name: str
    limit: int
    period: float
    start: float
    used: int = 0

    def as_header(self) -> str:
        """X-Ratelimit, as JSON."""
        left = max(self.limit - self.used, 0)
        until = utc(ceil(self.start + self.period) * 1000)[:19] + "Z"
        told = {"name": self.name, "period": ceil(self.period), "limit": self.limit, "remaining": left, "until": until}
        return json.dumps(told, separators=(",", ":"))


@dataclass(slots=True)
class Code:
    """An authorization code: single use, ten minutes, for one redirect URI."""

    user: str
    client_id: str
    redirect_uri: str
    created_at: float
    used: bool = False


def settings_of(user: TraktUser) -> dict[str, Any]:
    """The parts of /users/settings that a client may lean on; the real answer has more under `browsing`."""
    avatar = "https://walter-r2.trakt.tv/images/users/014/366/083/avatars/large/disco_cop.png"
    return {
        "user": {
            "username": user.slug,
            "private": False,
            "name": user.name,
            "vip": user.vip,
            "vip_ep": user.vip,
            "director": False,
            "ids": {"slug": user.slug, "trakt": user.trakt, "uuid": user.uuid},
            "joined_at": "2021-03-15T08:00:00.000Z",
            "location": None,
            "about": None,
            "gender": None,
            "age": None,
            "images": {"avatar": {"full": avatar}},
            "vip_og": False,
            "vip_years": 3 if user.vip else 0,
            "vip_cover_image": None,
        },
        "permissions": {"commenting": True, "liking": True, "following": True},
        "account": {
            "timezone": "Europe/Moscow",
            "date_format": "dmy",
            "time_24hr": True,
            "cover_image": None,
            "token": None,
            "display_ads": not user.vip,
        },
        "browsing": {"watch_popup_action": "now", "watch_only_once": False, "locale": "ru-RU"},
        "limits": (VIP_LIMITS if user.vip else FREE_LIMITS) | {"favorites": {"item_count": 100}},
    }
