"""Which addresses are Prowlarr's own, and what they are called here."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchferry.clients.web_address import WebAddress
from watchferry.proxy import policy, query
from watchferry.proxy.prowlarr.links import Link, leads_inside, link_of

BASE = WebAddress("https", "prowlarr.example", 443, "/base/")
OWN = "https://prowlarr.example"


@pytest.mark.parametrize(
    ("address", "path", "asked"),
    [
        (f"{OWN}/base/7/download?apikey=K&link=a%2Bb&file=x+y", "/7/download", "link=a%2Bb&file=x+y"),
        (f"{OWN}:443/7/download?link=a&ApiKey=K", "/7/download", "link=a"),
        ("HTTPS://Prowlarr.Example./7/download", "/7/download", ""),
        (f"{OWN}/base/api/v1/indexer/7/download?link=a", "/7/download", "link=a"),
        ("http://10.0.0.2:9696/x/7/download?apikey=K&link=a&file=b", "/7/download", "link=a&file=b"),
        ("http://prowlarr.example/1/download?link=a&file=b", "/1/download", "link=a&file=b"),
        (f"{OWN}:9696/x/1/download?link=a", "/1/download", "link=a"),
        ("http://10.0.0.5:9696/prowlarr/1/download?apikey=K&link=a", "/1/download", "link=a"),
        ("http://prowlarr:9696/1/download?link=a", "/1/download", "link=a"),
        ("http://prowlarr:9696/api/v1/magnet/redirect/12", "/api/v1/magnet/redirect/12", ""),
        (f'{OWN}/7/download?file=Ф м"<#>', "/7/download", "file=%D0%A4%20%D0%BC%22%3C"),
        (f"{OWN}/7/download?link=a&ticket=x&b=wf_{'A' * 43}", "/7/download", "link=a"),
    ],
)
def test_own(address: str, path: str, asked: str) -> None:
    """With any urlBase, at any address that Prowlarr takes for its own; never with a credential."""
    assert link_of(BASE, address) == Link(path, asked)


@pytest.mark.parametrize(
    "address",
    [
        *("https://tracker.test/7/download", "https://tracker.test/7/download?link=a&file=b", f"{OWN}/base/login"),
        *(f"{OWN}/x/download", f"{OWN}/7/download/x", f"{OWN}/7//download", f"{OWN}/٧/download", f"{OWN}/7/Download"),
        *("ftp://prowlarr.example/7/download", "http://[::1/7/download", "http://x:y/7/download", "", "//x/7/download"),
        *("https://x.test/api/v1/search", "https://x.test/api/v1/download/redirect/a.b"),
    ],
)
def test_not_one_of_those(address: str) -> None:
    """A tracker's own address stays what it is."""
    assert link_of(BASE, address) is None


@pytest.mark.parametrize(
    "host",
    [
        *("prowlarr.example", "PROWLARR.example.", "prowlarr.example:8443", "user@prowlarr.example"),
        *("prowlarr", "localhost:9696", "a.localhost", "nas.local", "x.internal.", "box.home.arpa", "nas.lan"),
        *("10.0.0.5", "192.168.1.5:80", "127.0.0.1", "169.254.169.254", "172.16.0.1", "100.64.0.1", "0.0.0.0"),
        *("127.1", "2130706433", "0x7f.0.0.1", "010.0.0.1", "[::1]:9696", "[fd00::1]", "[fe80::1%25eth0]"),
        *(
            "[::ffff:10.0.0.5]",
            "[::ffff:a00:5]",
            "１０.0.0.5",
            "10。0。0。5",
            "%31%30.0.0.5",
            "a..b",
            "evil.test\\@x.test",
        ),
    ],
)
def test_inside(host: str) -> None:
    """The user's own host, whatever scheme and port; what is reached on the inside alone; what cannot be read."""
    for scheme in ("http", "https"):
        assert leads_inside(BASE, f"{scheme}://{host}/anything")


@pytest.mark.parametrize(
    "host",
    [
        *("prowlarr.example.evil.test", "prowlarr.example@evil.test", "tracker.test:8080", "a_b.test", "1.1.1.1"),
        *("[2606:4700::1111]", "кино.рф", "local.test", "10.0.0.5.test"),
    ],
)
def test_outside(host: str) -> None:
    """Everybody's internet."""
    assert not leads_inside(BASE, f"http://{host}/anything")


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from([OWN, "http://10.0.0.2:9696", "https://evil.test"]))
@example("/7/download", "a p i key=K&apikey=K&APIKEY=K&%61pikey=K", OWN)
def test_whatever_it_is(path: str, asked: str, host: str) -> None:
    """A link is a row of the table, may stand in a request line, and names no key."""
    for address in (f"{host}{path}?{asked}", f"{host}/7/download?apikey=K&link=a&file=b&{asked}"):
        if link := link_of(BASE, address):
            assert policy.find("prowlarr", "GET", link.path)
            assert re.fullmatch(r"[!-~]*", link.query, re.ASCII)
            assert "#" not in link.query
            assert not any(name.lower() == "apikey" for name, _ in query.meant(link.query))
