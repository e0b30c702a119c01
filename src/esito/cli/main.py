"""The commands by name; the module of a command is imported when the command is used.

So `esito status` does not load a web server, and `esito --help` loads nothing at all.
What goes wrong is said in one sentence on standard error.
"""

import errno
import gc
from importlib import import_module
from typing import Any, NamedTuple

import click

from esito import __version__
from esito.domain.errors import EsitoError
from esito.domain.visible import visible


class Entry(NamedTuple):
    """Where a command is, and its line in the list of commands."""

    module: str
    name: str
    help: str


COMMANDS = {
    "serve": Entry("esito.cli.serve", "serve", "Run the server."),
    "demo": Entry("esito.cli.demo", "demo", "Run a server with an operator simulator, an account and some traffic."),
    "smsc": Entry("esito.cli.smsc", "smsc", "Run the operator simulator alone."),
    "account": Entry("esito.cli.account", "account", "Create accounts and their keys, list, disable and enable them."),
    "admin": Entry("esito.cli.admin", "admin", "Create administrators and their keys, list, disable and enable them."),
    "link": Entry("esito.cli.link", "link", "List the links to operators, try them, add and change them."),
    "send": Entry("esito.cli.messages", "send", "Send a message."),
    "status": Entry("esito.cli.messages", "status", "Show what happened to every recipient of a message."),
    "explain": Entry("esito.cli.explain", "explain", "Tell what happened to one recipient, with every receipt."),
    "orphans": Entry("esito.cli.orphans", "orphans", "List the receipts that match no message."),
    "stop": Entry("esito.cli.stop", "stop", "List the STOP list, add numbers to it, take them off."),
    "cancel": Entry("esito.cli.cancel", "cancel", "Take a scheduled message back; as an administrator, any."),
    "trigger": Entry("esito.cli.trigger", "trigger", "Rehearse one fate of a message with the simulator."),
    "tail": Entry("esito.cli.tail", "tail", "Show every receipt of your messages as it comes."),
    "listen": Entry("esito.cli.listen", "listen", "Receive callbacks here, show, verify and forward them."),
    "callbacks": Entry("esito.cli.callbacks", "callbacks", "List the callbacks, or every attempt of one."),
    "replay": Entry("esito.cli.callbacks", "replay", "Make callbacks again: one, or all since a moment."),
    "export": Entry("esito.cli.export", "export", "Write every recipient of every message to a file."),
    "migrate": Entry("esito.cli.store", "migrate", "Make the database or bring it to the present schema."),
    "audit": Entry("esito.cli.audit", "audit", "List what administrators did."),
    "erase": Entry("esito.cli.erase", "erase", "Remove one number from everything that is kept."),
    "store": Entry("esito.cli.store_care", "store", "Move the database, or save it."),
    "bus": Entry("esito.cli.bus", "bus", "See how the log of receipts stands, and replay it."),
    "check": Entry("esito.cli.store", "check", "Prove that the books balance."),
}
"""In the order in which they are listed."""


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import the command."""
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        gc.disable()  # what is imported is no garbage; to look for some takes a tenth of the time
        try:
            command: click.Command = getattr(import_module(entry.module), entry.name)
        finally:
            gc.enable()
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it could not do becomes one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except EsitoError as error:
            raise click.ClickException(visible(str(error), keep="\n")) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has left: click's own business
                raise
            raise click.ClickException(visible(_sentence(error))) from error


def _sentence(error: OSError) -> str:
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    return error.strerror or str(error)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="esito")
def cli() -> None:
    """Send SMS, and know what happened to every recipient."""
