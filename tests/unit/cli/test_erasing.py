"""`esito erase` on a database: it asks, it says what it did, and what it refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from click.testing import CliRunner, Result

from esito.cli.main import cli
from esito.store.interface.store import Store
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, links_in, message, receipt, submitted

ANNA = 33611111111


def on_store(directory: Path, act: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = SqliteStore(directory / "esito.db")
        await store.open()
        await act(store)
        await store.close()

    asyncio.run(run())


async def delivered(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, (ANNA,)), ["one"])
    await store.apply_receipts([receipt("one", "DELIVRD")])


def esito(directory: Path, *words: str, answer: str = "") -> Result:
    config = directory / "esito.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{directory}/esito.db"\n')
    return CliRunner().invoke(cli, [*words, "--config", str(config)], input=answer)


def test_it_asks_first_and_shows_no_whole_number(tmp_path: Path) -> None:
    on_store(tmp_path, delivered)
    told = esito(tmp_path, "erase", "0611111111", answer="n\n")
    assert told.exit_code == 1
    assert "Remove ********1111 from what all accounts sent and received, for ever? [y/N]" in told.output
    told = esito(tmp_path, "erase", "0611111111", answer="y\n")
    assert told.exit_code == 0
    assert "********1111 was removed from 1 recipients, 0 replies and 0 entries of STOP lists." in told.output
    assert "611111" not in told.output
    audit = esito(tmp_path, "audit", "--json").output
    assert '"number erased"' in audit
    assert '"********1111"' in audit


def test_an_account_that_is_not_there_is_refused(tmp_path: Path) -> None:
    told = esito(tmp_path, "erase", "+33611111111", "--account", "nobody", "--yes")
    assert (told.exit_code, told.output) == (1, "Error: there is no account named 'nobody'\n")


def test_what_is_no_number_is_wrong_usage(tmp_path: Path) -> None:
    told = esito(tmp_path, "erase", "12", "--yes")
    assert told.exit_code == 2
    assert "not a phone number: '12'" in told.output


def test_what_is_on_its_way_is_refused(tmp_path: Path) -> None:
    async def sent(store: Store) -> None:
        account = await account_in(store)
        await links_in(store)
        await store.accept(message(account, (ANNA,)))

    on_store(tmp_path, sent)
    told = esito(tmp_path, "erase", "+33611111111", "--yes")
    assert told.exit_code == 1
    assert told.output == (
        "Error: a message to this number is not finished; it can be erased after 2027-01-17 08:00 UTC\n"
    )
