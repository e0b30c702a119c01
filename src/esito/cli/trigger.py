"""`esito trigger`: sends a message to the operator simulator whose fate is chosen by its name."""

import secrets

import click

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import say
from esito.client import Client
from esito.client.calls import SendOptions

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
"""A name to the last four digits that the simulator goes by (design 8)."""

PREFIX = "+3361"
"""Three digits of chance follow: each rehearsal has a recipient of its own, for who said STOP is sent nothing more."""


@click.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)))
@click.option("--url-dlr", metavar="URL", help="Where changes of status are told.")
@click.option("--url-response", metavar="URL", help="Where replies are told.")
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
