"""Where a request comes from, and what is believed of it."""

from ipaddress import ip_address, ip_network

import pytest

from esito.api.http.client_address import client_address, customer, is_within

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def seen(client: str | None, *forwarded: str | None) -> str:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded if line is not None]
    scope = {"client": None if client is None else (client, 1), "headers": headers}
    return str(client_address(scope, TRUSTED))


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("198.51.100.1", None, "198.51.100.1"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),  # who is not trusted may write what he likes
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what stands left was the client's own
        ("10.0.0.1", "203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("10.0.0.1", "10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db9::1", "2001:db9::1"),
        (None, "203.0.113.9", "None"),
    ],
)
def test_the_address_is_the_last_that_nobody_could_invent(
    client: str | None, forwarded: str | None, address: str
) -> None:
    assert seen(client, forwarded) == address


def test_lines_of_several_proxies_are_one_list_read_from_the_right() -> None:
    """HAProxy appends a line of its own; what the client wrote stands before it."""
    assert seen("10.0.0.1", "1.1.1.1", "203.0.113.9") == "203.0.113.9"
    assert seen("10.0.0.1", "203.0.113.9", "10.2.2.2") == "203.0.113.9"
    assert seen("10.0.0.1", "1.1.1.1, 2.2.2.2", "203.0.113.9, 10.2.2.2", "10.3.3.3") == "203.0.113.9"


def test_networks_are_of_either_version() -> None:
    assert is_within(ip_address("192.0.2.7"), ["2001:db8::/32", "192.0.2.0/24"])
    assert not is_within(ip_address("192.0.3.7"), ["2001:db8::/32", "192.0.2.0/24"])
    assert not is_within(None, ["0.0.0.0/0"])


def test_a_customer_of_ipv6_has_many_addresses() -> None:
    assert customer(ip_address("2001:db9:1:2:3::4")) == customer(ip_address("2001:db9:1:2::9")) == "2001:db9:1:2::/64"
    assert customer(ip_address("192.0.2.7")) == "192.0.2.7"
