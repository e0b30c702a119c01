"""Prints to the terminal; texts of others can neither steer it nor act as markup.

Every command prints through this module (tests/unit/cli/test_terminal.py).
"""

from datetime import UTC, datetime
from typing import Any

import click
from rich import table
from rich.console import Console, RenderableType
from rich.text import Text

from esito.domain.display import visible


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text, with its line breaks and tabs; other control characters become visible."""
    click.echo(visible(str(text), keep="\n\t"), err=err, nl=nl)


class TextTable(table.Table):
    """A table whose cells are plain text, never markup."""

    def add_row(self, *cells: RenderableType | None, **manner: Any) -> None:
        """Add a row."""
        super().add_row(*(_cell(one) if isinstance(one, str | Text) else one for one in cells), **manner)


def kept_whole(*names: str) -> list[table.Column]:
    """Return columns that never wrap, for numbers, instants and single words."""
    return [table.Column(name, no_wrap=True) for name in names]


def foldable(name: str) -> table.Column:
    """Return a column that wraps, so that the others have room."""
    return table.Column(name, overflow="fold")


def show(*things: RenderableType) -> None:
    """Print tables and styled texts, at the width of the terminal."""
    console = Console()
    for one in things:
        console.print(one)


def moment(instant: int) -> str:
    """Return an instant (milliseconds UTC) in the form that the server uses."""
    return datetime.fromtimestamp(instant // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _cell(cell: str | Text) -> Text:
    return Text(visible(cell)) if isinstance(cell, str) else Text(visible(cell.plain), style=cell.style)
