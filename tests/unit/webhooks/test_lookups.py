"""Names of one account whose name server does not answer keep no other account's callbacks waiting."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from esito.webhooks.addresses import Judge
from esito.webhooks.lookups import OF_AN_ACCOUNT, THREADS
from esito.webhooks.sender import Sender
from tests.kit.listener import Listener
from tests.kit.patience import in_time, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class NameServer:
    """Stands for the system's: it says nothing of names that begin with `slow` until it is let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let_go = threading.Event()

    def getaddrinfo(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host.startswith("slow"):
            self.let_go.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr("esito.webhooks.lookups.socket.getaddrinfo", server.getaddrinfo)
    yield server
    server.let_go.set()


async def test_slow_name_servers_of_one_account_delay_no_other(names: NameServer) -> None:
    sender = Sender(judge=Judge(allow_private_networks=True))
    await sender.start()
    try:
        with Listener() as listener:
            slow = [
                asyncio.create_task(sender.post(f"http://slow{number}.example:{listener.port}/", b"{}", {}, account=1))
                for number in range(2 * THREADS)
            ]
            await until(lambda: len(names.asked) == OF_AN_ACCOUNT)
            for number in range(THREADS):
                async with in_time():
                    url = f"http://quick{number}.example:{listener.port}/"
                    assert (await sender.post(url, b"{}", {}, account=2)).status == 204
            # Those that have given up waiting do not free the threads that still wait.
            async with in_time():
                ended = await asyncio.gather(*slow)
            assert {one.status for one in ended} == {None}
            assert len([one for one in names.asked if one.startswith("slow")]) == OF_AN_ACCOUNT
            names.let_go.set()
            async with in_time():
                assert (await sender.post(f"http://quick.example:{listener.port}/", b"{}", {}, account=1)).status == 204
    finally:
        names.let_go.set()
        await sender.close()


async def test_of_many_callbacks_to_one_name_the_first_asks(names: NameServer) -> None:
    sender = Sender(judge=Judge(allow_private_networks=True))
    await sender.start()
    try:
        with Listener() as listener:
            posts = [sender.post(f"http://quick.example:{listener.port}/", b"{}", {}, account=1) for _ in range(40)]
            async with in_time():
                assert {one.status for one in await asyncio.gather(*posts)} == {204}
        assert names.asked.count("quick.example") == 1
    finally:
        await sender.close()
