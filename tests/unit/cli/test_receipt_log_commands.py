"""`esito bus` and what `esito check` says of the log, on three servers and a database."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import Result

from esito.domain.account import Account
from esito.receipt_log.frames import Frame, encode
from esito.store.postgres import PostgresStore
from tests.kit.builders import account_in, complaints, links_in, message, receipt, states_of, submitted
from tests.kit.nats import a_stream, log_on, shared_servers
from tests.kit.needs import needs
from tests.kit.postgres import drop_database, fresh_database

pytestmark = needs("postgres", "nats")

Run = Callable[..., Result]
T = TypeVar("T")


@pytest.fixture
def place(run: Run) -> Iterator[dict[str, str]]:
    """Settings of a database and a stream of its own: links in the file, the rest in the environment."""
    Path("esito.toml").write_text('[[link]]\nname = "alpha"\nsystem_id = "smsc"\n', encoding="utf-8")
    servers = shared_servers()
    url = asyncio.run(fresh_database())
    stream = a_stream()
    yield {
        "ESITO_STORE_URL": url,
        "ESITO_BUS_URL": ",".join(servers.servers),
        "ESITO_BUS_MONITORS": ",".join(servers.monitors),
        "ESITO_BUS_STREAM": stream,
    }

    async def remove() -> None:
        async with log_on(servers, stream=stream) as receipt_log:
            await receipt_log.remove()

    asyncio.run(remove())
    asyncio.run(drop_database(url))


def appended(place: dict[str, str], *records: bytes) -> None:
    async def append() -> None:
        async with log_on(shared_servers(), stream=place["ESITO_BUS_STREAM"], most=4 << 30) as receipt_log:
            for record in records:
                await receipt_log.append(record)

    asyncio.run(append())


def frame(sequence: int, *names: str) -> bytes:
    return encode(Frame("gw", 7, sequence, tuple(receipt(name, "DELIVRD") for name in names)))


def on_store(place: dict[str, str], act: Callable[[PostgresStore], Awaitable[T]]) -> T:
    async def opened() -> T:
        store = PostgresStore(place["ESITO_STORE_URL"])
        await store.open()
        async with AsyncExitStack() as doors:
            doors.push_async_callback(store.close)
            done = await act(store)
            assert await complaints(store) == []
            return done

    return asyncio.run(opened())


async def sent(store: PostgresStore) -> tuple[Account, int]:
    account = await account_in(store)
    await links_in(store)
    return account, await submitted(store, message(account, [33612345678, 33612345679]), ["a", "b"])


def test_replay_gives_a_store_what_it_lacks_and_once(run: Run, place: dict[str, str]) -> None:
    account, number = on_store(place, sent)
    appended(place, frame(1, "a"), b"rubbish", frame(2, "b"))
    assert run("bus", "replay", "--from", "2026-01-01T00:00:00Z", **place).stdout == (
        "2 frames read, 2 of them were new to the store.\n"
    )
    again = json.loads(run("bus", "replay", "--from", "2026-01-01T00:00:00+01:00", "--json", **place).stdout)
    assert again == {"seen": 2, "applied": 0}
    assert on_store(place, lambda store: states_of(store, account, number)) == [8, 8]


def test_status_shows_what_waits_and_how_far_each_gateway_is(run: Run, place: dict[str, str]) -> None:
    appended(place, frame(1, "x"), frame(3, "y"))
    replayed = run("bus", "replay", "--from", "2026-01-01T00:00:00Z", **place)
    assert (replayed.exit_code, replayed.stderr) == (0, "")
    shown = run("bus", "status", **place)
    assert (shown.exit_code, "2 records wait for the store; 0% of 4096 MiB" in shown.stdout) == (0, True)
    told = json.loads(run("bus", "status", "--json", **place).stdout)
    assert told["gateways"] == [{"gateway": "gw", "series": 7, "confirmed": 1, "missing": [2]}]
    assert (told["waiting"], told["complaints"]) == (2, [])


def test_check_names_a_frame_that_was_overtaken_for_long(run: Run, place: dict[str, str]) -> None:
    appended(place, frame(1, "x"), frame(3, "y"))
    run("bus", "replay", "--from", "2026-01-01T00:00:00Z", **place)
    done = run("check", **place)
    assert (done.exit_code, done.stdout) == (
        1, "frame 2 of gw (series 7) has not come; its gateway has it and sends it again\n"
    )  # fmt: skip
    appended(place, frame(2, "z"))
    run("bus", "replay", "--from", "2026-01-01T00:00:00Z", **place)
    assert run("check", **place).stdout == "The books balance.\n"


def test_a_frame_of_a_link_that_is_not_configured_is_put_off(run: Run, place: dict[str, str]) -> None:
    Path("esito.toml").write_text("", encoding="utf-8")
    appended(place, frame(1, "x"))
    done = run("bus", "replay", "--from", "2026-01-01T00:00:00Z", **place)
    assert (done.exit_code, done.stderr) == (
        1, "Error: there is no link 'alpha' in these settings; every process of an installation needs the same links\n"
    )  # fmt: skip
    assert json.loads(run("bus", "status", "--json", **place).stdout)["gateways"] == []


def test_poison_is_listed_and_saved_as_it_came(run: Run, place: dict[str, str], tmp_path: Path) -> None:
    assert run("bus", "poison", **place).stdout == "Every record of the log could be applied.\n"
    on_store(place, lambda store: store.frames.set_aside(4, b"\x00rub", reason="it is rubbish", at=1_800_000_000_000))
    shown = run("bus", "poison", "--save", "out", **place)
    assert (shown.exit_code, "it is rubbish" in shown.stdout) == (0, True)
    assert (tmp_path / "out" / "4.frame").read_bytes() == b"\x00rub"
    (one,) = json.loads(run("bus", "poison", "--json", **place).stdout)
    assert one == {"id": one["id"], "at": 1_800_000_000_000, "place": 4, "octets": 4, "reason": "it is rubbish"}


def test_without_a_log_there_is_nothing_to_see(run: Run) -> None:
    for command in (("status",), ("replay", "--from", "2026-01-01T00:00:00Z")):
        done = run("bus", *command)
        assert (done.exit_code, done.stderr) == (
            1, "Error: bus.url is empty: receipts go straight into the store, and there is no log\n"
        )  # fmt: skip


@pytest.mark.parametrize("when", ["yesterday", "2026-01-01T00:00:00", ""])
def test_a_moment_names_its_zone(run: Run, when: str) -> None:
    done = run("bus", "replay", "--from", when)
    assert (done.exit_code, "such as 2026-11-23T10:00:00Z" in done.stderr or "names no zone" in done.stderr) == (
        2,
        True,
    )
