"""`esito link add`, `change`, `disable`, `enable` and `remove`: links that change while servers run.

The store keeps what these commands say, and it overrides the settings file by name of the link. Every running server of
the installation applies it within some seconds, and a restart keeps it. Settings that cannot be used are refused here.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from esito.app import link_edits, wiring
from esito.app.link_changes import LinkChange
from esito.app.link_edits import EditOf, LinkEdit, edit
from esito.app.link_settings import SECRET, EditContext
from esito.cli.options import F, actor, print_json, run, with_json, with_settings
from esito.cli.terminal import say
from esito.config import ConfigError, LinkSettings, Settings, as_written
from esito.store.interface.link_store import LinkWork
from esito.store.interface.store import Store


def with_password(command: F) -> F:
    """Give a command `password_file`, `ask_password` and `password_env`, which no list of processes shows."""
    command = click.option("--password-env", metavar="VARIABLE", help="Take the password from this variable.")(command)
    command = click.option("--ask-password", is_flag=True, help="Ask for the password.")(command)
    return click.option(
        "--password-file", metavar="FILE", help="Read the password from the first line of a file; -: standard input."
    )(command)


def _password(file: str | None, variable: str | None, *, ask: bool) -> dict[str, str]:
    if sum((file is not None, variable is not None, ask)) > 1:
        raise click.UsageError("--password-file, --password-env and --ask-password are three ways to say one thing")
    if file is not None:
        with click.open_file(file, encoding="utf-8") as opened_file:
            return {SECRET: opened_file.readline().rstrip("\r\n")}
    if variable is not None:
        if variable not in os.environ:
            raise ConfigError(f"there is no variable {variable}")
        return {SECRET: os.environ[variable]}
    if ask and not _has_terminal():
        raise click.UsageError("--ask-password needs a terminal; without one, use --password-file or --password-env")
    return {SECRET: click.prompt("Password", hide_input=True)} if ask else {}


def _has_terminal() -> bool:
    """Whether a hidden password can be typed: there is a terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin.isatty()
    return True


def _read(name: str, written: Sequence[str], password: Mapping[str, str]) -> dict[str, Any]:
    """Parse `FIELD=VALUE` settings into what a file would hold. Raises BadParameter, ConfigError."""
    where = f"link.{name}"
    found: dict[str, Any] = {}
    for one in written:
        field, equals, value = one.partition("=")
        if not (field and equals):
            raise click.BadParameter(f"{one!r} is not FIELD=VALUE")
        if field == "name":
            raise ConfigError(f"{where}.name stays; add a link of the other name, and remove this one")
        found[field] = as_written(field, value, where=where)
    if both := found.keys() & password.keys():
        raise click.UsageError(f"{both.pop()} is said twice")
    return found | {field: as_written(field, value, where=where) for field, value in password.items()}


FIELDS = f"FIELD is one of {', '.join(name for name in LinkSettings.__dataclass_fields__ if name != 'name')}."


@click.command(epilog=FIELDS)
@click.argument("name")
@click.argument("written", metavar="FIELD=VALUE...", nargs=-1)
@with_password
@with_json
@with_settings
def add(
    name: str,
    written: tuple[str, ...],
    settings: Settings,
    *,
    as_json: bool,
    password_file: str | None,
    password_env: str | None,
    ask_password: bool,
) -> None:
    """Add a link; its settings are those of [[link]], each as FIELD=VALUE."""
    made = LinkEdit(_read(name, written, _password(password_file, password_env, ask=ask_password)))

    def edit_of(_kept: Mapping[str, Any]) -> LinkEdit:
        if not written:  # it would bind to this machine, and serve every number that no other link serves
            raise click.UsageError("say at least where its SMSC is: host=NAME or port=NUMBER")
        return made

    _tell("added", name, *run(_edit(settings, name, "link added", edit_of)), as_json=as_json)


@click.command(epilog=FIELDS)
@click.argument("name")
@click.argument("written", metavar="[FIELD=VALUE...]", nargs=-1)
@click.option("--unset", multiple=True, metavar="FIELD", help="Go back to the file, or to the default.")
@with_password
@with_json
@with_settings
def change(
    name: str,
    written: tuple[str, ...],
    unset: tuple[str, ...],
    settings: Settings,
    *,
    as_json: bool,
    password_file: str | None,
    password_env: str | None,
    ask_password: bool,
) -> None:
    """Change settings of a link, also of one in the file; it binds again only if it must.

    Set each with FIELD=VALUE, as in `esito link add`, or unset it with --unset FIELD; lists with commas, tables as in
    the file.
    """
    said = LinkEdit(_read(name, written, _password(password_file, password_env, ask=ask_password)), unset)
    if not (said.set or said.unset):
        raise click.UsageError("say what to change: FIELD=VALUE or --unset FIELD")
    if both := said.set.keys() & set(unset):
        raise click.UsageError(f"{', '.join(sorted(both))} cannot be set and unset at once")
    _tell("changed", name, *run(_edit(settings, name, "link changed", lambda _row: said)), as_json=as_json)


@click.command()
@click.argument("name")
@with_json
@with_settings
def disable(name: str, settings: Settings, *, as_json: bool) -> None:
    """Stop a link; its operator's receipts still count, and its queue leaves by other links with the same prefixes."""
    said = LinkEdit({"enabled": False})
    _tell("disabled", name, *run(_edit(settings, name, "link disabled", lambda _row: said)), as_json=as_json)


@click.command()
@click.argument("name")
@with_json
@with_settings
def enable(name: str, settings: Settings, *, as_json: bool) -> None:
    """Bind a disabled link again."""

    def edit_of(kept: Mapping[str, Any]) -> LinkEdit:
        in_file = any(one.name == name and one.enabled for one in settings.links)
        return LinkEdit({}, ("enabled",)) if in_file and "enabled" in kept else LinkEdit({"enabled": True})

    _tell("enabled", name, *run(_edit(settings, name, "link enabled", edit_of)), as_json=as_json)


async def _edit(settings: Settings, name: str, act: str, edit_of: EditOf) -> tuple[LinkChange | None, list[str]]:
    async with wiring.open_store(settings, actor=actor()) as store:
        return await edit(edit_context(settings, store), name, act, edit_of)


def edit_context(settings: Settings, store: Store) -> EditContext:
    """Return what an edit of links needs."""
    return EditContext(settings, store, wiring.key_secret(settings), os.environ, actor())


def _tell(did: str, name: str, found: LinkChange | None, notes: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        about = {"changed": found is not None, "rebinds": found is not None and found.rebinds}
        print_json({"link": name, "act": did, **about, "notes": notes})
        return
    if found is None:
        say(f"Link {name} is {did}; it was so before.")
    else:
        bound = "bind it" if found.rebinds else "take it up without binding it anew"
        if did == "disabled":
            bound = "lay it down"
        say(f"Link {name} is {did}; running servers {bound} within some seconds.")
    for note in notes:
        say(f"Note: {note}.")


@click.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if segments wait for it or for its operator's answer.")
@with_json
@with_settings
def remove(name: str, settings: Settings, *, as_json: bool, force: bool) -> None:
    """Remove a link that was added by command."""
    work, notes = run(_remove(settings, name, forced=force))
    if as_json:
        print_json({"link": name, "act": "removed", **work._asdict(), "notes": notes})
        return
    say(f"Link {name} is removed; running servers lay it down within some seconds.")
    for note in notes:
        say(f"Note: {note}.")


async def _remove(settings: Settings, name: str, *, forced: bool) -> tuple[LinkWork, list[str]]:
    async with wiring.open_store(settings, actor=actor()) as store:
        return await link_edits.remove(edit_context(settings, store), name, forced=forced)
