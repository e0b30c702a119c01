"""`esito account`: accounts, their keys and their credit.

The commands work on the database directly, also while the server runs.
"""

import re
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

import click

from esito.app import wiring
from esito.cli.account_profile import credit, set_
from esito.cli.cancellation import take_back_queued, taken_as_json, taken_in_words
from esito.cli.options import Money, actor, print_json, run, with_json, with_settings
from esito.cli.terminal import TextTable, say, show
from esito.config import Settings
from esito.domain.account import Account, AccountState
from esito.domain.credentials import ApiKey, key_digest, new_api_key
from esito.domain.pricing import as_number
from esito.domain.timing import RealClock


@click.group()
def account() -> None:
    """Create accounts and their keys, list, disable and enable them."""


def name_of(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Check the name of an account or administrator. Raises BadParameter."""
    if not re.fullmatch(r"[\w@.-]{1,64}", value):
        raise click.BadParameter("a name has 1 to 64 letters, digits, dots, dashes, _ or @")
    return value


def networks_of(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return networks in their usual spelling. Raises BadParameter."""
    try:
        return tuple(str(ip_network(value)) for value in values)
    except ValueError as error:
        raise click.BadParameter(f"{error}; a network is such as 192.0.2.0/24 or 2001:db8::/32") from None


account.add_command(set_)
account.add_command(credit)


@account.command()
@click.argument("name", callback=name_of)
@click.option("--credit", type=Money(), default=Decimal(100), show_default=True, help="Credit it starts with.")
@with_json
@with_settings
def create(name: str, credit: Decimal, settings: Settings, *, as_json: bool) -> None:
    """Create an account and its first key, which is shown only once."""
    key = new_api_key()
    run(_create(settings, name, credit, key))
    _show_key(name, key, as_json=as_json)


async def _create(settings: Settings, name: str, credit: Decimal, key: str) -> None:
    digest = key_digest(key, wiring.key_secret(settings))
    async with wiring.open_store(settings, actor=actor()) as store:
        await store.create_account(name, credit=credit, key_digest=digest, at=RealClock().now())


@account.command("list")
@with_json
@with_settings
def list_(settings: Settings, *, as_json: bool) -> None:
    """List the accounts and their keys."""
    accounts = run(_accounts(settings))
    if as_json:
        print_json([_as_json(one, keys, settings.pricing.currency) for one, keys in accounts])
        return
    table = TextTable("account", "state", "credit", "keys")
    for one, keys in accounts:
        shown = ", ".join(f"{key.id} {key.label}".strip() + (" (disabled)" if key.disabled else "") for key in keys)
        table.add_row(one.name, one.state.value, f"{as_number(one.credit)} {settings.pricing.currency}", shown)
    show(table)


async def _accounts(settings: Settings) -> list[tuple[Account, list[ApiKey]]]:
    async with wiring.open_store(settings, actor=actor()) as store:
        return await store.accounts()


def _as_json(one: Account, keys: list[ApiKey], currency: str) -> dict[str, Any]:
    return {
        "account": one.name,
        "state": one.state.value,
        "credit": str(one.credit),
        "currency": currency,
        "keys": [{"id": key.id, "label": key.label, "disabled": key.disabled} for key in keys],
    }


@account.command()
@click.argument("name")
@click.option("--label", default="", help="What the key is for.")
@click.option(
    "--network",
    "networks",
    multiple=True,
    metavar="CIDR",
    callback=networks_of,
    help="Accept the key only from this network, such as 192.0.2.0/24; may be repeated.",
)
@click.option("--disable", "disabled", type=int, metavar="ID", help="Instead: disable the key of this number.")
@with_json
@with_settings
def key(
    name: str, label: str, networks: tuple[str, ...], disabled: int | None, settings: Settings, *, as_json: bool
) -> None:
    """Create another key, which is shown only once; or disable one."""
    if disabled is not None:
        run(_disable_key(settings, name, disabled))
        _done(
            {"account": name, "key": disabled, "disabled": True},
            f"Key {disabled} of {name} is disabled.",
            as_json=as_json,
        )
        return
    made = new_api_key()
    run(_add_key(settings, name, label, made, networks))
    _show_key(name, made, as_json=as_json)


async def _add_key(settings: Settings, name: str, label: str, made: str, networks: tuple[str, ...]) -> None:
    digest = key_digest(made, wiring.key_secret(settings))
    async with wiring.open_store(settings, actor=actor()) as store:
        await store.add_key(name, key_digest=digest, label=label, at=RealClock().now(), networks=networks)


async def _disable_key(settings: Settings, name: str, key_id: int) -> None:
    async with wiring.open_store(settings, actor=actor()) as store:
        await store.disable_key(name, key_id)


@account.command()
@click.argument("name")
@click.option("--cancel", "cancels", is_flag=True, help="Also cancel what it and its sub-accounts have queued.")
@with_json
@with_settings
def disable(name: str, settings: Settings, *, cancels: bool, as_json: bool) -> None:
    """Disable an account; what it sent is still delivered, except what --cancel takes back."""
    run(_set_state(settings, name, AccountState.DISABLED))
    told: dict[str, Any] = {"account": name, "state": "disabled"}
    sentence = f"Account {name} is disabled."
    if cancels:
        taken = run(take_back_queued(settings, name))
        told["cancelled"] = taken_as_json(taken)
        sentence += f"\n{taken_in_words(taken, settings.pricing.currency)}"
    _done(told, sentence, as_json=as_json)


@account.command()
@click.argument("name")
@with_json
@with_settings
def enable(name: str, settings: Settings, *, as_json: bool) -> None:
    """Enable a disabled account."""
    run(_set_state(settings, name, AccountState.ACTIVE))
    _done({"account": name, "state": "active"}, f"Account {name} is active.", as_json=as_json)


async def _set_state(settings: Settings, name: str, state: AccountState) -> None:
    async with wiring.open_store(settings, actor=actor()) as store:
        await store.set_account_state(name, state)


def _show_key(name: str, made: str, *, as_json: bool) -> None:
    sentence = f"Account {name} has the key\n\n  {made}\n\nIt is shown this once: Esito keeps no copy it could read."
    _done({"account": name, "apiKey": made}, sentence, as_json=as_json)


def _done(value: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        say(sentence)
