"""A sealed password opens with its secret alone."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.credentials import seal, unseal


@given(st.text(max_size=200), st.binary(min_size=1, max_size=70))
def test_what_was_sealed_is_opened_by_the_same_secret_alone(text: str, secret: bytes) -> None:
    sealed = seal(text, secret)
    assert unseal(sealed, secret) == text
    with pytest.raises(ValueError, match="another secret"):
        unseal(sealed, secret + b"?")


@given(st.text(max_size=20), st.data())
def test_what_was_changed_is_not_opened(text: str, data: st.DataObject) -> None:
    octets = bytearray(base64.b64decode(seal(text, b"secret")))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="changed"):
        unseal(base64.b64encode(octets).decode(), b"secret")


@pytest.mark.parametrize("text", ["", "hunter2", "****", "AAAA"])
def test_what_was_never_sealed_is_not_opened(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of whatever kind
        unseal(text, b"secret")


def test_neither_the_text_nor_its_length_nor_that_two_are_alike_shows() -> None:
    one, other = seal("hunter2", b"secret"), seal("hunter2", b"secret")
    assert one != other
    assert b"hunter2" not in base64.b64decode(one)
    assert len(one) == len(seal("", b"secret")) == len(seal("x" * 64, b"secret"))
