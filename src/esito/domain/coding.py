"""How a text is encoded for one operator: its alphabet, its data_coding, and where it is cut.

The segments of a text are counted, and paid, when it is accepted. It is encoded in the
first alphabet that has all its characters and needs exactly as many segments; if there is
none, in the operator's own, with the nearest characters that it has.
"""

import unicodedata
from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from typing import NamedTuple

from esito.domain import gsm0338
from esito.domain.text import GSM, UCS2, UNWRITABLE, PreparedText, cut_septets, cut_ucs2, prepare

SEGMENT_OCTETS = 140
"""Octets of user data in one short message, a user data header included (3GPP TS 23.040, 9.2.3.16)."""

SHORT_HEADER, LONG_HEADER = 6, 7
"""Octets of a concatenation header with a reference of 8 and of 16 bits."""

LATIN1 = 0x03
"""data_coding of Latin-1 (SMPP 3.4, 5.2.19)."""


class Alphabet(Enum):
    """The alphabet that an operator means by data_coding 0."""

    GSM = "gsm"
    """GSM 03.38, one septet per octet: what nearly every operator means."""
    GSM_PACKED = "gsm-packed"
    """GSM 03.38, eight septets in seven octets, as on the air (3GPP TS 23.038, 6.1.2.1)."""
    LATIN1 = "latin1"
    ASCII = "ascii"

    __hash__ = object.__hash__  # by identity: faster, and hashed for every segment


class Codings(NamedTuple):
    """The alphabet of data_coding 0, and the data_coding of each alphabet."""

    alphabet: Alphabet = Alphabet.GSM
    gsm: int = GSM
    latin1: int = LATIN1
    ucs2: int = UCS2


USUAL_CODINGS = Codings()


class Written(NamedTuple):
    """An encoded text: the octets of each segment, without headers."""

    pieces: tuple[bytes, ...]
    data_coding: int
    header: int
    """Octets of the header that each piece has room for; 0 if there is one piece."""


class _Way(NamedTuple):
    """One way to encode a text."""

    data_coding: int
    cut: Callable[[PreparedText, int], list[bytes]]
    """Returns the pieces, with room for a header of that many octets. Raises UnicodeEncodeError."""
    packed: bool = False


def write(
    text: str,
    *,
    unicode: bool,
    segments: int,
    codings: Codings = USUAL_CODINGS,
    header: int = SHORT_HEADER,
    in_header: bool = True,
) -> Written:
    """Encode a text in as many segments as were accepted.

    `header`: the longest one the operator takes; if that needs one more segment, the short one is used.
    `in_header`: whether we write the header ourselves, so that packed septets begin after it.
    """
    prepared = prepare(text, unicode=unicode)
    headers = dict.fromkeys((header, SHORT_HEADER)) if segments > 1 else (0,)
    for way in _ways(prepared, codings):
        for octets in headers:
            pieces = _cut(way, prepared, octets)
            if len(pieces) == segments:
                return _written(way, pieces, octets, in_header=in_header)
    shortest = 0 if segments == 1 else SHORT_HEADER
    way = _last_resort(prepared, codings)
    return _written(way, way.cut(prepared, shortest), shortest, in_header=in_header)


@lru_cache(maxsize=1024)
def whole(text: str, *, unicode: bool, codings: Codings = USUAL_CODINGS) -> tuple[bytes, int]:
    """Return the octets and data_coding of a whole text, which the operator cuts itself."""
    prepared = prepare(text, unicode=unicode)
    way, pieces = next((way, found) for way in _ways(prepared, codings) if (found := _cut(way, prepared, WHOLE)))
    return _written(way, pieces, 0, in_header=False).pieces[0], way.data_coding


WHOLE = -(1 << 20)
"""In place of a header's octets: any text fits one piece."""


def _cut(way: _Way, prepared: PreparedText, header: int) -> list[bytes]:
    """Return the pieces; none if the text cannot be encoded this way."""
    try:
        return way.cut(prepared, header)
    except UnicodeEncodeError:
        return []


def _written(way: _Way, pieces: list[bytes], header: int, *, in_header: bool) -> Written:
    if way.packed:
        fill = gsm0338.fill_bits(header if in_header else 0)
        pieces = [gsm0338.pack(piece, fill=fill) for piece in pieces]
    return Written(tuple(pieces), way.data_coding, header)


def _ways(prepared: PreparedText, codings: Codings) -> list[_Way]:
    """Return the ways to encode a text here, best first; the last ones encode every text."""
    ucs2 = _Way(codings.ucs2, _ucs2)
    if prepared.unicode:
        return [ucs2]
    ways = []
    charset = _CHARSETS.get(codings.alphabet)
    if charset is not None:
        ways.append(_Way(0, partial(_transcoded, charset)))
    if charset is None or codings.gsm:
        ways.append(_Way(codings.gsm, _septets, packed=codings.alphabet is Alphabet.GSM_PACKED))
    return [*ways, _Way(codings.latin1, _latin1), ucs2]


def _last_resort(prepared: PreparedText, codings: Codings) -> _Way:
    """Return the way for a text that no other encodes in its number of segments."""
    charset = _CHARSETS.get(codings.alphabet)
    if charset is None or prepared.unicode:
        return _ways(prepared, codings)[0]
    return _Way(0, partial(_likened, charset))


_CHARSETS = {Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}


def _septets(prepared: PreparedText, header: int) -> list[bytes]:
    return cut_septets(gsm0338.encode(prepared.text), (SEGMENT_OCTETS - header) * 8 // 7)


def _transcoded(charset: str, prepared: PreparedText, header: int) -> list[bytes]:
    """Encode in the operator's alphabet; it goes on the air in septets, so septets are counted."""
    return [gsm0338.decode(piece).encode(charset) for piece in _septets(prepared, header)]


def _likened(charset: str, prepared: PreparedText, header: int) -> list[bytes]:
    """Encode in the operator's alphabet, replacing each character that it lacks by the nearest one."""
    return [
        "".join(_nearest(char, charset) for char in gsm0338.decode(piece)).encode(charset)
        for piece in _septets(prepared, header)
    ]


def _latin1(prepared: PreparedText, header: int) -> list[bytes]:
    octets, most = prepared.text.encode("latin-1"), SEGMENT_OCTETS - header
    return [octets[start : start + most] for start in range(0, len(octets), most)] or [b""]


def _ucs2(prepared: PreparedText, header: int) -> list[bytes]:
    return cut_ucs2(prepared.text.encode("utf-16-be"), (SEGMENT_OCTETS - header) // 2)


@lru_cache(maxsize=1024)
def _nearest(char: str, charset: str) -> str:
    """Return the nearest character of a charset."""
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        bare = unicodedata.normalize("NFKD", char)[0]
        return bare if bare.isascii() else UNWRITABLE
    return char
