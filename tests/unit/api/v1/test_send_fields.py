"""The fields of a send and what is said of those that cannot be used (contract 2.1, 2.6)."""

from decimal import Decimal
from typing import Any

import pytest

from esito.api.http.request import Inputs
from esito.api.v1.send_fields import MAX_READ, FieldErrors, raw_numbers, read_options
from esito.domain.account import Account, AccountState
from esito.domain.errors import InvalidFields, TooManyRecipients
from esito.domain.message import Range
from tests.kit.builders import NOW
from tests.kit.desk import Desk

ACCOUNT = Account(id=1, name="acme", state=AccountState.ACTIVE, credit=Decimal(100))

GOOD = {"phoneNumbers": "+33611111111", "message": "ciao"}


def fields(api: Desk, **changes: object) -> list[tuple[str, str]]:
    return api.post("/v1/send", **(GOOD | changes)).fields


def element(name: str) -> str:
    return f"children[{name}].data"


@pytest.mark.parametrize("message", [None, "", "  \n", ["x"], {"text": "x"}])
def test_a_message_without_text(api: Desk, message: object) -> None:
    assert fields(api, message=message) == [(element("message"), "Le message est requis")]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ("922264", ["922264"]),
        (922264, ["922264"]),
        ("0611111111, 922264,x", ["922264", "x"]),
        (["0611111111", "06"], ["06"]),
        (["06,07"], ["06", "07"]),
        (["0611111111", ["0622222222"]], ["[...]"]),
        ({"number": "0622222222"}, ["{...}"]),
        (True, ["1"]),
        ("0611111111;0622222222", ["0611111111;0622222222"]),
        ("9" * 200, ["9" * 50 + "..."]),
    ],
)
def test_texts_that_are_no_numbers_are_named(api: Desk, numbers: object, shown: list[str]) -> None:
    texts = [f"Ce numero de telephone n'est pas valide ({number})" for number in shown]
    assert fields(api, phoneNumbers=numbers) == [(element("phoneNumbers"), text) for text in texts]


def test_of_very_many_wrong_numbers_five_hundred_are_named(api: Desk) -> None:
    assert len(fields(api, phoneNumbers=",".join(["x"] * 600))) == 500


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (None, []), ("", []), (" , ", []), ([], []), ([None, ""], []), ("0611111111", ["0611111111"]),
        (" 06 11 , +33 6,", ["06 11", "+33 6"]), (["06", " 07 "], ["06", "07"]),
        ([33611111111, 7.0], ["33611111111", "7"]), (["06,07", "08"], ["06", "07", "08"]),
    ],
)  # fmt: skip
def test_numbers_come_as_a_text_with_commas_or_as_an_array(value: Any, numbers: list[str]) -> None:
    assert raw_numbers(value) == numbers


@pytest.mark.parametrize("value", ["," * MAX_READ, ["0611111111"] * (MAX_READ + 1), [","] * MAX_READ], ids=len)
def test_a_list_that_is_too_long_is_refused_before_it_is_read(api: Desk, value: Any) -> None:
    with pytest.raises(TooManyRecipients):
        raw_numbers(value)
    for path in ("/v1/send", "/v1/lookup"):
        assert api.post(path, message="a", phoneNumbers=value).refused[:2] == (400, 50)


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        ("abcdefghijkl", "L'emetteur ne peut pas etre plus long que 11 caracteres"),
        ("é" * 12, "L'emetteur ne peut pas etre plus long que 11 caracteres"),
        ("ab", "L'emetteur ne peut pas etre plus court que 3 caracteres"),
        (["ESITO"], "L'emetteur ne peut pas etre plus court que 3 caracteres"),
        (12, "L'emetteur ne peut pas etre plus court que 3 caracteres"),
        ("caffè", "L'emetteur ne peut pas contenir de caracteres speciaux"),
        ("a&b", "L'emetteur ne peut pas contenir de caracteres speciaux"),
        ("a\nb", "L'emetteur ne peut pas contenir de caracteres speciaux"),
        ("---", "L'emetteur ne peut pas contenir de caracteres speciaux"),
        ("+336111", "L'emetteur ne peut pas contenir de caracteres speciaux"),
    ],
)
def test_senders_that_are_refused(api: Desk, sender: object, text: str) -> None:
    assert fields(api, sender=sender) == [(element("sender"), text)]


@pytest.mark.parametrize("sender", ["ESITO", "Abc", "abcdefghijk", "36111", 36111, "My Shop-1.2", " ESITO "])
def test_senders_that_are_taken(sender: object) -> None:
    assert options(sender=sender).sender == str(sender).strip()


@pytest.mark.parametrize("tag", ["a b", "a\tb", " a", "a\u00a0b", "a\0b", ["a"], "\ud800 "])
def test_tags_with_spaces_are_refused(api: Desk, tag: object) -> None:
    assert fields(api, tag=tag) == [(element("tag"), "Le tag ne peut pas contenir d'espaces")]


def test_a_tag_that_is_too_long_is_refused(api: Desk) -> None:
    assert fields(api, tag="missive_" + "1" * 13) == [
        (element("tag"), "Le tag ne peut pas etre plus long que 20 caracteres")
    ]
    assert api.post("/v1/send", **GOOD, tag="missive_" + "1" * 12).status == 200


@pytest.mark.parametrize("name", ["gamme", "range"])
@pytest.mark.parametrize("value", ["4", 0, "low", [2], 1.5])
def test_ranges_that_are_refused(api: Desk, name: str, value: object) -> None:
    assert fields(api, **{name: value}) == [(element(name), "La gamme n'est pas valide")]


@pytest.mark.parametrize("value", ["4", -1, "high", [2], 1.5])
def test_priorities_that_are_refused(api: Desk, value: object) -> None:
    assert fields(api, priority=value) == [(element("priority"), "La priorite n'est pas valide")]


@pytest.mark.parametrize(("value", "priority"), [(None, 0), ("", 0), (0, 0), ("3", 3), (2, 2), (1.0, 1)])
def test_priorities_that_are_taken(value: object, priority: int) -> None:
    assert options(priority=value).priority == priority


@pytest.mark.parametrize("name", ["urlDlr", "urlResponse", "webhookUrl"])
@pytest.mark.parametrize(
    "url",
    ["ftp://host/x", "host/x", "http://", "http:///x", "http://[::1", "http://host:x/", "http://h/a b", "http://h/\nx",
     "javascript:alert(1)", "x" * 10, ["http://host"], 5, "http://h/" + "x" * 2000],
)  # fmt: skip
def test_addresses_that_cannot_be_called_are_refused(api: Desk, name: str, url: object) -> None:
    assert fields(api, **{name: url}) == [(element(name), "L'URL n'est pas valide")]


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("x" * 65, "La reference ne peut pas etre plus longue que 64 caracteres"),
        (["x"], "La reference n'est pas valide"),
    ],
)
def test_references_that_are_refused(api: Desk, reference: object, text: str) -> None:
    assert fields(api, reference=reference) == [(element("reference"), text)]


def test_several_errors_come_in_the_contracts_order(api: Desk) -> None:
    wrong = {
        "reference": "x" * 65, "tag": "a b", "gamme": 9, "time": "", "scheduledDeliveryDate": "21/11/2014",
        "sender": "abcdefghijkl", "phoneNumbers": "922264", "message": "",
    }  # fmt: skip
    assert fields(api, **wrong) == [
        (element("message"), "Le message est requis"),
        (element("phoneNumbers"), "Ce numero de telephone n'est pas valide (922264)"),
        (element("sender"), "L'emetteur ne peut pas etre plus long que 11 caracteres"),
        (element("scheduledDeliveryDate"), "La date (21/11/2014 à :) est anterieure a la date actuelle."),
        (element("minute"), "La minute est requise"),
        (element("time"), "L'heure est requise"),
        (element("gamme"), "La gamme n'est pas valide"),
        (element("tag"), "Le tag ne peut pas contenir d'espaces"),
        (element("reference"), "La reference ne peut pas etre plus longue que 64 caracteres"),
    ]


def options(**values: object) -> Any:
    errors = FieldErrors()
    read = read_options(Inputs(values), errors, account=ACCOUNT, now=NOW, never_called=lambda _: "")
    errors.raise_any()
    return read


@pytest.mark.parametrize("values", [{}, {"gamme": None, "sender": "", "tag": None, "urlDlr": "", "time": None}])
def test_what_is_absent_null_or_empty_is_the_default(values: dict[str, object]) -> None:
    read = options(**values)
    assert (read.sender, read.gamme, read.tag, read.reference, read.due_at) == ("", Range.PREMIUM, None, None, None)
    assert (read.url_dlr, read.url_response, read.unicode, read.stop_mention, read.sandbox) == (
        None, None, False, False, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "gamme"),
    [
        ({"gamme": 1}, Range.PREMIUM),
        ({"gamme": "2"}, Range.LOW_COST),
        ({"range": 2}, Range.LOW_COST),
        ({"gamme": 2.0}, Range.LOW_COST),
        ({"gamme": 3}, Range.PREMIUM),
        ({"gamme": "1", "range": "2"}, Range.PREMIUM),
        ({"gamme": None, "range": "2"}, Range.LOW_COST),
    ],
)
def test_the_range_has_two_names(values: dict[str, object], gamme: Range) -> None:
    assert options(**values).gamme is gamme


def test_the_older_name_of_the_report_address_counts_when_the_newer_is_absent() -> None:
    assert options(webhookUrl="http://a/?k=1&l=%20").url_dlr == "http://a/?k=1&l=%20"
    assert options(webhookUrl="http://a/", urlDlr="https://b/").url_dlr == "https://b/"
    assert options(webhookUrl="http://a/", urlDlr="").url_dlr == "http://a/"


def test_the_stop_mention_is_premium_only() -> None:
    assert options(isStopSms=1).stop_mention
    assert not options(isStopSms=1, gamme=2).stop_mention


def test_flags_come_as_numbers_strings_and_booleans() -> None:
    read = options(isUnicode="1", sandbox=True)
    assert (read.unicode, read.sandbox) == (True, True)


def test_nothing_wrong_raises_nothing() -> None:
    FieldErrors().raise_any()
    with pytest.raises(InvalidFields):
        options(tag="a b")
