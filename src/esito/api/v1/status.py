"""What happened to my message: bulk-status, by message and by tag, and message-status (contract 1)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, as_message_id, as_number_text
from esito.api.http.response import Response
from esito.api.http.schema import (
    E164,
    AnswerPart,
    GoodAnswer,
    MessageId,
    MessageIdText,
    Parameters,
    Price,
    PublicStatus,
    UnixDigits,
    names_a,
)
from esito.api.v1 import status_rows
from esito.domain.errors import MessageIdMissing, MessageNotFound, PhoneNumberMissing
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import InvalidMsisdn, country_of, normalise
from esito.domain.pricing import as_number
from esito.domain.states import public_word
from esito.domain.timing import SECOND_MS

PAGE_SIZE = 500
"""Recipients on a page of bulk-status-by-tag."""


class StatusItem(AnswerPart):
    """One recipient."""

    phone_number: E164 = field(name="phoneNumber")
    status: PublicStatus
    stop_sms: bool = field(name="stopSMS")  # a boolean here, "0" or "1" in multi-status
    date: UnixDigits


DELIVERED = StatusItem(phone_number="+33611111111", status="Delivered", stop_sms=False, date="1600000010")

# -- bulk-status -------------------------------------------------------------------------------


class BulkStatus(GoodAnswer):
    """Every recipient, in the order of submission; `status_rows` writes it."""

    message_id: MessageIdText
    recipients: Annotated[list[StatusItem], Meta(max_length=MAX_RECIPIENTS)] = field(name="StatutResponse_List")


class BulkStatusQuery(Parameters):
    """Which message."""

    message_id: MessageId = field(name="messageId")


async def bulk_status(request: AccountRequest) -> Response:
    """What happened to every recipient of one message."""
    message_id = request.message_id()
    recipients = await request.services.store.recipients_of(request.account.id, message_id)
    if recipients is None:
        raise MessageNotFound
    return status_rows.of_message(message_id, recipients, xml=request.xml)


BULK_STATUS = Endpoint(
    "GET",
    "/v1/bulk-status",
    bulk_status,
    parameters=BulkStatusQuery(message_id=4711),
    answer=BulkStatus(
        message_id="4711",
        recipients=[
            DELIVERED,
            StatusItem(phone_number="+33622222222", status="Waiting", stop_sms=True, date="1600000003"),
        ],
    ),
    refusals=(MessageIdMissing, MessageNotFound),
)

# -- message-status ----------------------------------------------------------------------------


class MessageStatus(GoodAnswer):
    """One recipient of one message."""

    number: Annotated[str, Meta(description="The way it was asked.")]
    message_id: MessageIdText = field(name="messageId")
    stop_sms: bool = field(name="stopSms")
    date: UnixDigits
    statut: PublicStatus  # in French here, `status` elsewhere
    cost: Price
    country_code: Annotated[str, Meta(description="ISO 3166; empty where a number has no country.")] = field(
        name="countryCode"
    )
    currency: str


class MessageStatusQuery(Parameters):
    """Which recipient of which message."""

    phone_number: Annotated[str, Meta(description="French or international; a leading blank is a plus.")] = field(
        name="phoneNumber"
    )
    message_id: MessageId = field(name="messageId")


async def message_status(request: AccountRequest) -> Response:
    """What happened to one recipient of one message."""
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
        MessageStatus(
            number=asked,
            message_id=str(message_id),
            stop_sms=found.stopped,
            date=unix_digits(found.changed_at),
            statut=public_word(found.state),
            cost=as_number(found.cost),
            country_code=country_of(msisdn) or "",
            currency=request.services.currency,
        )
    )


MESSAGE_STATUS = Endpoint(
    "GET",
    "/v1/message-status",
    message_status,
    parameters=MessageStatusQuery(phone_number="+33611111111", message_id=4711),
    answer=MessageStatus(
        number="+33611111111",
        message_id="4711",
        stop_sms=False,
        date="1600000010",
        statut="Delivered",
        cost=0.045,
        country_code="FR",
        currency="EUR",
    ),
    refusals=(PhoneNumberMissing, MessageIdMissing, MessageNotFound),
)

# -- bulk-status-by-tag ------------------------------------------------------------------------


class BulkStatusByTag(GoodAnswer):
    """A page of the recipients of every message with the tag."""

    current_page: Annotated[int, Meta(ge=1)] = field(name="currentPage")
    total: Annotated[int, Meta(ge=1, description="Recipients on all pages.")]
    recipients: Annotated[list[StatusItem], Meta(max_length=MAX_RECIPIENTS)] = field(name="StatutResponse_List")


class BulkStatusByTagQuery(Parameters):
    """Which tag, and which page."""

    tag: Annotated[str, names_a("tag")]
    page: Annotated[int, Meta(ge=1, extra_json_schema={"default": 1})] | UnsetType = UNSET


async def bulk_status_by_tag(request: AccountRequest) -> Response:
    """What happened to the recipients of every message with one tag, 500 to a page."""
    if not request.inputs.has("tag"):
        raise MessageIdMissing  # the page reuses this text for a missing tag
    page = as_message_id(request.inputs.raw("page")) or 1
    tag = request.inputs.text("tag").strip()
    found = await request.services.store.recipients_by_tag(request.account.id, tag, page=page, size=PAGE_SIZE)
    if found is None:
        raise MessageNotFound
    return status_rows.of_tag(page, found.total, found.rows, xml=request.xml)


BULK_STATUS_BY_TAG = Endpoint(
    "GET",
    "/v1/bulk-status-by-tag",
    bulk_status_by_tag,
    parameters=BulkStatusByTagQuery(tag="parcels"),
    answer=BulkStatusByTag(
        current_page=1,
        total=2,
        recipients=[
            DELIVERED,
            StatusItem(phone_number="+33622222222", status="Not delivered", stop_sms=False, date="1600000020"),
        ],
    ),
    refusals=(MessageIdMissing, MessageNotFound),
)


def unix_digits(instant: int) -> str:
    """Return Unix seconds as digits."""
    return str(instant // SECOND_MS)
