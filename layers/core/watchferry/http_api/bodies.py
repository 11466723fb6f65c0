"""The base of every request body's model. Apart, since only requests with a body need pydantic."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Takes exactly the fields that it names, of exactly their types; its errors do not repeat what was sent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
