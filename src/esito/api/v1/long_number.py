"""Sending from a long number of one's own: `vn/send` (contract 2.3)."""

from esito.api.http.idempotency import IdempotentRequest, answer_once
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.v1.send import send_one_text
from esito.api.v1.send_fields import MAX_SHOWN, raw_numbers
from esito.domain.errors import FieldError, InvalidFields, SenderNotAllowed
from esito.domain.msisdn import InvalidMsisdn, normalise


async def vn_send(request: AccountRequest) -> Response:
    """POST /v1/vn/send: `to` is in the role of `phoneNumbers`; the answer is that of send."""
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
