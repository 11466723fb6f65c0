"""`/api/trakt/oauth/*`: Trakt's forms in front of facade.py.

Client ids and secrets of any value are taken and not looked at, nor is a token in a header: clients attach old ones
to a refresh (reality.md, What real client libraries do).
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from watchferry.http_api import Answer, Api, Call

if TYPE_CHECKING:
    from watchferry.auth.facade import Facade

NAMELESS = "A Trakt client"


class FacadeDeployment(Protocol):
    """What these routes need of wiring.py."""

    @property
    def facade(self) -> "Facade": ...


def add_facade_routes(api: Api, deployment: Callable[[], FacadeDeployment]) -> None:
    @api.post("/trakt/oauth/device/code", open=True)
    def facade_device_code(_: Call) -> Answer:
        """Begins a sign-in; the person enters `user_code` at Trakt."""
        return Answer(200, deployment().facade.begin())

    @api.post("/trakt/oauth/device/token", open=True)
    def facade_device_token(call: Call) -> Answer:
        """Tokens, as soon as the person has agreed; every other answer is a status without a body, as Trakt's."""
        code = _given(call).get("code", "")
        return _in_form(lambda: deployment().facade.poll(code, _name(call)))

    @api.post("/trakt/oauth/token", open=True)
    def facade_refresh(call: Call) -> Answer:
        """The next tokens for a refresh token. One that comes again within a minute gets the same tokens."""
        return _in_form(lambda: deployment().facade.refresh(_given(call)))

    @api.post("/trakt/oauth/revoke", open=True)
    def facade_revoke(call: Call) -> Answer:
        """Ends the tokens of the program that this one belongs to."""
        deployment().facade.revoke(_given(call))
        return Answer(200, {})


def _in_form(ask: Callable[[], dict[str, Any] | int]) -> Answer:
    from watchferry.auth.facade import Refused

    try:
        said = ask()
    except Refused as refused:
        return Answer(refused.status, {"error": refused.error, "error_description": refused.description})
    return Answer(said) if isinstance(said, int) else Answer(200, said)


def _given(call: Call) -> Mapping[str, str]:
    """The texts of a JSON object, or of a form; anything else has none. Trakt takes both, whatever the type says."""
    try:
        told = json.loads(call.body)
    except (ValueError, RecursionError):
        told = dict(parse_qsl(call.body.decode(errors="replace")))
    return {name: value for name, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}


def _name(call: Call) -> str:
    """What the program calls itself, for the person's list of tokens."""
    agent = call.headers.get("user-agent", "").strip()[:100]
    return agent if agent.isprintable() and agent else NAMELESS
