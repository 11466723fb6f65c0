"""Bodies of answers, unpacked.

Only gzip is asked for, and once. But edges mislabel: a body is gzipped twice, or is said to be, or is said to be
gzipped and is plain (TMDB's edge did so for two days). No client can read such an answer; if it holds JSON, it is
repaired.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

GZIP = b"\x1f\x8b\x08"
"""The first bytes of everything that is gzipped."""

CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

MOST_LAYERS = 3
"""That are undone of a mislabelled body: a gzip file can hold itself, layer after layer, without an end."""


class Unreadable(Exception):
    """The body is not what its label says, and no JSON either."""


class TooLong(Exception):
    """Longer than the caller allows, packed or unpacked."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    body: bytes = field(repr=False)
    repaired: bool = False
    """Whether the label was wrong. Such an answer serves the one who asked, and is not kept."""


def unpacked(parts: Iterable[bytes], label: str, content_type: str, largest: int) -> Unpacked:
    """The body whose bytes come as `parts`; `label` is its Content-Encoding. Raises Unreadable, TooLong.

    Never more than `largest` bytes of any layer are in memory: a small packed answer may unpack to gigabytes.
    """
    packed = bytearray()
    for part in parts:
        packed += part
        if len(packed) > largest:
            raise TooLong
    body = _as_labelled(bytes(packed), label, largest)
    if body is not None and not (body.startswith(GZIP) and _is_text(content_type)):
        return Unpacked(body)
    return Unpacked(_json(bytes(packed), largest), repaired=True)


def _as_labelled(packed: bytes, label: str, largest: int) -> bytes | None:
    """None: the label is wrong, or names what nobody asked for."""
    codings = [coding for coding in map(str.strip, label.lower().split(",")) if coding not in {"", "identity"}]
    if not packed or not codings:
        return packed
    if len(codings) > 1 or codings[0] not in CODINGS:
        return None
    try:
        return _layer_undone(packed, largest)
    except zlib.error:
        return None


def _json(packed: bytes, largest: int) -> bytes:
    """The JSON in it, however often it is gzipped."""
    body = packed
    try:
        for _ in range(MOST_LAYERS):
            if body.startswith(GZIP):
                body = _layer_undone(body, largest)
        json.loads(body)
    except (zlib.error, ValueError, RecursionError) as error:
        raise Unreadable from error
    return body


def _layer_undone(packed: bytes, largest: int) -> bytes:
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    body = inflate.decompress(packed, largest + 1)
    if len(body) > largest:
        raise TooLong
    if not inflate.eof or inflate.unused_data.startswith(GZIP):
        raise zlib.error("that is not all of it")
    return body


def _is_text(content_type: str) -> bool:
    """Types that are no gzip file; an answer without one is read as if it were text."""
    media_type = content_type.partition(";")[0].strip().lower()
    return not media_type or media_type.startswith("text/") or media_type.endswith(("json", "xml"))
