"""What happened to my message: the four status endpoints (contract 1)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from esito.api.http.request import AccountRequest, Inputs, as_message_id, as_number_text
from esito.api.http.response import Response
from esito.api.http.xml import Value
from esito.api.v1 import status_rows
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


async def bulk_status(request: AccountRequest) -> Response:
    """GET /v1/bulk-status: every recipient of one message."""
    message_id = request.message_id()
    recipients = await request.services.store.recipients_of(request.account.id, message_id)
    if recipients is None:
        raise MessageNotFound
    return status_rows.of_message(message_id, recipients, xml=request.xml)


async def message_status(request: AccountRequest) -> Response:
    """GET /v1/message-status: one recipient of one message."""
    if not request.inputs.has("phoneNumber"):
        raise PhoneNumberMissing
    message_id = request.message_id()
    asked = as_number_text(request.inputs.raw("phoneNumber"))
    try:
        msisdn = normalise(asked)
    except InvalidMsisdn:
        raise MessageNotFound from None  # no recipient of any message
    found = await request.services.store.recipient_of(request.account.id, message_id, msisdn)
    if found is None:
        raise MessageNotFound
    return request.answer(
        {
            "number": asked,  # the way the caller wrote it
            "messageId": str(message_id),
            "stopSms": found.stopped,  # a boolean here, "0" or "1" in multi-status
            "date": _digits(found.changed_at),
            "statut": public_word(found.state),  # in French here, `status` elsewhere
            "cost": as_number(found.cost),
            "countryCode": country_of(msisdn) or "",
            "currency": request.services.currency,
        }
    )


async def bulk_status_by_tag(request: AccountRequest) -> Response:
    """GET /v1/bulk-status-by-tag: the recipients of every message with one tag, 500 at a time."""
    if not request.inputs.has("tag"):
        raise MessageIdMissing  # the page reuses this text for a missing tag
    page = as_message_id(request.inputs.raw("page")) or 1
    tag = request.inputs.text("tag").strip()
    found = await request.services.store.recipients_by_tag(request.account.id, tag, page=page, size=PAGE_SIZE)
    if found is None:
        raise MessageNotFound
    return status_rows.of_tag(page, found.total, found.rows, xml=request.xml)


# -- multi-status ------------------------------------------------------------------------------


class Pair(NamedTuple):
    """One item of multi-status as it was asked."""

    shown: str
    """The number as the answer shows it: E.164, or as given when it is no number."""
    message_id: int
    """0 when none was given, or none that could be ours."""
    code: int
    """Why nothing need be looked up; 0: it must be."""


async def multi_status(request: AccountRequest) -> Response:
    """POST or GET /v1/multi-status: up to 500 pairs of number and message."""
    pairs = [_pair(item) for item in _items(request)]
    asked = [(pair.message_id, pair.shown) for pair in pairs if not pair.code]
    found = iter(await request.services.store.statuses_of(request.account.id, asked))
    items: list[Value] = [_failed(pair, pair.code) if pair.code else _item(pair, next(found)) for pair in pairs]
    return request.answer({"StatutResponse_List": items})


def _items(request: AccountRequest) -> list[Any]:
    """Return the list. Raises NumberListEmpty, BadFormat, TooManyRecipients."""
    name = "SMSStatut_List" if request.inputs.has("SMSStatut_List") else "SMSStatus_List"  # both are documented
    items = request.inputs.raw(name)
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
