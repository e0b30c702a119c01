"""Requests are read in every form that real clients use (contract 0)."""

import encodings
import json
from typing import Any

import pytest

from esito.api.http.body import BEFORE_KEY, CHARSETS, FEW_CONTAINERS, MOST_CONTAINERS, key_in, parse_body, read_form
from esito.api.http.request import (
    LARGEST_ID,
    Inputs,
    as_message_id,
    as_number_text,
    as_text,
    wants_xml,
)
from esito.domain.errors import MalformedJson
from tests.kit.desk import Desk, ask


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
        (b"a=%ff", {"a": "ÿ"}),
        (b"a=\xff&b=%C3%A9", {"a": "ÿ", "b": "é"}),
        (b"t%E9st=%80+%81", {"tést": "€ \ufffd"}),
        ("a=é".encode(), {"a": "é"}),
    ],
)
def test_a_query_is_read_and_the_last_of_a_repeated_key_wins(query: bytes, values: dict[str, str]) -> None:
    assert read_form(query) == values


def test_an_empty_query_has_no_values() -> None:
    assert not Inputs(read_form(b"")).has("apiKey")


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
        True,
        False,
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


# -- what comes before the key is known ----------------------------------------------------------

LONG_TEXT = "x" * BEFORE_KEY


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"message": LONG_TEXT, "apiKey": "a-key"}).encode(),
        b"message=" + LONG_TEXT.encode() + b"&apiKey=a-key",
        b'{"x":[' + b"[]," * FEW_CONTAINERS + b'0],"apiKey":"nobody\'s"}',
    ],
)
def test_a_long_body_without_a_key_is_not_read_further(api: Desk, body: bytes) -> None:
    """A piece that would never come is not waited for: a desk hands out what it was given, and no more."""
    never = ask(api.app, "POST", "/v1/send", body=[body, b""])
    assert api.runner.run(never).refused[:2] == (400, 10 if b"nobody" in body else 1)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", json.dumps({"apiKey": "a-key", "message": LONG_TEXT}).encode()),
        ("", b"apiKey=a%2Dkey&message=" + LONG_TEXT.encode()),
        ("apiKey=a-key", json.dumps({"message": LONG_TEXT}).encode()),
        ("", b'{"apiKey" : "a-key", "phoneNumbers": [' + b"[]," * FEW_CONTAINERS + b"0]}"),
    ],
)
def test_a_long_body_with_a_good_key_is_read(api: Desk, query: str, body: bytes) -> None:
    assert api.ask("POST", "/v1/send", query=query, body=body).json["code"] in {2, 9}  # no number, or none that is one


def test_no_request_has_so_many_containers(api: Desk) -> None:
    body = b'{"apiKey": "a-key", "x": [' + b"[]," * MOST_CONTAINERS + b"0]}"
    assert api.ask("POST", "/v1/send", body=body).refused[:2] == (400, 90)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_refused(api: Desk, encoding: str) -> None:
    told = api.ask("POST", "/v1/send", body=b"{}", headers=[("content-encoding", encoding)])
    assert told.refused == (415, 415, "Le corps de la requête ne peut pas être compressé")
    assert api.ask("POST", "/v1/send", body=b"{}", headers=[("content-encoding", "identity")]).refused[1] == 1


@pytest.mark.parametrize(
    ("octets", "key"),
    [
        (b'{"apiKey":"k"}', "k"),
        (b'{"a": {"apiKey"  :\n"k', ""),
        (b"x=1&apiKey=a%20b+c", "a b c"),
        (b"notapiKey=1", ""),
        (b'{"apiKey": 12}', ""),
        (b"", ""),
    ],
)
def test_a_key_is_found_unread(octets: bytes, key: str) -> None:
    assert key_in(octets) == key


def test_python_is_asked_for_no_name_of_a_charset() -> None:
    """It keeps every name that it was ever asked for."""
    before = len(encodings._cache)
    for number in range(100):
        with pytest.raises(MalformedJson):
            parse_body(b"{}", b"application/json; charset=x-%d" % number)
    assert len(encodings._cache) == before


@pytest.mark.parametrize("name", CHARSETS)
def test_a_body_is_read_in_every_charset_of_the_table(name: str) -> None:
    body = "message=€uro" if "1252" in name or "utf" in name else "message=euro"
    assert parse_body(body.encode(CHARSETS[name]), f"text/plain; charset={name}".encode()) == {"message": body[8:]}


@pytest.mark.parametrize("query", [b"&" * 1000, b"%41&" * 1000])
def test_a_query_of_very_many_fields_is_refused(api: Desk, query: bytes) -> None:
    assert api.ask("GET", "/v1/me", query=query.decode()).refused[:2] == (400, 90)


def test_a_form_that_is_not_utf8_is_read_as_windows_1252() -> None:
    assert parse_body(b"message=d%E9j%E0+vu+%80", b"application/x-www-form-urlencoded") == {"message": "déjà vu €"}
    assert parse_body(b"message=d\xe9j\xe0&a=%C3%A9", b"") == {"message": "déjà", "a": "é"}


def test_a_name_that_begins_like_a_byte_order_mark_stays_whole() -> None:
    assert parse_body("ï»¿ï=ï".encode("cp1252"), b"text/plain; charset=windows-1252") == {"ï": "ï"}
    assert parse_body("ïle=1".encode("cp1252"), b"text/plain; charset=windows-1252") == {"ïle": "1"}
