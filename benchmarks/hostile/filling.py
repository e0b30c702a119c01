"""A store in which one account has very many messages: rows as they are after years, made without sending.

Of every tenth message the operator has spoken, and its callback was given up; the others wait for a receipt. The books
balance.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from esito.domain.receipt import Verdict
from esito.domain.states import MessageState
from esito.domain.timing import day_of
from esito.store.sqlite.sqlite_connection import connect
from esito.store.transactions.accepting import ID_BLOCK
from esito.store.transactions.trail import checksum

TAG = "all"
"""Of every message."""
COST = 45_000
FIRST_NUMBER = 33_611_000_000
SPEAKS = 10
"""Of so many messages, one has its receipt."""
WITHIN_MS = 40 * 86_400_000
"""How long ago the first message was sent: it keeps its statuses, and has lost its text by its age."""
AT_ONCE = 50_000
RAW = b"id:0 sub:001 dlvrd:001 stat:DELIVRD err:000 text:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is to be made."""

    account: int
    link: int
    operator: int
    messages: int
    now: int
    url: str
    """Where callbacks go."""

    @property
    def spent(self) -> int:
        """Micro-euros."""
        return self.messages * COST

    def at(self, message: int) -> int:
        """Return when a message was sent."""
        return self.now - WITHIN_MS + message * (WITHIN_MS - 3_600_000) // self.messages

    def others(self) -> range:
        """Return numbers of what there is one of for ten messages."""
        return range(1, self.messages // SPEAKS + 1)


class Filled(NamedTuple):
    """A table, its columns and its rows."""

    table: str
    columns: str
    rows: Iterator[tuple[Any, ...]]


def number_of(message: int) -> int:
    """Return the number that a message was sent to."""
    return FIRST_NUMBER + message % 10_000_000


def tables(past: Past) -> Iterator[Filled]:
    """Yield what is kept."""
    account, link, operator = past.account, past.link, past.operator
    ids = range(1, past.messages + 1)
    delivered = int(MessageState.DELIVERED)

    def state(m: int) -> int:
        return 0 if m % SPEAKS else delivered

    def url(m: int) -> str | None:
        return None if m % SPEAKS else past.url

    yield Filled(
        "message", "id account created_at due_at sender gamme unicode sandbox recipients tag reference url_dlr stage",
        ((m, account, past.at(m), past.at(m), "BIG", 1, 0, 0, 1, TAG, f"r{m}", url(m), 1) for m in ids),
    )  # fmt: skip
    yield Filled(
        "recipient", "message_id account seq msisdn link text segments cost state changed_at",
        ((m, account, 0, number_of(m), link, 0, 1, COST, state(m), past.at(m)) for m in ids),
    )  # fmt: skip
    yield Filled(
        "segment",
        "message_id seq part link operator phase attempts submitted_at answered_at status smsc_id match_key state",
        ((m, 0, 1, link, operator, 3, 1, past.at(m), past.at(m), 0, f"9{m}", f"9{m}", state(m)) for m in ids),
    )
    yield Filled(
        "trail",
        "id received_at link message_id seq part verdict smsc_id state stat error flags raw checksum",
        (_receipt(past, n) for n in past.others()),
    )
    yield Filled("destination", "id account origin", iter([(1, account, past.url)]))
    yield Filled(
        "callback", "id message_id seq state at done_at account destination phase reason attempts",
        ((n, n * SPEAKS, 0, delivered, past.now, past.now, account, 1, 5, "given up", 29) for n in past.others()),
    )  # fmt: skip
    yield Filled("stop", "account msisdn created_at", ((account, 33_620_000_000 + n, past.now) for n in past.others()))
    yield Filled(
        "response", "id received_at link source destination kind account message_id seq missing text",
        ((n, past.now, link, str(number_of(n)), "BIG", "response", account, n, 0, 0, "OK") for n in past.others()),
    )  # fmt: skip
    day = day_of(past.now)
    yield Filled("spending", "account day cost segments", iter([(account, day, past.spent, past.messages)]))


def _receipt(past: Past, n: int) -> tuple[Any, ...]:
    message, verdict, state = n * SPEAKS, Verdict.MOVED.value, int(MessageState.DELIVERED)
    at, smsc_id = past.at(message), f"9{message}"
    kept = checksum(
        received_at=at,
        verdict=verdict,
        smsc_id=smsc_id,
        state=state,
        error="000",
        message_id=message,
        seq=0,
        part=1,
        raw=RAW,
    )
    return (n, at, past.link, message, 0, 1, verdict, smsc_id, state, "DELIVRD", "000", "", RAW, kept)


def fill_sqlite(path: Path, past: Past) -> None:
    """Fill a file."""
    connection = connect(path)
    connection.execute("PRAGMA synchronous = OFF")  # it can be made again
    connection.execute("BEGIN")
    for table, columns, rows in tables(past):
        names = columns.split()
        places = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)
    connection.execute("UPDATE account SET credit = credit - ? WHERE id = ?", (past.spent, past.account))
    # As if they were listed by number long ago: else the server would do that now, all of it.
    connection.execute("INSERT INTO sent_run (last_message_id, newest_due_at) VALUES (?, ?)", (past.messages, past.now))
    first = (past.messages // ID_BLOCK + 1) * ID_BLOCK + 1
    connection.execute("INSERT OR REPLACE INTO setting VALUES ('next_message_id', ?)", (str(first),))
    connection.execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def fill_postgres(url: str, past: Past) -> None:
    """Fill a database."""
    connection = await asyncpg.connect(url)
    for table, columns, rows in tables(past):
        while several := list(itertools.islice(rows, AT_ONCE)):
            await connection.copy_records_to_table(table, records=several, columns=columns.split())
    await connection.execute("UPDATE account SET credit = credit - $1 WHERE id = $2", past.spent, past.account)
    await connection.execute("SELECT setval('message_block', $1)", past.messages // ID_BLOCK + 1)
    await connection.execute("SELECT setval('trail_id', $1)", past.messages)
    for table in ("destination", "callback", "response"):
        await connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) + 1 FROM {table}))"
        )
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")  # what was filled is not written while the attack is measured
    await connection.close()
