"""The statuses of up to 500 pairs of number and message: multi-status (contract 1.3)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, ClassVar, NamedTuple

from msgspec import Meta, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, Inputs, as_message_id, as_number_text
from esito.api.http.response import Response
from esito.api.http.schema import (
    E164,
    AnswerPart,
    AnyNumber,
    GoodAnswer,
    MessageId,
    MessageIdOut,
    Parameters,
    PublicStatus,
    StringFlag,
    UnixDigits,
    constant,
    one_of,
    words,
)
from esito.api.v1.status import unix_digits
from esito.domain.errors import BadFormat, NumberListEmpty, TooManyRecipients
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import InvalidMsisdn, is_mobile, normalise
from esito.domain.states import public_word
from esito.store.interface.message_records import PairState

MAX_PAIRS = 500

ITEM_TEXTS = {
    2: "Le numéro de téléphone est requis",
    3: "L'ID du message est requis",
    4: "Numéro introuvable",
    9: "Ne semble pas être un numéro de mobile",
}
"""What `status` says in a failed item (contract 1.3)."""


class PairFound(AnswerPart):
    """A recipient of the message."""

    success: Annotated[bool, constant(value=True)]
    code: Annotated[int, constant(200)]
    phone_number: E164 = field(name="phoneNumber")
    message_id: MessageIdOut = field(name="messageId")  # an integer here, a string in bulk-status
    status: PublicStatus
    date: UnixDigits
    stop_sms: StringFlag = field(name="stopSms")
    is_spam: StringFlag = field(name="isSpam")


class PairNotFound(AnswerPart):
    """No recipient of any message of the account."""

    success: Annotated[bool, constant(value=False)]
    code: Annotated[int, words(ITEM_TEXTS)]
    phone_number: str = field(name="phoneNumber")
    message_id: Annotated[int, Meta(ge=0, description="0 when none was given.")] = field(name="messageId")
    status: Annotated[str, Meta(description="Why there is no answer.")]


class MultiStatus(GoodAnswer):
    """An answer to each pair, in the order of the request."""

    pairs: Annotated[
        list[Annotated[object, one_of(PairFound, PairNotFound)]], Meta(min_length=1, max_length=MAX_RECIPIENTS)
    ] = field(name="StatutResponse_List")


class PairAsked(Parameters):
    """One recipient of one message."""

    phone_number: AnyNumber = field(name="phoneNumber")
    message_id: MessageId = field(name="messageId")


class MultiStatusRequest(Parameters):
    """The pairs."""

    other_names: ClassVar[tuple[str, ...]] = ("SMSStatus_List",)

    pairs: Annotated[list[PairAsked], Meta(min_length=1, max_length=MAX_RECIPIENTS)] = field(name="SMSStatut_List")


class Pair(NamedTuple):
    """One item of multi-status as it was asked."""

    shown: str
    """The number as the answer shows it: E.164, or as given when it is no number."""
    message_id: int
    """0 when none was given, or none that could be ours."""
    code: int
    """Why nothing need be looked up; 0: it must be."""


async def multi_status(request: AccountRequest) -> Response:
    """Statuses of up to 500 pairs of number and message."""
    pairs = [_pair(item) for item in _items(request)]
    asked = [(pair.message_id, pair.shown) for pair in pairs if not pair.code]
    found = iter(await request.services.store.statuses_of(request.account.id, asked))
    items: list[object] = [_failed(pair, pair.code) if pair.code else _item(pair, next(found)) for pair in pairs]
    return request.answer(MultiStatus(pairs=items))


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


def _item(pair: Pair, found: PairState | None) -> PairFound | PairNotFound:
    if found is None:
        return _failed(pair, 4)
    return PairFound(
        success=True,
        code=200,
        phone_number=pair.shown,
        message_id=pair.message_id,
        status=public_word(found.state),
        date=unix_digits(found.changed_at),
        stop_sms="1" if found.stopped else "0",
        is_spam="0",
    )


def _failed(pair: Pair, code: int) -> PairNotFound:
    return PairNotFound(
        success=False, code=code, phone_number=pair.shown, message_id=pair.message_id, status=ITEM_TEXTS[code]
    )


MULTI_STATUS = Endpoint(
    "POST",
    "/v1/multi-status",
    multi_status,
    body=MultiStatusRequest(
        pairs=[
            PairAsked(phone_number="0611111111", message_id=4711),
            PairAsked(phone_number="+33633333333", message_id=1000),
        ]
    ),
    answer=MultiStatus(
        pairs=[
            PairFound(
                success=True,
                code=200,
                phone_number="+33611111111",
                message_id=4711,
                status="Delivered",
                date="1600000010",
                stop_sms="0",
                is_spam="0",
            ),
            PairNotFound(
                success=False, code=4, phone_number="+33633333333", message_id=1000, status="Numéro introuvable"
            ),
        ]
    ),
    refusals=(NumberListEmpty, BadFormat, TooManyRecipients),
)

MULTI_STATUS_BY_GET = replace(MULTI_STATUS, method="GET")
"""The newest documentation labels it GET; its body is read then too."""
