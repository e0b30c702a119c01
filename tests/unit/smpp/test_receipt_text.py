"""The fields of a receipt's text, by whatever names, or none, and at a cost that grows with its length only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esito.smpp.receipt_text import DONE, ERR, ID, NAMES, STAT, SUBMITTED, Fields, read_fields, reads_as_receipt
from tests.kit.growth import AT_MOST, growth, no_collections

WHOLE = Fields("1001", "2611230500", "261123050116", "DELIVRD", "000")

SPELLINGS = [
    ("by the book", "id:1001 sub:001 dlvrd:1 submit date:2611230500 done date:261123050116 stat:DELIVRD err:000 text:"),
    ("no stat label", "id:1001 sub:000 dlvrd:000 submit date:2611230500 done date:261123050116 DELIVRD err:000 Text:"),
    ("no id label", "1001 sub:001 dlvrd:001 submit date:2611230500 done date:261123050116 stat:DELIVRD err:000 text:x"),
    ("neither", "1001 sub:001 dlvrd:001 submit date:2611230500 done date:261123050116 DELIVRD err:000 text:x"),
    ("status", "id:1001 submit date:2611230500 done date:261123050116 status:DELIVRD error:000"),
    ("state", "msgid:1001 submit date:2611230500 done date:261123050116 state:DELIVRD err code:000"),
    ("other names", "message_id:1001 submitdate:2611230500 done-date:261123050116 message_state:DELIVRD errcode:000"),
    ("capitals", "ID:1001 SUB:001 DLVRD:001 SUBMIT DATE:2611230500 DONE DATE:261123050116 STAT:DELIVRD ERR:000 TEXT:x"),
    ("commas", "id:1001,sub:001,dlvrd:001,submit date:2611230500,done date:261123050116,stat:DELIVRD,err:000,text:x"),
    ("semicolons", "id:1001; submit date:2611230500; done date:261123050116; stat:DELIVRD; err:000; text:x"),
    ("ampersands", "id=1001&submit_date=2611230500&done_date=261123050116&stat=DELIVRD&err=000&text=x"),
    ("bars", "id:1001|sub:001|submit date:2611230500|done date:261123050116|stat:DELIVRD|err:000"),
    ("equals", "id=1001 sub=001 dlvrd=001 submit date=2611230500 done date=261123050116 stat=DELIVRD err=000 text=x"),
    ("lines", "id:1001\r\nsubmit date:2611230500\r\ndone date:261123050116\r\nstat:DELIVRD\r\nerr:000\r\ntext:x"),
    ("quotes", '{"id":"1001","submit date":"2611230500","done date":"261123050116","stat":"DELIVRD","err":"000"}'),
    ("blanks", "id : 1001 submit date : 2611230500 done date : 261123050116 stat : DELIVRD err : 000 text : x"),
    ("no colon at stat", "id:1001 submit date:2611230500 done date:261123050116 stat DELIVRD err:000 text:x"),
    ("no colon at id", "id 1001 sub:001 submit date:2611230500 done date:261123050116 stat:DELIVRD err:000 text:x"),
    ("no colons", "id 1001 sub 1 dlvrd 1 submit date 2611230500 done date 261123050116 stat DELIVRD err 000 text x"),
    ("word first", "DELIVRD id:1001 submit date:2611230500 done date:261123050116 err:000"),
    ("word last", "id:1001 submit date:2611230500 done date:261123050116 err:000 DELIVRD"),
    ("both", "status:0 msgid:77 id:1001 submit date:2611230500 done date:261123050116 stat:DELIVRD err:000"),
]  # fmt: skip


@pytest.mark.parametrize("text", [text for _, text in SPELLINGS], ids=[name for name, _ in SPELLINGS])
def test_it_says_the_same_in_whatever_words(text: str) -> None:
    assert read_fields(text) == WHOLE


FIELDS = (ID, SUBMITTED, DONE, STAT, ERR)


@pytest.mark.parametrize("name", [name for name, field in NAMES.items() if field])
@pytest.mark.parametrize("blank", ["", " ", "_", "-"])
@pytest.mark.parametrize("colon", [":", "=", " : ", ": "])
def test_every_name_is_found_however_it_is_written(name: str, blank: str, colon: str) -> None:
    for written in (name.replace(" ", blank), name.replace(" ", blank).upper()):
        read = read_fields(f"sub:001 {written}{colon}77 dlvrd:001")
        assert dict(zip(FIELDS, read[:5], strict=True)) == {field: "77" * (field == NAMES[name]) for field in FIELDS}


@pytest.mark.parametrize(
    ("text", "stat"),
    [
        ("id:1 err:000 the message was not delivered", ""),
        ("Message 1001 delivered", ""),
        ("not DELIVRD", ""),
        ("id:1 stat: err:000", ""),
        ("id:1 done date:2611231130 QUUX err:000", "QUUX"),
        ("id:1 done date:2611231130 QUUX DELIVRD err:000", ""),
        ("id:1 state of things err:000", ""),
        ("id:1 text:stat:DELIVRD", ""),
        ("id:1 err:000 text stat DELIVRD", ""),
    ],
)
def test_a_word_is_taken_for_the_state_only_where_it_stands_alone(text: str, stat: str) -> None:
    assert read_fields(text).stat == stat


@pytest.mark.parametrize(
    "text", ["no id here stat:DELIVRD", "hello sub:001", "a b sub:001", "x text:1001", "id: sub:1"]
)
def test_a_word_is_taken_for_the_id_only_where_it_can_be_one(text: str) -> None:
    assert read_fields(text).id == ""


@pytest.mark.parametrize("text", ["id:a-b.c:d stat:DELIVRD", "id:a-b.c:d,stat:DELIVRD", 'id:"a-b.c:d" stat:DELIVRD'])
def test_an_id_may_have_marks_in_it(text: str) -> None:
    assert read_fields(text).id == "a-b.c:d"


PIECES = st.sampled_from([*NAMES, "text", "id:", "stat:", "done date:", "DELIVRD", "1001", " ", "  ", *':=\0",_xé'])


@given(st.lists(PIECES | st.text(st.characters(codec="latin-1"), max_size=5), max_size=40).map("".join))
def test_any_text_is_read_and_read_alike(text: str) -> None:
    found = read_fields(text)
    assert all(sign not in value for value in found[:5] for sign in " \0\t\r\n")
    assert read_fields(text) == found
    reads_as_receipt(text)


LENGTH = 16_384


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_the_work_grows_with_the_length_only(unit: str) -> None:
    def read(text: str) -> object:
        return read_fields(text), reads_as_receipt(text)

    with no_collections():
        assert growth(read, lambda length: unit * (length // len(unit)), LENGTH) < AT_MOST
