"""`esito send`, `esito status` and `esito trigger`: sending a message and following it, through the API."""

import secrets
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import TextTable, say
from esito.client.calls import SendOptions
from esito.client.models import RecipientStatus
from esito.client.sync import Client
from esito.domain.turns import HIGHEST_PRIORITY, LOWEST_PRIORITY

COLOURS = {"Delivered": "green", "Not delivered": "red", "Waiting": "yellow", "KO": "magenta"}

FRAME = 8
"""Lines of the screen besides the recipients, with --watch."""


@click.command()
@click.option("--to", "numbers", required=True, multiple=True, metavar="NUMBERS", help="Numbers, separated by commas.")
@click.option("--message", required=True, help="The text.")
@click.option("--sender", help="Who it comes from: 3 to 11 letters and digits.")
@click.option("--tag", help="Your own label, to ask for statuses by.")
@click.option("--low-cost", is_flag=True, help="Send in the low cost range.")
@click.option(
    "--priority",
    type=click.IntRange(LOWEST_PRIORITY, HIGHEST_PRIORITY),
    default=LOWEST_PRIORITY,
    help="0 to 3: your messages of higher priority leave first.",
)
@click.option("--unicode", is_flag=True, help="Keep every character, at 70 characters per segment.")
@click.option("--stop", "stop_mention", is_flag=True, help="Append how to stop further messages.")
@click.option("--sandbox", is_flag=True, help="Check and answer, but send and charge nothing.")
@click.option(
    "--schedule",
    type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    help="Paris date and time at which it leaves; minutes in steps of 5.",
)
@click.option("--url-dlr", metavar="URL", help="URL for callbacks of status changes.")
@click.option("--url-response", metavar="URL", help="URL for callbacks of replies.")
@with_json
@with_server
def send(
    *,
    numbers: tuple[str, ...],
    message: str,
    sender: str | None,
    tag: str | None,
    low_cost: bool,
    priority: int,
    unicode: bool,
    stop_mention: bool,
    sandbox: bool,
    schedule: datetime | None,
    url_dlr: str | None,
    url_response: str | None,
    as_json: bool,
    url: str,
    api_key: str,
) -> None:
    """Send a message to up to 500 numbers."""
    options = SendOptions(
        sender=sender,
        tag=tag,
        low_cost=low_cost,
        priority=priority,
        unicode=unicode,
        stop_mention=stop_mention,
        sandbox=sandbox,
        schedule=schedule,
        url_dlr=url_dlr,
        url_response=url_response,
    )
    with Client(url, api_key) as client:
        sent = client.send(numbers, message, options)
    if as_json:
        print_json(
            {
                "messageId": sent.message_id,
                "segments": sent.segments,
                "cost": sent.cost,
                "currency": sent.currency,
                "dueAt": sent.due_at,
                "errors": [
                    {"phoneNumber": one.msisdn, "code": one.code, "message": one.message} for one in sent.errors
                ],
            }
        )
        return
    due = f", leaves at {sent.due_at} (Paris)" if sent.due_at else ""
    segments = "1 segment" if sent.segments == 1 else f"{sent.segments} segments"
    say(f"Message {sent.message_id}: {segments}, {sent.cost} {sent.currency}{due}")
    for one in sent.errors:
        say(f"Not sent to {one}", err=True)


@click.command()
@click.argument("message_id", metavar="ID", type=click.IntRange(min=1))
@click.option("--watch", is_flag=True, help="Ask again until every status is final, or Ctrl-C.")
@click.option("--interval", type=click.FloatRange(min=0.05), default=1.0, show_default=True, help="Seconds between.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "xml"]),
    default="table",
    help="json, xml: as the API answers.",
)
@with_json
@with_server
def status(
    *,
    message_id: int,
    watch: bool,
    interval: float,
    form: Literal["table", "json", "xml"],
    as_json: bool,
    url: str,
    api_key: str,
) -> None:
    """Show what happened to every recipient of a message."""
    with Client(url, api_key) as client:
        try:
            recipients = _watch(client, message_id, interval) if watch else None
        except KeyboardInterrupt:
            recipients = None  # show the current statuses
        if as_json or form != "table":
            say(client.bulk_status_text(message_id, "xml" if form == "xml" else "json"))
            return
        recipients = recipients or client.bulk_status(message_id)
    console = Console()
    console.print(_table(recipients))
    console.print(_summary(recipients))


def _watch(client: Client, message_id: int, interval: float) -> list[RecipientStatus]:
    """Show the statuses until all are final; return them."""
    # On standard error, so that the final table can be piped.
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("[bold]final"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    recipients = client.bulk_status(message_id)
    task = progress.add_task("final", total=len(recipients))
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            _draw(live, progress, task, recipients)
            if all(recipient.final for recipient in recipients):
                return recipients
            time.sleep(interval)
            recipients = client.bulk_status(message_id)


def _draw(live: Live, progress: Progress, task: TaskID, recipients: Sequence[RecipientStatus]) -> None:
    progress.update(task, completed=sum(recipient.final for recipient in recipients))
    room = max(live.console.height - FRAME, 1)
    hidden = len(recipients) - room
    more = [Text(f"and {hidden} more")] if hidden > 0 else []
    live.update(Group(_table(recipients[:room]), *more, _summary(recipients), progress), refresh=True)


def _table(recipients: Sequence[RecipientStatus]) -> TextTable:
    table = TextTable("recipient", "status", "since", "STOP")
    for recipient in recipients:
        table.add_row(
            recipient.msisdn,
            Text(recipient.status, style=COLOURS.get(recipient.status, "")),
            recipient.changed_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            "STOP" if recipient.stopped else "",
        )
    return table


def _summary(recipients: Sequence[RecipientStatus]) -> Text:
    counts = Counter(recipient.status for recipient in recipients)
    parts = [Text(f"{count} {word}", style=COLOURS.get(word, "")) for word, count in counts.most_common()]
    return Text(", ").join(parts)


SCENARIOS = {
    "delivered": "0001",
    "usual": "0000",
    "undelivered": "0002",
    "expired": "0003",
    "rejected": "0004",
    "silent": "0005",
    "late": "0006",
    "corrected": "0007",
    "early": "0008",
    "twice": "0009",
    "disordered": "0010",
    "other-base": "0011",
    "other-session": "0012",
    "broken-text": "0013",
    "throttled": "0014",
    "stop": "0015",
}
"""The last four digits by which the simulator chooses a fate, by name."""

PREFIX = "+3361"
"""Three random digits follow, so that every rehearsal has its own recipient: one that sent STOP gets no more."""


@click.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)))
@click.option("--url-dlr", metavar="URL", help="URL for callbacks of status changes.")
@click.option("--url-response", metavar="URL", help="URL for callbacks of replies.")
@with_json
@with_server
def trigger(
    *, scenario: str, url_dlr: str | None, url_response: str | None, as_json: bool, url: str, api_key: str
) -> None:
    """Rehearse one fate of a message with the operator simulator."""
    number = f"{PREFIX}{secrets.randbelow(1_000):03d}{SCENARIOS[scenario]}"
    with Client(url, api_key) as client:
        sent = client.send(number, f"Rehearsal: {scenario}", SendOptions(url_dlr=url_dlr, url_response=url_response))
    if as_json:
        print_json({"messageId": sent.message_id, "phoneNumber": number, "scenario": scenario})
        return
    say(f"Message {sent.message_id} to {number}; follow it with")
    say(f"  esito status {sent.message_id} --watch")
    say(f"  esito explain {sent.message_id} {number}")
