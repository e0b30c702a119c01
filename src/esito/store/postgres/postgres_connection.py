"""One connection to PostgreSQL that a thread may use like a function call, with the named statements of the store.

The driver is asyncio's; the thread has a loop of its own that turns only while a statement runs.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg
import msgspec

from esito.domain.errors import StoreUnavailable
from esito.store.postgres.array_parameters import COPIED, CopyFormat, columns
from esito.store.postgres.postgres_connect import LOST, open_connection
from esito.store.postgres.postgres_statements import KINDS, KNOWS, STATEMENTS, together
from esito.store.postgres.stall_detection import StallDetection
from esito.store.postgres.text_escapes import MARK, all_fit, as_it_was, fit
from esito.store.sql_connection import Json, Parameter, Row, SqlValue, Step

_Result = TypeVar("_Result")

ANSWER_WITHIN = 10.0
"""Seconds after which a server that is there and does not answer is given up: it may have been stopped and replaced."""

IDLE_WITHIN = 2.5
"""Seconds after which the server undoes a transaction whose process says nothing: one that was stopped in the middle
would keep its locks from everybody else, for whom leases run out meanwhile."""

STREAMED_AT_ONCE = 1_000

SETTINGS = {
    # Who contracts the schema reads here whether somebody is connected who would miss what goes.
    "application_name": f"esito {KNOWS}",
    "jit": "off",
    # An administrator's limits for other programs must not end what keeps receipts.
    "statement_timeout": "0",
    "lock_timeout": "0",
    # Arrays of rows look alike to the planner however long they are: one plan that leads by indexes, made once.
    "plan_cache_mode": "force_generic_plan",
}
LED_BY_INDEX = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # Statements name their tables in the order in which they are to be visited.
    "join_collapse_limit": "1",
    "from_collapse_limit": "1",
    # Nobody's question takes more than one of the server's processors.
    "max_parallel_workers_per_gather": "0",
}
"""For all that is asked in passing. A table that is empty when a plan is made will not stay so."""

IN_PASSING = SETTINGS | LED_BY_INDEX | {"idle_in_transaction_session_timeout": f"{IDLE_WITHIN * 1000:.0f}"}


class PostgresConnection:
    """A connection with the store's statements; `aside` is for questions that read whole tables."""

    shared = True
    indexed_by_number = True

    def __init__(self, url: str, *, aside: bool = False, silence: StallDetection | None = None) -> None:
        """`silence` is shared by all who ask the same server."""
        self._url = url
        self._silence = silence or StallDetection()
        self._heard = 0.0
        self._settings = SETTINGS if aside else IN_PASSING
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection[Any] | None = None
        self._patience = None if aside else ANSWER_WITHIN
        self._within = False
        self._changed = 0

    # -- being connected ----------------------------------------------------------------------

    def connect(self) -> None:
        """Connect, unless it is done. Raises StoreUnavailable; what is in LOST within a transaction, which is lost too.

        On a new connection each of its other statements would be a transaction of its own.
        """
        connected = self._connection is not None and not self._connection.is_closed()
        if connected and (self._within or not self._silence.since(self._heard)):
            return
        if self._within:
            raise asyncpg.ConnectionDoesNotExistError("the connection was lost within a transaction")
        self.drop()
        try:
            self._connection = self.wait(open_connection(self._url, self._settings))
        except (*LOST, asyncpg.PostgresError) as error:
            raise StoreUnavailable(f"cannot reach the database: {error or type(error).__name__}") from error

    def drop(self) -> None:
        """Forget the connection, whatever state it is in."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
            self.wait(asyncio.sleep(0))

    def close(self) -> None:
        """Take leave of the server and close."""
        if self._connection is not None and not self._connection.is_closed():
            try:
                self.wait(self._connection.close(timeout=1))
            except (*LOST, asyncpg.PostgresError):
                self.drop()
        self._loop.close()

    @property
    def bare(self) -> "asyncpg.Connection[Any]":
        """The driver's own connection. Raises StoreUnavailable."""
        self.connect()
        if self._connection is None:
            raise StoreUnavailable("the store is not open")
        return self._connection

    def wait(self, doing: Coroutine[Any, Any, _Result]) -> _Result:
        """Let the driver work until this is done, or for too long: then the connection is lost."""
        if self._patience is None:
            return self._loop.run_until_complete(doing)
        watch = self._loop.call_later(self._patience, self._give_up)
        try:
            found = self._loop.run_until_complete(doing)
        finally:
            watch.cancel()
        self._heard = time.monotonic()
        return found

    def _give_up(self) -> None:
        if self._connection is not None:
            self._silence.notice()
            self._connection.terminate()

    # -- by name ------------------------------------------------------------------------------

    def run(self, name: str, /, **parameters: Parameter) -> int:
        """Change something; return how many rows."""
        status = self.wait(self.bare.execute(STATEMENTS[name].text, *map(plain, STATEMENTS[name].in_order(parameters))))
        return self._count(status)

    def _count(self, status: str) -> int:
        count = int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0
        if not status.startswith("SELECT"):
            self._changed += count
        return count

    def rows(self, name: str, row: type[Row], /, **parameters: Parameter) -> list[Row]:
        """Return every row of the answer."""
        return records(row, self._fetch(name, parameters))

    def _fetch(self, name: str, parameters: Mapping[str, Parameter]) -> list[Any]:
        statement = STATEMENTS[name]
        return self.wait(self.bare.fetch(statement.text, *map(plain, statement.in_order(parameters))))

    def row(self, name: str, row: type[Row], /, **parameters: Parameter) -> Row | None:
        """Return the first row of the answer."""
        found = records(row, self._fetch(name, parameters)[:1])
        return found[0] if found else None

    def _value(self, name: str, parameters: Mapping[str, Parameter]) -> Any:
        found = self._fetch(name, parameters)
        return found[0][0] if found else None

    def number(self, name: str, /, **parameters: Parameter) -> int:
        """Return the one number that a question has for an answer."""
        return int(self._value(name, parameters) or 0)

    def numbers(self, name: str, /, **parameters: Parameter) -> list[int]:
        """Return the numbers of an answer that has one column."""
        return [row[0] for row in self._fetch(name, parameters)]

    def text(self, name: str, /, **parameters: Parameter) -> str | None:
        """Return the one text that a question has for an answer."""
        value = self._value(name, parameters)
        return None if value is None else as_it_was(str(value))

    def rows_for(self, name: str, row: type[Row], given: Iterable[Sequence[SqlValue]], /) -> list[Row]:
        """Ask a question about all the rows given at once."""
        arrays = columns(given, KINDS[name])
        return records(row, self.wait(self.bare.fetch(STATEMENTS[name].text, *arrays))) if arrays else []

    def run_rows(self, name: str, given: Iterable[Sequence[SqlValue]], /) -> int:
        """Run a statement for all the rows given at once; return how many it changed."""
        if name in COPIED:
            return self._copy(COPIED[name], list(given))
        arrays = columns(given, KINDS[name])
        return self._count(self.wait(self.bare.execute(STATEMENTS[name].text, *arrays))) if arrays else 0

    def run_together(self, steps: Sequence[Step]) -> None:
        """Run them as one statement."""
        names, given = [], []
        for name, what in steps:
            its = [plain(what)] if isinstance(what, Json) else columns(what, KINDS[name])
            if its:
                names.append(name)
                given += its
        if names:
            self.wait(self.bare.execute(together(*names), *given))

    def _copy(self, into: CopyFormat, rows: Sequence[Sequence[Any]]) -> int:
        texts = "".join([row[place] for row in rows for place in into.texts])
        if not all_fit(texts):
            rows = [tuple(fit(value) if isinstance(value, str) else value for value in row) for row in rows]
        if not rows:
            return 0
        zero = into.zero
        rows = [row if row[zero] is not None else (*row[:zero], 0, *row[zero + 1 :]) for row in rows]
        copied = self.bare.copy_records_to_table(into.table, records=rows, columns=into.columns)
        return self._count(self.wait(copied))

    def stream(self, name: str, row: type[Row], /, **parameters: Parameter) -> Iterator[Row]:
        """Yield the rows of a long answer; within `snapshot` only."""
        statement = STATEMENTS[name]
        given = [plain(one) for one in statement.in_order(parameters)]
        cursor = self.wait(_cursor(self.bare, statement.text, given))
        while found := self.wait(cursor.fetch(STREAMED_AT_ONCE)):
            yield from records(row, found)

    def ids(self, table: str, count: int) -> Sequence[int]:
        """Return numbers of the table's sequence."""
        rows = self.wait(self.bare.fetch(_NEXT.format(table), count))
        return [row[0] for row in rows]

    def newest(self, table: str) -> int:
        """Return the last number given, once every transaction that may hold a lower one has ended.

        Numbers are given before they are committed, and not in that order. Raises StoreUnavailable when somebody
        keeps a transaction open for seconds.
        """
        given: int = self.wait(
            self.bare.fetchval(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id")  # noqa: S608  our own names
        )
        later = self.wait(self.bare.fetchval("SELECT pg_current_xact_id()::text::bigint"))
        for _ in range(400):
            if later <= self.wait(self.bare.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")):
                return given
            self.wait(asyncio.sleep(0.005))
        raise StoreUnavailable("a transaction stays open")

    @property
    def changed(self) -> int:
        """How many rows were changed since this was made."""
        return self._changed

    def hold(self, what: str) -> None:
        """Let no other process that asks for the same go on until the transaction ends."""
        self.wait(self.bare.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"esito {what}"))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the database within the block."""
        self.wait(self.bare.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        self._within = True
        try:
            yield
        finally:
            try:
                if self._connection is not None and not self._connection.is_closed():
                    self.wait(self.bare.execute("COMMIT"))
            finally:
                self._within = False

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """Nothing: older versions of a row are gone once the table was vacuumed (docs/reference/retention.md)."""
        yield


_NEXT = "SELECT nextval('{}_id') FROM generate_series(1, $1)"


async def _cursor(connection: "asyncpg.Connection[Any]", sql: str, parameters: Sequence[Any]) -> Any:
    return await connection.cursor(sql, *parameters)


def plain(parameter: Parameter) -> Any:
    """Return a parameter as the driver takes it."""
    if isinstance(parameter, str):
        return parameter if all_fit(parameter) else fit(parameter)
    if isinstance(parameter, Json):
        return msgspec.json.encode(parameter.content).decode()
    return parameter


def records(row: type[Row], found: Sequence[Any]) -> list[Row]:
    """Return records of the kind that is wanted, their texts as they were written."""
    make: Callable[[Any], Row] = getattr(row, "_make", row)
    made = [make(one) for one in found]
    if MARK in "".join([value for one in made for value in one if type(value) is str]):
        return [make(as_it_was(value) if isinstance(value, str) else value for value in one) for one in made]
    return made
