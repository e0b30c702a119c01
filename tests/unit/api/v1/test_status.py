"""The status endpoints (contract 1)."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from esito.domain.pricing import PriceList
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, desk

FIRST, SECOND = "+33611111111", "+33622222222"
ACCEPTED, SPOKEN = str(NOW // 1000), str(NOW // 1000 + 10)


# -- bulk-status -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [("DELIVRD", "Delivered"), ("UNDELIV", "Not delivered"), ("EXPIRED", "Not delivered"), ("REJECTD", "Not delivered"),
     ("UNKNOWN", "Not delivered"), ("DELETED", "Not delivered"), ("ACCEPTD", "Waiting"), ("ENROUTE", "Waiting")],
)  # fmt: skip
def test_the_operators_word_becomes_a_status(api: Desk, word: str, status: str) -> None:
    message = api.send(FIRST)
    api.settle(word)
    (item,) = api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"]
    assert item["status"] == status


def test_a_recipient_who_waits_has_the_time_of_acceptance(api: Desk) -> None:
    message = api.send(FIRST, SECOND)
    api.settle("", "DELIVRD")
    items = api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"]
    assert [item["date"] for item in items] == [ACCEPTED, SPOKEN]


def test_recipients_come_in_the_order_of_the_request_all_five_hundred(api: Desk) -> None:
    numbers = [f"+336{(seq * 7919) % 500:08}" for seq in range(500)]
    message = api.send(*numbers)
    items = api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"]
    assert [item["phoneNumber"] for item in items] == numbers


def test_the_stop_flag_is_that_of_now(api: Desk) -> None:
    message = api.send(FIRST, SECOND)
    api.stop(33622222222)
    items = api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"]
    assert [item["stopSMS"] for item in items] == [False, True]


@pytest.mark.parametrize("message_id", ["", None])
def test_a_missing_message_id(api: Desk, message_id: str | None) -> None:
    query = {} if message_id is None else {"messageId": message_id}
    assert api.get("/v1/bulk-status", **query).refused == (400, 3, "L'ID du message est requis")


@pytest.mark.parametrize("message_id", [999, "abc", "0", "-1", "1.5", 10**30, "9" * 5000, " ", "1;2", "é"])
def test_an_unknown_message_id(api: Desk, message_id: object) -> None:
    api.send(FIRST)
    assert api.get("/v1/bulk-status", messageId=message_id).refused == (400, 4, "Message introuvable")


def test_another_accounts_message_is_unknown(api: Desk) -> None:
    api.add_account("stranger", "stranger-key")
    message = api.send(FIRST, tag="t")
    for path, more in [
        ("/v1/bulk-status", {}),
        ("/v1/message-status", {"phoneNumber": FIRST}),
        ("/v1/bulk-status-by-tag", {"tag": "t"}),
    ]:
        reply = api.get(path, apiKey="stranger-key", messageId=message, **more)
        assert reply.refused == (400, 4, "Message introuvable")
    body = {"apiKey": "stranger-key", "SMSStatut_List": [{"phoneNumber": FIRST, "messageId": message}]}
    (item,) = api.post("/v1/multi-status", body).json["StatutResponse_List"]
    assert item["code"] == 4


@pytest.mark.parametrize("form", ["{}", "0{}", "%20{}", "{}%0A"])
def test_a_message_id_may_be_written_in_several_ways(api: Desk, form: str) -> None:
    message = api.send(FIRST)
    reply = api.ask("GET", "/v1/bulk-status", query=f"apiKey={KEY}&messageId={form.format(message)}")
    assert reply.json["message_id"] == str(message)


def test_the_last_of_a_repeated_parameter_counts(api: Desk) -> None:
    message = api.send(FIRST)
    query = f"apiKey=wrong&messageId=999&apiKey={KEY}&messageId={message}"
    assert api.ask("GET", "/v1/bulk-status", query=query).status == 200


# -- message-status ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("phoneNumber=0611111111", "0611111111"),
        ("phoneNumber=%2B33611111111", "+33611111111"),
        ("phoneNumber=+33611111111", "+33611111111"),  # an unescaped plus
        ("phoneNumber=0033611111111", "0033611111111"),
        ("phoneNumber=%2006+11+11+11+11%20", "06 11 11 11 11"),
    ],
)
def test_a_number_is_answered_the_way_it_was_asked(api: Desk, asked: str, shown: str) -> None:
    message = api.send(FIRST)
    reply = api.ask("GET", "/v1/message-status", query=f"apiKey={KEY}&messageId={message}&{asked}")
    assert reply.json["number"] == shown
    assert reply.json["messageId"] == str(message)


def test_the_stop_flag_of_one_recipient_is_a_boolean(api: Desk) -> None:
    message = api.send(FIRST)
    api.stop(33611111111)
    reply = api.get("/v1/message-status", messageId=message, phoneNumber=FIRST)
    assert reply.json["stopSms"] is True


def test_the_country_and_price_of_a_number_abroad(tmp_path: Path) -> None:
    with desk(tmp_path, prices=PriceList(countries={"MG": Decimal("0.3")})) as api:
        api.let(countries=("MG",))
        message = api.send("+261321234567")
        told = api.get("/v1/message-status", messageId=message, phoneNumber="261321234567").json
    assert (told["countryCode"], told["cost"], told["currency"]) == ("MG", 0.3, "EUR")


def test_a_free_message_costs_nothing(api: Desk) -> None:
    message = api.send(FIRST, sandbox=1)
    assert api.get("/v1/message-status", messageId=message, phoneNumber=FIRST).json["cost"] == 0


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({}, 2, "Le numéro de téléphone est requis"),
        ({"messageId": "1"}, 2, "Le numéro de téléphone est requis"),
        ({"phoneNumber": FIRST}, 3, "L'ID du message est requis"),
        ({"phoneNumber": "x"}, 3, "L'ID du message est requis"),
        ({"phoneNumber": FIRST, "messageId": "999"}, 4, "Message introuvable"),
        ({"phoneNumber": SECOND, "messageId": "1"}, 4, "Message introuvable"),
        ({"phoneNumber": "x", "messageId": "1"}, 4, "Message introuvable"),
        ({"phoneNumber": FIRST, "messageId": "x"}, 4, "Message introuvable"),
    ],
)
def test_refusals_of_one_recipient(api: Desk, query: dict[str, str], code: int, text: str) -> None:
    api.runner.run(api.store.keep_setting("next_message_id", "1"))
    api.send(FIRST)
    assert api.get("/v1/message-status", **query).refused == (400, code, text)


# -- multi-status ------------------------------------------------------------------------------


def pairs(api: Desk, items: list[object]) -> list[Any]:
    reply = api.post("/v1/multi-status", SMSStatut_List=items)
    assert (reply.status, reply.json["success"], reply.json["code"]) == (200, True, 200)
    listed: list[Any] = reply.json["StatutResponse_List"]
    return listed


def test_found_and_failed_items_keep_the_order_of_the_request(api: Desk) -> None:
    message = api.send(FIRST, SECOND)
    api.settle("DELIVRD", "")
    api.stop(33622222222)
    listed = pairs(api, [
        {"phoneNumber": "0622222222", "messageId": str(message)},
        {"phoneNumber": "0633333333", "messageId": message},
        {"phoneNumber": FIRST, "messageId": message},
    ])  # fmt: skip
    assert listed == [
        {"success": True, "code": 200, "phoneNumber": SECOND, "messageId": message, "status": "Waiting",
         "date": ACCEPTED, "stopSms": "1", "isSpam": "0"},
        {"success": False, "code": 4, "phoneNumber": "+33633333333", "messageId": message,
         "status": "Numéro introuvable"},
        {"success": True, "code": 200, "phoneNumber": FIRST, "messageId": message, "status": "Delivered",
         "date": SPOKEN, "stopSms": "0", "isSpam": "0"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "code", "text", "shown"),
    [
        ({}, 2, "Le numéro de téléphone est requis", ("", 0)),
        ({"phoneNumber": None, "messageId": 7}, 2, "Le numéro de téléphone est requis", ("", 7)),
        ({"phoneNumber": "x"}, 3, "L'ID du message est requis", ("x", 0)),
        ({"phoneNumber": FIRST, "messageId": ""}, 3, "L'ID du message est requis", (FIRST, 0)),
        ({"phoneNumber": "x", "messageId": 7}, 9, "Ne semble pas être un numéro de mobile", ("x", 7)),
        (
            {"phoneNumber": "0123456789", "messageId": 7},
            9,
            "Ne semble pas être un numéro de mobile",
            ("+33123456789", 7),
        ),
        ({"phoneNumber": [FIRST], "messageId": 7}, 9, "Ne semble pas être un numéro de mobile", ("", 7)),
        ({"phoneNumber": FIRST, "messageId": "x"}, 4, "Numéro introuvable", (FIRST, 0)),
        ({"phoneNumber": FIRST, "messageId": [7]}, 4, "Numéro introuvable", (FIRST, 0)),
        ({"phoneNumber": FIRST, "messageId": 10**30}, 4, "Numéro introuvable", (FIRST, 0)),
    ],
)
def test_failed_items(api: Desk, item: object, code: int, text: str, shown: tuple[str, int]) -> None:
    number, message_id = shown
    (told,) = pairs(api, [item])
    failed = {"success": False, "code": code, "phoneNumber": number, "messageId": message_id, "status": text}
    assert list(told.items()) == list(failed.items())


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (None, 5, "La liste des numéros est vide"),
        ("", 5, "La liste des numéros est vide"),
        ([], 5, "La liste des numéros est vide"),
        ("x", 6, "Le format n'est pas correct"),
        ({"phoneNumber": FIRST}, 6, "Le format n'est pas correct"),
        (5, 6, "Le format n'est pas correct"),
        ([FIRST], 6, "Le format n'est pas correct"),
        ([{}, []], 6, "Le format n'est pas correct"),
        ([None], 6, "Le format n'est pas correct"),
        ([{}] * 501, 50, "Le nombre de numéros autorisés est de 500 maxi"),
    ],
)
def test_lists_that_are_refused(api: Desk, value: object, code: int, text: str) -> None:
    assert api.post("/v1/multi-status", SMSStatut_List=value).refused == (400, code, text)


def test_five_hundred_pairs_are_answered(api: Desk) -> None:
    assert len(pairs(api, [{"phoneNumber": FIRST, "messageId": n} for n in range(1, 501)])) == 500


def test_the_other_name_of_the_list_and_a_get_with_a_body(api: Desk) -> None:
    message = api.send(FIRST)
    items = [{"phoneNumber": FIRST, "messageId": message}]
    body = json.dumps({"apiKey": KEY, "SMSStatus_List": items}).encode()
    assert api.ask("GET", "/v1/multi-status", body=body).json["StatutResponse_List"][0]["code"] == 200
    null = json.dumps({"apiKey": KEY, "SMSStatut_List": None, "SMSStatus_List": items}).encode()
    assert api.ask("POST", "/v1/multi-status", body=null).status == 200


def test_a_get_without_a_body_has_an_empty_list(api: Desk) -> None:
    assert api.get("/v1/multi-status").refused[1] == 5


# -- bulk-status-by-tag ------------------------------------------------------------------------


def test_a_tag_gathers_its_messages_oldest_first(api: Desk) -> None:
    api.send(FIRST, tag="order77")
    api.send("0633333333")
    api.send(SECOND, tag="order77")
    told = api.get("/v1/bulk-status-by-tag", tag="order77").json
    assert [item["phoneNumber"] for item in told["StatutResponse_List"]] == [FIRST, SECOND]
    assert (told["currentPage"], told["total"]) == (1, 2)


@pytest.mark.parametrize(("page", "count"), [(1, 500), (2, 100), (3, 0), (2**53 - 1, 0)])
def test_pages_have_five_hundred_recipients(api: Desk, page: int, count: int) -> None:
    for start in (0, 300):
        api.send(*(f"+336{number:08}" for number in range(start, start + 300)), tag="many")
    told = api.get("/v1/bulk-status-by-tag", tag="many", page=page).json
    assert (told["currentPage"], told["total"], len(told["StatutResponse_List"])) == (page, 600, count)


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "2.5", 10**20])
def test_a_page_that_is_none_is_the_first(api: Desk, page: object) -> None:
    api.send(FIRST, tag="t")
    assert api.get("/v1/bulk-status-by-tag", tag="t", page=page).json["currentPage"] == 1


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({}, 3, "L'ID du message est requis"),
        ({"tag": ""}, 3, "L'ID du message est requis"),
        ({"tag": "unknown"}, 4, "Message introuvable"),
        ({"tag": "x" * 30_000}, 4, "Message introuvable"),
        ({"tag": "T"}, 4, "Message introuvable"),
    ],
)
def test_refusals_of_a_tag(api: Desk, query: dict[str, str], code: int, text: str) -> None:
    api.send(FIRST, tag="t")
    assert api.get("/v1/bulk-status-by-tag", **query).refused == (400, code, text)
