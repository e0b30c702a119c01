from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.states import (
    PUBLIC_WORDS,
    STAT_WORDS,
    STATE_VALUES,
    MessageState,
    MultipartRule,
    advance,
    derive,
    is_final,
    public_word,
)

S = MessageState

STATES = st.sampled_from(MessageState)
REPORTED = [state for state in MessageState if state > S.WAITING]
LADDER = ["ENROUTE", "ACCEPTED", "UNKNOWN", "EXPIRED", "DELETED", "REJECTED", "UNDELIVERABLE", "DELIVERED"]

ANY_FAILED, ALL, LAST, FIRST = (
    MultipartRule.ANY_FAILED, MultipartRule.ALL, MultipartRule.LAST, MultipartRule.FIRST,
)  # fmt: skip


# -- the ladder --------------------------------------------------------------------------------


def test_the_rungs_are_those_of_the_design_weakest_first() -> None:
    assert [state.name for state in sorted(REPORTED)] == LADDER


@given(STATES, STATES)
def test_to_advance_never_lowers(known: MessageState, reported: MessageState) -> None:
    assert advance(known, reported) >= known


@given(st.lists(STATES, min_size=1, max_size=5))
def test_any_order_and_any_repetition_of_words_ends_on_the_same_rung(words: list[MessageState]) -> None:
    ends = set()
    for order in permutations(words):
        known = S.WAITING
        for word in (*order, *order):
            known = advance(known, word)
        ends.add(known)
    assert len(ends) == 1


@pytest.mark.parametrize("state", list(MessageState))
def test_a_word_is_final_from_unknown_on(state: MessageState) -> None:
    assert is_final(state) is (state.name in LADDER[2:])


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (S.KO, "KO"), (S.WAITING, "Waiting"), (S.ENROUTE, "Waiting"), (S.ACCEPTED, "Waiting"),
        (S.UNKNOWN, "Not delivered"), (S.EXPIRED, "Not delivered"), (S.DELETED, "Not delivered"),
        (S.REJECTED, "Not delivered"), (S.UNDELIVERABLE, "Not delivered"), (S.DELIVERED, "Delivered"),
    ],
)  # fmt: skip
def test_every_state_has_its_public_word(state: MessageState, word: str) -> None:
    assert public_word(int(state)) == word
    assert len(PUBLIC_WORDS) == len(MessageState)


# -- what operators write ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "state"),
    [
        # SMPP 3.4, appendix B.
        ("DELIVRD", S.DELIVERED), ("EXPIRED", S.EXPIRED), ("DELETED", S.DELETED), ("UNDELIV", S.UNDELIVERABLE),
        ("ACCEPTD", S.ACCEPTED), ("UNKNOWN", S.UNKNOWN), ("REJECTD", S.REJECTED),
        # Words of other books.
        ("ENROUTE", S.ENROUTE), ("DELIVERED", S.DELIVERED), ("FAILED", S.UNDELIVERABLE), ("BUFFRED", S.ENROUTE),
    ],
)  # fmt: skip
def test_a_stat_word_names_its_state(word: str, state: MessageState) -> None:
    assert STAT_WORDS[word] is state


def test_stat_words_are_in_upper_case_and_cover_every_state_an_operator_can_report() -> None:
    assert all(word == word.upper() for word in STAT_WORDS)
    assert set(STAT_WORDS.values()) == set(REPORTED)


def test_message_state_has_the_numbers_of_smpp_3_4() -> None:
    assert {number: state.name for number, state in STATE_VALUES.items()} == {
        1: "ENROUTE", 2: "DELIVERED", 3: "EXPIRED", 4: "DELETED",
        5: "UNDELIVERABLE", 6: "ACCEPTED", 7: "UNKNOWN", 8: "REJECTED",
    }  # fmt: skip


# -- many segments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "segments", "state"),
    [
        (ANY_FAILED, [S.DELIVERED, S.DELIVERED, S.DELIVERED], S.DELIVERED),
        (ANY_FAILED, [S.DELIVERED, S.DELIVERED, S.WAITING], S.WAITING),
        (ANY_FAILED, [S.DELIVERED, S.ENROUTE, S.ACCEPTED], S.ENROUTE),
        (ANY_FAILED, [S.DELIVERED, S.DELIVERED, S.ACCEPTED], S.ACCEPTED),
        (ANY_FAILED, [S.DELIVERED, S.UNDELIVERABLE, S.WAITING], S.UNDELIVERABLE),
        (ANY_FAILED, [S.EXPIRED, S.REJECTED, S.DELIVERED], S.REJECTED),
        (ALL, [S.DELIVERED, S.DELIVERED, S.DELIVERED], S.DELIVERED),
        (ALL, [S.DELIVERED, S.UNDELIVERABLE, S.WAITING], S.WAITING),
        (ALL, [S.DELIVERED, S.UNDELIVERABLE, S.ACCEPTED], S.ACCEPTED),
        (ALL, [S.DELIVERED, S.UNDELIVERABLE, S.EXPIRED], S.UNDELIVERABLE),
    ],
)
def test_the_order_of_segments_does_not_matter_where_all_of_them_count(
    rule: MultipartRule, segments: list[MessageState], state: MessageState
) -> None:
    assert {derive(order, rule) for order in permutations(segments)} == {state}


@pytest.mark.parametrize("segments", list(permutations([S.DELIVERED, S.UNDELIVERABLE, S.WAITING])))
def test_first_and_last_look_at_one_segment_only(segments: tuple[MessageState, ...]) -> None:
    assert derive(segments, FIRST) is segments[0]
    assert derive(segments, LAST) is segments[-1]


@pytest.mark.parametrize(("rule", "state"), list(product(MultipartRule, REPORTED)))
def test_one_segment_is_its_recipient_under_every_rule(rule: MultipartRule, state: MessageState) -> None:
    assert derive([state], rule) is state


@given(st.lists(st.sampled_from([S.WAITING, *REPORTED]), min_size=1, max_size=10))
def test_a_recipient_is_delivered_only_when_every_segment_is(segments: list[MessageState]) -> None:
    everything = all(state is S.DELIVERED for state in segments)
    for rule in (ANY_FAILED, ALL):
        assert (derive(segments, rule) is S.DELIVERED) is everything


@given(st.lists(st.sampled_from([S.WAITING, *REPORTED]), min_size=1, max_size=10))
def test_all_decides_when_the_last_segment_has_and_any_failed_no_later(segments: list[MessageState]) -> None:
    decided = all(is_final(state) for state in segments)
    assert is_final(derive(segments, ALL)) is decided
    if decided:
        assert derive(segments, ANY_FAILED) is derive(segments, ALL)
