"""`esito orphans`: the receipts that match nothing we sent."""

import click
from rich.text import Text

from esito.cli.explain import moment
from esito.cli.options import print_json, with_installation, with_json
from esito.cli.terminal import Table, say, show
from esito.client import Client


@click.command()
@with_json
@with_installation
def orphans(*, as_json: bool, url: str, admin_key: str) -> None:
    """List the receipts whose message is not known; the numbers in them are not shown whole."""
    with Client(url, admin_key) as client:
        found = list(client.orphans())
    if as_json:
        print_json(found)
        return
    if not found:
        say("Every receipt has found its message.")
        return
    table = Table("received", "link", "SMSC id", "word", "from", "to", "what it waits for")
    for one in found:
        waits = "its submit_sm_resp" if one["verdict"] == "parked" else "nothing in sight"
        if "unreadable" in one["flags"]:
            waits = "nothing: it cannot be read"
        elif "other_number" in one["flags"]:
            waits = "nothing: it names another number than its message"
        elif "ambiguous" in one["flags"]:
            waits = "to be told apart"
        # As text: what an operator writes is no markup of ours.
        cells = (one["link"], one["smsc_message_id"], one["stat"], one["source_addr"], one["destination_addr"], waits)
        table.add_row(moment(one["received_at"]), *(Text(cell) for cell in cells))
    show(table)
