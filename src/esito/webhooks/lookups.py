"""Resolves names in a few threads of its own; no account can use all of them."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

THREADS = 32
"""Names resolved at a time."""

OF_AN_ACCOUNT = THREADS // 4
"""Threads that one account may use, so that its slow name servers delay nobody else."""


class Lookups:
    """Resolves names."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        """By account; a semaphore lives as long as somebody holds or awaits it."""

    def open(self) -> None:
        """Start the threads."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="esito-names")

    def close(self) -> None:
        """Start no more lookups; those that run end by themselves."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, host: str, port: int, account: int) -> list[str]:
        """Resolve as connecting would, with addresses in octal, in hexadecimal or as a single number.

        Raises OSError, and ValueError for what is not a name.
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
        # A caller that gives up does not stop the thread, so the turn lasts until the thread is done.
        asked.add_done_callback(lambda done: _end(turn, done))
        await asyncio.wait({asked})
        return list(dict.fromkeys(str(row[4][0]) for row in asked.result()))


def _end(turn: asyncio.Semaphore, done: asyncio.Future[Any]) -> None:
    turn.release()
    if not done.cancelled():
        done.exception()  # the caller may have given up
