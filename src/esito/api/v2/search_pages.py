"""What the OpenAPI document says of finding, taking along and erasing."""

from esito.api.http.app import Operation
from esito.api.http.area import Area
from esito.api.http.pages import KEY, EndpointDoc
from esito.api.http.schemas import array, constant, integer, record, ref, text
from esito.api.v2.export_stream import export
from esito.api.v2.message_overview import STATUSES
from esito.api.v2.message_search import MOST_FOUND, erase_number, search
from esito.api.v2.schemas_v2 import CURSOR, MSISDN_PIECE
from esito.domain import errors as e

_GOOD = {"success": constant(True), "code": constant(200)}
_AT = 1_600_000_000_000
_COUNT = integer(minimum=0)
_WORD_OR_NULL = {"type": ["string", "null"]}
_INTERVAL = {
    "from": (text("A day or moment of ISO 8601, UTC unless it says otherwise, or milliseconds."), False),
    "to": (text("The same; a day is meant whole."), False),
}

AREA = Area(
    operations=(
        Operation("GET", "/v2/messages", search, bearer=True),
        Operation("GET", "/v2/export", export, bearer=True),
        Operation("DELETE", "/v2/numbers/{msisdn}", erase_number, bearer=True),
    ),
    pages={
        ("GET", "/v2/messages"): EndpointDoc(
            summary="Messages by tag, reference and time of acceptance, newest first, a page at a time.",
            answer="MessagePage",
            parameters={
                "tag": (text("Only of this tag."), False),
                "reference": (text("Only of this reference of your own."), False),
                **_INTERVAL,
                "cursor": (CURSOR, False),
                "limit": (integer("Items on a page.", minimum=1, maximum=MOST_FOUND, default=MOST_FOUND), False),
            },
            refusals=(*KEY, e.IntervalInvalid, e.InvalidFields),
        ),
        ("GET", "/v2/export"): EndpointDoc(
            summary="Every recipient of every message that was accepted before the request, oldest first, streamed.",
            answer="Exported",
            media=("text/csv", "application/jsonl"),
            parameters={
                **_INTERVAL,
                "format": ({"type": "string", "enum": ["csv", "jsonl"], "default": "csv"}, False),
                "bom": (text("1: CSV begins with the byte order mark that spreadsheets look for."), False),
            },
            refusals=(*KEY, e.IntervalInvalid, e.BadFormat),
        ),
        ("DELETE", "/v2/numbers/{msisdn}"): EndpointDoc(
            summary="Remove a number from your messages and replies; statuses and counts stay.",
            answer="NumberErased",
            parameters={
                "msisdn": (MSISDN_PIECE, True),
                "forgetStop": (text("1: take it off the STOP list too."), False),
            },
            refusals=(*KEY, e.NumberInvalid, e.NumberInUse),
        ),
    },
    schemas={
        "FoundMessage": record(
            {
                "id": text(pattern="^[0-9]+$"),
                "sender": text(),
                "tag": _WORD_OR_NULL,
                "reference": _WORD_OR_NULL,
                "sandbox": {"type": "boolean"},
                "created_at": integer("Milliseconds since the epoch, UTC."),
                "due_at": integer("Milliseconds since the epoch, UTC."),
                "recipients": _COUNT,
                "segments": _COUNT,
                "cost": {"type": "number", "minimum": 0},
                "currency": text(),
                "statuses": record(dict.fromkeys(STATUSES.values(), _COUNT)),
            }
        ),
        "MessagePage": record(
            {
                **_GOOD,
                "messages": array(ref("FoundMessage"), maxItems=MOST_FOUND),
                "next_cursor": {"type": ["string", "null"], "pattern": "^[0-9]+-[0-9]+$"},
            }
        ),
        "NumberErased": record({**_GOOD, "recipients": _COUNT, "replies": _COUNT, "stops": _COUNT}),
    },
    samples={
        "MessagePage": {
            "success": True,
            "code": 200,
            "messages": [
                {
                    "id": "4711",
                    "sender": "ACME",
                    "tag": "parcels",
                    "reference": "order-17",
                    "sandbox": False,
                    "created_at": _AT,
                    "due_at": _AT,
                    "recipients": 2,
                    "segments": 2,
                    "cost": 0.09,
                    "currency": "EUR",
                    "statuses": {**dict.fromkeys(STATUSES.values(), 0), "Delivered": 2},
                }
            ],
            "next_cursor": None,
        },
        "NumberErased": {"success": True, "code": 200, "recipients": 3, "replies": 1, "stops": 0},
    },
)
