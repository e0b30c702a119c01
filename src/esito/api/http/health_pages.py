"""Is it alive, is it ready, how is it doing? For monitors and orchestrators."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from esito import metrics
from esito.api.services import Services
from esito.domain.errors import Refusal, StoreError
from esito.store.interface.store import Store

log = structlog.get_logger()

ALIVE = Response(b"ok\n", media_type="text/plain")
"""The answer of a process that runs; it never changes."""

COUNT_EVERY = 10.0
"""Seconds that a count of the store stays good; a large store takes seconds to count."""

COUNT_PATIENCE = 2.0
"""Seconds a scrape waits for a count; after that it shows the one before."""


async def healthz(_request: Request) -> Response:
    """GET /healthz: the process runs."""
    return ALIVE


class Counting:
    """Counts the store for `/metrics`, one count at a time however often it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._counted_at = float("-inf")

    async def refresh(self) -> None:
        """Update the gauges; a long count goes on in the background."""
        if self._task is None or self._task.done():
            if time.monotonic() - self._counted_at < COUNT_EVERY:
                return
            self._task = asyncio.create_task(self._count(), name="counts")
        await asyncio.wait({self._task}, timeout=COUNT_PATIENCE)

    async def _count(self) -> None:
        try:
            counts = await self._store.counts()
        except StoreError as error:
            # The other metrics are worth showing, and most of all now.
            log.warning("counts_failed", reason=str(error))
            return
        self._counted_at = time.monotonic()
        metrics.counted(
            queued=counts.queued,
            unanswered=counts.unanswered,
            unmatched=counts.unmatched,
            callbacks_due=counts.callbacks_due,
            callbacks_dead=counts.callbacks_dead,
            by_status=counts.by_status,
        )


Admit = Callable[[Request], Awaitable[None]]
"""Raises a Refusal when the request may not see the state of the installation."""


async def admit_all(_request: Request) -> None:
    """Admit everybody: for an address that only monitors reach."""


def routes(services: Services, admit: Admit) -> list[Route]:
    """Return the three routes; details of the installation are shown to whom `admit` admits."""
    counting = Counting(services.store)

    async def readyz(request: Request) -> Response:
        """GET /readyz: 200 when messages and receipts can be taken, else 503.

        Who is admitted also sees what is missing, and `warnings` of links in trouble while others serve.
        """
        try:
            missing = await services.ready()
        except StoreError as error:
            missing = [str(error)]
        told: dict[str, object] = {"ready": not missing}
        if await _is_let_in(request, admit):
            told["missing"] = missing
            if warnings := services.warnings():
                told["warnings"] = warnings
        return JSONResponse(told, status_code=503 if missing else 200)

    async def shown_metrics(request: Request) -> Response:
        """GET /metrics: everything we count, in Prometheus's text format."""
        await admit(request)
        await counting.refresh()
        return Response(await asyncio.to_thread(metrics.render), headers={"content-type": metrics.CONTENT_TYPE})

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", shown_metrics, methods=["GET"]),
    ]


async def _is_let_in(request: Request, admit: Admit) -> bool:
    """Tell whether a request with a key may see more; one without is not counted as a wrong one."""
    if "authorization" not in request.headers:
        return admit is admit_all
    try:
        await admit(request)
    except (Refusal, StoreError):
        return False
    return True
