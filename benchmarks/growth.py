"""What a query by message id takes in a small store and in a very large one, in turn, so that both see one machine."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benchmarks import many
from esito.store.interface.store import Store
from esito.store.statements import Statement

SMALL = 10_000
ROUNDS = 20
QUESTIONS = 250
"""Of each round, to each store."""


class Times(NamedTuple):
    """How long questions took, microseconds."""

    p50: float
    p99: float


def of(seconds: list[float]) -> Times:
    """Sum up."""
    return Times(statistics.median(seconds) * 1e6, statistics.quantiles(seconds, n=100)[98] * 1e6)


async def compare(stores: list[tuple[Store, int]], account: int) -> list[Times]:
    """Ask open stores, each with a number of recipients, for messages by chance; return the times of each."""
    chance = random.Random(1)
    seen: list[list[float]] = [[] for _ in stores]
    for round_ in range(ROUNDS + 1):
        for (store, recipients), times in zip(stores, seen, strict=True):
            for _ in range(QUESTIONS):
                message_id = chance.randint(1, recipients // many.EACH)
                began = time.perf_counter()
                found = await store.recipients_of(account, message_id)
                took = time.perf_counter() - began
                if found is None or len(found) != many.EACH:
                    raise RuntimeError(f"message {message_id} has not its recipients")
                if round_:  # the first one warms up
                    times.append(took)
    return [of(times) for times in seen]


async def bare_statement(url: str, statement: Statement, account: int, recipients: int) -> Times:
    """Ask the same by the driver alone."""
    chance = random.Random(2)
    connection = await asyncpg.connect(url)
    times = []
    for number in range(ROUNDS * QUESTIONS):
        message_id = chance.randint(1, recipients // many.EACH)
        began = time.perf_counter()
        await connection.fetch(statement.text, *statement.in_order({"account": account, "message_id": message_id}))
        if number >= QUESTIONS:
            times.append(time.perf_counter() - began)
    await connection.close()
    return of(times)


async def measured(make: Callable[[int], Store], small: int, large: int, account: int) -> list[Times]:
    """Open a store of each size and compare them."""
    stores = [(make(size), size) for size in (small, large)]
    for store, _ in stores:
        await store.open()
    try:
        return await compare(stores, account)
    finally:
        for store, _ in stores:
            await store.close()


def sqlite_files(folder: Path, large: int) -> tuple[dict[int, Path], int]:
    """Fill a small file and a large one; return them by their size, and the account."""
    files = {size: folder / f"many-{size}.db" for size in (SMALL, large)}
    accounts = {asyncio.run(many.fill_sqlite(file, size)) for size, file in files.items()}
    return files, accounts.pop()
