"""Where a worker's calls leave its process: each may be its last, fail, be repeated, or take long (`Chaos.io`)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from tests.chaos.actions import LATEST, PATIENCE, Interruption
from tests.memory_dynamo import MemoryDynamo, refused
from tests.world import MemoryQueues
from watchferry.errors import ConnectAgain, NotConnected

if TYPE_CHECKING:
    from tests.chaos.world import Chaos

PER_PAGE = 3
"""Rows of Kinopub's history that come in one answer; so few that there are several pages."""

UNKNOWN = b"tt9899991"


class Killed(BaseException):
    """The function's process is gone; nothing of it may run any more."""


@dataclass(slots=True)
class Worker:
    kill_at: float
    script: list[Interruption]
    run_id: str
    calls: int = 0
    reads: int = 0
    """Of the calls, those that asked an upstream."""
    dead: bool = False

    def interruption(self, name: str) -> Interruption | None:
        """Of this call, which is counted."""
        number, self.calls = self.calls, self.calls + 1
        for each in self.script:
            if each.at == number or (isinstance(each.at, str) and each.at in name):
                self.script.remove(each)
                return each
        return None


class WatchedDynamo:
    def __init__(self, inner: MemoryDynamo, chaos: "Chaos") -> None:
        self.exceptions = inner.exceptions
        self._inner, self._chaos = inner, chaos

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = getattr(self._inner, operation)

        def watched(**request: Any) -> Any:
            name = f"dynamo {operation} {_tables(request)}"
            return self._chaos.io(name, lambda: call(**request), lambda: refused("InternalServerError", operation))

        return watched


def _tables(request: dict[str, Any]) -> str:
    if "TransactItems" in request:
        names = [part["TableName"] for each in request["TransactItems"] for part in each.values()]
        return "+".join(dict.fromkeys(names))
    return request.get("TableName") or "+".join(request["RequestItems"])


class WatchedQueues(MemoryQueues):
    def __init__(self, chaos: "Chaos") -> None:
        super().__init__(lambda: chaos.now)
        self._chaos = chaos

    def _add(self, kind: str, jobs: Any) -> None:
        call = super()._add
        self._chaos.io(f"queue {kind}", lambda: call(kind, jobs), lambda: refused("ServiceUnavailable", "SendMessage"))


class WatchedTransport(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport, chaos: "Chaos") -> None:
        self._inner, self._chaos = inner, chaos

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        chaos = self._chaos
        name = f"{request.method} {request.url.path}"
        if request.url.path == "/v1/history":
            request.url = request.url.copy_set_param("perpage", PER_PAGE)
        run_id = chaos.working[-1].run_id if chaos.working else ""
        return chaos.io(  # type: ignore[no-any-return]
            name, lambda: self._send(request, run_id), lambda: httpx.ReadError("reset", request=request)
        )

    def _send(self, request: httpx.Request, run_id: str) -> httpx.Response:
        chaos = self._chaos
        if request.method == "POST":
            return chaos.promises.posted(run_id, request, lambda: self._post(request, run_id))
        response = self._inner.handle_request(request)
        chaos.promises.read(run_id, request, response)
        return _garbled(chaos, request, response) if chaos.garbled and response.status_code == 200 else response

    def _post(self, request: httpx.Request, run_id: str) -> httpx.Response:
        chaos = self._chaos
        if chaos.poisoned and UNKNOWN in request.read():
            return httpx.Response(422, json={"errors": {"base": ["is invalid"]}}, request=request)
        if chaos.late_posts:
            after = min(chaos.late_posts.pop(0), LATEST)
            waited = min(PATIENCE, chaos.working[-1].kill_at - chaos.now)
            chaos.now += waited
            late = partial(chaos.promises.posted, run_id, request, lambda: self._inner.handle_request(request))
            chaos.late.append((chaos.now + after, late))
            raise httpx.ReadTimeout("the read operation timed out", request=request)
        return self._inner.handle_request(request)


def _garbled(  # noqa: PLR0912 - one case for each way
    chaos: "Chaos", request: httpx.Request, response: httpx.Response
) -> httpx.Response:
    path, answer = request.url.path, json.loads(response.read())
    titles = chaos.upstreams.library.titles
    status = 200
    for item, how in chaos.garbled.items():
        title, asked = titles[item], request.url.params.get("id") == str(item)
        if path == "/v1/history":
            for row in [row for row in answer["history"] if row["item"] and row["item"]["id"] == item]:
                if how == "row":
                    row["item"] = None
                if how == "media":
                    row["media"] = []
                if how == "details":
                    row["item"] |= {"year": "1999-2001", "title": []}
                    row["item"].pop("imdb", None)
        elif path == "/v1/watching" and asked:
            if how in ("500", "410"):
                status = int(how)
            elif how == "no item":
                answer["item"] = None
            elif how == "no list":
                answer["item"] |= {"videos": "3", "seasons": "3"}
            elif how == "unit":
                units = answer["item"].get("videos") or answer["item"]["seasons"][0]["episodes"]
                units[0]["status"] = "watched"
        elif path.startswith("/search/") and how.startswith("search "):
            names = [name.strip() for name in title.name.split("/")]
            if path.endswith(f"/{title.imdb}") or request.url.params.get("query") in names:
                status = int(how.removeprefix("search "))
        elif path.endswith("/seasons") and how == "seasons" and title.season_based:
            answer[0]["number"] = None
        elif path == f"/v1/items/{item}" and how == "details":
            answer = {"item": []}
    pages = {name: value for name, value in response.headers.items() if name.startswith("x-pagination")}
    return httpx.Response(status, json=answer, headers=pages, request=request)


@dataclass(slots=True)
class _Credential:
    """Works while its account is connected."""

    chaos: "Chaos"
    provider: str
    value: str

    def token(self) -> str:
        if self.provider in self.chaos.away:
            raise NotConnected(self.provider)
        return self.value

    def renewed(self, refused: str) -> str:
        if self.provider in self.chaos.away:
            raise ConnectAgain(self.provider)
        return self.value


@dataclass(slots=True)
class Credentials:
    chaos: "Chaos"

    def credential(self, user_id: str, provider: str, *, until: float) -> _Credential:
        app: Any = self.chaos.upstreams.trakt if provider == "trakt" else self.chaos.upstreams.kinopub
        return _Credential(self.chaos, provider, app.grant(user_id).access)
