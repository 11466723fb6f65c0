"""The request bodies of "Sync" in http-api.md. Apart, since only requests with a body need pydantic."""

from typing import Annotated, Literal

from pydantic import Field

from watchferry.http_api.bodies import Body


class StartRun(Body):
    mode: Literal["sync", "preview"]
    full: bool = False


class Settings(Body):
    enabled: bool = False
    rewatch: Literal["each_play", "window", "once"] = "each_play"
    window_minutes: Annotated[int, Field(ge=0, le=7 * 1440)] = 0
    batch_size: Annotated[int, Field(ge=1, le=250)] = 50
    confirm_above: Annotated[int, Field(ge=0)] | None = None
    webhook_url: str | None = None
