"""The audit log, written in the transaction of the act it tells of, and settings that outlive a process."""

from esito.domain.timing import Clock
from esito.store.interface.account_store import AuditEntry
from esito.store.sql_connection import Act, Connection, Result


def note(connection: Connection, *, at: int, actor: str, act: str, subject: str, details: str = "") -> None:
    """Write a line."""
    connection.run("note", at=at, actor=actor, act=act, subject=subject, details=details)


def noted(act: Act[Result], *, clock: Clock, actor: str, did: str, subject: str, details: str) -> Act[Result]:
    """Return an act that is also noted in the log, in the same transaction: it says what was `did`."""

    def act_and_note(connection: Connection) -> Result:
        result = act(connection)
        note(connection, at=clock.now(), actor=actor, act=did, subject=subject, details=details)
        return result

    return act_and_note


def read_audit(read: Connection, limit: int) -> list[AuditEntry]:
    """Return the newest lines, newest first."""
    return read.rows("audit", AuditEntry, limit=limit)


def read_setting(read: Connection, name: str) -> str | None:
    """Return a kept value."""
    return read.text("setting", name=name)


def keep_setting(connection: Connection, name: str, value: str) -> None:
    """Keep a value."""
    connection.run("keep_setting", name=name, value=value)
