"""The function on moto in front of somebody's Prowlarr on this machine: the stand-in, or a test's own bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from functions.prowlarr_api.app import prowlarr_api
from tests.conftest import NewWiring
from tests.unit.proxy.conftest import Client
from tests.unit.proxy.wire import Wire, listening
from tests.upstreams import Upstreams, serve
from tests.upstreams.prowlarr import Prowlarr
from watchferry.wiring import Wiring

KEY = "0123456789abcdef0123456789abcdef"
USER = "harry"
SITE = "https://watchferry.test/api/prowlarr"


@dataclass(slots=True)
class Home:
    """Somebody's Prowlarr, and programs in front of it."""

    wiring: Wiring
    url: str
    key: str

    def stranger(self) -> Client:
        return Client(prowlarr_api(lambda: self.wiring))

    def browser(self, user: str = USER) -> Client:
        client = self.stranger()
        client.cookies["__Host-session"] = self.wiring.sessions.begin(user)
        return client

    def token(self, user: str = USER) -> str:
        return self.wiring.api_tokens.make(user, "a program")[1]

    def save(self, url: str, user: str = USER, key: str = KEY) -> None:
        self.wiring.accounts.sign_in(user, {"slug": user})
        self.wiring.prowlarr.save(user, url, key)


@pytest.fixture
def wiring(new_wiring: NewWiring) -> Wiring:
    return new_wiring(allow_private_prowlarr="true")


@pytest.fixture
def prowlarr(upstreams: Upstreams) -> Prowlarr:
    return upstreams.prowlarr


@pytest.fixture
def home(wiring: Wiring, prowlarr: Prowlarr) -> Iterator[Home]:
    """With the stand-in."""
    served = serve(prowlarr)
    made = Home(wiring, served.url, prowlarr.api_key)
    made.save(served.url, key=prowlarr.api_key)
    yield made
    served.close()


@pytest.fixture
def harry(home: Home) -> Client:
    return home.browser()


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as made:
        yield made


@pytest.fixture
def hostile(wiring: Wiring, wire: Wire) -> Client:
    """Somebody signed in whose Prowlarr says what a test wants."""
    made = Home(wiring, wire.url, KEY)
    made.save(f"{wire.url}/base")
    return made.browser()
