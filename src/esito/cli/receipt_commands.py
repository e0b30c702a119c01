"""`esito explain`, `esito tail` and `esito orphans`: receipts, and what they mean for recipients."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.text import Text

from esito.cli.options import print_json, with_installation, with_json, with_server
from esito.cli.terminal import TextTable, moment, say, show
from esito.client.sync import Client


@click.command()
@click.argument("message_id", metavar="ID", type=click.IntRange(min=1))
@click.argument("msisdn")
@click.option("--unmask", metavar="REASON", default="", help="Show the whole number; the audit log keeps the reason.")
@with_json
@with_server
def explain(*, message_id: int, msisdn: str, unmask: str, as_json: bool, url: str, api_key: str) -> None:
    """Explain what happened to recipient MSISDN of message ID, what it means, and how long we wait."""
    with Client(url, api_key) as client:
        told = client.explain(message_id, msisdn, unmask=unmask)
    if as_json:
        print_json(told)
        return
    say(f"Message {told['message_id']} to {told['msisdn']}: {told['status']}\n")
    for sentence in told["explanation"]:
        say(sentence)
    if told["segment_count"] > 1:
        say("\nPiece by piece:")
        for part in told["segments"]:
            say(f"  {part['part']} of {told['segment_count']}: {_piece(part)}")
    if told["receipts"]:
        say("\nEverything that was noted about it:")
        for receipt in told["receipts"]:
            _show(receipt, many=told["segment_count"] > 1)


def _piece(part: Mapping[str, Any]) -> str:
    if not part["attempts"]:
        return "kept back"
    return f"handed over {moment(part['submitted_at'])}, {part['phase']}, {part['state']}"


def _show(receipt: Mapping[str, Any], *, many: bool) -> None:
    piece = f" (piece {receipt['part']})" if many else ""
    say(f"  {moment(receipt['received_at'])}{piece}  {receipt['explanation']}")
    if receipt["text"]:
        shown = "".join(sign if sign.isprintable() else "?" for sign in receipt["text"])
        say(f"      as it came: {shown}")


@click.command()
@click.option("--interval", type=click.FloatRange(min=0.05), default=0.5, show_default=True, help="Seconds between.")
@click.option("--all", "from_start", is_flag=True, help="Start with the oldest stored one, not with the next.")
@click.option("--once", is_flag=True, help="Stop when all are shown.")
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
    """Return one event as a line; the status is the recipient's current one."""
    at = datetime.fromtimestamp(event["received_at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    said = f" “{event['stat']}”" if event["stat"] else ""
    return f"{at}  message {event['message_id']} to {event['msisdn']}:{said} {event['verdict']}; now {event['status']}"


@click.command()
@with_json
@with_installation
def orphans(*, as_json: bool, url: str, admin_key: str) -> None:
    """List the receipts that match no message, with masked numbers."""
    with Client(url, admin_key) as client:
        found = list(client.orphans())
    if as_json:
        print_json(found)
        return
    if not found:
        say("Every receipt has found its message.")
        return
    table = TextTable("received", "link", "SMSC id", "word", "from", "to", "what it waits for")
    for one in found:
        waits = "its submit_sm_resp" if one["verdict"] == "parked" else "nothing in sight"
        if "unreadable" in one["flags"]:
            waits = "nothing: it cannot be read"
        elif "other_number" in one["flags"]:
            waits = "nothing: it names another number than its message"
        elif "ambiguous" in one["flags"]:
            waits = "to be told apart"
        # As Text, so that the operator's words are not taken for markup.
        cells = (one["link"], one["smsc_message_id"], one["stat"], one["source_addr"], one["destination_addr"], waits)
        table.add_row(moment(one["received_at"]), *(Text(cell) for cell in cells))
    show(table)
