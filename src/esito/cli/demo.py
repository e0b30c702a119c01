"""`esito demo`: a server, an operator simulator, an account and some traffic, from one command.

Server and simulator share one clock that can be advanced, so that 48 hours pass at once.
"""

import asyncio
import dataclasses
import json
import shutil
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

from esito import logs
from esito.app.application import Application
from esito.app.run import serve
from esito.app.wiring import key_secret, open_store
from esito.cli.options import ListenAddress, actor, listenable, print_json, with_json
from esito.cli.terminal import say
from esito.client.aio import AsyncClient
from esito.client.calls import SendOptions
from esito.client.models import ClientError, Sent, Unreachable
from esito.config import (
    CallbackSettings,
    ClockSettings,
    HttpSettings,
    LinkSettings,
    LogSettings,
    Settings,
    StoreSettings,
)
from esito.config_rules import SQLITE, host_and_port
from esito.domain.credentials import key_digest, new_api_key
from esito.domain.timing import PushableClock
from esito.private_files import new_private
from esito.simulator.fates import ENDINGS
from esito.simulator.smsc import Smsc, SmscSettings
from esito.store.interface.store import CLOCK_OFFSET, Store

ACCOUNT = "demo"
CREDIT = Decimal(1000)
TEXT = "Ciao! This is Esito."
STEM = "+3361234"
"""The prefix of the demo's numbers; four digits that choose a fate follow."""

_AS_MODULE = str(Path(__file__).parents[1] / "__main__.py")
"""sys.argv[0] under `python -m esito`."""

PATIENCE = 15.0
"""Seconds we wait for our own server."""

NOT_INSTALLED = "--cluster needs `pip install 'esito[cluster]'` and `apt-get install postgresql etcd-server`."


@click.command()
@click.option(
    "--listen",
    type=ListenAddress(),
    default="127.0.0.1:8000",
    show_default=True,
    help="Where the API is; port 0: a free one.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for account and messages; without it they are deleted at the end.",
)
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="How fast time passes."
)
@click.option("--cluster", is_flag=True, help="Every role twice, PostgreSQL with standbys, three NATS servers.")
@with_json
def demo(*, listen: str, data: Path | None, speed: float, cluster: bool, as_json: bool) -> None:
    """Run a server with an operator simulator, an account and some traffic, until Ctrl-C."""
    if cluster and (data is not None or speed != 1):
        raise click.UsageError(
            "--cluster goes without --data and --speed: it keeps nothing, and has no clock of its own."
        )
    if cluster and find_spec("esito_cluster") is None:
        raise click.ClickException(NOT_INSTALLED)
    logs.configure(level="warning")
    address = listenable(listen)
    with _directory(data) as directory:
        folder = Path(directory).absolute()
        asyncio.run(
            _run_cluster(folder, address, as_json=as_json) if cluster else _run(folder, address, speed, as_json=as_json)
        )


def _directory(data: Path | None) -> AbstractContextManager[str]:
    if data is None:
        return tempfile.TemporaryDirectory(prefix="esito-demo-")
    data.mkdir(parents=True, exist_ok=True)
    return nullcontext(str(data))


async def _run(directory: Path, address: str, speed: float, *, as_json: bool) -> None:
    settings = Settings(
        http=HttpSettings(listen=address),
        store=StoreSettings(url=f"{SQLITE}{directory}/esito.db"),
        callbacks=CallbackSettings(allow_private_networks=True),
        clock=ClockSettings(pushable=True, speed=speed),
        logs=LogSettings(level="warning"),
    )
    keys = _keys(directory / "demo.json")
    async with open_store(settings) as store:
        # Before the clock is made: an earlier run may have advanced it.
        clock = PushableClock(speed=speed, offset_ms=int(await store.setting(CLOCK_OFFSET) or 0))
        await _let_in(store, keys, key_secret(settings), clock.now())
    simulator = Smsc(SmscSettings(port=0, journal=directory / "smsc.log"), clock=clock)
    await simulator.start()
    link = LinkSettings(name="simulator", port=simulator.port, system_id="smsc", password="secret")  # noqa: S106  well known

    async def ready(_app: Application) -> None:
        await _tour(_url(address), keys, simulator, as_json=as_json)

    try:
        await serve(dataclasses.replace(settings, links=(link,)), clock=clock, on_ready=ready)
    finally:
        await simulator.stop()


async def _run_cluster(folder: Path, address: str, *, as_json: bool) -> None:
    keys = _keys(folder / "demo.json")

    async def account(store: Store, secret: bytes, at: int) -> None:
        await _let_in(store, keys, secret, at)

    async def ready(parts: str, simulator: Smsc) -> None:
        if not as_json:
            say(f"\n{parts}")
        await _tour(_url(address), keys, simulator, as_json=as_json)

    if not as_json:
        say("Starting PostgreSQL with two standbys, three NATS servers and six processes of Esito ...")
    # What it starts is in a package of its own, which an installation that sends messages does without.
    await import_module("esito.cli.demo_cluster").run_cluster(folder, address, account, ready)


class _Keys(NamedTuple):
    """The keys of the demo."""

    account: str
    administrator: str


def _keys(path: Path) -> _Keys:
    """Return the keys of the demo; the first start creates them. Only the owner may read the file."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    keys = _Keys(kept.get("apiKey") or new_api_key(), kept.get("adminKey") or new_api_key())
    told = {"account": ACCOUNT, "apiKey": keys.account, "adminKey": keys.administrator}
    if told != kept:
        path.unlink(missing_ok=True)
        with new_private(path) as file:
            file.write(json.dumps(told).encode())
    return keys


async def _let_in(store: Store, keys: _Keys, secret: bytes, at: int) -> None:
    """Create the account and the administrator of these keys, unless they exist."""
    await _account(store, key_digest(keys.account, secret), at)
    digest = key_digest(keys.administrator, secret)
    if await store.administrators.by_key(digest) is not None:
        return
    if any(one.name == ACCOUNT for one in await store.administrators.all()):
        await store.administrators.replace_key(ACCOUNT, key_digest=digest, actor=actor(), at=at)
    else:
        await store.administrators.create(ACCOUNT, key_digest=digest, networks=(), actor=actor(), at=at)


async def _account(store: Store, digest: bytes, at: int) -> None:
    """Create the account of this key, unless it exists."""
    if await store.account_by_key(digest) is not None:
        return
    if any(account.name == ACCOUNT for account, _ in await store.accounts()):
        await store.add_key(ACCOUNT, key_digest=digest, label="demo", at=at)
    else:
        await store.create_account(ACCOUNT, credit=CREDIT, key_digest=digest, at=at)
        await store.change_profile(ACCOUNT, {"creates_subaccounts": True})  # so that every call can be tried


def _url(address: str) -> str:
    host, port = host_and_port(address)
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  not bound here
    return f"http://{shown}:{port}"


async def _tour(url: str, keys: _Keys, simulator: Smsc, *, as_json: bool) -> None:
    """Send to one number for every fate, and print how to go on."""
    numbers = [STEM + ending for ending in ENDINGS]
    async with AsyncClient(url, keys.account) as client:
        try:
            sent = await _send(client, numbers)
        except ClientError as error:
            say(f"The demo's message could not be sent: {error}", err=True)
            return
    if as_json:
        smsc = f"127.0.0.1:{simulator.port}"
        given = {"apiKey": keys.account, "adminKey": keys.administrator}
        print_json({"url": url, **given, "messageId": sent.message_id, "smsc": smsc}, one_line=True)
    else:
        say(_tell(url, keys, sent.message_id, simulator.port, len(numbers)))


async def _send(client: AsyncClient, numbers: list[str]) -> Sent:
    loop = asyncio.get_running_loop()
    give_up = loop.time() + PATIENCE
    while True:
        try:
            return await client.send(numbers, TEXT, SendOptions(sender="ESITO", tag="demo"))
        except Unreachable:
            # The server may not listen yet.
            if loop.time() > give_up:
                raise
            await asyncio.sleep(0.05)


def _tell(url: str, keys: _Keys, message_id: int, port: int, count: int) -> str:
    program = "esito" if shutil.which("esito") else sys.argv[0].replace(_AS_MODULE, "python -m esito")
    return f"""
  URL        {url}
  API key    {keys.account}
  admin key  {keys.administrator}
  SMSC       127.0.0.1:{port}, system_id smsc, password secret

A message is on its way to {count} numbers, one for each fate the operator simulator knows.
What happened to every recipient:

  curl "{url}/v1/bulk-status?apiKey={keys.account}&messageId={message_id}"

The same, watched:

  export ESITO_URL={url} ESITO_API_KEY={keys.account}
  {program} status {message_id} --watch

Some hear from the operator after 48 hours only, or never. Let 48 hours pass at once:

  curl -X POST -H "Authorization: Bearer {keys.administrator}" -d '{{"hours": 48}}' "{url}/v2/clock/advance"

Ctrl-C ends the demo."""
