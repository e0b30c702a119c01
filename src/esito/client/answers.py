"""Reads the answers of the API: the text of an answer becomes a record, a refusal an ApiError."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

from esito.client.models import (
    ApiError,
    BulkSent,
    Credits,
    Failure,
    PairStatus,
    RecipientStatus,
    Sent,
    SentItem,
    SingleStatus,
    StoppedNumber,
    TagPage,
)

T = TypeVar("T")

Answer = Mapping[str, Any]
"""The JSON object of an answer; its numbers with a point are Decimals."""


class AnswerError(ValueError):
    """What came is no answer of this API."""


def _json(read: Callable[[Answer], T]) -> Callable[[str], T]:
    """Make a reader of the answer's object a reader of its text."""

    def read_text(text: str) -> T:
        try:
            answer = json.loads(text, parse_float=Decimal)
            if not answer["success"]:
                raise _refusal(answer)
            return read(answer)
        except (ValueError, LookupError, TypeError, AttributeError, InvalidOperation) as error:
            raise AnswerError(str(error)) from error

    return read_text


def json_text(text: str) -> str:
    """Return a JSON answer as it came."""
    _json(lambda answer: answer)(text)
    return text


def xml(text: str) -> str:
    """Return an XML answer as it came."""
    try:
        entries = [entry.text or "" for entry in ET.fromstring(text)]  # noqa: S314  our own server's; expat limits entities
        if entries[0].strip() != "true":
            raise ApiError(int(entries[1]), entries[2].strip())
    except (ET.ParseError, ValueError, LookupError) as error:
        raise AnswerError(str(error)) from error
    return text


def _refusal(answer: Answer) -> ApiError:
    return ApiError(int(answer["code"]), answer.get("message", ""), _failures(answer))


def _failures(answer: Answer) -> list[Failure]:
    errors: Sequence[Answer] = answer.get("errors") or answer.get("error") or ()
    return [
        Failure(
            message=error["message"],
            element=error.get("elementId", ""),
            code=int(error.get("code", 0)),
            msisdn=error.get("phoneNumber", ""),
        )
        for error in errors
    ]


def _instant(digits: Any) -> datetime:
    return datetime.fromtimestamp(int(digits), tz=UTC)


def _recipients(answer: Answer) -> list[RecipientStatus]:
    return [
        RecipientStatus(
            msisdn=item["phoneNumber"],
            status=item["status"],
            stopped=bool(item["stopSMS"]),
            changed_at=_instant(item["date"]),
        )
        for item in answer["StatutResponse_List"]
    ]


recipients = _json(_recipients)
"""Read bulk-status."""


@_json
def single(answer: Answer) -> SingleStatus:
    """Read message-status."""
    return SingleStatus(
        message_id=int(answer["messageId"]),
        msisdn=answer["number"],
        status=answer["statut"],
        stopped=bool(answer["stopSms"]),
        changed_at=_instant(answer["date"]),
        cost=Decimal(answer["cost"]),
        currency=answer["currency"],
        country=answer["countryCode"],
    )


@_json
def pairs(answer: Answer) -> list[PairStatus]:
    """Read multi-status."""
    return [
        PairStatus(
            message_id=int(item["messageId"] or 0),
            msisdn=item["phoneNumber"],
            code=int(item["code"]),
            status=item["status"],
            stopped=item["stopSms"] == "1" if item["success"] else None,
            changed_at=_instant(item["date"]) if item["success"] else None,
        )
        for item in answer["StatutResponse_List"]
    ]


@_json
def tag_page(answer: Answer) -> TagPage:
    """Read bulk-status-by-tag."""
    return TagPage(page=int(answer["currentPage"]), total=int(answer["total"]), recipients=_recipients(answer))


@_json
def sent(answer: Answer) -> Sent:
    """Read send."""
    return Sent(
        message_id=int(answer["message_id"]),
        segments=int(answer["nb_sms"]),
        cost=Decimal(answer["cost"]),
        currency=answer["currency"],
        due_at=answer.get("scheduledDeliveryDate"),
        errors=tuple(_failures(answer)),
    )


@_json
def bulk_sent(answer: Answer) -> BulkSent:
    """Read bulk-send."""
    return BulkSent(
        message_id=int(answer["message_id"]),
        segments=int(answer["nbSMS"]),
        cost=Decimal(answer["cost"]),
        currency=answer["currency"],
        items=[_sent_item(item) for item in answer["SMSResponse_List"]],
    )


def _sent_item(item: Answer) -> SentItem:
    return SentItem(
        msisdn=item["phoneNumber"],
        code=int(item["code"]),
        segments=int(item.get("nbSms", 0)),
        cost=Decimal(item.get("cost", 0)),
        message=item.get("message", ""),
    )


@_json
def credit(answer: Answer) -> Credits:
    """Read me."""
    left = answer["credits"]
    return Credits(
        username=answer["user"]["username"],
        balance=Decimal(left["balance"]),
        currency=left["currency"],
        segments=int(left["creditSms"]),
        to_send=int(left["toSend"]),
    )


@_json
def stops(answer: Answer) -> list[StoppedNumber]:
    """Read stop-sms/list."""
    return [
        StoppedNumber(id=int(item["id"]), msisdn=item["phoneNumber"], created_at=item["createdAt"])
        for item in answer["data"]
    ]


@_json
def stop_added(answer: Answer) -> int:
    """Read stop-sms/add."""
    return int(answer["stopId"])


@_json
def nothing(_answer: Answer) -> None:
    """Read an answer that says only that all went well."""


# -- the second path, whose members are handed on under their own names ---------------------------


def members(text: str) -> dict[str, Any]:
    """Read an answer of which every member matters."""
    return _json(_members)(text)


def _members(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in {"success", "code"}}


def links(text: str) -> list[dict[str, Any]]:
    """Read GET /v2/links."""
    return _json(lambda answer: list(answer["links"]))(text)


def events(text: str) -> tuple[list[dict[str, Any]], str]:
    """Read a page of GET /v2/events, and the next cursor."""
    return _json(lambda answer: (list(answer["events"]), str(answer["next_cursor"])))(text)


def orphans(text: str) -> tuple[list[dict[str, Any]], str | None]:
    """Read a page of GET /v2/orphans, and where the next begins."""
    return _json(lambda answer: (list(answer["orphans"]), answer["next_cursor"]))(text)


def callbacks(text: str) -> tuple[list[dict[str, Any]], str | None]:
    """Read a page of GET /v2/callbacks, and where the next begins."""
    return _json(lambda answer: (list(answer["callbacks"]), answer["next_cursor"]))(text)


def destinations(text: str) -> tuple[list[dict[str, Any]], str | None]:
    """Read a page of GET /v2/callbacks/destinations, and where the next begins."""
    return _json(lambda answer: (list(answer["destinations"]), answer["next_cursor"]))(text)


def replayed(text: str) -> int:
    """Read how many callbacks a replay came to."""
    return _json(lambda answer: int(answer["replayed"]))(text)
