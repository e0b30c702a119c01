"""The recipients of one message, a page at a time (api.md#messages)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import MOST, page_cursor, page_limit, status_among
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import E164, AnswerPart, Count, GoodAnswer, Milliseconds, PublicStatus
from esito.api.v2.member_types import (
    STATE_NAMES,
    STATUSES,
    Cursor,
    NextCursor,
    Operator,
    PageLimit,
    State,
    StatusFilter,
)
from esito.api.v2.message_overview import MessagePath, path_id
from esito.domain.errors import InvalidFields, NoSuchMessage
from esito.domain.pricing import as_number
from esito.domain.states import PUBLIC_WORDS, MessageState, public_word
from esito.store.interface.message_records import RecipientLine


class RecipientItem(AnswerPart):
    """One recipient."""

    seq: Count
    msisdn: E164
    status: PublicStatus
    state: State
    changed_at: Milliseconds
    segments: Count
    cost: Annotated[float, Meta(ge=0)]
    operator: Operator


class RecipientPage(GoodAnswer):
    """A page of recipients."""

    recipients: Annotated[list[RecipientItem], Meta(max_length=MOST)]
    next_cursor: NextCursor


class RecipientsQuery(MessagePath):
    """Which message, and which of its recipients."""

    status: StatusFilter | UnsetType = UNSET
    cursor: Cursor | UnsetType = UNSET
    limit: PageLimit | UnsetType = UNSET


async def recipients(request: AccountRequest) -> Response:
    """The recipients of one message in order of submission, a page at a time."""
    limit = page_limit(request)
    found = await request.services.store.recipients_page(
        request.account.id,
        path_id(request),
        states=_states(request),
        after=page_cursor(request, first=-1),
        limit=limit + 1,
    )
    if found is None:
        raise NoSuchMessage
    page, more = found[:limit], len(found) > limit
    cursor = str(page[-1].seq) if more else None
    return await request.work(
        lambda: request.answer(RecipientPage(recipients=[_item(one) for one in page], next_cursor=cursor)),
        items=len(page),
    )


def _states(request: AccountRequest) -> list[MessageState]:
    """Return the states that `status` asks for: a public status or a state; without it all of them."""
    asked = status_among(request, {*STATUSES, *STATE_NAMES.values()})
    if not asked:
        return list(MessageState)
    word = STATUSES.get(asked)
    return [state for state in MessageState if PUBLIC_WORDS[state] == word or STATE_NAMES[state] == asked]


def _item(one: RecipientLine) -> RecipientItem:
    return RecipientItem(
        seq=one.seq,
        msisdn=one.msisdn,
        status=public_word(one.state),
        state=STATE_NAMES[one.state],
        changed_at=one.changed_at,
        segments=one.segments,
        cost=as_number(one.cost),
        operator=one.operator,
    )


RECIPIENTS = Endpoint(
    "GET",
    "/v2/messages/{id}/recipients",
    recipients,
    parameters=RecipientsQuery(id="4711", limit=1),
    answer=RecipientPage(
        recipients=[
            RecipientItem(
                seq=0,
                msisdn="+33611111111",
                status="Delivered",
                state="delivered",
                changed_at=1_600_000_010_000,
                segments=1,
                cost=0.045,
                operator="north",
            )
        ],
        next_cursor="0",
    ),
    refusals=(InvalidFields, NoSuchMessage),
)
