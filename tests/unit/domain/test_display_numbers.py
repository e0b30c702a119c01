"""A number is hidden in what operators wrote, whatever its form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.display import hide_in

NUMBER = "+33611110001"


@pytest.mark.parametrize("written", ["33611110001", "+33611110001", "0033611110001", "0611110001", "611110001"])
@pytest.mark.parametrize("codec", ["ascii", "utf-16-be", "utf-16-le"])
def test_it_is_hidden_in_whatever_form_and_the_length_stays(written: str, codec: str) -> None:
    octets = f"to {written} id:22296883".encode(codec)
    hidden = hide_in(octets, NUMBER)
    assert len(hidden) == len(octets)
    shown = hidden.decode(codec)
    assert shown.endswith("0001 id:22296883")
    assert "*0001" in shown
    assert "61111" not in shown


@pytest.mark.parametrize(
    "written", ["06 11 11 00 01", "06.11.11.00.01", "+33 (0)6 11 11 00 01", "06-11110001", "0033/611/110001"]
)
@pytest.mark.parametrize("codec", ["ascii", "utf-16-be", "utf-16-le"])
def test_punctuation_does_not_show_it(written: str, codec: str) -> None:
    hidden = hide_in(f"id:1 to:{written} x".encode(codec), NUMBER).decode(codec)
    digits = [sign for sign in hidden if sign.isdigit()]
    assert "".join(digits) == "10001"
    assert len(hidden) == len(f"id:1 to:{written} x")


def test_ids_and_other_numbers_stay() -> None:
    octets = b"id:22296883 to 33622220002 at 2611231236"
    assert hide_in(octets, NUMBER) == octets


@pytest.mark.parametrize("number", ["", "+0", "0", "ESITO"])
def test_for_what_is_no_number_nothing_is_hidden(number: str) -> None:
    assert hide_in(b"to 33611110001", number) == b"to 33611110001"


@given(st.binary(max_size=60), st.sampled_from(["33611110001", "0611110001"]), st.binary(max_size=60))
def test_nothing_around_it_shows_it(before: bytes, written: str, after: bytes) -> None:
    hidden = hide_in(before + written.encode() + after, NUMBER)
    assert len(hidden) == len(before) + len(written) + len(after)
    assert b"1110001" not in hidden
