"""What the page is made of and how it is served (from CloudFront's response headers policy and S3's own headers)."""

import gzip
import re

import httpx
import pytest

from tests.cloud.stack import LocalTransport
from tests.stack.deployed import Deployed

pytestmark = pytest.mark.stack

FIRST_LOAD = 170_000
"""Bytes of JavaScript, compressed as they are stored."""

HEADERS = {
    "strict-transport-security": "max-age=63072000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture
def site(deployed: Deployed) -> httpx.Client:
    return httpx.Client(base_url=deployed.stack.site_url, transport=LocalTransport())


@pytest.mark.parametrize("path", ["/", "/connect", "/runs/an-id", "/index.html", "/sw.js", "/manifest.webmanifest"])
def test_security_headers(site: httpx.Client, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "no-cache"
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"


def test_the_page_s_own_routes(site: httpx.Client) -> None:
    """They are all the one page, and nothing in it is inline."""
    index = site.get("/settings").text
    assert index == site.get("/").text
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|javascript:", index) == []


def test_assets_are_kept_for_ever(site: httpx.Client) -> None:
    """Their names change with their content."""
    names = re.findall(r'(?:src|href)="(/assets/[^"]+)"', site.get("/").text)
    assert len(names) >= 2
    for name in names:
        assert re.search(r"-[\w-]{8}\.(js|css)$", name)
        answer = site.get(name)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"


def test_the_worker_keeps_the_shell_alone(site: httpx.Client) -> None:
    worker = site.get("/sw.js")
    assert worker.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    files = re.search(r"const FILES = \[(.*?)\];", worker.text)
    assert files
    names = re.findall(r'"([^"]+)"', files[1])
    assert "/index.html" in names
    assert not [name for name in names if name.startswith(("/api", "/t/p"))]
    for name in names:
        assert site.get(name).status_code == 200, name


@pytest.mark.parametrize(("page", "texts"), [("Connect", "connect"), ("Home", "home")])
def test_the_first_load_is_small(site: httpx.Client, page: str, texts: str) -> None:
    """Every script that is loaded before the page is there, with its texts in the longer language."""
    known = re.search(r"const FILES = \[(.*?)\];", site.get("/sw.js").text)
    assert known
    files = {name: site.get(name).text for name in re.findall(r'"(/assets/[^"]+\.js)"', known[1])}
    [entry] = re.findall(r'<script type="module"[^>]* src="(/assets/[^"]+)"', site.get("/").text)
    first = closure(files, entry)
    # The page's own chunk is the one of its name that exports it; texts are files of JSON, made scripts.
    [own] = [name for name, code in files.items() if re.search(rf"as {page}\b", code)]
    first |= closure(files, own)
    for namespace in ("common", texts):
        chunks = [name for name in files if name.startswith(f"/assets/{namespace}-") and name != own]
        first |= {max(chunks, key=lambda name: len(files[name]))}
    assert sum(len(gzip.compress(files[name].encode(), 9)) for name in first) <= FIRST_LOAD


def closure(files: dict[str, str], name: str) -> set[str]:
    """A script and all that it imports at once."""
    found, left = set[str](), [name]
    while left:
        if (each := left.pop()) not in found:
            found.add(each)
            left += [f"/assets/{other}" for other in re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', files[each])]
    return found
