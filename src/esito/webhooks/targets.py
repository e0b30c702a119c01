"""What a URL says of where a request goes, and what is refused by that alone, before any name is looked up."""

import base64
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, unquote, urlsplit

from yarl import URL

from esito.webhooks.addresses import Judge

LONGEST_HOST = 253
"""Characters of a host; no name has more."""


class RefusedError(Exception):
    """This must not be called; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    scheme: str
    host: str
    port: int
    netloc: str
    """What the Host header says."""
    rest: str
    """Path and query, untouched."""
    login: dict[str, str]
    """The `Authorization` header, where the URL names a user."""


def refusal(url: str, judge: Judge) -> str:
    """Return why a URL is never called, whatever its name resolves to; empty when it may be called.

    What its host is, a name or an address in whatever spelling, is asked of the system and of no name server.
    """
    try:
        target = taken_apart(url)
    except RefusedError as error:
        return str(error)
    address = _literal(target.host)
    if address is not None:
        reason = judge.why_not(address, target.port)
        return f"{address} is {reason}" if reason else ""
    reason = judge.why_not_port(target.port)
    return f"{target.host} is {reason}" if reason else ""


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is; None when it is a name."""
    try:
        rows = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return None
    return ip_address(str(rows[0][4][0]))


def taken_apart(url: str) -> Target:
    """Return a URL in its pieces. Raises RefusedError for what is none of ours to call."""
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
    return Target(parts.scheme, _as_dns(bare), port or (443 if parts.scheme == "https" else 80), netloc, rest, login)


def _as_dns(host: str) -> str:
    """Return a host as name servers know it, by IDNA 2008. Raises RefusedError."""
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
    """Return a path and a query as they go out: what is not ASCII as RFC 3987 has it, all else as it was written."""
    return text if text.isascii() else "".join(sign if sign.isascii() else quote(sign) for sign in text)
