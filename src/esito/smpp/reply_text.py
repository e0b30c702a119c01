"""Reads what a subscriber wrote: its text, and its place in a long reply. Nothing here raises."""

from typing import NamedTuple

from esito.domain import gsm0338
from esito.domain.coding import USUAL_CODINGS, Alphabet, Codings
from esito.domain.reply import Concatenated, Reply
from esito.smpp.incoming import USUAL, IncomingSettings
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag

_CHARSETS = {1: "latin-1", 3: "latin-1", 5: "shift_jis", 6: "iso8859-5", 7: "iso8859-8", 8: "utf-16-be",
             10: "iso2022-jp", 13: "euc-jp", 14: "euc-kr"}  # fmt: skip
"""Python's name of the charset by data_coding (SMPP 3.4, 5.2.19); 0 depends on the link."""

_GSM, _PACKED, _OCTETS, _ASCII, _UCS2 = "gsm", "gsm-packed", "latin-1", "ascii", "utf-16-be"

_ALPHABETS = {
    Alphabet.GSM: _GSM,
    Alphabet.GSM_PACKED: _PACKED,
    Alphabet.LATIN1: _OCTETS,
    Alphabet.ASCII: _ASCII,
}

_EIGHT_BITS, _SIXTEEN_BITS = 0x00, 0x08
"""Information elements of a concatenation header (3GPP TS 23.040, 9.2.3.24)."""

_SINGLE_SHIFT, _LOCKING_SHIFT = 0x24, 0x25
"""Information elements that name the language of a table (9.2.3.24.15 and 16)."""

# Equal references of 8 bits, of 16 bits and of sar_msg_ref_num mean different messages.
_OF_SIXTEEN_BITS, _OF_SAR = 1 << 16, 2 << 16


class Languages(NamedTuple):
    """The national languages whose tables a text uses (`domain/gsm_languages`); 0: none."""

    locking: int = 0
    single: int = 0


NO_LANGUAGES = Languages()


class Header(NamedTuple):
    """What is read of a user data header."""

    concatenated: Concatenated | None = None
    languages: Languages = NO_LANGUAGES


NO_HEADER = Header()


def read_reply(pdu: DeliverSm | DataSm, *, link: str, at: int, settings: IncomingSettings = USUAL) -> Reply:
    """Return the reply in a PDU, with the PDU as it came; `at`: when it arrived, in milliseconds."""
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    octets = octets or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    header, fill = NO_HEADER, 0
    if pdu.esm_class & EsmClass.UDHI and octets and octets[0] < len(octets):
        length = octets[0] + 1
        header, octets = _read_header(octets[1:length]), octets[length:]
        fill = gsm0338.fill_bits(length)
    return Reply(
        link=link,
        source=settings.number(pdu.source_addr, pdu.source_addr_ton),
        destination=settings.number(pdu.destination_addr, pdu.dest_addr_ton),
        received_at=at,
        raw=pdu.frame,
        text=decode_text(octets, pdu.data_coding, settings.codings, fill=fill, languages=header.languages),
        concatenated=header.concatenated or _by_sar(pdu.tlvs),
    )


def decode_text(
    octets: bytes,
    data_coding: int,
    codings: Codings = USUAL_CODINGS,
    *,
    fill: int = 0,
    languages: Languages = NO_LANGUAGES,
) -> str:
    """Return the text; invalid octets become U+FFFD, and half of a surrogate pair stays as it is.

    `fill`: the fill bits of packed septets after a user data header; `languages`: those in that header.
    """
    locking, single = languages
    charset = _believed(_own_charset(data_coding, codings) or _charset(data_coding), octets)
    if charset != _PACKED and octets[:2] in _BYTE_ORDER_MARKS and len(octets) > 2:
        return octets[2 : len(octets) // 2 * 2].decode(_BYTE_ORDER_MARKS[octets[:2]], "surrogatepass").rstrip("\0")
    if charset == _PACKED:
        return gsm0338.decode(gsm0338.unpack(octets, fill=fill), locking=locking, single=single)
    if charset == _GSM:
        if not octets.isascii():
            return _not_septets(octets)
        return gsm0338.decode(octets, locking=locking, single=single)
    if charset == _UCS2:
        even = octets[: len(octets) // 2 * 2]
        return even.decode(_UCS2, "surrogatepass").rstrip("\0")
    if charset == _ASCII:
        return (octets.decode(_ASCII) if octets.isascii() else _not_septets(octets)).rstrip("\0")
    return octets.decode(charset, "replace").rstrip("\0")


_BYTE_ORDER_MARKS = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}
"""No text begins so except in UCS-2."""


def _believed(charset: str, octets: bytes) -> str:
    """Return the charset of a text, even against its data_coding if its octets prove another one.

    Two or more letters, each after a zero octet, are UCS-2; plain ASCII of odd length is not.
    """
    if charset == _UCS2:
        plain = octets.rstrip(b"\0")
        return _ASCII if len(octets) % 2 and plain and all(0x20 <= one < 0x7F for one in plain) else charset
    letters = octets.rstrip(b"\0")
    two_letters = len(letters) >= 4 and not len(letters) % 2
    if charset != _PACKED and two_letters and not any(letters[::2]) and all(letters[1::2]):
        return _UCS2
    return charset


def _own_charset(data_coding: int, codings: Codings) -> str | None:
    """Return the operator's own meaning of a data_coding; None if it has none."""
    if data_coding == 0:
        return _ALPHABETS[codings.alphabet]
    if data_coding == codings.ucs2:
        return _UCS2
    if data_coding == codings.latin1:
        return _OCTETS
    if data_coding == codings.gsm:
        return _PACKED if codings.alphabet is Alphabet.GSM_PACKED else _GSM
    return None


def _charset(data_coding: int) -> str:
    """Return the charset; the groups beyond SMPP's are those of GSM 03.38 (3GPP TS 23.038, 4)."""
    if data_coding in _CHARSETS:
        return _CHARSETS[data_coding]
    if 0x10 <= data_coding < 0x40:
        return (_GSM, _OCTETS, _UCS2, _GSM)[data_coding >> 2 & 3]
    if 0xE0 <= data_coding < 0xF0:
        return _UCS2
    if data_coding in {2, 4} or (data_coding >= 0xF0 and data_coding & 0x04):
        return _OCTETS
    return _GSM


def _not_septets(octets: bytes) -> str:
    """Return a text of eight-bit octets although data_coding says otherwise."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _read_header(header: bytes) -> Header:
    """Return what a user data header contains; malformed elements are ignored.

    If an element that may come once is repeated, the last one counts (3GPP TS 23.040, 9.2.3.24).
    """
    found = NO_HEADER
    place = 0
    while place + 2 <= len(header):
        element, length = header[place], header[place + 1]
        value = header[place + 2 : place + 2 + length]
        if element == _EIGHT_BITS and len(value) == 3:
            found = found._replace(concatenated=_parts(value[0], value[1], value[2]) or found.concatenated)
        elif element == _SIXTEEN_BITS and len(value) == 4:
            reference = _OF_SIXTEEN_BITS | int.from_bytes(value[:2], "big")
            found = found._replace(concatenated=_parts(reference, value[2], value[3]) or found.concatenated)
        elif element == _SINGLE_SHIFT and len(value) == 1:
            found = found._replace(languages=found.languages._replace(single=value[0]))
        elif element == _LOCKING_SHIFT and len(value) == 1:
            found = found._replace(languages=found.languages._replace(locking=value[0]))
        place += 2 + length
    return found


def _by_sar(tlvs: dict[int, bytes]) -> Concatenated | None:
    reference = tlvs.get(Tag.SAR_MSG_REF_NUM, b"")
    total, part = tlvs.get(Tag.SAR_TOTAL_SEGMENTS, b""), tlvs.get(Tag.SAR_SEGMENT_SEQNUM, b"")
    if (len(reference), len(total), len(part)) != (2, 1, 1):
        return None
    return _parts(_OF_SAR | int.from_bytes(reference, "big"), total[0], part[0])


def _parts(reference: int, total: int, part: int) -> Concatenated | None:
    """Return the part if it is one of several; None for a whole text."""
    return Concatenated(reference, total, part) if total > 1 and 1 <= part <= total else None
