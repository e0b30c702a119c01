"""`esito store copy`: copies all data of a SQLite file to PostgreSQL."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from esito.cli.options import print_json, run, with_json
from esito.cli.terminal import say
from esito.config_rules import POSTGRES, SQLITE
from esito.store.copy import Copied
from esito.store.copy import copy as copy_store


class SqliteFile(click.ParamType[Path]):
    """The SQLite file of a store URL."""

    name = "sqlite:///FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of the file."""
        if not str(value).startswith(SQLITE) or value == SQLITE:
            self.fail(f"{value!r} is not the URL of a SQLite file, such as sqlite:///var/esito.db", param, ctx)
        return Path(str(value).removeprefix(SQLITE))


class PostgresUrl(click.ParamType[str]):
    """The URL of a PostgreSQL database."""

    name = "postgresql://USER@HOST/DB"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the URL unchanged; it may hold a password and is never shown."""
        if not str(value).startswith(POSTGRES):
            self.fail("this is not the URL of a PostgreSQL database, such as postgresql://esito@db/esito", param, ctx)
        return str(value)


@click.command()
@click.option("--from", "source", type=SqliteFile(), required=True, help="The database to copy; no server may use it.")
@click.option("--to", "target", type=PostgresUrl(), required=True, help="An empty database.")
@with_json
def copy(source: Path, target: str, *, as_json: bool) -> None:
    """Copy everything from a SQLite file to PostgreSQL, and prove that it is the same.

    The source is not changed. After an interruption the same command continues.
    """
    copied = run(copy_store(source, target, say=partial(say, err=as_json)))
    secret = source.parent / "esito.secret"
    if as_json:
        print_json(_for_programs(copied, secret))
    else:
        _tell(copied, secret)
    sys.exit(1 if copied.complaints else 0)


def _for_programs(copied: Copied, secret: Path) -> dict[str, object]:
    tables = {name: {"rows": extent.rows, "checksum": extent.shown} for name, extent in copied.tables.items()}
    return {
        "rows": copied.rows,
        "tables": tables,
        "complaints": copied.complaints,
        "secret": str(secret) if secret.exists() else None,
    }


def _tell(copied: Copied, secret: Path) -> None:
    for sentence in copied.complaints:
        say(sentence)
    if copied.complaints:
        say("The copy is the same as the source; its books do not balance, and neither do the source's.")
    say(f"{copied.rows} rows are copied and the same on both sides.")
    if secret.exists():
        say(f"API keys need the secret they were made with: set store.secret to what is in {secret}.")
