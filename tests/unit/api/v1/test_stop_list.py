"""The STOP list and the replies, as the contract has them byte by byte (4.2, 0)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from esito.api.v1 import stop_list
from esito.domain.reply import Reply
from esito.lifecycle.receive import stop_words
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, desk
from tests.kit.desk import Reply as Answered

MISSING_KEY = (400, 1, "La Clé API est requise")
WRONG_KEY = (400, 10, "Clé API incorrecte")


def xml(*entries: str) -> bytes:
    return ("<?xml version='1.0' encoding='UTF-8'?>\n" + "\n".join(entries)).encode()


def refused_xml(code: int, text: str) -> bytes:
    return xml(f"<result><entry>false</entry><entry>{code}</entry><entry>{text}</entry></result>")


# -- list --------------------------------------------------------------------------------------


def test_the_list_shows_ids_numbers_and_paris_dates(api: Desk) -> None:
    api.post("/v1/stop-sms/add", phoneNumber="0611111111")
    api.clock.advance(15_552_000_000)  # to the summer
    api.post("/v1/stop-sms/add", phoneNumber="+33622222222")
    assert api.get("/v1/stop-sms/list").body == (
        b'{"success":true,"code":200,"nbData":2,"data":['
        b'{"id":1,"phoneNumber":"+33611111111","createdAt":"2027-01-15 09:00:00"},'
        b'{"id":2,"phoneNumber":"+33622222222","createdAt":"2027-07-14 10:00:00"}]}'
    )


def test_the_list_in_xml_has_its_entries_in_that_order(api: Desk) -> None:
    api.stop(33611111111)
    assert api.get("/v1/stop-sms/list", _format="XML").body == xml(
        "<result>", "<entry>true</entry>", "<entry>200</entry>", "<entry>1</entry>", "<entry>", "<entry>",
        "<entry>1</entry>", "<entry><![CDATA[+33611111111]]></entry>", "<entry><![CDATA[2027-01-15 09:00:00]]></entry>",
        "</entry>", "</entry>", "</result>",
    )  # fmt: skip


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("at_once", [1, 2, 3, 5])
def test_a_long_list_is_written_page_by_page_and_looks_alike(
    api: Desk, form: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        api.stop(33611111111 + number)
    whole = api.get("/v1/stop-sms/list", _format=form)
    monkeypatch.setattr(stop_list, "AT_ONCE", at_once)
    paged = api.get("/v1/stop-sms/list", _format=form)
    assert (paged.status, paged.body) == (200, whole.body)
    assert "content-length" in whole.headers
    assert "content-length" not in paged.headers


def test_an_empty_list_is_a_list(api: Desk) -> None:
    assert api.get("/v1/stop-sms/list").body == b'{"success":true,"code":200,"nbData":0,"data":[]}'
    assert api.get("/v1/stop-sms/list", _format="xml").body == xml(
        "<result>", "<entry>true</entry>", "<entry>200</entry>", "<entry>0</entry>", "<entry/>", "</result>"
    )


# -- add ---------------------------------------------------------------------------------------


def test_a_number_is_added_once_and_keeps_its_id(api: Desk) -> None:
    assert api.post("/v1/stop-sms/add", phoneNumber="0611111111").body == b'{"success":true,"code":200,"stopId":1}'
    assert api.post("/v1/stop-sms/add", phoneNumber="0622222222").json["stopId"] == 2
    assert api.post("/v1/stop-sms/add", phoneNumber="+33 6 11 11 11 11").json["stopId"] == 1
    assert api.get("/v1/stop-sms/list").json["nbData"] == 2


def test_adding_answers_in_xml(api: Desk) -> None:
    assert api.post("/v1/stop-sms/add", phoneNumber="0611111111", _format="xml").body == xml(
        "<result>", "<entry>true</entry>", "<entry>200</entry>", "<entry>1</entry>", "</result>"
    )


@pytest.mark.parametrize(
    "written", ["0611111111", "+33611111111", "0033611111111", "33611111111", 33611111111, "06.11.11.11.11"]
)
def test_a_number_may_be_written_in_any_way(api: Desk, written: object) -> None:
    assert api.post("/v1/stop-sms/add", phoneNumber=written).status == 200
    assert api.get("/v1/stop-sms/list").json["data"][0]["phoneNumber"] == "+33611111111"


def test_a_form_and_the_query_are_read_too(api: Desk) -> None:
    form = urlencode({"apiKey": KEY, "phoneNumber": "+33611111111"}).encode()
    assert api.ask("POST", "/v1/stop-sms/add", body=form).json["stopId"] == 1
    # A plus that nobody escaped is a blank, and a leading blank is a plus.
    assert api.ask("POST", "/v1/stop-sms/add", query=f"apiKey={KEY}&phoneNumber=+33611111111").json["stopId"] == 1


@pytest.mark.parametrize("missing", [{}, {"phoneNumber": ""}, {"phoneNumber": None}])
def test_a_number_is_required(api: Desk, missing: dict[str, Any]) -> None:
    assert api.post("/v1/stop-sms/add", **missing).refused == (400, 2, "Le numéro de téléphone est requis")
    answer = api.post("/v1/stop-sms/add", _format="xml", **missing)
    assert answer.body == refused_xml(2, "Le numéro de téléphone est requis")


@pytest.mark.parametrize("wrong", ["abc", "06", "+999", [], ["0611111111"], {"a": 1}, True, 1.5, "0" * 500, "é", " "])
def test_what_is_no_number_is_refused_and_changes_nothing(api: Desk, wrong: object) -> None:
    assert api.post("/v1/stop-sms/add", phoneNumber=wrong).refused == (400, 9, "Le numéro de téléphone est invalide")
    answer = api.post("/v1/stop-sms/add", phoneNumber=wrong, _format="xml")
    assert answer.body == refused_xml(9, "Le numéro de téléphone est invalide")
    assert api.get("/v1/stop-sms/list").json["nbData"] == 0


# -- delete ------------------------------------------------------------------------------------


def test_a_number_is_taken_off_by_its_id(api: Desk) -> None:
    api.stop(33611111111, 33622222222)
    assert api.get("/v1/stop-sms/delete", id=1).body == b'{"success":true,"code":200}'
    assert api.get("/v1/stop-sms/delete", id="2", _format="xml").body == xml(
        "<result>", "<entry>true</entry>", "<entry>200</entry>", "</result>"
    )
    assert api.get("/v1/stop-sms/list").json["data"] == []
    assert api.send("0611111111")


@pytest.mark.parametrize("missing", [{}, {"id": ""}])
def test_an_id_is_required(api: Desk, missing: dict[str, Any]) -> None:
    assert api.get("/v1/stop-sms/delete", **missing).refused == (400, 3, "L'ID du numéro est requis")
    assert api.get("/v1/stop-sms/delete", _format="xml", **missing).body == refused_xml(3, "L'ID du numéro est requis")


@pytest.mark.parametrize("unknown", [2, 0, -1, "abc", "1.5", 2**60, "1 OR 1=1", "+33611111111"])
def test_an_id_that_is_not_on_the_list_is_not_found(api: Desk, unknown: object) -> None:
    api.stop(33611111111)
    assert api.get("/v1/stop-sms/delete", id=unknown).refused == (400, 4, "L'ID du numéro introuvable")
    answer = api.get("/v1/stop-sms/delete", id=unknown, _format="xml")
    assert answer.body == refused_xml(4, "L'ID du numéro introuvable")
    assert api.get("/v1/stop-sms/list").json["nbData"] == 1


def test_the_list_of_another_account_is_neither_shown_nor_changed(api: Desk) -> None:
    other = api.add_account("other", "other-key")
    api.stop(33611111111, account=other)
    assert api.get("/v1/stop-sms/list").json["nbData"] == 0
    assert api.get("/v1/stop-sms/delete", id=1).refused == (400, 4, "L'ID du numéro introuvable")
    assert api.get("/v1/stop-sms/list", apiKey="other-key").json["nbData"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/stop-sms/list"), ("POST", "/v1/stop-sms/add"), ("GET", "/v1/stop-sms/delete")],
)
def test_a_key_is_required_and_must_be_right(api: Desk, method: str, path: str) -> None:
    assert api.ask(method, path).refused == MISSING_KEY
    assert api.ask(method, path, query="apiKey=wrong").refused == WRONG_KEY
    assert api.ask(method, path, query="_format=xml").body == refused_xml(1, "La Clé API est requise")
    assert api.ask(method, path, query="apiKey=wrong&_format=xml").body == refused_xml(10, "Clé API incorrecte")


# -- what a STOP means for sends ---------------------------------------------------------------


def test_a_stopped_number_is_refused_with_code_14_and_shown_as_stopped(api: Desk) -> None:
    number = api.send("0611111111", "0622222222")
    api.post("/v1/stop-sms/add", phoneNumber="0611111111")
    answer = api.post("/v1/send", phoneNumbers="0611111111", message="ciao")
    assert answer.status == 400
    assert answer.json == {
        "success": False, "code": 55, "message": "Aucun numéro à envoyer",
        "errors": [
            {"success": False, "code": "14", "message": "Le numéro est dans la liste des STOP SMS",
             "phoneNumber": "0611111111"},
        ],
    }  # fmt: skip
    told = api.get("/v1/bulk-status", messageId=number).json["StatutResponse_List"]
    assert [one["stopSMS"] for one in told] == [True, False]


# -- replies -----------------------------------------------------------------------------------


def wrote(api: Desk, *texts: str, source: str = "33611111111") -> None:
    pieces = [
        Reply(
            link="alpha", source=source, destination="36111", received_at=NOW, raw=b"0" * 16 + text.encode(), text=text
        )
        for text in texts
    ]
    api.runner.run(api.store.replies.keep(pieces, stop_words()))


def look(api: Desk, key: str = KEY, **query: object) -> Answered:
    return api.ask("GET", "/v2/replies", query=urlencode(query), headers=[("authorization", f"Bearer {key}")])


def test_replies_are_shown_oldest_first_a_page_at_a_time(api: Desk) -> None:
    number = api.send("0611111111")
    wrote(api, "oui", "STOP", "non")
    page = look(api, limit=2).json
    assert page["replies"] == [
        {"id": "1", "received_at": NOW, "type": "response", "from": "+33611111111", "to": "36111", "text": "oui",
         "message_id": str(number), "missing_parts": 0},
        {"id": "2", "received_at": NOW, "type": "stop", "from": "+33611111111", "to": "36111", "text": "STOP",
         "message_id": str(number), "missing_parts": 0},
    ]  # fmt: skip
    rest = look(api, limit=2, cursor=page["next_cursor"]).json
    assert ([one["text"] for one in rest["replies"]], rest["next_cursor"]) == (["non"], None)


def test_replies_of_one_number_can_be_asked_for(api: Desk) -> None:
    api.send("0611111111", "0622222222")
    wrote(api, "oui")
    wrote(api, "non", source="33622222222")
    assert [one["text"] for one in look(api, **{"from": "06 22 22 22 22"}).json["replies"]] == ["non"]
    assert look(api, **{"from": "nobody"}).json == {"success": True, "code": 200, "replies": [], "next_cursor": None}


def test_replies_to_another_account_are_not_shown(api: Desk) -> None:
    api.add_account("other", "other-key")
    api.send("0611111111")
    wrote(api, "oui")
    assert look(api, "other-key").json["replies"] == []
    assert look(api, "wrong").refused == (401, *WRONG_KEY[1:])


def test_a_text_breaks_out_of_no_format(tmp_path: Path) -> None:
    with desk(tmp_path) as api:
        api.send("0611111111")
        wrote(api, ']]></entry><entry>"\x01\\')
        assert look(api).json["replies"][0]["text"] == ']]></entry><entry>"\x01\\'
        body = look(api, _format="xml").body
        assert b"<![CDATA[]]]]><![CDATA[></entry><entry>" in body
