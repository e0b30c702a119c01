"""What receipts taught of how operators write ids, and which ids may be those of our segments.

It is read and kept in the transaction that needs it.

So nothing is learned from one that is undone, nor anything missed that another process has learned.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from esito.domain.message_ids import match_keys
from esito.domain.operator_habits import IdForm, Learned
from esito.domain.timing import VALIDITY_MS
from esito.store.sql_connection import Connection
from esito.store.transactions.known_links import Links

COLUMNS = {
    "as_is": IdForm.AS_IS,
    "strip_zeros": IdForm.STRIP_ZEROS,
    "hex_to_dec": IdForm.HEX_TO_DEC,
    "dec_to_hex": IdForm.DEC_TO_HEX,
}
"""The columns of `operator` that count evidence, in their order."""


class _FormRow(NamedTuple):
    """What an operator's receipts taught, as it is counted."""

    operator: int
    as_is: int
    strip_zeros: int
    hex_to_dec: int
    dec_to_hex: int
    ambiguous: int
    dates: int


def hold(connection: Connection, links: Links, names: Iterable[str]) -> dict[str, Learned]:
    """Let nobody else settle receipts of these links' operators until the transaction ends.

    Return what is known of the ids of each link's operator; links of one operator share it. Raises UnknownLink.
    """
    operators = {name: links.named(name).operator for name in names}
    forms = {
        row.operator: _learned(links, row.operator, row[1:])
        for row in connection.rows("operator_forms", _FormRow, operators=sorted(set(operators.values())))
    }
    return {name: forms[operator] for name, operator in operators.items()}


def keep_learned(connection: Connection, links: Links, learned: Mapping[str, Learned]) -> list[int]:
    """Keep what was learned in this transaction, by link; return the operators whose form became known by it."""
    became_known = []
    for operator, known in {links.named(name).operator: known for name, known in learned.items()}.items():
        if known.has_news:
            seen = {column: known.seen[form] for column, form in COLUMNS.items()}
            dates = known.dates.count
            connection.run("keep_form", operator=operator, ambiguous=known.ambiguous, dates=dates, **seen)
            if known.became_known and known.ambiguous:
                became_known.append(operator)
    return became_known


def knows_form(read: Connection, links: Links, operator: int) -> bool:
    """Tell whether it is known how an operator writes ids in receipts."""
    return _shown(read, links, operator).form is not IdForm.AUTO


def forms_by_operator(read: Connection, links: Links) -> dict[str, Learned]:
    """Return what is known of every operator's ids, by its name."""
    return {name: _shown(read, links, operator) for operator, name in links.operators.items()}


def _shown(read: Connection, links: Links, operator: int) -> Learned:
    [counted] = read.rows("operator_shown", tuple[int, int, int, int, int, int], operator=operator)
    return _learned(links, operator, counted)


def _learned(links: Links, operator: int, counted: Sequence[int]) -> Learned:
    *seen, ambiguous, dates = counted
    return Learned(links.locked_form(operator), dict(zip(COLUMNS.values(), seen, strict=True)), ambiguous, dates)


LOST_LATELY = 2
"""What `has_uncertain` answers when a response was lost within the validity."""


def known_ids(read: Connection, operator: int, ids: Sequence[str], *, at: int) -> set[str]:
    """Return those ids that a segment of the operator carries or may yet be given: all, while an answer is missing."""
    asked = [one for one in ids if one]
    if not asked:
        return set()
    if (
        read.number("owes_answers", operator=operator)
        or read.number("has_uncertain", operator=operator, since=at - VALIDITY_MS) == LOST_LATELY
    ):
        return set(asked)
    places = {one: match_keys(one) for one in asked}
    rows = sorted({(operator, match_key) for found in places.values() for match_key in found})
    known = {match_key for (match_key,) in read.rows_for("known_match_keys", tuple[str], rows)}
    return {one for one, found in places.items() if not known.isdisjoint(found)}
