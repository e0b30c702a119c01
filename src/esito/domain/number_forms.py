"""The forms in which operators write a subscriber's number: we keep E.164 digits, they write what their network uses.

A number may come with `+`, after 00 or another access code, in national form with or without the country's trunk
prefix, or as it was before its country changed its plan. It is always a whole number: numbers that only end alike are
different people. A number with `+` is international, never a national one.
"""

from functools import lru_cache

from esito.domain.dialling import OVERSEAS

SUBSCRIBER = 7
"""Digits from which an address counts as a subscriber's number, not a short code."""

TAIL = 7
"""Last digits of a number, which its national and international forms share."""

_ACCESS = (
    *("00", "011", "0011", "009", "010", "119", "810"),
    *("001", "002", "005", "006", "007", "008", "00700", "00727", "00755"),
)
"""International access codes; ITU-T E.164 recommends 00."""

_TRUNKS = {
    "7": ("8",),
    "36": ("06",),
    "52": ("01", "044", "045"),
    "370": ("8",),
    "375": ("80", "8"),
    "992": ("8",),
    "993": ("8",),
    "998": ("8",),
}
"""Trunk prefixes by calling code, besides the usual 0 (ITU-T E.129)."""

_ONE_DIGIT = ("1", "7")
_TWO_DIGITS = (
    *("20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49"),
    *("51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66"),
    *("81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"),
)
"""Calling codes of two digits; all others have three (ITU-T E.164)."""

_ARGENTINA, _MEXICO, _BRAZIL, _BENIN, _IVORY_COAST, _GABON = "54", "52", "55", "229", "225", "241"

_OVERSEAS = {code: tuple(one for one in OVERSEAS if OVERSEAS[one] == code) for code in set(OVERSEAS.values())}
"""French overseas ranges by calling code; operators also write them with that of France."""

_PUNCTUATION = dict.fromkeys(map(ord, " .-/()\t\u00a0"))


def written_number(address: str) -> str:
    """Return a subscriber's number as it is written, without blanks and punctuation, with `+` if it has one.

    Empty if the address is a name, a short code, or all zeros.
    """
    if not (address.isascii() and address.isdecimal()):
        bare = address.strip().removeprefix("tel:").translate(_PUNCTUATION)
        digits = bare.lstrip("+")
        if not (digits.isascii() and digits.isdecimal()):
            return ""
        address = digits if bare == digits else f"+{digits}"
    return address if len(address) >= SUBSCRIBER and address.strip("+0") else ""


def tail_of(msisdn: str) -> int:
    """Return the last digits of one of our numbers (E.164 digits without plus), by which it is looked up."""
    return int(msisdn[-TAIL:] or 0)


def tails_of(written: str) -> set[int]:
    """Return the last digits that one of our numbers may have if it is written so."""
    digits = written.removeprefix("+")
    tails = {int(digits[-TAIL:])}
    if digits[-8:-6] == "15":  # Argentina's mobile prefix 15 may be within the last seven digits
        tails.add(int((digits[:-8] + digits[-6:])[-TAIL:]))
    return tails


def is_same_line(written: str, msisdn: str) -> bool:
    """Tell whether a written number is this one of ours (E.164 digits without plus)."""
    if written == msisdn:
        return True
    digits = written.removeprefix("+")
    if digits[-4:] != msisdn[-4:]:
        return False  # no form changes the last four digits
    return is_written_whole(written, msisdn) or (digits == written and digits in _within(msisdn))


def is_written_whole(written: str, msisdn: str) -> bool:
    """Tell whether it is written with its calling code: no other number reads so."""
    digits = written.removeprefix("+")
    for form in (msisdn, *_other_forms(msisdn), *_with_a_slip(msisdn)):
        if digits == form or (digits.endswith(form) and _is_access(digits[: -len(form)], written)):
            return True
    return False


def _is_access(before: str, written: str) -> bool:
    """Tell whether digits are an access code; after a `+` only one that cannot be a calling code."""
    return before in _ACCESS and (before.startswith("0") or not written.startswith("+"))


def are_one(one: str, other: str) -> bool:
    """Tell whether two written numbers are the same line; neither need be ours."""
    return any(
        bool(whole) and not whole.startswith("0") and is_same_line(written, whole)
        for written, whole in ((one, other.removeprefix("+")), (other, one.removeprefix("+")))
        if written
    )


@lru_cache(maxsize=4096)
def _within(msisdn: str) -> frozenset[str]:
    """Return how a number is written within its country, with and without a trunk prefix."""
    found: set[str] = set()
    for form in (msisdn, *_other_forms(msisdn)):
        code, national = _parts(form)
        if len(national) >= SUBSCRIBER:
            found |= {national, *(f"{trunk}{national}" for trunk in ("0", *_TRUNKS.get(code, ())))}
            if code == _BRAZIL:
                found |= {f"0{carrier:02}{national}" for carrier in range(100)}
    return frozenset(found)


def _with_a_slip(msisdn: str) -> list[str]:
    """Return common wrong forms: a trunk 0 after the calling code, or a missing 0 there."""
    code, national = _parts(msisdn)
    return [f"{code}{national[1:]}"] if national.startswith("0") else [f"{code}0{national}"]


def is_another_short_one(address: str, msisdn: str) -> bool:
    """Tell whether an address is another number of the same small country, written without calling code.

    In Andorra, Greenland and others numbers have six digits; elsewhere such an address is no subscriber's number.
    """
    _, national = _parts(msisdn)
    return len(address) == len(national) < SUBSCRIBER and address.isdecimal() and address != national


def _parts(msisdn: str) -> tuple[str, str]:
    """Return calling code and national number."""
    length = 1 if msisdn.startswith(_ONE_DIGIT) else 2 if msisdn.startswith(_TWO_DIGITS) else 3
    return msisdn[:length], msisdn[length:]


def _other_forms(msisdn: str) -> list[str]:
    """Return the other forms, with calling code, of a number whose country's plan has, or had, several."""
    code, national = _parts(msisdn)
    forms = _FORMS.get(code)
    if code in _OVERSEAS:
        return [f"33{national}"] if national.startswith(_OVERSEAS[code]) else []
    return [f"{code}{form}" for form in forms(national)] if forms else []


def current_form(code: str, national: str) -> str:
    """Return a national number in the one form in which we keep it and send to it: that of its present plan.

    An Argentine line gets the mobile form: a landline gets no SMS, and its mobile form is no other subscriber's.
    """
    if len(national) == 8 and code in (_BENIN, _IVORY_COAST):
        return _FORMS[code](national)[0]
    if len(national) == 7 and code == _GABON:
        return f"0{national}"
    if len(national) == 11 and code == _MEXICO and national[0] == "1":
        return national[1:]
    if len(national) == 10 and code == _BRAZIL and national[2] in "689":  # radio trunking has 7 and did not change
        return f"{national[:2]}9{national[2:]}"
    if len(national) == 10 and code == _ARGENTINA and national[0] in "123":
        return f"9{national}"
    return national


def former_spellings(msisdn: str) -> list[str]:
    """Return the other forms (E.164 digits) in which older STOP entries may be stored."""
    if msisdn.startswith("33"):
        return []
    slips = [] if msisdn.startswith("39") else _with_a_slip(msisdn)  # in Italy a 0 makes it another number
    return [*_other_forms(msisdn), *slips]


def _argentine(national: str) -> list[str]:
    """Return the forms of a mobile: 9 and ten digits from abroad; at home without 9, or 15 after the area code."""
    if len(national) == 11 and national[0] == "9":
        ten = national[1:]
    elif len(national) == 10:
        ten = national
    else:
        tens = {
            f"{national[:area]}{national[area + 2 :]}" for area in _area_codes(national) if _is_marked(national, area)
        }
        return [form for ten in tens for form in (f"9{ten}", ten)]
    marked = [f"{ten[:area]}15{ten[area:]}" for area in _area_codes(ten)]
    return [form for form in (f"9{ten}", ten, *marked) if form != national]


def _area_codes(national: str) -> tuple[int, ...]:
    """Return the possible lengths of an Argentine area code: 11 is Buenos Aires, others have three or four digits."""
    return (2,) if national.startswith("11") else (3, 4)


def _is_marked(national: str, area: int) -> bool:
    return len(national) == 12 and national[area : area + 2] == "15"


def _mexican(national: str) -> list[str]:
    """Return it with or without the 1 that mobiles had before their ten digits until 2019."""
    if len(national) == 11 and national[0] == "1":
        return [national[1:]]
    return [f"1{national}"] if len(national) == 10 else []


def _brazilian(national: str) -> list[str]:
    """Return a mobile with or without the 9 before its eight digits (6, 8 or 9 first), added by 2016."""
    if len(national) == 11 and national[2] == "9" and national[3] in "689":
        return [national[:2] + national[3:]]
    return [f"{national[:2]}9{national[2:]}"] if len(national) == 10 and national[2] in "689" else []


def _beninese(national: str) -> list[str]:
    """Return it with or without the 01 before its eight digits, added in November 2024."""
    if len(national) == 10 and national.startswith("01"):
        return [national[2:]]
    return [f"01{national}"] if len(national) == 8 else []


_IVORIAN = {**dict.fromkeys("0123", "01"), **dict.fromkeys("456", "05"), **dict.fromkeys("789", "07")}
"""The two digits before the eight of an Ivorian mobile since 2021, by the second of the eight: its network."""


def _ivorian(national: str) -> list[str]:
    """Return a mobile with or without the two digits before its eight, added in 2021."""
    if len(national) == 10 and national.startswith(_IVORIAN[national[3]]):
        return [national[2:]]
    return [f"{_IVORIAN[national[1]]}{national}"] if len(national) == 8 else []


_FORMS = {
    _ARGENTINA: _argentine,
    _MEXICO: _mexican,
    _BRAZIL: _brazilian,
    _BENIN: _beninese,
    _IVORY_COAST: _ivorian,
}
