"""The status line of an answer, kept from the moment it comes.

A receiver that has said 2xx has taken the callback, however long, slow or broken the rest of its answer is. The HTTP
library tells a status only once it has read all headers and found them good, so connections note the line themselves.
"""

import re
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

MOST = 1024
"""Octets of an answer that are looked at: the status line follows whatever is informational (RFC 9110, 15.2)."""

LINE = re.compile(
    rb"(?:HTTP/1\.[01] 1[0-9][0-9][^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n)*"  # such as 103 Early Hints
    rb"HTTP/[0-9.]{1,3}[ \t]{1,9}([2-5][0-9][0-9])[ \t\r\n]",
    re.IGNORECASE,
)
"""Blanks, letters and version are taken as they come: RFC 9112 (4) lets a recipient."""


def status_of(begins: bytes) -> int | None:
    """Return the status that an answer begins with; None while it is not there."""
    found = LINE.match(begins)
    return int(found[1]) if found else None


class NotingHandler(ResponseHandler):
    """One connection, which knows how the answer to its last request begins."""

    requests = 0
    """How many it was used for."""
    begins = b""

    def set_response_params(self, **given: Any) -> None:
        """Begin to wait for the next answer."""
        self.requests += 1
        self.begins = b""
        super().set_response_params(**given)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if len(self.begins) < MOST:
            self.begins += data[: MOST - len(self.begins)]
        super().data_received(data)

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer, once its line is there."""
        return status_of(self.begins)


_last: ContextVar[NotingHandler | None] = ContextVar("last_connection", default=None)


class NotingConnector(aiohttp.TCPConnector):
    """Makes connections that note status lines, and says which was given to whom."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._factory = partial(NotingHandler, loop=self._loop)  # type: ignore[assignment]  # a kind of what it was

    async def connect(self, *words: Any, **named: Any) -> aiohttp.connector.Connection:
        """Return a connection, and remember it for the task that asks."""
        connection = await super().connect(*words, **named)
        protocol = connection.protocol
        _last.set(protocol if isinstance(protocol, NotingHandler) else None)
        return connection


def forget_connection() -> None:
    """Begin a request: this task has no connection yet."""
    _last.set(None)


def last_connection() -> NotingHandler | None:
    """Return the connection that this task was given last since it began its request; None: it came to none."""
    return _last.get()
