"""Everything an account sent, recipient by recipient, streamed as CSV or as JSON lines.

One page of the store is held at a time, so that a year of messages needs no more memory than a day.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response, StreamedResponse
from esito.api.http.schema import words
from esito.api.v2.interval import IntervalQuery, interval
from esito.api.v2.member_types import STATE_NAMES
from esito.domain.errors import BadFormat, IntervalInvalid
from esito.domain.pricing import as_number, from_micros
from esito.domain.states import MessageState, public_word
from esito.domain.timing import SECOND_MS
from esito.store.interface.message_store import ExportedRecipient, MessagePosition

ROWS_AT_ONCE = 200
"""Some milliseconds of work in a thread; other long requests have their turn between two pages."""

CLOCKS_APART = 5 * SECOND_MS
"""Clocks of other processes may be ahead by this much, so that messages seem to come from the future."""

COLUMNS = (
    "message_id", "created_at", "due_at", "sender", "sandbox", "tag", "reference", "seq", "msisdn", "status", "state",
    "changed_at", "segments", "cost", "currency",
)  # fmt: skip

_UNSEEN = (
    r"[ \u00a0\u00ad\u061c\u115f\u1160\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)
_FORMULA = re.compile(rf"(?:(^)(?=[\t\r\n])|(^|[;\t\r\n])(?={_UNSEEN}[=+\-@\uff1d\uff0b\uff0d\uff20]))")
"""Where a spreadsheet may take what follows for a formula: at the beginning, or where it may see a new cell, as those
do that divide at semicolons; full-width signs count, and so does what stands behind marks that show nothing."""

MARK = "\ufeff".encode()
"""Byte order mark: it makes spreadsheets read UTF-8."""

Cell = str | int | float | bool | None
Writer = Callable[[Sequence[ExportedRecipient], str], bytes]
"""Encodes rows, with the currency of their costs."""


class ExportQuery(IntervalQuery):
    """From when until when, and in which form."""

    format: Annotated[str, words(["csv", "jsonl"]), Meta(extra_json_schema={"default": "csv"})] | UnsetType = UNSET
    bom: (
        Annotated[str, Meta(description="1: CSV begins with the byte order mark that spreadsheets look for.")]
        | UnsetType
    ) = UNSET


async def export(request: AccountRequest) -> Response:
    """Every recipient of every message that was accepted before the request, oldest first, streamed."""
    since, until = interval(request)
    until = min(until, request.services.clock.now() + CLOCKS_APART)
    form = request.inputs.text("format").strip().lower() or "csv"
    if form not in FORMATS:
        raise BadFormat
    content_type, head, write = FORMATS[form]
    if form == "csv" and request.inputs.flag("bom"):
        head = MARK + head
    name = f'attachment; filename="esito-export.{form}"'.encode()
    return StreamedResponse(
        200, content_type, head, ((b"content-disposition", name),), _pieces(request, since, until, write)
    )


async def _pieces(request: AccountRequest, since: int, until: int, write: Writer) -> AsyncGenerator[bytes, None]:
    """Yield pages; each begins where the one before ended, whatever was sent or removed in the meantime."""
    async with request.stream():
        searching = request.services.store.searching
        spot, seq = MessagePosition(since, 0), -1
        currency = request.services.currency
        while True:
            rows = await searching.export(request.account.id, since=spot, seq=seq, until=until, limit=ROWS_AT_ONCE)
            if rows:
                yield await request.aside(partial(write, rows, currency))
            if len(rows) < ROWS_AT_ONCE:
                return
            spot, seq = MessagePosition(rows[-1].created_at, rows[-1].message_id), rows[-1].seq


def cells(row: ExportedRecipient, currency: str) -> list[Cell]:
    """Return a row in the order of COLUMNS."""
    state = MessageState(row.state)
    return [
        str(row.message_id),
        _moment(row.created_at),
        _moment(row.due_at),
        row.sender,
        bool(row.sandbox),
        row.tag,
        row.reference,
        row.seq,
        f"+{row.msisdn}" if row.msisdn else None,
        public_word(state),
        STATE_NAMES[state],
        _moment(row.changed_at),
        row.segments,
        as_number(from_micros(row.cost)),
        currency,
    ]


def csv_cell(value: Cell, *, number: bool = False) -> str:
    """Return a quoted cell that no spreadsheet takes for a formula.

    Texts are always quoted, and what begins like a formula gets an apostrophe before it. An MSISDN keeps its plus: it
    is made of digits alone, which compute to nothing but themselves.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = value.replace("\0", "\ufffd")
    if not number:
        text = _FORMULA.sub(lambda found: f"{found[0]}'", text)
    return '"' + text.replace('"', '""') + '"'


def as_csv(rows: Sequence[ExportedRecipient], currency: str) -> bytes:
    """Return lines as RFC 4180 has them."""
    lines = []
    for row in rows:
        values = zip(COLUMNS, cells(row, currency), strict=True)
        lines.append(",".join([csv_cell(value, number=name == "msisdn") for name, value in values]) + "\r\n")
    return "".join(lines).encode("utf-8", "replace")


def as_jsonl(rows: Sequence[ExportedRecipient], currency: str) -> bytes:
    """Return one JSON object to a line; what is not ASCII is escaped, so no line breaks are in it."""
    lines = [json.dumps(dict(zip(COLUMNS, cells(row, currency), strict=True)), separators=(",", ":")) for row in rows]
    return "".join([line + "\n" for line in lines]).encode("ascii")


def _moment(instant: int) -> str:
    return datetime.fromtimestamp(instant // SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


FORMATS: dict[str, tuple[bytes, bytes, Writer]] = {
    "csv": (b"text/csv; charset=utf-8", (",".join(COLUMNS) + "\r\n").encode(), as_csv),
    "jsonl": (b"application/jsonl", b"", as_jsonl),
}
"""Type, what comes first, and how rows are written."""

EXPORT = Endpoint(
    "GET",
    "/v2/export",
    export,
    parameters=ExportQuery(from_="2020-09-13"),
    answer=None,
    media=("text/csv", "application/jsonl"),
    refusals=(IntervalInvalid, BadFormat),
)
