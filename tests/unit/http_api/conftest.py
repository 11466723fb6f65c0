"""A small API of its own on the shared app: one route of every kind."""

from typing import Literal

import pytest

from tests.browser import Browser
from watchferry.http_api import Answer, Api, Call, build_app
from watchferry.http_api.bodies import Body
from watchferry.wiring import Wiring


class Order(Body):
    mode: Literal["sync", "preview"]
    full: bool = False
    count: int = 1


@pytest.fixture
def failures() -> list[Exception]:
    """What `GET /auth/fail` raises next."""
    return []


@pytest.fixture
def api(wiring: Wiring, failures: list[Exception]) -> Api:
    api = build_app(lambda: wiring)

    @api.get("/auth/open", open=True)
    def look(_: Call) -> Answer:
        return Answer(200, {"имя": "Гарри"})

    @api.post("/auth/open", open=True)
    def take(call: Call) -> Answer:
        return Answer(200, call.json(Order).model_dump())

    @api.get("/sync/things/<thing_id>")
    def show(call: Call, thing_id: str) -> Answer:
        return Answer(200, {"id": thing_id, "user": call.user_id, "cursor": call.cursor()})

    @api.get("/sync/mine")
    def mine(call: Call) -> Answer:
        return Answer(200, {"slug": call.account.slug})

    @api.delete("/sync/things/<thing_id>")
    def remove(_: Call, thing_id: str) -> Answer:
        return Answer(204)

    @api.get("/sync/table")
    def table(call: Call) -> Answer:
        if call.accepts("text/csv"):
            return Answer(200, "a,b\n", content_type="text/csv; charset=utf-8")
        return Answer(200, [])

    @api.get("/auth/session")
    def session(call: Call) -> Answer:
        return Answer(200, {"slug": call.account.slug})

    @api.put("/auth/session")
    def change_session(_: Call) -> Answer:
        return Answer(204)

    @api.get("/account/export")
    def export(_: Call) -> Answer:
        return Answer(200, {})

    @api.delete("/account")
    def leave(_: Call) -> Answer:
        return Answer(204)

    @api.get("/auth/fail", open=True)
    def fail(_: Call) -> Answer:
        raise failures.pop()

    @api.post("/trakt/proxied", open=True)
    def proxied(_: Call) -> Answer:
        return Answer(200, {})

    return api


@pytest.fixture
def visitor(api: Api) -> Browser:
    """A browser without a session."""
    return Browser(api, described=False)


@pytest.fixture
def member(api: Api, wiring: Wiring) -> Browser:
    """A browser that is signed in as the account `u-1`."""
    wiring.accounts.sign_in("u-1", {"slug": "harry", "name": "Harry"})
    return Browser(api, cookies={"__Host-session": wiring.sessions.begin("u-1")}, described=False)


@pytest.fixture
def token(wiring: Wiring) -> str:
    """An API token of the account `u-1`."""
    wiring.accounts.sign_in("u-1", {"slug": "harry", "name": "Harry"})
    return wiring.api_tokens.make("u-1", "a program")[1]
