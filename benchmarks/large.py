"""PostgreSQL and SQLite with ten million recipients: queries, receipts, and how both grow."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from benchmarks import growth, http_load, many
from benchmarks.engines import postgres
from benchmarks.row import Row
from benchmarks.server import running, workplace
from esito.store.postgres import PostgresStore
from esito.store.postgres.postgres_statements import STATEMENTS
from esito.store.sqlite import SqliteStore

RECIPIENTS = int(os.environ.get("ESITO_BENCH_RECIPIENTS", "10000000"))
ROUNDS = 3
"""In which receipts are settled; the median counts, as a machine that others use too is slow now and then."""
RECEIPTS = min(400_000, RECIPIENTS // 2 // ROUNDS)
"""Of each round."""
PROCESSES = 2


def large(folder: Path) -> list[Row]:
    """Fill both stores, and measure."""
    folder.chmod(0o755)  # the server of PostgreSQL is another user's
    rows = _sqlite(folder)
    with postgres(folder / "large") as (server, huge):
        url = server.url
        asyncio.run(_new_database(url, "small"))
        urls = {growth.SMALL: f"{url.rpartition('/')[0]}/small", RECIPIENTS: url}
        accounts = {asyncio.run(many.fill_postgres(one, size, _waiting(size))) for size, one in urls.items()}
        (account,) = accounts
        if huge:
            server.restart(huge_pages="off")
        small, big = _compared(urls, account)
        rows.append(_grown("PostgreSQL in pages of 4 kB, new connections", small, big))
        if huge:
            server.restart(huge_pages="on")
            small, big = _compared(urls, account)
            rows.append(_grown("PostgreSQL in pages of 2 MB", small, big))
        rows += _status(folder, url, account, big)
        rows.append(_receipts(url))
    return rows


def _waiting(size: int) -> int:
    """Return how many recipients wait to be submitted: those of the large store whose receipts are measured."""
    return ROUNDS * RECEIPTS if size == RECIPIENTS else 0


def _compared(urls: dict[int, str], account: int) -> list[growth.Times]:
    for url in urls.values():
        asyncio.run(_warm(url))
    return asyncio.run(growth.measured(lambda size: PostgresStore(urls[size]), growth.SMALL, RECIPIENTS, account))


def _sqlite(folder: Path) -> list[Row]:
    files, account = growth.sqlite_files(folder, RECIPIENTS)
    times = asyncio.run(growth.measured(lambda size: SqliteStore(files[size]), growth.SMALL, RECIPIENTS, account))
    for file in files.values():
        file.unlink()
    return [_grown("SQLite", *times)]


def _grown(engine: str, small: growth.Times, big: growth.Times) -> Row:
    return Row(
        f"query by id, {engine}, {RECIPIENTS:,} recipients",
        f"p50 {big.p50:.0f} µs, p99 {big.p99:.0f} µs",
        f"{big.p50 / small.p50:.2f}",
        f"time with {growth.SMALL:,} recipients p50 {small.p50:.0f} µs, p99 {small.p99:.0f} µs",
    )


async def _warm(url: str) -> None:
    """Have in the server's memory what queries read, as it is where people ask for what was sent lately."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
    names = "'^(message|recipient)_0(_pkey)?$'"
    await connection.execute(f"SELECT pg_prewarm(oid) FROM pg_class WHERE relname ~ {names} AND relkind IN ('r', 'i')")
    await connection.close()


async def _new_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


def _status(folder: Path, url: str, account: int, inside: growth.Times) -> list[Row]:
    """bulk-status from outside, for messages by chance; and the store's own read against the driver's."""
    bare = asyncio.run(growth.bare_statement(url, STATEMENTS["recipients_of"], account, RECIPIENTS))
    links = "".join(f'[[link]]\nname = "{link.name}"\nprefixes = ["+999"]\n' for link in many.LINKS)
    store = f'url = "{url}"\nsecret = "{"5e" * 32}"'
    place = workplace(folder / "status", store=store, sections=links)
    asyncio.run(_give_key(url, account))
    with running(place, "--role", "api"):
        address = f"{place.url}/v1/bulk-status?apiKey={place.key}&messageId="
        http_load.get_any(address, RECIPIENTS // many.EACH, folder, connections=32, seconds=2)
        asked = http_load.get_any(address, RECIPIENTS // many.EACH, folder, connections=32, seconds=5)
        fixed = http_load.get(f"{place.url}/healthz", connections=32, seconds=2)
    if asked.errors:
        raise RuntimeError(f"{asked.errors} requests failed")
    return [
        Row(
            f"query by id, PostgreSQL, {RECIPIENTS:,} recipients",
            f"p50 {inside.p50:.0f} µs, p99 {inside.p99:.0f} µs",
            f"{inside.p50 / bare.p50:.2f}",
            f"asyncpg alone, the same statement p50 {bare.p50:.0f} µs, p99 {bare.p99:.0f} µs",
        ),
        Row(
            f"bulk-status, PostgreSQL, {RECIPIENTS:,} recipients",
            f"{asked.per_second:,.0f}/s, p99 {asked.p99_ms:.1f} ms",
            f"{asked.per_second / fixed.per_second:.2f}",
            f"static answer {fixed.per_second:,.0f}/s",
        ),
    ]


async def _give_key(url: str, account: int) -> None:
    """Have every key open this account."""
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE api_key SET account = $1", account)
    await connection.close()


def _receipts(url: str) -> Row:
    """Receipts of the newest messages, in any order, settled by two workers, which have submitted them before."""
    bare = asyncio.run(_bare_updates(url))
    rate = statistics.median(_settled(url, round_) for round_ in range(1, ROUNDS + 1))
    return Row(
        f"durable receipts, PostgreSQL, {RECIPIENTS:,} recipients, two workers",
        f"{rate:,.0f}/s",
        f"{rate / bare:.2f}",
        f"PostgreSQL updates alone, 1,000 to a commit, two connections {bare:,.0f}/s",
    )


def _settled(url: str, round_: int) -> float:
    """Settle the receipts of one round; return how many a second."""
    each = RECEIPTS // PROCESSES // many.EACH
    first = RECIPIENTS // many.EACH - round_ * PROCESSES * each + 1
    command = [sys.executable, "-m", "benchmarks.settler", url]
    workers = [
        subprocess.Popen(
            [*command, str(link), str(first), str(each)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for link in range(PROCESSES)
    ]
    for worker in workers:
        if _line(worker) != "ready\n":
            raise RuntimeError("a worker does not begin")
    began = time.perf_counter()
    for worker in workers:
        if worker.stdin is not None:
            worker.stdin.write("go\n")
            worker.stdin.flush()
    told = [json.loads(_line(worker)) for worker in workers]
    took = time.perf_counter() - began
    for worker in workers:
        worker.communicate()
    if sum(one["moved"] for one in told) != RECEIPTS:
        raise RuntimeError(f"not every receipt moved its recipient: {told}")
    return RECEIPTS / took


def _line(process: "subprocess.Popen[str]") -> str:
    return process.stdout.readline() if process.stdout is not None else ""


async def _bare_updates(url: str) -> float:
    """Update one column of as many rows, 1,000 to a commit, over two connections."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE bare (id bigint PRIMARY KEY, state int NOT NULL) WITH (fillfactor = 60)")
    await connection.execute("INSERT INTO bare SELECT n, 0 FROM generate_series(0, $1::bigint - 1) AS n", RECEIPTS)
    await connection.execute("VACUUM ANALYZE bare")
    began = time.perf_counter()
    await asyncio.gather(*(_update_half(url, half) for half in range(2)))
    took = time.perf_counter() - began
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return RECEIPTS / took


async def _update_half(url: str, half: int) -> None:
    connection = await asyncpg.connect(url)
    statement = "UPDATE bare SET state = 8 FROM unnest($1::bigint[]) AS given (id) WHERE bare.id = given.id"
    for first in range(half * 1000, RECEIPTS, 2000):
        await connection.execute(statement, list(range(first, first + 1000)))
    await connection.close()
