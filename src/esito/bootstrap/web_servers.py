"""The web servers of a process: the API's, and the monitors' where they have an address of their own."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from esito.api.asgi_app import Services, build_for_monitors
from esito.config import HttpSettings
from esito.connection_clocks import ConnectionClocks
from esito.serving import WebServer

MAX_HEADERS = 32 * 1024
"""Octets of request line and headers; a longer request gets HTTP 431."""


def web_servers(http: HttpSettings, app: Any, services: Services) -> list[WebServer]:
    """Return the server of the API, and the one of the monitors where they have an address of their own."""
    servers = [WebServer(app, http, max_headers=MAX_HEADERS)]
    if http.monitor:
        alone = replace(http, listen=http.monitor, tls_cert="", tls_key="")
        servers.append(WebServer(build_for_monitors(services), alone, max_headers=MAX_HEADERS))
    return servers


def connection_clocks(http: HttpSettings) -> ConnectionClocks:
    """Return the clocks of the API's connections."""
    proxies = [ip_network(one) for one in http.trusted_proxies]
    return ConnectionClocks(http.address[1], per_address=http.per_address, proxies=proxies)
