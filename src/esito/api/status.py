"""What happened to my message: the four status endpoints (contract 1)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from esito.api import rows
from esito.api.answer import Answer
from esito.api.call import Call, Inputs, as_message_id, as_number_text
from esito.api.xml import Value
from esito.domain.errors import (
    BadFormat,
    MessageIdMissing,
    MessageNotFound,
    NumberListEmpty,
    PhoneNumberMissing,
    TooManyRecipients,
)
from esito.domain.msisdn import InvalidMsisdn, country_of, is_mobile, normalise
from esito.domain.pricing import as_number
from esito.domain.states import public_word
from esito.domain.timing import SECOND_MS
from esito.store.base import PairStatus

PAGE_SIZE = 500
"""Recipients on a page of bulk-status-by-tag."""

MAX_PAIRS = 500

ITEM_TEXTS = {
    2: "Le numéro de téléphone est requis",
    3: "L'ID du message est requis",
    4: "Numéro introuvable",
    9: "Ne semble pas être un numéro de mobile",
}
"""What `status` says in a failed item of multi-status (contract 1.3)."""


async def bulk_status(call: Call) -> Answer:
    """GET /v1/bulk-status: every recipient of one message."""
    message_id = call.message_id()
    recipients = await call.services.store.recipients_of(call.account.id, message_id)
    if recipients is None:
        raise MessageNotFound
    return rows.of_message(message_id, recipients, xml=call.xml)


async def message_status(call: Call) -> Answer:
    """GET /v1/message-status: one recipient of one message."""
    if not call.inputs.has("phoneNumber"):
        raise PhoneNumberMissing
    message_id = call.message_id()
    asked = as_number_text(call.inputs.raw("phoneNumber"))
    try:
        msisdn = normalise(asked)
    except InvalidMsisdn:
        raise MessageNotFound from None  # no recipient of any message
    found = await call.services.store.recipient_of(call.account.id, message_id, msisdn)
    if found is None:
        raise MessageNotFound
    return call.answer(
        {
            "number": asked,  # the way the caller wrote it
            "messageId": str(message_id),
            "stopSms": found.stopped,  # a boolean here, "0" or "1" in multi-status
            "date": _digits(found.changed_at),
            "statut": public_word(found.state),  # in French here, `status` elsewhere
            "cost": as_number(found.cost),
            "countryCode": country_of(msisdn) or "",
            "currency": call.services.currency,
        }
    )


async def bulk_status_by_tag(call: Call) -> Answer:
    """GET /v1/bulk-status-by-tag: the recipients of every message with one tag, 500 at a time."""
    if not call.inputs.has("tag"):
        raise MessageIdMissing  # the page reuses this text for a missing tag
    page = as_message_id(call.inputs.raw("page")) or 1
    tag = call.inputs.text("tag").strip()
    found = await call.services.store.recipients_by_tag(call.account.id, tag, page=page, size=PAGE_SIZE)
    if found is None:
        raise MessageNotFound
    return rows.of_tag(page, found.total, found.rows, xml=call.xml)


# -- multi-status ------------------------------------------------------------------------------


class Pair(NamedTuple):
    """One item of multi-status as it was asked."""

    shown: str
    """The number as the answer shows it: E.164, or as given when it is no number."""
    message_id: int
    """0 when none was given, or none that could be ours."""
    code: int
    """Why nothing need be looked up; 0: it must be."""


async def multi_status(call: Call) -> Answer:
    """POST or GET /v1/multi-status: up to 500 pairs of number and message."""
    pairs = [_pair(item) for item in _items(call)]
    asked = [(pair.message_id, pair.shown) for pair in pairs if not pair.code]
    found = iter(await call.services.store.statuses_of(call.account.id, asked))
    items: list[Value] = [_failed(pair, pair.code) if pair.code else _item(pair, next(found)) for pair in pairs]
    return call.answer({"StatutResponse_List": items})


def _items(call: Call) -> list[Any]:
    """Return the list. Raises NumberListEmpty, BadFormat, TooManyRecipients."""
    name = "SMSStatut_List" if call.inputs.has("SMSStatut_List") else "SMSStatus_List"  # both are documented
    items = call.inputs.raw(name)
    if items is None or items in ("", []):
        raise NumberListEmpty
    if not isinstance(items, list):
        raise BadFormat
    if len(items) > MAX_PAIRS:
        raise TooManyRecipients
    if not all(isinstance(item, dict) for item in items):
        raise BadFormat
    return items


def _pair(item: Mapping[str, Any]) -> Pair:
    """Read one item; what is wrong with it is found in the order 2, 3, 9."""
    inputs = Inputs(item)
    message_id = as_message_id(item.get("messageId")) or 0
    shown = as_number_text(item.get("phoneNumber"))
    if not inputs.has("phoneNumber"):
        return Pair(shown, message_id, 2)
    mobile = False
    with suppress(InvalidMsisdn):
        shown = normalise(shown)
        mobile = is_mobile(shown) is not False
    if not inputs.has("messageId"):
        return Pair(shown, message_id, 3)
    if not mobile:
        return Pair(shown, message_id, 9)
    return Pair(shown, message_id, 0 if message_id else 4)


def _item(pair: Pair, found: PairStatus | None) -> dict[str, Value]:
    if found is None:
        return _failed(pair, 4)
    return {
        "success": True,
        "code": 200,
        "phoneNumber": pair.shown,
        "messageId": pair.message_id,  # an integer here, a string in bulk-status
        "status": public_word(found.state),
        "date": _digits(found.changed_at),
        "stopSms": "1" if found.stopped else "0",
        "isSpam": "0",
    }


def _failed(pair: Pair, code: int) -> dict[str, Value]:
    return {
        "success": False,
        "code": code,
        "phoneNumber": pair.shown,
        "messageId": pair.message_id,
        "status": ITEM_TEXTS[code],
    }


def _digits(instant: int) -> str:
    """Return Unix seconds as digits."""
    return str(instant // SECOND_MS)
