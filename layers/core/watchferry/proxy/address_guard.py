"""Which addresses of users' own are called: canonical ones, and of those only what is on the public internet.

Nothing here resolves or connects: clients/guarded.py asks `permits` of every answer before it connects to one of them.
Names are judged by their form alone: whoever owns one lets it resolve to anything.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal, cast

from watchferry.clients.web_address import WebAddress
from watchferry.errors import BlockedAddress

LONGEST = 2048
LONGEST_NAME = 253

RUNTIME_PORT = 9001
"""On loopback Lambda's own runtime API listens here: what it hands out are the events of this very function."""

SPECIAL_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network: RFC 791, 3.2
        "10.0.0.0/8",  # private: RFC 1918
        "100.64.0.0/10",  # shared by a carrier's customers: RFC 6598
        "127.0.0.0/8",  # loopback: RFC 1122, 3.2.1.3
        "169.254.0.0/16",  # link-local, and most clouds' metadata: RFC 3927
        "172.16.0.0/12",  # private: RFC 1918
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata: RFC 6890, 2.1
        "192.0.2.0/24",  # documentation: RFC 5737
        "192.31.196.0/24",  # AS112: RFC 7535
        "192.52.193.0/24",  # automatic multicast tunnelling: RFC 7450
        "192.88.99.0/24",  # 6to4 relays, deprecated: RFC 7526
        "192.168.0.0/16",  # private: RFC 1918
        "192.175.48.0/24",  # AS112, direct delegation: RFC 7534
        "198.18.0.0/15",  # benchmarks: RFC 2544
        "198.51.100.0/24",  # documentation: RFC 5737
        "203.0.113.0/24",  # documentation: RFC 5737
        "224.0.0.0/4",  # multicast: RFC 5771
        "240.0.0.0/4",  # reserved: RFC 1112, 4
        "255.255.255.255/32",  # broadcast: RFC 919, 7
    )
)
"""IANA's registry of special-purpose IPv4 addresses (RFC 6890), and multicast."""

PUBLIC_6 = IPv6Network("2000::/3")
"""Global unicast as far as IANA hands it out (RFC 4291, 2.4). Everything else is denied without being named."""

SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments (RFC 2928): Teredo (RFC 4380), benchmarks, ORCHID, AS112 and others
        "2001:db8::/32",  # documentation: RFC 3849
        "2002::/16",  # 6to4, an IPv4 address inside: RFC 3056, deprecated by RFC 7526
        "2620:4f:8000::/48",  # AS112: RFC 7534
        "3ffe::/16",  # the 6bone, given back: RFC 3701
        "3fff::/20",  # documentation: RFC 9637
    )
)
"""What is special within PUBLIC_6."""

NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address behind a translator (RFC 6052, 2.1). The prefix for local use (RFC 8215) is denied."""

ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The first half of an interface id whose second half is an IPv4 address (RFC 5214, 6.1)."""

HOME_4 = tuple(IPv4Network(network) for network in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
HOME_6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
"""What a deployment at home may let through: private (RFC 1918, RFC 4193) and loopback addresses."""

METADATA = (
    IPv4Network("168.63.129.16/32"),  # Azure: a public address
    IPv6Network("fd00:ec2::/32"),  # AWS: metadata, credentials of containers, DNS, time
    IPv6Network("fd20:ce::/64"),  # Google
)
"""A cloud's own services for whoever runs in it, where no range above denies them in any case."""

_FORM = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[a-z0-9._~!$&'()*+,;=:@/-]*)?(?:\?(?P<query>(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*))?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 3986 without what an http address of ours never needs: userinfo, fragments, escapes before the query."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""What browsers and resolvers read as IPv4, in whatever form (WHATWG URL, "ends in a number checker")."""


@dataclass(frozen=True, slots=True)
class AddressGuard:
    allow_private: bool = False
    """`AllowPrivateProwlarr` of the deployment."""
    query: bool = False
    """Whether an address may have a query: a webhook's may, a base address may not."""

    def read(self, text: str) -> WebAddress:
        """Raises BlockedAddress for what is not a canonical http(s) address. Its text repeats nothing of it."""
        found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
        if found is None:
            raise BlockedAddress("it must be a plain http or https address, without a user, a fragment or escapes")
        if found["query"] is not None and not self.query:
            raise BlockedAddress("it must not have a query")
        scheme = cast(Literal["http", "https"], found["scheme"].lower())
        port = int(found["port"] or (443 if scheme == "https" else 80))
        if port > 65535:
            raise BlockedAddress("there is no such port")
        path = found["path"] or "/"
        if any(part in {".", ".."} for part in path.split("/")) or "//" in path:
            raise BlockedAddress("its path must not have empty parts or dots alone")
        host = _six(found["six"]) if found["six"] else _name(found["name"])
        return WebAddress(scheme, host, port, path, found["query"])

    def permits(self, ip: str, port: int) -> bool:
        """Whether this very address may be connected to. `ip` is what a resolver said, or a literal."""
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        if isinstance(address, IPv4Address):
            return self._permits_4(address, port)
        return address.scope_id is None and self._permits_6(address, port)

    def _permits_4(self, address: IPv4Address, port: int) -> bool:
        if address in METADATA[0]:
            return False
        if self.allow_private and any(address in network for network in HOME_4):
            return not (address.is_loopback and port == RUNTIME_PORT)
        return not any(address in network for network in SPECIAL_4)

    def _permits_6(self, address: IPv6Address, port: int) -> bool:
        """Forms with an IPv4 address inside are judged by that one where a machine may connect to it, else denied."""
        if address.ipv4_mapped is not None:  # ::ffff:0:0/96, RFC 4291, 2.5.5.2: the machine connects by IPv4
            return self._permits_4(address.ipv4_mapped, port)
        if address in NAT64:
            return AddressGuard()._permits_4(_last_32(address), port)
        if (int(address) >> 32) & 0xFFFF_FFFF in ISATAP and not AddressGuard()._permits_4(_last_32(address), port):
            return False
        if any(address in network for network in METADATA[1:]):
            return False
        if self.allow_private and any(address in network for network in HOME_6):
            return not (address.is_loopback and port == RUNTIME_PORT)
        return address in PUBLIC_6 and not any(address in network for network in SPECIAL_6)


def _last_32(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)


def _six(text: str) -> str:
    """One way of writing an address, so that nothing after this reads it differently (RFC 5952)."""
    try:
        address = IPv6Address(text)
    except ValueError:
        raise BlockedAddress("that is no IPv6 address") from None
    if str(address) != text.lower():
        raise BlockedAddress("an IPv6 address must be written in its shortest form")
    return str(address)


def _name(text: str) -> str:
    """A name, or IPv4 as four decimal numbers: short, octal and hexadecimal forms are read differently everywhere."""
    name = text.lower()
    if _ENDS_IN_A_NUMBER.fullmatch(name):
        try:
            return str(IPv4Address(name))  # refuses leading zeros
        except ValueError:
            raise BlockedAddress("an IPv4 address must be written as four decimal numbers") from None
    if len(name) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise BlockedAddress("that is no name of a host")
    return name
