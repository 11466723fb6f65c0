"""`/api/tmdb/*`, `/api/trakt/*`, `/api/kinopub/*`: what is there and what is not, the table says (policy.py)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from watchferry.http_api import Answer, Api, Call
from watchferry.proxy.policy import UPSTREAMS, Prefix, collapsed

if TYPE_CHECKING:
    from watchferry.proxy.door import Door
    from watchferry.proxy.oauth import AuthApi


class ProxyDeployment(Protocol):
    """What these routes need of wiring.py."""

    @property
    def door(self) -> "Door": ...
    @property
    def auth_api(self) -> "AuthApi": ...


def mount(api: Api, deployment: Callable[[], ProxyDeployment]) -> None:
    """Open to all at first sight: the credential may stand where only the proxy looks for it."""

    def forwards(prefix: Prefix) -> Callable[[Call], Answer]:
        return lambda call: deployment().door.answer(call, prefix)

    # Before the others, since the first rule that fits is taken. As API Gateway's own route, for POST alone.
    @api.post("/trakt/+oauth/.+", open=True)
    def hand_over(call: Call) -> Answer:
        return deployment().auth_api.answer(call, collapsed(call.path))

    for prefix in UPSTREAMS:
        if prefix == "prowlarr":  # another function's: proxy/prowlarr
            continue
        for add in (api.get, api.post, api.put, api.delete):
            add(f"/{prefix}/.+", open=True)(forwards(prefix))
