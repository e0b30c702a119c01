"""The web server: granian in our event loop, begun anew beside itself when its certificate changes."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import structlog
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from esito.config import HttpSettings

log = structlog.get_logger()

BACKLOG = 2048
HEADERS_WITHIN_MS = 15_000
"""A client that takes longer for its headers is left."""

BOTH_LISTEN = 0.5
"""Seconds for which old and new listen to the same port, so that no connection finds nobody."""

ENDING = 5.0
"""Seconds that requests on old connections get to end."""


class WebServer:
    """Serves one application; `ended` is done when serving ends by itself, which is a fault."""

    def __init__(self, app: Any, settings: HttpSettings, *, max_headers: int) -> None:
        self._app = app
        self._settings = settings
        self._max_headers = max_headers
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Begin to listen. Raises OSError, ValueError or ssl.SSLError for a certificate that cannot be used."""
        self._server = self._made()
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(), name="http")
        self._serving.add_done_callback(self._note_end)

    async def reload(self) -> None:
        """Read the certificate again: a new server takes new connections, the old one ends what it has begun."""
        if not self._settings.tls_cert:
            log.info("nothing_to_reload", reason="no certificate is configured")
            return
        before, serving = self._server, self._serving
        try:
            self.start()
        except (OSError, ValueError, ssl.SSLError) as error:
            file = self._settings.tls_cert
            log.warning("certificate_refused", file=file, reason=str(error), consequence="the old one stays")
            return
        await asyncio.sleep(BOTH_LISTEN)
        await _end(before, serving)
        log.info("certificate_reloaded", file=self._settings.tls_cert)

    async def stop(self) -> None:
        """Take no more requests."""
        await _end(self._server, self._serving)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if task is self._serving and not self.ended.done():
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self.ended.set_exception(error)
            else:
                self.ended.set_result(None)

    def _made(self) -> Server:
        host, port = self._settings.address
        return Server(
            self._app,
            address=host,
            port=port,
            interface="asgi",  # type: ignore[arg-type]  # the enum's own value, as its other servers accept it
            backlog=BACKLOG,
            backpressure=self._settings.connections,  # granian takes no further connection beyond it
            http=HTTPModes.http1,  # what bounds and clocks we have are for this one
            websockets=False,
            http1_settings=HTTP1Settings(max_buffer_size=self._max_headers, header_read_timeout=HEADERS_WITHIN_MS),
            log_enabled=False,
            ssl_cert=Path(self._settings.tls_cert) if self._settings.tls_cert else None,
            ssl_key=Path(self._settings.tls_key) if self._settings.tls_key else None,
        )


async def _end(server: Server | None, serving: asyncio.Task[None] | None) -> None:
    if server is None or serving is None or serving.done():
        return
    server.stop()  # type: ignore[no-untyped-call]  # granian's own
    await asyncio.wait({serving}, timeout=ENDING)
