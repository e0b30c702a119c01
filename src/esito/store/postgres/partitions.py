"""Dropping what is too old altogether: a table with ten million messages goes at once, which no row has to pay for.

Whatever has a clock of its own (texts, octets, numbers, callbacks) went before, row by row. What the messages cost is
added to `account.retired` in the transaction that drops them, so the books balance at any time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from esito.domain.errors import EsitoError
from esito.store.sql_connection import Connection

log = structlog.get_logger()

IDS = 10_000_000
"""Message ids of a partition."""


class Old(NamedTuple):
    """A partition in which everything is too old, and what its messages cost, micro-euro, by account."""

    number: int
    costs: Sequence[tuple[int, int]]


class InUse(EsitoError):
    """Somebody reads the tables; they are dropped another time."""


def find(connection: Connection, before: int) -> Old | None:
    """Return the oldest partition if all of it is as old as `before` and done with; reads the whole of it."""
    numbers = connection.numbers("oldest_span")
    if not numbers:
        return None
    first, last = _ids(numbers[0])
    if not connection.number("span_is_old", first=first, last=last, before=before):
        return None
    if not connection.number("span_is_done", first=first, last=last):
        return None
    return Old(numbers[0], connection.rows("span_costs", tuple[int, int], first=first, last=last))


def drop(connection: Connection, olds: Sequence[Old]) -> list[bool]:
    """Drop partitions that were found, while nobody else writes; tell of each whether it went. Raises InUse."""
    return [_drop(connection, old) for old in olds]


def _drop(connection: Connection, old: Old) -> bool:
    first, last = _ids(old.number)
    if not connection.number("span_is_done", first=first, last=last):
        return False
    for cost, account in old.costs:
        connection.run("retire_span", cost=cost, account=account)
    connection.run("remove_origins", first=first, last=last)
    if not connection.number("drop_span", number=old.number):
        raise InUse
    log.info("partition_dropped", first=first, last=last)
    return True


def _ids(number: int) -> tuple[int, int]:
    return number * IDS + 1, (number + 1) * IDS
