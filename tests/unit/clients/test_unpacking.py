"""Bodies are what their label says, or JSON that is found in them, or nothing at all (clients/unpacking.py)."""

import gzip
import json
import zlib

import pytest

from tests.upstreams.web import PACKINGS, Response, mislabelled
from watchferry.clients.unpacking import MOST_LAYERS, TooLong, Unpacked, Unreadable, unpacked

JSON = "application/json; charset=utf-8"
DATA = json.dumps([{"title": "Матрица", "number": number} for number in range(200)], ensure_ascii=False).encode()
LARGEST = 100_000


def read(body: bytes, label: str = "", kind: str = JSON, largest: int = LARGEST) -> Unpacked:
    """In parts, as it would come."""
    return unpacked((body[at : at + 1000] for at in range(0, len(body), 1000)), label, kind, largest)


def packed(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return body


@pytest.mark.parametrize("label", ["gzip", "GZIP", " x-gzip ", "gzip, identity"])
@pytest.mark.parametrize("kind", [JSON, "text/html", "image/png", ""])
def test_labelled_rightly(label: str, kind: str) -> None:
    """Whatever is in it."""
    for body in (DATA, b"<html>", bytes(range(256)), b""):
        assert read(gzip.compress(body), label, kind) == Unpacked(body)


@pytest.mark.parametrize("label", ["", "identity", "gzip", "br"])
def test_nothing(label: str) -> None:
    """HEAD, 204 and 304 have a label and no body."""
    assert read(b"", label) == Unpacked(b"")


def test_deflate() -> None:
    """In its documented form."""
    assert read(zlib.compress(DATA), "deflate") == Unpacked(DATA)


@pytest.mark.parametrize("packing", PACKINGS)
def test_mislabelled_json(packing: str) -> None:
    """Is found."""
    came = mislabelled(Response(200, DATA), packing)
    for kind in (JSON, "text/plain", ""):
        assert read(came.body, came.headers.get("Content-Encoding", ""), kind) == Unpacked(DATA, repaired=True)


@pytest.mark.parametrize("label", ["br", "zstd", "utf-8", "none", "gzip, br", "aws-chunked"])
def test_labels_that_nobody_asked_for(label: str) -> None:
    """JSON that can be read all the same is read."""
    assert read(DATA, label) == Unpacked(DATA, repaired=True)
    with pytest.raises(Unreadable):
        read(b"\x8b\x03\x80" + DATA, label)


@pytest.mark.parametrize("packing", PACKINGS)
def test_mislabelled_and_no_json(packing: str) -> None:
    """Who knows what it is."""
    came = mislabelled(Response(200, b"<html>502</html>"), packing)
    with pytest.raises(Unreadable):
        read(came.body, came.headers.get("Content-Encoding", ""), "text/html")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(DATA)[:-1],
        gzip.compress(DATA)[:200],
        gzip.compress(DATA)[:-8] + bytes(8),
        gzip.compress(DATA[:100]) + gzip.compress(DATA[100:]),
        packed(DATA, 2)[:-9],
        b"\x1f\x8b\x00 no gzip",
        b"[" * 50_000,
        b"\xff\xfe\x00",
        packed(DATA, MOST_LAYERS + 1),
    ],
    ids=["end", "half", "checksum", "members", "half of two", "form", "nesting", "bytes", "layers"],
)
@pytest.mark.parametrize("label", ["gzip", "gzip, gzip"])
def test_broken(body: bytes, label: str) -> None:
    """A part of an answer is none; what holds itself again and again is opened three times."""
    with pytest.raises(Unreadable):
        read(body, label)


def test_files_that_are_gzipped() -> None:
    """Keep every byte: there gzip is no label's matter."""
    file = gzip.compress(b"<nzb>")
    for kind in ("application/gzip", "application/x-nzb", "application/octet-stream", "application/x-bittorrent"):
        assert read(file, "", kind) == Unpacked(file)
        assert read(gzip.compress(file), "gzip", kind) == Unpacked(file)


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize("label", ["", "gzip", "gzip, gzip"])
def test_size(times: int, label: str) -> None:
    """It counts what comes out, of every layer; up to it, all does."""
    for size in (LARGEST, LARGEST + 1, 5_000_000):
        body = packed(b'"' + b"x" * (size - 2) + b'"', times)
        if size == LARGEST:
            assert len(read(body, label).body) == size
        else:
            with pytest.raises(TooLong):
                read(body, label)


def test_an_answer_without_an_end() -> None:
    """Is read no further than to the limit."""
    read_so_far = 0

    def parts():  # type: ignore[no-untyped-def]
        nonlocal read_so_far
        while True:
            read_so_far += 1
            yield b"x" * 1000

    with pytest.raises(TooLong):
        unpacked(parts(), "gzip", JSON, LARGEST)
    assert read_so_far == 101
