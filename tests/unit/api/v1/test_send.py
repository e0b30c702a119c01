"""Sending through the API: order of checks, answers, and what is said of numbers that get nothing (contract 2)."""

import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest

from esito.domain.pricing import PriceList
from tests.kit import looking
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, Reply, desk

FIRST, SECOND = "+33611111111", "+33622222222"
LANDLINE = "0123456789"
STOPPED, REPEATED = "Le numéro est dans la liste des STOP SMS", "Le numéro est déjà présent dans la liste"


def send(api: Desk, **members: object) -> Reply:
    return api.post("/v1/send", **({"phoneNumbers": FIRST, "message": "ciao"} | members))


def bulk(api: Desk, *items: object, **members: object) -> Reply:
    return api.post("/v1/bulk-send", SMSList=list(items), **members)


def item(number: object = FIRST, message: object = "ciao") -> dict[str, object]:
    return {"phoneNumber": number, "message": message}


def texts_of(api: Desk) -> list[str]:
    claimed = api.runner.run(api.store.claim("alpha", limit=1000, at=NOW))
    return [one.text for one in claimed]


# -- what is taken -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers",
    [
        "+33611111111,+33622222222", "0611111111, 0622222222,", ["0611111111", 33622222222],
        "0033611111111,33622222222", "06 11 11 11 11,06.22.22.22.22",
    ],
)  # fmt: skip
def test_numbers_in_any_form_are_one_message(api: Desk, numbers: object) -> None:
    answer = send(api, phoneNumbers=numbers).json
    assert (answer["nb_sms"], answer["cost"]) == (2, 0.09)
    told = api.get("/v1/bulk-status", messageId=answer["message_id"]).json
    assert [one["phoneNumber"] for one in told["StatutResponse_List"]] == [FIRST, SECOND]


def test_a_form_is_taken_and_its_plus_survives(api: Desk) -> None:
    form = urlencode({"apiKey": KEY, "message": "a+b & c"}) + "&phoneNumbers=+33611111111,+33622222222"
    assert api.ask("POST", "/v1/send", body=form.encode()).json["nb_sms"] == 2
    assert texts_of(api) == ["a+b & c"] * 2


def test_everything_may_stand_in_the_query(api: Desk) -> None:
    query = urlencode({"apiKey": KEY, "message": "x", "phoneNumbers": FIRST})
    assert api.ask("POST", "/v1/send", query=query).status == 200


def test_ids_increase_and_the_credit_goes_down(api: Desk) -> None:
    ids = [send(api).json["message_id"] for _ in range(3)]
    assert ids == sorted(set(ids))
    assert api.get("/v1/me").json["credits"]["balance"] == "99.865"


def test_segments_are_summed_over_recipients(api: Desk) -> None:
    answer = send(api, phoneNumbers=f"{FIRST},{SECOND}", message="x" * 161).json
    assert (answer["nb_sms"], answer["cost"]) == (4, 0.18)


def test_a_low_cost_message_has_its_price(api: Desk) -> None:
    assert send(api, gamme="2").json["cost"] == 0.04


def test_a_sandbox_message_is_free_and_can_be_queried(api: Desk) -> None:
    answer = send(api, sandbox="1").json
    assert answer["cost"] == 0
    (told,) = api.get("/v1/bulk-status", messageId=answer["message_id"]).json["StatutResponse_List"]
    assert told["status"] == "Delivered"
    assert texts_of(api) == []


def test_a_message_may_be_a_number(api: Desk) -> None:
    assert send(api, message=4711).status == 200
    assert texts_of(api) == ["4711"]


def test_half_a_character_is_replaced_and_sent(api: Desk) -> None:
    assert send(api, message="a\ud800b", isUnicode=1).status == 200
    assert texts_of(api) == ["a\ufffdb"]


def test_everything_a_send_says_is_kept(api: Desk) -> None:
    url = "http://example.com/dlr?secret=a%20b"
    said = {"sender": "ESITO", "tag": "t1", "reference": "r-1", "urlDlr": url, "urlResponse": url, "isUnicode": 1}
    send(api, **said)
    asked = "SELECT sender, tag, reference, url_dlr, url_response, unicode FROM message"
    (row,) = api.runner.run(looking.rows(api.store, asked))
    assert row == ("ESITO", "t1", "r-1", url, url, 1)


def test_a_scheduled_message_waits_and_its_date_is_the_last_key(api: Desk) -> None:
    date = {"scheduledDeliveryDate": "16/01/2027", "time": "9", "minute": 5}  # NOW is 15 January 2027, 09:00 in Paris
    answer = send(api, **date).json
    assert list(answer)[-1] == "scheduledDeliveryDate"
    assert answer["scheduledDeliveryDate"] == "2027-01-16 09:05:00"
    assert texts_of(api) == []
    assert list(bulk(api, item(), **date).json)[-1] == "scheduledDeliveryDate"


def test_five_hundred_recipients_are_taken_and_one_more_is_not(api: Desk) -> None:
    numbers = [f"06{number:08}" for number in range(501)]
    assert send(api, phoneNumbers=numbers[:500]).json["nb_sms"] == 500
    refused = (400, 50, "Le nombre de numéros autorisés est de 500 maxi")
    assert send(api, phoneNumbers=numbers).refused == refused
    assert bulk(api, *(item(number) for number in numbers)).refused == refused
    assert send(api, phoneNumbers=numbers * 20).refused == refused
    assert bulk(api, *[item("x")] * 5001).refused == refused


def test_ten_segments_are_taken_and_one_more_is_not(api: Desk) -> None:
    assert send(api, message="x" * 1530).json["nb_sms"] == 10
    refused = (400, 52, "Le nombre de SMS concaténés ne peut excéder 10 SMS")
    assert send(api, message="x" * 1531).refused == refused
    assert bulk(api, item(), item(SECOND, "x" * 1531)).refused == refused


def test_a_low_cost_message_has_one_segment(api: Desk) -> None:
    assert send(api, gamme=2, message="x" * 160).status == 200
    assert send(api, gamme=2, message="x" * 161).refused[:2] == (400, 42)


def test_too_little_credit_keeps_nothing(api: Desk) -> None:
    api.add_account("poor", "poor-key", credit="0.05")
    poor = {"apiKey": "poor-key", "phoneNumbers": f"{FIRST},{SECOND}", "message": "x"}
    assert api.post("/v1/send", poor).refused == (400, 11, "Manque de crédits")
    assert api.get("/v1/me", apiKey="poor-key").json["credits"]["balance"] == "0.050"
    assert texts_of(api) == []


# -- the order of the checks -------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [None, "", " , ", [], [""], [None]])
def test_numbers_that_are_absent_have_their_own_code(api: Desk, numbers: object) -> None:
    assert send(api, phoneNumbers=numbers).refused == (400, 2, "Le numéro de téléphone est requis")


@pytest.mark.parametrize("wrong_name", ["to", "number", "phoneNumber"])
def test_other_names_of_numbers_and_text_are_not_taken(api: Desk, wrong_name: str) -> None:
    assert api.post("/v1/send", **{wrong_name: FIRST, "message": "x"}).refused[1] == 2
    assert api.post("/v1/send", phoneNumbers=FIRST, sms="x").fields == [
        ("children[message].data", "Le message est requis")
    ]


def test_each_check_comes_before_the_next(api: Desk) -> None:
    """Begin with everything wrong and put right what is told: 9, 2, 50, 52, 55, 11 in this order."""
    api.add_account("poor", "poor-key", credit="0")
    request: dict[str, object] = {"apiKey": "poor-key", "sender": "x"}
    corrections: list[dict[str, object]] = [
        {"sender": "ESITO", "message": "x" * 2000},
        {"phoneNumbers": ",".join([LANDLINE] * 501)},
        {"phoneNumbers": LANDLINE},
        {"message": "x"},
        {"phoneNumbers": FIRST},
    ]
    codes = [api.post("/v1/send", request).json["code"]]
    for correction in corrections:
        request |= correction
        codes.append(api.post("/v1/send", request).json["code"])
    assert codes == [9, 2, 50, 52, 55, 11]


def test_one_malformed_number_refuses_the_request(api: Desk) -> None:
    assert send(api, phoneNumbers=f"{FIRST},x").json["code"] == 9
    assert texts_of(api) == []


# -- numbers that get nothing ------------------------------------------------------------------


def test_stopped_and_repeated_numbers_are_dropped_and_told(api: Desk) -> None:
    api.stop(33622222222)
    answer = send(api, phoneNumbers=f"0611111111,0622222222,{FIRST}").json
    assert list(answer) == ["success", "code", "message_id", "nb_sms", "cost", "currency", "errors"]
    assert (answer["nb_sms"], answer["cost"]) == (1, 0.045)
    assert answer["errors"] == [
        {"success": False, "code": "14", "message": STOPPED, "phoneNumber": "0622222222"},
        {"success": False, "code": "15", "message": REPEATED, "phoneNumber": FIRST},
    ]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("+525512345678", "+5215512345678"),
        ("+5491112345678", "+54 11 15 1234-5678"),
        ("+590690123456", "+33690123456"),
        ("0611111111", "\u202a\uff0b\uff13\uff13 (0)6\u00ad11\u221211 11 11\u202c"),
    ],
)
def test_two_spellings_of_one_line_are_one_recipient_and_one_stop(tmp_path: Path, one: str, same: str) -> None:
    prices = PriceList(prefixes={f"+{digit}": Decimal("0.045") for digit in range(1, 10)})
    with desk(tmp_path / "abroad", prices=prices) as api:
        api.let(countries=("*",))
        check_one_line(api, one, same)


def check_one_line(api: Desk, one: str, same: str) -> None:
    answer = send(api, phoneNumbers=f"{one},{same}").json
    assert (answer["nb_sms"], [error["code"] for error in answer["errors"]]) == (1, ["15"])
    assert api.post("/v1/stop-sms/add", phoneNumber=one).status == 200
    assert [error["code"] for error in send(api, phoneNumbers=same).json["errors"]] == ["14"]


@pytest.mark.parametrize(
    ("kept", "number"),
    [(5215512345678, "+525512345678"), (33690123456, "0690123456"), (4407700900123, "+447700900123")],
)
def test_a_stop_kept_under_a_former_spelling_still_holds(api: Desk, kept: int, number: str) -> None:
    api.stop(kept)
    assert [error["code"] for error in send(api, phoneNumbers=number).json["errors"]] == ["14"]


@pytest.mark.parametrize("number", ["+34 0612345678", "612345678", "687723456", "+590692123456", "+39 0333 1234567"])
def test_a_number_that_no_plan_knows_or_could_be_a_strangers_costs_nothing(api: Desk, number: str) -> None:
    before = api.get("/v1/me").json["credits"]["balance"]
    fields = [("children[phoneNumbers].data", f"Ce numero de telephone n'est pas valide ({number})")]
    assert send(api, phoneNumbers=f"{FIRST},{number}").fields == fields
    assert api.post("/v1/bulk-send", SMSList=[{"phoneNumber": f" {number}", "message": "x"}]).json["code"] == 9
    assert api.get("/v1/me").json["credits"]["balance"] == before
    assert texts_of(api) == []


def test_a_landline_is_dropped_when_others_remain(api: Desk) -> None:
    answer = send(api, phoneNumbers=f"{LANDLINE},{FIRST}").json
    assert answer["success"] is True
    assert answer["errors"] == [
        {"success": False, "code": "9", "message": f"Le téléphone ({LANDLINE}) n'est pas être un numéro de mobile"}
    ]


def test_a_number_of_no_country_has_no_price(api: Desk) -> None:
    reply = send(api, phoneNumbers="+870123456789")
    assert reply.json["code"] == 55
    assert reply.json["message"] == ("Aucun prix par default n'a été trouvé pour les numéros suivant (+870123456789)")
    assert [one["code"] for one in reply.json["errors"]] == ["13"]


def test_when_every_number_is_stopped_nothing_is_sent(api: Desk) -> None:
    api.stop(33611111111)
    reply = send(api)
    assert reply.status == 400
    assert reply.json == {
        "success": False,
        "code": 55,
        "message": "Aucun numéro à envoyer",
        "errors": [{"success": False, "code": "14", "message": STOPPED, "phoneNumber": FIRST}],
    }


# -- bulk-send ---------------------------------------------------------------------------------


def test_each_number_gets_its_own_text(api: Desk) -> None:
    answer = bulk(api, item(FIRST, "one"), item("0622222222", "two"), item("0633333333", "one")).json
    assert answer["nbSMS"] == 3
    assert texts_of(api) == ["one", "two", "one"]
    told = api.get("/v1/bulk-status", messageId=answer["message_id"]).json
    assert len(told["StatutResponse_List"]) == 3


def test_the_items_costs_make_the_outer_cost(api: Desk) -> None:
    items = [item(f"06{number:08}", "x" * (number % 400 + 1)) for number in range(100)]
    answer = bulk(api, *items).json
    assert answer["cost"] == round(sum(one["cost"] for one in answer["SMSResponse_List"]), 3)
    assert answer["nbSMS"] == sum(one["nbSms"] for one in answer["SMSResponse_List"])


def test_two_items_costs_make_the_outer_cost_exactly(api: Desk) -> None:
    answer = bulk(api, item(), item(SECOND)).json
    assert answer["cost"] == sum(one["cost"] for one in answer["SMSResponse_List"])


def test_dropped_items_keep_their_place_and_cost_nothing(api: Desk) -> None:
    api.stop(33622222222)
    answer = bulk(api, item("0622222222"), item(), item(LANDLINE), item(FIRST, "again"), item("0622222222")).json
    assert list(answer) == [
        "success", "code", "message_id", "currency", "cost", "nbSMS", "SMSResponse_List", "errors",
    ]  # fmt: skip
    told = [(one["success"], one["code"], one["nbSms"], one["cost"]) for one in answer["SMSResponse_List"]]
    assert told == [
        (False, 14, 0, 0), (True, 200, 1, 0.045), (False, 9, 0, 0), (False, 15, 0, 0), (False, 15, 0, 0),
    ]  # fmt: skip
    keys = ["success", "code", "nbSms", "cost", "phoneNumber", "message"]
    assert [list(one) for one in answer["SMSResponse_List"]] == [keys, keys[:-1], keys, keys, keys]
    assert [one["code"] for one in answer["errors"]] == ["14", "9", "15", "15"]
    assert [one["phoneNumber"] for one in answer["SMSResponse_List"]][:2] == [SECOND, FIRST]


def test_send_takes_a_list_too(api: Desk) -> None:
    answer = api.post("/v1/send", SMSList=[item()], phoneNumbers="x").json
    assert list(answer["SMSResponse_List"][0]) == ["success", "code", "nbSms", "cost", "phoneNumber"]


@pytest.mark.parametrize("value", [None, "", []])
@pytest.mark.parametrize("path", ["/v1/bulk-send", "/v1/send"])
def test_a_list_that_is_absent_has_no_numbers(api: Desk, path: str, value: object) -> None:
    reply = api.post(path, SMSList=value, message="x")
    assert reply.refused == (400, 2, "Le numéro de téléphone est requis")


@pytest.mark.parametrize("value", ["x", 5, {"phoneNumber": FIRST}, [FIRST], [None], [[]]])
def test_a_list_that_is_none_is_refused(api: Desk, value: object) -> None:
    reply = api.post("/v1/bulk-send", SMSList=value)
    assert reply.fields == [("children[SMSList].data", "Le format n'est pas correct")]


def test_items_with_errors_refuse_the_request(api: Desk) -> None:
    reply = bulk(api, item("922264"), item(FIRST, ""), item(None, None), item({"a": 1}), sender="x")
    number = "children[phoneNumber].data"
    assert reply.fields == [
        ("children[message].data", "Le message est requis"),
        ("children[message].data", "Le message est requis"),
        (number, "Ce numero de telephone n'est pas valide (922264)"),
        (number, "Ce numero de telephone n'est pas valide ()"),
        (number, "Ce numero de telephone n'est pas valide ()"),
        ("children[sender].data", "L'emetteur ne peut pas etre plus court que 3 caracteres"),
    ]


def test_field_errors_stand_once_in_xml(api: Desk) -> None:
    reply = api.post("/v1/send", phoneNumbers=FIRST, _format="xml")
    assert reply.text.count("children[message].data") == 1
    assert json.loads(api.post("/v1/send", phoneNumbers=FIRST).body)["errors"]


@pytest.mark.parametrize("path", ["/v1/send", "/v1/bulk-send"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("e" + "\u0301" * 9, 9),
        ("\u0301\u0316" * 20_000, 9),  # what would put them in order takes the square of their number
        ("e" + "\u0301" * 8, 200),
        ("\u200b" * 6_200, 52),
        ("ciao" + "\u200b" * 1_000, 200),
        (" " * 7_000 + "x", 9),
    ],
)
def test_a_text_is_refused_by_what_is_written_whatever_of_it_is_seen(
    api: Desk, path: str, text: str, code: int
) -> None:
    one = {"phoneNumber": "+33611111111", "message": text}
    asked = {"SMSList": [one]} if "bulk" in path else {"phoneNumbers": "+33611111111", "message": text}
    told = api.post(path, **asked, sandbox=1)
    assert told.json["code"] == code
