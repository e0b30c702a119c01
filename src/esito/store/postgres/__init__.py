"""The PostgreSQL adapter: one server, or a primary with standbys, shared by as many processes as there are."""

import os
from collections.abc import Callable

import structlog

from esito.store.postgres.postgres_engine import PostgresEngine
from esito.store.sql_store.adapter import SqlStore

log = structlog.get_logger()


def stop_at_once(error: Exception) -> None:
    """End the process: nothing it could still say would be sure (architecture.md#what-the-store-promises)."""
    log.critical("commit_failed", error=str(error), consequence="the process stops and must be started again")
    os._exit(70)


class PostgresStore(SqlStore):
    """A `Store` in PostgreSQL."""

    def __init__(
        self,
        url: str,
        *,
        failed: Callable[[Exception], None] = stop_at_once,
        actor: str = "server",
        allow_unsafe: bool = False,
    ) -> None:
        """`allow_unsafe`: work with a server that may lose what it has acknowledged."""
        self.engine = PostgresEngine(url, failed=failed, allow_unsafe=allow_unsafe)
        super().__init__(self.engine, actor=actor)


__all__ = ["PostgresStore"]
