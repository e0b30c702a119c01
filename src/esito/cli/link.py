"""`esito link`: the ways to the operators, and whether they let us in."""

import asyncio
import dataclasses
import sys
import time
from collections.abc import Iterator

import click
import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from esito import logs
from esito.bootstrap.links import smpp_settings
from esito.cli.options import print_json, run, with_json, with_settings
from esito.client import Client, ClientError
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.id_forms import IdForm
from esito.smpp.link import Binding, Link, SubmitOutcome
from esito.smpp.pdu import DataSm, DeliverSm, Status, status_name

GLANCE = 0.01
"""Seconds between two looks at a binding while it comes up."""


LONGEST_TRY = 10.0
"""Seconds after which somebody at a terminal has waited enough."""


TROUBLES = {"refused": "our login is refused", "unanswered": "no submit_sm is answered"}
"""What stands behind the state of a link, by the name of the trouble in `/metrics`."""


@click.group()
def link() -> None:
    """List the links to operators, and try one."""


@link.command("list")
@with_json
@with_settings
@click.option("--url", envvar="ESITO_URL", help="Where the server is, if not where its settings say; or set ESITO_URL.")
@click.option(
    "--api-key", envvar="ESITO_API_KEY", help="Key of any account, to see learned id forms; or set ESITO_API_KEY."
)
def list_(settings: Settings, *, as_json: bool, url: str | None, api_key: str | None) -> None:
    """List the configured links; with their state when the server runs."""
    states = _states(settings)
    forms = _id_forms(settings, url, api_key) if states is not None or url else {}
    if as_json:
        print_json([_as_json(one, states, forms) for one in settings.links])
        return
    table = Table()
    for heading in ("link", "operator", "address", "bind", "prefixes", "id form", "state"):
        # A narrow terminal folds an address; what a link is and how it binds stays readable.
        table.add_column(heading, overflow="fold", no_wrap=heading == "bind")
    for one in settings.links:
        prefixes = " ".join(one.prefixes) or "all others"
        bind = f"{one.sessions} x {one.bind}" if one.sessions > 1 else one.bind
        table.add_row(
            one.name,
            one.operator or one.name,
            f"{one.host}:{one.port}",
            bind,
            prefixes,
            _id_form(one, forms),
            _state(one, states),
        )
    Console().print(table)
    if states is None:
        click.echo(f"The server does not answer at {settings.http.listen}, so their state is unknown.")


def _as_json(one: LinkSettings, states: dict[tuple[str, str], bool] | None, forms: dict[str, str]) -> dict[str, object]:
    shown = {field.name: getattr(one, field.name) for field in dataclasses.fields(one) if field.repr}
    return {
        **shown,
        "multipart_rule": one.multipart_rule.value,
        "id_form": _id_form(one, forms),
        "state": _state(one, states),
    }


def _id_forms(settings: Settings, url: str | None, api_key: str | None) -> dict[str, str]:
    """Ask the running server how each operator spells ids; without a key, or an answer, nothing is known."""
    if not api_key:
        return {}
    scheme = "https" if settings.http.tls_cert else "http"
    try:
        with Client(url or f"{scheme}://{settings.http.listen}", api_key) as client:
            return {one["operator"]: one["id_form"] for one in client.links() if one["id_form"]}
    except ClientError as error:
        click.echo(f"What was learned of ids is unknown: {error}", err=True)
        return {}


def _id_form(one: LinkSettings, forms: dict[str, str]) -> str:
    configured = str(one.message_id_form)
    return configured if configured != IdForm.AUTO.value else forms.get(one.operator or one.name, "not known")


def _states(settings: Settings) -> dict[tuple[str, str], bool] | None:
    """Ask the running server how links are, by link and direction or trouble; None when it does not answer."""
    scheme = "https" if settings.http.tls_cert else "http"
    try:
        # The certificate names the public host, not the address we ask here; nothing secret is sent.
        answer = httpx.get(f"{scheme}://{settings.http.listen}/metrics", timeout=2, verify=False)  # noqa: S501
        return dict(_bound(answer.text)) if answer.is_success else None
    except (httpx.HTTPError, ValueError):
        return None


def _bound(metrics: str) -> Iterator[tuple[tuple[str, str], bool]]:
    for family in text_string_to_metric_families(metrics):
        if family.name in {"esito_link_up", "esito_link_trouble"}:
            for sample in family.samples:
                what = sample.labels.get("direction") or sample.labels["trouble"]
                yield (sample.labels["link"], what), bool(sample.value)


def _state(one: LinkSettings, states: dict[tuple[str, str], bool] | None) -> str:
    if states is None:
        return "unknown"
    up = [direction for direction in ("sending", "receiving") if states.get((one.name, direction))]
    state = "bound" if len(up) == 2 else f"{up[0]} only" if up else "down"
    troubles = [text for trouble, text in TROUBLES.items() if states.get((one.name, trouble))]
    return f"{state} ({', '.join(troubles)})" if troubles else state


@link.command()
@click.argument("name")
@with_json
@with_settings
def test(name: str, settings: Settings, *, as_json: bool) -> None:
    """Bind to the operator as link NAME, tell what it says, and take leave.

    Nothing is sent. Receipts that come meanwhile are put off, so that none is lost.
    """
    configured = next((one for one in settings.links if one.name == name), None)
    if configured is None:
        names = ", ".join(one.name for one in settings.links) or "none"
        raise ConfigError(f"there is no link {name}; configured: {names}")
    logs.configure(level="error", form=settings.logs.format)
    bindings, seconds = run(_try(configured))
    good = all(binding.state == "bound" for binding in bindings)
    if as_json:
        print_json(
            {
                "link": name,
                "bound": good,
                "seconds": round(seconds, 3),
                "sessions": [
                    {
                        "bind": binding.kind,
                        "state": binding.state,
                        "status": None if binding.last_status is None else status_name(binding.last_status),
                        "reason": binding.last_error or None,
                    }
                    for binding in bindings
                ],
            }
        )
    else:
        for binding in bindings:
            reason = f": {binding.last_error}" if binding.last_error else ""
            click.echo(f"{name} ({binding.kind}) {binding.state}{reason} after {seconds * 1000:.0f} ms")
    sys.exit(0 if good else 1)


async def _try(configured: LinkSettings) -> tuple[list[Binding], float]:
    """Bind one session of each kind; return how they fared and after how many seconds."""
    settings = smpp_settings(dataclasses.replace(configured, sessions=1))
    patience = min(settings.response_timeout, LONGEST_TRY)
    tried = Link(dataclasses.replace(settings, bind_timeout=patience), _PutOff())
    began = time.perf_counter()
    await tried.start()
    try:
        # A binding that was refused or lost is tried again only after a pause that outlasts our glance.
        while any(binding.state == "connecting" for binding in tried.bindings):
            await asyncio.sleep(GLANCE)
            if time.perf_counter() - began > patience + 1:
                break
        seconds = time.perf_counter() - began
        seen = [dataclasses.replace(binding, connection=None) for binding in tried.bindings]
    finally:
        await tried.stop()
    return [_told(binding, patience) for binding in seen], seconds


def _told(binding: Binding, patience: float) -> Binding:
    if binding.state == "connecting":
        return dataclasses.replace(binding, state="lost", last_error=f"no answer to the bind within {patience:g} s")
    return binding


class _PutOff:
    """A link's events during a test: whatever comes, comes again later."""

    def submitted(self, link: Link, outcomes: list[SubmitOutcome]) -> None:
        """Do nothing: nothing was submitted."""

    async def delivered(self, _link: Link, pdus: list[DeliverSm | DataSm]) -> list[int]:
        """Acknowledge nothing: nobody here keeps it."""
        return [Status.ESME_RMSGQFUL] * len(pdus)

    def changed(self, link: Link) -> None:
        """Do nothing: the bindings say it."""
