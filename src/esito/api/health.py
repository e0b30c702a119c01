"""Is it alive, is it ready, how is it doing? For monitors and orchestrators."""

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from esito import metrics
from esito.api.services import Services
from esito.domain.errors import StoreError

log = structlog.get_logger()

ALIVE = Response(b"ok\n", media_type="text/plain")
"""The answer of a process that runs; it never changes."""


async def healthz(_request: Request) -> Response:
    """GET /healthz: the process runs."""
    return ALIVE


def routes(services: Services) -> list[Route]:
    """Return the three routes."""

    async def readyz(_request: Request) -> Response:
        """GET /readyz: 200 when messages and receipts can be taken, else 503 with what is missing."""
        try:
            missing = await services.ready()
        except StoreError as error:
            missing = [str(error)]
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    async def shown_metrics(_request: Request) -> Response:
        """GET /metrics: everything we count, in Prometheus's text format."""
        try:
            counts = await services.store.counts()
        except StoreError as error:
            # The rest is worth showing, and most of all now.
            log.warning("counts_failed", reason=str(error))
        else:
            metrics.counted(
                queued=counts.queued,
                unanswered=counts.unanswered,
                unmatched=counts.unmatched,
                callbacks_due=counts.callbacks_due,
                by_status=counts.by_status,
            )
        return Response(metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", shown_metrics, methods=["GET"]),
    ]
