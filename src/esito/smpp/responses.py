"""What answers our requests, and who takes the answer: submit_sm_resp, query_sm_resp, generic_nack, or nothing.

A query_sm takes a place in the window like a submit_sm. An unanswered one, unlike an unanswered enquire_link, does not
mean that the SMSC is gone: many SMSCs ignore query_sm.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from esito.domain.receipt import DeliveryReceipt, stat_of
from esito.domain.retrying import GENERIC_NACK
from esito.domain.states import STATE_VALUES
from esito.domain.timing import SECOND_MS
from esito.smpp.codec import encode
from esito.smpp.pdu import Command, GenericNack, Pdu, QuerySmResp, Status, status_name
from esito.smpp.receipts import instants
from esito.smpp.session import Request

if TYPE_CHECKING:
    from esito.smpp.connection import SmppConnection


class SubmitResponse(msgspec.Struct, gc=False):
    """The response to a submit_sm, with its token; `status` is None if it is unknown."""

    token: Any
    status: int | None
    message_id: str = ""
    error: str = ""

    @property
    def nack(self) -> bool:
        """Whether it was a generic_nack, not a submit_sm_resp."""
        return self.error == GENERIC_NACK


class ConnectionOwner(Protocol):
    """Who a connection reports to."""

    def bound(self, connection: "SmppConnection") -> None:
        """Note an accepted bind."""

    def rejected(self, status: int | None, reason: str) -> None:
        """Note a refused bind and why; `status` is None if the SMSC sent something else."""

    def answered(self, responses: list[SubmitResponse]) -> None:
        """Take the responses to submit_sm of one read."""

    def eased(self) -> None:
        """Note that more may be written."""


class QueryToken(NamedTuple):
    """The token of a query_sm: what it asks about, and who takes the answer."""

    about: object
    on_answer: Callable[["QueryToken", QuerySmResp | GenericNack | None], None]
    """Takes the answer; None when none came in time, or the connection was lost."""


def query_answered(request: Request | None, pdu: Pdu) -> None:
    """Pass on the answer to a query_sm; do nothing for any other request."""
    if request is not None and isinstance(request.token, QueryToken) and isinstance(pdu, QuerySmResp | GenericNack):
        request.token.on_answer(request.token, pdu)


def without_queries(requests: Iterable[Request]) -> list[Request]:
    """Report every query_sm as unanswered; return the other requests."""
    others = []
    for request in requests:
        if request.command is Command.QUERY_SM and isinstance(request.token, QueryToken):
            request.token.on_answer(request.token, None)
        else:
            others.append(request)
    return others


def is_unknown_command(pdu: QuerySmResp | GenericNack) -> bool:
    """Tell whether the SMSC does not know query_sm, or does not allow it to us."""
    return isinstance(pdu, GenericNack) or pdu.status in {Status.ESME_RINVCMDID, Status.ESME_RINVBNDSTS}


def read_answer(pdu: QuerySmResp | GenericNack, *, link: str, zone: tzinfo, at: int) -> DeliveryReceipt:
    """Return the answer to a query_sm as a receipt (SMPP 3.4, 4.8.2); a refusal has no state.

    `at`: when it came, in milliseconds. `zone`: of dates that name none.
    """
    if isinstance(pdu, GenericNack) or pdu.status:
        status = pdu.status or Status.ESME_RUNKNOWNERR
        name = "generic_nack" if isinstance(pdu, GenericNack) else status_name(status).partition(" ")[0]
        return DeliveryReceipt(
            link=link, smsc_message_id="", state=None, stat=name, error_code=f"0x{status:08X}", received_at=at,
            raw=encode(pdu),
        )  # fmt: skip
    final = read_final_date(pdu.final_date, zone)
    return DeliveryReceipt(
        link=link,
        smsc_message_id=pdu.message_id,
        state=STATE_VALUES.get(pdu.message_state),
        stat=stat_of("", pdu.message_state, both=False),
        error_code=f"{pdu.error_code:03}" if pdu.error_code else "",
        done_at=final,
        received_at=at,
        flags="bad_date" if pdu.final_date and final is None else "",
        raw=encode(pdu),
    )


_ABSOLUTE = re.compile(r"(\d{12})(\d)(\d\d)([+-])")


def read_final_date(written: str, zone: tzinfo) -> int | None:
    """Return a final_date in milliseconds UTC; None for anything that is no date.

    It is an absolute time (SMPP 3.4, 7.1.1) with its offset from UTC. Some operators write it as in a receipt, in
    `zone`. A relative time (`R`) is no date.
    """
    found = _ABSOLUTE.fullmatch(written)
    if found is None:
        return next(iter(instants(written, zone)), None)
    digits, tenths, quarters, sign = found.groups()
    ahead = timedelta(minutes=15 * int(quarters)) * (-1 if sign == "-" else 1)
    try:
        moment = datetime.strptime(digits, "%y%m%d%H%M%S").replace(tzinfo=timezone(ahead) if ahead else UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND_MS + int(tenths) * 100
