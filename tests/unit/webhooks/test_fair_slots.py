"""However many servers of one account are silent, the callbacks of another account are made meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from esito.domain.account import Account
from esito.store.sqlite import SqliteStore
from esito.webhooks.addresses import Judge
from esito.webhooks.sender import Sender
from tests.kit.builders import account_in, links_in, message
from tests.kit.callback_office import Office, running
from tests.kit.patience import HANGS, until
from tests.kit.receiver import Receiver

pytestmark = pytest.mark.anyio

PORTS = 64
RECIPIENTS = 40
"""To each port: more in all than callbacks can be out at a time."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    try:
        account = await account_in(store, credit="10000")
        await links_in(store)
        yield Office(store, account)
    finally:
        await store.close()


async def rehearse(office: Office, account: Account, url: str, numbers: int = 1) -> None:
    """Send in the sandbox, which is free; every recipient is delivered at once."""
    whom = [33610000000 + 10 * seq for seq in range(numbers)]
    await office.store.accept(message(account, whom, cost=0, url_dlr=url, sandbox=True))


def has_taken(receiver: Receiver, count: int) -> bool:
    return len(receiver.taken) == count


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", [True, False])
async def test_silent_servers_of_one_account_delay_no_other_account(office: Office, *, sandbox: bool) -> None:
    other = await account_in(office.store, "other")
    silence = asyncio.Event()

    async def say_nothing(_path: str, _headers: dict[str, str]) -> int:
        await silence.wait()
        return 200

    # What is out stays out until the test ends: whoever waited for it would wait for ever.
    poster = Sender(judge=Judge(allow_private_networks=True), all_within=HANGS)
    async with AsyncExitStack() as doors:
        silent = [await doors.enter_async_context(Receiver(say_nothing)) for _ in range(PORTS)]
        quick = await doors.enter_async_context(Receiver())
        for one in silent:
            if sandbox:
                await rehearse(office, office.account, one.url, RECIPIENTS)
            else:
                await office.tell(one.url, "DELIVRD", numbers=RECIPIENTS)
        worker = await doors.enter_async_context(running(office.worker(poster=poster)))

        await until(lambda: worker.in_flight > 0)
        for sent in range(1, 6):
            await rehearse(office, other, quick.url)
            worker.wake()
            await until(partial(has_taken, quick, sent))
        assert [one.heard for one in silent] == [[]] * PORTS
        silence.set()
        await until(lambda: sum(len(one.taken) for one in silent) == PORTS * RECIPIENTS, times=PORTS)
