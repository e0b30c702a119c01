"""`esito admin` and `esito audit`: administrators, their keys, and what they did.

The commands work on the database directly, also while the server runs.
"""

from typing import Any

import click

from esito.app import wiring
from esito.cli.account_commands import name_of, networks_of
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import TextTable, moment, say, show
from esito.config import Settings
from esito.domain.credentials import Administrator, key_digest, new_api_key
from esito.domain.timing import RealClock
from esito.store.interface.account_store import AuditEntry


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
    help="Accept the key only from this network, such as 192.0.2.0/24; may be repeated.",
)
@with_json
@with_settings
def create(name: str, networks: tuple[str, ...], settings: Settings, *, as_json: bool) -> None:
    """Create an administrator and a key, which is shown only once."""
    key = new_api_key()
    run(_create(settings, name, key, networks))
    _show_key(name, key, as_json=as_json)


async def _create(settings: Settings, name: str, key: str, networks: tuple[str, ...]) -> None:
    digest = key_digest(key, wiring.key_secret(settings))
    async with wiring.open_store(settings, actor=actor()) as store:
        await store.administrators.create(
            name, key_digest=digest, networks=networks, actor=actor(), at=RealClock().now()
        )


@admin.command()
@click.argument("name")
@with_json
@with_settings
def key(name: str, settings: Settings, *, as_json: bool) -> None:
    """Replace the key of an administrator; the new one is shown only once, the old one stops working."""
    made = new_api_key()
    run(_replace_key(settings, name, made))
    _show_key(name, made, as_json=as_json)


async def _replace_key(settings: Settings, name: str, made: str) -> None:
    digest = key_digest(made, wiring.key_secret(settings))
    async with wiring.open_store(settings, actor=actor()) as store:
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
    table = TextTable("administrator", "since", "from", "state")
    for one in found:
        state = "disabled" if one.disabled else "active"
        table.add_row(one.name, moment(one.created_at), ", ".join(one.networks) or "everywhere", state)
    show(table)


async def _all(settings: Settings) -> list[Administrator]:
    async with wiring.open_store(settings, actor=actor()) as store:
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
    """Disable the key of an administrator."""
    run(_set_disabled(settings, name, disabled=True))
    _done(name, disabled=True, as_json=as_json)


@admin.command()
@click.argument("name")
@with_json
@with_settings
def enable(name: str, settings: Settings, *, as_json: bool) -> None:
    """Enable the key of a disabled administrator."""
    run(_set_disabled(settings, name, disabled=False))
    _done(name, disabled=False, as_json=as_json)


async def _set_disabled(settings: Settings, name: str, *, disabled: bool) -> None:
    async with wiring.open_store(settings, actor=actor()) as store:
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


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@with_json
@with_settings
def audit(limit: int, settings: Settings, *, as_json: bool) -> None:
    """List administrative acts, newest first: accounts, keys, credit, unmasking, erasing."""
    entries = run(_read(settings, limit))
    if as_json:
        print_json(
            [
                {"at": _utc(one), "actor": one.actor, "act": one.act, "subject": one.subject, "details": one.details}
                for one in entries
            ]
        )
        return
    table = TextTable("when (UTC)", "who", "did", "to", "details")
    for one in entries:
        table.add_row(_utc(one), one.actor, one.act, one.subject, one.details)
    show(table)


async def _read(settings: Settings, limit: int) -> list[AuditEntry]:
    async with wiring.open_store(settings) as store:
        return await store.ledger.audit(limit=limit)


def _utc(entry: AuditEntry) -> str:
    return moment(entry.at).removesuffix(" UTC")
