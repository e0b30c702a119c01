"""What is refused by the URL alone: at the send, with no name server asked."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.config import CallbackSettings
from esito.config_rules import port_range
from esito.webhooks.addresses import Judge
from esito.webhooks.targets import refusal
from tests.unit.webhooks.test_addresses import SPELLINGS

NAMED = {host for name, host in SPELLINGS.items() if name.startswith("localhost")}
"""Names: where they lead is found out when they are called."""

STRICT = Judge(ports=[port_range(one) for one in CallbackSettings().ports])


@pytest.mark.parametrize("host", [host for host in SPELLINGS.values() if host not in NAMED])
def test_an_address_is_refused_in_whatever_spelling(host: str) -> None:
    assert refusal(f"http://{host}:8000/dlr?secret=1", Judge())
    assert "secret" not in refusal(f"http://{host}:8000/dlr?secret=1", Judge())


@pytest.mark.parametrize("url", [
    "https://example.org/", "https://b\u00fccher.example/", "http://193.0.6.139:8080/", "http://[2a00:1450:4007:80e::200e]/",
    "http://user:secret@193.0.6.139/", "https://10.example/", "https://1.2.3.4.5/", "http://localhost:8000/",
])  # fmt: skip
def test_names_and_public_addresses_are_not(url: str) -> None:
    assert refusal(url, STRICT) == ""


@pytest.mark.parametrize("host", ["example.org", "193.0.6.139", "[2a00:1450:4007:80e::200e]"])
def test_a_port_that_is_left_out_is_refused_whatever_the_host(host: str) -> None:
    assert refusal(f"http://{host}:25/", STRICT).endswith("is called at port 25, which [callbacks] ports leaves out")
    assert refusal(f"http://{host}:25/", Judge()) == ""


def test_where_private_networks_are_allowed_the_rest_stays_refused() -> None:
    judge = Judge(allow_private_networks=True, refused_networks=["10.0.0.0/8"])
    assert refusal("http://192.168.0.7/", judge) == refusal("http://127.0.0.1:8000/", judge) == ""
    assert refusal("http://167772167/", judge) == "10.0.0.7 is in one of [callbacks] refused_networks"
    assert refusal("http://0/", judge) == "0.0.0.0 is no address of a host"


def test_an_address_of_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = IPv4Address("93.184.216.34")
    monkeypatch.setattr("esito.webhooks.addresses._can_bind", lambda address: address == ours)
    assert refusal("https://93.184.216.34/", Judge()) == "93.184.216.34 is an address of this machine"


@given(st.text(max_size=60))
def test_nothing_that_is_written_as_a_host_is_a_fault_of_ours(host: str) -> None:
    for url in (f"http://{host}/", f"http://a.example/{host}", host):
        said = refusal(url, Judge())
        assert isinstance(said, str)


@pytest.mark.parametrize("sign", ["a", "\u00e9", "\u0378", "\u0301", "\u05d0", "\U0001f600", "xn--"])
def test_a_host_too_long_for_a_name_is_refused_before_it_is_looked_at(sign: str) -> None:
    assert refusal(f"http://{sign * 1900}/", Judge()) == "the host is no name"
