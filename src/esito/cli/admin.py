"""`esito admin`: who may look at what belongs to the installation, by keys of their own.

It works on the database directly, also while the server runs.
"""

from typing import Any

import click

from esito.bootstrap import stores
from esito.cli.account import name_of, networks_of
from esito.cli.explain import moment
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import Table, say, show
from esito.config import Settings
from esito.domain.credentials import Administrator, key_digest, new_api_key
from esito.domain.timing import RealClock


@click.group()
def admin() -> None:
    """Create administrators and their keys, list, disable and enable them."""


@admin.command()
@click.argument("name", callback=name_of)
@click.option(
    "--network",
    "networks",
    multiple=True,
    metavar="CIDR",
    callback=networks_of,
    help="The key may be used from here only, such as 192.0.2.0/24; may stand several times.",
)
@with_json
@with_settings
def create(name: str, networks: tuple[str, ...], settings: Settings, *, as_json: bool) -> None:
    """Create an administrator with a key, which is shown this once."""
    key = new_api_key()
    run(_create(settings, name, key, networks))
    _show_key(name, key, as_json=as_json)


async def _create(settings: Settings, name: str, key: str, networks: tuple[str, ...]) -> None:
    digest = key_digest(key, stores.key_secret(settings))
    async with stores.open_store(settings, actor=actor()) as store:
        await store.administrators.create(
            name, key_digest=digest, networks=networks, actor=actor(), at=RealClock().now()
        )


@admin.command()
@click.argument("name")
@with_json
@with_settings
def key(name: str, settings: Settings, *, as_json: bool) -> None:
    """Give an administrator another key, which is shown this once; the one before opens nothing any more."""
    made = new_api_key()
    run(_replace_key(settings, name, made))
    _show_key(name, made, as_json=as_json)


async def _replace_key(settings: Settings, name: str, made: str) -> None:
    digest = key_digest(made, stores.key_secret(settings))
    async with stores.open_store(settings, actor=actor()) as store:
        await store.administrators.replace_key(name, key_digest=digest, actor=actor(), at=RealClock().now())


@admin.command("list")
@with_json
@with_settings
def list_(settings: Settings, *, as_json: bool) -> None:
    """List the administrators."""
    found = run(_all(settings))
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    if not found:
        say("There is no administrator; `esito admin create NAME` makes one.")
        return
    table = Table("administrator", "since", "from", "state")
    for one in found:
        state = "disabled" if one.disabled else "active"
        table.add_row(one.name, moment(one.created_at), ", ".join(one.networks) or "everywhere", state)
    show(table)


async def _all(settings: Settings) -> list[Administrator]:
    async with stores.open_store(settings, actor=actor()) as store:
        return await store.administrators.all()


def _as_json(one: Administrator) -> dict[str, Any]:
    return {
        "administrator": one.name,
        "created_at": one.created_at,
        "networks": list(one.networks),
        "disabled": one.disabled,
    }


@admin.command()
@click.argument("name")
@with_json
@with_settings
def disable(name: str, settings: Settings, *, as_json: bool) -> None:
    """Let the key of an administrator open nothing any more."""
    run(_set_disabled(settings, name, disabled=True))
    _done(name, disabled=True, as_json=as_json)


@admin.command()
@click.argument("name")
@with_json
@with_settings
def enable(name: str, settings: Settings, *, as_json: bool) -> None:
    """Let the key of a disabled administrator open what it did."""
    run(_set_disabled(settings, name, disabled=False))
    _done(name, disabled=False, as_json=as_json)


async def _set_disabled(settings: Settings, name: str, *, disabled: bool) -> None:
    async with stores.open_store(settings, actor=actor()) as store:
        await store.administrators.set_disabled(name, disabled=disabled, actor=actor(), at=RealClock().now())


def _done(name: str, *, disabled: bool, as_json: bool) -> None:
    if as_json:
        print_json({"administrator": name, "disabled": disabled})
    else:
        say(f"Administrator {name} is {'disabled' if disabled else 'enabled'}.")


def _show_key(name: str, made: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"administrator": name, "adminKey": made})
        return
    say(f"Administrator {name}. Its key, which cannot be shown again:\n\n  {made}\n")
    say("Commands take it from ESITO_ADMIN_KEY, requests as `Authorization: Bearer KEY`.")
