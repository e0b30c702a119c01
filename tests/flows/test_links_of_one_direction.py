"""Links that only send or only receive, and an operator that has words and an alphabet of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from esito.app.application import Application
from esito.app.run import serve
from esito.config import load
from esito.domain.states import MessageState
from esito.lifecycle.accept import Draft
from esito.smpp import pdu as p
from esito_cluster.process import free_port
from tests.kit.builders import account_in, states_of
from tests.kit.monitoring import as_monitor
from tests.kit.patience import PATIENCE
from tests.kit.peer import Peer, peer, until


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Undo what serving changes for the whole process."""
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


def served(folder: Path, links: str, test: Callable[[Application, Peer], Awaitable[None]]) -> None:
    """Run a test beside a server with these links, `{port}` being that of an SMSC."""

    async def beside(smsc: Peer, app: Application) -> None:
        try:
            await test(app, smsc)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    async def run() -> None:
        async with peer() as smsc:
            path = folder / "esito.toml"
            http = f"[http]\nlisten = '127.0.0.1:{free_port()}'\n"
            store = f"[store]\nurl = 'sqlite:///{folder}/esito.db'\n"
            path.write_text(http + store + links.format(port=smsc.port), encoding="utf-8")
            await serve(load(path, {}), on_ready=lambda app: beside(smsc, app))

    failed: list[BaseException] = []
    asyncio.run(run())
    for error in failed:
        raise error


async def ready(app: Application) -> list[str]:
    """Return what the server says is missing, once it answers."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(timeout=PATIENCE) as client:
        while True:
            try:
                missing: list[str] = (await client.get(f"{app.url}/readyz", headers=as_monitor(app.settings))).json()[
                    "missing"
                ]
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                return missing


async def until_ready(app: Application) -> None:
    async with asyncio.timeout(PATIENCE):
        while await ready(app):
            await asyncio.sleep(0.02)


def deliver(text: bytes, *, esm_class: int = 4) -> p.DeliverSm:
    return p.DeliverSm(
        sequence=7, source_addr="33612345678", destination_addr="ESITO", esm_class=esm_class, short_message=text
    )


TWO = """
[[link]]
name = "out"
operator = "north"
port = {port}
bind = "transmitter"
[[link]]
name = "in"
operator = "north"
port = {port}
bind = "receiver"
alphabet = "latin1"
[link.words]
LANDED = "DELIVRD"
"""


def test_one_link_sends_and_another_of_the_same_operator_receives(tmp_path: Path) -> None:
    async def test(app: Application, smsc: Peer) -> None:
        await until_ready(app)
        await until(lambda: any(link.can_send for link in app.gateway.links))
        assert {type(pdu) for one in smsc.sessions for pdu in one.came} == {p.BindTransmitter, p.BindReceiver}
        account = await account_in(app.store)
        draft = Draft(account=account, texts=("ciao",), numbers=[("+33612345678", 0)], sender="ESITO")
        sent = await app.acceptance.accept(draft)
        (pdu,) = await smsc.came(p.SubmitSm)
        by = next(one for one in smsc.sessions if pdu in one.came)
        assert by.of(p.BindTransmitter)
        receiver = next(one for one in smsc.sessions if one.of(p.BindReceiver))
        receiver.say(deliver(f"id:{pdu.sequence} sub:001 dlvrd:001 stat:landed err:000".encode()))
        await smsc.came(p.DeliverSmResp)
        assert await states_of(app.store, account, sent.message_id) == [MessageState.DELIVERED]
        receiver.say(deliver(b"arr\xeat", esm_class=0))
        await smsc.came(p.DeliverSmResp, 2)
        (reply,) = await app.store.replies.page(account.id, after=0, limit=10)
        assert reply.text == "arrêt"

    served(tmp_path, TWO, test)


def test_a_link_that_only_receives_serves_no_number(tmp_path: Path) -> None:
    async def test(app: Application, smsc: Peer) -> None:
        await until_ready(app)
        account = await account_in(app.store)
        draft = Draft(account=account, texts=("ciao",), numbers=[("+33612345678", 0)], sender="ESITO")
        sent = await app.acceptance.accept(draft)
        evidence = await app.store.evidence_of(account.id, sent.message_id, "+33612345678")
        assert evidence is not None
        assert evidence.link == ""
        assert not smsc.session.of(p.SubmitSm)

    served(tmp_path, '[[link]]\nname = "in"\nport = {port}\nbind = "receiver"\n', test)


def test_a_server_whose_links_only_send_waits_for_no_receiver(tmp_path: Path) -> None:
    async def test(app: Application, smsc: Peer) -> None:
        await until_ready(app)
        await smsc.came(p.BindTransmitter)

    served(tmp_path, '[[link]]\nname = "out"\nport = {port}\nbind = "transmitter"\n', test)


def test_while_the_receiver_is_away_the_server_is_not_ready(tmp_path: Path) -> None:
    async def test(app: Application, smsc: Peer) -> None:
        await until(lambda: any(link.can_send for link in app.gateway.links))
        assert await ready(app) == ["no link is bound for receiving"]

    away = TWO.replace('name = "in"\noperator = "north"\nport = {port}', f'name = "in"\nport = {free_port()}')
    served(tmp_path, away, test)
