"""One message, and how its recipients stand (design 6)."""

from typing import Annotated

from msgspec import Meta

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, as_message_id
from esito.api.http.response import Response
from esito.api.http.schema import Count, Digits, GoodAnswer, Milliseconds, Parameters, counts
from esito.api.v2.member_types import STATE_NAMES, MessagePiece
from esito.domain.errors import NoSuchMessage
from esito.domain.pricing import as_number
from esito.domain.states import PUBLIC_WORDS, MessageState, public_word


class MessageSummary(GoodAnswer):
    """One message."""

    id: Digits
    sender: Annotated[str, Meta(description="Empty: the operator's short code.")]
    texts: Annotated[list[str], Meta(description="The different texts, at most ten.")]
    tag: str | None
    reference: Annotated[str, Meta(description="Your own id.")] | None
    sandbox: bool
    created_at: Milliseconds
    due_at: Milliseconds
    recipients: Count
    segments: Count
    cost: Annotated[float, Meta(ge=0)]
    currency: str
    statuses: Annotated[dict[str, int], counts(PUBLIC_WORDS.values())]
    states: Annotated[dict[str, int], counts(STATE_NAMES.values())]


class MessagePath(Parameters):
    """Which message."""

    id: MessagePiece


async def message(request: AccountRequest) -> Response:
    """One message and how its recipients stand."""
    found = await request.services.store.message_of(request.account.id, path_id(request))
    if found is None:
        raise NoSuchMessage
    statuses = dict.fromkeys(dict.fromkeys(PUBLIC_WORDS.values()), 0)
    for state, count in found.by_state.items():
        statuses[public_word(state)] += count
    return request.answer(
        MessageSummary(
            id=str(found.message_id),
            sender=found.sender,
            texts=list(found.texts),
            tag=found.tag,
            reference=found.reference,
            sandbox=found.sandbox,
            created_at=found.created_at,
            due_at=found.due_at,
            recipients=sum(found.by_state.values()),
            segments=found.segments,
            cost=as_number(found.cost),
            currency=request.services.currency,
            statuses=statuses,
            states={STATE_NAMES[state]: found.by_state.get(state, 0) for state in MessageState},
        )
    )


def path_id(request: AccountRequest) -> int:
    """Return the message id of the path. Raises NoSuchMessage for what can be none."""
    message_id = as_message_id(request.inputs.raw("id"))
    if message_id is None:
        raise NoSuchMessage
    return message_id


MESSAGE = Endpoint(
    "GET",
    "/v2/messages/{id}",
    message,
    parameters=MessagePath(id="4711"),
    answer=MessageSummary(
        id="4711",
        sender="ACME",
        texts=["Your parcel is on its way"],
        tag="parcels",
        reference=None,
        sandbox=False,
        created_at=1_600_000_000_000,
        due_at=1_600_000_000_000,
        recipients=2,
        segments=2,
        cost=0.09,
        currency="EUR",
        statuses={"KO": 0, "Waiting": 1, "Not delivered": 0, "Delivered": 1},
        states=dict.fromkeys(STATE_NAMES.values(), 0) | {"waiting": 1, "delivered": 1},
    ),
    refusals=(NoSuchMessage,),
)
