"""Makes one request to a receiver and returns its outcome; never calls a forbidden address.

A name is resolved once, all its addresses are judged, and the connection goes to the judged
address itself: what the name resolves to a moment later does not matter.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from weakref import WeakValueDictionary

import aiohttp
from yarl import URL

from esito.webhooks import addresses
from esito.webhooks.lookups import Lookups
from esito.webhooks.status_line import NotingConnector, forget_connection, last_connection
from esito.webhooks.targets import RefusedError, TargetUrl, parse_target

CONNECT_WITHIN = 5.0
ALL_WITHIN = 15.0
"""Seconds."""

LARGEST_ANSWER = 64 * 1024
"""Octets that are read of an answer; the rest is not awaited."""

ANSWER_KEPT = 1024
"""Octets of an answer that are stored."""

NAME_KEPT = 15.0
"""Seconds for which the judged addresses of a name are reused."""

NAMES_KEPT = 4096
MOST_ADDRESSES = 3
"""Addresses of one name that are tried."""

Resolve = Callable[[str, int, int], Awaitable[Sequence[str]]]
"""Takes host, port and the asking account; returns addresses as text. Raises OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The outcome of one request."""

    status: int | None
    """HTTP status; None: there was no answer."""
    milliseconds: int
    answer: bytes = b""
    """The first kilobyte of it."""
    error: str = ""
    """Why there was no answer, as a sentence; empty when there was one."""
    address: str = ""
    """The address we connected to; empty when we did not."""
    retry_after: str = ""
    """The Retry-After header as received; empty: there was none."""
    final: bool = False
    """Whether trying again is useless: a refused URL stays refused."""


class Sender:
    """Posts to receivers over reused connections."""

    def __init__(
        self,
        *,
        judge: addresses.Judge,
        resolve: Resolve | None = None,
        all_within: float = ALL_WITHIN,
    ) -> None:
        self._judge = judge
        self._lookups = Lookups()
        self._resolve = resolve or self._lookups.ask
        self._all_within = all_within
        self._session: aiohttp.ClientSession | None = None
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._asking: WeakValueDictionary[tuple[tuple[str, int], int], asyncio.Lock] = WeakValueDictionary()

    async def start(self) -> None:
        """Prepare, in the running event loop."""
        self._lookups.open()
        self._session = aiohttp.ClientSession(
            connector=NotingConnector(limit=0, use_dns_cache=False, keepalive_timeout=15),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN),
            auto_decompress=False,  # only people read what we store, and a zip bomb must not go off
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        self._lookups.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, account: int = 0) -> Attempt:
        """Make one request for an account. Failures are returned in the attempt, not raised."""
        began = time.monotonic()
        address = ""
        forget_connection()
        until = asyncio.get_running_loop().time() + self._all_within
        try:
            async with asyncio.timeout_at(until):
                target = parse_target(url)
                reachable = await self._addresses(target, account)
            for address in reachable:
                try:
                    async with asyncio.timeout_at(until):
                        response = await self._post(target, address, body, headers)
                except aiohttp.ClientConnectorError as error:
                    failure = _reason(error)
                    continue
                answer = await _first_octets(response, until)
                return Attempt(
                    status=response.status,
                    milliseconds=_since(began),
                    answer=answer,
                    address=address,
                    retry_after=response.headers.get("retry-after", ""),
                )
        except RefusedError as error:
            return Attempt(status=None, milliseconds=_since(began), error=f"refused: {error}", final=True)
        except TimeoutError:
            failure = f"no answer within {self._all_within:g} seconds"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = _reason(error)
        # Once the status line has come it counts, even if the rest of the answer is broken or missing.
        connection = last_connection()
        status = None if connection is None else connection.status
        error_of = "" if status else failure
        return Attempt(status=status, milliseconds=_since(began), error=error_of, address=address)

    async def _post(
        self, target: TargetUrl, address: str, body: bytes, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Return the response once its status is known."""
        if self._session is None:
            raise RuntimeError("the sender was not started")
        host = f"[{address}]" if ":" in address else address
        url = URL(f"{target.scheme}://{host}:{target.port}{target.rest}", encoded=True)
        for again in (True, False):
            try:
                return await self._session.post(
                    url,
                    data=body,
                    headers={"content-type": "application/json", **headers, **target.login, "host": target.netloc},
                    allow_redirects=False,
                    server_hostname=target.host if target.scheme == "https" else None,
                )
            except aiohttp.ServerDisconnectedError:
                # The receiver closed a connection that we reused; try a new one at once.
                connection = last_connection()
                if not again or connection is None or connection.status or connection.requests == 1:
                    raise
        raise AssertionError("unreachable")

    # -- names ---------------------------------------------------------------------------------

    async def _addresses(self, target: TargetUrl, account: int) -> list[str]:
        """Return the judged addresses of the target. Raises RefusedError, OSError, TimeoutError."""
        name = target.host, target.port
        if (known := self._known_of(name)) is not None:
            return known
        async with asyncio.timeout(CONNECT_WITHIN), self._asking.setdefault((name, account), asyncio.Lock()):
            # The first of many requests to one name resolves it for all.
            if (known := self._known_of(name)) is not None:
                return known
            return self._judged(target, await self._resolve(*name, account))

    def _known_of(self, name: tuple[str, int]) -> list[str] | None:
        until, found = self._known.get(name, (0.0, []))
        return found if until > time.monotonic() else None

    def _judged(self, target: TargetUrl, answer: Sequence[str]) -> list[str]:
        """Remember addresses for a while, if all of them may be called. Raises RefusedError, OSError."""
        found = list(answer)
        for text in found:
            address = ip_address(text)
            reason = self._judge.why_not(address, target.port)
            if reason:
                raise RefusedError(f"{text} is {reason}")
        if not found:
            raise OSError(f"{target.host} has no address")
        if len(self._known) >= NAMES_KEPT:
            self._known.clear()
        self._known[target.host, target.port] = time.monotonic() + NAME_KEPT, found[:MOST_ADDRESSES]
        return found[:MOST_ADDRESSES]


async def _first_octets(response: aiohttp.ClientResponse, until: float) -> bytes:
    """Read the answer up to the limit, and return its first octets; a broken rest is ignored."""
    kept, size = b"", 0
    try:
        async with asyncio.timeout_at(until):
            async for piece in response.content.iter_any():
                kept += piece[: ANSWER_KEPT - len(kept)]
                size += len(piece)
                if size > LARGEST_ANSWER:
                    break
            else:
                response.release()
    except (aiohttp.ClientError, OSError, ValueError):  # TimeoutError is an OSError
        pass
    finally:
        response.close()  # no effect once released
    return kept


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _reason(error: Exception) -> str:
    """Return what went wrong, without the URL, which may hold the receiver's secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return (
            f"the TLS certificate or handshake is not good ({error.os_error if hasattr(error, 'os_error') else error})"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect ({error.os_error.strerror or error.os_error})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the receiver closed the connection without an answer"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved ({error.strerror})"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL):
        return "the answer is not HTTP" if isinstance(error, aiohttp.ClientResponseError) else "the URL cannot be read"
    return f"the connection failed ({type(error).__name__})"
