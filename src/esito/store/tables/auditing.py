"""The audit log: written in the transaction of the act it tells of, never changed."""

from esito.store.tables.connection import Connection


def note(connection: Connection, *, at: int, actor: str, act: str, subject: str, details: str = "") -> None:
    """Write a line."""
    connection.run("note", at=at, actor=actor, act=act, subject=subject, details=details)
