"""The tables that come with Esito are complete; a user's own go before them and are refused when they are wrong."""

import re
from pathlib import Path

import pytest

from esito.app.error_tables import load_vocabulary
from esito.config import ConfigError
from esito.domain.retrying import USUAL
from esito.domain.states import FIRST_FINAL, MessageState
from esito.domain.vocabulary import ErrorCategory, ErrorMeaning
from esito.smpp.pdu import Status

PACKAGED = load_vocabulary()
DOCS = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
UNDELIVERABLE = MessageState.UNDELIVERABLE

TABLE_5_2 = [
    *(0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x11, 0x13, 0x14, 0x15),
    *(0x33, 0x34, 0x40, 0x42, 0x43, 0x44, 0x45, 0x48, 0x49, 0x50, 0x51, 0x53, 0x54, 0x55, 0x58, 0x61, 0x62, 0x63),
    *(0x64, 0x65, 0x66, 0x67, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xFE, 0xFF),
]
"""Every command_status that SMPP 3.4 gives a meaning, but ESME_ROK."""

MAP_ERRORS = {
    1: ("unknown_subscriber", True),
    5: ("unknown_subscriber", True),
    6: ("absent_subscriber", False),
    9: ("barred", True),
    10: ("barred", True),
    11: ("barred", True),
    12: ("barred", True),
    13: ("barred", True),
    21: ("network", True),
    27: ("absent_subscriber", False),
    31: ("handset", False),
    32: ("handset", False),
    33: ("congestion", False),
    34: ("network", False),
    35: ("network", False),
    36: ("network", False),
}
"""The errors of sendRoutingInfoForSM and mt-ForwardSM (3GPP TS 29.002)."""

FAILURE_CAUSES = [
    *(0x80, 0x81, 0x82, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xAF, 0xB0, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7),
    *(0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xFF),
]
"""Every TP-Failure-Cause that 3GPP TS 23.040 gives a meaning."""


def said(found: ErrorMeaning | None) -> ErrorMeaning:
    assert found is not None
    return found


def is_unexplained(found: ErrorMeaning | None) -> bool:
    return said(found).reason.endswith("that came with it is not in our tables.")


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ESME_ROK])
def test_every_status_that_we_name_is_explained(status: Status) -> None:
    assert not is_unexplained(PACKAGED.of_submit("north", status))


@pytest.mark.parametrize("status", TABLE_5_2)
def test_every_status_of_smpp_is_explained(status: int) -> None:
    assert not is_unexplained(PACKAGED.of_submit("north", status))


def test_a_reserved_status_is_not_explained() -> None:
    reserved = set(range(1, 0x100)) - set(TABLE_5_2)
    assert all(is_unexplained(PACKAGED.of_submit("north", status)) for status in reserved)


@pytest.mark.parametrize("status", [one for one in USUAL if isinstance(one, int)])
def test_what_is_submitted_again_is_called_temporary(status: int) -> None:
    assert said(PACKAGED.of_submit("north", status)).permanent is False


def test_a_bad_destination_is_an_invalid_number_for_good() -> None:
    found = said(PACKAGED.of_submit("north", Status.ESME_RINVDSTADR))
    assert (found.category.value, found.permanent) == ("invalid_number", True)


@pytest.mark.parametrize("code", MAP_ERRORS)
@pytest.mark.parametrize("written", ["{}", "{:03}", "3:{}"])
def test_every_error_of_the_gsm_network_is_explained(code: int, written: str) -> None:
    found = said(PACKAGED.of_receipt("north", written.format(code), UNDELIVERABLE))
    assert (found.category.value, found.permanent) == MAP_ERRORS[code]


@pytest.mark.parametrize("cause", FAILURE_CAUSES)
def test_every_failure_cause_of_the_phone_is_explained(cause: int) -> None:
    assert not is_unexplained(PACKAGED.of_receipt("north", str(cause), UNDELIVERABLE))


@pytest.mark.parametrize(
    ("state", "category"),
    [
        (MessageState.EXPIRED, ErrorCategory.EXPIRED),
        (MessageState.DELETED, ErrorCategory.DELETED),
        (MessageState.REJECTED, ErrorCategory.REJECTED),
        (MessageState.UNDELIVERABLE, ErrorCategory.UNKNOWN),
        (MessageState.UNKNOWN, ErrorCategory.UNKNOWN),
    ],
)
def test_every_failed_state_has_its_words_when_there_is_no_code(state: MessageState, category: ErrorCategory) -> None:
    assert said(PACKAGED.of_receipt("north", "000", state)).category is category


def test_no_failed_state_is_left_out_above() -> None:
    failed = [state for state in MessageState if FIRST_FINAL <= state < MessageState.DELIVERED]
    assert len({said(PACKAGED.of_receipt("north", "000", state)).reason for state in failed}) == len(failed) == 5


def test_an_operator_without_credit_for_us_says_so_in_its_word() -> None:
    assert said(PACKAGED.of_receipt("north", "000", UNDELIVERABLE, stat="NOCRED")).category is ErrorCategory.CREDIT


def test_the_simulators_own_numbers_are_explained_by_its_own_table() -> None:
    assert said(PACKAGED.of_receipt("simulator", "003", MessageState.REJECTED)).category is ErrorCategory.REJECTED
    assert said(PACKAGED.of_receipt("north", "003", MessageState.REJECTED)).category is ErrorCategory.ROUTING


@pytest.mark.parametrize("word", ["SMSC", "ESME", "SMPP", "PDU", "MSISDN", "HLR", "MSC", "TP-", "submit", "segment"])
def test_reasons_are_for_people(word: str) -> None:
    reasons = [said(PACKAGED.of_submit("north", status)).reason for status in TABLE_5_2]
    codes = [*range(1, 72), *FAILURE_CAUSES]
    reasons += [said(PACKAGED.of_receipt("north", str(code), UNDELIVERABLE)).reason for code in codes]
    assert [reason for reason in reasons if word in reason] == []
    assert all(reason.endswith(".") for reason in reasons)


# -- the user's own ----------------------------------------------------------------------------


CREDIT = '{ category = "credit", permanent = false, reason = "North has no money." }'


def test_an_operators_table_wins_over_the_generic_one(tmp_path: Path) -> None:
    (tmp_path / "north.toml").write_text(f"[error_code]\n027 = {CREDIT}\n[command_status]\n0x0b = {CREDIT}\n")
    vocabulary = load_vocabulary(tmp_path)
    assert said(vocabulary.of_receipt("north", "27", UNDELIVERABLE)).reason == "North has no money."
    assert said(vocabulary.of_submit("north", 11)).category is ErrorCategory.CREDIT
    assert vocabulary.of_receipt("south", "27", UNDELIVERABLE) == PACKAGED.of_receipt("south", "27", UNDELIVERABLE)


def test_the_users_generic_table_goes_before_ours_entry_by_entry(tmp_path: Path) -> None:
    (tmp_path / "generic.toml").write_text(f"[error_code]\n27 = {CREDIT}\n")
    vocabulary = load_vocabulary(tmp_path)
    assert said(vocabulary.of_receipt("south", "27", UNDELIVERABLE)).category is ErrorCategory.CREDIT
    assert vocabulary.of_receipt("south", "1", UNDELIVERABLE) == PACKAGED.of_receipt("south", "1", UNDELIVERABLE)


def test_a_users_table_for_an_operator_of_ours_keeps_the_rest_of_it(tmp_path: Path) -> None:
    (tmp_path / "simulator.toml").write_text(f"[error_code]\n1 = {CREDIT}\n")
    vocabulary = load_vocabulary(tmp_path)
    assert said(vocabulary.of_receipt("simulator", "001", UNDELIVERABLE)).category is ErrorCategory.CREDIT
    assert said(vocabulary.of_receipt("simulator", "004", UNDELIVERABLE)).category is ErrorCategory.DELETED


def test_other_files_of_the_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not a table")
    (tmp_path / ".north.toml").write_text("what an editor left")
    assert load_vocabulary(tmp_path).operators == PACKAGED.operators


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[error_code]\n27 = off\n", "is not TOML: .*at line 2"),
        (f"[error_code]\n27 = {CREDIT}\n27 = {CREDIT}\n", "is not TOML: .*at line 3"),
        (f"[error_codes]\n27 = {CREDIT}", re.escape("there is no section [error_codes]; there are command_status")),
        ("error_code = 7", re.escape("error_code must be a section, [error_code]")),
        ("[error_code]\n27 = 7", "error_code.27: Expected `object`, got `int`"),
        (
            '[error_code]\n27 = { category = "lost", permanent = true, reason = "x" }',
            "error_code.27.category: .*'lost'",
        ),
        ('[error_code]\n27 = { category = "lost", permanent = true, reason = "x" }', "the categories are unknown_sub"),
        ('[error_code]\n27 = { permanent = true, reason = "x" }', "error_code.27: .*missing required field `category`"),
        ('[error_code]\n27 = { category = "credit", reason = "x" }', "error_code.27: .*missing .*`permanent`"),
        ('[stat]\nX = { category = "credit", permanent = "no", reason = "x" }', "stat.X.permanent: Expected `bool`"),
        ('[stat]\nX = { category = "credit", permanent = true, reason = "x", why = 1 }', "stat.X: .*`why`"),
        ('[stat]\nX = { category = "credit", permanent = true, reason = " " }', "stat.X.reason must be one line"),
        ('[stat]\nX = { category = "credit", permanent = true, reason = "a\\nb" }', "stat.X.reason must be one line"),
        (
            f'[stat]\nX = {{ category = "credit", permanent = true, reason = "{"x" * 201}" }}',
            "stat.X.reason must be one line of 1 to 200",
        ),
        (f"[error_code]\n27 = {CREDIT}\n027 = {CREDIT}", "error_code.027 is there twice"),
        (f"[command_status]\n0x0B = {CREDIT}\n11 = {CREDIT}", "command_status.11 is there twice"),
        (f"[command_status]\nESME_RINVDSTADR = {CREDIT}", "command_status.ESME_RINVDSTADR: a command_status is a"),
        (f"[command_status]\n0 = {CREDIT}", "command_status.0: a command_status is a number from 0x01"),
        (f"[command_status]\n4294967296 = {CREDIT}", "command_status.4294967296: a command_status is a"),
        (f'[error_code]\n"" = {CREDIT}', "error_code.: an error code has 1 to 32"),
        (f'[error_code]\n"2 7" = {CREDIT}', "error_code.2 7: an error code has 1 to 32"),
        (f"[stat]\nDELIVRD = {CREDIT}", "stat.DELIVRD: a delivered message has no error"),
        (f'[stat]\n"NO CREDIT" = {CREDIT}', "stat.NO CREDIT: a word of a receipt has"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name_and_entry(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "north.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}.*{told}"):
        load_vocabulary(tmp_path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "north.toml").write_bytes(b"# \xe9t\xe9")
    with pytest.raises(ConfigError, match=r"north\.toml is not TOML"):
        load_vocabulary(tmp_path)


def test_a_table_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "north.toml").mkdir()
    with pytest.raises(ConfigError, match=r"north\.toml cannot be read: Is a directory"):
        load_vocabulary(tmp_path)


def test_a_directory_that_is_not_there_is_refused_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^errors\.directory: .*tables cannot be read: No such file"):
        load_vocabulary(tmp_path / "tables")


# -- the documentation -------------------------------------------------------------------------


def test_every_category_is_documented_in_its_order() -> None:
    _, section = DOCS.read_text().split("## The categories\n")
    rows = re.findall(r"^\| `(\w+)` \| \S.* \|$", section.split("\n## ")[0], re.MULTILINE)
    assert rows == [category.value for category in ErrorCategory]


def test_the_example_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    _, example = re.findall(r"^```toml\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "north.toml").write_text(example)
    vocabulary = load_vocabulary(tmp_path)
    assert said(vocabulary.of_receipt("north", "0x15", UNDELIVERABLE)).category is ErrorCategory.CREDIT
    assert said(vocabulary.of_receipt("north", "03:027", UNDELIVERABLE)).reason == "The phone has been off for days."
    assert said(vocabulary.of_receipt("north", "", UNDELIVERABLE, stat="blacklist")).category is ErrorCategory.BARRED
    assert said(vocabulary.of_submit("north", 0x400)).category is ErrorCategory.INVALID_SENDER
