"""What happened to the account's messages, in the order in which we took note: `GET /v2/events`."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import page_cursor, page_limit
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, GoodAnswer, Milliseconds, Parameters, words
from esito.api.v2.member_types import Cursor, PageLimit
from esito.domain.errors import InvalidFields
from esito.domain.receipt import Verdict
from esito.domain.states import PUBLIC_WORDS, MessageState, public_word
from esito.store.interface.message_records import Event

FROM_NOW_ON = -1


class EventItem(AnswerPart):
    """A receipt, or a conclusion of our own."""

    message_id: Annotated[int, Meta(ge=1)]
    msisdn: Annotated[str, Meta(description="With plus.")]
    part: Annotated[int, Meta(ge=1, description="Segment, from 1.")]
    received_at: Milliseconds
    verdict: Annotated[str, words(verdict.value for verdict in Verdict)]
    stat: Annotated[str, Meta(description="The operator's word.")]
    error: Annotated[str, Meta(description="Its code.")]
    state: Annotated[str, words(["", *(state.name for state in MessageState)])]
    status: Annotated[str, words(PUBLIC_WORDS.values(), "Of the recipient, now.")]


class Events(GoodAnswer):
    """What happened beyond the cursor."""

    events: list[EventItem]
    next_cursor: Annotated[str, Meta(description="Of the next request; the same again: nothing has come.")]


class EventsQuery(Parameters):
    """From where on; without a cursor, where the next event will be."""

    cursor: Cursor | UnsetType = UNSET
    limit: PageLimit | UnsetType = UNSET


async def events(request: AccountRequest) -> Response:
    """Every receipt of the account's messages, oldest first; ask again with `next_cursor` to follow."""
    after = page_cursor(request, first=FROM_NOW_ON)
    found, following = await request.services.store.events(
        request.account.id, after=None if after == FROM_NOW_ON else after, limit=page_limit(request)
    )
    return await request.work(
        lambda: request.answer(Events(events=[_item(one) for one in found], next_cursor=str(following))),
        items=len(found),
    )


def _item(one: Event) -> EventItem:
    return EventItem(
        message_id=one.message_id,
        msisdn=one.msisdn,
        part=one.part,
        received_at=one.received_at,
        verdict=one.verdict,
        stat=one.stat,
        error=one.error,
        state="" if one.state is None else MessageState(one.state).name,
        status=public_word(one.recipient_state),
    )


EVENTS = Endpoint(
    "GET",
    "/v2/events",
    events,
    parameters=EventsQuery(cursor="0"),
    answer=Events(
        events=[
            EventItem(
                message_id=4711,
                msisdn="+33611111111",
                part=1,
                received_at=1_600_000_010_000,
                verdict="moved",
                stat="DELIVRD",
                error="000",
                state="DELIVERED",
                status="Delivered",
            )
        ],
        next_cursor="815",
    ),
    refusals=(InvalidFields,),
)
