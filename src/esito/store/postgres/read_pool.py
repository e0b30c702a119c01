"""Short questions asked in the event loop itself: to hand them to a thread takes longer than the answer."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import asyncpg

from esito.domain.errors import StoreUnavailable
from esito.store.postgres.postgres_connect import LOST, Connection, failed_us, open_connection
from esito.store.postgres.postgres_connection import ANSWER_WITHIN, IN_PASSING, plain, records
from esito.store.postgres.postgres_statements import STATEMENTS
from esito.store.postgres.stall_detection import StallDetection
from esito.store.sql_connection import Parameter, Read, Row

AT_ONCE = 8
"""Questions that are answered at the same time; others wait for their turn."""


class ReadPool:
    """A few connections, made when they are needed."""

    def __init__(self, url: str, silence: StallDetection) -> None:
        self._url = url
        self._silence = silence
        self._heard = 0.0
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._free: list[Connection] = []

    async def rows(self, read: Read[Row]) -> list[Row]:
        """Return every row of the answer. Raises StoreUnavailable."""
        async with self._turns:
            try:
                return records(read.row, await self._ask(read.name, read.parameters))
            except Exception as error:  # once more, on a new connection: the server may have gone and come back
                if not failed_us(error):
                    raise
                self.drop()
            try:
                return records(read.row, await self._ask(read.name, read.parameters))
            except Exception as error:
                if not failed_us(error):
                    raise
                self.drop()
                raise StoreUnavailable(f"the database does not answer: {error or type(error).__name__}") from error

    async def _ask(self, name: str, parameters: Mapping[str, Parameter]) -> list[Any]:
        if self._silence.since(self._heard):
            self.drop()
        connection = self._free.pop() if self._free else await open_connection(self._url, IN_PASSING)
        try:
            statement = STATEMENTS[name]
            given = map(plain, statement.in_order(parameters))
            found: list[Any] = await connection.fetch(statement.text, *given, timeout=ANSWER_WITHIN)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, TimeoutError):
                self._silence.notice()
            raise
        self._heard = time.monotonic()
        self._free.append(connection)
        return found

    def drop(self) -> None:
        """Forget the connections that nobody uses."""
        while self._free:
            self._free.pop().terminate()

    async def close(self) -> None:
        """Take leave of the server."""
        for connection in self._free:
            try:
                await connection.close(timeout=1)
            except (*LOST, asyncpg.PostgresError):
                connection.terminate()
        self._free = []
