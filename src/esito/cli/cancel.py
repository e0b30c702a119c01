"""`esito cancel`: takes a scheduled message back."""

import click

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import say
from esito.client import Client


@click.command()
@click.argument("message_id", metavar="ID", type=click.IntRange(min=1))
@with_json
@with_server
def cancel(*, message_id: int, as_json: bool, url: str, api_key: str) -> None:
    """Take a scheduled message back, until five minutes before it is due."""
    with Client(url, api_key) as client:
        client.cancel(message_id)
    if as_json:
        print_json({"messageId": message_id, "cancelled": True})
    else:
        say(f"Message {message_id} is cancelled; its price is back on the credit.")
