"""Values that are stored as compressed JSON: lists of events and checkpoints would not fit DynamoDB's 400 KB else."""

import gzip
import json
from typing import Any


def pack(value: Any) -> bytes:
    return gzip.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 6, mtime=0)


def unpack(data: bytes) -> Any:
    return json.loads(gzip.decompress(data))
