"""Request bodies of the broker's endpoints. Imported when one comes: other requests need no pydantic."""

from typing import Annotated

from pydantic import StringConstraints

from watchferry.http_api.bodies import Body


class DeviceToken(Body):
    device_code: str
    """What cannot be one of ours is `invalid`, as one that never was (http-api.md, Auth broker)."""


class Authorize(Body):
    redirect_uri: Annotated[str, StringConstraints(max_length=2048)] | None = None


class Prowlarr(Body):
    base_url: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    api_key: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,256}$")]


class NewApiToken(Body):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Exchange(Body):
    code: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    state: str
    """As above, `invalid_state`."""
