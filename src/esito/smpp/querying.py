"""query_sm on its way: who is told of an answer, and what the answer says.

A query_sm takes a place in the window like a submit_sm. Unlike that of enquire_link, an answer that does not come is
no sign that the SMSC is gone: many do not know the command.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from esito.domain.receipt import DeliveryReceipt, stat_of
from esito.domain.states import STATE_VALUES
from esito.domain.timing import SECOND_MS
from esito.smpp.codec import encode
from esito.smpp.pdu import Command, GenericNack, Pdu, QuerySmResp, Status, status_name
from esito.smpp.receipt_dates import instants
from esito.smpp.session import Request


class Asked(NamedTuple):
    """The token of a query_sm: what its answer is about, and who takes it."""

    about: object
    tell: Callable[["Asked", QuerySmResp | GenericNack | None], None]
    """Takes the answer; None when none came in time, or the connection was lost."""


def query_answered(request: Request | None, pdu: Pdu) -> None:
    """Tell whoever asked, if it was a query_sm that this answers."""
    if request is not None and isinstance(request.token, Asked) and isinstance(pdu, QuerySmResp | GenericNack):
        request.token.tell(request.token, pdu)


def without_queries(requests: Iterable[Request]) -> list[Request]:
    """Tell whoever asked by query_sm that no answer comes; return the other requests."""
    others = []
    for request in requests:
        if request.command is Command.QUERY_SM and isinstance(request.token, Asked):
            request.token.tell(request.token, None)
        else:
            others.append(request)
    return others


def is_unknown_command(pdu: QuerySmResp | GenericNack) -> bool:
    """Tell whether the SMSC says that it does not know query_sm, or does not let us use it."""
    return isinstance(pdu, GenericNack) or pdu.status in {Status.ESME_RINVCMDID, Status.ESME_RINVBNDSTS}


def read_answer(pdu: QuerySmResp | GenericNack, *, link: str, zone: tzinfo, at: int) -> DeliveryReceipt:
    """Read what a query_sm was answered as a receipt (SMPP 3.4, 4.8.2); without a state where it is a refusal.

    `at`: when it came. `zone`: that of dates which name none.
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
    """Return the instant of a final_date in milliseconds UTC; None where it is none.

    It is an absolute time of SMPP (7.1.1), which names how far its zone is from UTC; some write one as in a receipt,
    in `zone`. A span of time (`R`) is no date.
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
