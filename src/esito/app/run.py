"""Runs the application for the role of this process, until SIGTERM or SIGINT."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import structlog

from esito.api.asgi_app import build as build_api
from esito.api.asgi_app import build_for_monitors
from esito.app.api_services import api_services
from esito.app.application import Application, SettingsSource, build
from esito.app.process_tuning import tune_garbage_collector, tune_process
from esito.app.roles import role_named
from esito.app.web_server import WebServer, connection_limits, web_servers
from esito.app.wiring import gateway_name, open_receipt_log, open_serving, open_spool
from esito.config import Settings
from esito.domain.errors import PartEnded
from esito.domain.timing import Clock, PushableClock, RealClock
from esito.lifecycle.clocks import ClockWatch, follow
from esito.receipt_log.publisher import Publisher
from esito.store.interface.store import CLOCK_OFFSET, Store

log = structlog.get_logger()

OnReady = Callable[[Application], Coroutine[Any, Any, None]]


async def serve(
    settings: Settings,
    *,
    role: str = "all",
    clock: Clock | None = None,
    on_ready: OnReady | None = None,
    load: Callable[[], Settings] | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; then finish what was begun.

    `load` reads the settings again on SIGHUP; `environ` overrides what the store says of links.
    Raises ConfigError, StoreError, and OSError when the address cannot be listened on.
    """
    this_role = role_named(role, settings)
    tune_process()
    async with AsyncExitStack() as opened:
        store = await opened.enter_async_context(open_serving(settings))
        receipt_log = publisher = None
        if this_role.uses_receipt_log:
            receipt_log = await opened.enter_async_context(open_receipt_log(settings))
        if receipt_log is not None and this_role.has_links:
            spool = await opened.enter_async_context(open_spool(settings))
            publisher = Publisher(gateway=gateway_name(settings), receipt_log=receipt_log, spool=spool, store=store)
        app = await build(
            SettingsSource(settings, environ or {}, load),
            store,
            clock or await _clock(settings, store),
            this_role,
            receipt_log=receipt_log,
            publisher=publisher,
        )
        await _run(app, on_ready)


async def _clock(settings: Settings, store: Store) -> Clock:
    if not settings.clock.pushable:
        return RealClock()
    return PushableClock(speed=settings.clock.speed, offset_ms=int(await store.setting(CLOCK_OFFSET) or 0))


async def _run(app: Application, on_ready: OnReady | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    limits = connection_limits(app.settings.http)
    services = api_services(app, limits.requested)
    api = build_api(services) if app.role.serves_clients else build_for_monitors(services)
    servers = web_servers(app.settings.http, api, services)
    for server in servers:
        server.start()
    _reload_on_sighup(app, servers[0])
    working = await _start(app)
    working.append(loop.create_task(limits.run(), name="connection-limits"))
    tune_garbage_collector()
    ready = loop.create_task(on_ready(app)) if on_ready is not None else None
    waiting = loop.create_task(stopping.wait())
    try:
        running: set[asyncio.Future[Any]] = {waiting, *working, *(server.ended for server in servers)}
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()
            if waiting not in done:
                name = task.get_name() if isinstance(task, asyncio.Task) else "the web server"
                raise PartEnded(f"{name} ended, which it never does by itself; the server stops")
    finally:
        await _stop(app, servers, [task for task in (ready, waiting, *working) if task is not None])
        await services.plans.close()


def _reload_on_sighup(app: Application, server: WebServer) -> None:
    """Read the certificate and the links of the settings file again whenever SIGHUP comes."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        for again in (server.reload(), app.changes.reload()):
            task = loop.create_task(again)
            reloads.add(task)
            task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)


async def _start(app: Application) -> list[asyncio.Task[None]]:
    """Start what this role does; return the tasks, which run until cancelled."""
    loop = asyncio.get_running_loop()
    sides = [side for side in (app.publisher, app.consumer) if side is not None]
    working = [loop.create_task(side.run(), name="receipts") for side in sides]
    app.changes.begin()
    working.append(loop.create_task(app.changes.run(), name="link-changes"))
    if app.role.has_links and app.store.shared:
        working.append(loop.create_task(app.relinking.watch(), name="links"))
    working.append(loop.create_task(ClockWatch(app.store.leases).run(), name="clock-watch"))
    if isinstance(app.clock, PushableClock) and app.store.shared:
        working.append(loop.create_task(follow(app.store, app.clock), name="clock"))
    if app.role.has_background_jobs:
        working += app.jobs.start(app.holder if app.store.shared else None)
    return working


async def _stop(app: Application, servers: Sequence[WebServer], tasks: list[asyncio.Task[Any]]) -> None:
    """Take no more requests, then no more receipts, then store what is still in flight."""
    log.info("stopping")
    await asyncio.gather(*(server.stop() for server in servers))
    await app.relinking.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
