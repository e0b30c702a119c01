"""Phone numbers: every way clients write them, and the one way we keep them (contract 2.1, 6 row 15)."""

import re
import unicodedata
from collections.abc import Iterable

from esito.domain.dialling import COUNTRY_OF_PREFIX, LENGTHS, MOBILE_PREFIXES, NON_GEOGRAPHIC, PREFIX_LENGTHS
from esito.domain.errors import EsitoError
from esito.domain.national_numbers import DEPARTMENTS, FRANCE, calling_code, code_of_country, whole_number

_COMMON = re.compile(
    r"(?:\+|00)?33((?:6(?!39|9[0-467])|7(?!0[89]))[0-9]{8})|0((?:6(?!39|9[0-467])|7(?!0[89]))[0-9]{8})"
)
"""Fast path for most numbers; overseas ranges (0639, 0690, 0708, 0709) go through the plans."""

_TRUNK_ZERO = re.compile(r"(?<=.)[(\[\uff08]\s*[0\uff10]\s*[)\]\uff09]")
"""As in +33 (0)6: dialled within the country only. At the beginning, as in (0)6, it belongs to the number."""

_SHORTEST, _LONGEST = 8, 15

_WITHOUT_ITS_ZERO = 9
"""Digits of a French number that lost its 0 in a spreadsheet; they may be a whole number of a small country."""

_LONGEST_WRITTEN = 100
"""Characters of a number with everything between its digits; longer texts are refused unread."""


class InvalidMsisdn(EsitoError, ValueError):
    """The text is no phone number; `raw` is what was given, `raws` all such texts of a list (contract 2.6, code 9)."""

    def __init__(self, raw: str, *others: str) -> None:
        super().__init__(f"not a phone number: {raw[:_LONGEST_WRITTEN]!r}")
        self.raw = raw
        self.raws = (raw, *others)


def normalise(raw: str) -> str:
    """Return E.164 with plus (contract 2.1; 6, rows 15 and 24). Raises InvalidMsisdn.

    A number that begins with a single 0 is French, overseas departments included. After `+`
    or `00` comes a calling code; other digits begin with one too, except nine digits, which
    may be a French number that lost its 0. The rest must be exactly one number in the plan
    of that country (`national_numbers`).
    """
    common = _COMMON.fullmatch(raw)
    if common is not None:
        return f"+33{common[1] or common[2]}"
    if len(raw) > _LONGEST_WRITTEN:
        raise InvalidMsisdn(raw)
    number = _read(plain(raw))
    written = raw.strip()
    without = _TRUNK_ZERO.sub("", written)
    if without != written:  # the plan tells whether the 0 in parentheses is dialled
        other = _read(plain(without))
        number = number or other if None in (number, other) or number == other else None
    if number is None:
        raise InvalidMsisdn(raw)
    return f"+{number}"


def read_address(address: str, *, country: str = "", national: bool = False) -> str | None:
    """Return E.164 with plus of a number as an operator writes it; None if it is no number, such as a name.

    Operators write digits alone for international numbers, even nine digits. `national` or a leading 0 says that it is
    a national one. `country` (ISO 3166): the operator's; empty: unknown, and a national number is French.
    """
    written = plain(address.strip().removeprefix("tel:"))
    if written.startswith(("+", "00")):
        number = _read(written)
    elif national or written.startswith("0"):
        number = _at_home(country or "FR", written) or _international(written)
    else:
        number = _international(written) or _at_home(country, written)
    return None if number is None else f"+{number}"


def _read(written: str) -> str | None:
    """Return the whole number without the plus; None if it is no number."""
    common = _COMMON.fullmatch(written)
    if common is not None:
        return f"33{common[1] or common[2]}"
    if written.startswith("+"):
        return _international(written[1:])
    if written.startswith("00"):
        return _international(written[2:])
    if written.startswith("0"):
        return _behind(FRANCE, written)
    return None if len(written) == _WITHOUT_ITS_ZERO else _international(written)


def _at_home(country: str, written: str) -> str | None:
    code = code_of_country(country)
    if code is None:
        return None
    # Between France and its departments overseas one dials as at home.
    return _behind(code, written) or (_behind(FRANCE, written) if code in DEPARTMENTS else None)


def _international(digits: str) -> str | None:
    code = calling_code(digits)
    if code is not None:
        return _behind(code, digits[len(code) :])
    # A number of no country has no price (code 13), so it is never sent to.
    return digits if digits.startswith(NON_GEOGRAPHIC) and _is_e164(digits) else None


def _behind(code: str, national: str) -> str | None:
    """Return the number that a calling code and these digits make."""
    if not (national.isascii() and national.isdecimal() and len(national) <= 2 * _LONGEST):
        return None
    number = whole_number(code, national)
    return number if number is not None and _is_e164(number) else None


def _is_e164(digits: str) -> bool:
    least, most = LENGTHS.get(country_of(digits) or "", (_SHORTEST, _LONGEST))
    return digits.isascii() and digits.isdecimal() and least <= len(digits) <= most


def normalise_many(raws: Iterable[str]) -> list[str]:
    """Normalise a list. Raises InvalidMsisdn with all texts that are no number."""
    match = _COMMON.fullmatch
    wrong: list[str] = []
    numbers: list[str] = []
    for raw in raws:
        common = match(raw)
        if common is not None:
            numbers.append(f"+33{common[1] or common[2]}")
            continue
        try:
            numbers.append(normalise(raw))
        except InvalidMsisdn:
            wrong.append(raw)
    if wrong:
        raise InvalidMsisdn(*wrong)
    return numbers


def split_numbers(value: str) -> list[str]:
    """Split a comma-separated list; blanks and empty items are ignored (contract 2.1)."""
    return [stripped for item in value.split(",") if (stripped := item.strip())]


def country_of(number: str) -> str | None:
    """Return the ISO 3166 code of a number's country, by the longest calling code; None if it has no country."""
    digits = number.removeprefix("+")
    for length in reversed(PREFIX_LENGTHS.get(digits[:2], (1,))):
        country = COUNTRY_OF_PREFIX.get(digits[:length])
        if country is not None:
            return country
    return None


def is_mobile(msisdn: str) -> bool | None:
    """Tell whether a number is mobile (contract 2.6, second layer); None if only the operator can tell."""
    prefixes = MOBILE_PREFIXES.get(country_of(msisdn) or "")
    return None if prefixes is None else msisdn.removeprefix("+").startswith(prefixes)


def longest_prefix(msisdn: str, prefixes: Iterable[str]) -> str | None:
    """Return the longest of the prefixes (`+33`, or empty for any) that the number begins with."""
    return max((prefix for prefix in prefixes if msisdn.startswith(prefix)), key=len, default=None)


# -- how numbers are written: digits and a plus count; blanks, dashes, brackets and invisible marks do not ----

_SHOWS_NOTHING = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202D), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
    *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    (0xE0000, 0xE0FFF),
)
"""First and last of the invisible characters (Unicode's Default_Ignorable_Code_Point, annotations, blanks).

U+202E is not among them: it reverses digits, so the number that was seen is not the one that is read.
"""

_DASHES = "\u02d7\u2043\u2053\u207b\u208b\u2212\u23af\u2500\u2501\u2796\u30fc\u30fb\uff70"
"""Dashes, or their Japanese equivalents, that have another Unicode category."""

_FULL_WIDTH = range(0xFF01, 0xFF5F)
"""ASCII in full width, as in China and Japan ..."""
_TO_ASCII = 0xFEE0
"""... and how far each character is from its ASCII one."""

_PUNCTUATION = "./()[]\u00b7\u2022\u2024\u2027"


class _Plain(dict[int, str]):
    """What each character is reduced to; look-ups are not stored, as there are a million characters."""

    def __missing__(self, point: int) -> str:
        return _reduced(point)


def _reduced(point: int) -> str:
    sign = chr(point - _TO_ASCII if point in _FULL_WIDTH else point)
    return "" if _means_nothing(sign) else sign


def _means_nothing(sign: str) -> bool:
    return (
        sign.isspace()
        or sign in _PUNCTUATION
        or sign in _DASHES
        or unicodedata.category(sign) == "Pd"
        or any(first <= ord(sign) <= last for first, last in _SHOWS_NOTHING)
    )


_PLAIN = _Plain({point: _reduced(point) for point in (*range(0x100), *range(0x2000, 0x2070), *_FULL_WIDTH)})


def plain(written: str) -> str:
    """Return a written number without what does not count; what is neither digit nor plus but counts stays."""
    return written.translate(_PLAIN)
