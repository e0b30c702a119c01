"""Sending a text for each number: bulk-send (contract 2.2)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.error_replies import number_error
from esito.api.http.idempotency import IdempotentRequest, answer_once
from esito.api.http.request import AccountRequest, as_text
from esito.api.http.response import Response
from esito.api.http.schema import E164, AnswerPart, Count, GoodAnswer, MessageIdOut, Price, words
from esito.api.v1.drafts import REFUSALS, Due, LeftOut, Segments, accept, draft_of, due, left_out, options_of
from esito.api.v1.send_fields import FieldErrors, flaw_of, read_numbers, require_readable
from esito.api.v1.send_request import BulkSendRequest, TextAndNumber
from esito.domain.errors import NumberProblem, PhoneNumberMissing
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.pricing import as_number
from esito.lifecycle.accept import Accepted, Draft

REPEATED = 15
"""Code of a number that stands in the request twice."""


class SendItem(AnswerPart):
    """One pair of the request."""

    success: bool
    code: Annotated[int, words([200, 9, 13, 14, 15])]
    segments: Count = field(name="nbSms")
    cost: Price
    phone_number: E164 = field(name="phoneNumber")
    message: Annotated[str, Meta(description="Why nothing is sent to this number.")] | UnsetType = UNSET


class BulkSendAnswer(GoodAnswer):
    """The message, and every pair in the order of the request."""

    message_id: MessageIdOut
    currency: str
    cost: Price
    segments: Segments = field(name="nbSMS")  # `nbSms` within an item
    items: Annotated[list[SendItem], Meta(min_length=1, max_length=MAX_RECIPIENTS)] = field(name="SMSResponse_List")
    errors: LeftOut = UNSET
    due: Due = field(name="scheduledDeliveryDate", default=UNSET)


async def bulk_send(request: AccountRequest) -> Response:
    """Send up to 500 pairs of number and text as one message."""
    return await answer_once(request, "bulk-send", _bulk_send)


async def _bulk_send(request: AccountRequest, asked: IdempotentRequest | None) -> Response:
    items = request.inputs.raw("SMSList")
    if items is None or items in ("", []):
        raise PhoneNumberMissing
    count = len(items) if isinstance(items, list) else 0
    raws, draft = await request.work(lambda: _read_batch(request, items), items=count)

    def answer(accepted: Accepted) -> BulkSendAnswer:
        return BulkSendAnswer(
            message_id=accepted.message_id,
            currency=accepted.currency,
            cost=as_number(accepted.cost),
            segments=accepted.segments,
            items=list(_items(accepted, draft)),
            errors=left_out(accepted, draft, raws),
            due=due(accepted),
        )

    return await accept(request, draft, raws, asked, answer)


def _read_batch(request: AccountRequest, items: Any) -> tuple[list[str], Draft]:
    """Return the numbers as written, and the draft."""
    errors = FieldErrors()
    raws, texts, chosen = _read_items(items, errors)
    numbers = read_numbers(raws, "phoneNumber", errors)
    options = options_of(request, errors)
    errors.raise_any()
    return raws, draft_of(request, options, texts, list(zip(numbers, chosen, strict=True)))


def _read_items(items: Any, errors: FieldErrors) -> tuple[list[str], tuple[str, ...], list[int]]:
    """Return the numbers as written, the different texts, and which text each number gets."""
    if isinstance(items, list):
        require_readable(len(items))
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        errors.add("SMSList", "Le format n'est pas correct")
        return [], (), []
    texts: dict[str, int] = {}
    flaws: dict[str, str] = {}
    raws, chosen = [], []
    for item in items:
        text = as_text(item.get("message"))
        if text not in flaws:
            flaws[text] = flaw_of(text)
        if flaws[text]:
            errors.add("message", flaws[text])
        chosen.append(texts.setdefault(text, len(texts)))
        raws.append(as_text(item.get("phoneNumber")).strip())
    return raws, tuple(texts), chosen


def _items(accepted: Accepted, draft: Draft) -> Iterator[SendItem]:
    """Yield an item for each of the request, in its order; one that was dropped costs nothing and says why."""
    recipients = {recipient.msisdn: recipient for recipient in accepted.recipients}
    problems = {one.msisdn: one for one in accepted.problems if one.code != REPEATED}
    seen = set()
    for msisdn, _ in draft.numbers:
        if msisdn in recipients and msisdn not in seen:
            recipient = recipients[msisdn]
            cost = as_number(recipient.cost)
            yield SendItem(success=True, code=200, segments=recipient.segments, cost=cost, phone_number=msisdn)
        else:
            yield _dropped(problems.get(msisdn) if msisdn not in seen else None, msisdn)
        seen.add(msisdn)


def _dropped(problem: NumberProblem | None, msisdn: str) -> SendItem:
    problem = problem or NumberProblem(code=REPEATED, msisdn=msisdn)
    reason = number_error(problem).message
    return SendItem(success=False, code=problem.code, segments=0, cost=0, phone_number=msisdn, message=reason)


BULK_SEND = Endpoint(
    "POST",
    "/v1/bulk-send",
    bulk_send,
    body=BulkSendRequest(
        pairs=[
            TextAndNumber(phone_number="+33611111111", message="Your parcel is on its way"),
            TextAndNumber(phone_number="+33622222222", message="Your parcel waits for you"),
        ]
    ),
    answer=BulkSendAnswer(
        message_id=4713,
        currency="EUR",
        cost=0.09,
        segments=2,
        items=[
            SendItem(success=True, code=200, segments=1, cost=0.045, phone_number="+33611111111"),
            SendItem(success=True, code=200, segments=1, cost=0.045, phone_number="+33622222222"),
        ],
    ),
    refusals=REFUSALS,
)
