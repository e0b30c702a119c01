"""Which addresses callbacks may go to: by default none that is private to this network.

`ipaddress.is_global` alone passes IPv6 addresses that embed a private IPv4 address,
so those are unwrapped first and judged by the address inside.
"""

import socket
from collections.abc import Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TEREDO = IPv6Network("2001::/32")

_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""The upper half of the interface id of an ISATAP address (RFC 5214, 6.1)."""

_NAMED: tuple[tuple[IPv4Network | IPv6Network, str], ...] = (
    (IPv4Network("169.254.169.254/32"), "the address of a cloud's metadata"),
    (IPv4Network("168.63.129.16/32"), "the address of a cloud's metadata"),
    (IPv4Network("100.100.100.200/32"), "the address of a cloud's metadata"),
    (IPv4Network("192.0.0.192/32"), "the address of a cloud's metadata"),
    (IPv6Network("fd00:ec2::254/128"), "the address of a cloud's metadata"),
    (IPv6Network("fd20:ce::254/128"), "the address of a cloud's metadata"),
    (IPv4Network("100.64.0.0/10"), "a provider's shared address"),
    (IPv4Network("192.88.99.0/24"), "the address of a relay"),
    (IPv6Network("3fff::/20"), "an address for documentation"),
)


class Judge:
    """Decides which addresses and ports may be called."""

    def __init__(
        self,
        *,
        allow_private_networks: bool = False,
        refused_networks: Sequence[str] = (),
        ports: Sequence[range] = (range(1, 65536),),
    ) -> None:
        self._private = allow_private_networks
        self._refused = [ip_network(one) for one in refused_networks]
        self._ports = ports

    def why_not(self, address: Address, port: int) -> str:
        """Return why a port of an address must not be called; empty when it may be."""
        carried = unwrapped(address)
        if reason := self.why_not_port(port):
            return reason
        if any(one.version == each.version and each in one for one in self._refused for each in (address, carried)):
            return "in one of [callbacks] refused_networks"
        if self._private:
            return impossible(address)
        return forbidden(address) or ("an address of this machine" if is_ours(carried) else "")

    def why_not_port(self, port: int) -> str:
        """Return why a port must not be called on any address; empty when it may be."""
        if any(port in one for one in self._ports):
            return ""
        return f"called at port {port}, which [callbacks] ports leaves out"


def is_ours(address: Address) -> bool:
    """Whether an address belongs to this machine: no firewall sees what is sent there.

    A socket can be bound only to such an address, unless the system allows binding to any.
    """
    return _can_bind(address) and not _can_bind_to_any(address.version)


@cache
def _can_bind_to_any(version: int) -> bool:
    return _can_bind(IPv4Address("192.0.2.1") if version == 4 else IPv6Address("2001:db8::1"))


def _can_bind(address: Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 address, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64 or address in _TRANSLATED or (int(address) >> 32 & 0xFFFFFFFF) in _ISATAP:
        return low
    if address in _COMPATIBLE and int(address) > 1:  # :: and ::1 embed nothing
        return low
    return address


def forbidden(address: Address) -> str:
    """Return why an address must not be called, as `a loopback address`; empty when it may be."""
    carried = unwrapped(address)
    for network, name in _NAMED:
        if carried.version == network.version and carried in network:
            return name
    if isinstance(carried, IPv6Address) and carried.scope_id is not None:
        return "an address of one interface"
    if carried.is_loopback:
        return "a loopback address"
    if carried.is_unspecified:
        return "no address of a host"
    if carried.is_link_local:
        return "a link-local address"
    if carried.is_multicast:
        return "a multicast address"
    if isinstance(carried, IPv6Address) and (carried in _TEREDO or carried not in _GLOBAL_UNICAST):
        return "a private address" if carried.is_private else "a reserved address"
    if carried.is_private:
        return "a private address"
    return "" if carried.is_global and not carried.is_reserved else "a reserved address"


def impossible(address: Address) -> str:
    """Return why an address cannot be called even where private networks are allowed; empty when it can be."""
    carried = unwrapped(address)
    if carried.is_unspecified:
        return "no address of a host"
    if carried.is_multicast or carried == IPv4Address("255.255.255.255"):
        return "a multicast address"
    return ""
