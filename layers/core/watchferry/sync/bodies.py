"""The request bodies of "Sync" in http-api.md. Apart, since only requests with a body need pydantic."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from watchferry.http_api.bodies import Body


class StartRun(Body):
    mode: Literal["sync", "preview"]
    full: bool = False


class Mend(Body):
    """`PUT /sync/overrides/{key}`: another title of Trakt's, or none."""

    trakt_id: Annotated[int, Field(ge=1, le=2**53)] | None = None
    season_offset: Annotated[int, Field(ge=-3000, le=3000)] = 0
    episode_offset: Annotated[int, Field(ge=-10_000, le=10_000)] = 0
    ignore: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.trakt_id is None) == (self.ignore is None):
            raise ValueError("give either trakt_id or ignore")
        if self.ignore and (self.season_offset or self.episode_offset):
            raise ValueError("what is ignored has no offsets")
        return self


class ChangeSettings(Body):
    enabled: bool = False
    rewatch: Literal["each_play", "window", "once"] = "each_play"
    window_minutes: Annotated[int, Field(ge=1, le=7 * 1440)] = 60
    batch_size: Annotated[int, Field(ge=1, le=250)] | None = None
    confirm_above: Annotated[int, Field(ge=0)] | None = None
    webhook_url: Annotated[str, Field(max_length=2048)] | None = None
