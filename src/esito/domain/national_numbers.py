"""The one number that a calling code and national digits mean, by the plan of that code (`number_plans`).

A trunk prefix where none is dialled is dropped, a zero that belongs to the number stays, a number from before a change
of plan becomes its present form, and a number of a French overseas department gets the calling code of that. Digits
that the plan does not know, or that could be two numbers, are no number.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from esito.domain.dialling import COUNTRY_OF_PREFIX, OVERSEAS
from esito.domain.number_forms import current_form
from esito.domain.number_plans import GIVEN, SHAPES, rows_of

_SHAPES, _GIVEN = rows_of(SHAPES), rows_of(GIVEN)

FRANCE = "33"

DEPARTMENTS = ("262", "508", "590", "594", "596")
"""Calling codes whose numbers are dialled and written in France like its own."""

_NINE_DIGITS = 9
"""Digits of the national numbers that France and its departments share, and of old Italian mobiles."""


class _Plan(NamedTuple):
    """The plan of one calling code."""

    shape: re.Pattern[str]
    trunk: re.Pattern[str] | None
    instead: str
    """Replaces the trunk prefix if its pattern has groups."""
    given: re.Pattern[str] | None


@lru_cache(maxsize=len(_SHAPES))
def _plan_of(code: str) -> _Plan:
    shape, trunk, instead = (*_SHAPES[code], "", "")[:3]
    given = "".join(_GIVEN.get(code, ()))
    return _Plan(re.compile(shape), re.compile(trunk) if trunk else None, instead, re.compile(given) if given else None)


def calling_code(digits: str) -> str | None:
    """Return the calling code that an international number begins with; None if there is none."""
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in _SHAPES), None)


@lru_cache(maxsize=512)
def code_of_country(country: str) -> str | None:
    """Return the calling code of a country (ISO 3166); None if it has none or is unknown."""
    prefixes = [prefix for prefix, one in COUNTRY_OF_PREFIX.items() if one == country]
    return calling_code(min(prefixes, key=len)) if prefixes else None


def whole_number(code: str, national: str) -> str | None:
    """Return the number that these digits mean after this calling code, with calling code and without plus.

    None if the plan of that code does not know it, or if it could be two.
    """
    number = _number_of(code, national)
    if number is not None and len(number) == _NINE_DIGITS and (code == FRANCE or code in DEPARTMENTS):
        department = _department_of(number)
        if code not in (department, FRANCE):
            return None
        code = department
    return None if number is None else code + number


def _number_of(code: str, national: str) -> str | None:
    """Return the one national number that these digits mean; None if there is none, or more."""
    plan = _plan_of(code)
    if plan.shape.fullmatch(national):
        return None if _has_a_rival(plan, national) else current_form(code, national)
    bare = {national, _without_trunk(plan, national)}
    if national.startswith("0") and plan.trunk is not None and plan.trunk.fullmatch("0"):
        bare.add(national[1:])  # the pattern may have matched more than the zero
    known = [form for form in {current_form(code, one) for one in bare} if plan.shape.fullmatch(form)]
    return known[0] if len(known) == 1 else None


def _has_a_rival(plan: _Plan, national: str) -> bool:
    """Tell whether a number may be a mobile with a zero that does not belong there, as 0333... in Italy.

    A landline may read so too; it keeps its zero if that leaves nine digits, which few mobiles have.
    """
    if plan.given is None or plan.trunk is not None or not national.startswith("0"):
        return False
    without = national[1:]
    if plan.given.fullmatch(without) is None:
        return False
    return len(without) > _NINE_DIGITS or plan.given.fullmatch(national) is None


def _without_trunk(plan: _Plan, national: str) -> str:
    """Return a number without its trunk prefix."""
    found = plan.trunk.match(national) if plan.trunk is not None else None
    if found is None or not found[0]:
        return national
    instead = found.expand(plan.instead) if plan.instead and found[found.re.groups] is not None else ""
    return instead + national[found.end() :]


@lru_cache(maxsize=4096)
def _department_of(number: str) -> str:
    """Return the calling code of a number of France or of an overseas department."""
    if _is_given(FRANCE, number):
        return FRANCE
    for code in DEPARTMENTS:
        if _is_given(code, number):
            return code
    for length in range(5, 2, -1):
        if number[:length] in OVERSEAS:
            return OVERSEAS[number[:length]]
    return FRANCE


def _is_given(code: str, number: str) -> bool:
    given = _plan_of(code).given
    return given is not None and given.fullmatch(number) is not None
