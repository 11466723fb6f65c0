"""Request bodies of the broker's endpoints. Imported when one comes: other requests need no pydantic."""

from typing import Annotated

from pydantic import StringConstraints

from watchferry.http_api.bodies import Body

type Handle = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
"""A handle or state of ours."""


class DeviceToken(Body):
    device_code: Handle


class Authorize(Body):
    redirect_uri: Annotated[str, StringConstraints(max_length=2048)] | None = None


class Prowlarr(Body):
    base_url: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    api_key: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,256}$")]


class NewApiToken(Body):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Exchange(Body):
    code: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    state: Handle
