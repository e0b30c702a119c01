"""The log file: what was submitted and which receipts were acknowledged, one JSON object per line.

Tests compare it with what the ESME knows, even after the ESME was killed: a line is
handed to the operating system before the PDU that it describes.
"""

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from esito.private_files import make_folder, open_private


class SubmitSmAnswered(msgspec.Struct, kw_only=True, tag="submit_sm", tag_field="event", gc=False, omit_defaults=True):
    """A submit_sm or data_sm was answered."""

    at: int
    """Milliseconds since the epoch, by the simulator's clock."""
    session: int
    seq: int
    """sequence_number of the PDU."""
    smsc_message_id: str
    """As in the response; empty when it was refused."""
    sender: str
    to: str
    status: int
    """command_status of the response."""
    text: str | None = None
    """Hexadecimal octets, if wanted."""


class DeliverSmEvent(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """A deliver_sm was sent or answered.

    `event` is receipt_sent, receipt_acknowledged or receipt_refused; reply_... when a subscriber wrote.
    """

    event: str
    at: int
    session: int
    seq: int
    smsc_message_id: str
    """As in the submit_sm_resp, however the receipt writes it."""
    receipted_message_id: str
    """As in the receipt."""
    to: str
    """The subscriber's number."""
    stat: str | None = None
    """None in a reply."""
    attempt: int
    status: int | None = None
    """command_status of the deliver_sm_resp; None unless it was refused."""
    final: bool | None = None
    """Whether it is not sent again after this refusal."""


class Journal:
    """Appends lines to a file; without a path it does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file: BinaryIO | None = None
        if path is not None:
            make_folder(path.parent)
            self._file = os.fdopen(open_private(path, os.O_WRONLY | os.O_APPEND), "ab", buffering=0)
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()
        self.on = self._file is not None
        """Whether anything is written: a caller may skip making an event."""

    def write(self, event: SubmitSmAnswered | DeliverSmEvent) -> None:
        """Add an event; it is in the file after the next `flush`."""
        if self.on:
            self._encoder.encode_into(event, self._lines, -1)
            self._lines += b"\n"

    def flush(self) -> None:
        """Hand the events to the operating system."""
        if self._file is not None and self._lines:
            self._file.write(self._lines)
            self._lines.clear()

    def close(self) -> None:
        """Flush and close; later events are dropped."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
        self.on = False
