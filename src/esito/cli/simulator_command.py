"""`esito smsc`: the operator simulator alone, until Ctrl-C."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import click
import msgspec

from esito.cli.options import ListenAddress, listenable, print_json, with_json
from esito.cli.terminal import say
from esito.config_rules import host_and_port
from esito.domain.timing import PushableClock
from esito.simulator.behaviour import Behaviour
from esito.simulator.ids import IdKind
from esito.simulator.script import load_script
from esito.simulator.smsc import Smsc, SmscSettings


@click.command()
@click.option("--listen", type=ListenAddress(), default="127.0.0.1:2775", show_default=True, help="Port 0: a free one.")
@click.option("--system-id", default="smsc", show_default=True, help="The system_id that may bind.")
@click.option("--password", default="secret", show_default=True, help="Its password.")
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML or JSON file with the behaviour of this operator.",
)
@click.option(
    "--ids",
    type=click.Choice([kind.value for kind in IdKind]),
    help="Form of its ids: decimal counter, hexadecimal counter, unordered decimal, UUID. [default: counter]",
)
@click.option("--ids-start", type=click.IntRange(min=0), help="First number of the counter. [default: a random one]")
@click.option("--ids-wrap", type=click.IntRange(min=1), help="Number of ids after which they repeat.")
@click.option(
    "--log",
    "journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for a line per submit_sm and per receipt.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How fast its time passes.",
)
@with_json
def smsc(
    *,
    listen: str,
    system_id: str,
    password: str,
    script: Path | None,
    ids: str | None,
    ids_start: int | None,
    ids_wrap: int | None,
    journal: Path | None,
    speed: float,
    as_json: bool,
) -> None:
    """Run the operator simulator alone.

    The last four digits of a number choose the fate of a message: 0001 is delivered at once,
    0002 is not delivered, and so on; see docs/reference/simulator.md.
    """
    host, port = host_and_port(listenable(listen))
    settings = SmscSettings(
        host=host,
        port=port,
        system_id=system_id,
        password=password,
        behaviour=_with_ids(load_script(script) if script else Behaviour(), ids, ids_start, ids_wrap),
        journal=journal,
    )
    asyncio.run(_run(settings, speed, as_json=as_json))


def _with_ids(behaviour: Behaviour, ids: str | None, start: int | None, wrap: int | None) -> Behaviour:
    """Return the behaviour, its ids overridden by the options given."""
    said: dict[str, Any] = {
        "ids": None if ids is None else IdKind(ids),
        "ids_start": start,
        "ids_wrap": wrap,
    }
    return msgspec.structs.replace(behaviour, **{name: value for name, value in said.items() if value is not None})


async def _run(settings: SmscSettings, speed: float, *, as_json: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    simulator = Smsc(settings, clock=PushableClock(speed=speed))
    await simulator.start()
    if as_json:
        print_json({"host": settings.host, "port": simulator.port, "systemId": settings.system_id}, one_line=True)
    else:
        say(f"SMSC listens on {settings.host}:{simulator.port} for system_id {settings.system_id}; Ctrl-C ends it.")
    try:
        await stopping.wait()
    finally:
        await simulator.stop()
        say(
            f"{simulator.submitted} messages taken, {simulator.receipts_acknowledged} receipts acknowledged, "
            f"{simulator.waiting} forgotten.",
            err=True,
        )
