"""The whole HTTP application: endpoints, pages for monitors, documentation.

Endpoints are served by `http/app`, which is fast; pages for people and monitors are Starlette's.
"""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response as StarletteResponse

from esito.api.endpoints import ENDPOINTS
from esito.api.http import docs_page, health_pages
from esito.api.http.app import AsgiApp, HttpApp
from esito.api.http.auth import Keys
from esito.api.http.body import read_form
from esito.api.http.endpoint import AnyEndpoint
from esito.api.http.error_replies import UNAUTHORIZED, refusal
from esito.api.http.request import wants_xml
from esito.api.http.response import Headers, Response
from esito.api.services import Services
from esito.api.v2 import clock_advance
from esito.domain.errors import EsitoError, MalformedJson, NoSuchPath, TooManyRequests, WrongMethod
from esito.domain.timing import PushableClock

__all__ = ["Services", "build"]


def served_by(services: Services) -> tuple[AnyEndpoint, ...]:
    """Return the endpoints that are served: all, but the clock's where it cannot be pushed."""
    pushable = services.pushable and isinstance(services.clock, PushableClock)
    return ENDPOINTS if pushable else tuple(one for one in ENDPOINTS if one is not clock_advance.ADVANCE)


def build(services: Services, endpoints: Sequence[AnyEndpoint] | None = None) -> AsgiApp:
    """Return the ASGI application; `endpoints`: others than those that `services` serve."""
    if endpoints is None:
        endpoints = served_by(services)
    keys = Keys(services)

    async def admit(request: Request) -> None:
        await keys.monitor(request.scope)

    routes = [*health_pages.routes(services, admit), *docs_page.routes(endpoints, services)]

    async def envelope(request: Request, error: Exception) -> StarletteResponse:
        """Answer in our own envelope what Starlette refuses, and what fails."""
        return _starlettes(_refused(request, error, services))

    handlers = {HTTPException: envelope, EsitoError: envelope, Exception: envelope}
    rest = Starlette(routes=routes, exception_handlers=handlers)
    rest.router.redirect_slashes = False
    return HttpApp(services, keys, endpoints, rest, known=[route.path for route in routes])


def build_for_monitors(services: Services) -> Starlette:
    """Return the application of a process that serves monitors only."""
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
