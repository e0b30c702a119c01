"""Addresses that only this network can reach are never called, in whatever spelling (callbacks.md#where-we-call)."""

import asyncio
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest

from esito.config import CallbackSettings
from esito.config_rules import port_range
from esito.webhooks.addresses import Judge, forbidden, impossible, is_ours
from esito.webhooks.sender import Attempt, Sender
from tests.kit.listener import Listener

SPELLINGS = {
    "loopback": "127.0.0.1",
    "loopback elsewhere in its network": "127.255.255.254",
    "loopback as one decimal number": "2130706433",
    "loopback in hexadecimal": "0x7f000001",
    "loopback in octal": "017700000001",
    "loopback in octal pieces": "0177.0.0.1",
    "loopback in mixed pieces": "0x7f.0.0.01",
    "loopback in two pieces": "127.1",
    "loopback in three pieces": "127.0.1",
    "loopback in full-width digits": "\uff11\uff12\uff17.0.0.1",
    "loopback with ideographic dots": "127\u30020\u30020\u30021",
    "loopback in circled digits": "\u2460\u2461\u2466.0.0.1",
    "loopback with a dot at its end": "127.0.0.1.",
    "nothing": "0",
    "no host": "0.0.0.0",
    "localhost": "localhost",
    "localhost with a dot": "localhost.",
    "localhost in capitals": "LOCALHOST",
    "IPv6 loopback": "[::1]",
    "IPv6 loopback in full": "[0:0:0:0:0:0:0:1]",
    "IPv6 no host": "[::]",
    "IPv4 mapped": "[::ffff:127.0.0.1]",
    "IPv4 mapped in hexadecimal": "[::ffff:7f00:1]",
    "IPv4 compatible": "[::127.0.0.1]",
    "IPv4 translated": "[::ffff:0:127.0.0.1]",
    "NAT64": "[64:ff9b::127.0.0.1]",
    "NAT64 of a private address": "[64:ff9b::a00:1]",
    "NAT64 of this network": "[64:ff9b:1::7f00:1]",
    "6to4": "[2002:7f00:1::]",
    "6to4 of a private address": "[2002:c0a8:101::1]",
    "Teredo": "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "ISATAP": "[2001:db9::5efe:7f00:1]",
    "ten": "10.0.0.7",
    "one hundred and seventy-two": "172.31.255.255",
    "one hundred and ninety-two": "192.168.1.1",
    "a provider's own": "100.64.0.1",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "metadata as one number": "2852039166",
    "metadata, mapped": "[::ffff:169.254.169.254]",
    "metadata over IPv6": "[fd00:ec2::254]",
    "metadata of a public address": "168.63.129.16",
    "metadata in the shared network": "100.100.100.200",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "documentation": "192.0.2.1",
    "benchmarks": "198.18.0.1",
    "IPv6 link-local": "[fe80::1]",
    "IPv6 link-local with its interface": "[fe80::1%25lo]",
    "IPv6 site-local": "[fec0::1]",
    "IPv6 unique local": "[fc00::1]",
    "IPv6 multicast": "[ff02::1]",
    "IPv6 documentation": "[2001:db8::1]",
    "IPv6 discard": "[100::1]",
    "after a name and a password": "user:secret@127.0.0.1",
    "after something like another host": "example.org@127.0.0.1",
    "after a backslash": "example.org\\@127.0.0.1",
}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as opened:
        yield opened


def posted(url: str, sender: Sender | None = None) -> Attempt:
    async def post() -> Attempt:
        one = sender or Sender(judge=Judge())
        await one.start()
        try:
            return await one.post(url, b"{}", {})
        finally:
            await one.close()

    return asyncio.run(post())


@pytest.mark.parametrize("host", SPELLINGS.values(), ids=SPELLINGS)
def test_it_is_refused_and_nothing_connects(listener: Listener, host: str) -> None:
    attempt = posted(f"http://{host}:{listener.port}/dlr?secret=1")
    assert attempt.status is None
    assert attempt.error.startswith("refused: "), attempt
    assert "secret" not in attempt.error
    assert attempt.address == ""
    assert listener.connections == 0


def test_there_are_enough_of_them() -> None:
    assert len(SPELLINGS) >= 30


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "http:///x", "http://./", "http://[::1/",
                                 "//example.org", "http://a:99999/", "javascript:alert(1)"])  # fmt: skip
def test_what_is_no_url_to_call_is_refused(url: str) -> None:
    assert posted(url).error.startswith("refused: ")


@pytest.mark.parametrize("text", ["8.8.8.8", "193.0.6.139", "2a00:1450:4007:80e::200e", "64:ff9b::8.8.8.8",
                                  "2002:808:808::1", "::ffff:8.8.8.8"])  # fmt: skip
def test_public_addresses_may_be_called(text: str) -> None:
    assert forbidden(ip_address(text)) == ""


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "169.254.169.254"])
def test_private_ones_may_where_that_is_allowed(text: str) -> None:
    assert impossible(ip_address(text)) == ""
    assert forbidden(ip_address(text)) != ""


@pytest.mark.parametrize("text", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0"])
def test_no_host_at_all_may_never(text: str) -> None:
    assert impossible(ip_address(text)) != ""


def test_one_bad_address_among_good_ones_refuses_the_name(listener: Listener) -> None:
    async def resolve(_host: str, _port: int, _account: int) -> Sequence[str]:
        return ["93.184.215.14", "127.0.0.1"]

    attempt = posted(f"http://hooks.example:{listener.port}/", Sender(judge=Judge(), resolve=resolve))
    assert attempt.error == "refused: 127.0.0.1 is a loopback address"
    assert listener.connections == 0


def test_a_name_that_changes_its_address_is_called_where_it_was_judged(listener: Listener) -> None:
    answers = [["192.0.2.99"], ["127.0.0.1"]]
    asked: list[str] = []

    async def resolve(host: str, _port: int, _account: int) -> Sequence[str]:
        asked.append(host)
        return answers.pop(0)

    attempt = posted(f"http://hooks.example:{listener.port}/", Sender(judge=Judge(), resolve=resolve))
    assert attempt.error == "refused: 192.0.2.99 is a private address"
    assert (asked, listener.connections) == (["hooks.example"], 0)


def test_only_an_address_of_this_machine_is_ours() -> None:
    assert is_ours(ip_address("127.0.0.1"))
    assert not is_ours(ip_address("192.0.2.7"))
    assert not is_ours(ip_address("2001:db8::7"))


def test_a_public_address_of_this_machine_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ip_address("93.184.216.34")
    assert Judge().why_not(ours, 443) == ""
    monkeypatch.setattr("esito.webhooks.addresses._can_bind", lambda address: address == ours)
    assert Judge().why_not(ours, 443) == "an address of this machine"
    assert Judge().why_not(ip_address("::ffff:93.184.216.34"), 443) == "an address of this machine"
    assert Judge().why_not(ip_address("93.184.216.35"), 443) == ""


@pytest.mark.parametrize(("port", "called"), [(80, True), (443, True), (25, False), (1023, False), (1024, True)])
def test_only_the_ports_of_the_settings_are_called(port: int, *, called: bool) -> None:
    judge = Judge(ports=[port_range(one) for one in CallbackSettings().ports])
    assert (judge.why_not(ip_address("93.184.216.34"), port) == "") is called


@pytest.mark.parametrize("text", ["198.51.100.7", "93.184.216.34", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_what_the_settings_refuse_is_not_called(text: str) -> None:
    for private in (False, True):
        judge = Judge(allow_private_networks=private, refused_networks=["93.184.216.0/24", "198.51.100.0/24"])
        assert judge.why_not(ip_address(text), 443)


def test_a_refusal_is_final() -> None:
    assert posted("http://127.0.0.1/").final
