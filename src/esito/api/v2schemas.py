"""The shapes of the second path's answers, as the OpenAPI document shows them (design 6)."""

from esito.api.paging import LIMIT, MOST
from esito.api.schemas import Schema, array, constant, integer, number, record, ref, text
from esito.api.v2messages import STATE_NAMES, STATUSES
from esito.domain.evidence import SegmentPhase
from esito.domain.receipt import Verdict
from esito.domain.states import PUBLIC_WORDS
from esito.domain.vocabulary import ErrorCategory


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_GOOD = {"success": constant(True), "code": constant(200)}
_AT = integer("Milliseconds since the epoch, UTC.")
_AT_OR_NULL = _or_null(_AT)
_STATE: Schema = {"type": "string", "enum": list(STATE_NAMES.values())}
_STATE_OR_NULL: Schema = {"enum": [*STATE_NAMES.values(), None], "description": "null: a word we do not know."}
_STATUS: Schema = {"type": "string", "enum": sorted(set(PUBLIC_WORDS.values()))}
_MSISDN = text("E.164 with plus.", pattern=r"^\+[0-9]{8,15}$")
_HIDDEN = text(
    "E.164 with plus; its last four digits alone unless `unmask` asks for more.", pattern=r"^(\+|\*+)[0-9]{4,15}$"
)
_COUNT = integer(minimum=0)
_NEXT = _or_null(text("`cursor` of the next page; null on the last.", pattern="^[0-9]+$"))
_RAW = text("The octets as they came, in hexadecimal.", pattern="^([0-9a-f]{2})*$")
_BOOLEAN: Schema = {"type": "boolean"}

MESSAGE_PIECE = text("Message id.", pattern="^[0-9]{1,16}$", examples=["4711"])
MSISDN_PIECE = text("French or international.", examples=["+33611111111"], minLength=1)
UNMASK = text(
    "The reason why somebody sees numbers whole, which are hidden otherwise; the audit log keeps it.",
    minLength=3,
    maxLength=200,
)
STATUS_FILTER: Schema = {
    "type": "string",
    "enum": [*STATUSES, *STATE_NAMES.values()],
    "description": "A status, or a state. An unknown word finds nobody.",
}
CURSOR = text("`next_cursor` of the page before.")
PAGE_LIMIT = integer("Items on a page.", minimum=1, maximum=MOST, default=LIMIT)

V2_SCHEMAS: dict[str, Schema] = {
    "MessageOverview": record(
        {
            **_GOOD,
            "id": text(pattern="^[0-9]+$"),
            "sender": text("Empty: the operator's short code."),
            "texts": array(text(), description="The different texts, at most ten."),
            "tag": _or_null(text()),
            "reference": _or_null(text("Your own id.")),
            "sandbox": _BOOLEAN,
            "created_at": _AT,
            "due_at": _AT,
            "recipients": _COUNT,
            "segments": _COUNT,
            "cost": number(minimum=0),
            "currency": text(),
            "statuses": record(dict.fromkeys(dict.fromkeys(PUBLIC_WORDS.values()), _COUNT)),
            "states": record(dict.fromkeys(STATE_NAMES.values(), _COUNT)),
        }
    ),
    "RecipientLine": record(
        {
            "seq": _COUNT,
            "msisdn": _MSISDN,
            "status": _STATUS,
            "state": _STATE,
            "changed_at": _AT,
            "segments": _COUNT,
            "cost": number(minimum=0),
            "operator": text("Empty: none serves the number."),
        }
    ),
    "RecipientPage": record({**_GOOD, "recipients": array(ref("RecipientLine"), maxItems=MOST), "next_cursor": _NEXT}),
    "SegmentTold": record(
        {
            "part": integer(minimum=1),
            "link": text(),
            "operator": text(),
            "phase": {"type": "string", "enum": [phase.name.lower() for phase in SegmentPhase]},
            "attempts": integer("0: it was never handed over.", minimum=0),
            "submitted_at": _AT_OR_NULL,
            "answered_at": _AT_OR_NULL,
            "command_status": _or_null(integer("0: the operator took it; null: it has not answered.")),
            "smsc_message_id": text("As the operator wrote it."),
            "state": _STATE,
            "done_at": _or_null(integer("The operator's own date, where it can be believed.")),
            "error": text("The operator's error code, as it came."),
        }
    ),
    "ReceiptTold": record(
        {
            "received_at": _AT,
            "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
            "explanation": text("What it said and what it changed, in plain words."),
            "part": integer(minimum=0),
            "link": text(),
            "smsc_message_id": text(),
            "stat": text(
                "The operator's word, or its number as `message_state 2`; both where they do not mean the same: "
                "`UNDELIV (message_state 2)`."
            ),
            "state": _STATE_OR_NULL,
            "error": text(),
            "done_at": _AT_OR_NULL,
            "flags": array(text("What was odd about it; docs/errors.md has them all.")),
            "matched_later": {**_BOOLEAN, "description": "It came before we knew whose it was."},
            "text": text("The text of the receipt; empty when it had none."),
            "raw": _RAW,
        }
    ),
    "FailureTold": record(
        {
            "raw": text("The operator's code as it came; 0x and eight digits where it refused the submission."),
            "category": {"type": "string", "enum": [category.value for category in ErrorCategory]},
            "permanent": {**_BOOLEAN, "description": "The same message to the same number would fail again."},
            "reason": text("In plain words."),
        }
    ),
    "LastWord": record({"stat": text(), "state": _STATE_OR_NULL, "at": _AT}),
    "RecipientExplained": record(
        {
            **_GOOD,
            "message_id": text(pattern="^[0-9]+$"),
            "msisdn": _HIDDEN,
            "status": _STATUS,
            "state": _STATE,
            "changed_at": _AT,
            "explanation": array(text(), description="The answer, a sentence or two to an item."),
            "operator": text("Empty: none serves the number."),
            "link": text(),
            "created_at": _AT,
            "due_at": _AT,
            "submitted_at": _AT_OR_NULL,
            "stops_waiting_at": _or_null(integer("When silence is taken for an answer; null: nothing is awaited.")),
            "last_word": {"anyOf": [ref("LastWord"), {"type": "null"}]},
            "error": {"anyOf": [ref("FailureTold"), {"type": "null"}]},
            "segment_count": integer(minimum=1),
            "segments": array(ref("SegmentTold")),
            "receipts": array(ref("ReceiptTold")),
        }
    ),
    "LinkTold": record(
        {
            "link": text(),
            "operator": text(),
            "state": {"type": "string", "enum": ["bound", "sending only", "receiving only", "down", "disabled"]},
            "sessions": array(record({"bind": text(), "state": text(), "since": _AT, "last_error": text()})),
            "id_form": text("How the operator spells ids in receipts; empty: not known yet."),
            "id_form_locked": {**_BOOLEAN, "description": "It is set in the configuration."},
            "ambiguous_receipts": integer("Receipts whose id could have meant two segments.", minimum=0),
            "warnings": array(text("What somebody should look at; begins with a word for programs.")),
        }
    ),
    "Links": record({**_GOOD, "links": array(ref("LinkTold"))}),
    "Orphan": record(
        {
            "number": integer(minimum=1),
            "received_at": _AT,
            "verdict": {"type": "string", "enum": [Verdict.PARKED.value, Verdict.ORPHAN.value]},
            "link": text(),
            "operator": text(),
            "smsc_message_id": text(),
            "source_addr": text("Of a number, the last four digits."),
            "destination_addr": text("Of a number, the last four digits."),
            "stat": text(),
            "error": text(),
            "flags": array(text()),
            "raw": {
                **_RAW,
                "description": "The octets in hexadecimal, numbers hidden as above, and what somebody wrote.",
            },
        }
    ),
    "OrphanPage": record({**_GOOD, "orphans": array(ref("Orphan"), maxItems=MOST), "next_cursor": _NEXT}),
}
