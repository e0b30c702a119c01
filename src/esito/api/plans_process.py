"""The process that looks numbers up (`plans`), and in which order it is asked."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from esito.domain.errors import LookupUnavailable

IDLE = 600.0
"""Seconds after which an idle process is ended, to free its memory."""


class Plans:
    """The process that looks numbers up, started by the first question; it ends with the server, however that ends."""

    def __init__(self, *, idle: float = IDLE) -> None:
        self._idle = idle
        self._asking = ThreadPoolExecutor(1, "plans")
        self._process: subprocess.Popen[bytes] | None = None
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._ending: asyncio.TimerHandle | None = None

    async def look(self, account: int, raws: Sequence[str]) -> list[dict[str, Any]]:
        """Return what numbers are, in their order. Raises LookupUnavailable.

        One question of each account waits at a time, so that accounts take turns.
        """
        turn = self._turns.setdefault(account, asyncio.Lock())
        loop = asyncio.get_running_loop()
        async with turn:
            told = await loop.run_in_executor(self._asking, self._ask, msgspec.json.encode(raws) + b"\n")
        if self._ending is not None:
            self._ending.cancel()
        self._ending = loop.call_later(self._idle, self._asking.submit, self._end)
        if told is None:
            raise LookupUnavailable
        return told

    @property
    def process(self) -> int | None:
        """The number of the process, while there is one."""
        return None if self._process is None else self._process.pid

    async def close(self) -> None:
        """End the process."""
        if self._ending is not None:
            self._ending.cancel()
        await asyncio.get_running_loop().run_in_executor(self._asking, self._end)
        self._asking.shutdown(wait=False)

    def _ask(self, line: bytes) -> list[dict[str, Any]] | None:
        if self._process is None:
            self._process = subprocess.Popen(
                # -P: what lies in the working directory is not imported. Ctrl-C is for the server alone.
                [sys.executable, "-P", "-m", "esito.api.plans"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        try:
            if stdin is None or stdout is None:
                raise OSError("no pipes")
            stdin.write(line)
            stdin.flush()
            told = stdout.readline()
            return msgspec.json.decode(told, type=list[dict[str, Any]] | None)
        except (OSError, msgspec.DecodeError):  # it was killed: the next question begins another
            self._end()
            raise

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()
