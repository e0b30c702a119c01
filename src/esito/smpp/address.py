"""Type of number and numbering plan of an address (SMPP 3.4, 5.2.5 and 5.2.6)."""

INTERNATIONAL, NATIONAL, ALPHANUMERIC, UNKNOWN, NETWORK = 1, 2, 5, 0, 3
ISDN = 1

LONGEST_SHORT_CODE = 6


def source_numbering(sender: str) -> tuple[int, int]:
    """Return (ton, npi) of a sender: a name, a short code, or a number with its calling code.

    An empty sender is left to the operator: unknown, unknown.
    """
    digits = sender.removeprefix("+")
    if not sender:
        return UNKNOWN, UNKNOWN
    if not (digits.isascii() and digits.isdecimal()):
        return ALPHANUMERIC, UNKNOWN
    if len(digits) <= LONGEST_SHORT_CODE:
        return NETWORK, UNKNOWN
    return INTERNATIONAL, ISDN
