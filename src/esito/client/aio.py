"""The client for programs on an event loop; `calls` says what each call means."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from esito.client import calls
from esito.client.calls import PLAIN, Call, SendOptions
from esito.client.exchange import TIMEOUT, answer_of, request_of, unreachable
from esito.client.models import (
    BulkSent,
    Credits,
    PairStatus,
    RecipientStatus,
    Sent,
    SingleStatus,
    StoppedNumber,
    TagPage,
)

T = TypeVar("T")


class AsyncClient:
    """One account's calls to one server. Every call raises ApiError when it is refused, else a ClientError."""

    def __init__(self, url: str, api_key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT, transport=transport)
        self._api_key = api_key

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _run(self, call: Call[T]) -> T:
        try:
            response = await self._http.send(request_of(call, self._http, self._api_key))
        except httpx.HTTPError as error:
            raise unreachable(self._http.base_url, error) from error
        return answer_of(call, response)

    async def bulk_status(self, message_id: int) -> list[RecipientStatus]:
        """Return every recipient of one message."""
        return await self._run(calls.bulk_status(message_id))

    async def bulk_status_text(self, message_id: int, form: Literal["json", "xml"]) -> str:
        """Return every recipient of one message as the text of the answer."""
        return await self._run(calls.bulk_status_text(message_id, form))

    async def message_status(self, message_id: int, msisdn: str) -> SingleStatus:
        """Return one recipient of one message."""
        return await self._run(calls.message_status(message_id, msisdn))

    async def multi_status(self, pairs: Sequence[tuple[int, str]]) -> list[PairStatus]:
        """Return an answer to each of up to 500 (message id, number) pairs, in their order."""
        return await self._run(calls.multi_status(pairs))

    async def bulk_status_by_tag(self, tag: str, page: int = 1) -> TagPage:
        """Return a page of the recipients of all messages with a tag."""
        return await self._run(calls.bulk_status_by_tag(tag, page))

    async def send(self, to: str | Sequence[str], message: str, options: SendOptions = PLAIN) -> Sent:
        """Send one text to up to 500 numbers."""
        return await self._run(calls.send(to, message, options))

    async def bulk_send(self, texts: Sequence[tuple[str, str]], options: SendOptions = PLAIN) -> BulkSent:
        """Send up to 500 (number, text) pairs as one message."""
        return await self._run(calls.bulk_send(texts, options))

    async def stops(self) -> list[StoppedNumber]:
        """Return the numbers on the STOP list, oldest first."""
        return await self._run(calls.stops())

    async def add_stop(self, msisdn: str) -> int:
        """Put a number on the STOP list; return its id there."""
        return await self._run(calls.add_stop(msisdn))

    async def delete_stop(self, stop_id: int) -> None:
        """Take a number off the STOP list by its id."""
        await self._run(calls.delete_stop(stop_id))

    async def me(self) -> Credits:
        """Return whose key it is and what is left."""
        return await self._run(calls.me())

    async def explain(self, message_id: int, msisdn: str, *, unmask: str = "") -> dict[str, Any]:
        """Return what happened to one recipient and why, as GET /v2/messages/ID/recipients/MSISDN tells it.

        `unmask`: the reason why somebody sees the number whole; the server notes it in its audit log.
        """
        return await self._run(calls.explain(message_id, msisdn, unmask=unmask))

    async def cancel(self, message_id: int) -> None:
        """Take a scheduled message back, until five minutes before it is due."""
        await self._run(calls.cancel(message_id))

    async def events(self, *, cursor: str = "", limit: int = 500) -> tuple[list[dict[str, Any]], str]:
        """Return receipts of the account's messages beyond a cursor, and the next cursor."""
        return await self._run(calls.events(cursor, limit))

    async def links(self) -> list[dict[str, Any]]:
        """Return how the links to the operators stand."""
        return await self._run(calls.links())

    async def orphans(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the receipts that match nothing, oldest first."""
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = await self._run(calls.orphans(cursor))
            for one in page:
                yield one

    async def callbacks(
        self, *, status: str | None = None, message_id: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the callbacks, newest first; `status` is waiting, done or dead."""
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = await self._run(calls.callbacks(cursor, status=status, message_id=message_id))
            for one in page:
                yield one

    async def callback(self, callback_id: int) -> dict[str, Any]:
        """Return one callback with every attempt, as GET /v2/callbacks/ID tells it."""
        return await self._run(calls.callback(callback_id))

    async def callback_destinations(self) -> list[dict[str, Any]]:
        """Return the servers that callbacks go to, and how that goes."""
        found, cursor = await self._run(calls.callback_destinations())
        while cursor is not None:
            page, cursor = await self._run(calls.callback_destinations(cursor))
            found += page
        return found

    async def replay_callbacks(
        self, callback_id: int | None = None, *, since: str | datetime | None = None, dead_only: bool = False
    ) -> int:
        """Have one callback made again, or all since a moment; return how many."""
        return await self._run(calls.replay_callbacks(callback_id, since=since, dead_only=dead_only))
