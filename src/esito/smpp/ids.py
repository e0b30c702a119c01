"""Message ids as SMSCs write them, cleaned alike wherever they stand: in a response, a parameter or a text."""

STANDARD = 64
"""Octets of a message_id, without its NUL (SMPP 3.4, 5.2.23)."""

LONGEST = 255
"""Octets that are kept of an id; of a response and of a receipt the same, so that they still agree."""

_BLANKS = " \t\r\n\x00"
_BLANK_OCTETS = _BLANKS.encode("ascii")


def clean_id(written: str) -> str:
    """Return an id less surrounding blanks and NULs, and no longer than `LONGEST`."""
    bare = written.strip(_BLANKS)
    return bare if len(bare) <= LONGEST else bare[:LONGEST].rstrip(_BLANKS)


def id_in(octets: bytes) -> str:
    """Return the id in the value of a parameter: what a peer's buffer holds behind its NUL is no part of it."""
    bare = octets.strip(_BLANK_OCTETS)
    if 0 in bare or len(bare) > LONGEST:
        return clean_id(bare.partition(b"\0")[0].decode("latin-1"))
    return bare.decode("latin-1")
