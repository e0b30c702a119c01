"""`esito link`: lists the links to operators, with their state, and tries one."""

import dataclasses
import os
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

import click
import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from esito import logs
from esito.app import wiring
from esito.app.link_changes import doubts
from esito.app.link_settings import FILE, overridden, sources
from esito.cli.link_change import add, change, disable, enable, remove
from esito.cli.link_report import as_data, as_lines, is_good
from esito.cli.link_trial import Trial, try_link
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import TextTable, say
from esito.client.models import ClientError
from esito.client.sync import Client
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.credentials import monitor_pass
from esito.domain.errors import StoreError
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.operator_habits import IdForm
from esito.domain.timing import RealClock

TROUBLES = {
    "refused": "our bind is refused",
    "unanswered": "no submit_sm is answered",
    "unqueried": "query_sm is not answered",
}
"""What is wrong with a link, by the name of the trouble in `/metrics`."""


TABLE_FROM = 100
"""Width of a terminal from which a table is readable."""


class LinkRow(NamedTuple):
    """One link of the list."""

    link: str
    operator: str
    address: str
    bind: str
    prefixes: str
    id_form: str
    source: str
    """Where it comes from."""
    state: str


HEADINGS = LinkRow("link", "operator", "address", "bind", "prefixes", "id form", "from", "state")


@click.group()
def link() -> None:
    """List the links to operators, try them, add and change them."""


link.add_command(add)
link.add_command(change)
link.add_command(disable)
link.add_command(enable)
link.add_command(remove)


@link.command("list")
@with_json
@with_settings
@click.option("--url", envvar="ESITO_URL", help="URL of the server, if not that of its settings; or set ESITO_URL.")
@click.option(
    "--admin-key",
    envvar="ESITO_ADMIN_KEY",
    help="Key of an administrator, to see learned id forms; or set ESITO_ADMIN_KEY.",
)
def list_(settings: Settings, *, as_json: bool, url: str | None, admin_key: str | None) -> None:
    """List the links, with their state if the server runs."""
    present, origin = run(_present(settings))
    states = _states(settings)
    forms = _id_forms(settings, url, admin_key) if states is not None or url else {}
    for warning in _warnings(settings) if states is not None else ():
        say(f"The server says: {warning}", err=True)
    if as_json:
        print_json([{**_as_json(one, states, forms), "from": origin[one.name]} for one in present.links])
        return
    rows = [_row(one, states, forms, origin[one.name]) for one in present.links]
    several = bool(set(origin.values()) - {FILE})
    console = Console()
    if not sys.stdout.isatty():
        say("".join(f"{line}\n" for line in _for_programs(rows)), nl=False)
    elif table := _as_table(rows, console.width, with_source=several):
        console.print(table)
    else:
        say("".join(f"{line}\n" for line in _in_short_lines(rows, with_source=several)), nl=False)
    if states is None:
        say(f"The server does not answer at {settings.http.listen}, or has no links: their state is unknown.", err=True)


def _row(one: LinkSettings, states: dict[tuple[str, str], bool] | None, forms: dict[str, str], source: str) -> LinkRow:
    return LinkRow(
        link=one.name,
        operator=one.operator or one.name,
        address=f"{one.host}:{one.port}",
        bind=f"{one.sessions} x {one.bind}" if one.sessions > 1 else one.bind,
        prefixes=" ".join(one.prefixes) or "all others",
        id_form=_id_form(one, forms),
        source=source,
        state=_state(one, states),
    )


async def _present(settings: Settings) -> tuple[Settings, dict[str, str]]:
    """Return the settings with all links, without passwords, and the source of each link."""
    try:
        if not settings.store.shared and not settings.store.path.exists():
            return settings, sources(settings, [])
        async with wiring.open_store(settings, actor=actor()) as store:
            kept = await store.links.all()
        return overridden(settings, kept, secret=None), sources(settings, kept)
    except (StoreError, ConfigError) as error:
        say(f"What commands have changed is not shown: {error}", err=True)
        return settings, sources(settings, [])


async def _with_passwords(settings: Settings) -> Settings:
    if not settings.store.shared and not settings.store.path.exists():
        return settings
    async with wiring.open_store(settings, actor=actor()) as store:
        kept = await store.links.all()
    return overridden(settings, kept, secret=wiring.key_secret(settings), environ=os.environ) if kept else settings


def _as_json(one: LinkSettings, states: dict[tuple[str, str], bool] | None, forms: dict[str, str]) -> dict[str, object]:
    shown = {field.name: getattr(one, field.name) for field in dataclasses.fields(one) if field.repr}
    return {
        **{name: value.value if isinstance(value, Enum) else value for name, value in shown.items()},
        "id_form": _id_form(one, forms),
        "state": _state(one, states),
    }


def _id_forms(settings: Settings, url: str | None, admin_key: str | None) -> dict[str, str]:
    """Ask the running server for each operator's id form; empty without a key or an answer."""
    if not admin_key:
        return {}
    scheme = "https" if settings.http.tls_cert else "http"
    try:
        with Client(url or f"{scheme}://{settings.http.listen}", admin_key) as client:
            return {one["operator"]: one["id_form"] for one in client.links() if one["id_form"]}
    except ClientError as error:
        say(f"What was learned of ids is unknown: {error}", err=True)
        return {}


def _id_form(one: LinkSettings, forms: dict[str, str]) -> str:
    configured = str(one.message_id_form)
    return configured if configured != IdForm.AUTO.value else forms.get(one.operator or one.name, "not known")


def _states(settings: Settings) -> dict[tuple[str, str], bool] | None:
    """Ask the running server for the state of links, by link and direction or trouble.

    None if it does not answer or has no links: in a cluster the gateways have them.
    """
    try:
        answer = _asked(settings, "/metrics")
        return (dict(_bound(answer.text)) or None) if answer.is_success else None
    except (httpx.HTTPError, ValueError):
        return None


def _warnings(settings: Settings) -> list[str]:
    """Ask the running server for its warnings."""
    try:
        return [str(one) for one in _asked(settings, "/readyz").json().get("warnings", [])]
    except (httpx.HTTPError, ValueError):
        return []


def _asked(settings: Settings, path: str) -> httpx.Response:
    scheme = "https" if settings.http.tls_cert else "http"
    secret = wiring.known_secret(settings)
    given = {} if secret is None else {"authorization": f"Bearer {monitor_pass(secret, RealClock().now())}"}
    # The certificate names the public host, not this address; the pass we send expires within two minutes.
    return httpx.get(f"{scheme}://{settings.http.listen}{path}", headers=given, timeout=2, verify=False)  # noqa: S501


def _bound(metrics: str) -> Iterator[tuple[tuple[str, str], bool]]:
    for family in text_string_to_metric_families(metrics):
        if family.name in {"esito_link_up", "esito_link_trouble"}:
            for sample in family.samples:
                what = sample.labels.get("direction") or sample.labels["trouble"]
                yield (sample.labels["link"], what), bool(sample.value)


def _state(one: LinkSettings, states: dict[tuple[str, str], bool] | None) -> str:
    if not one.enabled:
        return "disabled"
    if states is None:
        return "unknown"
    up = [direction for direction in ("sending", "receiving") if states.get((one.name, direction))]
    state = "bound" if len(up) == 2 else f"{up[0]} only" if up else "down"
    troubles = [text for trouble, text in TROUBLES.items() if states.get((one.name, trouble))]
    return f"{state} ({', '.join(troubles)})" if troubles else state


def _for_programs(rows: Sequence[LinkRow]) -> Iterator[str]:
    """Yield a line for each link, its columns separated by tabs."""
    yield from ("\t".join(row) for row in rows)


def _in_short_lines(rows: Sequence[LinkRow], *, with_source: bool) -> Iterator[str]:
    """Yield two lines for each link: its state, and what it serves."""
    for row in rows:
        yield f"{row.link}: {row.state}, {row.bind} at {row.address}"
        operator = "" if row.operator == row.link else f"operator {row.operator}, "
        source = f", from {row.source}" if with_source else ""
        yield f"  {operator}prefixes {row.prefixes}, id form {row.id_form}{source}"


def _as_table(rows: Sequence[LinkRow], columns: int, *, with_source: bool) -> TextTable | None:
    """Return a table; None if a terminal of so many columns would wrap it."""
    cells = [
        [cell for name, cell in row._asdict().items() if with_source or name != "source"] for row in (HEADINGS, *rows)
    ]
    if columns < max(TABLE_FROM, 1 + sum(3 + max(map(len, column)) for column in zip(*cells, strict=True))):
        return None
    table = TextTable(*cells[0])
    for row in cells[1:]:
        table.add_row(*row)
    return table


@link.command()
@click.argument("name")
@click.option("--to", metavar="NUMBER", help="Send one message to this number, and follow it.")
@click.option("--text", default="Esito", show_default=True, help="Text of the message.")
@click.option("--sender", default="", help="Sender, if not that of the link.")
@click.option("--wait", default=60.0, show_default=True, metavar="SECONDS", help="How long to wait for its receipt.")
@with_json
@with_settings
def test(name: str, settings: Settings, *, as_json: bool, to: str | None, text: str, sender: str, wait: float) -> None:
    """Bind to the operator as link NAME, show its answer, and unbind.

    Without --to nothing is sent. Receipts of other messages are refused for now, so that none is lost.
    """
    settings = run(_with_passwords(settings))
    configured = next((one for one in settings.links if one.name == name), None)
    if configured is None:
        names = ", ".join(one.name for one in settings.links) or "none"
        raise ConfigError(f"there is no link {name}; configured: {names}")
    trial = None if to is None else Trial(to=_number(to), text=text, sender=sender, patience=wait)
    if trial is not None and not configured.sends:
        raise ConfigError(f"link {name} only receives: nothing can be sent by it")
    logs.configure(level="error", form=settings.logs.format)
    sessions = run(try_link(configured, trial))
    notes = [sentence for link, sentence in doubts(settings) if link == name]
    good = all(one.good for one in sessions) and (trial is None or is_good(configured, trial))
    if as_json:
        print_json(as_data(configured, sessions, trial, notes))
    else:
        for line in as_lines(configured, sessions, trial, notes):
            say(line)
    sys.exit(0 if good else 1)


def _number(written: str) -> str:
    try:
        return normalise(written)
    except InvalidMsisdn as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
