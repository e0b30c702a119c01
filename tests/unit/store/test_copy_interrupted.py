"""A copy that ends before its end, at any moment and for any reason, goes on where it was."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from esito.store.copy.copying import copy
from esito.store.copy.source import CopyRefused
from tests.kit.builders import account_in, complaints, links_in, message
from tests.kit.needs import needs
from tests.kit.stores import open_at
from tests.unit.store.test_copy_source import an_empty_database, answers, filled, meanwhile, query

pytestmark = [pytest.mark.anyio, needs("postgres")]


class Stop(Exception):
    """Somebody pulled the plug."""


@pytest.fixture
async def target() -> AsyncIterator[str]:
    async with an_empty_database() as url:
        yield url


def stop_after(lines: int) -> Callable[[str], None]:
    """Return a listener that hears so many lines about rows, and no more."""
    heard = []

    def hear(line: str) -> None:
        if re.match(r"\w+: \d+ of", line):
            heard.append(line)
            if len(heard) > lines:
                raise Stop

    return hear


async def test_a_copy_that_ends_after_every_batch_comes_to_the_same(path: Path, target: str) -> None:
    before = await filled(path)
    interrupted = 0
    while True:
        try:
            copied = await copy(path, target, say=stop_after(1), batch=12)
            break
        except Stop:
            interrupted += 1
    assert interrupted > 10
    assert copied.complaints == ()
    async with open_at(target) as store:
        assert await answers(store) == before


async def test_what_was_copied_before_is_not_copied_again(path: Path, target: str) -> None:
    await filled(path)
    with pytest.raises(Stop):
        await copy(path, target, say=stop_after(5), batch=12)
    said: list[str] = []
    await copy(path, target, say=said.append, batch=12)
    assert any(line.startswith("Going on with") for line in said)
    assert not any(re.match(r"(setting|account): \d+ of", line) for line in said)


async def test_a_copy_whose_last_steps_were_cut_off_is_compared_again(path: Path, target: str) -> None:
    before = await filled(path)

    def cut(line: str) -> None:
        if line.startswith("Asking whether"):
            raise Stop

    with pytest.raises(Stop):
        await copy(path, target, say=cut)
    said: list[str] = []
    await copy(path, target, say=said.append)
    assert not any(re.match(r"\w+: \d+ of", line) for line in said)
    async with open_at(target) as store:
        assert await answers(store) == before


COPYING = """
import asyncio, sys
from pathlib import Path
from esito.store.copy import copy
asyncio.run(copy(Path(sys.argv[1]), sys.argv[2], say=lambda line: print(line, flush=True), batch=500))
"""


def kill_at(path: Path, target: str, words: str) -> None:
    """Copy in a process of its own and kill it, whatever it is doing by then, once it has said a thing."""
    with subprocess.Popen([sys.executable, "-c", COPYING, path, target], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert any(line.startswith(words) for line in child.stdout)
        child.kill()
    assert child.returncode == -9


async def test_a_copy_that_was_killed_goes_on(path: Path, target: str) -> None:
    async with open_at(f"sqlite:///{path}") as source:
        account = await account_in(source)
        await links_in(source)
        numbers = [await source.accept(message(account, range(33600000000, 33600000500), cost=0)) for _ in range(20)]
    for table, reached in (("message", 20), ("recipient", 1500), ("recipient", 6000), ("outgoing", 20)):
        await asyncio.to_thread(kill_at, path, target, f"{table}: {reached} of")
        sql = f"SELECT done, (SELECT count(*) FROM {table}) FROM esito_copy.progress WHERE name = '{table}'"
        ((done, held),) = await query(target, sql)
        assert done == held >= reached
    await asyncio.to_thread(kill_at, path, target, "Reading the copy back")
    assert (await copy(path, target)).tables["recipient"].rows == 10_000
    async with open_at(target) as store:
        assert len(await store.recipients_of(account.id, numbers[-1]) or []) == 500
        assert await complaints(store) == []


ALL_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
"""


async def test_a_copy_that_lost_its_connection_says_so_and_goes_on(path: Path, target: str) -> None:
    before = await filled(path)

    def lose(line: str) -> None:
        if line.startswith("trail: "):
            meanwhile(target, ALL_OTHERS)

    with pytest.raises(CopyRefused, match=r"connection to the target is lost .* it goes on where it was"):
        await copy(path, target, say=lose)
    await copy(path, target)
    async with open_at(target) as store:
        assert await answers(store) == before


async def test_a_listener_that_is_gone_is_not_taken_for_the_network(path: Path, target: str) -> None:
    await filled(path)

    def gone(_line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await copy(path, target, say=gone)
