"""The status line of an answer, noted as soon as it comes.

A receiver that answers 2xx has accepted the callback, however long, slow or broken the rest of its answer is. The HTTP
library gives the status only after it has read and checked all headers, so our connections note the line themselves.
"""

import re
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

MOST = 1024
"""Octets of an answer searched for the status line, which follows informational answers (RFC 9110, 15.2)."""

LINE = re.compile(
    rb"(?:HTTP/1\.[01] 1[0-9][0-9][^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n)*"  # such as 103 Early Hints
    rb"HTTP/[0-9.]{1,3}[ \t]{1,9}([2-5][0-9][0-9])[ \t\r\n]",
    re.IGNORECASE,
)
"""Lenient with blanks, case and version, as RFC 9112 (4) allows."""


def status_of(begins: bytes) -> int | None:
    """Return the status of an answer; None while its status line is incomplete."""
    found = LINE.match(begins)
    return int(found[1]) if found else None


class NotingHandler(ResponseHandler):
    """One connection, which keeps the first octets of the answer to its last request."""

    requests = 0
    """Requests made over this connection."""
    begins = b""

    def set_response_params(self, **given: Any) -> None:
        """Start waiting for the next answer."""
        self.requests += 1
        self.begins = b""
        super().set_response_params(**given)

    def data_received(self, data: bytes) -> None:
        """Note the first octets, and pass everything on."""
        if len(self.begins) < MOST:
            self.begins += data[: MOST - len(self.begins)]
        super().data_received(data)

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer; None before its status line has come."""
        return status_of(self.begins)


_last: ContextVar[NotingHandler | None] = ContextVar("last_connection", default=None)


class NotingConnector(aiohttp.TCPConnector):
    """Makes connections that note status lines, and remembers which one each task uses."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._factory = partial(NotingHandler, loop=self._loop)  # type: ignore[assignment]  # a subclass of its own

    async def connect(self, *words: Any, **named: Any) -> aiohttp.connector.Connection:
        """Return a connection, and remember it for the calling task."""
        connection = await super().connect(*words, **named)
        protocol = connection.protocol
        _last.set(protocol if isinstance(protocol, NotingHandler) else None)
        return connection


def forget_connection() -> None:
    """Start a request: this task has no connection yet."""
    _last.set(None)


def last_connection() -> NotingHandler | None:
    """Return the connection of this task's current request; None if it got none."""
    return _last.get()
