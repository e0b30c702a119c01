"""The HTTP application: which path is answered by what.

What clients ask thousands of times a second goes through `front`; pages for people and
monitors are Starlette's.
"""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response as StarletteResponse

from esito.api.http import docs_page, health_pages
from esito.api.http.app import AdminOperation, AnyOperation, AsgiApp, HttpApp, Operation
from esito.api.http.areas import AREAS
from esito.api.http.auth import Keys
from esito.api.http.body import read_form
from esito.api.http.error_replies import UNAUTHORIZED, refusal
from esito.api.http.request import wants_xml
from esito.api.http.response import Headers, Response
from esito.api.services import Services
from esito.api.v1 import me, send, status
from esito.api.v2 import clock_advance, message_overview
from esito.domain.errors import EsitoError, MalformedJson, NoSuchPath, TooManyRequests, WrongMethod
from esito.domain.timing import PushableClock

__all__ = ["Services", "build"]

OPERATIONS = (
    Operation("GET", "/v1/bulk-status", status.bulk_status),
    Operation("GET", "/v1/message-status", status.message_status),
    Operation("POST", "/v1/multi-status", status.multi_status, reads_body=True),
    # The newest documentation labels it GET; its body is read then too.
    Operation("GET", "/v1/multi-status", status.multi_status, reads_body=True),
    Operation("GET", "/v1/bulk-status-by-tag", status.bulk_status_by_tag),
    Operation("POST", "/v1/send", send.send, reads_body=True),
    Operation("POST", "/v1/bulk-send", send.bulk_send, reads_body=True),
    Operation("GET", "/v1/me", me.me),
    Operation("GET", "/v2/messages/{id}", message_overview.message, bearer=True),
    Operation("GET", "/v2/messages/{id}/recipients", message_overview.recipients, bearer=True),
    Operation("GET", "/v2/messages/{id}/recipients/{msisdn}", message_overview.recipient, bearer=True),
)

SERVED: tuple[AnyOperation, ...] = (
    *OPERATIONS,
    *(operation for area in AREAS for operation in area.operations),
)
"""Everything that is always served."""

CLOCK = AdminOperation("POST", "/v2/clock/advance", clock_advance.advance, reads_body=True)
"""Served only where the clock can be pushed."""


def operations_of(services: Services) -> Sequence[AnyOperation]:
    """Return what is served."""
    pushable = services.pushable and isinstance(services.clock, PushableClock)
    return (*SERVED, CLOCK) if pushable else SERVED


def build(services: Services) -> AsgiApp:
    """Return the ASGI application."""
    operations = operations_of(services)
    keys = Keys(services)

    async def admit(request: Request) -> None:
        await keys.monitor(request.scope)

    routes = [*health_pages.routes(services, admit), *docs_page.routes(operations, services)]

    async def envelope(request: Request, error: Exception) -> StarletteResponse:
        """Tell in our own form what Starlette refuses or what broke."""
        return _starlettes(_refused(request, error, services))

    handlers = {HTTPException: envelope, EsitoError: envelope, Exception: envelope}
    rest = Starlette(routes=routes, exception_handlers=handlers)
    rest.router.redirect_slashes = False
    return HttpApp(services, keys, operations, rest, known=[route.path for route in routes])


def build_for_monitors(services: Services) -> Starlette:
    """Return the application of a process that answers nobody but monitors."""
    return Starlette(routes=health_pages.routes(services, health_pages.admit_all))


def _refused(request: Request, error: Exception, services: Services) -> Response:
    headers: Headers = ()
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            headers = ((b"allow", (error.headers or {}).get("Allow", "GET").encode()),)
            error = WrongMethod()
        elif error.status_code == 404:
            error = NoSuchPath()
    elif isinstance(error, UNAUTHORIZED):
        headers = ((b"www-authenticate", b"Bearer"),)
    elif isinstance(error, TooManyRequests):
        headers = ((b"retry-after", b"%d" % error.retry_after),)
    try:
        xml = wants_xml(read_form(request.scope["query_string"]))
    except MalformedJson:
        xml = False
    return refusal(error, xml=xml, error_status=services.error_status, bearer=True, headers=headers)


def _starlettes(answer: Response) -> StarletteResponse:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return StarletteResponse(
        answer.body,
        answer.status,
        {**headers, "content-type": answer.content_type.decode(), "cache-control": "no-store"},
    )
