"""Sending from a long number of the account's own: `vn/send` (contract 2.3)."""

from typing import Annotated, ClassVar

from msgspec import Meta, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.idempotency import IdempotentRequest, answer_once
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.v1.drafts import REFUSALS
from esito.api.v1.send import EXAMPLE, send_one_text
from esito.api.v1.send_fields import MAX_SHOWN, raw_numbers
from esito.api.v1.send_request import AllOptions, FewOptions, MessageText, PhoneNumbers
from esito.domain.errors import FieldError, InvalidFields, SenderNotAllowed
from esito.domain.msisdn import InvalidMsisdn, normalise


class LongNumberRequest(FewOptions, kw_only=True):
    """One text, the numbers it goes to, and the number it comes from."""

    other_names: ClassVar[tuple[str, ...]] = (*AllOptions.other_names, *AllOptions.__struct_encode_fields__)

    to: PhoneNumbers
    from_: Annotated[
        str, Meta(pattern="^[0-9]{8,15}$", description="A long number of the account's own, without plus.")
    ] = field(name="from")
    message: MessageText


async def vn_send(request: AccountRequest) -> Response:
    """Send one text from a long number of the account's own."""
    return await answer_once(request, "vn/send", _send)


async def _send(request: AccountRequest, asked: IdempotentRequest | None) -> Response:
    sender = _own_number(request)
    return await send_one_text(request, asked, raw_numbers(request.inputs.raw("to")), "to", sender=sender)


def _own_number(request: AccountRequest) -> str:
    """Return `from` as it leaves, digits without plus. Raises InvalidFields, SenderNotAllowed."""
    written = as_number_text(request.inputs.raw("from"))
    try:
        digits = normalise(written).removeprefix("+")
    except InvalidMsisdn:
        text = (
            f"Ce numero de telephone n'est pas valide ({written[:MAX_SHOWN]})" if written else "L'emetteur est requis"
        )
        raise InvalidFields([FieldError(element="children[from].data", message=text)]) from None
    if digits not in request.account.profile.numbers:
        raise SenderNotAllowed
    return digits


VN_SEND = Endpoint(
    "POST",
    "/v1/vn/send",
    vn_send,
    body=LongNumberRequest(to="+33611111111", from_="33700000001", message="Your parcel is on its way"),
    takes_form=True,
    answer=EXAMPLE,
    refusals=REFUSALS,
)
