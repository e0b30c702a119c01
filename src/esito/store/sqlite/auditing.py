"""The audit log: written in the transaction of the act it tells of, never changed."""

import apsw

from esito.store.sqlite.connection import QUERIES


def note(connection: apsw.Connection, *, at: int, actor: str, act: str, subject: str, details: str = "") -> None:
    """Write a line."""
    connection.execute(QUERIES["note"], (at, actor, act, subject, details))
