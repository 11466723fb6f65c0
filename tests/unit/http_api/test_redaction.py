"""The guard behind every log line: what looks like a credential does not get through (observability.py)."""

import json
import logging
import sys

import pytest

from watchferry.observability import BLOT, RedactingFormatter, redacted, set_up_logging

SECRET = "s3cr3t-0123456789abcdef"


@pytest.mark.parametrize(
    "line",
    [
        f"GET https://api.service-kp.com/v1/history?page=1&access_token={SECRET}&perpage=50",
        f"https://api.themoviedb.org/3/movie/1?api_key={SECRET}",
        f"http://prowlarr/1/download?apikey={SECRET}&link={SECRET}",
        f"https://watchferry.test/api/prowlarr/1/download?file=x&ticket={SECRET}",
        f"POST /oauth2/token?client_secret={SECRET}&refresh_token={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f'{{"Authorization":"Bearer {SECRET}"}}',
        f"X-Api-Key: {SECRET}",
        f"Cookie: __Host-session={SECRET}; theme=dark",
        f"Set-Cookie: __Host-session={SECRET}; Path=/",
        f'{{"access_token": "{SECRET}", "expires_in": 5}}',
        f"{{'refresh_token': '{SECRET}'}}",
        json.dumps({"message": json.dumps({"device_code": SECRET})}),
        f"token wf_{SECRET} is unknown",
        f"https://watchferry.test/?code={SECRET}&state={SECRET}",
    ],
)
def test_credentials_are_blotted_out(line: str) -> None:
    """By their name or by their form, in addresses, headers, JSON and JSON in JSON."""
    assert SECRET not in redacted(line)
    assert BLOT in redacted(line)


@pytest.mark.parametrize(
    "line",
    [
        '{"message":"request","route":"/api/sync/runs/<run_id>","status":200,"code":"upstream_unreachable"}',
        "access to trakt is being renewed",
        "a rotated token could not be stored: this login is lost",
    ],
)
def test_the_rest_stays(line: str) -> None:
    """A log that says nothing helps nobody."""
    assert redacted(line) == line


def test_traceback_and_fields_too() -> None:
    """The finished line is looked at, whatever it was made of."""
    try:
        int(f"no answer from /v1/history?access_token={SECRET}")
    except ValueError:
        record = logging.LogRecord("watchferry", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    record.__dict__["headers"] = {"authorization": f"Bearer {SECRET}"}
    line = RedactingFormatter().format(record)
    assert SECRET not in line
    assert "Traceback" in line


def test_libraries_are_quiet() -> None:
    """httpx would log whole addresses at INFO."""
    set_up_logging()
    for name in ("httpx", "httpcore", "botocore"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
