"""XML by position (contract 0.2)."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.api.http.xml import Text, Value, to_xml


def inside(data: dict[str, Value]) -> str:
    """Return what stands within `<result>`, without line breaks."""
    text = to_xml(data).decode()
    before, _, rest = text.partition("<result>")
    assert before == "<?xml version='1.0' encoding='UTF-8'?>\n"
    return rest.removesuffix("</result>").replace("\n", "")


def test_numbers_and_booleans_are_bare_and_strings_are_not() -> None:
    data: dict[str, Value] = {"a": True, "b": False, "c": 300, "d": 0.045, "e": "300"}
    assert inside(data) == (
        "<entry>true</entry><entry>false</entry><entry>300</entry><entry>0.045</entry><entry><![CDATA[300]]></entry>"
    )


def test_names_are_lost_but_those_of_the_user() -> None:
    data: dict[str, Value] = {"user": {"username": "a", "more": {"x": 1}}, "credits": {"toSend": 2}}
    assert inside(data) == (
        "<entry><username><![CDATA[a]]></username><more><entry>1</entry></more></entry><entry><entry>2</entry></entry>"
    )


def test_an_empty_list_and_an_absent_value_keep_their_place() -> None:
    assert inside({"a": [], "b": {}, "c": None, "d": 1}) == "<entry/><entry/><entry></entry><entry>1</entry>"


def test_the_text_of_an_error_is_bare_and_escaped() -> None:
    assert inside({"message": Text("a < b & c > d")}) == "<entry>a &lt; b &amp; c &gt; d</entry>"


def test_an_error_envelope_stands_on_one_line() -> None:
    envelope: dict[str, Value] = {"success": False, "code": 10, "message": Text("x")}
    assert to_xml(envelope).count(b"\n") == 1


def test_a_section_that_would_end_early_is_split() -> None:
    text = "a]]>b]]]>c"
    assert "a]]]]><![CDATA[>b" in inside({"x": text})
    assert ET.fromstring(to_xml({"x": text}))[0].text == text


@pytest.mark.parametrize("forbidden", ["\0", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
@pytest.mark.parametrize("kind", [str, Text])
def test_what_xml_cannot_write_is_replaced(forbidden: str, kind: type[str]) -> None:
    (entry,) = ET.fromstring(to_xml({"x": kind(f"a{forbidden}b")}))
    assert entry.text == "a\ufffdb"


SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.text().map(Text)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner))


@given(st.dictionaries(st.sampled_from(["a", "b", "user", "message"]), VALUES, min_size=1))
def test_whatever_is_written_can_be_read(data: dict[str, Value]) -> None:
    ET.fromstring(to_xml(data))
