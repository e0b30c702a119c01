import pytest

from esito.domain.belief import OpenSubmission, Owed, is_addressed, named_numbers
from esito.domain.choosing import Candidate, Choice, Nobody, Why, choose
from esito.domain.operator_habits import Learned
from esito.domain.states import MessageState as S
from tests.kit.builders import NOW, receipt

PARIS = "33612345678"


@pytest.mark.parametrize(
    ("address", "msisdn", "same"),
    [
        ("+33612345678", PARIS, True),
        ("0033612345678", PARIS, True),
        ("0612345678", PARIS, True),
        ("612345678", PARIS, True),
        ("01133612345678", PARIS, True),
        ("6222222", "3546222222", True),
        ("6222222", "3546111111", False),
        ("33612345679", PARIS, False),
        ("9999933612345678", PARIS, False),
        ("ESITO", PARIS, False),
    ],
)
def test_a_number_is_recognised_in_whatever_form_it_is_written(address: str, msisdn: str, same: bool) -> None:
    assert is_addressed(receipt("1", "DELIVRD", addresses=(address, "")), msisdn) is same


def test_a_short_code_and_a_name_are_nobodys_number() -> None:
    assert named_numbers(receipt("1", "DELIVRD", addresses=("36111", "ESITO"))) == []


def test_a_response_is_owed_only_to_the_number_that_is_named_and_only_if_it_left_before() -> None:
    owed = Owed([OpenSubmission(PARIS, NOW)])
    assert owed.may_bring(receipt("1", "DELIVRD", addresses=(PARIS, ""), at=NOW))
    assert not owed.may_bring(receipt("1", "DELIVRD", addresses=(PARIS, ""), at=NOW - 1))
    assert not owed.may_bring(receipt("1", "DELIVRD", addresses=("33699999999", ""), at=NOW))


def test_another_base_is_learned_though_the_dates_are_of_another_zone() -> None:
    known = Learned()
    for number in range(0xA1F0, 0xA1F3):
        one = Candidate(number, 0, 1, f"{number:x}", PARIS, S.WAITING, NOW, S.WAITING, 0, (S.WAITING,))
        said = receipt(str(number), "DELIVRD", addresses=(PARIS, ""))._replace(submitted_at=NOW + 3_600_000)
        chosen = choose(
            said, [one], known=known, owed=Owed(), lost=Nobody(Why.UNKNOWN), state_of=lambda each: each.state
        )
        assert isinstance(chosen, Choice)
    assert known.is_another_base
