"""What the parts of the SQLite store share: the one writer, and the reader of the event loop."""

from collections.abc import Callable
from typing import Any

import apsw

from esito.store.sqlite import accounts
from esito.store.sqlite.writer import Handler, Writer


class Area:
    """A part of the store with tables of its own; its protocol stands in `esito.store`."""

    def __init__(self, writer: Writer, reader: Callable[[], apsw.Connection]) -> None:
        self._writer = writer
        self._reader = reader

    @property
    def _read(self) -> apsw.Connection:
        """The reading connection. Raises StoreUnavailable while the store is closed."""
        return self._reader()

    async def _act(self, act: accounts.Act) -> Any:
        """Perform one act within the writer's next transaction; an EsitoError it raises refuses it alone."""
        return await self._writer.do(accounts.perform, act)

    async def _do(self, handler: Handler, payload: Any) -> Any:
        """Hand work to the writer; neighbours with the same handler are given to it together."""
        return await self._writer.do(handler, payload)
