"""Phone numbers: every way clients write them, and the one way we keep them (contract 2.1, 6 row 15)."""

import re
from collections.abc import Iterable

from esito.domain.dialling import (
    COUNTRY_OF_PREFIX,
    LENGTHS,
    LONGEST_PREFIX,
    MOBILE_PREFIXES,
    NON_GEOGRAPHIC,
    OVERSEAS,
)
from esito.domain.errors import EsitoError

_COMMON = re.compile(r"(?:\+|00)?33([67][0-9]{8})|0((?:6(?!39|9[0-467])|7(?!09))[0-9]{8})")
"""What nearly all numbers look like; national numbers of overseas ranges (0639, 0690, 0709) take the long way."""

_PUNCTUATION = dict.fromkeys(map(ord, " .-/()\t\u00a0\u2009\u202f\u2010\u2011\u2013"))
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2069\ufeff"))
"""Marks that address books and spreadsheets leave around a copied number."""

_NOISE = _PUNCTUATION | _INVISIBLE

_TRUNK_ZERO = re.compile(r"(?<=.)\(0\)")
"""As in +33 (0)6: dialled within the country only. One that opens a number, (0)6, is the number's own."""

_SHORTEST, _LONGEST = 8, 15

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
    `00` are followed by a calling code, and so is anything else. A leading blank is a `+`
    that form-decoding turned into it; as a number without either is read the same way, it
    can be dropped, and so ` 0612345678` stays the French number it must have been.
    """
    common = _COMMON.fullmatch(raw)
    if common is not None:
        return f"+33{common[1] or common[2]}"
    if len(raw) > _LONGEST_WRITTEN:
        raise InvalidMsisdn(raw)
    digits = _international(_TRUNK_ZERO.sub("", raw.strip()).translate(_NOISE))
    if digits.startswith("330"):
        digits = f"33{digits[3:]}"  # +33 06...: the trunk 0 written without its parentheses
    if not (digits.isascii() and digits.isdecimal() and _SHORTEST <= len(digits) <= _LONGEST):
        raise InvalidMsisdn(raw)
    country = country_of(digits)
    if country is None and not digits.startswith(NON_GEOGRAPHIC):
        raise InvalidMsisdn(raw)
    least, most = LENGTHS.get(country or "", (_SHORTEST, _LONGEST))
    if not least <= len(digits) <= most:
        raise InvalidMsisdn(raw)
    return f"+{digits}"


def _international(written: str) -> str:
    """Return what follows the plus, whichever way the country was told."""
    if written.startswith("+"):
        return written[1:]
    if written.startswith("00"):
        return written[2:]
    if written.startswith("0"):
        national = written[1:]
        range_ = longest_prefix(national, OVERSEAS)
        return (OVERSEAS[range_] if range_ else "33") + national
    return written


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
    for length in range(LONGEST_PREFIX, 0, -1):
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
