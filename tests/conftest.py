"""What every in-process test stands on: a Wiring on moto's AWS, the stand-in upstreams, a clock that nobody waits for.

`wiring` is a process; `new_wiring()` makes another one on the same AWS, upstreams and clock.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.aws import REGION, client, furnished
from tests.upstreams import Upstreams
from watchferry.errors import UnresolvableAddress
from watchferry.wiring import Wiring

if TYPE_CHECKING:
    import httpcore

    from tests.stack.deployed import Deployed
    from watchferry.clients.guarded import Resolve

SITE_URL = "https://watchferry.test"

NewWiring = Callable[..., Wiring]


def nowhere(host: str, _port: int) -> list[str]:
    """The resolver of tests: no name is ever asked of the machine's own."""
    raise UnresolvableAddress(f"no test resolves {host}")


@dataclass(slots=True)
class Clock:
    """Unix seconds. Code under test pauses by moving it."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class WiringOnMoto(Wiring):
    def aws(self, service: str, **_: Any) -> Any:
        return client(service)


def pytest_xdist_auto_num_workers() -> int:
    """One of them has the deployed stack, which it mostly waits for."""
    return max(3, os.cpu_count() or 0)


class OneStackEach(LoadScopeScheduling):
    """By the path, since that is all there is: `--dist loadgroup` does nothing under pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        on_stack = nodeid.startswith("tests/stack/") or (nodeid.startswith("tests/contract/") and "[stack" in nodeid)
        return "stack" if on_stack else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStackEach:
    return OneStackEach(config, log)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def upstreams(clock: Clock) -> Upstreams:
    """Trakt and Kinopub with the small library and one user, `harry`, on the same clock."""
    return Upstreams("tiny", clock=clock)


@pytest.fixture
def environ(upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A function's environment, and the AWS resources that it names."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with furnished() as names:
        ssm = client("ssm")
        for name, kind, value in (
            ("/site-url", "String", SITE_URL),
            ("/trakt-secret", "SecureString", upstreams.trakt.client_secret),
            ("/tmdb-token", "SecureString", upstreams.tmdb.read_access_token),
            ("/kinopub-secret", "SecureString", upstreams.kinopub.client_secret),
        ):
            ssm.put_parameter(Name=name, Type=kind, Value=value, Overwrite=True)
        yield {
            **names,
            "AUTH_API_FUNCTION": "AuthApi",
            "SITE_URL_PARAMETER": "/site-url",
            "TRAKT_API_URL": "https://api.trakt.tv",
            "TRAKT_AUTH_URL": "https://auth.trakt.tv",
            "TRAKT_CLIENT_ID": upstreams.trakt.client_id,
            "TRAKT_CLIENT_SECRET_PARAMETER": "/trakt-secret",
            "KINOPUB_API_URL": "https://api.service-kp.com",
            "KINOPUB_CLIENT_ID": upstreams.kinopub.client_id,
            "KINOPUB_CLIENT_SECRET_PARAMETER": "/kinopub-secret",
            "TMDB_API_URL": "https://api.themoviedb.org",
            "TMDB_READ_ACCESS_TOKEN_PARAMETER": "/tmdb-token",
            "ALLOWED_TRAKT_USERS": "*",
            "RETRY_BASE_SECONDS": "1",
        }


@pytest.fixture
def new_wiring(environ: dict[str, str], clock: Clock, upstreams: Upstreams) -> NewWiring:
    """Makes a process of its own; settings are given by field: `new_wiring(allowed_trakt_users="harry")`."""

    def make(
        *,
        pause: Callable[[float], None] = clock.advance,
        resolve: "Resolve | None" = None,
        network: "httpcore.NetworkBackend | None" = None,
        **settings: object,
    ) -> Wiring:
        changed = {name.upper(): str(value) for name, value in settings.items()}
        return WiringOnMoto(
            environ | changed,
            clock=clock,
            pause=pause,
            transport=upstreams.transport(),
            resolve=resolve or nowhere,
            network=network,
        )

    return make


@pytest.fixture
def wiring(new_wiring: NewWiring) -> Wiring:
    return new_wiring()


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Deployed]":
    """The deployed local stack, one for all tests of a process that need it; in the end it has let out no secret."""
    from tests.stack import leaks
    from tests.stack.deployed import deploy

    with deploy(tmp_path_factory.mktemp("stack")) as made:
        yield made
        assert (wrong := leaks.found(made)) == [], wrong
