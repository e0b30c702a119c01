"""In which forms operators write a subscriber's number: we know E.164 digits, they write what their network uses.

A number may come with `+`, with 00 or another access code, in national form with or without the country's trunk
prefix, or in the form that it had before its country changed its plan. Everything here says that two writings are
of one subscriber, never that they may be: numbers that merely end alike are different people.
"""

SUBSCRIBER = 7
"""Digits from which an address is taken for a subscriber's number rather than a short code."""

TAIL = 7
"""Digits at the end of a number that its national and its international form share."""

_ACCESS_CODE = 4
"""Digits that may stand before a whole international number, such as 011 in America."""

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
"""What is dialled before a number within its country, by calling code, where that is more than zeros (ITU-T E.129)."""

_ONE_DIGIT = ("1", "7")
_TWO_DIGITS = (
    *("20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49"),
    *("51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66"),
    *("81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"),
)
"""Calling codes; all others have three digits (ITU-T E.164)."""

_ARGENTINA, _MEXICO, _BRAZIL, _BENIN = "54", "52", "55", "229"


def digits_of(address: str) -> str:
    """Return the digits of an address that is a subscriber's number, in whatever form; empty when it is none."""
    digits = address.removeprefix("+")
    return digits if len(digits) >= SUBSCRIBER and digits.isascii() and digits.isdecimal() else ""


def tail_of(msisdn: str) -> int:
    """Return the end of a number of ours, E.164 digits without the plus, by which it is found."""
    return int(msisdn[-TAIL:] or 0)


def tails_of(digits: str) -> set[int]:
    """Return the ends that a number of ours may have which somebody writes so."""
    tails = {int(digits[-TAIL:])}
    if digits[-8:-6] == "15":  # Argentina's mark of a mobile may stand within the last seven digits
        tails.add(int((digits[:-8] + digits[-6:])[-TAIL:]))
    return tails


def is_same_line(digits: str, msisdn: str) -> bool:
    """Tell whether digits that somebody writes are this number (E.164 digits without the plus)."""
    if digits == msisdn:
        return True
    bare = digits.lstrip("0")
    if len(bare) >= TAIL and msisdn.endswith(bare):
        return True
    return bool(digits) and any(_is_whole(digits, bare, form) for form in (msisdn, *_other_forms(msisdn)))


def _is_whole(digits: str, bare: str, msisdn: str) -> bool:
    """Tell whether digits are this form of a number with nothing left out: from abroad, or within its country."""
    if digits.endswith(msisdn):
        return len(digits) - len(msisdn) <= _ACCESS_CODE
    code = msisdn[: _code_length(msisdn)]
    national = msisdn[len(code) :]
    return bare == national or (digits.endswith(national) and digits[: -len(national)] in _TRUNKS.get(code, ()))


def _code_length(msisdn: str) -> int:
    if msisdn.startswith(_ONE_DIGIT):
        return 1
    return 2 if msisdn.startswith(_TWO_DIGITS) else 3


def _other_forms(msisdn: str) -> list[str]:
    """Return the other whole forms of a number whose country's plan has, or had, several."""
    if msisdn.startswith(_ARGENTINA):
        return _argentine(msisdn[2:])
    if msisdn.startswith(_MEXICO):
        return _mexican(msisdn[2:])
    if msisdn.startswith(_BRAZIL):
        return _brazilian(msisdn[2:])
    if msisdn.startswith(_BENIN):
        return _beninese(msisdn[3:])
    return []


def _argentine(national: str) -> list[str]:
    """Return the forms of a mobile: 9 and ten digits from abroad, at home no 9, or 15 behind its area code."""
    if len(national) == 11 and national[0] == "9":
        ten = national[1:]
    elif len(national) == 10:
        ten = national
    elif len(national) == 12:
        return [
            form
            for area in (2, 3, 4)
            if national[area : area + 2] == "15"
            for form in _argentine(f"9{national[:area]}{national[area + 2 :]}")
            if form != f"{_ARGENTINA}{national}"
        ]
    else:
        return []
    marked = [f"{ten[:area]}15{ten[area:]}" for area in ((2,) if ten.startswith("11") else (3, 4))]
    return [f"{_ARGENTINA}{form}" for form in (f"9{ten}", ten, *marked)]


def _mexican(national: str) -> list[str]:
    """Return it with or without the 1 that stood before the ten digits of a mobile until 2019."""
    if len(national) == 11 and national[0] == "1":
        return [f"{_MEXICO}{national[1:]}"]
    return [f"{_MEXICO}1{national}"] if len(national) == 10 else []


def _brazilian(national: str) -> list[str]:
    """Return a mobile with or without the 9 that has stood before its eight digits (6 to 9 first) since 2016."""
    if len(national) == 11 and national[2] == "9" and national[3] in "6789":
        return [f"{_BRAZIL}{national[:2]}{national[3:]}"]
    return [f"{_BRAZIL}{national[:2]}9{national[2:]}"] if len(national) == 10 and national[2] in "6789" else []


def _beninese(national: str) -> list[str]:
    """Return it with or without the 01 that has stood before its eight digits since November 2024."""
    if len(national) == 10 and national.startswith("01"):
        return [f"{_BENIN}{national[2:]}"]
    return [f"{_BENIN}01{national}"] if len(national) == 8 else []
