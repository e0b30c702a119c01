"""The array types that statements take, known beforehand.

The driver asks the catalogue for them on each connection anew, by a query that costs the server more than all else that
a connection usually asks.
"""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import asyncpg

_ELEMENTS = {
    1001: (17, "bytea", "_bytea"),
    1005: (21, "smallint", "_int2"),
    1007: (23, "integer", "_int4"),
    1016: (20, "bigint", "_int8"),
}

ARRAY_TYPES: dict[int, dict[str, Any]] = {
    number: {
        "oid": number, "ns": "pg_catalog", "name": name, "kind": b"b", "depth": 0,
        "elemtype": element, "elemtype_name": element_name, "elemdelim": b",",
        "basetype": None, "basetype_name": None, "range_subtype": None, "range_subtype_name": None,
        "attrtypoids": None, "attrnames": None,
    }
    for number, (element, element_name, name) in _ELEMENTS.items()
}  # fmt: skip
"""Each as the driver finds it in `pg_type`, by its number, which is the same on every server."""

_NO_STATEMENT = SimpleNamespace(name="none")
"""What the driver is given for its question. That it has a name says that it took no other statement's place."""


class KnowingConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that does not ask for these types.

    Should the driver find types another way some day, the method below is not called, and it asks again.
    """

    async def _introspect_types(self, typeoids: Collection[int], timeout: float | None) -> tuple[Any, Any]:  # noqa: ASYNC109
        if ARRAY_TYPES.keys() >= set(typeoids):
            return [ARRAY_TYPES[number] for number in typeoids], _NO_STATEMENT
        asked: tuple[Any, Any] = await super()._introspect_types(typeoids, timeout)
        return asked
