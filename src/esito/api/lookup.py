"""What a number is, by the numbering plans: country, kind, network it was given to (contract 4.3).

Nobody is asked: the plans are those of the library phonenumbers, an extra of this package.
A number that was ported to another network is shown under the one it was given to.
"""

import re
from typing import Any

from esito.api.answer import Answer
from esito.api.call import Call, as_text
from esito.api.limits import check
from esito.api.xml import Value
from esito.domain.errors import LookupUnavailable, NumbersNotSeparated, PhoneNumberMissing, TooManyRecipients
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import InvalidMsisdn, normalise, split_numbers

INVALID = "Le numéro de téléphone est vide ou n'est pas valide."
LANGUAGE = "fr"
SEPARATORS = re.compile(r"[;|\n\t]|(?<=[0-9]) +\+")
"""What people write between numbers instead of commas."""

KINDS = {0: "fixed-line", 1: "mobile", 2: "fixed-line-or-mobile", 3: "toll-free", 4: "premium-rate", 5: "shared-cost",
         6: "voip", 7: "personal", 8: "pager", 9: "uan", 10: "voicemail"}  # fmt: skip
"""Names of phonenumbers' PhoneNumberType."""


async def lookup(call: Call) -> Answer:
    """POST /v1/lookup: up to 500 numbers, 360 times a minute."""
    check(call.services.limits.lookups, call.account.id, call.services.clock.now())
    value = call.inputs.raw("phoneNumbers")
    if isinstance(value, list):
        raws = [as_text(item).strip() for item in value]
    else:
        text = as_text(value)
        if SEPARATORS.search(text.strip()):
            raise NumbersNotSeparated
        raws = split_numbers(text)
    if not raws:
        raise PhoneNumberMissing
    if len(raws) > MAX_RECIPIENTS:
        raise TooManyRecipients
    library = _library()
    return call.answer({"lookup": [_looked_up(library, raw) for raw in raws]})


def _library() -> Any:
    try:
        import phonenumbers  # noqa: PLC0415  an extra, and slow to load
        import phonenumbers.carrier  # noqa: PLC0415  as above
        import phonenumbers.geodata.locale  # noqa: PLC0415  as above
    except ImportError:
        raise LookupUnavailable from None
    return phonenumbers


def _looked_up(library: Any, raw: str) -> dict[str, Value]:
    bad: dict[str, Value] = {"request": raw, "success": False, "message": INVALID}
    try:
        number = library.parse(normalise(raw), None)
    except (InvalidMsisdn, library.NumberParseException):
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


def _country(library: Any, number: Any) -> str:
    """Return the name of the number's country; the library's own way has none where countries share a calling code."""
    names = library.geodata.locale.LOCALE_DATA.get(library.region_code_for_number(number), {})
    name = str(names.get(LANGUAGE, ""))
    return str(names.get(name[1:], "")) if name.startswith("*") else name  # `*en` means: as in English
