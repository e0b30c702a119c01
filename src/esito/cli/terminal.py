"""The one way to a terminal: what others wrote cannot steer it, nor is it taken for markup.

Every command prints by these (tests/test_terminal.py).
"""

from typing import Any

import click
from rich import table
from rich.console import Console, RenderableType
from rich.text import Text

from esito.domain.display import visible


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text; its line breaks and tabs are ours."""
    click.echo(visible(str(text), keep="\n\t"), err=err, nl=nl)


class Table(table.Table):
    """A table whose cells are texts, never markup."""

    def add_row(self, *cells: RenderableType | None, **manner: Any) -> None:
        """Add a row."""
        super().add_row(*(_cell(one) if isinstance(one, str | Text) else one for one in cells), **manner)


def kept_whole(*names: str) -> list[table.Column]:
    """Return columns that are never folded: of numbers, instants and single words."""
    return [table.Column(name, no_wrap=True) for name in names]


def foldable(name: str) -> table.Column:
    """Return a column that gives way to the others: its cells go on in a further line, with nothing left out."""
    return table.Column(name, overflow="fold")


def show(*things: RenderableType) -> None:
    """Print tables and styled texts, as wide as the terminal is."""
    console = Console()
    for one in things:
        console.print(one)


def _cell(cell: str | Text) -> Text:
    return Text(visible(cell)) if isinstance(cell, str) else Text(visible(cell.plain), style=cell.style)
