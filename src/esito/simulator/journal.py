"""The log file: what was submitted and which receipts were acknowledged, one JSON object a line.

Tests compare it with what the ESME says it knows, also after the ESME was killed:
a line is handed to the operating system before the octets it tells of are.
"""

from pathlib import Path
from typing import BinaryIO

import msgspec


class Event(msgspec.Struct, kw_only=True, tag_field="event", gc=False):
    """What every line has."""

    at: int
    """Milliseconds since the epoch, by the simulator's clock."""
    session: int
    seq: int
    """sequence_number of the PDU."""


class SubmitSmTaken(Event, tag="submit_sm", kw_only=True):
    """A submit_sm or data_sm was answered."""

    smsc_message_id: str
    """As in the response; empty when it was refused."""
    sender: str
    to: str
    status: int
    text: str | None = None


class ReceiptSent(Event, tag="receipt_sent", kw_only=True):
    """A deliver_sm with a receipt was sent."""

    smsc_message_id: str
    """As in the submit_sm_resp, whatever form the receipt has it in."""
    receipted_message_id: str
    """As in the receipt."""
    to: str
    stat: str
    attempt: int


class ReceiptAcknowledged(Event, tag="receipt_acknowledged", kw_only=True):
    """The ESME answered a receipt with ESME_ROK."""

    smsc_message_id: str
    receipted_message_id: str
    to: str
    stat: str


class ReceiptRefused(Event, tag="receipt_refused", kw_only=True):
    """The ESME answered a receipt with an error."""

    smsc_message_id: str
    receipted_message_id: str
    to: str
    stat: str
    status: int
    final: bool
    """It will not be sent again."""


class ReplySent(Event, tag="reply_sent", kw_only=True):
    """A subscriber's deliver_sm was sent."""

    smsc_message_id: str
    to: str
    attempt: int


class ReplyAcknowledged(Event, tag="reply_acknowledged", kw_only=True):
    """The ESME answered a subscriber's deliver_sm with ESME_ROK."""

    smsc_message_id: str
    to: str


class ReplyRefused(Event, tag="reply_refused", kw_only=True):
    """The ESME answered a subscriber's deliver_sm with an error."""

    smsc_message_id: str
    to: str
    status: int
    final: bool


class Journal:
    """Appends lines to a file; without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file: BinaryIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()
        self.on = self._file is not None
        """Whether anything is kept: who has much to write asks first."""

    def write(self, event: Event) -> None:
        """Note the event; it is in the file after the next `flush`."""
        if self.on:
            self._encoder.encode_into(event, self._lines, -1)
            self._lines += b"\n"

    def flush(self) -> None:
        """Hand what was noted to the operating system."""
        if self._file is not None and self._lines:
            self._file.write(self._lines)
            self._lines.clear()

    def close(self) -> None:
        """Flush and close; nothing is kept from now on."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
        self.on = False
