"""Watches how long anything holds an event loop of this process, by the processor time of the loop's thread.

Others who want the processor do not count, nor do collections of garbage: those look through all that the tests hold.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

MOST_MS = 50.0
"""Milliseconds of work after which the loop must turn to others; what a request may cost is a tenth of it."""


class Hold(Exception):
    """Something kept an event loop to itself."""


class LoopWatch:
    """The longest hold of any loop, and what it was."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self.what = "nothing ran"
        self._collected = 0
        self._collecting_since = 0

    def __enter__(self) -> Self:
        self._run = asyncio.Handle._run  # every turn of a loop runs these, and only these
        watch, run = self, self._run

        def timed(handle: asyncio.Handle) -> None:
            what, began = _name(handle), time.thread_time_ns() - watch._collected
            try:
                run(handle)
            finally:
                watch._note((time.thread_time_ns() - watch._collected - began) / 1e6, what)

        asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]
        gc.callbacks.append(self._collection)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        asyncio.Handle._run = self._run  # type: ignore[method-assign]
        gc.callbacks.remove(self._collection)

    def _note(self, milliseconds: float, what: list[str]) -> None:
        if milliseconds > self.longest_ms:
            self.longest_ms, self.what = milliseconds, " > ".join(what)

    def _collection(self, phase: str, _about: dict[str, int]) -> None:
        now = time.thread_time_ns()
        if phase == "start":
            self._collecting_since = now
        else:
            self._collected += now - self._collecting_since


@contextmanager
def loops_are_let_go(most_ms: float = MOST_MS) -> Iterator[LoopWatch]:
    """Fail the block with Hold when anything in it holds a loop longer."""
    with LoopWatch() as watch:
        yield watch
    if watch.longest_ms > most_ms:
        raise Hold(f"{watch.what} held the event loop for {watch.longest_ms:.1f} ms, {most_ms:g} are allowed")


def _name(handle: asyncio.Handle) -> list[str]:
    """Return what a turn runs: the coroutines of a task, outermost first, or the callback."""
    callback: Any = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return [getattr(callback, "__qualname__", repr(callback))]
    names: list[str] = []
    coroutine: Any = task.get_coro()
    while coroutine is not None and len(names) < 12:
        names.append(getattr(coroutine, "__qualname__", type(coroutine).__name__))
        coroutine = getattr(coroutine, "cr_await", None)
    return names
