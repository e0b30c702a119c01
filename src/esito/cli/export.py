"""`esito export`: every recipient of every message of an account, through the API."""

import sys
from pathlib import Path
from typing import BinaryIO

import click
import httpx

from esito.cli.options import with_server
from esito.client.exchange import TIMEOUT, unreachable
from esito.domain.errors import EsitoError
from esito.private_files import new_private


class ExportRefused(EsitoError):
    """The server refused the export."""


@click.command()
@click.option("--from", "since", default="", metavar="WHEN", help="A day or moment, such as 2026-11-01; UTC.")
@click.option("--to", "until", default="", metavar="WHEN", help="Likewise; a day is included.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True, help="Format.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write this file, once complete.")
@with_server
def export(*, since: str, until: str, form: str, output: Path | None, url: str, api_key: str) -> None:
    """Write every recipient of every message, oldest first."""
    params = {"from": since, "to": until, "format": form}
    if output is None:
        _copy(url, api_key, params, sys.stdout.buffer)
        return
    draft = output.with_name(f"{output.name}.part")
    try:
        with new_private(draft) as file:
            _copy(url, api_key, params, file)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _copy(url: str, api_key: str, params: dict[str, str], file: BinaryIO) -> None:
    """Write the answer to a file. Raises ExportRefused, Unreachable."""
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        with (
            httpx.Client(base_url=url, timeout=TIMEOUT) as client,
            client.stream("GET", "/v2/export", params=params, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK or response.headers["content-type"] == "application/json":
                response.read()
                raise ExportRefused(_reason(response))
            file.writelines(response.iter_bytes())
    except httpx.HTTPError as error:
        raise unreachable(httpx.URL(url), error) from error


def _reason(response: httpx.Response) -> str:
    try:
        told = response.json()
        return f"code {told['code']}: {told['message']}"
    except (ValueError, KeyError, TypeError):
        return f"the server answered HTTP {response.status_code} with something else than Esito's API"
