"""What a number is, by the numbering plans of the library phonenumbers (contract 4.3).

The library takes seconds to load and as much memory as all of a server, and 500 numbers a tenth of a second: so a
process of its own does it. `python -m esito.api.plans` reads lines of JSON, each a list of numbers, and answers each
with a line: what they are, in the same order, or null where the library is not installed. It ends with its input.
"""

import sys
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import msgspec

from esito.domain.msisdn import InvalidMsisdn, normalise

INVALID = "Le numéro de téléphone est vide ou n'est pas valide."
LANGUAGE = "fr"

KINDS = {0: "fixed-line", 1: "mobile", 2: "fixed-line-or-mobile", 3: "toll-free", 4: "premium-rate", 5: "shared-cost",
         6: "voip", 7: "personal", 8: "pager", 9: "uan", 10: "voicemail"}  # fmt: skip
"""Names of phonenumbers' PhoneNumberType."""


def answer_lines() -> None:
    """Answer until there is no more input."""
    installed = find_spec("phonenumbers") is not None
    for line in sys.stdin.buffer:
        raws = msgspec.json.decode(line, type=list[str])
        told = [_looked_up(raw) for raw in raws] if installed else None
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()


def _looked_up(raw: str) -> dict[str, Any]:
    bad = {"request": raw, "success": False, "message": INVALID}
    try:
        msisdn = normalise(raw)
    except InvalidMsisdn:
        return bad
    library = _library()
    try:
        number = library.parse(msisdn, None)
    except library.NumberParseException:
        return bad
    if not library.is_valid_number(number):
        return bad
    e164 = library.format_number(number, library.PhoneNumberFormat.E164)
    return {
        "request": raw,
        "success": True,
        "countryCode": _country(library, number),
        "prefixCode": number.country_code,
        "phoneNumber": e164,
        "type": KINDS.get(library.number_type(number), "unknown"),
        "network": library.carrier.name_for_number(number, LANGUAGE),
        "format": {
            "e164": e164,
            "international": library.format_number(number, library.PhoneNumberFormat.INTERNATIONAL),
            "national": library.format_number(number, library.PhoneNumberFormat.NATIONAL),
            "rfc3966": library.format_number(number, library.PhoneNumberFormat.RFC3966),
        },
    }


@lru_cache(maxsize=1)
def _library() -> Any:
    """Load the library, an extra that takes seconds, with the parts that are used."""
    for part in ("phonenumbers.carrier", "phonenumbers.geodata.locale"):
        import_module(part)
    return import_module("phonenumbers")


def _country(library: Any, number: Any) -> str:
    """Return the name of the number's country; the library's own way has none where countries share a calling code."""
    names = library.geodata.locale.LOCALE_DATA.get(library.region_code_for_number(number), {})
    name = str(names.get(LANGUAGE, ""))
    return str(names.get(name[1:], "")) if name.startswith("*") else name  # `*en` means: as in English


if __name__ == "__main__":
    answer_lines()
