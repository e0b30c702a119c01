"""What one operator or another wants of a link, as it is written in the file; and what is refused at the start."""

from pathlib import Path

import pytest

from esito.app.link_changes import doubts, doubts_of
from esito.app.link_factory import outgoing_settings, smpp_settings
from esito.config import ConfigError, load
from esito.domain.address import AddressKind, numbered
from esito.domain.coding import Alphabet, Codings
from esito.domain.states import STAT_WORDS, MessageState
from esito.smpp.outgoing import USUAL, OutgoingSettings
from tests.kit.operators import configured


def refusal_of(folder: Path, lines: str) -> str:
    with pytest.raises(ConfigError) as refused:
        configured(folder, lines)
    return str(refused.value).removeprefix(f"{folder}/esito.toml: link.alpha.")


def test_the_usual_operator_needs_nothing_said(tmp_path: Path) -> None:
    link = configured(tmp_path)
    assert outgoing_settings(link) == USUAL == OutgoingSettings()
    assert list(doubts_of(link)) == []


SPAN = "empty, or minutes, hours or days such as 30m, 1h or 1d, less than validity_hours or 48 h"
KINDS = "a table of kinds and pairs, such as {alphanumeric = [5, 0]}; kinds are all, alphanumeric, short_code, " \
        "international, national"  # fmt: skip
STATES = 'a table of words and states, such as {FAILED = "UNDELIV"}; states are ENROUTE, ACCEPTD, UNKNOWN, EXPIRED, ' \
         "DELETED, REJECTD, UNDELIV, DELIVRD"  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("validity = 'soon'", "validity must be one of relative, absolute, none; it is 'soon'"),
        ("validity_hours = 0", "validity_hours must be a whole number, 1 to 168; it is 0"),
        ("validity_hours = 169", "validity_hours must be a whole number, 1 to 168; it is 169"),
        ("source_numbering = {name = [5, 0]}", f"source_numbering must be {KINDS}; it is {{'name': [5, 0]}}"),
        ("source_numbering = {all = [5]}", f"source_numbering must be {KINDS}; it is {{'all': [5]}}"),
        ("source_numbering = {all = [256, 0]}", f"source_numbering must be {KINDS}; it is {{'all': [256, 0]}}"),
        ("destination_numbering = '1/1'", f"destination_numbering must be {KINDS}; it is '1/1'"),
        ("service_type = 'TOOLONG'", "service_type must be at most 5 ASCII characters; it is 'TOOLONG'"),
        ("protocol_id = 256", "protocol_id must be a whole number, 0 to 255; it is 256"),
        ("priority_flag = 4", "priority_flag must be a whole number, 0 to 3; it is 4"),
        ("registered_delivery = -1", "registered_delivery must be a whole number, 0 to 255; it is -1"),
        ("alphabet = 'klingon'", "alphabet must be one of gsm, gsm-packed, latin1, ascii; it is 'klingon'"),
        ("data_coding_gsm = 256", "data_coding_gsm must be a whole number, 0 to 255; it is 256"),
        ("data_coding_latin1 = 0", "data_coding_latin1 must be a whole number, 1 to 255; it is 0"),
        ("data_coding_ucs2 = 0", "data_coding_ucs2 must be a whole number, 1 to 255; it is 0"),
        ("data_coding_ucs2 = 3", "data_coding_gsm, data_coding_latin1 and data_coding_ucs2 must differ"),
        ("data_coding_gsm = 8", "data_coding_gsm, data_coding_latin1 and data_coding_ucs2 must differ"),
        ("alphabet = 'ascii'\ndata_coding_gsm = 3", "data_coding_gsm, data_coding_latin1 and data_coding_ucs2 must "
                                                    "differ"),
        ("query_after = '1 hour'", f"query_after must be {SPAN}; it is '1 hour'"),
        ("query_after = '0h'", f"query_after must be {SPAN}; it is '0h'"),
        ("query_after = '30s'", f"query_after must be {SPAN}; it is '30s'"),
        ("query_after = '8d'", f"query_after must be {SPAN}; it is '8d'"),
        ("query_after = 60", f"query_after must be {SPAN}; it is 60"),
        ("query_after = '48h'",
         "query_after must be shorter than the 48 hours that a last word is waited for; it is '48h'"),
        ("query_after = '3d'\nvalidity_hours = 72",
         "query_after must be shorter than the 72 hours that a last word is waited for; it is '3d'"),
        ("bind = 'receiver'\nquery_after = '1h'", "query_after: a link that only receives asks nothing"),
        ("concatenation = 'udh32'", "concatenation must be one of udh8, udh16, sar, message_payload, udh; "
                                    "it is 'udh32'"),
        (f"system_id = '{'x' * 65}'", f"system_id must be at most 64 ASCII characters; it is '{'x' * 65}'"),
        ("address_range = 'é'", "address_range must be at most 40 ASCII characters; it is 'é'"),
        ("addr_ton = 300", "addr_ton must be a whole number, 0 to 255; it is 300"),
        ("addr_npi = '1'", "addr_npi must be a whole number, 0 to 255; it is '1'"),
        ("interface_version = 3.4", "interface_version must be one of 3.4, 3.3, 5.0; it is 3.4"),
        ("bind = 'receiver'\nprefixes = ['+33']", "prefixes: a link that only receives serves no numbers"),
        ("tls_ca = 'ca.pem'", "tls_ca says nothing without tls = true"),
        ("tls_name = 'smsc.example'", "tls_name says nothing without tls = true"),
        ("tls = true\ntls_cert = 'a.pem'", "tls_cert and tls_key go together: both or none"),
        ("tls = true\ntls_name = 'a b'", "tls_name must be empty, or the name of a host; it is 'a b'"),
        ("fallback_hosts = ['a:b']", "fallback_hosts must be a list of hosts, such as smsc2.example or 192.0.2.7:2776; "
                                     "it is ['a:b']"),
        ("fallback_hosts = ['a:0']", "fallback_hosts must be a list of hosts, such as smsc2.example or 192.0.2.7:2776; "
                                     "it is ['a:0']"),
        ("fallback_hosts = ['a b']", "fallback_hosts must be a list of hosts, such as smsc2.example or 192.0.2.7:2776; "
                                     "it is ['a b']"),
        ("words = {FAILED = 'BROKEN'}", f"words must be {STATES}; it is {{'FAILED': 'BROKEN'}}"),
        ("words = {FAILED = 5}", f"words must be {STATES}; it is {{'FAILED': 5}}"),
        ("words = {'two words' = 'UNDELIV'}", f"words must be {STATES}; it is {{'two words': 'UNDELIV'}}"),
        ("words = {failed = 'UNDELIV', FAILED = 'DELIVRD'}",
         f"words must be {STATES}; it is {{'failed': 'UNDELIV', 'FAILED': 'DELIVRD'}}"),
        ("words = 'FAILED'", f"words must be {STATES}; it is 'FAILED'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, lines: str, sentence: str) -> None:
    if lines.startswith("system_id"):
        with pytest.raises(ConfigError) as refused:
            configured(tmp_path, system_id="x" * 65)
        assert str(refused.value).endswith(sentence)
    else:
        assert refusal_of(tmp_path, lines) == sentence


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("tls = true\ntls_ca = 'nowhere.pem'", "link.alpha.tls_ca: nowhere.pem holds no certificates we can read: "),
        ("tls = true\ntls_ca = '{here}'", "link.alpha.tls_ca: {here} holds no certificates we can read: "),
        ("tls = true\ntls_cert = '{here}'\ntls_key = '{here}'",
         "link.alpha.tls_cert: {here} and {here} are no certificate and its key that we can read: "),
    ],
)  # fmt: skip
def test_files_that_tls_lacks_are_named(tmp_path: Path, lines: str, sentence: str) -> None:
    here = tmp_path / "esito.toml"  # it is there, and no certificate
    link = configured(tmp_path, lines.format(here=here))
    with pytest.raises(ConfigError) as refused:
        smpp_settings(link)
    assert str(refused.value).startswith(sentence.format(here=here))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("interface_version = '3.3'",
         ['SMPP 3.3 has no bind_transceiver; bind = "transmitter + receiver" is what it knows']),
        ("interface_version = '3.3'\nbind = 'transmitter + receiver'", []),
        ("interface_version = '3.3'\nbind = 'transmitter + receiver'\nconcatenation = 'sar'",
         ["SMPP 3.3 has no optional parameters, and concatenation = 'sar' needs them"]),
        ("registered_delivery = 16", ["registered_delivery = 16 asks for no receipts"]),
        ("bind = 'transmitter'", ["no link of its operator receives, so that no receipt will come"]),
        ("bind = 'transmitter'\n[[link]]\nname = 'beta'\noperator = 'alpha'\nbind = 'receiver'", []),
    ],
)  # fmt: skip
def test_what_may_be_a_slip_is_said_and_allowed(tmp_path: Path, lines: str, said: list[str]) -> None:
    path = tmp_path / "esito.toml"
    path.write_text(f"[[link]]\nname = 'alpha'\n{lines}\n", encoding="utf-8")
    assert [sentence for _, sentence in doubts(load(path, {}))] == said


def test_what_is_longer_than_smpp_has_room_for_is_said_and_no_secret_is(tmp_path: Path) -> None:
    link = configured(tmp_path, system_id="i" * 16, password="p" * 9)
    assert list(doubts_of(link)) == [
        "system_id has 16 octets; SMPP has room for 15", "password has 9 octets; SMPP has room for 8",
    ]  # fmt: skip
    assert list(doubts_of(configured(tmp_path, system_id="i" * 15, password="p" * 8))) == []


def test_words_of_an_operators_own_go_before_ours(tmp_path: Path) -> None:
    words = configured(tmp_path, "[link.words]\nfailed = 'EXPIRED'\n'NOT-YET' = 'ENROUTE'").stat_words
    assert (words["FAILED"], words["NOT-YET"], words["DELIVRD"]) == (
        MessageState.EXPIRED, MessageState.ENROUTE, MessageState.DELIVERED,
    )  # fmt: skip
    assert STAT_WORDS["FAILED"] is MessageState.UNDELIVERABLE, "those of others stay as they are"


def test_hosts_and_codings_are_read(tmp_path: Path) -> None:
    link = configured(
        tmp_path,
        "fallback_hosts = ['smsc2.example', '192.0.2.7:99', '[2001:db8::1]:7', '2001:db8::2']\n"
        "alphabet = 'latin1'\ndata_coding_gsm = 1",
        port=5000,
    )
    assert smpp_settings(link).hosts == (
        ("127.0.0.1", 5000), ("smsc2.example", 5000), ("192.0.2.7", 99), ("2001:db8::1", 7), ("2001:db8::2", 5000),
    )  # fmt: skip
    assert link.codings == Codings(Alphabet.LATIN1, 1, 3, 8)


def test_every_kind_of_address_can_be_numbered(tmp_path: Path) -> None:
    addresses = {
        "alphanumeric": "Acme",
        "short_code": "36180",
        "international": "+33612345678",
        "national": "0612345678",
    }
    assert set(addresses) == {kind.value for kind in AddressKind}
    for kind, address in addresses.items():
        link = configured(tmp_path, f"source_numbering = {{{kind} = [7, 9], all = [1, 2]}}")
        told = outgoing_settings(link).source_numbering
        assert {numbered(other, told) for other in addresses.values()} == {(7, 9), (1, 2)}
        assert numbered(address, told) == (7, 9)


@pytest.mark.parametrize(
    ("lines", "milliseconds"),
    [
        ("", 0),
        ("query_after = ''", 0),
        ("query_after = '1m'", 60_000),
        ("query_after = '90m'", 5_400_000),
        ("query_after = '1h'", 3_600_000),
        ("query_after = '1d'", 86_400_000),
        ("query_after = '2d'\nvalidity_hours = 72", 172_800_000),
    ],
)
def test_a_link_says_after_what_span_its_operator_is_asked(tmp_path: Path, lines: str, milliseconds: int) -> None:
    assert configured(tmp_path, lines).query_after_ms == milliseconds
