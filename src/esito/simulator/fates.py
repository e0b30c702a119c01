"""The fates of messages, and the endings of numbers that choose them.

A `Fate` is data: the receipts of a message and how they are sent. The table is that of
`docs/reference/simulator.md`; a script file may add to it.
"""

import msgspec

from esito.domain.states import STAT_WORDS, MessageState
from esito.domain.timing import HOUR_MS, MINUTE_MS, VALIDITY_MS
from esito.simulator.ids import IdNotation
from esito.smpp.pdu import Status

SCRIPTED_DELAY_MS = 1_000
"""When a receipt is sent unless its fate says otherwise."""

STATS = {state: word for word, state in reversed(STAT_WORDS.items())}
"""The word after `stat:` for each state: that of SMPP 3.4, which is the first in the table."""

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
"""The code after `err:` unless the fate has its own; three characters, as in appendix B."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt of a message."""

    state: MessageState
    after_ms: int | None = SCRIPTED_DELAY_MS
    """After the submit_sm; None: drawn from the operator's usual delay."""
    error: str = ""
    """`err:`; empty: the usual code for the state."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a message; without words it never gets a receipt."""

    words: tuple[Word, ...] = ()
    """Its receipts, in the order in which they are sent."""
    untold: tuple[Word, ...] = ()
    """What becomes of it without a receipt: only query_sm tells."""
    refused: int = Status.ESME_ROK
    """command_status of the submit_sm_resp; if not zero, the message is not accepted."""
    throttled: int = 0
    """How many times it is answered ESME_RTHROTTLED before it is accepted."""
    late: bool = False
    """Words without a time of their own come late: after one to 48 hours."""
    receipt_first: bool = False
    """The first receipt is sent before the submit_sm_resp."""
    copies: int = 1
    """How many times each receipt is sent."""
    other_session: bool = False
    """Receipts are sent on another session than the one that submitted, if there is one."""
    broken_text: bool = False
    """The text of the receipt is unusable; its TLVs are right."""
    response_id: IdNotation | None = None
    receipt_id: IdNotation | None = None
    """Notations of the id; None: as this operator writes it."""
    reply: str = ""
    """The subscriber's reply, one second after the last word."""


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
    # The operator saw ENROUTE, ACCEPTD, DELIVRD; the last one is sent first.
    "out-of-order": Fate(
        words=_says(MessageState.DELIVERED, MessageState.ENROUTE, MessageState.ACCEPTED, apart_ms=100)
    ),
    "two-id-forms": Fate(words=_DELIVERED, response_id=IdNotation.HEX, receipt_id=IdNotation.DECIMAL),
    "other-session": Fate(words=_DELIVERED, other_session=True),
    "broken-text": Fate(words=_DELIVERED, broken_text=True),
    "throttled": Fate(words=_DELIVERED, throttled=3),
    "stop": Fate(words=_DELIVERED, reply="STOP"),
    # No ending chooses these two: they are among "any other number".
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
"""The shortest and longest delay of a late receipt."""
