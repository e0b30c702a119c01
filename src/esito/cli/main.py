"""The commands by name; the module of a command is imported only when the command runs.

So `esito status` loads no web server, and `esito --help` loads no command at all.
Errors are one sentence on standard error.
"""

import errno
import gc
from importlib import import_module
from typing import Any, NamedTuple

import click

from esito import __version__
from esito.domain.display import visible
from esito.domain.errors import EsitoError


class Entry(NamedTuple):
    """A command: its module in this folder, its name there, and its line in the list of commands."""

    module: str
    name: str
    help: str


COMMANDS = {
    "serve": Entry("serve", "serve", "Run the server."),
    "demo": Entry("demo", "demo", "Run a server with an operator simulator, an account and some traffic."),
    "smsc": Entry("simulator_command", "smsc", "Run the operator simulator alone."),
    "account": Entry("account_commands", "account", "Create accounts and their keys, list, disable and enable them."),
    "admin": Entry("admin_commands", "admin", "Create administrators and their keys, list, disable and enable them."),
    "link": Entry("link_commands", "link", "List the links to operators, try them, add and change them."),
    "send": Entry("message_commands", "send", "Send a message."),
    "status": Entry("message_commands", "status", "Show what happened to every recipient of a message."),
    "explain": Entry("receipt_commands", "explain", "Explain what happened to one recipient, with every receipt."),
    "orphans": Entry("receipt_commands", "orphans", "List the receipts that match no message."),
    "stop": Entry("stop_commands", "stop", "List the STOP list, add numbers to it, take them off."),
    "cancel": Entry("cancellation", "cancel", "Cancel a scheduled message; as an administrator, any."),
    "trigger": Entry("message_commands", "trigger", "Rehearse one fate of a message with the simulator."),
    "tail": Entry("receipt_commands", "tail", "Show every receipt of your messages as it comes."),
    "listen": Entry("listen", "listen", "Receive callbacks here, show, verify and forward them."),
    "callbacks": Entry("callback_commands", "callbacks", "List the callbacks, or every attempt of one."),
    "replay": Entry("callback_commands", "replay", "Send callbacks again: one, or all since a moment."),
    "export": Entry("export", "export", "Write every recipient of every message to a file."),
    "migrate": Entry("database_commands", "migrate", "Create the database, or bring it to the current schema."),
    "audit": Entry("admin_commands", "audit", "List what administrators did."),
    "erase": Entry("erase", "erase", "Remove one number from all stored data."),
    "store": Entry("store_care", "store", "Move the database, or save it."),
    "bus": Entry("receipt_log_commands", "bus", "Show the state of the receipt log, and replay it."),
    "check": Entry("database_commands", "check", "Prove that the books balance."),
}
"""In the order of the help page."""


class LazyGroup(click.Group):
    """A group that imports a command when it runs."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import the command."""
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        gc.disable()  # imports make no garbage, and looking for some takes a tenth of the time
        try:
            command: click.Command = getattr(import_module(f"esito.cli.{entry.module}"), entry.name)
        finally:
            gc.enable()
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error becomes one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except EsitoError as error:
            raise click.ClickException(visible(str(error), keep="\n")) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output is gone: click handles it
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
