"""A delivery receipt as we understand it, whatever the operator's way of writing it."""

import re
from enum import Enum
from typing import NamedTuple

from esito.domain.states import MessageState

SKEW_MS = 15 * 60 * 1000
"""How far an operator's clock may be ahead of ours, or behind the submission, before its date is not believed."""


class Verdict(Enum):
    """What a receipt did; the words of the trail."""

    MOVED = "moved"
    WEAKER = "weaker"
    DUPLICATE = "duplicate"
    UNKNOWN_WORD = "unknown_word"
    PARKED = "parked"
    """Its submit_sm_resp is not stored yet; it is matched when that is."""
    ORPHAN = "orphan"
    """Nothing it could belong to; matched should its submit_sm_resp ever come."""
    NOT_A_RECEIPT = "not_a_receipt"
    INFERRED = "inferred"
    """No receipt: our own conclusion, such as an expiry or a refused submit_sm."""
    QUERIED = "queried"
    """No receipt: what the operator answered to our query_sm. It moves a segment up, if it says more than is known."""


class DeliveryReceipt(NamedTuple):
    """One delivery receipt, normalised; a tuple, because tens of thousands are made each second."""

    link: str
    smsc_message_id: str
    """As the operator wrote it, less surrounding blanks and NULs; empty when there is none."""
    state: MessageState | None
    """None: a word we do not know; the receipt is kept and moves nobody."""
    stat: str = ""
    """The operator's word or number for the state; both where they do not mean the same: see `stat_of`."""
    error_code: str = ""
    """`err:` as it came, or `network:code` of the network_error_code parameter."""
    addresses: tuple[str, str] = ("", "")
    """source_addr and destination_addr; operators differ in which one is the recipient."""
    submitted_at: int | None = None
    """The operator's submit date, milliseconds UTC; None when absent or no date."""
    done_at: int | None = None
    """Milliseconds since the epoch, UTC; None when absent or unusable."""
    received_at: int = 0
    flags: str = ""
    """Space-separated: bad_date, skewed_date, bad_tlv, long_id, no_id, unparsed, unreadable, disagree, ambiguous,
    other_number, matched_by_address, reused_id; of answers to query_sm: reused_id, other_id and undecided, which move
    nobody.

    `unreadable`: the PDU is whole, and its fields cannot be told apart. `disagree`: what it says in one place
    contradicts what it says in another; parameters count before the text.
    """
    counts: bool = True
    """False for acknowledgements by handset or user (esm_class 0x08, 0x10): kept, moves nobody."""
    raw: bytes = b""
    """The deliver_sm or data_sm as it came, header included."""


class Stat(NamedTuple):
    """What a receipt said of the state, taken apart."""

    word: str
    """Of its text; empty where it has none."""
    number: int | None
    """Of the parameter message_state, where it decides and no word says the same; None: the word decides."""


_BOTH = re.compile(r"(\S+) \(message_state (\d+)\)|message_state (\d+)")


def stat_of(word: str, number: int, *, both: bool) -> str:
    """Return what is kept of a word and the parameter message_state: `DELIVRD`, or `message_state 2` without a word.

    Where the state is that of the number and not what the word means it is both, as `UNDELIV (message_state 2)`.
    """
    if word and not both:
        return word
    told = f"message_state {number}"
    return f"{word[:40]} ({told})" if word else told


def read_stat(stat: str) -> Stat:
    """Take apart what `stat_of` returned."""
    both = _BOTH.fullmatch(stat)
    return Stat(stat, None) if both is None else Stat(both[1] or "", int(both[2] or both[3]))
