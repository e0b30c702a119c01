"""Every character of a foreign text shows, and nothing else changes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.display import visible, visible_json

ANY = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caff\u00e8 \u2709\ufe0f".rstrip("\ufe0f"), "caff\u00e8 \u2709"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\x00\x7f\r", "a\\u200bb\\x00\\x7f\\r"),
        ("\ud800", "\\ud800"),
        ("un\u00a0mot", "un\u00a0mot"),
    ],
)
def test_what_shows_nothing_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY)
def test_nothing_is_left_that_shows_nothing(text: str) -> None:
    assert all(sign.isprintable() or sign.isspace() for sign in visible(text))
    assert not set(visible(text)) & {"\n", "\r", "\t", "\x1b", "\x9b"}
    assert visible(visible(text)) == visible(text)
    if text.isprintable():
        assert visible(text) == text


@given(st.recursive(ANY | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_a_json_text_says_the_same(value: object) -> None:
    shown = visible_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(shown) == value
    assert all(sign.isprintable() or sign.isspace() for sign in shown)
