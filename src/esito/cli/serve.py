"""`esito serve`: runs the server until SIGTERM or Ctrl-C."""

import asyncio
import dataclasses
import os

import click
import structlog

from esito import logs
from esito.app import run
from esito.app.process_tuning import read_less_at_once
from esito.cli.options import listenable, load_again, settings_file, with_settings
from esito.config import Settings, tells_secrets, unknown_variables
from esito.private_files import is_open_to_others

log = structlog.get_logger()


@click.command()
@with_settings
@click.option(
    "--role",
    type=click.Choice(["all", "api", "gateway", "worker"]),
    default="all",
    show_default=True,
    help="Which part of the work this process does.",
)
def serve(settings: Settings, role: str) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    logs.configure(level=settings.logs.level, form=settings.logs.format)
    for name in unknown_variables(os.environ):
        log.warning("variable_ignored", variable=name, reason="there is no such setting")
    file = settings_file()
    if file is not None and is_open_to_others(file) and tells_secrets(file):
        log.warning("settings_open_to_others", file=str(file), reason=f"it holds passwords: chmod 600 {file}")
    http = dataclasses.replace(settings.http, listen=listenable(settings.http.listen))
    if http.monitor:
        http = dataclasses.replace(http, monitor=listenable(http.monitor))
    settings = dataclasses.replace(settings, http=http)
    read_less_at_once()
    asyncio.run(run.serve(settings, role=role, load=load_again(), environ=os.environ))
