"""A delivery receipt in normal form, however the operator writes it."""

import re
from enum import Enum
from typing import NamedTuple

from esito.domain.states import MessageState

SKEW_MS = 15 * 60 * 1000
"""How far an operator's done date may be ahead of our clock, or before the submission, and still be believed."""


class Verdict(Enum):
    """What a receipt did, as the trail says it."""

    MOVED = "moved"
    WEAKER = "weaker"
    DUPLICATE = "duplicate"
    UNKNOWN_WORD = "unknown_word"
    PARKED = "parked"
    """Its submit_sm_resp is not stored yet; it is matched once that is."""
    ORPHAN = "orphan"
    """No segment that it could belong to; it is matched if its submit_sm_resp ever comes."""
    NOT_A_RECEIPT = "not_a_receipt"
    INFERRED = "inferred"
    """Not a receipt: our own conclusion, such as an expiry or a refused submit_sm."""
    QUERIED = "queried"
    """Not a receipt: the answer to our query_sm. It moves a segment up if it says more than is known."""


class DeliveryReceipt(NamedTuple):
    """One delivery receipt, normalised; a tuple, as tens of thousands are made each second."""

    link: str
    smsc_message_id: str
    """As the operator wrote it, without surrounding blanks and NULs; empty if there is none."""
    state: MessageState | None
    """None: an unknown word; the receipt is kept and moves no segment."""
    stat: str = ""
    """The operator's word or number for the state, or both if they disagree: see `stat_of`."""
    error_code: str = ""
    """`err:` as it came, or `network:code` of the network_error_code parameter."""
    addresses: tuple[str, str] = ("", "")
    """source_addr and destination_addr; which one is the recipient depends on the operator."""
    submitted_at: int | None = None
    """The operator's submit date, milliseconds UTC; None if absent or unreadable."""
    done_at: int | None = None
    """The operator's done date, milliseconds UTC; None if absent or unusable."""
    received_at: int = 0
    flags: str = ""
    """Space-separated: bad_date, skewed_date, bad_tlv, long_id, no_id, unparsed, unreadable, disagree, ambiguous,
    other_number, matched_by_address, reused_id; for answers to query_sm: reused_id, other_id and undecided, which move
    no segment.

    `unreadable`: the PDU is whole, but its fields cannot be read. `disagree`: the receipt contradicts itself; TLVs win
    over the text.
    """
    counts: bool = True
    """False for acknowledgements by handset or user (esm_class 0x08, 0x10): kept, but moves no segment."""
    raw: bytes = b""
    """The deliver_sm or data_sm as it came, header included."""


class Stat(NamedTuple):
    """What a receipt says of the state, in its parts."""

    word: str
    """The word in its text; empty if there is none."""
    number: int | None
    """The TLV message_state, if it decides and no word says the same; None: the word decides."""


_BOTH = re.compile(r"(\S+) \(message_state (\d+)\)|message_state (\d+)")


def stat_of(word: str, number: int, *, both: bool) -> str:
    """Return what is kept of a word and the TLV message_state: `DELIVRD`, or `message_state 2` without a word.

    `both`: the number contradicts the word and wins; the result has both, as `UNDELIV (message_state 2)`.
    """
    if word and not both:
        return word
    told = f"message_state {number}"
    return f"{word[:40]} ({told})" if word else told


def read_stat(stat: str) -> Stat:
    """Return the parts of what `stat_of` made."""
    both = _BOTH.fullmatch(stat)
    return Stat(stat, None) if both is None else Stat(both[1] or "", int(both[2] or both[3]))
