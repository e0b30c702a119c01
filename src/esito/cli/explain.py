"""`esito explain`: what happened to one recipient, in plain words, with every receipt."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import say
from esito.client import Client


@click.command()
@click.argument("message_id", metavar="ID", type=click.IntRange(min=1))
@click.argument("msisdn")
@click.option(
    "--unmask", metavar="REASON", default="", help="Show the number whole; the server notes why in its audit log."
)
@with_json
@with_server
def explain(*, message_id: int, msisdn: str, unmask: str, as_json: bool, url: str, api_key: str) -> None:
    """Tell what happened to recipient MSISDN of message ID, what it means, and until when we wait."""
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


def moment(instant: int) -> str:
    """Return an instant as the server's sentences write it."""
    return datetime.fromtimestamp(instant // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
