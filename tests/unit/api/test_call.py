"""Requests are read in every form that real clients use (contract 0)."""

import json
from typing import Any

import pytest

from esito.api.call import (
    LARGEST_ID,
    Inputs,
    as_message_id,
    as_number_text,
    as_text,
    parse_body,
    read_query,
    wants_xml,
)
from esito.domain.errors import MalformedJson
from tests.kit.desk import Desk


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"apiKey=k&messageId=300", {"apiKey": "k", "messageId": "300"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=1&b=%20&a=2", {"a": "2", "b": " "}),
        (b"a", {"a": ""}),
        (b"a&b=%C3%A9", {"a": "", "b": "é"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=b=c%3D", {"a": "b=c="}),
        (b"phoneNumber=+33611111111", {"phoneNumber": " 33611111111"}),
        (b"a=%ff", {"a": "\ufffd"}),
        (b"a=\xff", {"a": "\ufffd"}),
        ("a=é".encode(), {"a": "é"}),
    ],
)
def test_a_query_is_read_and_the_last_of_a_repeated_key_wins(query: bytes, values: dict[str, str]) -> None:
    assert read_query(query) == values


def test_an_empty_query_has_no_values() -> None:
    assert not Inputs(read_query(b"")).has("apiKey")


@pytest.mark.parametrize(
    "content_type",
    [b"", b"application/json", b"application/json; charset=utf-8", b"application/x-www-form-urlencoded", b"text/plain"],
)
def test_json_is_read_whatever_the_content_type_says(content_type: bytes) -> None:
    assert parse_body('{"message": "déjà"}'.encode(), content_type) == {"message": "déjà"}


@pytest.mark.parametrize("before", [b"\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\t"])
def test_blanks_and_a_byte_order_mark_may_stand_before_json(before: bytes) -> None:
    assert parse_body(before + b'{"a": 1}', b"") == {"a": 1}


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"apiKey=k&message=a+b%21", {"apiKey": "k", "message": "a b!"}),
        (b"message=", {"message": ""}),
        (b"a=1&a=2", {"a": "2"}),
        (b"[1, 2]", {"[1, 2]": ""}),
        (b"", {}),
        (b"  \n", {}),
    ],
)
def test_a_body_that_does_not_begin_with_a_brace_is_a_form(body: bytes, values: dict[str, str]) -> None:
    assert parse_body(body, b"application/json") == values


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é=é".encode("latin-1"), b"text/plain; charset=ISO-8859-1"),
        ('{"é": "é"}'.encode("cp1252"), b'application/json; CHARSET="windows-1252"'),
        ('{"é": "é"}'.encode("utf-16"), b"application/json; charset=utf-16"),
        ('{"é": "é"}'.encode(), b"application/json; charset="),
    ],
)
def test_a_charset_is_believed(body: bytes, content_type: bytes) -> None:
    assert parse_body(body, content_type) == {"é": "é"}


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "unicode_escape", "idna", "\0", "../x", "é", "x" * 5000])
def test_an_unknown_charset_cannot_be_read(name: str) -> None:
    with pytest.raises(MalformedJson):
        parse_body(b"{}", f"application/json; charset={name}".encode("latin-1"))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"a": 1',
        b'{"a": 1} x',
        b"{'a': 1}",
        b'{"message": "say "hi""}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"phoneNumbers": 0611111111}',
        b'{"a": "\xff"}',
        b'{"a": "tab\there"}',
        b'{"a":' + b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_body(body, b"application/json")


def test_a_form_of_very_many_fields_is_refused() -> None:
    assert len(parse_body(b"&".join(b"%d=" % number for number in range(1000)), b"")) == 1000
    with pytest.raises(MalformedJson):
        parse_body(b"&" * 999_999, b"")


def test_null_is_absent_and_the_last_of_a_repeated_key_wins() -> None:
    assert parse_body(b'{"a": null, "b": 1, "b": 2, "c": {"d": null}}', b"") == {"b": 2, "c": {"d": None}}


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept() -> None:
    body = json.dumps({"a": "x\ud800y", "b": ["\udc00"], "\ud801": "😀", "n": 1}).encode()
    assert parse_body(body, b"") == {"a": "x\ufffdy", "b": ["\ufffd"], "\ufffd": "😀", "n": 1}
    assert parse_body(b'{"a": "\\ud83d\\ude00", "b": "\\\\ud800"}', b"") == {"a": "😀", "b": "\\ud800"}


def test_a_very_long_number_stays_what_it_was() -> None:
    assert parse_body(b'{"a": ' + b"9" * 5000 + b"}", b"") == {"a": "9" * 5000}
    assert parse_body(b'{"a": 1e999}', b"") == {"a": float("inf")}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"), (5, "5"), (True, "1"), (False, "0"), (3.0, "3"), (0.5, "0.5"), (float("inf"), "inf"),
        (None, ""), ([], ""), (["x"], ""), ({"a": 1}, ""),
    ],
)  # fmt: skip
def test_scalars_are_text_and_nothing_else_is(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize("value", ["300", 300, 300.0, " 300", "300\n", "0300"])
def test_a_message_id_comes_in_several_forms(value: Any) -> None:
    assert as_message_id(value) == 300


@pytest.mark.parametrize(
    "value",
    [
        "", "abc", "+300", "-300", "3e2", "0x12", "٣٠٠", "3 00", "1.5", 1.5, 0, "0", -1, None, [300], {"id": 300},
        LARGEST_ID + 1, 10**30, "9" * 10_000, 1e300, float("inf"),
    ],
)  # fmt: skip
def test_what_is_no_message_id(value: Any) -> None:
    assert as_message_id(value) is None


def test_the_largest_message_id() -> None:
    assert as_message_id(str(LARGEST_ID)) == LARGEST_ID


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" 33611111111", "+33611111111"), ("+33611111111 ", "+33611111111"), (" 0611111111", "0611111111"),
        (33611111111, "33611111111"), ("  33611111111", "33611111111"), (None, ""),
    ],
)  # fmt: skip
def test_a_leading_blank_of_a_number_was_a_plus(value: Any, text: str) -> None:
    assert as_number_text(value) == text


@pytest.mark.parametrize("value", [1, "1", True, "true", "TRUE", " 1 ", "on", "yes", 1.0])
def test_flags_that_are_set(value: Any) -> None:
    assert Inputs({"sandbox": value}).flag("sandbox")


@pytest.mark.parametrize("value", [0, "0", False, "false", "", None, "no", "2", [1], {"a": 1}])
def test_flags_that_are_not_set(value: Any) -> None:
    assert not Inputs({"sandbox": value}).flag("sandbox")


@pytest.mark.parametrize(("value", "xml"), [("xml", True), ("XML", True), (" Xml", True), ("json", False),
                                            ("yaml", False), (None, False), (["xml"], False)])  # fmt: skip
def test_the_format_is_compared_without_case(value: Any, *, xml: bool) -> None:
    assert wants_xml({"_format": value}) is xml


def test_optional_fields_tell_absent_from_unusable() -> None:
    inputs = Inputs({"a": " x ", "b": "", "c": None, "d": ["x"]})
    assert [inputs.optional(name) for name in "abcde"] == ["x", None, None, "", None]


@pytest.mark.parametrize("depth", [16, 17, 100, 50_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_a_body_that_is_nested_deeper_than_any_request_is_malformed(api: Desk, depth: int, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    inner = opening * (depth - 1) + ("1" if brackets == "{}" else "") + brackets[1] * (depth - 1)
    told = api.ask("POST", "/v1/send", body=f'{{"apiKey":"a-key","x":{inner}}}'.encode())
    assert (told.json["code"] == 90) == (depth > 16)


def test_many_containers_beside_each_other_are_not_deep(api: Desk) -> None:
    items = [{"phoneNumber": f"+336{number:08d}", "message": "x"} for number in range(100)]
    assert api.post("/v1/bulk-send", SMSList=items).status == 200
