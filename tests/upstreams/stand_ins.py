"""All stand-ins on one library: made, wired, served, reset."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from .app import Clock, TokenCounts
from .catalogue import Episode, Movie, Show
from .control import Control
from .kinopub import Kinopub
from .library import DEFAULT_USER, Expected, Library, large, odd, tiny
from .plays import Play
from .prowlarr import Prowlarr
from .tmdb import Images, Tmdb
from .trakt import Trakt
from .web import App, AppTransport, serve

API_HOST, AUTH_HOST, KINOPUB_HOST = "api.trakt.tv", "auth.trakt.tv", "api.service-kp.com"
TMDB_HOST, IMAGE_HOST = "api.themoviedb.org", "image.tmdb.org"
PROWLARR_HOST = "prowlarr.test"


class MovableClock:
    """Real time, or a fixed one, plus what it was moved by."""

    def __init__(self, base: Clock = time.time) -> None:
        self.base, self.offset = base, 0.0

    def __call__(self) -> float:
        return self.base() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


def build(name: str, users: Iterable[str] = (DEFAULT_USER,), now: float | None = None, seed: int = 1) -> Library:
    """A library by its name: `realistic`, `tiny`, `odd` or `large:N`."""
    from .realistic import realistic

    kind, _, size = name.partition(":")
    if kind == "large":
        return large(int(size), users, now, seed)
    makers = {"realistic": realistic, "tiny": tiny, "odd": odd}
    if kind not in makers:
        raise ValueError(f"no library {name!r}; there are: realistic, tiny, odd, large:N")
    return makers[kind](users, now, seed)


class Upstreams:
    """Trakt, Kinopub, TMDB and one Prowlarr; the first two with the same users, one clock and one lock.

    `library` is a name (`tiny`, `realistic`, `large:N`) or a `Library`; `limits` switches Trakt's rate limits on.
    """

    def __init__(
        self,
        library: str | Library = "tiny",
        users: Iterable[str] = (DEFAULT_USER,),
        *,
        limits: bool = False,
        clock: Clock = time.time,
        seed: int = 1,
    ) -> None:
        self.clock = MovableClock(clock)
        self.lock = threading.RLock()
        self.users, self.seed = tuple(users), seed
        self.trakt = Trakt(clock=self.clock, lock=self.lock)
        self.kinopub = Kinopub(Library(self.clock()), self.clock, self.lock)
        self.tmdb = Tmdb(self.trakt.catalogue, self.clock, self.lock)
        self.images = Images(self.clock, self.lock)
        self.prowlarr = Prowlarr(self.trakt.catalogue, self.clock, self.lock)
        self.trakt.options.limits = limits
        for app in self.apps:
            app.control = Control(self).answer
        self.library_name = library if isinstance(library, str) else "given"
        self.keep_switches()
        self.load(library)

    @property
    def apps(self) -> tuple[Trakt, Kinopub, Tmdb, Images, Prowlarr]:
        return (self.trakt, self.kinopub, self.tmdb, self.images, self.prowlarr)

    def keep_switches(self) -> None:
        """What the switches are now is what `reset` goes back to."""
        self._switches = {app.name: asdict(app.options) for app in self.apps}

    def reset_switches(self) -> None:
        """As they were when they were kept."""
        for app in self.apps:
            app.options.set(**self._switches[app.name])

    def load(self, library: str | Library) -> None:
        """Puts a library in: titles, viewers, and Trakt's users with the plays that they had before."""
        with self.lock:
            if isinstance(library, str):
                self.library_name = library
                library = build(library, self.users, self.clock(), self.seed)
            library.clock, library.lock = self.clock, self.lock
            self.library = self.kinopub.library = library
            self.trakt.catalogue = self.tmdb.catalogue = self.prowlarr.catalogue = library.catalogue
            known = dict.fromkeys((*self.users, *library.viewers, *self.trakt.users))
            self.trakt.users.clear()
            for user in known:
                self.add_user(user)
            for user, thing, at in library.seeds:
                self.trakt.add_play(user, thing, at)

    def add_user(self, name: str, **trakt: Any) -> None:
        """A user of that name at both; `trakt` as in `TraktUser` (vip, locked …)."""
        self.library.viewer(name)
        self.trakt.add_user(name, **trakt)

    def add_bulk(self, user: str, at: float, show: int | str | None = None, plays: int = 10) -> list[Play]:
        """Plays that share one time, of a show's episodes or else of films, from elsewhere (each at most once)."""
        with self.lock:
            known = self.library.find(show).trakt if show is not None else None
            things: list[Movie | Episode] = (
                list(known.episodes()) if isinstance(known, Show) else list(self.library.catalogue.movies)
            )
            return [self.trakt.add_play(user, thing, at) for thing in things[:plays]]

    def reset(self, library: str | Library | None = None, tokens: bool = False) -> None:
        """A fresh library, no faults, no log, switches as at first; tokens stay unless `tokens` says otherwise."""
        with self.lock:
            for app in self.apps:
                app.faults.clear()
                app.forget()
            self.reset_switches()
            for held in (self.trakt, self.kinopub):
                held.tokens = TokenCounts()
                if tokens:
                    held.forget_tokens()
            self.kinopub.shifts.clear()
            self.kinopub.state_changes.clear()
            self.kinopub.notified.clear()
            self.load(library or self.library_name)

    def expected(self, user: str = DEFAULT_USER, every: bool = False) -> list[Expected]:
        with self.lock:
            return self.library.expected(user, every)

    def transport(self) -> httpx.BaseTransport:
        """All in process, at the real services' host names; any other host is unreachable."""
        return HostTransport(
            {
                API_HOST: AppTransport(self.trakt, "api"),
                AUTH_HOST: AppTransport(self.trakt, "auth"),
                KINOPUB_HOST: AppTransport(self.kinopub),
                TMDB_HOST: AppTransport(self.tmdb),
                IMAGE_HOST: AppTransport(self.images),
                PROWLARR_HOST: AppTransport(self.prowlarr),
            }
        )


class HostTransport(httpx.BaseTransport):
    """Several transports by host name."""

    def __init__(self, hosts: dict[str, httpx.BaseTransport]) -> None:
        self.hosts = hosts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in self.hosts:
            raise httpx.ConnectError(f"no such host here: {request.url.host}", request=request)
        return self.hosts[request.url.host].handle_request(request)


@dataclass(slots=True)
class Running:
    """All upstreams on threads of this process, and where they listen."""

    upstreams: Upstreams
    trakt_url: str
    trakt_auth_url: str
    kinopub_url: str
    tmdb_url: str
    tmdb_image_url: str
    prowlarr_url: str

    @property
    def trakt(self) -> Trakt:
        return self.upstreams.trakt

    @property
    def kinopub(self) -> Kinopub:
        return self.upstreams.kinopub

    @property
    def tmdb(self) -> Tmdb:
        return self.upstreams.tmdb

    @property
    def images(self) -> Images:
        return self.upstreams.images

    @property
    def prowlarr(self) -> Prowlarr:
        return self.upstreams.prowlarr

    @property
    def library(self) -> Library:
        return self.upstreams.library

    def as_json(self) -> dict[str, Any]:
        """What another program needs to know in order to use them."""
        return {
            "trakt_url": self.trakt_url,
            "trakt_auth_url": self.trakt_auth_url,
            "kinopub_url": self.kinopub_url,
            "tmdb_url": self.tmdb_url,
            "tmdb_image_url": self.tmdb_image_url,
            "prowlarr_url": self.prowlarr_url,
            "control_url": f"{self.trakt_url}/_control",
            "trakt": {"client_id": self.trakt.client_id, "client_secret": self.trakt.client_secret},
            "kinopub": {"client_id": self.kinopub.client_id, "client_secret": self.kinopub.client_secret},
            "tmdb": {"read_access_token": self.tmdb.read_access_token, "api_key": self.tmdb.api_key},
            "prowlarr": {"api_key": self.prowlarr.api_key},
            "users": list(self.trakt.users),
            "library": self.upstreams.library_name,
        }


@contextmanager
def start(
    library: str | Library = "tiny",
    users: Iterable[str] = (DEFAULT_USER,),
    *,
    limits: bool = False,
    clock: Callable[[], float] = time.time,
    seed: int = 1,
    ports: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0),
) -> Iterator[Running]:
    """Serves all on 127.0.0.1 (ports of Trakt's API and OAuth host, Kinopub, TMDB, images, Prowlarr; 0: a free one)."""
    made = Upstreams(library, users, limits=limits, clock=clock, seed=seed)
    mounts: list[tuple[App, str]] = [(made.trakt, "api"), (made.trakt, "auth")]
    mounts += [(app, "") for app in made.apps[1:]]
    with ExitStack() as stack:
        urls = []
        for (app, mount), port in zip(mounts, ports, strict=True):
            served = serve(app, port, mount=mount)
            stack.callback(served.close)
            urls.append(served.url)
        made.trakt.options.verification_url = f"{urls[0]}/_control/trakt/activate"
        made.kinopub.options.verification_uri = f"{urls[2]}/_control/kinopub/activate"
        made.keep_switches()
        yield Running(made, *urls)
