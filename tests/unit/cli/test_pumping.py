"""What an administrator sets against SMS pumping, and does once it has begun."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from esito.cli.main import cli
from esito.domain.timing import DAY_MS, RealClock
from esito.store.sqlite import SqliteStore
from tests.kit.builders import links_in, message

NUMBERS = [33600000001, 33600000002]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("ESITO_API_KEY", "ESITO_URL", "ESITO_STORE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "settings.toml"
    prices = '[pricing]\ncountries = {BE = "0.06"}\nprefixes = {"+3933" = "0.07"}\n'
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/esito.db"\n{prices}', encoding="utf-8")
    esito("account", "create", "acme", "--config", str(file))
    return str(file)


def esito(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def queued(path: Path, count: int, *, claim: int = 0) -> list[int]:
    """Accept messages to two numbers each, tomorrow's unless some are claimed; return their ids."""

    async def accept() -> list[int]:
        store = SqliteStore(path / "esito.db")
        await store.open()
        try:
            await links_in(store)
            ((account, _),) = await store.accounts()
            now = RealClock().now()
            due_at = now if claim else now + DAY_MS
            numbers = [await store.accept(message(account, NUMBERS, due_at=due_at)) for _ in range(count)]
            await store.claim("alpha", limit=claim, at=now)
            return numbers
        finally:
            await store.close()

    return asyncio.run(accept())


def test_countries_and_ceilings_are_set_and_shown(config: str) -> None:
    told = esito("account", "set", "acme", "--json", "--config", config)
    profile = json.loads(told.stdout)["profile"]
    assert (profile["countries"], profile["segments_per_day"], profile["cost_per_day"]) == ("", 0, "0")
    changes = ("countries=fr, be,it", "segments_per_day=5000", "cost_per_day=250.50")
    told = esito("account", "set", "acme", *changes, "--json", "--config", config)
    profile = json.loads(told.stdout)["profile"]
    assert (profile["countries"], profile["segments_per_day"], profile["cost_per_day"]) == ("FR,BE,IT", 5000, "250.50")
    assert told.stderr == ""


def test_a_country_without_a_price_is_told_of(config: str) -> None:
    told = esito("account", "set", "acme", "countries=FR,BE,IT,LV,ES", "--config", config)
    assert told.exit_code == 0
    assert told.stderr == "There is no price for LV, ES in [pricing], so nothing is sent there yet.\n"
    assert esito("account", "set", "acme", "countries=*", "--config", config).stderr == ""


def test_a_disabled_account_may_have_its_queue_taken_back(config: str, tmp_path: Path) -> None:
    queued(tmp_path, 3)
    assert esito("account", "disable", "acme", "--config", config).stdout == "Account acme is disabled.\n"
    assert esito("account", "disable", "acme", "--cancel", "--config", config).stdout == (
        "Account acme is disabled.\n"
        "Taken back from 6 of 6 recipients of 3 messages; 0.27 EUR went back to the credit.\n"
    )
    told = esito("account", "disable", "acme", "--cancel", "--json", "--config", config)
    nothing = {"messages": 0, "recipients": 0, "of": 0, "credit": "0"}
    assert json.loads(told.stdout) == {"account": "acme", "state": "disabled", "cancelled": nothing}
    assert json.loads(esito("account", "list", "--json", "--config", config).stdout)[0]["credit"] == "100"
    acts = [(one["act"], one["details"]) for one in json.loads(esito("audit", "--json", "--config", config).stdout)]
    assert ("queue taken back", "6 of 6 recipients of 3 messages, +0.27") in acts
    assert esito("check", "--config", config).exit_code == 0


def test_nobodys_queue_is_not_taken_back(config: str) -> None:
    told = esito("account", "disable", "nobody", "--cancel", "--config", config)
    assert (told.exit_code, told.stderr) == (1, "Error: there is no account named 'nobody'\n")


def test_an_administrator_takes_any_message_back(config: str, tmp_path: Path) -> None:
    first, second = queued(tmp_path, 2)
    told = esito("cancel", str(first), "--config", config)
    assert told.stdout == "Taken back from 2 of 2 recipients of 1 message; 0.09 EUR went back to the credit.\n"
    told = esito("cancel", str(second), "--json", "--config", config)
    assert json.loads(told.stdout) == {
        "messageId": second, "cancelled": {"messages": 1, "recipients": 2, "of": 2, "credit": "0.09"},
    }  # fmt: skip
    told = esito("cancel", str(first), "--config", config)
    assert (told.exit_code, told.stderr) == (1, "Error: The message was cancelled before.\n")
    told = esito("cancel", "999", "--config", config)
    assert (told.exit_code, told.stderr) == (1, "Error: there is no message 999\n")


def test_what_a_link_has_claimed_goes_on(config: str, tmp_path: Path) -> None:
    (number,) = queued(tmp_path, 1, claim=1)
    told = esito("cancel", str(number), "--config", config)
    assert told.stdout == (
        "Taken back from 1 of 2 recipients of 1 message; 0.045 EUR went back to the credit."
        " What was on its way to the other 1 goes on.\n"
    )


def test_without_a_key_it_is_the_administrators_where_the_servers_settings_are(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = queued(tmp_path, 1)
    told = esito("cancel", str(number))
    assert (told.exit_code, "Give --api-key" in told.stderr) == (2, True)
    told = esito("cancel", str(number), "--config", config, "--api-key", "key")
    assert (told.exit_code, "give one of them" in told.stderr) == (2, True)
    Path(config).rename(tmp_path / "esito.toml")
    monkeypatch.setenv("ESITO_API_KEY", "key")
    monkeypatch.setenv("ESITO_URL", "http://127.0.0.1:9")
    assert esito("cancel", str(number)).exit_code == 1, "a key makes it the sender's, whose server is not there"
    monkeypatch.delenv("ESITO_API_KEY")
    assert esito("cancel", str(number)).exit_code == 0
