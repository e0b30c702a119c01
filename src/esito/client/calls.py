"""Every call of the API as data: what is asked, and how the answer is read.

`sync` and `aio` execute them; neither knows what a call means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from esito.client import answers
from esito.client.models import (
    BulkSent,
    Credits,
    PairStatus,
    RecipientStatus,
    Sent,
    SingleStatus,
    StoppedNumber,
    TagPage,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request without its key, and the reading of its answer."""

    method: str
    path: str
    read: Callable[[str], T]
    """Raises ApiError when the answer is a refusal, and AnswerError when it is none of ours."""
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    """JSON of a POST; None for a GET."""
    bearer: bool = False
    """Whether the key goes into the `Authorization` header, as on the second path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """What a send may say beyond numbers and text (contract 2.1); what is None or False is not sent."""

    sender: str | None = None
    tag: str | None = None
    low_cost: bool = False
    priority: int = 0
    """0 to 3: the higher ones of your messages leave first."""
    unicode: bool = False
    stop_mention: bool = False
    sandbox: bool = False
    schedule: datetime | None = None
    """Paris date and time, minutes in steps of 5, without a zone."""
    url_dlr: str | None = None
    url_response: str | None = None

    def as_body(self) -> dict[str, Any]:
        """Return them under their names on the wire."""
        body: dict[str, Any] = {
            "sender": self.sender,
            "tag": self.tag,
            "gamme": 2 if self.low_cost else None,
            "priority": self.priority or None,
            "isUnicode": int(self.unicode) or None,
            "isStopSms": int(self.stop_mention) or None,
            "sandbox": int(self.sandbox) or None,
            "urlDlr": self.url_dlr,
            "urlResponse": self.url_response,
        }
        if self.schedule is not None:
            body |= {
                "scheduledDeliveryDate": self.schedule.strftime("%d/%m/%Y"),
                "time": self.schedule.hour,
                "minute": self.schedule.minute,
            }
        return {name: value for name, value in body.items() if value is not None}


PLAIN = SendOptions()


def bulk_status(message_id: int) -> Call[list[RecipientStatus]]:
    """Ask for every recipient of one message."""
    return Call("GET", "/v1/bulk-status", answers.recipients, {"messageId": str(message_id)})


def bulk_status_text(message_id: int, form: Literal["json", "xml"]) -> Call[str]:
    """Ask for every recipient of one message; the answer is its own text."""
    read = answers.xml if form == "xml" else answers.json_text
    return Call("GET", "/v1/bulk-status", read, {"messageId": str(message_id), "_format": form})


def message_status(message_id: int, msisdn: str) -> Call[SingleStatus]:
    """Ask for one recipient of one message."""
    return Call("GET", "/v1/message-status", answers.single, {"messageId": str(message_id), "phoneNumber": msisdn})


def multi_status(pairs: Sequence[tuple[int, str]]) -> Call[list[PairStatus]]:
    """Ask for up to 500 (message id, number) pairs; the answers have their order."""
    asked = [{"phoneNumber": msisdn, "messageId": message_id} for message_id, msisdn in pairs]
    return Call("POST", "/v1/multi-status", answers.pairs, body={"SMSStatut_List": asked})


def bulk_status_by_tag(tag: str, page: int = 1) -> Call[TagPage]:
    """Ask for the recipients of all messages with a tag, 500 at a time."""
    return Call("GET", "/v1/bulk-status-by-tag", answers.tag_page, {"tag": tag, "page": str(page)})


def send(to: str | Sequence[str], message: str, options: SendOptions = PLAIN) -> Call[Sent]:
    """Send one text to up to 500 numbers."""
    numbers = to if isinstance(to, str) else ",".join(to)
    return Call(
        "POST", "/v1/send", answers.sent, body={"phoneNumbers": numbers, "message": message, **options.as_body()}
    )


def bulk_send(texts: Sequence[tuple[str, str]], options: SendOptions = PLAIN) -> Call[BulkSent]:
    """Send up to 500 (number, text) pairs as one message."""
    items = [{"phoneNumber": msisdn, "message": message} for msisdn, message in texts]
    return Call("POST", "/v1/bulk-send", answers.bulk_sent, body={"SMSList": items, **options.as_body()})


def stops() -> Call[list[StoppedNumber]]:
    """Ask for the STOP list."""
    return Call("GET", "/v1/stop-sms/list", answers.stops)


def add_stop(msisdn: str) -> Call[int]:
    """Put a number on the STOP list."""
    return Call("POST", "/v1/stop-sms/add", answers.stop_added, body={"phoneNumber": msisdn})


def delete_stop(stop_id: int) -> Call[None]:
    """Take a number off the STOP list by its id."""
    return Call("GET", "/v1/stop-sms/delete", answers.nothing, {"id": str(stop_id)})


def me() -> Call[Credits]:
    """Ask whose key it is and what is left."""
    return Call("GET", "/v1/me", answers.credit)


def explain(message_id: int, msisdn: str, *, unmask: str = "") -> Call[dict[str, Any]]:
    """Ask what happened to one recipient and why; `unmask`: the reason why people see the number whole."""
    path = f"/v2/messages/{message_id}/recipients/{quote(msisdn, safe='')}"
    return Call("GET", path, answers.members, {"unmask": unmask} if unmask else {}, bearer=True)


def cancel(message_id: int) -> Call[None]:
    """Take a scheduled message back."""
    return Call("GET", "/v1/message-cancel", answers.nothing, {"messageId": str(message_id)})


def events(cursor: str = "", limit: int = 500) -> Call[tuple[list[dict[str, Any]], str]]:
    """Ask for what happened beyond a cursor, and the next cursor; without one, only for the cursor."""
    params = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
    return Call("GET", "/v2/events", answers.events, params, bearer=True)


def links() -> Call[list[dict[str, Any]]]:
    """Ask how the links to the operators stand."""
    return Call("GET", "/v2/links", answers.links, bearer=True)


def orphans(cursor: str = "") -> Call[tuple[list[dict[str, Any]], str | None]]:
    """Ask for a page of the receipts that match nothing, and where the next page begins."""
    return Call("GET", "/v2/orphans", answers.orphans, {"cursor": cursor} if cursor else {}, bearer=True)


def callbacks(
    cursor: str = "", *, status: str | None = None, message_id: int | None = None
) -> Call[tuple[list[dict[str, Any]], str | None]]:
    """Ask for a page of the callbacks, newest first, and where the next page begins."""
    asked = {"cursor": cursor, "status": status or "", "message": "" if message_id is None else str(message_id)}
    return Call(
        "GET", "/v2/callbacks", answers.callbacks, {name: one for name, one in asked.items() if one}, bearer=True
    )


def callback(callback_id: int) -> Call[dict[str, Any]]:
    """Ask for one callback with every attempt."""
    return Call("GET", f"/v2/callbacks/{callback_id}", answers.members, bearer=True)


def callback_destinations(cursor: str = "") -> Call[tuple[list[dict[str, Any]], str | None]]:
    """Ask for a page of the servers that callbacks go to, and where the next page begins."""
    asked = {"cursor": cursor} if cursor else {}
    return Call("GET", "/v2/callbacks/destinations", answers.destinations, asked, bearer=True)


def replay_callbacks(
    callback_id: int | None = None, *, since: str | datetime | None = None, dead_only: bool = False
) -> Call[int]:
    """Make one callback again, or all since a moment."""
    moment = since.isoformat() if isinstance(since, datetime) else since
    asked = {"id": callback_id, "since": moment, "status": "dead" if dead_only else None}
    body = {name: one for name, one in asked.items() if one is not None}
    return Call("POST", "/v2/callbacks/replay", answers.replayed, body=body, bearer=True)
