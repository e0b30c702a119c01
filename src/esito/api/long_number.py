"""Sending from a long number of one's own: `vn/send` (contract 2.3)."""

from esito.api.answer import Answer
from esito.api.call import Call, as_number_text
from esito.api.fields import MAX_SHOWN, raw_numbers
from esito.api.once import Asked, answer_once
from esito.api.send import send_one_text
from esito.domain.errors import FieldError, InvalidFields, SenderNotAllowed
from esito.domain.msisdn import InvalidMsisdn, normalise


async def vn_send(call: Call) -> Answer:
    """POST /v1/vn/send: `to` is in the role of `phoneNumbers`; the answer is that of send."""
    return await answer_once(call, "vn/send", _send)


async def _send(call: Call, asked: Asked | None) -> Answer:
    sender = _own_number(call)
    return await send_one_text(call, asked, raw_numbers(call.inputs.raw("to")), "to", sender=sender)


def _own_number(call: Call) -> str:
    """Return `from` as it leaves, digits without plus. Raises InvalidFields, SenderNotAllowed."""
    written = as_number_text(call.inputs.raw("from"))
    try:
        digits = normalise(written).removeprefix("+")
    except InvalidMsisdn:
        text = (
            f"Ce numero de telephone n'est pas valide ({written[:MAX_SHOWN]})" if written else "L'emetteur est requis"
        )
        raise InvalidFields([FieldError(element="children[from].data", message=text)]) from None
    if digits not in call.account.profile.numbers:
        raise SenderNotAllowed
    return digits
