"""Which of our segments an SMSC message id may mean.

An operator may write one id in the submit_sm_resp and another spelling of it in the
receipt: hexadecimal and decimal, padded and bare, upper and lower case. What was
written is never altered; a *canonical* id is only the shelf on which equal spellings
lie together, and `spelling` says afterwards how far two of them really agree.
"""

from enum import IntEnum

MAX_LENGTH = 65
"""Octets of receipted_message_id (SMPP 3.4, 5.3.2.12)."""

_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")


class Spelling(IntEnum):
    """How the id of a receipt agrees with the id of a response, best first."""

    SAME = 0
    CASE = 1
    """Equal but for upper and lower case."""
    PADDED = 2
    """Equal but for leading zeros (and case)."""
    HEX_TO_DEC = 3
    """Hexadecimal in the response, decimal in the receipt."""
    DEC_TO_HEX = 4
    """Decimal in the response, hexadecimal in the receipt."""

    @property
    def converted(self) -> bool:
        """Tell whether the two agree only in another base."""
        return self >= Spelling.HEX_TO_DEC


def canonical(smsc_message_id: str) -> str:
    """Return the shelf of an id: lower case, without leading zeros; '' stays ''."""
    if not smsc_message_id:
        return ""
    return smsc_message_id.lower().lstrip("0") or "0"


def shelves(receipt_id: str) -> list[str]:
    """Return every shelf on which the segment of this receipt may lie; its own first.

    Ids longer than 20 decimal or 16 hexadecimal digits are no numbers of 64 bits
    and are not converted.
    """
    own = canonical(receipt_id)
    if not own:
        return []
    found = [own]
    if len(own) <= 20 and _DIGITS.issuperset(own):
        found.append(f"{int(own):x}")
    if len(own) <= 16 and _HEX.issuperset(own):
        found.append(str(int(own, 16)))
    # Single decimal digits are the same in both bases.
    return found if len(own) > 1 else list(dict.fromkeys(found))


def spelling(response_id: str, receipt_id: str) -> Spelling | None:
    """Return how the two ids agree; None when they do not."""
    if response_id == receipt_id:
        return Spelling.SAME
    response, receipt = response_id.lower(), receipt_id.lower()
    if response == receipt:
        return Spelling.CASE
    response, receipt = canonical(response), canonical(receipt)
    if response == receipt:
        return Spelling.PADDED
    if not receipt:
        return None
    if len(receipt) <= 20 and _DIGITS.issuperset(receipt) and f"{int(receipt):x}" == response:
        return Spelling.HEX_TO_DEC
    if len(receipt) <= 16 and _HEX.issuperset(receipt) and str(int(receipt, 16)) == response:
        return Spelling.DEC_TO_HEX
    return None
