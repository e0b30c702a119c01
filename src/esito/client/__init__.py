"""The Python client: `Client` for programs, `AsyncClient` for those on an event loop.

from esito.client import Client

with Client("http://127.0.0.1:8000", "your key") as client:
    sent = client.send("+33612345678", "Ciao")
    for recipient in client.bulk_status(sent.message_id):
        print(recipient.msisdn, recipient.status)
"""

from esito.client.aio import AsyncClient
from esito.client.calls import SendOptions
from esito.client.models import (
    ApiError,
    BulkSent,
    ClientError,
    Credits,
    Failure,
    PairStatus,
    RecipientStatus,
    Sent,
    SentItem,
    SingleStatus,
    StoppedNumber,
    TagPage,
    UnexpectedAnswer,
    Unreachable,
)
from esito.client.sync import Client

__all__ = [
    "ApiError",
    "AsyncClient",
    "BulkSent",
    "Client",
    "ClientError",
    "Credits",
    "Failure",
    "PairStatus",
    "RecipientStatus",
    "SendOptions",
    "Sent",
    "SentItem",
    "SingleStatus",
    "StoppedNumber",
    "TagPage",
    "UnexpectedAnswer",
    "Unreachable",
]
