"""The parts put together, for the role that this process has, and run until it is told to stop."""

import asyncio
import gc
import os
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from esito.api.app import Services, build, build_for_monitors
from esito.api.limits import Limits
from esito.api.services import LinkStatus
from esito.bootstrap.link_changes import Followers, LinkChanges, check, present
from esito.bootstrap.link_desk import HttpLinkDesk
from esito.bootstrap.links import incoming_of, register_links, standing, told, told_standing
from esito.bootstrap.prices import price_list, tell_prices
from esito.bootstrap.stores import gateway_name, key_secret, open_bus, open_serving, open_spool
from esito.bootstrap.web_servers import connection_clocks, web_servers
from esito.bus.base import Bus
from esito.chores import Chores, callback_worker, chores, judge_of
from esito.config import ConfigError, Settings
from esito.connection_clocks import ConnectionClocks
from esito.domain.errors import PartEnded
from esito.domain.timing import Clock, PushableClock, RealClock
from esito.domain.vocabulary import Vocabulary
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.clocks import ClockWatch, follow
from esito.lifecycle.intake import Intake
from esito.lifecycle.receive import Receiver
from esito.lifecycle.relay import Relay
from esito.links.gateway import Gateway
from esito.links.lease_keeper import LeaseKeeper
from esito.links.smpp_link import SmppLink
from esito.links.supervisor import LinkSupervisor
from esito.serving import WebServer
from esito.store.base import CLOCK_OFFSET, Store
from esito.vocabulary_files import load_vocabulary
from esito.webhooks.targets import refusal

log = structlog.get_logger()

SWITCH_INTERVAL = 0.0005
"""Seconds a thread may keep the interpreter while another waits: the writer must never stall the
event loop for the usual 5 ms, nor the loop the writer."""

COLLECT_AFTER = 20_000
"""Objects that come before the collector looks for cycles among them: requests and receipts leave few,
and what the house itself is made of is never looked at again."""

WRITABLE_WITHIN = 5.0
"""Seconds in which a commit must succeed for us to be ready."""

SIMULATOR = "simulator"
"""The operator whose error table we bring along, for the demo."""


class Role(Enum):
    """What a process does of all there is to do."""

    ALL = "all"
    API = "api"
    GATEWAY = "gateway"
    WORKER = "worker"

    @property
    def serves(self) -> bool:
        """Whether it answers clients; every role answers monitors."""
        return self in {Role.ALL, Role.API}

    @property
    def has_links(self) -> bool:
        """Whether it binds to operators."""
        return self in {Role.ALL, Role.GATEWAY}

    @property
    def has_chores(self) -> bool:
        """Whether it makes callbacks, concludes, answers and removes."""
        return self in {Role.ALL, Role.WORKER}


@dataclass(slots=True, kw_only=True)
class House:
    """Everything that runs in this process."""

    settings: Settings
    role: Role
    clock: Clock
    store: Store
    gateway: Gateway
    relinking: LinkSupervisor
    changes: LinkChanges
    holder: LeaseKeeper
    relay: Relay | None
    intake: Intake | None
    acceptance: Acceptance
    chores: Chores
    vocabulary: Vocabulary
    url: str


OnReady = Callable[[House], Coroutine[Any, Any, None]]


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

    `load` reads the settings anew when SIGHUP comes; `environ` goes over what the store tells of links.
    Raises ConfigError, StoreError, and OSError when the address cannot be listened on.
    """
    if role != "all" and not settings.store.shared:
        raise ConfigError(f"role: {role!r} needs a store that several processes share, such as postgresql://...")
    sys.setswitchinterval(SWITCH_INTERVAL)
    _allow_many_connections()
    async with AsyncExitStack() as doors:
        doing = Role(role)
        store = await doors.enter_async_context(open_serving(settings))
        bus = relay = None
        if doing is not Role.API:
            bus = await doors.enter_async_context(open_bus(settings))
        if bus is not None and doing.has_links:
            spool = await doors.enter_async_context(open_spool(settings))
            relay = Relay(gateway=gateway_name(settings), bus=bus, spool=spool, store=store)
        when = clock or await _clock(settings, store)
        file = File(settings, environ or {}, load)
        house = await _furnish(file, store, when, doing, bus=bus, relay=relay)
        await _run(house, on_ready)


def _allow_many_connections() -> None:
    """Take as many file descriptors as we may: a thousand slow clients must not use up the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _clock(settings: Settings, store: Store) -> Clock:
    if not settings.clock.pushable:
        return RealClock()
    return PushableClock(speed=settings.clock.speed, offset_ms=int(await store.setting(CLOCK_OFFSET) or 0))


class File(NamedTuple):
    """The settings as the process was given them, without what the store goes over links."""

    settings: Settings
    environ: Mapping[str, str]
    load: Callable[[], Settings] | None


async def _furnish(
    file: File, store: Store, clock: Clock, role: Role, *, bus: Bus | None, relay: Relay | None
) -> House:
    secret = key_secret(file.settings)
    settings = await present(file.settings, store, secret=secret, environ=file.environ)
    check(settings)
    tell_prices(settings.pricing)
    routes = await register_links(settings, store)
    if not store.shared:
        uncertain = await store.recover(clock.now())
        if uncertain:
            log.warning("segments_uncertain", count=uncertain, reason="the process died before their submit_sm_resp")
    callbacks = callback_worker(settings, store=store, clock=clock)
    stop_kept = asyncio.Event()
    receiving = Receiver(
        store=store,
        clock=clock,
        incoming=incoming_of(settings.links),
        relay=relay,
        on_moved=callbacks.wake,
        on_stop=stop_kept.set,
    )
    gateway = Gateway(receiving)
    acceptance = Acceptance(
        store=store,
        clock=clock,
        routes=routes,
        prices=price_list(settings.pricing),
        on_accepted=gateway.wake,
        currency=settings.pricing.currency,
    )
    holder = LeaseKeeper(store, f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}")

    async def look() -> None:
        await link_changes.look()

    relinking = LinkSupervisor(
        gateway,
        store,
        clock,
        keeper=holder if store.shared else None,
        status=lambda link: _told(link_changes, link),
        refresh=look,
    )
    followers = Followers(
        store=store,
        clock=clock,
        receiving=receiving,
        acceptance=acceptance,
        gateway=gateway,
        relinking=relinking if role.has_links else None,
    )
    link_changes = LinkChanges(file.settings, settings, followers, secret=secret, environ=file.environ, load=file.load)
    scheme = "https" if settings.http.tls_cert else "http"
    host, port = settings.http.address
    return House(
        settings=settings,
        role=role,
        clock=clock,
        store=store,
        gateway=gateway,
        relinking=relinking,
        changes=link_changes,
        holder=holder,
        relay=relay,
        intake=Intake(bus=bus, store=store, moved=callbacks.wake) if bus is not None and role.has_chores else None,
        acceptance=acceptance,
        chores=chores(
            settings, store=store, clock=clock, acceptance=acceptance, callbacks=callbacks, stop_kept=stop_kept
        ),
        vocabulary=_vocabulary(settings),
        url=f"{scheme}://{host}:{port}",
    )


def _vocabulary(settings: Settings) -> Vocabulary:
    """Read the error tables; a table that no link asks for is likely a misspelt file name."""
    vocabulary = load_vocabulary(Path(settings.errors.directory) if settings.errors.directory else None)
    unused = vocabulary.operators - {link.operator or link.name for link in settings.links} - {SIMULATOR}
    if unused:
        log.warning("error_tables_unused", operators=sorted(unused))
    return vocabulary


async def _run(house: House, on_ready: OnReady | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    clocks = connection_clocks(house.settings.http)
    services = _services(house, clocks)
    app = build(services) if house.role.serves else build_for_monitors(services)
    servers = web_servers(house.settings.http, app, services)
    for server in servers:
        server.start()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        for again in (servers[0].reload(), house.changes.reload()):
            task = loop.create_task(again)
            reloads.add(task)
            task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    working = await _start(house)
    working.append(loop.create_task(clocks.run(), name="connection-clocks"))
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    ready = loop.create_task(on_ready(house)) if on_ready is not None else None
    waiting = loop.create_task(stopping.wait())
    try:
        doing: set[asyncio.Future[Any]] = {waiting, *working, *(server.ended for server in servers)}
        done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()
            if waiting not in done:
                name = task.get_name() if isinstance(task, asyncio.Task) else "the web server"
                raise PartEnded(f"{name} ended, which it never does by itself; the server stops")
    finally:
        await _stop(house, servers, [task for task in (ready, waiting, *working) if task is not None])
        await services.plans.close()


async def _start(house: House) -> list[asyncio.Task[None]]:
    """Begin what this role does; return what runs until it is cancelled."""
    loop = asyncio.get_running_loop()
    working = [loop.create_task(one.run(), name="receipts") for one in (house.relay, house.intake) if one is not None]
    house.changes.begin()
    working.append(loop.create_task(house.changes.run(), name="link-changes"))
    if house.role.has_links and house.store.shared:
        working.append(loop.create_task(house.relinking.watch(), name="links"))
    working.append(loop.create_task(ClockWatch(house.store.leases).run(), name="clock-watch"))
    if isinstance(house.clock, PushableClock) and house.store.shared:
        working.append(loop.create_task(follow(house.store, house.clock), name="clock"))
    if house.role.has_chores:
        working += house.chores.start(house.holder if house.store.shared else None)
    return working


async def _stop(house: House, servers: Sequence[WebServer], tasks: list[asyncio.Task[Any]]) -> None:
    """Take no more requests, then no more receipts, then keep what is still on its way."""
    log.info("stopping")
    await asyncio.gather(*(server.stop() for server in servers))
    await house.relinking.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _services(house: House, clocks: ConnectionClocks) -> Services:
    judge = judge_of(house.settings)
    return Services(
        store=house.store,
        acceptance=house.acceptance,
        clock=house.clock,
        prices=price_list(house.settings.pricing),
        currency=house.settings.pricing.currency,
        key_secret=key_secret(house.settings),
        vocabulary=house.vocabulary,
        retries=house.changes.retries,
        error_status=house.settings.http.error_status,
        trusted_proxies=tuple(ip_network(one) for one in house.settings.http.trusted_proxies),
        bad_keys_per_minute=house.settings.limits.bad_keys_per_minute,
        limits=Limits(house.settings.limits.requests_per_second),
        pushable=house.settings.clock.pushable,
        ready=lambda: _not_ready(house),
        warnings=lambda: _warnings(house),
        links=lambda: _links(house),
        aside=house.acceptance.threads,
        link_desk=HttpLinkDesk(house.changes),
        requested=clocks.requested,
        never_called=lambda url: refusal(url, judge),
    )


async def _links(house: House) -> list[LinkStatus]:
    """Say how every configured link stands, whoever holds it."""
    configured = house.changes.settings.links
    if not house.store.shared:
        return standing(configured, house.gateway.links)
    return told_standing(configured, await house.store.leases.all())


def _told(link_changes: LinkChanges, link: SmppLink) -> str:
    """Write down how a link of ours stands, for those who do not hold it; nothing of one that is being laid down."""
    of_that_name = (one for one in link_changes.settings.links if one.name == link.settings.name)
    return next((told(one, link) for one in of_that_name), "")


async def _not_ready(house: House) -> list[str]:
    """Say what keeps us from serving: an unwritable store, no link bound for receiving."""
    missing = [] if await _is_writable(house.store) else ["the store cannot be written"]
    if house.relay is not None and not house.relay.answers:
        missing.append("the log of receipts does not answer")
    # Where links are shared, those that others hold are theirs to be bound; who holds none stands by.
    mine = house.gateway.running if house.store.shared else house.gateway.links
    receiving = [link for link in mine if link.settings.receives]
    if receiving and not any(link.can_receive for link in receiving):
        missing.append("no link is bound for receiving")
    return missing


def _warnings(house: House) -> list[str]:
    """Say which of our links are in trouble, and how; and which settings of links were refused while we run."""
    troubles = [f"link {link.settings.name}: {trouble}" for link in house.gateway.links for trouble in link.troubles]
    return troubles + house.changes.problems


async def _is_writable(store: Store) -> bool:
    try:
        async with asyncio.timeout(WRITABLE_WITHIN):
            return await store.writable()
    except TimeoutError:  # a commit that waits for a standby waits for ever
        return False
