"""Erasing a number from one's own messages and replies."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.http.schema import Count, GoodAnswer, Parameters
from esito.api.v2.member_types import MsisdnPiece
from esito.domain.errors import NumberInUse, NumberInvalid
from esito.domain.msisdn import InvalidMsisdn, normalise


class NumberErased(GoodAnswer):
    """From how many it was removed."""

    recipients: Count
    replies: Count
    stops: Count


class ErasureQuery(Parameters):
    """Which number."""

    msisdn: MsisdnPiece
    forget_stop: Annotated[str, Meta(description="1: take it off the STOP list too.")] | UnsetType = field(
        name="forgetStop", default=UNSET
    )


async def erase_number(request: AccountRequest) -> Response:
    """Remove a number from your messages and replies; statuses and counts stay."""
    try:
        msisdn = normalise(as_number_text(request.inputs.raw("msisdn")))
    except InvalidMsisdn:
        raise NumberInvalid from None
    erased = await request.services.store.retention.erase(
        msisdn,
        account_id=request.account.id,
        forget_stop=request.inputs.flag("forgetStop"),
        actor=f"account:{request.account.name}",
        at=request.services.clock.now(),
    )
    return request.answer(NumberErased(recipients=erased.recipients, replies=erased.replies, stops=erased.stops))


ERASE_NUMBER = Endpoint(
    "DELETE",
    "/v2/numbers/{msisdn}",
    erase_number,
    parameters=ErasureQuery(msisdn="+33644444444"),
    answer=NumberErased(recipients=3, replies=1, stops=0),
    refusals=(NumberInvalid, NumberInUse),
)
