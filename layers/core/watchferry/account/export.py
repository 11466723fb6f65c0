"""`GET /account/export`: everything that is kept about a user, as JSON, secrets left out (http-api.md, Auth broker).

What only serves work under way — checkpoints, leases, sign-ins that have not ended — is not in it.
"""

import gzip
import json
from collections.abc import Mapping
from typing import Any

from watchferry.account.belongings import BELONGINGS, Tables
from watchferry.errors import Problem
from watchferry.http_api import Answer, Ok
from watchferry.models import iso
from watchferry.storage.account import Account

LARGEST = 4_500_000
"""Bytes: Lambda answers 6 MB at most, and what is binary goes through it in base64."""

NAME = {"Content-Disposition": 'attachment; filename="watchferry-export.json"', "Vary": "Accept-Encoding"}


def export(tables: Tables, account: Account, now: float) -> Mapping[str, Any]:
    """`{exported_at, account, settings, state, connections, sessions, api_tokens, runs, ledger, …}`: belongings.py."""
    told: dict[str, Any] = {"exported_at": iso(now)}
    for belongings in BELONGINGS:
        told |= belongings.export(tables, account)
    return told


def as_download(told: Mapping[str, Any], *, takes_gzip: bool) -> Ok[bytes]:
    """Compressed where the caller takes that: ten thousand views are some 8 MB, and a tenth of that compressed.

    Raises Problem 406 `too_large` for what Lambda cannot carry.
    """
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    headers = dict(NAME)
    if takes_gzip:
        body = gzip.compress(body, 6, mtime=0)
        headers["Content-Encoding"] = "gzip"
        instead = "read the runs and their events one by one, under /sync/runs"
    else:
        instead = "ask for it compressed, with Accept-Encoding: gzip"
    if len(body) > LARGEST:
        raise Problem(406, "too_large", f"{len(body)} bytes, and {LARGEST} fit into an answer; {instead}")
    return Answer(200, body, headers)
