"""The web server: granian in our event loop. A new one takes over when the certificate is reloaded."""

import asyncio
import ssl
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import structlog
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from esito.api.asgi_app import build_for_monitors
from esito.api.services import Services
from esito.app.connection_limits import ConnectionLimits
from esito.config import HttpSettings

log = structlog.get_logger()

BACKLOG = 2048
HEADERS_WITHIN_MS = 15_000
"""A client that takes longer for its headers is disconnected."""

MAX_HEADERS = 32 * 1024
"""Octets of request line and headers; a longer request gets HTTP 431."""

BOTH_LISTEN = 0.5
"""Seconds for which the old and the new server listen on one port, so that no connection is refused."""

ENDING = 5.0
"""Seconds that requests on old connections have to end."""


class WebServer:
    """Serves one ASGI application; `ended` is done when serving ends by itself, which is a fault."""

    def __init__(self, app: Any, settings: HttpSettings) -> None:
        self._app = app
        self._settings = settings
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Start listening. Raises OSError, ValueError or ssl.SSLError for a certificate that cannot be used."""
        self._server = self._new_server()
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(), name="http")
        self._serving.add_done_callback(self._note_end)

    async def reload(self) -> None:
        """Read the certificate again: a new server takes new connections, the old one finishes its own."""
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
        """Take no more requests; give open ones some seconds to end."""
        await _end(self._server, self._serving)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if task is self._serving and not self.ended.done():
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self.ended.set_exception(error)
            else:
                self.ended.set_result(None)

    def _new_server(self) -> Server:
        host, port = self._settings.address
        return Server(
            self._app,
            address=host,
            port=port,
            interface="asgi",  # type: ignore[arg-type]  # the enum's own value, as its other servers accept it
            backlog=BACKLOG,
            backpressure=self._settings.connections,  # connections beyond it wait
            http=HTTPModes.http1,  # our limits are those of HTTP/1
            websockets=False,
            http1_settings=HTTP1Settings(max_buffer_size=MAX_HEADERS, header_read_timeout=HEADERS_WITHIN_MS),
            log_enabled=False,
            ssl_cert=Path(self._settings.tls_cert) if self._settings.tls_cert else None,
            ssl_key=Path(self._settings.tls_key) if self._settings.tls_key else None,
        )


async def _end(server: Server | None, serving: asyncio.Task[None] | None) -> None:
    if server is None or serving is None or serving.done():
        return
    server.stop()  # type: ignore[no-untyped-call]  # granian's own
    await asyncio.wait({serving}, timeout=ENDING)


def web_servers(http: HttpSettings, app: Any, services: Services) -> list[WebServer]:
    """Return the server of the API, and that of the monitors if they have an address of their own."""
    servers = [WebServer(app, http)]
    if http.monitor:
        monitor = replace(http, listen=http.monitor, tls_cert="", tls_key="")
        servers.append(WebServer(build_for_monitors(services), monitor))
    return servers


def connection_limits(http: HttpSettings) -> ConnectionLimits:
    """Return the limits of the API's connections."""
    proxies = [ip_network(one) for one in http.trusted_proxies]
    return ConnectionLimits(http.address[1], per_address=http.per_address, proxies=proxies)
