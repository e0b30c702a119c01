"""What the OpenAPI document says of the STOP list and of replies."""

from esito.api.http.app import Operation
from esito.api.http.area import Area
from esito.api.http.pages import BODY, KEY, EndpointDoc
from esito.api.http.paging import MOST
from esito.api.http.schemas import API_KEY, FORMAT, Schema, array, constant, integer, record, ref, text
from esito.api.v1.stop_list import add_stop, delete_stop, list_stops
from esito.api.v2.reply_list import replies
from esito.api.v2.schemas_v2 import CURSOR, PAGE_LIMIT
from esito.domain import errors as e
from esito.domain.reply import ReplyKind

_GOOD = {"success": constant(True), "code": constant(200)}
_AT = 1_600_000_000_000
_STOP_ID = integer("Of the number on the list.", minimum=1)
_DIGITS_OR_NULL: Schema = {"type": ["string", "null"], "pattern": "^[0-9]+$"}

AREA = Area(
    operations=(
        Operation("GET", "/v1/stop-sms/list", list_stops),
        Operation("POST", "/v1/stop-sms/add", add_stop, reads_body=True),
        Operation("GET", "/v1/stop-sms/delete", delete_stop),
        Operation("GET", "/v2/replies", replies, bearer=True),
    ),
    pages={
        ("GET", "/v1/stop-sms/list"): EndpointDoc(
            summary="The numbers that are not sent to any more, oldest first.", answer="StopList", refusals=KEY
        ),
        ("POST", "/v1/stop-sms/add"): EndpointDoc(
            summary="Put a number on the STOP list; one that is on it keeps its id.",
            answer="StopAdded",
            body="StopRequest",
            form=True,
            refusals=(*BODY, *KEY, e.PhoneNumberMissing, e.StopNumberInvalid),
        ),
        ("GET", "/v1/stop-sms/delete"): EndpointDoc(
            summary="Take a number off the STOP list.",
            answer="StopDeleted",
            parameters={"id": (integer("As the list shows it.", minimum=1), True)},
            refusals=(*KEY, e.StopIdMissing, e.StopNotFound),
        ),
        ("GET", "/v2/replies"): EndpointDoc(
            summary="What subscribers wrote to this account, oldest first, a page at a time.",
            answer="ReplyPage",
            parameters={
                "from": (text("A subscriber's number, French or international; without it everybody's."), False),
                "cursor": (CURSOR, False),
                "limit": (PAGE_LIMIT, False),
            },
            refusals=(*KEY, e.InvalidFields),
        ),
    },
    schemas={
        "StoppedNumber": record(
            {
                "id": _STOP_ID,
                "phoneNumber": text("E.164 with plus.", pattern=r"^\+[0-9]{8,15}$"),
                "createdAt": text("Paris date and time.", pattern="^[0-9-]{10} [0-9:]{8}$"),
            }
        ),
        "StopList": record({**_GOOD, "nbData": integer(minimum=0), "data": array(ref("StoppedNumber"))}),
        "StopAdded": record({**_GOOD, "stopId": _STOP_ID}),
        "StopDeleted": record(_GOOD),
        "ReplyTold": record(
            {
                "id": text(pattern="^[0-9]+$"),
                "received_at": integer("Milliseconds since the epoch, UTC; of a long reply, of its first part."),
                "type": {"type": "string", "enum": [kind.value for kind in ReplyKind]},
                "from": text("E.164 with plus where it is a number."),
                "to": text("As the operator wrote it: a short code, or a long number of the account's own."),
                "text": text(),
                "message_id": {**_DIGITS_OR_NULL, "description": "What it answers; null: nothing that we sent."},
                "missing_parts": integer("Parts of a long reply that never came.", minimum=0),
            }
        ),
        "ReplyPage": record(
            {**_GOOD, "replies": array(ref("ReplyTold"), maxItems=MOST), "next_cursor": _DIGITS_OR_NULL}
        ),
    },
    bodies={
        "StopRequest": record(
            {
                "apiKey": API_KEY,
                "phoneNumber": text("French or international.", minLength=1, examples=["+33611111111"]),
                "_format": FORMAT,
            },
            optional=("_format",),
            closed=False,
        ),
    },
    samples={
        "StopList": {
            "success": True,
            "code": 200,
            "nbData": 1,
            "data": [{"id": 1, "phoneNumber": "+33611111111", "createdAt": "2020-09-13 14:26:40"}],
        },
        "StopAdded": {"success": True, "code": 200, "stopId": 1},
        "StopDeleted": {"success": True, "code": 200},
        "ReplyPage": {
            "success": True,
            "code": 200,
            "replies": [
                {
                    "id": "12",
                    "received_at": _AT,
                    "type": "response",
                    "from": "+33611111111",
                    "to": "36111",
                    "text": "oui",
                    "message_id": "4712",
                    "missing_parts": 0,
                }
            ],
            "next_cursor": None,
        },
    },
)
