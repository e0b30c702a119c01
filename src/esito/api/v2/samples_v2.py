"""Samples of the second path's good answers, as the OpenAPI document shows them."""

from typing import Any

from esito.api.v2.message_overview import STATE_NAMES

_AT = 1_600_000_000_000
_STATES = dict.fromkeys(STATE_NAMES.values(), 0)

V2_SAMPLES: dict[str, dict[str, Any]] = {
    "MessageOverview": {
        "success": True,
        "code": 200,
        "id": "4711",
        "sender": "ACME",
        "texts": ["Your parcel is on its way"],
        "tag": "parcels",
        "reference": None,
        "sandbox": False,
        "created_at": _AT,
        "due_at": _AT,
        "recipients": 2,
        "segments": 2,
        "cost": 0.09,
        "currency": "EUR",
        "statuses": {"KO": 0, "Waiting": 1, "Not delivered": 0, "Delivered": 1},
        "states": {**_STATES, "waiting": 1, "delivered": 1},
    },
    "RecipientPage": {
        "success": True,
        "code": 200,
        "recipients": [
            {
                "seq": 0,
                "msisdn": "+33611111111",
                "status": "Delivered",
                "state": "delivered",
                "changed_at": _AT + 10_000,
                "segments": 1,
                "cost": 0.045,
                "operator": "north",
            }
        ],
        "next_cursor": "0",
    },
    "RecipientExplained": {
        "success": True,
        "code": 200,
        "message_id": "4711",
        "msisdn": "+33611111111",
        "status": "Waiting",
        "state": "waiting",
        "changed_at": _AT,
        "explanation": [
            "The message was handed to the operator north at 2020-09-13 12:26:41 UTC.",
            "The operator has not reported yet what became of it.",
            "We wait for the operator's final word until 2020-09-15 12:26:41 UTC, 48 hours after the message was "
            "handed over. If none has come by then, it counts as not delivered; a later report can still correct that.",
        ],
        "operator": "north",
        "link": "north",
        "created_at": _AT,
        "due_at": _AT,
        "submitted_at": _AT + 1_000,
        "stops_waiting_at": _AT + 172_801_000,
        "last_word": None,
        "error": None,
        "segment_count": 1,
        "segments": [
            {
                "part": 1,
                "link": "north",
                "operator": "north",
                "phase": "answered",
                "attempts": 1,
                "submitted_at": _AT + 1_000,
                "answered_at": _AT + 1_040,
                "command_status": 0,
                "smsc_message_id": "0A1F",
                "state": "waiting",
                "done_at": None,
                "error": "",
            }
        ],
        "receipts": [],
    },
    "Links": {
        "success": True,
        "code": 200,
        "links": [
            {
                "link": "north",
                "operator": "north",
                "state": "bound",
                "sessions": [{"bind": "transceiver", "state": "bound", "since": _AT, "last_error": ""}],
                "id_form": "hex-to-dec",
                "id_form_locked": False,
                "ambiguous_receipts": 0,
                "warnings": [],
            }
        ],
    },
    "OrphanPage": {
        "success": True,
        "code": 200,
        "orphans": [
            {
                "number": 815,
                "received_at": _AT,
                "verdict": "orphan",
                "link": "north",
                "operator": "north",
                "smsc_message_id": "0B2C",
                "source_addr": "*******1111",
                "destination_addr": "ACME",
                "stat": "DELIVRD",
                "error": "000",
                "flags": [],
                "raw": "",
            }
        ],
        "next_cursor": None,
    },
}
"""By the name of the schema."""
