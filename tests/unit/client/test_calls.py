"""The client asks as the contract says and reads what the contract answers, sync and async alike."""

import asyncio
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from esito.client.aio import AsyncClient
from esito.client.calls import SendOptions
from esito.client.models import (
    ApiError,
    BulkSent,
    Credits,
    Failure,
    PairStatus,
    RecipientStatus,
    Sent,
    SentItem,
    SingleStatus,
    StoppedNumber,
    TagPage,
    UnexpectedAnswer,
    Unreachable,
)
from esito.client.sync import Client

AT = datetime(2020, 9, 13, 12, 26, 50, tzinfo=UTC)
LATER = datetime(2020, 9, 13, 12, 27, tzinfo=UTC)

Handler = Callable[[httpx.Request], httpx.Response]


def ask_sync(handler: Handler, name: str, *arguments: Any) -> Any:
    with Client("http://esito.test", "key", transport=httpx.MockTransport(handler)) as client:
        return getattr(client, name)(*arguments)


def ask_async(handler: Handler, name: str, *arguments: Any) -> Any:
    async def ask() -> Any:
        async with AsyncClient("http://esito.test", "key", transport=httpx.MockTransport(handler)) as client:
            return await getattr(client, name)(*arguments)

    return asyncio.run(ask())


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Any]:
    chosen: Callable[..., Any] = request.param
    return chosen


def answering(answer: object, status: int = 200) -> tuple[Handler, list[httpx.Request]]:
    """Return a server that always answers this, and what it was asked."""
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return httpx.Response(status, text=text, headers={"content-type": "application/json"})

    return handler, asked


RECIPIENTS = [
    {"phoneNumber": "+33611111111", "status": "Delivered", "stopSMS": False, "date": "1600000010"},
    {"phoneNumber": "+33622222222", "status": "Waiting", "stopSMS": True, "date": "1600000020"},
]
READ = [
    RecipientStatus(msisdn="+33611111111", status="Delivered", stopped=False, changed_at=AT),
    RecipientStatus(msisdn="+33622222222", status="Waiting", stopped=True, changed_at=LATER),
]
BULK_STATUS = {"success": True, "code": 200, "message_id": "4711", "StatutResponse_List": RECIPIENTS}


def test_bulk_status(ask: Callable[..., Any]) -> None:
    handler, asked = answering(BULK_STATUS)
    assert ask(handler, "bulk_status", 4711) == READ
    assert str(asked[0].url) == "http://esito.test/v1/bulk-status?apiKey=key&messageId=4711"
    assert [recipient.final for recipient in READ] == [True, False]


def test_message_status(ask: Callable[..., Any]) -> None:
    handler, asked = answering(
        {"success": True, "code": 200, "number": "0611111111", "messageId": "4711", "stopSms": False,
         "date": "1600000010", "statut": "Delivered", "cost": 0.045, "countryCode": "FR", "currency": "EUR"}
    )  # fmt: skip
    assert ask(handler, "message_status", 4711, "0611111111") == SingleStatus(
        message_id=4711, msisdn="0611111111", status="Delivered", stopped=False, changed_at=AT, cost=Decimal("0.045"),
        currency="EUR", country="FR",
    )  # fmt: skip
    assert asked[0].url.path == "/v1/message-status"
    assert dict(asked[0].url.params) == {"apiKey": "key", "messageId": "4711", "phoneNumber": "0611111111"}


def test_a_plus_in_a_number_arrives_as_a_plus(ask: Callable[..., Any]) -> None:
    handler, asked = answering({"success": False, "code": 4, "message": "Message introuvable"}, 400)
    with pytest.raises(ApiError):
        ask(handler, "message_status", 4711, "+33611111111")
    assert b"phoneNumber=%2B33611111111" in asked[0].url.query


def test_multi_status(ask: Callable[..., Any]) -> None:
    handler, asked = answering(
        {"success": True, "code": 200, "StatutResponse_List": [
            {"success": True, "code": 200, "phoneNumber": "+33611111111", "messageId": 4711, "status": "Delivered",
             "date": "1600000010", "stopSms": "0", "isSpam": "0"},
            {"success": False, "code": 4, "phoneNumber": "+33633333333", "messageId": 1000,
             "status": "Numéro introuvable"}]}
    )  # fmt: skip
    assert ask(handler, "multi_status", [(4711, "0611111111"), (1000, "+33633333333")]) == [
        PairStatus(message_id=4711, msisdn="+33611111111", code=200, status="Delivered", stopped=False, changed_at=AT),
        PairStatus(message_id=1000, msisdn="+33633333333", code=4, status="Numéro introuvable"),
    ]
    assert (asked[0].method, asked[0].url.path, asked[0].url.query) == ("POST", "/v1/multi-status", b"")
    assert json.loads(asked[0].content) == {
        "apiKey": "key",
        "SMSStatut_List": [
            {"phoneNumber": "0611111111", "messageId": 4711},
            {"phoneNumber": "+33633333333", "messageId": 1000},
        ],
    }


def test_bulk_status_by_tag(ask: Callable[..., Any]) -> None:
    answer = {"success": True, "code": 200, "currentPage": 2, "total": 502, "StatutResponse_List": RECIPIENTS}
    handler, asked = answering(answer)
    assert ask(handler, "bulk_status_by_tag", "order77", 2) == TagPage(page=2, total=502, recipients=READ)
    assert dict(asked[0].url.params) == {"apiKey": "key", "tag": "order77", "page": "2"}


def test_the_stop_list(ask: Callable[..., Any]) -> None:
    shown = {"id": 7, "phoneNumber": "+33611111111", "createdAt": "2027-01-15 09:00:00"}
    handler, asked = answering({"success": True, "code": 200, "nbData": 1, "data": [shown]})
    expected = [StoppedNumber(id=7, msisdn="+33611111111", created_at="2027-01-15 09:00:00")]
    assert ask(handler, "stops") == expected
    assert (asked[0].method, asked[0].url.path) == ("GET", "/v1/stop-sms/list")
    assert dict(asked[0].url.params) == {"apiKey": "key"}


def test_a_number_is_put_on_the_stop_list_and_taken_off(ask: Callable[..., Any]) -> None:
    handler, asked = answering({"success": True, "code": 200, "stopId": 7})
    assert ask(handler, "add_stop", "0611111111") == 7
    assert (asked[0].method, asked[0].url.path) == ("POST", "/v1/stop-sms/add")
    assert json.loads(asked[0].content) == {"apiKey": "key", "phoneNumber": "0611111111"}
    handler, asked = answering({"success": True, "code": 200})
    assert ask(handler, "delete_stop", 7) is None
    assert (asked[0].method, asked[0].url.path) == ("GET", "/v1/stop-sms/delete")
    assert dict(asked[0].url.params) == {"apiKey": "key", "id": "7"}


SENT = {"success": True, "code": 200, "message_id": 4712, "nb_sms": 2, "cost": 0.09, "currency": "EUR"}


def test_send(ask: Callable[..., Any]) -> None:
    handler, asked = answering(SENT)
    expected = Sent(message_id=4712, segments=2, cost=Decimal("0.09"), currency="EUR")
    assert ask(handler, "send", ["+33611111111", "0622222222"], "Ciao") == expected
    assert asked[0].url.path == "/v1/send"
    assert json.loads(asked[0].content) == {
        "apiKey": "key", "phoneNumbers": "+33611111111,0622222222", "message": "Ciao",
    }  # fmt: skip


STOPPED = {"success": False, "code": "14", "message": "STOP", "phoneNumber": "+33622222222"}


def test_a_send_tells_the_numbers_that_were_left_out(ask: Callable[..., Any]) -> None:
    handler, _ = answering({**SENT, "errors": [STOPPED]})
    (left_out,) = ask(handler, "send", ["+33611111111", "0622222222"], "Ciao").errors
    assert (left_out.code, left_out.msisdn, str(left_out)) == (14, "+33622222222", "+33622222222: STOP (code 14)")


def test_a_refused_send_tells_why_each_number_was_left_out(ask: Callable[..., Any]) -> None:
    handler, _ = answering({"success": False, "code": 55, "message": "Aucun", "errors": [STOPPED]})
    with pytest.raises(ApiError, match=r"^Aucun \(code 55\): \+33622222222: STOP \(code 14\)$"):
        ask(handler, "send", ["0622222222"], "Ciao")


def test_every_option_of_a_send_has_its_name_on_the_wire(ask: Callable[..., Any]) -> None:
    handler, asked = answering({**SENT, "scheduledDeliveryDate": "2027-01-05 08:05:00"})
    options = SendOptions(
        sender="ESITO", tag="order77", low_cost=True, unicode=True, stop_mention=True, sandbox=True,
        schedule=datetime(2027, 1, 5, 8, 5),  # noqa: DTZ001  Paris time has no zone on the wire
        url_dlr="https://me.example/dlr?secret=1", url_response="https://me.example/reply",
    )  # fmt: skip
    sent = ask(handler, "send", "+33611111111", "Ciao", options)
    assert sent.due_at == "2027-01-05 08:05:00"
    assert json.loads(asked[0].content) == {
        "apiKey": "key", "phoneNumbers": "+33611111111", "message": "Ciao", "sender": "ESITO", "tag": "order77",
        "gamme": 2, "isUnicode": 1, "isStopSms": 1, "sandbox": 1, "urlDlr": "https://me.example/dlr?secret=1",
        "urlResponse": "https://me.example/reply", "scheduledDeliveryDate": "05/01/2027", "time": 8, "minute": 5,
    }  # fmt: skip


def test_bulk_send(ask: Callable[..., Any]) -> None:
    handler, asked = answering(
        {"success": True, "code": 200, "message_id": 4713, "currency": "EUR", "cost": 0.045, "nbSMS": 1,
         "SMSResponse_List": [
            {"success": True, "code": 200, "nbSms": 1, "cost": 0.045, "phoneNumber": "+33611111111"},
            {"success": False, "code": 14, "message": "Le numéro est dans la liste des STOP SMS",
             "phoneNumber": "+33622222222"}]}
    )  # fmt: skip
    sent = ask(handler, "bulk_send", [("0611111111", "uno"), ("0622222222", "due")])
    assert sent == BulkSent(
        message_id=4713, segments=1, cost=Decimal("0.045"), currency="EUR",
        items=[
            SentItem(msisdn="+33611111111", code=200, segments=1, cost=Decimal("0.045")),
            SentItem(msisdn="+33622222222", code=14, message="Le numéro est dans la liste des STOP SMS"),
        ],
    )  # fmt: skip
    assert json.loads(asked[0].content)["SMSList"] == [
        {"phoneNumber": "0611111111", "message": "uno"}, {"phoneNumber": "0622222222", "message": "due"},
    ]  # fmt: skip


def test_me(ask: Callable[..., Any]) -> None:
    handler, _ = answering(
        {"success": True, "code": 200, "user": {"username": "acme", "firstname": "", "lastname": ""},
         "credits": {"creditSms": 222, "creditSmsECO": 250, "toSend": 3, "balance": "10.000", "currency": "EUR"}}
    )  # fmt: skip
    assert ask(handler, "me") == Credits(
        username="acme", balance=Decimal("10.000"), currency="EUR", segments=222, to_send=3
    )


XML = "<?xml version='1.0' encoding='UTF-8'?>\n<result><entry>true</entry><entry>200</entry></result>"


def test_the_text_of_an_answer_stays_as_it_came(ask: Callable[..., Any]) -> None:
    handler, asked = answering(XML)
    assert ask(handler, "bulk_status_text", 4711, "xml") == XML
    assert asked[0].url.params["_format"] == "xml"
    handler, _ = answering(BULK_STATUS)
    assert json.loads(ask(handler, "bulk_status_text", 4711, "json")) == BULK_STATUS


@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_is_an_error_with_code_and_text_whatever_its_http_status(
    ask: Callable[..., Any], status: int
) -> None:
    handler, _ = answering({"success": False, "code": 10, "message": "Clé API incorrecte"}, status)
    with pytest.raises(ApiError, match=r"^Clé API incorrecte \(code 10\)$") as refused:
        ask(handler, "bulk_status", 4711)
    assert (refused.value.code, refused.value.message, refused.value.errors) == (10, "Clé API incorrecte", ())


def test_a_refusal_in_xml_is_the_same_error(ask: Callable[..., Any]) -> None:
    handler, _ = answering(
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<result><entry>false</entry><entry>4</entry><entry>Message introuvable</entry></result>", 400,
    )  # fmt: skip
    with pytest.raises(ApiError, match=r"^Message introuvable \(code 4\)$"):
        ask(handler, "bulk_status_text", 4711, "xml")


def test_the_fields_at_fault_are_named(ask: Callable[..., Any]) -> None:
    errors = [{"elementId": "children[message].data", "message": "Le message est requis"}]
    handler, _ = answering({"success": False, "code": 9, "error": errors, "errors": errors}, 400)
    with pytest.raises(ApiError, match=r"^Le message est requis \(code 9\)$") as refused:
        ask(handler, "send", "+33611111111", "")
    assert refused.value.errors == (Failure(message="Le message est requis", element="children[message].data"),)


def test_the_numbers_at_fault_are_named(ask: Callable[..., Any]) -> None:
    text = "Le téléphone (0123456789) n'est pas être un numéro de mobile"
    handler, _ = answering(
        {"success": False, "code": 55, "message": "Aucun numéro à envoyer",
         "errors": [{"success": False, "code": "9", "message": text}]}, 400
    )  # fmt: skip
    with pytest.raises(ApiError) as refused:
        ask(handler, "send", "0123456789", "Ciao")
    assert refused.value.errors == (Failure(message=text, code=9),)


@pytest.mark.parametrize(
    "answer",
    ["<html>Bad gateway</html>", "", "[]", "null", '{"success": true}', '{"code": 200}', '{"success": false}',
     '{"success": true, "StatutResponse_List": [{"phoneNumber": "+33611111111"}]}',
     '{"success": true, "StatutResponse_List": [{"phoneNumber": "x", "status": "KO", "stopSMS": false, "date": "y"}]}'],
)  # fmt: skip
def test_what_is_no_answer_of_ours_is_told_without_the_key(ask: Callable[..., Any], answer: str) -> None:
    handler, _ = answering(answer, 502)
    with pytest.raises(UnexpectedAnswer) as failed:
        ask(handler, "bulk_status", 4711)
    sentence = "http://esito.test/v1/bulk-status answered HTTP 502 with something else than Esito's API"
    assert str(failed.value) == sentence


@pytest.mark.parametrize("answer", ["", "<result/>", "<result><entry>false</entry></result>", "<result>"])
def test_xml_that_is_no_answer_of_ours_is_told(ask: Callable[..., Any], answer: str) -> None:
    handler, _ = answering(answer)
    with pytest.raises(UnexpectedAnswer):
        ask(handler, "bulk_status_text", 4711, "xml")


def test_a_server_that_is_not_there_is_told_and_may_be_tried_again(ask: Callable[..., Any]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    with pytest.raises(Unreachable, match=r"^http://esito\.test cannot be reached: Connection refused$") as failed:
        ask(refuse, "bulk_status", 4711)
    assert failed.value.retry


def test_both_clients_have_the_same_calls() -> None:
    def calls_of(client: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(method)).replace("AsyncIterator", "Iterator")
            for name, method in vars(client).items()
            if not name.startswith("_") and name not in {"close", "aclose"}
        }

    assert calls_of(Client) == calls_of(AsyncClient)


def test_what_the_http_library_logs_holds_no_key(ask: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    handler, asked = answering({"success": True, "code": 200, "StatutResponse_List": []})
    ask(handler, "bulk_status", 7)
    assert asked[0].url.params["apiKey"] == "key"
    assert "HTTP Request: GET" in caplog.text
    assert "apiKey=key" not in caplog.text
