"""Phone numbers: every way clients write them, and the one way we keep them (contract 2.1, 6 row 15)."""

import re
from collections.abc import Iterable

from esito.domain.dialling import COUNTRY_OF_PREFIX, LENGTHS, MOBILE_PREFIXES, NON_GEOGRAPHIC, PREFIX_LENGTHS
from esito.domain.errors import EsitoError
from esito.domain.numbering import DEPARTMENTS, FRANCE, calling_code, code_of_country, whole_number
from esito.domain.written import plain

_COMMON = re.compile(
    r"(?:\+|00)?33((?:6(?!39|9[0-467])|7(?!0[89]))[0-9]{8})|0((?:6(?!39|9[0-467])|7(?!0[89]))[0-9]{8})"
)
"""What nearly all numbers look like; those of overseas ranges (0639, 0690, 0708, 0709) take the long way."""

_TRUNK_ZERO = re.compile(r"(?<=.)[(\[\uff08]\s*[0\uff10]\s*[)\]\uff09]")
"""As in +33 (0)6: dialled within the country only. One that opens a number, (0)6, is the number's own."""

_SHORTEST, _LONGEST = 8, 15

_WITHOUT_ITS_ZERO = 9
"""Digits of a French number whose 0 a spreadsheet has taken; they may be a whole number of a small country."""

_LONGEST_WRITTEN = 100
"""Signs of a number, with all that may stand between its digits; what is longer is none, and not looked at."""


class InvalidMsisdn(EsitoError, ValueError):
    """The text is no phone number; `raw` is what was given, `raws` all such texts of a list (contract 2.6, code 9)."""

    def __init__(self, raw: str, *others: str) -> None:
        super().__init__(f"not a phone number: {raw[:_LONGEST_WRITTEN]!r}")
        self.raw = raw
        self.raws = (raw, *others)


def normalise(raw: str) -> str:
    """Return E.164 with plus (contract 2.1; 6, rows 15 and 24). Raises InvalidMsisdn.

    A number that begins with a single 0 is French, of the overseas departments too; `+` and
    `00` are followed by a calling code, and so is anything else, but for nine digits, which
    may be a French number that has lost its 0. What follows a calling code is a number that
    its country's plan knows, and only one (`numbering`); any other text is refused.
    """
    common = _COMMON.fullmatch(raw)
    if common is not None:
        return f"+33{common[1] or common[2]}"
    if len(raw) > _LONGEST_WRITTEN:
        raise InvalidMsisdn(raw)
    number = _read(plain(raw))
    written = raw.strip()
    without = _TRUNK_ZERO.sub("", written)
    if without != written:  # whether the 0 in parentheses is dialled, the plan knows
        other = _read(plain(without))
        number = number or other if None in (number, other) or number == other else None
    if number is None:
        raise InvalidMsisdn(raw)
    return f"+{number}"


def read_address(address: str, *, country: str = "", national: bool = False) -> str | None:
    """Return E.164 with plus of a number as an operator writes it; None for what is none, such as a name.

    Operators know what they write, so that digits alone are international, nine of them too. `national` says that
    these are not, and so does a leading 0. `country` (ISO 3166) is the operator's; empty: not known, and then a
    national number is French.
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
    """Return the whole number, without the plus, whichever way its country was told; None when it is none."""
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
    # What is of no country has no price either (code 13), so that it goes to nobody.
    return digits if digits.startswith(NON_GEOGRAPHIC) and _is_e164(digits) else None


def _behind(code: str, national: str) -> str | None:
    """Return the number that these digits mean behind a calling code."""
    if not (national.isascii() and national.isdecimal() and len(national) <= 2 * _LONGEST):
        return None
    number = whole_number(code, national)
    return number if number is not None and _is_e164(number) else None


def _is_e164(digits: str) -> bool:
    least, most = LENGTHS.get(country_of(digits) or "", (_SHORTEST, _LONGEST))
    return digits.isascii() and digits.isdecimal() and least <= len(digits) <= most


def normalise_many(raws: Iterable[str]) -> list[str]:
    """Normalise a list. Raises InvalidMsisdn with all of its texts that are no number."""
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
    """Split a comma-separated list; blanks and empty items mean nothing (contract 2.1)."""
    return [stripped for item in value.split(",") if (stripped := item.strip())]


def country_of(number: str) -> str | None:
    """Return the ISO 3166 code of the number's country by its longest calling code; None where there is no country."""
    digits = number.removeprefix("+")
    for length in reversed(PREFIX_LENGTHS.get(digits[:2], (1,))):
        country = COUNTRY_OF_PREFIX.get(digits[:length])
        if country is not None:
            return country
    return None


def is_mobile(msisdn: str) -> bool | None:
    """Tell whether a number is a mobile one (contract 2.6, second layer); None where only the operator can know."""
    prefixes = MOBILE_PREFIXES.get(country_of(msisdn) or "")
    return None if prefixes is None else msisdn.removeprefix("+").startswith(prefixes)


def mask(msisdn: str) -> str:
    """Return a number as logs may show it: country and first digit, last two digits."""
    return f"{msisdn[:4]}{'*' * max(len(msisdn) - 6, 1)}{msisdn[-2:]}" if len(msisdn) > 6 else "*" * len(msisdn)


def mask_for_people(msisdn: str) -> str:
    """Return a number as pages of administrators show it: its last four digits."""
    return "*" * max(len(msisdn) - 4, 1) + msisdn[-4:] if len(msisdn) > 4 else "*" * len(msisdn)


def longest_prefix(msisdn: str, prefixes: Iterable[str]) -> str | None:
    """Return the longest of the prefixes (`+33`, or empty for any) that the number begins with."""
    return max((prefix for prefix in prefixes if msisdn.startswith(prefix)), key=len, default=None)
