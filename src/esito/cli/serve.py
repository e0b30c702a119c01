"""`esito serve`: the server, until it is told to stop."""

import asyncio
import dataclasses
import os

import click
import structlog

from esito import logs
from esito.bootstrap import house
from esito.cli.options import listenable, load_again, with_settings
from esito.config import Settings, unknown_variables

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
    address = listenable(settings.http.listen)
    settings = dataclasses.replace(settings, http=dataclasses.replace(settings.http, listen=address))
    asyncio.run(house.serve(settings, role=role, load=load_again(), environ=os.environ))
