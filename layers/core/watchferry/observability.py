"""What is logged, and what never is.

Modules log through the standard library (`logging.getLogger(__name__)`); a function calls `set_up_logging` once and
their lines become JSON, one line each. Whatever looks like a credential is blotted out of the finished line, message,
fields and traceback alike: a guard behind the care taken where the lines are written, not in place of it.
"""

import functools
import logging
import os
import re
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

BLOT = "[redacted]"

_QUIET = ("httpx", "httpcore", "botocore", "boto3", "urllib3")
"""httpx logs whole addresses at INFO, and Kinopub's hold its access token."""

_NAMES = (
    "access_token|refresh_token|device_code|user_code|client_secret|api_?key|trakt-api-key|x-api-key|authorization|"
    "cookie|set-cookie|password|secret|token|ticket"
)
_SECRETS = (
    # a value beside its name, as in JSON (quotes may be escaped once), a query or a header
    re.compile(
        rf"""(?i)(?P<keep>(?:^|[\\"'?&\s;{{,])(?:{_NAMES})\\?["']?\s*[:=]\s*\\?["']?)(?P<secret>[^\s"'\\&;,}}]{{8,}})"""
    ),
    re.compile(r"(?i)(?P<keep>[?&](?:code|state|link)=)(?P<secret>[^\s\"'\\&]+)"),
    re.compile(r"(?i)(?P<keep>\bbearer\s+)(?P<secret>[^\s\"'\\,;]+)"),
    re.compile(r"(?P<keep>__Host-[A-Za-z-]+=)(?P<secret>[^\s\"'\\;,]+)"),
    re.compile(r"(?P<keep>\bwf_)(?P<secret>[A-Za-z0-9_-]{8,})"),
)


def redacted(text: str) -> str:
    """`text` with every credential that can be told by its form or its name blotted out."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found["keep"] + BLOT, text)
    return text


class RedactingFormatter(LambdaPowertoolsFormatter):
    def serialize(self, log: Any) -> str:
        return redacted(super().serialize(log))


@functools.cache
def set_up_logging() -> None:
    """JSON lines for `watchferry.*` on standard output, libraries at WARNING. Done once per process."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Named after the package, so that the standard loggers of its modules are its children.
    log = Logger(
        service="watchferry",
        logger_formatter=RedactingFormatter(utc=True, use_rfc3339=True, serialize_stacktrace=False),
    )
    log.append_keys(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "watchferry"))
