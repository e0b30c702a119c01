"""`esito stop`: the STOP list of an account, through the API."""

import click

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import TextTable, say, show
from esito.client.sync import Client


@click.group()
def stop() -> None:
    """List the STOP list, add numbers to it, remove them."""


@stop.command("list")
@with_json
@with_server
def list_(*, as_json: bool, url: str, api_key: str) -> None:
    """List the numbers that nothing is sent to."""
    with Client(url, api_key) as client:
        stops = client.stops()
    if as_json:
        print_json([{"id": one.id, "phoneNumber": one.msisdn, "createdAt": one.created_at} for one in stops])
        return
    if not stops:
        say("No number is on the STOP list.")
        return
    table = TextTable("id", "number", "since (Paris)")
    for one in stops:
        table.add_row(str(one.id), one.msisdn, one.created_at)
    show(table)


@stop.command()
@click.argument("number")
@with_json
@with_server
def add(*, number: str, as_json: bool, url: str, api_key: str) -> None:
    """Put NUMBER on the STOP list; later sends to it are refused with code 14."""
    with Client(url, api_key) as client:
        stop_id = client.add_stop(number)
    if as_json:
        print_json({"stopId": stop_id})
    else:
        say(f"{number} is on the STOP list as {stop_id}.")


@stop.command()
@click.argument("stop_id", metavar="ID", type=click.IntRange(min=1))
@with_json
@with_server
def delete(*, stop_id: int, as_json: bool, url: str, api_key: str) -> None:
    """Remove a number from the STOP list, by its ID in the list."""
    with Client(url, api_key) as client:
        client.delete_stop(stop_id)
    if as_json:
        print_json({"deleted": stop_id})
    else:
        say(f"{stop_id} is off the STOP list.")
