"""Which number a STOP mention names, and that naming another one costs nobody a segment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.opt_out import mention, number_named, renamed, stop_number_of_link
from esito.domain.text import count_segments, prepare

NUMBERS = st.from_regex(r"\+?[1-9][0-9]{2,14}", fullmatch=True)
TEXTS = st.text(st.sampled_from("abcé€[^\r\n😀 :br"), max_size=400) | st.integers(0, 400).map("x".__mul__)


def segments(text: str, *, unicode: bool) -> int:
    return count_segments(prepare(text, unicode=unicode))


def test_the_words_are_those_of_the_contract() -> None:
    assert "Bonjour" + mention("36111") == "Bonjour STOP au 36111"


@pytest.mark.parametrize(
    ("sender", "stop_number", "expected"),
    [
        ("", "", "36111"),
        ("36222", "", "36222"),
        ("33700000001", "", "+33700000001"),
        ("+33700000001", "", "+33700000001"),
        ("0700000001", "", "0700000001"),
        ("ESITO", "", "36111"),
        ("ESITO", "36333", "36333"),
        ("", "36333", "36333"),
        ("36222", "36333", "36333"),
        ("", "33700000001", "+33700000001"),
    ],
)
def test_a_link_takes_a_stop_where_its_settings_say(sender: str, stop_number: str, expected: str) -> None:
    assert stop_number_of_link(sender=sender, stop_number=stop_number) == expected


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("", "36222"),
        ("SHOP", "36222"),
        ("36444", "36444"),
        ("33700000001", "+33700000001"),
        ("0033700000001", "0033700000001"),
    ],
)
def test_a_text_names_its_own_number_or_that_of_its_link(sender: str, expected: str) -> None:
    assert number_named(sender, "36222") == expected


@given(TEXTS, NUMBERS, NUMBERS, st.booleans())
def test_another_number_is_named_in_as_many_segments(text: str, before: str, number: str, unicode: bool) -> None:
    accepted = text + mention(before)
    other = renamed(accepted, before, number, unicode=unicode)
    assert segments(other, unicode=unicode) == segments(accepted, unicode=unicode)
    assert other == accepted or (other.startswith(text) and other.endswith(mention(number)))
    if len(number) <= len(before):
        assert other.endswith(mention(number))
    if other != accepted:
        assert set(other.removesuffix(mention(number)).removeprefix(text)) <= {" "}


def test_blanks_stand_in_for_what_a_shorter_number_leaves_over() -> None:
    accepted = "x" * 141 + mention("+33700000001")  # 162: two segments, one with five digits
    other = renamed(accepted, "+33700000001", "36222", unicode=False)
    assert other == "x" * 141 + " " * 7 + mention("36222")
    assert renamed("Hi" + mention("+33700000001"), "+33700000001", "36222", unicode=False) == "Hi STOP au 36222"


def test_a_number_that_would_need_one_segment_more_is_not_named() -> None:
    accepted = "x" * 146 + mention("36222")
    assert renamed(accepted, "36222", "+33700000001", unicode=False) == accepted


def test_what_an_author_wrote_is_left_alone() -> None:
    assert renamed("STOP au 36111 please", "36111", "36222", unicode=False) == "STOP au 36111 please"
