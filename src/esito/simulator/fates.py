"""What may become of a message, and which endings of a number choose it.

A `Fate` is data: the words the operator says of the message and how it says
them. The table is that of `docs/reference/simulator.md`; a script file may add to it.
"""

from enum import Enum

import msgspec

from esito.domain.states import STAT_WORDS, MessageState
from esito.domain.timing import HOUR_MS, MINUTE_MS, VALIDITY_MS
from esito.smpp.pdu import Status

SCRIPTED_DELAY_MS = 1_000
"""When a scripted receipt is sent, unless its fate says otherwise."""

STATS = {state: word for word, state in reversed(STAT_WORDS.items())}
"""What we write after `stat:`: the first word of the table for each state, which is that of SMPP 3.4."""

ERRORS = {
    MessageState.ENROUTE: "000",
    MessageState.ACCEPTED: "000",
    MessageState.DELIVERED: "000",
    MessageState.UNDELIVERABLE: "001",
    MessageState.EXPIRED: "002",
    MessageState.REJECTED: "003",
    MessageState.DELETED: "004",
    MessageState.UNKNOWN: "005",
}
"""What we write after `err:` unless the fate has a code of its own; three characters, as appendix B wants."""


class IdForm(Enum):
    """How an SMSC message id is written."""

    DECIMAL = "decimal"
    HEX = "hex"
    HEX_UPPER = "hex-upper"
    PADDED = "padded"
    """Decimal, with zeros in front up to twenty digits."""

    def write(self, number: int) -> str:
        """Return the id as text."""
        return format(number, _FORMATS[self])


_FORMATS = {IdForm.DECIMAL: "d", IdForm.HEX: "x", IdForm.HEX_UPPER: "X", IdForm.PADDED: "020d"}


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt of a message."""

    state: MessageState
    after_ms: int | None = SCRIPTED_DELAY_MS
    """Since the submit_sm; None: drawn from the operator's usual delay."""
    error: str = ""
    """`err:`; empty: the usual code for the state."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a message; without words there is never any receipt."""

    words: tuple[Word, ...] = ()
    """In the order in which they are sent."""
    untold: tuple[Word, ...] = ()
    """What became of the message without any receipt: query_sm alone tells it."""
    refused: int = Status.ESME_ROK
    """command_status of the submit_sm_resp; any other than zero and there is no message at all."""
    throttled: int = 0
    """How many times the message is answered ESME_RTHROTTLED before it is taken."""
    late: bool = False
    """The words that have no time of their own come in the tail: between one hour and 48."""
    receipt_first: bool = False
    """The first receipt is sent before the submit_sm_resp."""
    copies: int = 1
    """How many times each receipt is sent."""
    other_session: bool = False
    """Receipts are sent on another session than the one that submitted, where there is one."""
    broken_text: bool = False
    """The text of the receipt is unusable; the optional parameters are right."""
    response_id: IdForm | None = None
    receipt_id: IdForm | None = None
    """Forms of the id; None: as this operator writes it."""
    reply: str = ""
    """What the subscriber answers, one second after the last word."""


def _says(*states: MessageState, after_ms: int | None = SCRIPTED_DELAY_MS, apart_ms: int = 1_000) -> tuple[Word, ...]:
    """Return one word per state, the first `after_ms` after the submit_sm."""
    if after_ms is None:
        return tuple(Word(state=state, after_ms=None) for state in states)
    return tuple(Word(state=state, after_ms=after_ms + i * apart_ms) for i, state in enumerate(states))


_DELIVERED = _says(MessageState.DELIVERED)

FATES = {
    "delivered": Fate(words=_says(MessageState.DELIVERED, after_ms=None)),
    "at-once": Fate(words=_says(MessageState.DELIVERED, after_ms=0)),
    "undeliverable": Fate(words=_says(MessageState.UNDELIVERABLE)),
    "expired": Fate(words=_says(MessageState.EXPIRED, after_ms=VALIDITY_MS)),
    "refused": Fate(refused=Status.ESME_RINVDSTADR),
    "silent": Fate(untold=_DELIVERED),
    "last-minute": Fate(words=_says(MessageState.DELIVERED, after_ms=VALIDITY_MS - MINUTE_MS)),
    "undeliverable-then-delivered": Fate(words=_says(MessageState.UNDELIVERABLE, MessageState.DELIVERED)),
    "receipt-first": Fate(words=_says(MessageState.DELIVERED, after_ms=0), receipt_first=True),
    "twice": Fate(words=_DELIVERED, copies=2),
    # The operator saw ENROUTE, ACCEPTD, DELIVRD; what it saw last is told first.
    "out-of-order": Fate(
        words=_says(MessageState.DELIVERED, MessageState.ENROUTE, MessageState.ACCEPTED, apart_ms=100)
    ),
    "two-id-forms": Fate(words=_DELIVERED, response_id=IdForm.HEX, receipt_id=IdForm.DECIMAL),
    "other-session": Fate(words=_DELIVERED, other_session=True),
    "broken-text": Fate(words=_DELIVERED, broken_text=True),
    "throttled": Fate(words=_DELIVERED, throttled=3),
    "stop": Fate(words=_DELIVERED, reply="STOP"),
    # The two that no ending chooses: they are part of "anything else".
    "late": Fate(words=_says(MessageState.DELIVERED, after_ms=None), late=True),
    "usually-undeliverable": Fate(words=_says(MessageState.UNDELIVERABLE, after_ms=None)),
}
"""Every fate by the name that a script file may use."""

ENDINGS = {
    "0000": "delivered",
    "0001": "at-once",
    "0002": "undeliverable",
    "0003": "expired",
    "0004": "refused",
    "0005": "silent",
    "0006": "last-minute",
    "0007": "undeliverable-then-delivered",
    "0008": "receipt-first",
    "0009": "twice",
    "0010": "out-of-order",
    "0011": "two-id-forms",
    "0012": "other-session",
    "0013": "broken-text",
    "0014": "throttled",
    "0015": "stop",
}
"""The last digits of the destination and the fate they choose."""

SHARES = {"delivered": 97.0, "usually-undeliverable": 2.0, "late": 1.0}
"""How often each fate falls on any other number."""

LATE_MS = (HOUR_MS, VALIDITY_MS - MINUTE_MS)
"""Between what delays a late receipt comes."""
