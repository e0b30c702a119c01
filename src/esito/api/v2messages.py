"""One message seen closely: its counts, its recipients, and the explanation of one of them (design 6)."""

from esito.api.answer import Answer
from esito.api.call import Call, as_message_id, as_number_text
from esito.api.paging import page_cursor, page_limit, status_among
from esito.api.unmasking import unmasked
from esito.api.xml import Value
from esito.domain.display import hide_in, mask_for_people
from esito.domain.errors import NoSuchMessage
from esito.domain.evidence import RecipientEvidence, SegmentEvidence, TrailEvidence
from esito.domain.explanation import Explanation, FailureEvidence, explain, explain_trail
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.pricing import as_number
from esito.domain.states import PUBLIC_WORDS, MessageState, public_word
from esito.lifecycle.readable import receipt_text
from esito.store.records import RecipientLine

WEIGHT_OF_A_RECEIPT = 10
"""Items of a list that one receipt of an explanation takes as long as."""

STATE_NAMES = {state: state.name.lower() for state in MessageState}
STATUSES = {word.lower().replace(" ", "-"): word for word in PUBLIC_WORDS.values()}
"""How a public status is written in a query, beside the way answers spell it."""


async def message(call: Call) -> Answer:
    """GET /v2/messages/{id}: one message and how its recipients stand."""
    found = await call.services.store.message_of(call.account.id, path_id(call))
    if found is None:
        raise NoSuchMessage
    statuses = dict.fromkeys(dict.fromkeys(PUBLIC_WORDS.values()), 0)
    for state, count in found.by_state.items():
        statuses[public_word(state)] += count
    return call.answer(
        {
            "id": str(found.message_id),
            "sender": found.sender,
            "texts": list(found.texts),
            "tag": found.tag,
            "reference": found.reference,
            "sandbox": found.sandbox,
            "created_at": found.created_at,
            "due_at": found.due_at,
            "recipients": sum(found.by_state.values()),
            "segments": found.segments,
            "cost": as_number(found.cost),
            "currency": call.services.currency,
            "statuses": dict(statuses),
            "states": {STATE_NAMES[state]: found.by_state.get(state, 0) for state in MessageState},
        }
    )


async def recipients(call: Call) -> Answer:
    """GET /v2/messages/{id}/recipients: the recipients in order of submission, a page at a time."""
    limit = page_limit(call)
    found = await call.services.store.recipients_page(
        call.account.id, path_id(call), states=_states(call), after=page_cursor(call, first=-1), limit=limit + 1
    )
    if found is None:
        raise NoSuchMessage
    page, more = found[:limit], len(found) > limit
    cursor = str(page[-1].seq) if more else None
    return await call.work(
        lambda: call.answer({"recipients": [_line(one) for one in page], "next_cursor": cursor}), items=len(page)
    )


async def recipient(call: Call) -> Answer:
    """GET /v2/messages/{id}/recipients/{msisdn}: what happened, what it means, until when we wait, what then."""
    message_id = path_id(call)
    try:
        msisdn = normalise(as_number_text(call.inputs.raw("msisdn")))
    except InvalidMsisdn:
        raise NoSuchMessage from None
    known = await call.services.store.evidence_of(call.account.id, message_id, msisdn)
    if known is None:
        raise NoSuchMessage
    now = call.services.clock.now()
    whole = await unmasked(call, subject=mask_for_people(msisdn), about=f"message {message_id}")
    hidden = "" if whole else known.msisdn
    return await call.work(
        lambda: call.answer(
            _recipient(
                known, explain(known, call.services.vocabulary, now=now, retries=call.services.retries), hidden=hidden
            )
        ),
        items=WEIGHT_OF_A_RECEIPT * len(known.trail),
    )


def _recipient(known: RecipientEvidence, explained: Explanation, *, hidden: str) -> dict[str, Value]:
    """Tell all of a recipient; `hidden`: a number that is not shown whole."""
    last = explained.last_word
    return {
        "message_id": str(known.message_id),
        "msisdn": mask_for_people(known.msisdn) if hidden else known.msisdn,
        "status": public_word(known.state),
        "state": STATE_NAMES[known.state],
        "changed_at": known.changed_at,
        "explanation": list(explained.sentences),
        "operator": known.operator,
        "link": known.link,
        "created_at": known.created_at,
        "due_at": known.due_at,
        "submitted_at": min((part.submitted_at for part in known.submitted if part.attempts), default=None),
        "stops_waiting_at": explained.stops_waiting_at,
        "last_word": None if last is None else {"stat": last.stat, "state": _name(last.state), "at": last.received_at},
        "error": _error(explained.failure),
        "segment_count": known.segments,
        "segments": [_segment(part) for part in known.submitted],
        "receipts": [
            _receipt(one, explanation, hidden)
            for one, explanation in zip(known.trail, explain_trail(known.trail), strict=True)
        ],
    }


def _error(failure: FailureEvidence | None) -> dict[str, Value] | None:
    if failure is None or failure.meaning is None:
        return None
    meaning = failure.meaning
    return {
        "raw": failure.raw,
        "category": meaning.category.value,
        "permanent": meaning.permanent,
        "reason": meaning.reason,
    }


def _segment(part: SegmentEvidence) -> dict[str, Value]:
    return {
        "part": part.part,
        "link": part.link,
        "operator": part.operator,
        "phase": part.phase.name.lower(),
        "attempts": part.attempts,
        "submitted_at": part.submitted_at if part.attempts else None,
        "answered_at": part.answered_at,
        "command_status": part.status,
        "smsc_message_id": part.smsc_message_id,
        "state": STATE_NAMES[part.state],
        "done_at": part.done_at,
        "error": part.error,
    }


def _receipt(one: TrailEvidence, explanation: str, hidden: str) -> dict[str, Value]:
    raw = hide_in(one.raw, hidden)
    return {
        "received_at": one.received_at,
        "verdict": one.verdict.value,
        "explanation": explanation,
        "part": one.part,
        "link": one.link,
        "smsc_message_id": one.smsc_message_id,
        "stat": one.stat,
        "state": _name(one.state),
        "error": one.error,
        "done_at": one.done_at,
        "flags": sorted(one.flags),
        "matched_later": one.waited,
        "text": receipt_text(raw),
        "raw": raw.hex(),
    }


def _line(one: RecipientLine) -> dict[str, Value]:
    return {
        "seq": one.seq,
        "msisdn": one.msisdn,
        "status": public_word(one.state),
        "state": STATE_NAMES[one.state],
        "changed_at": one.changed_at,
        "segments": one.segments,
        "cost": as_number(one.cost),
        "operator": one.operator,
    }


def _name(state: MessageState | None) -> str | None:
    return None if state is None else STATE_NAMES[state]


# -- what is asked -----------------------------------------------------------------------------


def path_id(call: Call) -> int:
    """Return the message id of the path. Raises NoSuchMessage for what can be none."""
    message_id = as_message_id(call.inputs.raw("id"))
    if message_id is None:
        raise NoSuchMessage
    return message_id


def _states(call: Call) -> list[MessageState]:
    """Return the states that `status` asks for: a public status or a state; without it all of them."""
    asked = status_among(call, {*STATUSES, *STATE_NAMES.values()})
    if not asked:
        return list(MessageState)
    word = STATUSES.get(asked)
    return [state for state in MessageState if PUBLIC_WORDS[state] == word or STATE_NAMES[state] == asked]
