"""The contract's own samples of good answers, as the OpenAPI document shows them."""

from typing import Any

from esito.api.http.error_replies import ErrorReply

_DELIVERED = {"phoneNumber": "+33611111111", "status": "Delivered", "stopSMS": False, "date": "1600000010"}

OF_ANSWER: dict[str, dict[str, Any]] = {
    "BulkStatus": {
        "success": True,
        "code": 200,
        "message_id": "4711",
        "StatutResponse_List": [
            _DELIVERED,
            {"phoneNumber": "+33622222222", "status": "Waiting", "stopSMS": True, "date": "1600000003"},
        ],
    },
    "MessageStatus": {
        "success": True,
        "code": 200,
        "number": "+33611111111",
        "messageId": "4711",
        "stopSms": False,
        "date": "1600000010",
        "statut": "Delivered",
        "cost": 0.045,
        "countryCode": "FR",
        "currency": "EUR",
    },
    "MultiStatus": {
        "success": True,
        "code": 200,
        "StatutResponse_List": [
            {
                "success": True,
                "code": 200,
                "phoneNumber": "+33611111111",
                "messageId": 4711,
                "status": "Delivered",
                "date": "1600000010",
                "stopSms": "0",
                "isSpam": "0",
            },
            {
                "success": False,
                "code": 4,
                "phoneNumber": "+33633333333",
                "messageId": 1000,
                "status": "Numéro introuvable",
            },
        ],
    },
    "BulkStatusByTag": {
        "success": True,
        "code": 200,
        "currentPage": 1,
        "total": 2,
        "StatutResponse_List": [
            _DELIVERED,
            {"phoneNumber": "+33622222222", "status": "Not delivered", "stopSMS": False, "date": "1600000020"},
        ],
    },
    "Sent": {"success": True, "code": 200, "message_id": 4712, "nb_sms": 1, "cost": 0.045, "currency": "EUR"},
    "BulkSent": {
        "success": True,
        "code": 200,
        "message_id": 4713,
        "currency": "EUR",
        "cost": 0.09,
        "nbSMS": 2,
        "SMSResponse_List": [
            {"success": True, "code": 200, "nbSms": 1, "cost": 0.045, "phoneNumber": "+33611111111"},
            {"success": True, "code": 200, "nbSms": 1, "cost": 0.045, "phoneNumber": "+33622222222"},
        ],
    },
    "Me": {
        "success": True,
        "code": 200,
        "user": {"username": "acme", "firstname": "", "lastname": ""},
        "credits": {
            "creditSms": 2222,
            "creditSmsECO": 2500,
            "creditHlr": 20000,
            "toSend": 0,
            "balance": "100.000",
            "currency": "EUR",
            "solde": "100.000",
            "creditSmsLowCost": 2500,
        },
    },
    "ClockAdvanced": {"success": True, "code": 200, "now": 1600000010000},
}
"""By the name of the schema."""


def refused(meaning: ErrorReply) -> dict[str, Any]:
    """Return the envelope of a refusal."""
    return {"success": False, "code": meaning.code, "message": meaning.text}
