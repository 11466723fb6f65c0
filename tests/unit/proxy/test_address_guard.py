"""The address guard: which addresses of users' own are called (issue "One safe door", http-api.md, Fine print)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile import (
    AT_HOME,
    BAD_QUERIES,
    FORMS,
    GOOD,
    GOOD_NAMES,
    IPV4,
    IPV4_IN_DISGUISE,
    IPV6,
    MIXED,
    QUERIES,
)
from watchferry.errors import BlockedAddress
from watchferry.proxy.address_guard import HOME_4, METADATA, SPECIAL_4, AddressGuard

STRICT, HOME, WEBHOOK = AddressGuard(), AddressGuard(allow_private=True), AddressGuard(query=True)
FOUR = st.ip_addresses(v=4)
SIX = st.ip_addresses(v=6)


def test_nineteen_ranges() -> None:
    """All of IANA's list, none twice, none within another but the broadcast address."""
    assert len(set(SPECIAL_4)) == 19
    inside = [(a, b) for a in SPECIAL_4 for b in SPECIAL_4 if a != b and a.subnet_of(b)]
    assert inside == [(IPv4Network("255.255.255.255/32"), IPv4Network("240.0.0.0/4"))]


@pytest.mark.parametrize("ip", IPV4 + IPV6)
def test_special_addresses(ip: str) -> None:
    """None is connected to."""
    assert not STRICT.permits(ip, 443)


@pytest.mark.parametrize("ip", AT_HOME)
def test_a_home_may_open_itself(ip: str) -> None:
    """With `AllowPrivateProwlarr` private and loopback addresses pass; without it they do not."""
    assert HOME.permits(ip, 9696)
    assert not STRICT.permits(ip, 9696)


@pytest.mark.parametrize("ip", sorted(set(IPV4 + IPV6)))
def test_what_a_home_never_opens(ip: str) -> None:
    """Link-local, metadata, unspecified, multicast, broadcast and reserved addresses: whatever the setting is."""
    address = IPv4Address(ip) if ":" not in ip else IPv6Address(ip).ipv4_mapped or IPv6Address(ip)
    private = address.is_private and (
        any(address in network for network in HOME_4) or address == IPv6Address("::1") or ip.startswith(("fc", "fd"))
    )
    assert HOME.permits(ip, 443) == (private and not any(address in network for network in METADATA))


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_lambda_s_own_runtime(ip: str) -> None:
    """A function must not be made to call the interface that it gets its events from."""
    assert not HOME.permits(ip, 9001)
    assert HOME.permits(ip, 9696)


def test_another_port_9001() -> None:
    """On another machine it is anybody's."""
    assert HOME.permits("192.168.1.5", 9001)
    assert STRICT.permits("8.8.8.8", 9001)


@pytest.mark.parametrize(
    "ip", ["", "x", "1.1.1", "8.8.8.8 ", "0x8080808", "fe80::1%eth0", "2606:4700::1%lo", "08.8.8.8"]
)
def test_answers_that_are_no_addresses(ip: str) -> None:
    """A resolver that says such a thing is not believed."""
    assert not STRICT.permits(ip, 443)


@pytest.mark.parametrize("text", FORMS + QUERIES)
def test_not_canonical(text: str) -> None:
    """Refused as it stands; what is said about it repeats nothing of it."""
    with pytest.raises(BlockedAddress) as refused:
        STRICT.read(text)
    assert len(text) < 8 or text not in str(refused.value)


@pytest.mark.parametrize("host", IPV4_IN_DISGUISE)
def test_ipv4_in_disguise(host: str) -> None:
    """Integers, octal, hexadecimal and short forms mean something else to every program: refused, with any setting."""
    for guard in (STRICT, HOME, WEBHOOK):
        with pytest.raises(BlockedAddress):
            guard.read(f"http://{host}/")


@pytest.mark.parametrize("text", [text for text in FORMS if "?" not in text] + BAD_QUERIES)
def test_webhooks_may_have_a_query_and_nothing_else(text: str) -> None:
    """No user, no fragment, no escape outside of the query."""
    with pytest.raises(BlockedAddress):
        WEBHOOK.read(text)


def test_queries_of_webhooks() -> None:
    """Kept to the letter."""
    for text in (*QUERIES[1:2], "https://ntfy.example/up?auth=QmFzaWM&x=%2Ftriggers%2f?/:@", "https://x.example/a?"):
        assert WEBHOOK.read(text).text == text
    assert WEBHOOK.read("http://example.org?a=1").text == "http://example.org/?a=1"


@pytest.mark.parametrize("text", GOOD + list(GOOD_NAMES))
def test_good_addresses(text: str) -> None:
    """At least twenty ways of writing an address that people do have."""
    address = STRICT.read(text)
    assert STRICT.read(address.text) == address
    if text in GOOD:
        assert STRICT.permits(address.host, address.port)
    else:
        assert all(STRICT.permits(ip, address.port) for ip in GOOD_NAMES[text])


def test_enough_of_them() -> None:
    """The figures of the issue."""
    assert len(set(IPV4 + IPV4_IN_DISGUISE + IPV6 + FORMS)) + len(MIXED) >= 200
    assert len(GOOD) + len(GOOD_NAMES) >= 20


def test_parts() -> None:
    """An address in one form, with what may be shown of it."""
    address = WEBHOOK.read("HTTPS://Discord.COM:443/api/webhooks/1/TOKEN?wait=true")
    assert (address.scheme, address.host, address.port) == ("https", "discord.com", 443)
    assert (address.site, address.netloc, address.target) == (
        "https://discord.com",
        "discord.com",
        "/api/webhooks/1/TOKEN?wait=true",
    )
    assert address.masked == "https://discord.com/***"
    assert "TOKEN" not in repr(address)
    assert STRICT.read("http://[2606:4700::1]:8080").netloc == "[2606:4700::1]:8080"


@given(st.text())
@example("http://example.org/\udc80")
def test_any_text(text: str) -> None:
    """Is refused, or is an address that is read again as the same."""
    for guard in (STRICT, WEBHOOK):
        for tried in (text, f"http://{text}/", f"https://example.org{text}", f"https://example.org/{text}"):
            try:
                address = guard.read(tried)
            except BlockedAddress:
                continue
            assert guard.read(address.text) == address
            assert address.text.isascii()
            assert not set(address.text) & set("\\#@ \r\n\t") - {"@"}
            assert "@" not in address.site


@given(FOUR)
def test_ipv4_by_its_ranges(ip: IPv4Address) -> None:
    """Public is what no range holds, in agreement with Python's own table; a home adds private ones alone."""
    if STRICT.permits(str(ip), 80):
        assert ip.is_global
        assert not ip.is_multicast
        assert HOME.permits(str(ip), 80)
    elif HOME.permits(str(ip), 80):
        assert any(ip in network for network in HOME_4)


@given(FOUR)
@example(IPv4Address("127.0.0.1"))
@example(IPv4Address("169.254.169.254"))
def test_ipv4_inside_of_ipv6(ip: IPv4Address) -> None:
    """However it is wrapped, it passes only if it passes by itself."""
    number, bare = int(ip), STRICT.permits(str(ip), 80)
    assert STRICT.permits(str(IPv6Address((0xFFFF << 32) | number)), 80) == bare  # mapped
    assert STRICT.permits(str(IPv6Address((0x64FF9B << 96) | number)), 80) == bare  # NAT64
    isatap = (0x26064700 << 96) | (0x5EFE << 32) | number
    assert STRICT.permits(str(IPv6Address(isatap)), 80) == bare
    assert STRICT.permits(str(IPv6Address(isatap | (0x0200 << 48))), 80) == bare
    for never in (
        number,  # compatible
        (0xFFFF << 48) | number,  # translated
        (0x2002 << 112) | (number << 80) | 1,  # 6to4
        (0x20010000 << 96) | (number ^ 0xFFFFFFFF),  # Teredo
        (0x64FF9B0001 << 80) | number,  # NAT64 of a network's own
    ):
        assert not STRICT.permits(str(IPv6Address(never)), 80)
        if never > 1:
            assert not HOME.permits(str(IPv6Address(never)), 80)


@given(SIX)
def test_ipv6_by_its_ranges(ip: IPv6Address) -> None:
    """Only what Python's table calls global as well passes."""
    if STRICT.permits(str(ip), 80):
        assert (ip.ipv4_mapped or ip).is_global
