"""A function's environment as one typed object (watchferry/settings.py)."""

import pytest

from watchferry.errors import MissingSettings
from watchferry.settings import Settings


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("", False)])
def test_switches(environ: dict[str, str], text: str, value: bool) -> None:
    """`false` is false."""
    assert Settings.from_env(environ | {"ALLOW_PRIVATE_PROWLARR": text}).allow_private_prowlarr is value


def test_everything_wrong_is_named_at_once(environ: dict[str, str]) -> None:
    """A switch that is neither, a number that is none, a name that is missing."""
    wrong = environ | {"ALLOW_PRIVATE_PROWLARR": "yes", "SYNC_SPREAD_SECONDS": "soon", "WEBHOOKS_TABLE": " "}
    with pytest.raises(MissingSettings) as told:
        Settings.from_env(wrong)
    for part in (
        "ALLOW_PRIVATE_PROWLARR is neither",
        "SYNC_SPREAD_SECONDS is not a number",
        "WEBHOOKS_TABLE is missing",
    ):
        assert part in str(told.value)
