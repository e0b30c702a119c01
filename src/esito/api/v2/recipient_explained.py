"""What happened to one recipient, what it means, and until when we wait (design 6)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Count, Digits, GoodAnswer, Milliseconds, PublicStatus, words
from esito.api.v2.member_types import (
    STATE_NAMES,
    Hexadecimal,
    MsisdnPiece,
    Operator,
    State,
    StateOrUnknown,
    Unmask,
)
from esito.api.v2.message_overview import MessagePath, path_id
from esito.api.v2.unmasking import unmasked
from esito.domain.display import hide_in, mask_for_people
from esito.domain.errors import InvalidFields, NoSuchMessage, UnmaskingNotAllowed
from esito.domain.evidence import RecipientEvidence, SegmentEvidence, SegmentPhase, TrailEvidence
from esito.domain.explanation import Explanation, FailureEvidence, explain, explain_trail
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.receipt import Verdict
from esito.domain.states import MessageState, public_word
from esito.domain.vocabulary import ErrorCategory
from esito.lifecycle.readable import receipt_text

WEIGHT_OF_A_RECEIPT = 10
"""Items of a list that one receipt of an explanation takes as long as."""

# -- the answer --------------------------------------------------------------------------------


class SegmentDetails(AnswerPart):
    """One segment, as it was submitted and answered."""

    part: Annotated[int, Meta(ge=1)]
    link: str
    operator: str
    phase: Annotated[str, words(phase.name.lower() for phase in SegmentPhase)]
    attempts: Annotated[int, Meta(ge=0, description="0: it was never handed over.")]
    submitted_at: Milliseconds | None
    answered_at: Milliseconds | None
    command_status: Annotated[int, Meta(description="0: the operator took it; null: it has not answered.")] | None
    smsc_message_id: Annotated[str, Meta(description="As the operator wrote it.")]
    state: State
    done_at: Annotated[int, Meta(description="The operator's own date, where it can be believed.")] | None
    error: Annotated[str, Meta(description="The operator's error code, as it came.")]


class ReceiptDetails(AnswerPart):
    """One delivery receipt."""

    received_at: Milliseconds
    verdict: Annotated[str, words(verdict.value for verdict in Verdict)]
    explanation: Annotated[str, Meta(description="What it said and what it changed, in plain words.")]
    part: Count
    link: str
    smsc_message_id: str
    stat: Annotated[
        str,
        Meta(
            description="The operator's word, or its number as `message_state 2`; both where they do not mean the same:"
            " `UNDELIV (message_state 2)`."
        ),
    ]
    state: StateOrUnknown
    error: str
    done_at: Milliseconds | None
    flags: list[Annotated[str, Meta(description="What was odd about it; docs/reference/errors.md has them all.")]]
    matched_later: Annotated[bool, Meta(description="It came before we knew whose it was.")]
    text: Annotated[str, Meta(description="The text of the receipt; empty when it had none.")]
    raw: Hexadecimal


class FailureDetails(AnswerPart):
    """Why it failed."""

    raw: Annotated[
        str,
        Meta(description="The operator's code as it came; 0x and eight digits where it refused the submission."),
    ]
    category: Annotated[str, words(category.value for category in ErrorCategory)]
    permanent: Annotated[bool, Meta(description="The same message to the same number would fail again.")]
    reason: Annotated[str, Meta(description="In plain words.")]


class LastWord(AnswerPart):
    """What the operator said last."""

    stat: str
    state: StateOrUnknown
    at: Milliseconds


class RecipientExplanation(GoodAnswer):
    """All that is known of one recipient."""

    message_id: Digits
    msisdn: Annotated[
        str,
        Meta(
            pattern=r"^(\+|\*+)[0-9]{4,15}$",
            description="E.164 with plus; its last four digits alone unless `unmask` asks for more.",
        ),
    ]
    status: PublicStatus
    state: State
    changed_at: Milliseconds
    explanation: Annotated[list[str], Meta(description="The answer, a sentence or two to an item.")]
    operator: Operator
    link: str
    created_at: Milliseconds
    due_at: Milliseconds
    submitted_at: Milliseconds | None
    stops_waiting_at: (
        Annotated[int, Meta(description="When silence is taken for an answer; null: nothing is awaited.")] | None
    )
    last_word: LastWord | None
    error: FailureDetails | None
    segment_count: Annotated[int, Meta(ge=1)]
    segments: list[SegmentDetails]
    receipts: list[ReceiptDetails]


# -- the endpoint ------------------------------------------------------------------------------


class RecipientQuery(MessagePath):
    """Which recipient of which message."""

    msisdn: MsisdnPiece
    unmask: Unmask | UnsetType = UNSET


async def recipient(request: AccountRequest) -> Response:
    """What happened to one recipient, what it means, until when we wait, and every receipt."""
    message_id = path_id(request)
    try:
        msisdn = normalise(as_number_text(request.inputs.raw("msisdn")))
    except InvalidMsisdn:
        raise NoSuchMessage from None
    known = await request.services.store.evidence_of(request.account.id, message_id, msisdn)
    if known is None:
        raise NoSuchMessage
    services = request.services
    whole = await unmasked(request, subject=mask_for_people(msisdn), about=f"message {message_id}")
    hidden = "" if whole else known.msisdn
    return await request.work(
        lambda: request.answer(
            _recipient(
                known,
                explain(known, services.vocabulary, now=services.clock.now(), retries=services.retries),
                hidden=hidden,
            )
        ),
        items=WEIGHT_OF_A_RECEIPT * len(known.trail),
    )


def _recipient(known: RecipientEvidence, explained: Explanation, *, hidden: str) -> RecipientExplanation:
    """Return all that is known of a recipient; `hidden`: a number that is not shown whole."""
    last = explained.last_word
    explanations = zip(known.trail, explain_trail(known.trail), strict=True)
    return RecipientExplanation(
        message_id=str(known.message_id),
        msisdn=mask_for_people(known.msisdn) if hidden else known.msisdn,
        status=public_word(known.state),
        state=STATE_NAMES[known.state],
        changed_at=known.changed_at,
        explanation=list(explained.sentences),
        operator=known.operator,
        link=known.link,
        created_at=known.created_at,
        due_at=known.due_at,
        submitted_at=min((part.submitted_at for part in known.submitted if part.attempts), default=None),
        stops_waiting_at=explained.stops_waiting_at,
        last_word=None if last is None else LastWord(stat=last.stat, state=_name(last.state), at=last.received_at),
        error=_failure(explained.failure),
        segment_count=known.segments,
        segments=[_segment(part) for part in known.submitted],
        receipts=[_receipt(one, explanation, hidden) for one, explanation in explanations],
    )


def _failure(failure: FailureEvidence | None) -> FailureDetails | None:
    if failure is None or failure.meaning is None:
        return None
    meaning = failure.meaning
    return FailureDetails(
        raw=failure.raw, category=meaning.category.value, permanent=meaning.permanent, reason=meaning.reason
    )


def _segment(part: SegmentEvidence) -> SegmentDetails:
    return SegmentDetails(
        part=part.part,
        link=part.link,
        operator=part.operator,
        phase=part.phase.name.lower(),
        attempts=part.attempts,
        submitted_at=part.submitted_at if part.attempts else None,
        answered_at=part.answered_at,
        command_status=part.status,
        smsc_message_id=part.smsc_message_id,
        state=STATE_NAMES[part.state],
        done_at=part.done_at,
        error=part.error,
    )


def _receipt(one: TrailEvidence, explanation: str, hidden: str) -> ReceiptDetails:
    raw = hide_in(one.raw, hidden)
    return ReceiptDetails(
        received_at=one.received_at,
        verdict=one.verdict.value,
        explanation=explanation,
        part=one.part,
        link=one.link,
        smsc_message_id=one.smsc_message_id,
        stat=one.stat,
        state=_name(one.state),
        error=one.error,
        done_at=one.done_at,
        flags=sorted(one.flags),
        matched_later=one.waited,
        text=receipt_text(raw),
        raw=raw.hex(),
    )


def _name(state: MessageState | None) -> str | None:
    return None if state is None else STATE_NAMES[state]


RECIPIENT = Endpoint(
    "GET",
    "/v2/messages/{id}/recipients/{msisdn}",
    recipient,
    parameters=RecipientQuery(id="4711", msisdn="+33611111111"),
    answer=RecipientExplanation(
        message_id="4711",
        msisdn="+33611111111",
        status="Waiting",
        state="waiting",
        changed_at=1_600_000_000_000,
        explanation=[
            "The message was handed to the operator north at 2020-09-13 12:26:41 UTC.",
            "The operator has not reported yet what became of it.",
            "We wait for the operator's final word until 2020-09-15 12:26:41 UTC, 48 hours after the message was "
            "handed over. If none has come by then, it counts as not delivered; a later report can still correct that.",
        ],
        operator="north",
        link="north",
        created_at=1_600_000_000_000,
        due_at=1_600_000_000_000,
        submitted_at=1_600_000_001_000,
        stops_waiting_at=1_600_172_801_000,
        last_word=None,
        error=None,
        segment_count=1,
        segments=[
            SegmentDetails(
                part=1,
                link="north",
                operator="north",
                phase="answered",
                attempts=1,
                submitted_at=1_600_000_001_000,
                answered_at=1_600_000_001_040,
                command_status=0,
                smsc_message_id="0A1F",
                state="waiting",
                done_at=None,
                error="",
            )
        ],
        receipts=[],
    ),
    refusals=(InvalidFields, NoSuchMessage, UnmaskingNotAllowed),
)
