"""Tells which ids of an operator may be those of our segments."""

from collections.abc import Sequence

from esito.domain.message_ids import shelves
from esito.domain.timing import VALIDITY_MS
from esito.store.tables.connection import Connection

NEW = 2
"""What `has_uncertain` answers when a response was lost within the validity."""


def known_ids(read: Connection, operator: int, ids: Sequence[str], *, at: int) -> set[str]:
    """Return those ids that a segment of the operator carries or may yet be given: all, while an answer is missing."""
    asked = [one for one in ids if one]
    if not asked:
        return set()
    if (
        read.number("owes_answers", operator=operator)
        or read.number("has_uncertain", operator=operator, since=at - VALIDITY_MS) == NEW
    ):
        return set(asked)
    places = {one: shelves(one) for one in asked}
    rows = sorted({(operator, shelf) for found in places.values() for shelf in found})
    known = {shelf for (shelf,) in read.rows_for("known_shelves", tuple[str], rows)}
    return {one for one, found in places.items() if not known.isdisjoint(found)}
