"""Secrets where none may be: in what the functions log, in the tables, in answers to anybody."""

import gzip
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.stack.deployed import Deployed


def found(deployed: "Deployed") -> list[str]:
    """Of everything that this stack has said and keeps: the places and the secrets.

    Tokens and device codes are sealed; sessions, handles and states are hashes. The codes of Trakt's redirect are
    brought by the browser itself.
    """
    upstream = upstream_secrets(deployed)
    ours = upstream | deployed.secrets
    logs = "\n".join(line for log in lines(deployed).values() for line in log)
    answers = "\n".join(deployed.answers)
    return [
        *(f"a log: {secret}" for secret in ours if secret in logs),
        *(f"table {table}: {secret}" for table, item in stored(deployed) for secret in ours if secret in item),
        *(f"an answer: {secret}" for secret in upstream - set(deployed.upstreams.trakt.codes) if secret in answers),
    ]


def upstream_secrets(deployed: "Deployed") -> set[str]:
    """Every token, code and key that an upstream ever gave out."""
    trakt, kinopub = deployed.upstreams.trakt, deployed.upstreams.kinopub
    known = {trakt.client_secret, kinopub.client_secret, deployed.upstreams.tmdb.read_access_token}
    for app in (trakt, kinopub):
        known |= {*app.by_access, *app.by_refresh, *app.devices.flows}
    return known | set(trakt.codes)


def lines(deployed: "Deployed") -> dict[str, list[str]]:
    """Function → everything in its log."""
    logs = deployed.cloud("logs")
    return {
        logical: [
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
            for event in page["events"]
        ]
        for logical, name in deployed.stack.functions.items()
    }


def stored(deployed: "Deployed") -> Iterator[tuple[str, str]]:
    """Table → every value of it as text, unpacked."""
    for logical, name in deployed.stack.tables.items():
        for page in deployed.cloud("dynamodb").get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                yield logical, " ".join(map(_text, item.values()))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return gzip.decompress(value).decode()
        except (OSError, EOFError):
            return value.decode("latin1")
    if isinstance(value, dict):
        return " ".join(_text(part) for pair in value.items() for part in pair)
    if isinstance(value, list | set):
        return " ".join(map(_text, value))
    return str(value)
