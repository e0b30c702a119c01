"""Makes `src/esito/domain/premium_ranges.py` of the numbering plans of the library phonenumbers.

    python scripts/premium_ranges.py > src/esito/domain/premium_ranges.py

A range is given by the digits that its numbers begin with, where no other kind of number begins so. Where it takes more
than DEEPEST digits to tell them apart, the range is left out: who serves it has set a price for it.
"""

# `re._parser` is what Python's own `re` reads patterns with; the plans use a handful of its nodes.
import re._constants as op  # type: ignore[import-not-found]
import re._parser as patterns  # type: ignore[import-not-found]
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from textwrap import wrap
from typing import Any

DEEPEST = 8
"""Digits of a number, calling code included, that are looked at: `Acceptance` remembers its terms by as many."""

COSTLY = ("premium_rate", "shared_cost", "personal_number")
USUAL = ("fixed_line", "mobile", "toll_free", "voip", "pager", "uan")
DIGITS = "0123456789"

States = frozenset[int]


class Plan:
    """The numbers that some patterns allow, as an automaton that reads them digit by digit."""

    def __init__(self, written: Iterable[str]) -> None:
        self._steps: list[list[tuple[frozenset[str] | None, int]]] = [[]]
        """From each state: the digits it takes, None for none at all, and where it leads."""
        for pattern in written:
            self._read(patterns.parse(pattern), 0)
        self.begin = self._closed({0})

    @cache  # noqa: B019  a plan lives as long as the script
    def after(self, states: States, digit: str) -> States:
        """Return where a digit leads; empty where no number goes on so."""
        return self._closed(
            end for state in states for taken, end in self._steps[state] if taken is not None and digit in taken
        )

    def _closed(self, states: Iterable[int]) -> States:
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                waiting += [end for taken, end in self._steps[state] if taken is None]
        return frozenset(found)

    def _step(self, begin: int, taken: frozenset[str] | None, end: int | None = None) -> int:
        if end is None:
            end = len(self._steps)
            self._steps.append([])
        self._steps[begin].append((taken, end))
        return end

    def _read(self, nodes: Any, begin: int) -> int:
        """Add what matches these nodes from a state on; return the state behind it."""
        for kind, given in nodes:
            if kind is op.LITERAL:
                begin = self._step(begin, frozenset(chr(given)))
            elif kind is op.IN:
                begin = self._step(begin, frozenset(_taken(given)))
            elif kind is op.SUBPATTERN:
                begin = self._read(given[-1], begin)
            elif kind is op.BRANCH:
                ends = [self._read(branch, self._step(begin, None)) for branch in given[1]]
                begin = self._step(ends[0], None)
                for end in ends[1:]:
                    self._step(end, None, begin)
            elif kind is op.MAX_REPEAT:
                least, most, repeated = given
                for _ in range(least):
                    begin = self._read(repeated, begin)
                ends = [begin]
                for _ in range(least, int(most)):
                    ends.append(self._read(repeated, ends[-1]))
                begin = self._step(ends[-1], None)
                for end in ends[:-1]:
                    self._step(end, None, begin)
            else:
                raise ValueError(f"the plans have something new: {kind}")
        return begin


def _taken(items: Any) -> Iterator[str]:
    for kind, given in items:
        if kind is op.LITERAL:
            yield chr(given)
        elif kind is op.RANGE:
            yield from map(chr, range(given[0], given[1] + 1))
        elif kind is op.CATEGORY and given is op.CATEGORY_DIGIT:
            yield from DIGITS
        else:
            raise ValueError(f"the plans have something new: {kind}")


def prefixes(costly: Plan, usual: Plan, code: str) -> Iterator[str]:
    """Yield what costly numbers begin with and no other number does, behind a calling code; the shortest."""

    def look(begun: str, dear: States, other: States) -> list[str]:
        if not dear:
            return []
        if not other:
            return [begun]
        if len(begun) == DEEPEST:
            return []
        return [
            found
            for digit in DIGITS
            for found in look(begun + digit, costly.after(dear, digit), usual.after(other, digit))
        ]

    yield from look(code, costly.begin, usual.begin)


def ranges() -> dict[str, list[str]]:
    """Return the prefixes by calling code."""
    library = import_module("phonenumbers")
    found = {}
    for code, names in sorted(library.COUNTRY_CODE_TO_REGION_CODE.items()):
        if "001" in names:  # no country: there is no price for it anyway
            continue
        plans = [library.PhoneMetadata.metadata_for_region(name) for name in names]

        def written(kinds: Iterable[str], plans: Any = plans) -> list[str]:
            described = [getattr(plan, kind) for plan in plans for kind in kinds]
            return [one.national_number_pattern for one in described if one and one.national_number_pattern]

        if dear := written(COSTLY):
            found[str(code)] = list(prefixes(Plan(dear), Plan(written(USUAL)), str(code)))
    return {code: these for code, these in found.items() if these}


def source() -> str:
    """Return the module."""
    version = import_module("phonenumbers").__version__
    rows = ("\n".join(wrap(" ".join(these), 116)) for _, these in sorted(ranges().items()))
    table = "\n".join(rows)
    return f'''"""Ranges of premium-rate, shared-cost and personal numbers.

Made by scripts/premium_ranges.py of the numbering plans of phonenumbers {version}; a test compares them.
"""

_RANGES = """
{table}
"""

PREMIUM_PREFIXES = frozenset(_RANGES.split())
"""Prefixes of such numbers, calling code first; no other number of the country has them."""

_LENGTHS = sorted({{len(prefix) for prefix in PREMIUM_PREFIXES}})

_BEGINNINGS = frozenset(prefix[: _LENGTHS[0]] for prefix in PREMIUM_PREFIXES)
"""The first digits of all prefixes: most numbers have others, and need no further look."""

LONGEST_PREMIUM = _LENGTHS[-1]


def is_premium_rate(msisdn: str) -> bool:
    """Tell whether calls to this number (E.164, with or without plus) cost extra."""
    digits = msisdn.removeprefix("+")
    if digits[: _LENGTHS[0]] not in _BEGINNINGS:
        return False
    return any(digits[:length] in PREMIUM_PREFIXES for length in _LENGTHS)
'''


if __name__ == "__main__":
    sys.stdout.write(source())
