"""The ASGI application of the endpoints: finds one, authenticates, answers, counts and logs.

Bulk-status is asked thousands of times a second, so that all of it is one table of paths and few functions;
pages that are rarely asked for are left to Starlette.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog

from esito import logs
from esito.api.http.asgi import Receive, Scope, Send
from esito.api.http.auth import Keys, key_of
from esito.api.http.body import read_form, read_values
from esito.api.http.endpoint import AdminEndpoint, AnyEndpoint
from esito.api.http.error_replies import UNAUTHORIZED, refusal
from esito.api.http.request import AccountRequest, AdminRequest, Inputs, as_text, wants_xml
from esito.api.http.response import Headers, Response, StreamedResponse
from esito.api.services import MAX_HEADER_OCTETS, Services
from esito.domain.errors import (
    EsitoError,
    HeadersTooLarge,
    Refusal,
    RepeatedHeader,
    TooManyRequests,
    WrongMethod,
)
from esito.metrics import Requests

AsgiApp = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

ONLY_ONE = (b"authorization", b"idempotency-key", b"content-type", b"content-length", b"content-encoding")
"""Headers that may come once: a proxy in front of us might read the other one."""

Admit = Callable[[Scope, Any], Awaitable[int]]
"""Returns whose turn it is. Raises what is wrong with a key."""


class Resource:
    """One path with all its endpoints."""

    __slots__ = ("allow", "bearer", "endpoints", "path", "requests")

    def __init__(self, endpoints: Iterable[AnyEndpoint]) -> None:
        self.endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        self.path = next(iter(self.endpoints.values())).path
        if "GET" in self.endpoints:
            self.endpoints["HEAD"] = self.endpoints["GET"]
        self.allow = ", ".join(self.endpoints).encode()
        self.bearer = all(endpoint.bearer for endpoint in self.endpoints.values())
        self.requests = Requests(self.path)


class HttpApp:
    """The ASGI application."""

    def __init__(
        self, services: Services, keys: Keys, endpoints: Iterable[AnyEndpoint], rest: AsgiApp, known: Iterable[str]
    ) -> None:
        """`rest` answers what no endpoint does; `known` are the paths it serves."""
        by_path: dict[str, list[AnyEndpoint]] = {}
        for endpoint in endpoints:
            by_path.setdefault(endpoint.path, []).append(endpoint)
        self._services = services
        self._resources = {path: Resource(of_path) for path, of_path in by_path.items() if "{" not in path}
        self._patterns = [(_pattern(path), Resource(of_path)) for path, of_path in by_path.items() if "{" in path]
        self._rest = rest
        self._requested = services.requested
        self._keys = keys
        self._limited = services.limits.requests_per_second > 0
        self._known = {path: Requests(path) for path in known}
        self._unknown = Requests("other")
        self._log = structlog.get_logger().bind()
        # Asked once: a line per request is for those who look for something.
        self._logs = bool(self._log.is_enabled_for(logging.DEBUG))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        began = time.perf_counter()
        if self._requested is not None:
            self._requested(scope["client"])
        resource = self._resources.get(scope["path"])
        pieces: dict[str, str] = {}
        if resource is None:
            path = plain_path(scope["path"])
            resource, pieces = self._find(path)
            if resource is None:
                await self._pass_on(scope, receive, send, path, began)
                return
        answer = await self._answer(resource, scope, receive, pieces)
        await write(answer, receive, send, head=scope["method"] == "HEAD")
        self._note(resource.requests, scope["method"], resource.path, answer.status, began)

    def _find(self, path: str) -> tuple[Resource | None, dict[str, str]]:
        """Return the resource of a plain path, and the parameters that are pieces of it."""
        resource = self._resources.get(path)
        if resource is not None:
            return resource, {}
        for pattern, resource in self._patterns:
            if found := pattern.fullmatch(path):
                return resource, found.groupdict()
        return None, {}

    async def _answer(self, resource: Resource, scope: Scope, receive: Receive, pieces: dict[str, str]) -> Response:
        """Answer whatever happens."""
        values: dict[str, Any] = {}
        try:
            require_short(scope)
            values |= read_form(scope["query_string"]) | pieces
            return await self._perform(resource, scope, receive, values)
        except Refusal as error:
            return self._refused(resource, error, values)
        except EsitoError as error:
            self._log.warning("request_failed", path=resource.path, error=type(error).__name__, reason=str(error))
            return self._refused(resource, error, values)
        except Exception as error:
            self._log.exception("request_failed", path=resource.path)
            return self._refused(resource, error, values)

    def _refused(self, resource: Resource, error: Exception, values: dict[str, Any]) -> Response:
        headers: Headers = ()
        if isinstance(error, WrongMethod):
            headers = ((b"allow", resource.allow),)
        elif isinstance(error, TooManyRequests):
            headers = ((b"retry-after", b"%d" % error.retry_after),)
        elif resource.bearer and isinstance(error, UNAUTHORIZED):
            headers = ((b"www-authenticate", b"Bearer"),)
        error_status = self._services.error_status
        return refusal(error, xml=wants_xml(values), error_status=error_status, bearer=resource.bearer, headers=headers)

    async def _perform(self, resource: Resource, scope: Scope, receive: Receive, values: dict[str, Any]) -> Response:
        """Read the request, body over query in `values`, and let the endpoint answer."""
        names = [name for name, _ in scope["headers"]]
        if len(set(names)) < len(names) and any(names.count(name) > 1 for name in ONLY_ONE):
            raise RepeatedHeader
        endpoint = resource.endpoints.get(scope["method"])
        if endpoint is None:
            raise WrongMethod
        if isinstance(endpoint, AdminEndpoint):
            return await self._perform_for_administrator(endpoint, scope, receive, values)
        services = self._services
        is_long = False
        if endpoint.body is not None:
            is_long = await self._read_body(scope, receive, values, self._keys.turn_of_account, bearer=resource.bearer)
        account = await self._keys.account(scope, key_of(scope, values, by_bearer=resource.bearer))
        if self._limited or account.profile.requests_per_second:
            services.limits.check_request(account, services.clock.now())
        xml = wants_xml(values)
        request = AccountRequest(services, account, Inputs(values), xml=xml, scope=scope, is_long=is_long)
        return await endpoint.handler(request)

    async def _perform_for_administrator(
        self, endpoint: AdminEndpoint, scope: Scope, receive: Receive, values: dict[str, Any]
    ) -> Response:
        is_long = False
        if endpoint.body is not None:
            is_long = await self._read_body(scope, receive, values, self._keys.turn_of_administrator, bearer=True)
        administrator = await self._keys.administrator(scope, key_of(scope, values, by_bearer=True))
        inputs, xml = Inputs(values), wants_xml(values)
        request = AdminRequest(self._services, administrator, inputs, xml=xml, scope=scope, is_long=is_long)
        return await endpoint.handler(request)

    async def _read_body(
        self, scope: Scope, receive: Receive, values: dict[str, Any], admit: Admit, *, bearer: bool
    ) -> bool:
        """Add the parameters of the body to `values`, once its key is known to be good; return whether it is long."""
        said, is_long = await read_values(
            scope,
            receive,
            key=as_text(key_of(scope, values, by_bearer=bearer)),
            admit=partial(admit, scope),
            aside=self._services.aside,
            limit=self._services.max_body,
            patience=self._services.body_patience,
        )
        values |= said
        return is_long

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, path: str, began: float) -> None:
        """Let the rest answer, under the plain path."""
        status = 500

        async def watch(event: Any) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            await send(event)

        try:
            await self._rest({**scope, "path": path}, receive, watch)
        finally:
            # What nobody serves may be anything, a key or a number too: no metric of its own, and masked in the log.
            requests = self._known.get(path)
            self._note(requests or self._unknown, scope["method"], logs.hide_digits(path[:100]), status, began)

    def _note(self, requests: Requests, method: str, path: str, status: int, began: float) -> None:
        seconds = time.perf_counter() - began
        requests.count(status, seconds)
        if self._logs:
            self._log.debug("request", method=method, path=path, status=status, ms=round(seconds * 1000, 3))


async def write(answer: Response, receive: Receive, send: Send, *, head: bool = False) -> None:
    """Write an answer out; `head`: without its body."""
    if isinstance(answer, StreamedResponse):
        await _write_pieces(answer, receive, send, head=head)
        return
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        (b"cache-control", b"no-store"),  # statuses change, and whose numbers they are is nobody else's business
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


async def _write_pieces(answer: StreamedResponse, receive: Receive, send: Send, *, head: bool) -> None:
    """Write an answer piece by piece, until the client goes away.

    The last chunk is sent only on success, so that clients detect truncation.
    """
    headers = [(b"content-type", answer.content_type), (b"cache-control", b"no-store"), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if head or answer.pieces is None:
        await send({"type": "http.response.body", "body": b"" if head else answer.body, "more_body": False})
        return
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    # Sending to a client that has gone raises nothing.
    gone = asyncio.ensure_future(_gone(receive))
    try:
        async with aclosing(answer.pieces) as pieces:
            async for piece in pieces:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    """Return when the client has gone; what it still sends is thrown away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def require_short(scope: Scope) -> None:
    """Refuse a request whose path, query and headers are too long to be read. Raises HeadersTooLarge."""
    octets = sum([len(name) + len(value) for name, value in scope["headers"]])
    if octets + len(scope["query_string"]) + len(scope["path"]) > MAX_HEADER_OCTETS:
        raise HeadersTooLarge


def _pattern(path: str) -> re.Pattern[str]:
    """Return what recognises a path with parameters."""
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def plain_path(path: str) -> str:
    """Return a path without its trailing slash, and without the host of an absolute-form target (contract 0)."""
    if path[:1] != "/":
        _, _, rest = path.partition("://")
        path = "/" + rest.partition("/")[2]
    return path.rstrip("/") or "/"
