"""A line of the table."""

from typing import NamedTuple


class Row(NamedTuple):
    """What was measured, what it came to, how that compares, and with what."""

    what: str
    figure: str
    ratio: str
    baseline: str
