"""What an error code means is looked up: the operator's own table first, and nothing is made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.states import FIRST_FINAL, MessageState
from esito.domain.vocabulary import ErrorCategory, ErrorMeaning, ErrorTable, Vocabulary, normal_code

FAILURES = [state for state in MessageState if FIRST_FINAL <= state < MessageState.DELIVERED]
UNDELIVERABLE = MessageState.UNDELIVERABLE


def meaning(reason: str, category: ErrorCategory = ErrorCategory.NETWORK, *, permanent: bool = False) -> ErrorMeaning:
    return ErrorMeaning(category=category, permanent=permanent, reason=reason)


OFF = meaning("The phone was off.", ErrorCategory.ABSENT_SUBSCRIBER)
BROKE = meaning("North has no money.", ErrorCategory.CREDIT)
BAD_NUMBER = meaning("No number.", ErrorCategory.INVALID_NUMBER, permanent=True)
TIME_RAN_OUT = meaning("Time ran out.", ErrorCategory.EXPIRED)
UNREGISTERED = meaning("North knows no such sender.", ErrorCategory.INVALID_SENDER, permanent=True)

VOCABULARY = Vocabulary(
    ErrorTable(
        error_codes={"27": OFF, "3:29": BROKE},
        statuses={11: BAD_NUMBER},
        stat_words={"EXPIRED": TIME_RAN_OUT, "NOCRED": BROKE},
    ),
    {
        "north": ErrorTable(
            error_codes={"27": BROKE, "A1B": OFF, "0": BROKE, "1001": OFF},
            statuses={11: UNREGISTERED, 1025: UNREGISTERED},
            stat_words={"UNDELIV": OFF},
        )
    },
)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *[("27", "27"), ("027", "27"), ("0027", "27"), ("0x1B", "27"), ("0X1b", "27"), (" 027 ", "27")],
        *[("A1B", "A1B"), ("a1b", "A1B"), ("21b", "21B"), ("00a1", "A1")],
        *[("000", "0"), ("0", "0"), ("", "0"), ("0x00", "0")],
        *[("3:27", "3:27"), ("03:027", "3:27"), ("3:0", "3:0"), ("3: 27", "3:27")],
        *[("0x", "0X"), ("0xyz", "0XYZ"), ("²", "²")],
    ],
)
def test_one_code_has_one_form_however_it_is_written(written: str, code: str) -> None:
    assert normal_code(written) == code


@given(st.text(alphabet="0019xXaBF:é²", max_size=12))
def test_the_form_of_a_code_is_its_own_form(written: str) -> None:
    once = normal_code(written)
    assert normal_code(once) == once


@pytest.mark.parametrize("code", ["27", "027", "0027", "0x1B", "3:27"])
def test_the_generic_table_explains_a_code_in_every_spelling(code: str) -> None:
    assert VOCABULARY.of_receipt("south", code, UNDELIVERABLE) == OFF


def test_the_operators_own_table_wins() -> None:
    assert VOCABULARY.of_receipt("north", "027", UNDELIVERABLE) == BROKE
    assert VOCABULARY.of_receipt("south", "027", UNDELIVERABLE) == OFF
    assert VOCABULARY.of_submit("north", 11) == UNREGISTERED
    assert VOCABULARY.of_submit("south", 11) == BAD_NUMBER


def test_an_operators_own_numbers_are_not_taken_for_those_of_gsm() -> None:
    assert VOCABULARY.of_receipt("north", "3:27", UNDELIVERABLE) == OFF


def test_an_entry_for_type_and_code_goes_before_the_code_alone() -> None:
    assert VOCABULARY.of_receipt("south", "3:29", UNDELIVERABLE) == BROKE


def test_a_code_of_another_kind_of_network_is_not_taken_for_gsm() -> None:
    found = VOCABULARY.of_receipt("south", "2:27", UNDELIVERABLE)
    assert found is not None
    assert (found.category, "2:27" in found.reason) == (ErrorCategory.UNKNOWN, True)


@pytest.mark.parametrize(("operator", "expected"), [("south", BAD_NUMBER), ("north", UNREGISTERED)])
def test_an_smpp_error_in_a_receipt_is_looked_up_as_command_status(operator: str, expected: ErrorMeaning) -> None:
    assert VOCABULARY.of_receipt(operator, "7:11", UNDELIVERABLE) == expected


def test_the_message_centres_own_code_is_looked_up_in_the_operators_table_only() -> None:
    assert VOCABULARY.of_receipt("north", "8:1001", UNDELIVERABLE) == OFF
    found = VOCABULARY.of_receipt("south", "8:27", UNDELIVERABLE)
    assert found is not None
    assert found.category is ErrorCategory.UNKNOWN


@pytest.mark.parametrize("code", ["A1B", "999", "3:999", "7:9999", "0x45", "7:²"])
def test_an_unknown_code_is_quoted_and_not_explained(code: str) -> None:
    assert VOCABULARY.of_receipt("south", code, UNDELIVERABLE) == meaning(
        f"The operator could not deliver the message. The code {code} that came with it is not in our tables.",
        ErrorCategory.UNKNOWN,
    )


def test_what_cannot_be_printed_is_not_quoted() -> None:
    found = VOCABULARY.of_receipt("south", "\x1b[31m", UNDELIVERABLE)
    assert found is not None
    assert "The code ?[31m that" in found.reason


@pytest.mark.parametrize("code", ["", "0", "000", "3:0", "0x0"])
def test_without_a_code_the_state_says_what_it_can(code: str) -> None:
    assert VOCABULARY.of_receipt("south", code, MessageState.EXPIRED) == TIME_RAN_OUT
    assert VOCABULARY.of_receipt("south", code, UNDELIVERABLE) == meaning(
        "The operator could not deliver the message. No reason was given.", ErrorCategory.UNKNOWN
    )


def test_an_unknown_code_beside_a_telling_state_has_the_category_of_the_state() -> None:
    assert VOCABULARY.of_receipt("south", "A1B", MessageState.EXPIRED) == meaning(
        "Time ran out. The code A1B that came with it is not in our tables.", ErrorCategory.EXPIRED
    )


def test_a_word_that_says_more_than_its_state_is_believed() -> None:
    assert VOCABULARY.of_receipt("south", "000", UNDELIVERABLE, stat="nocred") == BROKE
    assert VOCABULARY.of_receipt("south", "027", UNDELIVERABLE, stat="NOCRED") == OFF


def test_a_word_outside_every_table_falls_back_on_that_of_its_state() -> None:
    assert VOCABULARY.of_receipt("north", "3:0", UNDELIVERABLE, stat="FAILED") == OFF


def test_an_operator_may_mean_something_by_zero() -> None:
    assert VOCABULARY.of_receipt("north", "000", MessageState.EXPIRED) == BROKE


@pytest.mark.parametrize("code", ["", "000", "027", "A1B"])
def test_a_delivered_message_has_no_error_whatever_its_code(code: str) -> None:
    assert VOCABULARY.of_receipt("north", code, MessageState.DELIVERED) is None


@pytest.mark.parametrize("state", [MessageState.WAITING, MessageState.ENROUTE, MessageState.ACCEPTED, None])
def test_a_message_on_its_way_is_explained_only_by_a_code_that_is_known(state: MessageState | None) -> None:
    assert VOCABULARY.of_receipt("south", "027", state) == OFF
    assert VOCABULARY.of_receipt("south", "999", state) is None
    assert VOCABULARY.of_receipt("south", "000", state) is None


@pytest.mark.parametrize("state", FAILURES)
@given(code=st.text(max_size=32))
def test_every_failure_has_a_meaning_even_with_empty_tables(state: MessageState, code: str) -> None:
    found = Vocabulary(ErrorTable(), {}).of_receipt("north", code, state)
    assert found is not None
    assert found.reason.startswith("The operator could not deliver the message. ")


def test_an_accepted_submit_has_no_error() -> None:
    assert VOCABULARY.of_submit("north", 0) is None


def test_a_status_of_the_operators_own_is_explained_by_its_table_or_quoted() -> None:
    assert VOCABULARY.of_submit("north", 0x401) == UNREGISTERED
    assert VOCABULARY.of_submit("south", 0x401) == meaning(
        "The operator refused the message. The status 0x00000401 that came with it is not in our tables.",
        ErrorCategory.UNKNOWN,
    )


def test_a_table_over_another_wins_entry_by_entry() -> None:
    both = ErrorTable(error_codes={"1": OFF}, statuses={1: OFF}, stat_words={"A": OFF}).over(
        ErrorTable(error_codes={"1": BROKE, "2": BROKE}, statuses={1: BROKE, 2: BROKE}, stat_words={"B": BROKE})
    )
    assert both == ErrorTable(
        error_codes={"1": OFF, "2": BROKE}, statuses={1: OFF, 2: BROKE}, stat_words={"A": OFF, "B": BROKE}
    )


def test_it_names_the_operators_it_has_tables_for() -> None:
    assert VOCABULARY.operators == {"north"}
