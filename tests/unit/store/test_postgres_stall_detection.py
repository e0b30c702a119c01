"""A server that hangs is found out once for all connections of a process."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from esito.store.interface.store import Store
from esito.store.postgres import postgres_connection, read_pool
from tests.kit.cutting import CutWay
from tests.kit.needs import needs
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]

ANSWER_WITHIN = 2.0
"""Seconds after which a server is given up, for this test."""


async def in_the_loop(store: Store) -> None:
    await store.recipients_of(1, 1)


async def in_a_thread(store: Store) -> None:
    await store.to_send(1)


async def in_the_writer(store: Store) -> None:
    await store.keep_setting("colour", "red")


WAYS = [in_the_loop, in_a_thread, in_the_writer]


@pytest.mark.parametrize("first", WAYS, ids=[one.__name__ for one in WAYS])
async def test_only_the_first_waits_for_a_server_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Callable[[Store], Awaitable[None]]
) -> None:
    for room in (read_pool, postgres_connection):
        monkeypatch.setattr(room, "ANSWER_WITHIN", ANSWER_WITHIN)
    async with a_place("postgres", tmp_path) as url:
        with CutWay(url) as way:
            async with open_at(way.url) as store:
                for ask in WAYS:
                    await ask(store)
                way.hang()
                await first(store)
                waited = way.swallowed
                for ask in WAYS:
                    await ask(store)
                assert way.swallowed == waited >= 1, "another asked on a connection that hangs"
