"""The STOP mention names where a text comes from, whichever link takes it, and a STOP to that number is obeyed."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from esito.app.application import Application
from esito.app.run import serve
from esito.config import load
from esito.domain.account import Account
from esito.domain.timing import HOUR_MS, PushableClock
from esito.lifecycle.accept import Draft
from esito.smpp import pdu as p
from esito_cluster.process import free_port
from tests.kit.builders import account_in
from tests.kit.patience import until
from tests.kit.peer import Peer, peer

ANNA, BEA = "+33612345678", "+33612345679"

TWO = """
[http]
listen = "127.0.0.1:{http}"
[clock]
pushable = true
[store]
url = "sqlite:///{folder}/esito.db"
[[link]]
name = "north"
port = {north}
prefixes = ["+33"]
sender = "36222"
[[link]]
name = "south"
port = {south}
prefixes = ["+33"]
sender = "SOUTH"
stop_number = "36333"
"""

Test = Callable[[Application, Peer, Peer], Awaitable[None]]


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Undo what serving changes for the whole process."""
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


def beside(folder: Path, test: Test, *, north_bound: bool = True) -> None:
    """Run a test beside a server with a link to each of two SMSCs, of which the first may refuse the bind."""
    failed: list[BaseException] = []

    async def run(app: Application, north: Peer, south: Peer) -> None:
        try:
            expected = 2 if north_bound else 1
            await until(lambda: sum(link.can_send and link.can_receive for link in app.gateway.links) >= expected)
            await test(app, north, south)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    async def main() -> None:
        refusal = int(p.Status.ESME_RBINDFAIL)
        async with peer(bind_status=0 if north_bound else refusal) as north, peer() as south:
            path = folder / "esito.toml"
            told = TWO.format(http=free_port(), folder=folder, north=north.port, south=south.port)
            path.write_text(told, encoding="utf-8")
            await serve(load(path, {}), on_ready=lambda app: run(app, north, south), load=lambda: load(path, {}))

    asyncio.run(main())
    for error in failed:
        raise error


async def send(app: Application, account: Account, *numbers: str, **given: str) -> int:
    draft = Draft(account=account, texts=("Soldes",), numbers=[(one, 0) for one in numbers], stop_mention=True, **given)  # type: ignore[arg-type]  # only texts are given
    return (await app.acceptance.accept(draft)).message_id


async def left(smsc: Peer, count: int = 1) -> list[tuple[str, str]]:
    """Return source address and text of what came to an SMSC."""
    return [
        (pdu.source_addr, pdu.short_message.decode())
        for pdu in await smsc.came(p.SubmitSm, count)
        if isinstance(pdu, p.SubmitSm)
    ]


async def write_stop(app: Application, smsc: Peer, account: Account, *, to: str) -> list[str]:
    """Let Anna write STOP to a number; return whom the account's list then holds."""
    smsc.session.say(
        p.DeliverSm(sequence=7, source_addr=ANNA[1:], destination_addr=to, short_message=f"STOP au {to}".encode())
    )
    await smsc.came(p.DeliverSmResp)
    return [one.msisdn for one in await app.store.stops.list(account.id)]


def test_of_two_links_for_one_prefix_each_names_its_own_number(tmp_path: Path) -> None:
    async def test(app: Application, north: Peer, south: Peer) -> None:
        account = await account_in(app.store)
        number = await send(app, account, ANNA, BEA)
        assert await left(north) == [("36222", "Soldes STOP au 36222")]
        assert await left(south) == [("SOUTH", "Soldes STOP au 36333")]
        overview = await app.store.message_of(account.id, number)
        assert overview is not None
        assert set(overview.texts) == {"Soldes STOP au 36222", "Soldes STOP au 36333"}
        assert await write_stop(app, north, account, to="36222") == [ANNA]

    beside(tmp_path, test)


def test_a_link_in_anothers_place_names_its_own_number(tmp_path: Path) -> None:
    async def test(app: Application, north: Peer, south: Peer) -> None:
        account = await account_in(app.store)
        await send(app, account, ANNA, BEA)
        assert await left(south, 2) == [("SOUTH", "Soldes STOP au 36333")] * 2
        assert not any(session.of(p.SubmitSm) for session in north.sessions)
        assert await write_stop(app, south, account, to="36333") == [ANNA]

    beside(tmp_path, test, north_bound=False)


def test_a_text_from_a_number_names_it_on_every_link(tmp_path: Path) -> None:
    async def test(app: Application, north: Peer, south: Peer) -> None:
        account = await account_in(app.store)
        await send(app, account, ANNA, BEA, sender="33700000001")
        expected = [("33700000001", "Soldes STOP au +33700000001")]
        assert (await left(north), await left(south)) == (expected, expected)

    beside(tmp_path, test)


def test_a_number_that_is_changed_is_named_in_what_still_waits(tmp_path: Path) -> None:
    async def test(app: Application, north: Peer, south: Peer) -> None:
        account = await account_in(app.store)
        draft = Draft(
            account=account, texts=("Soldes",), numbers=[(ANNA, 0), (BEA, 0)], stop_mention=True,
            due_at=app.clock.now() + HOUR_MS,
        )  # fmt: skip
        await app.acceptance.accept(draft)
        path = tmp_path / "esito.toml"
        text = path.read_text(encoding="utf-8").replace('"36222"', '"36444"').replace('"36333"', '"36555"')
        path.write_text(text, encoding="utf-8")
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: [link.sender for link in app.changes.settings.links] == ["36444", "SOUTH"])
        assert isinstance(app.clock, PushableClock)
        app.clock.advance(2 * HOUR_MS)
        assert await left(north) == [("36444", "Soldes STOP au 36444")]
        assert await left(south) == [("SOUTH", "Soldes STOP au 36555")]

    beside(tmp_path, test)
