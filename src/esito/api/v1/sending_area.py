"""What the OpenAPI document says of cancelling and of sending from a long number (contract 2.3, 2.4)."""

from esito.api.http.app import Operation
from esito.api.http.area import Area
from esito.api.http.pages import BODY, KEY, SENDING, EndpointDoc
from esito.api.http.schemas import API_KEY, BODIES, MESSAGE_ID, Schema, constant, record, text
from esito.api.v1.cancellation import CANCELLED, cancel
from esito.api.v1.long_number import vn_send
from esito.domain import errors as e

_CANCELLING = (e.MessageIdMissing, e.MessageNotFound, e.AlreadyCancelled, e.TooLateToCancel, e.AlreadySent)
_OF_SEND = BODIES["SendRequest"]["properties"]
_OPTIONS: dict[str, Schema] = {
    name: _OF_SEND[name] for name in ("tag", "isStopSms", "urlResponse", "urlDlr", "sandbox", "_format")
}

AREA = Area(
    operations=(
        Operation("GET", "/v1/message-cancel", cancel),
        Operation("DELETE", "/v1/message-cancel/{messageId}", cancel),
        Operation("POST", "/v1/vn/send", vn_send, reads_body=True),
    ),
    pages={
        ("GET", "/v1/message-cancel"): EndpointDoc(
            summary="Take a scheduled message back, until five minutes before it is due.",
            answer="Cancelled",
            parameters={"messageId": (MESSAGE_ID, True)},
            refusals=(*KEY, *_CANCELLING),
        ),
        ("DELETE", "/v1/message-cancel/{messageId}"): EndpointDoc(
            summary="The same, as some clients ask it.",
            answer="Cancelled",
            parameters={"messageId": (MESSAGE_ID, True)},
            refusals=(*KEY, *_CANCELLING),
        ),
        ("POST", "/v1/vn/send"): EndpointDoc(
            summary="Send one text from a long number of the account's own.",
            answer="Sent",
            body="LongNumberRequest",
            form=True,
            refusals=(*BODY, *KEY, *SENDING),
        ),
    },
    schemas={
        "Cancelled": record({"success": constant(True), "code": constant(200), "message": constant(CANCELLED)}),
    },
    bodies={
        "LongNumberRequest": record(
            {
                "apiKey": API_KEY,
                "to": _OF_SEND["phoneNumbers"],
                "from": text("A long number of the account's own, without plus.", pattern="^[0-9]{8,15}$"),
                "message": _OF_SEND["message"],
                **_OPTIONS,
            },
            optional=tuple(_OPTIONS),
            closed=False,
        ),
    },
    samples={"Cancelled": {"success": True, "code": 200, "message": CANCELLED}},
)
