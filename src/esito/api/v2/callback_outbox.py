"""The outbox of callbacks as its owner sees it: what was tried, and what was given up (design 6)."""

import re
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import MOST, cursor_like, page_limit, status_among
from esito.api.http.request import AccountRequest, as_message_id
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Count, Digits, GoodAnswer, Milliseconds, Parameters, names_a, words
from esito.api.v2.member_types import STATE_NAMES, Cursor, MessagePiece, PageLimit
from esito.domain.callback import AttemptLine, CallbackKind, CallbackLine, CallbackPhase
from esito.domain.errors import InvalidFields, NoSuchCallback
from esito.domain.states import PUBLIC_WORDS, MessageState, public_word

PHASE_WORDS = {
    CallbackPhase.NEW: "waiting",
    CallbackPhase.DUE: "waiting",
    CallbackPhase.LEASED: "in flight",
    CallbackPhase.BEHIND: "waiting",
    CallbackPhase.DONE: "done",
    CallbackPhase.DEAD: "dead",
}
STATUSES = ("waiting", "done", "dead")
"""What a list can be narrowed to; what is in flight is waiting still."""

KINDS = {CallbackKind.REPORT: "report", CallbackKind.REPLY: "reply"}

CURSOR = re.compile(r"([0-9]{1,16})\.([0-9]{1,16})")

HttpStatus = Annotated[int, Meta(description="HTTP status of the receiver; null: there was no answer.")] | None


class CallbackItem(AnswerPart):
    """One callback."""

    id: Annotated[int, Meta(ge=1)]
    webhook_id: Annotated[str, Meta(description="The header of that name, the same at every attempt.")]
    kind: Annotated[str, words(KINDS.values())]
    message_id: Digits
    msisdn: Annotated[str, Meta(description="E.164 with plus; empty when the recipient was erased.")]
    told: Annotated[str, words(sorted({*PUBLIC_WORDS.values(), ""}), "The status that it tells; empty for a reply.")]
    state: Annotated[str, words([*STATE_NAMES.values(), ""])]
    at: Annotated[int, Meta(description="When that happened, in milliseconds since the epoch.")]
    status: Annotated[str, words(sorted(set(PHASE_WORDS.values())))]
    origin: Annotated[
        str,
        Meta(description="Scheme, host and port it goes to; empty: not looked at yet, or a URL that cannot be called."),
    ]
    attempts: Count
    last_status: HttpStatus
    last_error: Annotated[str, Meta(description="Why the last attempt had no answer.")]
    next_attempt_at: Milliseconds | None
    finished_at: Milliseconds | None
    reason: Annotated[str, Meta(description="Why it was given up.")]


EXAMPLE = CallbackItem(
    id=1,
    webhook_id="msg_4711_0_8",
    kind="report",
    message_id="4711",
    msisdn="+33611111111",
    told="Delivered",
    state="delivered",
    at=1_795_430_400_000,
    status="waiting",
    origin="https://example.org:443",
    attempts=1,
    last_status=503,
    last_error="",
    next_attempt_at=1_795_430_405_000,
    finished_at=None,
    reason="",
)

# -- the list ----------------------------------------------------------------------------------


class CallbackPage(GoodAnswer):
    """A page of callbacks."""

    callbacks: Annotated[list[CallbackItem], Meta(max_length=MOST)]
    next_cursor: (
        Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+$", description="`cursor` of the next page; null on the last.")]
        | None
    )


class CallbacksQuery(Parameters):
    """Which callbacks, and which page."""

    status: Annotated[str, words(STATUSES)] | UnsetType = UNSET
    message: MessagePiece | UnsetType = UNSET
    cursor: Cursor | UnsetType = UNSET
    limit: PageLimit | UnsetType = UNSET


async def callbacks(request: AccountRequest) -> Response:
    """The callbacks of your account, newest first."""
    limit = page_limit(request)
    status = status_among(request, STATUSES)
    message_id = None
    if request.inputs.has("message"):
        message_id = as_message_id(request.inputs.raw("message")) or 0  # no message has it: an empty list
    found = await request.services.store.callbacks.page(
        request.account.id, status=status, message_id=message_id, before=_cursor(request), limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    cursor = f"{page[-1].at}.{page[-1].id}" if more else None
    return await request.work(
        lambda: request.answer(CallbackPage(callbacks=[_item(one) for one in page], next_cursor=cursor)),
        items=len(page),
    )


def _cursor(request: AccountRequest) -> tuple[int, int] | None:
    """Return `cursor` as an earlier answer gave it. Raises InvalidFields."""
    found = cursor_like(request, CURSOR)
    return None if found is None else (int(found[1]), int(found[2]))


CALLBACKS = Endpoint(
    "GET",
    "/v2/callbacks",
    callbacks,
    parameters=CallbacksQuery(message="4711"),
    answer=CallbackPage(callbacks=[EXAMPLE], next_cursor=None),
    refusals=(InvalidFields,),
)

# -- one callback ------------------------------------------------------------------------------


class AttemptItem(AnswerPart):
    """One attempt, and what the receiver answered."""

    number: Annotated[int, Meta(ge=1)]
    at: Milliseconds
    milliseconds: Count
    status: HttpStatus
    error: str
    address: Annotated[str, Meta(description="Where the connection was made to.")]
    answer: Annotated[str, Meta(description="How the answer began, at most a kilobyte.")]


class CallbackDetails(GoodAnswer, CallbackItem):
    """One callback with its log of attempts."""

    url: str
    log: list[AttemptItem]


class CallbackPath(Parameters):
    """Which callback."""

    id: Annotated[str, Meta(pattern="^[0-9]{1,16}$", description="Its `id`.", examples=["815"]), names_a("callback")]


async def callback(request: AccountRequest) -> Response:
    """One callback with its log of attempts."""
    number = as_message_id(request.inputs.raw("id"))
    found = None if number is None else await request.services.store.callbacks.one(request.account.id, number)
    if found is None:
        raise NoSuchCallback
    log = [_attempt(one) for one in found.log]
    return request.answer(CallbackDetails(**asdict(_item(found)), url=found.url, log=log))


def _item(one: CallbackLine) -> CallbackItem:
    return CallbackItem(
        id=one.id,
        webhook_id=one.webhook_id,
        kind=KINDS[one.kind],
        message_id=str(one.message_id),
        msisdn=one.msisdn,
        told=public_word(one.state) if one.kind is CallbackKind.REPORT else "",
        state=STATE_NAMES[MessageState(one.state)] if one.kind is CallbackKind.REPORT else "",
        at=one.at,
        status=PHASE_WORDS[one.phase],
        origin=one.origin,
        attempts=one.attempts,
        last_status=one.last_status,
        last_error=one.last_error,
        next_attempt_at=one.next_at,
        finished_at=one.done_at,
        reason=one.reason,
    )


def _attempt(one: AttemptLine) -> AttemptItem:
    return AttemptItem(
        number=one.number,
        at=one.at,
        milliseconds=one.milliseconds,
        status=one.status,
        error=one.error,
        address=one.address,
        answer=_readable(one.answer),
    )


def _readable(answer: bytes) -> str:
    """Return an answer as text; octets that are none, and controls that XML cannot hold, are shown as such."""
    return "".join(
        sign if sign in "\n\t" or sign.isprintable() else "\ufffd" for sign in answer.decode("utf-8", "replace")
    )


CALLBACK = Endpoint(
    "GET",
    "/v2/callbacks/{id}",
    callback,
    parameters=CallbackPath(id="1"),
    answer=CallbackDetails(
        **asdict(EXAMPLE),
        url="https://example.org/dlr?secret=1",
        log=[
            AttemptItem(
                number=1,
                at=1_795_430_400_000,
                milliseconds=12,
                status=503,
                error="",
                address="192.0.2.7:443",
                answer="try later",
            )
        ],
    ),
    refusals=(NoSuchCallback,),
)
