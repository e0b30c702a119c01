"""`esito tail`: every receipt of the account's messages, as it comes."""

import time
from datetime import UTC, datetime
from typing import Any

import click

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import say
from esito.client import Client


@click.command()
@click.option("--interval", type=click.FloatRange(min=0.05), default=0.5, show_default=True, help="Seconds between.")
@click.option("--all", "from_start", is_flag=True, help="Begin with the first one that is kept, not with the next.")
@click.option("--once", is_flag=True, help="Stop when there is nothing more to show.")
@with_json
@with_server
def tail(*, interval: float, from_start: bool, once: bool, as_json: bool, url: str, api_key: str) -> None:
    """Show every receipt of your messages as it comes, until Ctrl-C."""
    with Client(url, api_key) as client:
        cursor = "0" if from_start else client.events(limit=1)[1]
        try:
            while True:
                found, following = client.events(cursor=cursor)
                for event in found:
                    print_json(event, one_line=True) if as_json else say(line(event))
                if following == cursor:
                    if once:
                        return
                    time.sleep(interval)
                cursor = following
        except KeyboardInterrupt:
            return


def line(event: dict[str, Any]) -> str:
    """Return one event as a line; the status is that of the recipient now, whenever the event was."""
    at = datetime.fromtimestamp(event["received_at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    said = f" “{event['stat']}”" if event["stat"] else ""
    return f"{at}  message {event['message_id']} to {event['msisdn']}:{said} {event['verdict']}; now {event['status']}"
