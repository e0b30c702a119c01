"""A store with very many recipients, filled by the database itself: ten to a message, each segment answered.

The newest messages may wait to be submitted: who measures their receipts submits them and keeps the answers first.

Message m has the id m and the recipients 1 to 10; its id decides the account, the link and all numbers, so that a
measurement knows what to ask for. Odd messages leave by the link `bench1`, even ones by `bench0`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from esito.domain.credentials import new_api_key
from esito.domain.turns import lane_of
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from esito.store.postgres import PostgresStore
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import connect

EACH = 10
AT = 1_790_000_000_000
"""When everything was sent, in milliseconds."""

FIRST_NUMBER = 33_600_000_000
FIRST_SMSC_ID = 1_000_000_000
LINKS = [LinkRecord(name=f"bench{number}", operator=f"bench{number}") for number in range(2)]


def msisdn(message_id: int, seq: int) -> int:
    """Return the number of a recipient."""
    return FIRST_NUMBER + (message_id * EACH + seq) % 100_000_000


def smsc_id(message_id: int, seq: int) -> str:
    """Return the id that the operator gave to a recipient's segment."""
    return str(FIRST_SMSC_ID + message_id * EACH + seq)


_MESSAGE = f"""
INSERT INTO message (id, account, created_at, due_at, check_at, sender, gamme, unicode, sandbox)
SELECT m, {{account}}, {AT}, {AT}, {AT + 172_800_000}, 'ESITO', 1, 0, 0 FROM {{messages}}"""
_TEXT = "INSERT INTO message_text (message_id, number, text) SELECT m, 0, 'What happened?' FROM {messages}"
_RECIPIENT = f"""
INSERT INTO recipient (message_id, account, seq, msisdn, link, text, segments, cost, state, changed_at)
SELECT m, {{account}}, s, {FIRST_NUMBER} + (m * {EACH} + s) % 100000000, {{links}} + m % 2, 0, 1, 45000,
       CASE WHEN m > {{answered}} THEN 0 ELSE 2 END, {AT}
  FROM {{both}}"""
_SEGMENT = f"""
INSERT INTO segment (message_id, seq, part, link, operator, phase, attempts, submitted_at, answered_at, status, smsc_id,
                     match_key, state)
SELECT m, s, 1, {{links}} + m % 2, {{operators}} + m % 2, 3, 1, {AT}, {AT}, 0,
       CAST({FIRST_SMSC_ID} + m * {EACH} + s AS text), CAST({FIRST_SMSC_ID} + m * {EACH} + s AS text), 2
  FROM {{both}} WHERE m <= {{answered}}"""
_OUTGOING = f"""
INSERT INTO outgoing (link, lane, due_at, message_id, next_seq, next_part, last_seq, account)
SELECT {{links}} + m % 2, {{lane}}, {AT}, m, 1, 1, {EACH}, {{account}} FROM {{messages}} WHERE m > {{answered}}"""


@asynccontextmanager
async def _begun(store: Store) -> AsyncIterator[dict[str, int]]:
    """Open an empty store with the account and the links; yield what its tables call them."""
    await store.open()
    try:
        account = await store.create_account("many", credit=Decimal(10**7), key_digest=new_api_key().encode(), at=0)
        numbers = await store.register_links(LINKS)
        yield {"account": account.id, "links": numbers["bench0"]}
    finally:
        await store.close()


async def fill_sqlite(file: Path, recipients: int) -> int:
    """Fill a file; return the account."""
    async with _begun(SqliteStore(file)) as names:
        pass
    messages = recipients // EACH
    several = f"m(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM m WHERE m < {messages})"
    seqs = f"s(s) AS (SELECT 1 UNION ALL SELECT s + 1 FROM s WHERE s < {EACH})"
    connection = connect(file)
    connection.execute("PRAGMA synchronous = OFF")  # it can be filled again; what is measured is not this
    (operators,) = connection.execute("SELECT min(operator) FROM link").fetchone() or (1,)
    for statement in (_MESSAGE, _TEXT, _RECIPIENT, _SEGMENT):
        sql = statement.format(messages="m", both="m CROSS JOIN s", operators=operators, answered=messages, **names)
        connection.execute(f"BEGIN; {sql.replace('SELECT', f'WITH RECURSIVE {several}, {seqs} SELECT', 1)}; COMMIT")
    connection.execute("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return names["account"]


async def fill_postgres(url: str, recipients: int, waiting: int = 0) -> int:
    """Fill a database; return the account. `waiting`: so many of the newest recipients wait to be submitted."""
    async with _begun(PostgresStore(url)) as names:
        pass
    messages = recipients // EACH
    connection = await asyncpg.connect(url)
    operators = await connection.fetchval("SELECT min(operator) FROM link")
    for span in range(1, messages // 10_000_000 + 1):
        await connection.execute("SELECT make_span($1)", span)
    await connection.execute("SELECT setval('message_block', $1)", messages // 1000 + 1)
    series = f"generate_series(1, {messages}) AS m"
    # By message: as they are sent, the recipients of one lie beside each other.
    both = f"{series} CROSS JOIN LATERAL generate_series(1, {EACH} + 0 * m) AS s"
    answered = messages - waiting // EACH
    words: dict[str, Any] = {
        "messages": series, "both": both, "operators": operators, "answered": answered,
        "lane": lane_of(names["account"], priority=0, gamme=1, recipients=EACH), **names,
    }  # fmt: skip
    await asyncio.gather(
        _run(url, [statement.format(**words) for statement in (_MESSAGE, _TEXT, _RECIPIENT, _OUTGOING)]),
        _run(url, [_SEGMENT.format(**words)]),
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
    return names["account"]


async def _run(url: str, statements: list[str]) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()
