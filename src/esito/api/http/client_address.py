"""Where a request comes from: the other end of the connection, or what a proxy that we trust says of it."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from esito.api.http.asgi import Scope

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

FORWARDED = b"x-forwarded-for"
PREFIX_V6 = 64
"""Bits of an IPv6 address that one customer shares; the rest is his own to choose."""


def client_address(scope: Scope, trusted: Sequence[Network]) -> Address | None:
    """Return the address; None when the connection has none, as in a test.

    `X-Forwarded-For` is read from its right end, as long as who wrote it is trusted: what
    stands left of the first other address may be anybody's invention.
    """
    client = scope.get("client")
    here = read_address(str(client[0])) if client else None
    if here is None or not trusted or not _within(here, trusted):
        return here
    # A proxy may append a line of its own: all of them together are the list.
    written = ",".join([value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED])
    for text in reversed(written.split(",")) if written else ():
        before = read_address(text.strip())
        if before is None:
            return here
        here = before
        if not _within(here, trusted):
            return here
    return here


def is_within(address: Address | None, networks: Sequence[str]) -> bool:
    """Tell whether an address lies in one of the networks; an unknown one lies in none."""
    return address is not None and _within(address, [_network(one) for one in networks])


def customer(address: Address) -> str:
    """Return what stands for whoever has this address: all of it, of an IPv6 address the first 64 bits."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, PREFIX_V6), strict=False))


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@lru_cache(maxsize=1024)
def _network(text: str) -> Network:
    return ip_network(text)


@lru_cache(maxsize=4096)
def read_address(text: str) -> Address | None:
    """Return an address, an IPv4-mapped one as the IPv4 address it is."""
    if text.startswith("[") and "]" in text:
        text = text[1 : text.index("]")]
    elif text.count(":") == 1:  # IPv4 with a port
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
