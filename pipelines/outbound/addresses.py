"""Which addresses a tenant may have us connect to: public ones, and what the operator allows."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from AntiSSRF.ipaddress_ranges import IPAddressRanges  # type: ignore[import-untyped]

from schemas.errors.work import CannotStart

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

SPECIAL = tuple(ip_network(each) for each in IPAddressRanges.recommended_latest)
"""What is not the public internet, or leads back inside by translation or tunnel: Microsoft's list."""

UNICAST_V6 = IPv6Network("2000::/3")
"""All of IPv6 that is given out for the internet (RFC 4291); what embeds an IPv4 address lies outside or is special."""


@dataclass(frozen=True)
class Allowed:
    """What the operator allows besides the public internet: networks on any port, and single places."""

    networks: tuple[Network, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "Allowed":
        """Return what a list such as `10.1.0.0/16, crm.corp:8443, [fd00::7]:80` allows. Raises CannotStart."""
        networks, places = list[Network](), set[tuple[str, int]]()
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                places.add(_place(entry))
        return cls(tuple(networks), frozenset(places))

    def names(self, host: str, port: int) -> bool:
        """Return whether the operator has named this place."""
        return (host, port) in self.places

    def takes(self, address: Address) -> bool:
        """Return whether a connection may go to this address."""
        return any(address in network for network in self.networks) or is_public(address)


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet, of nobody's inside, and of one machine."""
    if isinstance(address, IPv6Address) and address not in UNICAST_V6:
        return False
    return address.is_global and not any(address in network for network in SPECIAL)


def literal(host: str) -> Address | None:
    """Return the address that a host is written as; None where it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _place(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise CannotStart(f"AURA_OUTBOUND_ALLOW: {entry!r} is neither `host:port` nor a network such as 10.1.0.0/16.")
    return host, int(port)
