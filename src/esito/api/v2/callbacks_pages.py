"""What the OpenAPI document says of the outbox of callbacks."""

from esito.api.http.app import Operation
from esito.api.http.area import Area
from esito.api.http.pages import BODY, KEY, EndpointDoc
from esito.api.http.paging import MOST
from esito.api.http.schemas import Schema, array, constant, integer, record, ref, text
from esito.api.v2 import callback_outbox
from esito.api.v2.message_overview import STATE_NAMES
from esito.api.v2.schemas_v2 import MESSAGE_PIECE, PAGE_LIMIT
from esito.domain import errors as e
from esito.domain.callback import GONE_SHOWN
from esito.domain.states import PUBLIC_WORDS

_AT_SAMPLE = 1_795_430_400_000

_GOOD = {"success": constant(True), "code": constant(200)}
_AT = integer("Milliseconds since the epoch, UTC.")
_COUNT = integer(minimum=0)
_CURSOR = r"^[0-9]+\.[0-9]+$"


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_STATUS = _or_null(integer("HTTP status of the receiver; null: there was no answer."))

_LINE: dict[str, Schema] = {
    "id": integer(minimum=1),
    "webhook_id": text("The header of that name, the same at every attempt."),
    "kind": {"type": "string", "enum": list(callback_outbox.KINDS.values())},
    "message_id": text(pattern="^[0-9]+$"),
    "msisdn": text("E.164 with plus; empty when the recipient was erased."),
    "told": {
        "type": "string",
        "enum": sorted({*PUBLIC_WORDS.values(), ""}),
        "description": "The status that it tells; empty for a reply.",
    },
    "state": {"type": "string", "enum": [*STATE_NAMES.values(), ""]},
    "at": integer("When that happened, in milliseconds since the epoch."),
    "status": {"type": "string", "enum": sorted(set(callback_outbox.PHASE_WORDS.values()))},
    "origin": text("Scheme, host and port it goes to; empty: not looked at yet, or a URL that cannot be called."),
    "attempts": _COUNT,
    "last_status": _STATUS,
    "last_error": text("Why the last attempt had no answer."),
    "next_attempt_at": _or_null(_AT),
    "finished_at": _or_null(_AT),
    "reason": text("Why it was given up."),
}

_LINE_SAMPLE = {
    "id": 815,
    "webhook_id": "msg_4711_0_8",
    "kind": "report",
    "message_id": "4711",
    "msisdn": "+33611111111",
    "told": "Delivered",
    "state": "delivered",
    "at": _AT_SAMPLE,
    "status": "waiting",
    "origin": "https://example.org:443",
    "attempts": 1,
    "last_status": 503,
    "last_error": "",
    "next_attempt_at": _AT_SAMPLE + 5_000,
    "finished_at": None,
    "reason": "",
}

AREA = Area(
    operations=(
        Operation("GET", "/v2/callbacks", callback_outbox.callbacks, bearer=True),
        Operation("GET", "/v2/callbacks/destinations", callback_outbox.destinations, bearer=True),
        Operation("POST", "/v2/callbacks/replay", callback_outbox.replay, reads_body=True, bearer=True),
        Operation("GET", "/v2/callbacks/{id}", callback_outbox.callback, bearer=True),
    ),
    pages={
        ("GET", "/v2/callbacks"): EndpointDoc(
            summary="The callbacks of your account, newest first.",
            answer="CallbackPage",
            parameters={
                "status": ({"type": "string", "enum": list(callback_outbox.STATUSES)}, False),
                "message": (MESSAGE_PIECE, False),
                "cursor": (text("`next_cursor` of the page before."), False),
                "limit": (PAGE_LIMIT, False),
            },
            refusals=(*KEY, e.InvalidFields),
        ),
        ("GET", "/v2/callbacks/destinations"): EndpointDoc(
            summary="The servers your callbacks go to, and how that goes.",
            answer="CallbackDestinations",
            parameters={
                "cursor": (text("`next_cursor` of the page before."), False),
                "limit": (PAGE_LIMIT, False),
            },
            refusals=(*KEY, e.InvalidFields),
        ),
        ("POST", "/v2/callbacks/replay"): EndpointDoc(
            summary="Make one callback again, or all since a moment, under the same webhook-id.",
            answer="Replayed",
            body="ReplayRequest",
            refusals=(*BODY, *KEY, e.InvalidFields, e.NoSuchCallback),
        ),
        ("GET", "/v2/callbacks/{id}"): EndpointDoc(
            summary="One callback with its log of attempts.",
            answer="CallbackTold",
            parameters={"id": (text("Its `id`.", pattern="^[0-9]{1,16}$", examples=["815"]), True)},
            refusals=(*KEY, e.NoSuchCallback),
        ),
    },
    schemas={
        "CallbackLine": record(_LINE),
        "CallbackPage": record(
            {
                **_GOOD,
                "callbacks": array(ref("CallbackLine"), maxItems=MOST),
                "next_cursor": _or_null(text("`cursor` of the next page; null on the last.", pattern=_CURSOR)),
            }
        ),
        "CallbackAttempt": record(
            {
                "number": integer(minimum=1),
                "at": _AT,
                "milliseconds": _COUNT,
                "status": _STATUS,
                "error": text(),
                "address": text("Where the connection was made to."),
                "answer": text("How the answer began, at most a kilobyte."),
            }
        ),
        "CallbackTold": record({**_GOOD, **_LINE, "url": text(), "log": array(ref("CallbackAttempt"))}),
        "CallbackDestination": record(
            {
                "origin": text("Scheme, host and port."),
                "state": {"type": "string", "enum": ["good", "failing", "disabled"]},
                "reason": text("Why it is disabled."),
                "last_success_at": _or_null(_AT),
                "failing_since": _or_null(_AT),
                "disabled_at": _or_null(_AT),
                "waiting": _COUNT,
                "dead": _COUNT,
                "gone_paths": array(text("A path that answered with HTTP 410."), maxItems=GONE_SHOWN),
            }
        ),
        "CallbackDestinations": record(
            {
                **_GOOD,
                "destinations": array(ref("CallbackDestination"), maxItems=MOST),
                "next_cursor": _or_null(text("`cursor` of the next page; null on the last.")),
            }
        ),
        "Replayed": record({**_GOOD, "replayed": _COUNT}),
    },
    bodies={
        "ReplayRequest": record(
            {
                "id": integer("One callback.", minimum=1),
                "since": text("All finished ones whose change is not older: ISO 8601, or milliseconds."),
                "status": {"type": "string", "enum": ["dead"], "description": "With `since`: those given up alone."},
            },
            optional=("id", "since", "status"),
        )
    },
    samples={
        "CallbackPage": {"success": True, "code": 200, "callbacks": [_LINE_SAMPLE], "next_cursor": None},
        "CallbackTold": {
            "success": True,
            "code": 200,
            **_LINE_SAMPLE,
            "url": "https://example.org/dlr?secret=1",
            "log": [
                {
                    "number": 1,
                    "at": _AT_SAMPLE,
                    "milliseconds": 12,
                    "status": 503,
                    "error": "",
                    "address": "192.0.2.7:443",
                    "answer": "try later",
                }
            ],
        },
        "CallbackDestinations": {
            "success": True,
            "code": 200,
            "destinations": [
                {
                    "origin": "https://example.org:443",
                    "state": "failing",
                    "reason": "",
                    "last_success_at": None,
                    "failing_since": _AT_SAMPLE,
                    "disabled_at": None,
                    "waiting": 1,
                    "dead": 0,
                    "gone_paths": ["/dlr/old"],
                }
            ],
            "next_cursor": None,
        },
        "Replayed": {"success": True, "code": 200, "replayed": 1},
    },
)
