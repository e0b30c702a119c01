"""Sending one text to many: send (contract 2.1)."""

from collections.abc import Sequence

from msgspec import UNSET, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.idempotency import IdempotentRequest, answer_once
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, MessageIdOut, Price
from esito.api.v1.bulk_send import BulkSendAnswer, bulk_send
from esito.api.v1.drafts import REFUSALS, Due, LeftOut, Segments, accept, draft_of, due, left_out, options_of
from esito.api.v1.send_fields import FieldErrors, raw_numbers, read_numbers, read_text
from esito.api.v1.send_request import SendRequest
from esito.domain.errors import PhoneNumberMissing
from esito.domain.pricing import as_number
from esito.lifecycle.accept import Accepted, Draft


class SendAnswer(GoodAnswer):
    """The message."""

    message_id: MessageIdOut  # an integer here, a string in bulk-status
    segments: Segments = field(name="nb_sms")
    cost: Price
    currency: str
    errors: LeftOut = UNSET
    due: Due = field(name="scheduledDeliveryDate", default=UNSET)


async def send(request: AccountRequest) -> Response:
    """Send one text to up to 500 numbers; with `SMSList` it is a bulk-send."""
    if request.inputs.has("SMSList"):  # two of the documented samples post the batch here
        return await bulk_send(request)
    return await answer_once(request, "send", _send)


async def _send(request: AccountRequest, asked: IdempotentRequest | None) -> Response:
    return await send_one_text(request, asked, raw_numbers(request.inputs.raw("phoneNumbers")), "phoneNumbers")


async def send_one_text(
    request: AccountRequest,
    asked: IdempotentRequest | None,
    raws: Sequence[str],
    field: str,
    *,
    sender: str | None = None,
) -> Response:
    """Send `message` to these numbers, which the caller named in `field`; `sender` goes before the one it names."""
    draft = await request.work(lambda: _read_one_text(request, raws, field, sender), items=len(raws))

    def answer(accepted: Accepted) -> SendAnswer:
        return SendAnswer(
            message_id=accepted.message_id,
            segments=accepted.segments,
            cost=as_number(accepted.cost),
            currency=accepted.currency,
            errors=left_out(accepted, draft, raws),
            due=due(accepted),
        )

    return await accept(request, draft, raws, asked, answer)


def _read_one_text(request: AccountRequest, raws: Sequence[str], field: str, sender: str | None) -> Draft:
    errors = FieldErrors()
    text = read_text(request.inputs, errors)
    numbers = read_numbers(raws, field, errors)
    options = options_of(request, errors)
    errors.raise_any()
    if not raws:
        raise PhoneNumberMissing
    return draft_of(request, options, (text,), [(number, 0) for number in numbers], sender)


EXAMPLE = SendAnswer(message_id=4712, segments=1, cost=0.045, currency="EUR")

SEND = Endpoint(
    "POST",
    "/v1/send",
    send,
    body=SendRequest(phone_numbers="+33611111111", message="Your parcel is on its way"),
    takes_form=True,
    answer=EXAMPLE,
    other_answers=(BulkSendAnswer,),
    refusals=REFUSALS,
)
