"""Asks the system where names lead: a few threads are kept for that, and no account has all of those."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

THREADS = 32
"""Names that are looked up at a time."""

OF_AN_ACCOUNT = THREADS // 4
"""Of those, how many may be one account's, so that slow name servers of its own keep nobody else waiting."""


class Lookups:
    """Looks names up."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        """Kept by whoever waits for one or has one."""

    def open(self) -> None:
        """Begin."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="esito-names")

    def close(self) -> None:
        """Begin no further lookup; those that go on end by themselves."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, host: str, port: int, account: int) -> list[str]:
        """Resolve as connecting would: numbers in octal, hexadecimal or one piece become addresses here too.

        Raises OSError, and ValueError for what is no name.
        """
        turn = self._turns.setdefault(account, asyncio.Semaphore(OF_AN_ACCOUNT))
        await turn.acquire()
        try:
            asked = asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except RuntimeError:  # closed meanwhile
            turn.release()
            raise OSError("no names are looked up any more") from None
        # Who gives up waiting does not end the thread's work: the turn lasts as long as that does.
        asked.add_done_callback(lambda done: _end(turn, done))
        await asyncio.wait({asked})
        return list(dict.fromkeys(str(row[4][0]) for row in asked.result()))


def _end(turn: asyncio.Semaphore, done: asyncio.Future[Any]) -> None:
    turn.release()
    if not done.cancelled():
        done.exception()  # whoever asked may have gone
