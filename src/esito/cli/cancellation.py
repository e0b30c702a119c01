"""`esito cancel`: cancels a message, as its sender through the API, or as an administrator in the database."""

import os
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from esito.app import wiring
from esito.cli.options import actor, file_of, print_json, run, with_json, with_server
from esito.cli.terminal import say
from esito.client.sync import Client
from esito.config import Settings, load
from esito.domain.timing import RealClock
from esito.store.interface.message_store import TakenBack


@click.command()
@click.argument("message_id", metavar="ID", type=click.IntRange(min=1, max=2**63 - 1))
@click.option("--config", "file", metavar="FILE", help="Settings of the server: cancel any message of any account.")
@with_json
@partial(with_server, key_required=False)
@click.pass_context
def cancel(
    ctx: click.Context, *, message_id: int, file: str | None, as_json: bool, url: str, api_key: str | None
) -> None:
    """Cancel a message.

    With an API key: a scheduled one of that account, until five minutes before it is due. With --config, or without a
    key where the settings of the server are: any message of any account, as far as no link has claimed it.
    """
    if file and api_key and ctx.get_parameter_source("api_key") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--config takes back any message, --api-key one of an account: give one of them.")
    if api_key and not file:
        _as_sender(url, api_key, message_id, as_json=as_json)
        return
    path = file_of(file)
    if path is None and "ESITO_STORE_URL" not in os.environ:
        raise click.UsageError("Give --api-key for a message of that account, or --config for any.")
    _as_administrator(load(path, os.environ), message_id, as_json=as_json)


def _as_sender(url: str, api_key: str, message_id: int, *, as_json: bool) -> None:
    with Client(url, api_key) as client:
        client.cancel(message_id)
    if as_json:
        print_json({"messageId": message_id, "cancelled": True})
    else:
        say(f"Message {message_id} is cancelled; its price is back on the credit.")


def _as_administrator(settings: Settings, message_id: int, *, as_json: bool) -> None:
    taken = run(_take_back(settings, message_id))
    if as_json:
        print_json({"messageId": message_id, "cancelled": taken_as_json(taken)})
    else:
        say(taken_in_words(taken, settings.pricing.currency))


async def _take_back(settings: Settings, message_id: int) -> TakenBack:
    async with wiring.open_store(settings) as store:
        return await store.sending.take_back(message_id, actor=actor(), at=RealClock().now())


async def take_back_queued(settings: Settings, account: str) -> TakenBack:
    """Cancel all that an account and its sub-accounts have queued; the audit log notes how much."""
    clock = RealClock()
    taken = TakenBack()
    async with wiring.open_store(settings) as store:
        try:
            while (some := await store.sending.take_back_queued(account, at=clock.now())).messages:
                taken = taken.more(some)
        finally:
            details = f"{taken.recipients} of {taken.of} recipients of {taken.messages} messages, {taken.cost:+f}"
            await store.ledger.note(
                actor=actor(), act="queue taken back", subject=account, details=details, at=clock.now()
            )
    return taken


def taken_as_json(taken: TakenBack) -> dict[str, Any]:
    """Return what was cancelled, for programs."""
    return {"messages": taken.messages, "recipients": taken.recipients, "of": taken.of, "credit": str(taken.cost)}


def taken_in_words(taken: TakenBack, currency: str) -> str:
    """Return what was cancelled, as a sentence or two."""
    if not taken.messages:
        return "Nothing was queued."
    messages = f"{taken.messages} message{'s' if taken.messages > 1 else ''}"
    left = taken.of - taken.recipients
    rest = f" What was on its way to the other {left} goes on." if left else ""
    told = f"Taken back from {taken.recipients} of {taken.of} recipients of {messages}"
    return f"{told}; {taken.cost:f} {currency} went back to the credit.{rest}"
