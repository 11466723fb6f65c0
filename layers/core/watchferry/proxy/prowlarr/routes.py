"""`/api/prowlarr/*`: what is there and what is not, the proxy's table says (policy.py)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from watchferry.http_api import Answer, Api, Call

if TYPE_CHECKING:
    from watchferry.proxy.prowlarr.door import ProwlarrDoor


class ProwlarrDeployment(Protocol):
    """What these routes need of wiring.py."""

    @property
    def prowlarr_door(self) -> "ProwlarrDoor": ...


def mount(api: Api, deployment: Callable[[], ProwlarrDeployment]) -> None:
    """Open to all at first sight: the credential may stand where only the proxy looks for it."""

    def forward(call: Call) -> Answer:
        return deployment().prowlarr_door.answer(call)

    for add in (api.get, api.post, api.put, api.delete):
        add("/prowlarr/.+", open=True)(forward)
