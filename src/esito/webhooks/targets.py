"""Parses the URL of a receiver, and refuses what can be refused before any name is resolved."""

import base64
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, unquote, urlsplit

from yarl import URL

from esito.webhooks.addresses import Judge

LONGEST_HOST = 253
"""Characters of a host; a DNS name has no more."""


class RefusedError(Exception):
    """This URL must not be called; the text says why."""


@dataclass(frozen=True, slots=True)
class TargetUrl:
    """The parts of a receiver's URL."""

    scheme: str
    host: str
    port: int
    netloc: str
    """Goes into the Host header."""
    rest: str
    """Path and query, unchanged."""
    login: dict[str, str]
    """The `Authorization` header if the URL names a user."""


def refusal(url: str, judge: Judge) -> str:
    """Return why a URL is never called, whatever its name resolves to; empty when it may be called.

    The system, and no name server, decides whether the host is a name or some spelling of an address.
    """
    try:
        target = parse_target(url)
    except RefusedError as error:
        return str(error)
    address = _literal(target.host)
    if address is not None:
        reason = judge.why_not(address, target.port)
        return f"{address} is {reason}" if reason else ""
    reason = judge.why_not_port(target.port)
    return f"{target.host} is {reason}" if reason else ""


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that the host spells; None if it is a name."""
    try:
        rows = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return None
    return ip_address(str(rows[0][4][0]))


def parse_target(url: str) -> TargetUrl:
    """Return the parts of a URL. Raises RefusedError for a URL that we never call."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedError(f"the URL cannot be read ({error})") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise RefusedError("only http and https are called")
    bare = host.rstrip(".").lower()
    if not bare:
        raise RefusedError("the URL names no host")
    _, _, netloc = parts.netloc.rpartition("@")
    if not netloc.isascii():
        netloc = _as_dns(bare) if port is None else f"{_as_dns(bare)}:{port}"
    login = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    rest = _as_ascii((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return TargetUrl(parts.scheme, _as_dns(bare), port or (443 if parts.scheme == "https" else 80), netloc, rest, login)


def _as_dns(host: str) -> str:
    """Return a host as DNS spells it, by IDNA 2008. Raises RefusedError."""
    if ":" in host:
        try:
            address = ip_address(host)
        except ValueError:
            raise RefusedError("the host is no address") from None
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            raise RefusedError("the address is one of a single interface")
        return host
    if len(host) > LONGEST_HOST:
        raise RefusedError("the host is no name")
    try:
        return host if host.isascii() else URL.build(scheme="http", host=host).raw_host or ""
    except ValueError:
        raise RefusedError("the host is no name") from None


def _as_ascii(text: str) -> str:
    """Return path and query with non-ASCII characters encoded by RFC 3987; the rest stays as written."""
    return text if text.isascii() else "".join(sign if sign.isascii() else quote(sign) for sign in text)
