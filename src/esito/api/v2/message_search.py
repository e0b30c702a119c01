"""Finding messages by tag, reference and time."""

import re
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import cursor_like, page_limit
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Count, Digits, GoodAnswer, Milliseconds, counts, names_a
from esito.api.v2.interval import IntervalQuery, interval
from esito.api.v2.member_types import STATUSES, Cursor
from esito.domain.errors import IntervalInvalid, InvalidFields
from esito.domain.pricing import as_number
from esito.domain.states import public_word
from esito.store.interface.message_store import FoundMessage, MessageFilter, MessagePosition

MOST_FOUND = 100
"""Messages on a page: the recipients of each are counted."""

_CURSOR = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")


class MessageItem(AnswerPart):
    """One message, and how its recipients stand."""

    id: Digits
    sender: str
    tag: str | None
    reference: str | None
    sandbox: bool
    created_at: Milliseconds
    due_at: Milliseconds
    recipients: Count
    segments: Count
    cost: Annotated[float, Meta(ge=0)]
    currency: str
    statuses: Annotated[dict[str, int], counts(STATUSES.values())]


class MessagePage(GoodAnswer):
    """A page of messages."""

    messages: Annotated[list[MessageItem], Meta(max_length=MOST_FOUND)]
    next_cursor: Annotated[str, Meta(pattern="^[0-9]+-[0-9]+$")] | None


class SearchQuery(IntervalQuery):
    """Which messages, and which page."""

    tag: Annotated[str, Meta(description="Only of this tag."), names_a("tag")] | UnsetType = UNSET
    reference: Annotated[str, Meta(description="Only of this reference of your own.")] | UnsetType = UNSET
    cursor: Cursor | UnsetType = UNSET
    limit: (
        Annotated[
            int,
            Meta(ge=1, le=MOST_FOUND, description="Items on a page.", extra_json_schema={"default": MOST_FOUND}),
        ]
        | UnsetType
    ) = UNSET


async def search(request: AccountRequest) -> Response:
    """Messages by tag, reference and time of acceptance, newest first, a page at a time."""
    since, until = interval(request)
    wanted = MessageFilter(tag=_given(request, "tag"), reference=_given(request, "reference"), since=since, until=until)
    limit = page_limit(request, MOST_FOUND)
    searching = request.services.store.searching
    found = await searching.find(request.account.id, wanted, before=_cursor(request), limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    cursor = f"{page[-1].created_at}-{page[-1].message_id}" if more else None
    items = [_item(one, request.services.currency) for one in page]
    return request.answer(MessagePage(messages=items, next_cursor=cursor))


def _item(one: FoundMessage, currency: str) -> MessageItem:
    statuses = dict.fromkeys(STATUSES.values(), 0)
    for state, count in one.by_state.items():
        statuses[public_word(state)] += count
    return MessageItem(
        id=str(one.message_id),
        sender=one.sender,
        tag=one.tag,
        reference=one.reference,
        sandbox=one.sandbox,
        created_at=one.created_at,
        due_at=one.due_at,
        recipients=sum(one.by_state.values()),
        segments=one.segments,
        cost=as_number(one.cost),
        currency=currency,
        statuses=statuses,
    )


def _given(request: AccountRequest, name: str) -> str | None:
    return request.inputs.optional(name) or None


def _cursor(request: AccountRequest) -> MessagePosition | None:
    """Return `cursor` as an earlier answer gave it. Raises InvalidFields."""
    found = cursor_like(request, _CURSOR)
    return MessagePosition(int(found[1]), int(found[2])) if found else None


SEARCH = Endpoint(
    "GET",
    "/v2/messages",
    search,
    parameters=SearchQuery(tag="parcels"),
    answer=MessagePage(
        messages=[
            MessageItem(
                id="4711",
                sender="ACME",
                tag="parcels",
                reference="order-17",
                sandbox=False,
                created_at=1_600_000_000_000,
                due_at=1_600_000_000_000,
                recipients=2,
                segments=2,
                cost=0.09,
                currency="EUR",
                statuses=dict.fromkeys(STATUSES.values(), 0) | {"Delivered": 2},
            )
        ],
        next_cursor=None,
    ),
    refusals=(IntervalInvalid, InvalidFields),
)
