"""What is written by COPY instead of a statement: many wide rows, for which it takes half the time."""

from typing import NamedTuple


class Copied(NamedTuple):
    """Where rows go."""

    table: str
    columns: tuple[str, ...]
    texts: tuple[int, ...]
    """Which columns are texts, counted from 0; none of them is ever null."""
    zero: int
    """The column in which nothing is written as 0."""


COPIED = {
    "insert_trail": Copied(
        "trail",
        ("id", "received_at", "link", "message_id", "seq", "part", "verdict", "smsc_id", "state", "stat", "error",
         "done_at", "flags", "origin", "raw", "checksum"),
        texts=(6, 7, 9, 10, 12),
        zero=3,
    ),
}  # fmt: skip
