"""Callbacks by a real server that is killed while it makes them: none is missing, and few come twice."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import apsw
import httpx
import pytest
from click.testing import CliRunner

from esito.cli.main import cli
from esito.domain.callback import CallbackKind, webhook_id
from tests.kit.patience import PATIENCE, until
from tests.kit.receiver import Receiver
from tests.torture.house import House
from tests.torture.witness import Witness

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def witness() -> Iterator[Witness]:
    with Witness() as operator:
        yield operator


@pytest.fixture
async def house(tmp_path: Path, witness: Witness) -> AsyncIterator[House]:
    """A server with an operator that delivers everything at once; callbacks may go to this machine."""
    with House(folder=tmp_path, database=tmp_path / "esito.db", links={"alpha": witness.port}) as opened:
        with opened.config.open("a", encoding="utf-8") as config:
            config.write("\n[callbacks]\nallow_private_networks = true\n")
        await asyncio.to_thread(opened.start)
        yield opened
        assert "balance" in opened.esito("check")


async def send(house: House, url: str, numbers: int) -> int:
    body = {
        "apiKey": house.key, "message": "ciao", "urlDlr": url,
        "phoneNumbers": ",".join(f"+336{number:08d}" for number in range(numbers)),
    }  # fmt: skip
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(f"{house.url}/v1/send", json=body)
    return int(answer.raise_for_status().json()["message_id"])


async def until_taken(receiver: Receiver, count: int) -> None:
    await until(lambda: len({one.id for one in receiver.taken}) >= count)


async def until_answered(house: House, count: int) -> None:
    """Return once the store has the operator's answers to so many submit_sm."""
    await until(lambda: len(rows_of(house, "SELECT seq FROM segment WHERE phase = 3")) >= count)


def leased(house: House) -> set[str]:
    """Return what a killed server was making, by webhook-id."""
    rows = rows_of(house, "SELECT message_id, seq, state, id FROM callback WHERE phase = 2")
    return {webhook_id(CallbackKind.REPORT, *row) for row in rows}


def rows_of(house: House, sql: str) -> list[tuple[int, ...]]:
    with closing(apsw.Connection(str(house.database))) as connection:
        return cast("list[tuple[int, ...]]", connection.execute(sql).fetchall())


async def test_a_kill_repeats_at_most_what_was_out_and_loses_nothing(house: House, witness: Witness) -> None:
    async def after_a_while(_path: str, _headers: dict[str, str]) -> int:
        await asyncio.sleep(0.05)
        return 200

    out: set[str] = set()
    async with Receiver(after_a_while) as receiver:
        witness.withholds = True
        numbers = [await send(house, receiver.url, 100) for _ in range(6)]
        await until_answered(house, 600)  # what a kill interrupts on its way out may never have gone
        witness.release()
        for taken in (100, 250, 400):
            await until_taken(receiver, taken)
            house.kill()
            now_out = leased(house)
            assert 0 < len(now_out) <= 64
            out |= now_out
            await asyncio.to_thread(house.start)
        await until_taken(receiver, 600)
        await until(lambda: not leased(house))  # what was out at the last kill may be on its way once more
        await asyncio.to_thread(house.stop)  # beside the receiver, which answers until it has stopped
    wanted = {f"msg_{number}_{seq}_8" for number in numbers for seq in range(100)}
    assert {one.id for one in receiver.taken} == wanted
    twice = {id_ for id_, times in Counter(one.id for one in receiver.taken).items() if times > 1}
    assert twice <= out
    assert leased(house) == set()


async def test_callbacks_are_listed_and_replayed_on_the_command_line(house: House) -> None:
    answers = iter([410, 200])

    async def next_answer(_path: str, _headers: dict[str, str]) -> int:
        return next(answers)

    async with Receiver(next_answer) as receiver:
        number = await send(house, receiver.url, 1)
        (one,) = await until(lambda: told(house, "callbacks", "--status", "dead", "--json"))
        assert (one["webhook_id"], one["reason"]) == (f"msg_{number}_0_8", "given up: HTTP 410")
        (place,) = await told(house, "callbacks", "--destinations", "--json")
        assert (place["state"], place["gone_paths"]) == ("good", ["/dlr"])
        assert "given up: HTTP 410" in await said(house, "callbacks", "1")
        assert "HTTP 410" in await said(house, "callbacks", "--status", "dead")
        assert "/dlr: HTTP 410, called no more" in await said(house, "callbacks", "--destinations")
        assert await said(house, "replay", str(one["id"])) == "1 callback will be made again.\n"
        await until_taken(receiver, 1)
        assert await told(house, "replay", "--since", "2000-01-01", "--dead", "--json") == {"replayed": 0}
    assert [(one.id, one.attempt) for one in receiver.heard] == [(f"msg_{number}_0_8", 1), (f"msg_{number}_0_8", 2)]
    assert json.loads(receiver.heard[0].body)["status"] == "delivered"


async def told(house: House, *words: str) -> Any:
    """Run a command; return what it prints as JSON."""
    return json.loads(await said(house, *words))


async def said(house: House, *words: str) -> str:
    """Run a command; return what it prints."""
    asked = [*words, "--url", house.url, "--api-key", house.key]
    done = await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, cli, asked)
    assert done.exit_code == 0, done.output
    return done.output
