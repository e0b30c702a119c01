"""Phone numbers: every way clients write them, and the one way we keep them (contract 2.1, 6 row 15)."""

import re
from collections.abc import Iterable

from esito.domain.dialling import (
    COUNTRY_OF_PREFIX,
    LONGEST_PREFIX,
    MOBILE_PREFIXES,
    NATIONAL_LENGTHS,
    OVERSEAS_MOBILES,
)

_COMMON = re.compile(r"(?:\+|00)?33([67]\d{8})|0(6[0-24-8]\d{7}|7\d{8})", re.ASCII)
"""What nearly all numbers look like; overseas ranges (0639, 069x) take the long way."""

_PUNCTUATION = str.maketrans("", "", " .-/\t\u00a0\u202f()")
_SHORTEST, _LONGEST = 8, 15


class InvalidMsisdn(ValueError):
    """The text is no phone number; `raw` is what was given."""

    def __init__(self, raw: str) -> None:
        super().__init__(f"not a phone number: {raw!r}")
        self.raw = raw


def normalise(raw: str) -> str:
    """Return E.164 with plus. Raises InvalidMsisdn.

    A leading blank means `+`, which form-decoding turned into it (contract 0). A number
    that begins with a single 0 is French, anything else begins with its calling code.
    """
    common = _COMMON.fullmatch(raw)
    if common is not None:
        return f"+33{common[1] or common[2]}"
    written = raw.strip().replace("(0)", "").translate(_PUNCTUATION)
    international = raw[:1] == " " and written[:1].isdigit() and written[:1] != "0"
    digits = written.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        raise InvalidMsisdn(raw)
    if not international and not written.startswith("+"):
        digits = _with_calling_code(digits)
    if not _SHORTEST <= len(digits) <= _LONGEST:
        raise InvalidMsisdn(raw)
    country = country_of(digits)
    if country is None or len(digits) != NATIONAL_LENGTHS.get(country, len(digits)):
        raise InvalidMsisdn(raw)
    return f"+{digits}"


def _with_calling_code(digits: str) -> str:
    if digits.startswith("00"):
        return digits[2:]
    if digits.startswith("0"):
        return OVERSEAS_MOBILES.get(digits[1:4], "33") + digits[1:]
    return digits


def normalise_many(raws: Iterable[str]) -> list[str]:
    """Normalise a list. Raises InvalidMsisdn for the first that is no number."""
    match = _COMMON.fullmatch
    return [
        f"+33{common[1] or common[2]}" if (common := match(raw)) is not None else normalise(raw) for raw in raws
    ]


def split_numbers(value: str) -> list[str]:
    """Split a comma-separated list; blanks around a number and empty items mean nothing."""
    return [stripped for item in value.split(",") if (stripped := item.strip())]


def country_of(number: str) -> str | None:
    """Return the ISO 3166 code of the number's country by its longest calling code; None for an unassigned one."""
    digits = number.removeprefix("+")
    for length in range(LONGEST_PREFIX, 0, -1):
        country = COUNTRY_OF_PREFIX.get(digits[:length])
        if country is not None:
            return country
    return None


def is_mobile(msisdn: str) -> bool | None:
    """Tell whether a number is a mobile one; None where only the operator can know."""
    prefixes = MOBILE_PREFIXES.get(country_of(msisdn) or "")
    return None if prefixes is None else msisdn.removeprefix("+").startswith(prefixes)


def mask(msisdn: str) -> str:
    """Return a number as logs may show it: country and first digit, last two digits."""
    return f"{msisdn[:4]}{'*' * max(len(msisdn) - 6, 1)}{msisdn[-2:]}" if len(msisdn) > 6 else "*" * len(msisdn)


def longest_prefix(msisdn: str, prefixes: Iterable[str]) -> str | None:
    """Return the longest of the prefixes (`+33`, or empty for any) that the number begins with."""
    return max((prefix for prefix in prefixes if msisdn.startswith(prefix)), key=len, default=None)
