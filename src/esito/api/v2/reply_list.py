"""What subscribers wrote to an account (api.md#replies)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import MOST, page_cursor, page_limit
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Digits, GoodAnswer, Parameters, words
from esito.api.v2.member_types import Cursor, PageLimit
from esito.domain.errors import InvalidFields
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.reply import ReplyKind
from esito.store.interface.reply_store import ReplyLine


class ReplyItem(AnswerPart):
    """One reply, whole."""

    id: Digits
    received_at: Annotated[
        int, Meta(description="Milliseconds since the epoch, UTC; of a long reply, of its first part.")
    ]
    type: Annotated[str, words(kind.value for kind in ReplyKind)]
    from_: Annotated[str, Meta(description="E.164 with plus where it is a number.")] = field(name="from")
    to: Annotated[
        str, Meta(description="As the operator wrote it: a short code, or a long number of the account's own.")
    ]
    text: str
    message_id: (
        Annotated[str, Meta(pattern="^[0-9]+$", description="What it answers; null: nothing that we sent.")] | None
    )
    missing_parts: Annotated[int, Meta(ge=0, description="Parts of a long reply that never came.")]


class ReplyPage(GoodAnswer):
    """A page of replies."""

    replies: Annotated[list[ReplyItem], Meta(max_length=MOST)]
    next_cursor: Digits | None


class RepliesQuery(Parameters):
    """Whose replies, and which page."""

    from_: (
        Annotated[str, Meta(description="A subscriber's number, French or international; without it everybody's.")]
        | UnsetType
    ) = field(name="from", default=UNSET)
    cursor: Cursor | UnsetType = UNSET
    limit: PageLimit | UnsetType = UNSET


async def replies(request: AccountRequest) -> Response:
    """What subscribers wrote to this account, oldest first, a page at a time."""
    limit = page_limit(request)
    after = page_cursor(request, first=0)
    source = None
    if request.inputs.has("from"):
        try:
            source = normalise(as_number_text(request.inputs.raw("from")))[1:]
        except InvalidMsisdn:
            return request.answer(ReplyPage(replies=[], next_cursor=None))
    found = await request.services.store.replies.page(request.account.id, after=after, limit=limit + 1, source=source)
    page, more = found[:limit], len(found) > limit
    cursor = str(page[-1].number) if more else None
    return request.answer(ReplyPage(replies=[_item(one) for one in page], next_cursor=cursor))


def _item(one: ReplyLine) -> ReplyItem:
    return ReplyItem(
        id=str(one.number),
        received_at=one.received_at,
        type=one.kind.value,
        from_=one.source,
        to=one.destination,
        text=one.text,
        message_id=None if one.message_id is None else str(one.message_id),
        missing_parts=one.missing,
    )


REPLIES = Endpoint(
    "GET",
    "/v2/replies",
    replies,
    parameters=RepliesQuery(from_="+33611111111"),
    answer=ReplyPage(
        replies=[
            ReplyItem(
                id="12",
                received_at=1_600_000_000_000,
                type="response",
                from_="+33611111111",
                to="36111",
                text="oui",
                message_id="4712",
                missing_parts=0,
            )
        ],
        next_cursor=None,
    ),
    refusals=(InvalidFields,),
)
