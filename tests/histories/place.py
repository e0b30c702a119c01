"""A store for many histories: to make one for each would take longer than to play it."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self, TypeVar

from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.histories.acts import Act, Setup
from tests.histories.play import Play
from tests.histories.watch import Broken
from tests.kit.ram import a_folder
from tests.kit.stores import a_place, store_at

Played = TypeVar("Played")

GAMES = 20
"""Histories on one store: the books are read after each."""


class Place:
    """Plays histories on stores of one kind; use it with `with`, outside of any event loop."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._runner = asyncio.Runner()
        self._doors: AsyncExitStack | None = None
        self._folder = a_folder("esito-histories-")
        self._url = ""
        self._store: Store
        self._links: list[LinkRecord] = []
        self._played = 0
        self._stores = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._leave())
        self._runner.close()
        shutil.rmtree(self._folder)

    @property
    def store(self) -> Store:
        """The store, open."""
        return self._store

    async def reopen(self) -> Store:
        """Close the store and open it anew."""
        await self._store.close()
        self._store = store_at(self._url)
        await self._store.open()
        await self._store.register_links(self._links)
        return self._store

    async def register(self, links: Sequence[LinkRecord]) -> dict[str, int]:
        """Have the store know these links, after every restart too; return their numbers."""
        self._links += links
        return await self._store.register_links(links)

    def play(self, setup: Setup, acts: Sequence[Act]) -> None:
        """Play a history; raises Broken."""
        self.run(lambda name: Play(self, name, setup).run(acts))

    def run(self, game: Callable[[str], Coroutine[Any, Any, Played]]) -> Played:
        """Play anything on the store; it is given a name that nothing else on the store has."""
        return self._runner.run(self._run(game))

    async def _run(self, game: Callable[[str], Coroutine[Any, Any, Played]]) -> Played:
        if self._played % GAMES == 0 or self._doors is None:
            await self._leave()
            await self._enter()
        self._played += 1
        try:
            return await game(f"h{self._played}")
        except BaseException as error:
            # What a wrong trail or wrong books say would be found again by all that are still to come.
            if not isinstance(error, Broken) or error.promise[0] in "47":
                await self._leave()
            raise

    async def _enter(self) -> None:
        self._stores += 1
        self._links = []
        folder = self._folder / str(self._stores)
        folder.mkdir()
        self._doors = AsyncExitStack()
        self._url = await self._doors.enter_async_context(a_place(self._kind, folder))
        self._doors.callback(shutil.rmtree, folder)
        self._store = store_at(self._url)
        await self._store.open()

    async def _leave(self) -> None:
        if self._doors is not None:
            await self._store.close()
            await self._doors.aclose()
            self._doors = None
