"""`GET /api/health`: whether it answers, and which version; no upstream is called."""

from typing import Literal, TypedDict

from watchferry import __version__
from watchferry.http_api.app import Api
from watchferry.http_api.call import Answer, Call, Ok


class Health(TypedDict):
    status: Literal["ok"]
    version: str


def add_health_route(api: Api) -> None:
    @api.get("/health", open=True)
    def health(_: Call) -> Ok[Health]:
        """Whether it answers, and which version."""
        return Answer(200, {"status": "ok", "version": __version__})
