"""Dropping what is too old altogether: a table with ten million messages goes at once, which no row has to pay for.

Whatever has a clock of its own (texts, octets, numbers, callbacks) went before, row by row. What the messages cost is
added to `account.retired` in the transaction that drops them, so the books balance at any time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from esito.domain.errors import EsitoError
from esito.store.tables.connection import Connection

log = structlog.get_logger()

IDS = 10_000_000
"""Message ids of a partition."""


class Old(NamedTuple):
    """A partition in which everything is too old, and what its messages cost, micro-euro, by account."""

    number: int
    costs: tuple[tuple[int, int], ...]


class InUse(EsitoError):
    """Somebody reads the tables; they are dropped another time."""


def find(connection: Connection, before: int) -> Old | None:
    """Return the oldest partition if all of it is as old as `before` and done with; reads the whole of it."""
    number = connection.value("oldest_span")
    if number is None:
        return None
    span = _ids(number)
    if not connection.value("span_is_old", *span, before) or not connection.value("span_is_done", *span):
        return None
    return Old(number, tuple((cost, account) for cost, account in connection.rows("span_costs", *span)))


def drop(connection: Connection, olds: Sequence[Old]) -> list[bool]:
    """Drop partitions that were found, while nobody else writes; tell of each whether it went. Raises InUse."""
    return [_drop(connection, old) for old in olds]


def _drop(connection: Connection, old: Old) -> bool:
    span = _ids(old.number)
    if not connection.value("span_is_done", *span):
        return False
    for cost, account in old.costs:
        connection.run("retire_span", cost, account)
    connection.run("remove_origins", *span)
    if not connection.value("drop_span", old.number):
        raise InUse
    log.info("partition_dropped", first=span[0], last=span[1])
    return True


def _ids(number: int) -> tuple[int, int]:
    return number * IDS + 1, (number + 1) * IDS
