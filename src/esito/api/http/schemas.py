"""The shapes of bodies and answers, as the OpenAPI document shows them (contract 1, 2, 4.1).

Each is written beside its contract sample, from which key order, spelling and types are taken.
"""

from collections.abc import Mapping
from typing import Any

from esito.domain.message import MAX_RECIPIENTS
from esito.domain.states import PUBLIC_WORDS

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    """Return a string."""
    return _described({"type": "string", **more}, description)


def integer(description: str = "", **more: Any) -> Schema:
    """Return a whole number."""
    return _described({"type": "integer", **more}, description)


def number(description: str = "", **more: Any) -> Schema:
    """Return a number."""
    return _described({"type": "number", **more}, description)


def flag(description: str = "") -> Schema:
    """Return a flag of a request: 1, "1" or true."""
    return _described({"enum": [0, 1, "0", "1", True, False]}, description)


def constant(value: object) -> Schema:
    """Return a value that is always the same."""
    return {"const": value}


def array(items: Schema, **more: Any) -> Schema:
    """Return a list."""
    return {"type": "array", "items": items, **more}


def record(members: Mapping[str, Schema], *, optional: tuple[str, ...] = (), closed: bool = True) -> Schema:
    """Return an object; every member is required but the `optional`, and no other is there when it is `closed`."""
    schema = {
        "type": "object",
        "properties": dict(members),
        "required": [name for name in members if name not in optional],
    }
    return {**schema, "additionalProperties": False} if closed else schema


def ref(name: str) -> Schema:
    """Return a reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema


_GOOD = {"success": constant(True), "code": constant(200)}
_BAD = {"success": constant(False)}
_DATE = text("Unix seconds of the last change.", pattern="^[0-9]+$")
_MSISDN = text("E.164 with plus.", pattern=r"^\+[0-9]{8,15}$")
_STATUS = {"type": "string", "enum": sorted(set(PUBLIC_WORDS.values()))}
_STRING_FLAG = {"type": "string", "enum": ["0", "1"]}
_DUE = text("Paris date and time; there only when the message is scheduled.")
_PRICE = number("At most three decimal places.", minimum=0)
_LEFT_OUT = array(ref("NumberError"))

SCHEMAS: dict[str, Schema] = {
    "StatusItem": record(
        {
            "phoneNumber": _MSISDN,
            "status": _STATUS,
            "stopSMS": {"type": "boolean"},
            "date": _DATE,
        }
    ),
    "BulkStatus": record(
        {
            **_GOOD,
            "message_id": text("A string here.", pattern="^[0-9]+$"),
            "StatutResponse_List": array(ref("StatusItem"), maxItems=MAX_RECIPIENTS),
        }
    ),
    "BulkStatusByTag": record(
        {
            **_GOOD,
            "currentPage": integer(minimum=1),
            "total": integer("Recipients on all pages.", minimum=1),
            "StatutResponse_List": array(ref("StatusItem"), maxItems=MAX_RECIPIENTS),
        }
    ),
    "MessageStatus": record(
        {
            **_GOOD,
            "number": text("The way it was asked."),
            "messageId": text("A string here.", pattern="^[0-9]+$"),
            "stopSms": {"type": "boolean"},
            "date": _DATE,
            "statut": _STATUS,
            "cost": _PRICE,
            "countryCode": text("ISO 3166; empty where a number has no country."),
            "currency": text(),
        }
    ),
    "PairFound": record(
        {
            **_GOOD,
            "phoneNumber": _MSISDN,
            "messageId": integer("An integer here.", minimum=1),
            "status": _STATUS,
            "date": _DATE,
            "stopSms": _STRING_FLAG,
            "isSpam": _STRING_FLAG,
        }
    ),
    "PairNotFound": record(
        {
            **_BAD,
            "code": {"enum": [2, 3, 4, 9]},
            "phoneNumber": text(),
            "messageId": integer("0 when none was given.", minimum=0),
            "status": text("Why there is no answer."),
        }
    ),
    "MultiStatus": record(
        {
            **_GOOD,
            "StatutResponse_List": array(
                {"oneOf": [ref("PairFound"), ref("PairNotFound")]}, minItems=1, maxItems=MAX_RECIPIENTS
            ),
        }
    ),
    "Sent": record(
        {
            **_GOOD,
            "message_id": integer("An integer here.", minimum=1),
            "nb_sms": integer("Segments over all recipients.", minimum=1),
            "cost": _PRICE,
            "currency": text(),
            "errors": _LEFT_OUT,
            "scheduledDeliveryDate": _DUE,
        },
        optional=("errors", "scheduledDeliveryDate"),
    ),
    "SentItem": record(
        {
            "success": {"type": "boolean"},
            "code": {"enum": [200, 9, 13, 14, 15]},
            "nbSms": integer(minimum=0),
            "cost": _PRICE,
            "phoneNumber": _MSISDN,
            "message": text("Why nothing is sent to this number."),
        },
        optional=("message",),
    ),
    "BulkSent": record(
        {
            **_GOOD,
            "message_id": integer("An integer here.", minimum=1),
            "currency": text(),
            "cost": _PRICE,
            "nbSMS": integer("Segments over all recipients.", minimum=1),
            "SMSResponse_List": array(ref("SentItem"), minItems=1, maxItems=MAX_RECIPIENTS),
            "errors": _LEFT_OUT,
            "scheduledDeliveryDate": _DUE,
        },
        optional=("errors", "scheduledDeliveryDate"),
    ),
    "Me": record(
        {
            **_GOOD,
            "user": record({"username": text(), "firstname": text(), "lastname": text()}),
            "credits": record(
                {
                    "creditSms": integer("Premium segments that the balance pays for."),
                    "creditSmsECO": integer("Low cost segments that it pays for."),
                    "creditHlr": integer("Number checks that it pays for."),
                    "toSend": integer("Recipients accepted and not yet submitted."),
                    "balance": text("Three decimal places."),
                    "currency": text(),
                    "solde": text("`balance` under its other name."),
                    "creditSmsLowCost": integer("`creditSmsECO` under its older name."),
                }
            ),
        }
    ),
    "ClockAdvanced": record({**_GOOD, "now": integer("Milliseconds since the epoch, UTC.")}),
    "Refusal": record({**_BAD, "code": integer(), "message": text("Always French.")}),
    "FieldError": record({"elementId": text(), "message": text()}),
    "InvalidFields": record(
        {
            **_BAD,
            "code": constant(9),
            "error": array(ref("FieldError"), minItems=1),
            "errors": array(ref("FieldError"), minItems=1),
        }
    ),
    "NumberError": record(
        {
            **_BAD,
            "code": {"type": "string", "enum": ["9", "13", "14", "15"]},
            "message": text(),
            "phoneNumber": text("There where the message does not name it."),
        },
        optional=("phoneNumber",),
    ),
    "NothingToSend": record(
        {
            **_BAD,
            "code": constant(55),
            "message": text(),
            "errors": array(ref("NumberError"), minItems=1),
        }
    ),
}

# -- bodies ------------------------------------------------------------------------------------

API_KEY = text("Key of the account; may stand in the query instead.")
FORMAT = text("`json` or `xml`, in any case of letters; anything else is JSON.", default="json")
MESSAGE_ID = integer("The id a send was answered with, as a number or as digits.", minimum=1, maximum=2**53 - 1)

_ANY_NUMBER = text(
    "French (`06...`) or international: `+`, `00` or the bare country code, but for nine digits, which need the `+`.",
    examples=["+33611111111"],
)
_TEXT = text("`:br:` is a line break, `:euro:` the euro sign; at most 10 segments.", minLength=1)
_OPTIONS: dict[str, Schema] = {
    "gamme": {"enum": [1, 2, "1", "2"], "description": "1 premium, 2 low cost; `range` means the same."},
    "priority": {
        "enum": [0, 1, 2, 3, "0", "1", "2", "3"],
        "description": "Which of your messages leave first: 3 before 2, 2 before 1; absent: 0. A field of Esito's own.",
    },
    "sender": text(
        "Absent: the operator's short code.", pattern="^[A-Za-z0-9][A-Za-z0-9 .-]+[A-Za-z0-9.-]$", maxLength=11
    ),
    "tag": text("No spaces.", pattern="^[!-~]{1,20}$"),
    "reference": text("Your own id.", pattern=r"^[!-~]{1,64}$"),
    "scheduledDeliveryDate": text("`dd/MM/yyyy`, Paris.", pattern="^[0-9]{2}/[0-9]{2}/[0-9]{4}$"),
    "time": integer("Hour; with a date it is required.", minimum=0, maximum=24),
    "minute": integer("In steps of 5; with a date it is required.", minimum=0, maximum=55, multipleOf=5),
    "urlDlr": text("Called with every change of status; `webhookUrl` means the same.", format="uri"),
    "urlResponse": text("Called with every reply.", format="uri"),
    "isStopSms": flag("Append how to stop such messages: ` STOP au ` and the number they come from; premium only."),
    "isUnicode": flag("70 characters to a segment, and any character."),
    "sandbox": flag("Nothing is sent and nothing charged."),
    "_format": FORMAT,
}
_PAIR = record({"phoneNumber": _ANY_NUMBER, "messageId": MESSAGE_ID}, closed=False)
_ITEM = record({"phoneNumber": _ANY_NUMBER, "message": _TEXT}, closed=False)

BODIES: dict[str, Schema] = {
    "MultiStatusRequest": record(
        {
            "apiKey": API_KEY,
            "SMSStatut_List": array(_PAIR, minItems=1, maxItems=MAX_RECIPIENTS),
            "_format": FORMAT,
        },
        optional=("_format",),
        closed=False,
    ),
    "SendRequest": record(
        {
            "apiKey": API_KEY,
            "phoneNumbers": text("Separated by commas, at most 500; an array is taken too.", minLength=1),
            "message": _TEXT,
            **_OPTIONS,
        },
        optional=tuple(_OPTIONS),
        closed=False,
    ),
    "BulkSendRequest": record(
        {"apiKey": API_KEY, "SMSList": array(_ITEM, minItems=1, maxItems=MAX_RECIPIENTS), **_OPTIONS},
        optional=tuple(_OPTIONS),
        closed=False,
    ),
    "ClockAdvanceRequest": {
        **record(
            {
                "seconds": number(minimum=0, maximum=300_000_000),
                "hours": number(minimum=0, maximum=80_000),
            },
            optional=("seconds", "hours"),
            closed=False,
        ),
        "minProperties": 1,
    },
}
