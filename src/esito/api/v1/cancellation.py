"""Cancelling a scheduled message (contract 2.4)."""

from dataclasses import replace
from typing import Annotated

from msgspec import field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, MessageId, Parameters, constant
from esito.domain import errors as e

CANCELLED = "L'envoi du SMS a été annulé."


class Cancelled(GoodAnswer):
    """The message is not sent, and costs nothing."""

    message: Annotated[str, constant(CANCELLED)]


class CancelQuery(Parameters):
    """Which message."""

    message_id: MessageId = field(name="messageId")


async def cancel(request: AccountRequest) -> Response:
    """Cancel a scheduled message, until five minutes before it is due."""
    message_id = request.message_id()
    await request.services.store.sending.cancel(request.account.id, message_id, at=request.services.clock.now())
    return request.answer(Cancelled(message=CANCELLED))


CANCEL = Endpoint(
    "GET",
    "/v1/message-cancel",
    cancel,
    parameters=CancelQuery(message_id=4712),
    answer=Cancelled(message=CANCELLED),
    refusals=(e.MessageIdMissing, e.MessageNotFound, e.AlreadyCancelled, e.TooLateToCancel, e.AlreadySent),
)

CANCEL_BY_PATH = replace(CANCEL, method="DELETE", path="/v1/message-cancel/{messageId}")
"""The same, as some clients ask it."""
