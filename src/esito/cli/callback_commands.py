"""`esito callbacks` and `esito replay`: lists the callbacks to your server, and sends them again."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click
from rich.text import Text

from esito.cli.options import print_json, with_json, with_server
from esito.cli.terminal import TextTable, foldable, kept_whole, moment, say, show
from esito.client.sync import Client

SHOWN = 100


@click.command()
@click.argument("callback_id", metavar="[ID]", type=click.IntRange(min=1), required=False)
@click.option("--status", type=click.Choice(["waiting", "done", "dead"]), help="Only these.")
@click.option("--message", type=click.IntRange(min=1), metavar="ID", help="Only those of one message.")
@click.option("--limit", type=click.IntRange(min=1), default=SHOWN, show_default=True, help="At most so many.")
@click.option("--destinations", is_flag=True, help="List the servers they go to instead.")
@with_json
@with_server
def callbacks(
    *,
    callback_id: int | None,
    status: str | None,
    message: int | None,
    limit: int,
    destinations: bool,
    as_json: bool,
    url: str,
    api_key: str,
) -> None:
    """List callbacks, newest first; with an ID, every attempt at that one."""
    with Client(url, api_key) as client:
        if destinations:
            places = client.callback_destinations()
            _show(places, as_json, _destinations, "No callback has gone anywhere yet.")
            for line in () if as_json else _troubles(places):
                say(line)
        elif callback_id is not None:
            told = client.callback(callback_id)
            print_json(told) if as_json else _tell(told)
        else:
            found = list(islice(client.callbacks(status=status, message_id=message), limit))
            _show(found, as_json, _lines, "No callbacks.")


@click.command()
@click.argument("callback_id", metavar="[ID]", type=click.IntRange(min=1), required=False)
@click.option("--since", metavar="WHEN", help="All of changes since then: 2026-11-23T10:00:00Z.")
@click.option("--dead", is_flag=True, help="With --since: only those that were given up.")
@with_json
@with_server
def replay(*, callback_id: int | None, since: str | None, dead: bool, as_json: bool, url: str, api_key: str) -> None:
    """Send a callback again, or all since a moment, under the same webhook-id."""
    if (callback_id is None) == (since is None):
        raise click.UsageError("Say which: an ID, or --since WHEN.")
    if dead and since is None:
        raise click.UsageError("--dead goes with --since.")
    with Client(url, api_key) as client:
        count = client.replay_callbacks(callback_id=callback_id, since=since, dead_only=dead)
    if as_json:
        print_json({"replayed": count})
    else:
        say(f"{count} callback{'' if count == 1 else 's'} will be made again.")


def _show(found: list[dict[str, Any]], as_json: bool, table: Any, nothing: str) -> None:
    if as_json:
        print_json(found)
    elif not found:
        say(nothing)
    else:
        show(table(found))


def _lines(found: list[dict[str, Any]]) -> TextTable:
    columns: dict[str, list[str]] = {
        "id": [str(one["id"]) for one in found],
        "message": [one["message_id"] for one in found],
        "recipient": [one["msisdn"] for one in found],
        "tells": [one["told"] or one["kind"] for one in found],
        "status": [one["status"] for one in found],
        "attempts": [str(one["attempts"]) for one in found],
        "last answer": [_answer(one["last_status"], one["last_error"]) for one in found],
        "next": [_when(one["next_attempt_at"]) for one in found],
        "reason": [one["reason"] for one in found],
    }
    filled = {name: cells for name, cells in columns.items() if any(cells)}  # empty columns would only take room
    table = TextTable(*filled)
    for row in zip(*filled.values(), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    return table


def _destinations(found: list[dict[str, Any]]) -> TextTable:
    table = TextTable(foldable("server"), *kept_whole("state", "waiting", "dead", "last success (UTC)"))
    for one in found:
        at = one["last_success_at"]
        cells = (
            _server(one["origin"]),
            one["state"],
            str(one["waiting"]),
            str(one["dead"]),
            "" if at is None else moment(at).removesuffix(" UTC"),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _troubles(found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for every server that needs attention."""
    for one in found:
        server = _server(one["origin"])
        if one["disabled_at"] is not None:
            yield f"{server}: disabled since {moment(one['disabled_at'])}, {one['reason']}"
        elif one["failing_since"] is not None:
            yield f"{server}: failing since {moment(one['failing_since'])}"
        for path in one["gone_paths"]:
            yield f"{server}{path}: HTTP 410, called no more"


def _server(origin: str) -> str:
    """Return an origin without the default port."""
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def _tell(told: dict[str, Any]) -> None:
    say(f"Callback {told['id']} ({told['webhook_id']}) to {told['origin']}: {told['status']}")
    if told["reason"]:
        say(told["reason"])
    if told["next_attempt_at"] is not None:
        say(f"Next attempt: {moment(told['next_attempt_at'])}")
    for one in told["log"]:
        answer = _answer(one["status"], one["error"])
        say(f"{one['number']:>3}  {moment(one['at'])}  {one['milliseconds']} ms  {answer}")
        if one["answer"]:
            say(f"     {one['answer']}")


def _answer(status: int | None, error: str) -> str:
    return f"HTTP {status}" if status is not None else error


def _when(at: int | None) -> str:
    return "" if at is None else moment(at)
