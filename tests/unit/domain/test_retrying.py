"""Which refusals pass, and when what was refused is submitted again."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.retrying import USUAL, RetryRule, RetryTable, Slows, read_rules
from esito.domain.timing import HOUR_MS, SECOND_MS, VALIDITY_MS

NOW = 1_800_000_000_000


def tries(rule: RetryRule) -> list[int]:
    """Return when a segment is submitted that is refused for ever, the first time included."""
    instants = [NOW]
    while (again := rule.retry_at(instants[-1], len(instants) - 1)) is not None:
        instants.append(again)
    return instants


@pytest.mark.parametrize("status", list(USUAL))
def test_each_pause_is_twice_the_one_before_up_to_the_longest(status: int | str) -> None:
    rule = USUAL[status]
    pauses = [later - earlier for earlier, later in pairwise(tries(rule))]
    assert pauses[0] == rule.after * SECOND_MS
    assert all(b == min(2 * a, rule.longest * SECOND_MS) for a, b in pairwise(pauses))
    assert len(pauses) == rule.times


@pytest.mark.parametrize("status", list(USUAL))
def test_nothing_is_submitted_thousands_of_times_within_its_validity(status: int | str) -> None:
    assert sum(one < NOW + VALIDITY_MS for one in tries(USUAL[status])) <= 600


def test_a_full_destination_is_tried_to_the_end_of_the_validity_and_a_fault_of_the_system_for_hours() -> None:
    assert tries(USUAL[0x14])[-1] > NOW + 44 * HOUR_MS
    assert NOW + HOUR_MS < tries(USUAL[0x08])[-1] < NOW + 4 * HOUR_MS


@pytest.mark.parametrize("status", [0x04, 0x08, 0x0D, 0x14, 0x58, 0x64])
def test_a_passing_fault_is_no_last_word(status: int) -> None:
    assert RetryTable().rule(status) is not None


@pytest.mark.parametrize("status", [0x01, 0x0A, 0x0B, 0x45, 0x65, 0x66, 0xFE, 0xFF, 0x400, 0xFFFFFFFF])
def test_any_other_status_is_final_and_passes_only_as_a_generic_nack(status: int) -> None:
    assert RetryTable().rule(status) is None
    assert RetryTable().rule(status, nack=True) == USUAL["generic_nack"]


def test_a_status_with_a_line_of_its_own_has_it_in_a_generic_nack_too() -> None:
    assert RetryTable().rule(0x58, nack=True) == USUAL[0x58]


def test_a_link_changes_lines_and_adds_some() -> None:
    table = RetryTable(
        read_rules({"0x08": {"times": 0}, "0X400": {"times": 3, "after": 60}, "0x14": {"slows": "link"}})
    )
    silent = table.rule(0x08)
    assert silent is not None
    assert silent.retry_at(NOW, 0) is None
    assert table.rule(0x400) == RetryRule(times=3, after=60.0)
    changed = table.rule(0x14)
    assert changed is not None
    assert (changed.slows, changed.times) == (Slows.LINK, USUAL[0x14].times)
    assert table.rule(0x58) == USUAL[0x58]


BAD: list[Any] = [
    {"8": {"times": 1}},
    {"ESME_RSYSERR": {"times": 1}},
    {"0x": {"times": 1}},
    {"0xZZ": {"times": 1}},
    {"0x00": {"times": 1}},
    {"0x100000000": {"times": 1}},
    {"0x400": {}},
    {"0x400": {"after": 1}},
    {"0x08": {"times": -1}},
    {"0x08": {"times": 10_001}},
    {"0x08": {"times": True}},
    {"0x08": {"times": 1.5}},
    {"0x08": {"times": "often"}},
    {"0x08": {"after": 0}},
    {"0x08": {"after": "1"}},
    {"0x08": {"after": float("nan")}},
    {"0x08": {"longest": 86_401}},
    {"0x08": {"rebind": 1}},
    {"0x08": {"slows": "everything"}},
    {"0x08": {"time": 1}},
]


@pytest.mark.parametrize("written", BAD)
def test_what_cannot_be_a_line_is_refused(written: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the message is the setting's
        read_rules(written)


@given(tried=st.integers(0, 10_000), after=st.floats(0.1, 86_400), longest=st.floats(0.1, 86_400))
def test_no_pause_is_longer_than_the_longest(tried: int, after: float, longest: float) -> None:
    at = RetryRule(times=10_001, after=after, longest=longest).retry_at(NOW, tried)
    assert at is not None
    assert NOW < at <= NOW + longest * SECOND_MS + 1
