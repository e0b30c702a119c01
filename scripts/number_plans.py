"""Writes the table of numbering plans, src/esito/domain/number_plans.py, from the pinned phonenumbers.

    .venv/bin/python scripts/number_plans.py

Run it when `make lock` has taken a newer version in; a test says so where it was forgotten.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

TABLE = Path(__file__).parents[1] / "src" / "esito" / "domain" / "number_plans.py"

WIDTH = 116

OF_NO_COUNTRY = ("001",)
"""The regions of satellites and the like, to which nothing is sent."""

GIVEN = {39: "every", **dict.fromkeys((33, 247, 262, 508, 590, 594, 596), "mobile")}
"""Of which plans it is asked which ranges are given out, and of which kind; of all others it never matters."""

TOP = '''"""The numbering plans: which national numbers a calling code has, and what is dialled before them at home.

Made from the data of phonenumbers {version} by scripts/number_plans.py; not written by hand.
"""

VERSION = "{version}"

SHAPES = r"""
{shapes}
"""
"""By calling code: a pattern of its national numbers, then, where there is one, a pattern of what is dialled before
them at home and may stand there by mistake, and what takes its place where that is not nothing."""

GIVEN = r"""
{given}
"""
"""By calling code: a pattern of the ranges that are given out; mobile ones, in Italy all of them."""


def rows_of(table: str) -> dict[str, list[str]]:
    """Return the rows of such a table by calling code."""
    lines = table.replace("\\n  ", "").split("\\n")
    return {{code: rest for code, *rest in (line.split(" ") for line in lines if line)}}
'''


def table() -> str:
    """Return the text of the module."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    codes = sorted(code for code in regions if regions[code] != OF_NO_COUNTRY)
    return TOP.format(
        version=phonenumbers.__version__,
        shapes="\n".join(_row(code, _shape(code), *_trunk(code)) for code in codes),
        given="\n".join(_row(code, _given(code, kind)) for code, kind in sorted(GIVEN.items())),
    )


def _row(code: int, *patterns: str) -> str:
    """Return one row, which goes on in lines that begin with two blanks."""
    whole = " ".join((str(code), *patterns))
    return "\n  ".join([whole[:WIDTH], *(whole[at : at + WIDTH] for at in range(WIDTH, len(whole), WIDTH))])


def _metadata(code: int) -> list[PhoneMetadata]:
    found = [PhoneMetadata.metadata_for_region(one) for one in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]]
    return [one for one in found if one is not None]


def _joined(descriptions: Iterable[PhoneNumberDesc | None]) -> str:
    """Return one pattern for all of them."""
    patterns = [one.national_number_pattern for one in descriptions if one is not None]
    return "|".join(dict.fromkeys(pattern for pattern in patterns if pattern))


def _shape(code: int) -> str:
    return _joined(one.general_desc for one in _metadata(code))


def _trunk(code: int) -> tuple[str, ...]:
    """Return what stands before numbers at home, by the plan of the code's main country."""
    main = _metadata(code)[0]
    found = main.national_prefix_for_parsing, main.national_prefix_transform_rule
    return tuple(part for part in found if part)


def _given(code: int, kind: str) -> str:
    mobile = [one.mobile for one in _metadata(code)]
    return _joined([*mobile, *(one.fixed_line for one in _metadata(code))] if kind == "every" else mobile)


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
    sys.stdout.write(f"{TABLE}\n")
