"""Builds the house: the one place that names every concrete class."""

import asyncio
import gc
import os
import resource
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec
import structlog

from esito.api.app import Services, build, build_for_monitors
from esito.api.limits import Limits
from esito.api.services import LinkStatus, SessionStatus
from esito.chores import Chores, callback_worker, chores
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.id_forms import IdForm
from esito.domain.pricing import PriceList
from esito.domain.timing import SECOND_MS, Clock, PushableClock, RealClock
from esito.domain.vocabulary import Vocabulary
from esito.lifecycle.accept import Acceptance, Routes
from esito.lifecycle.gateway import Gateway, share_links
from esito.lifecycle.holding import Holder
from esito.lifecycle.receive import Receiving
from esito.lifecycle.submit import Submitter
from esito.serving import WebServer
from esito.smpp.link import Link
from esito.smpp.outgoing import Concatenation
from esito.smpp.settings import LinkSettings as SmppSettings
from esito.store.base import CLOCK_OFFSET, LinkRecord, Store
from esito.store.leases import LeaseLine
from esito.store.postgres import PostgresStore
from esito.store.sqlite import SqliteStore
from esito.vocabulary_files import load_vocabulary

log = structlog.get_logger()

MAX_HEADERS = 32 * 1024
"""Octets of request line and headers; a longer request gets HTTP 431."""

SWITCH_INTERVAL = 0.0005
"""Seconds a thread may keep the interpreter while another waits: the writer must never stall the
event loop for the usual 5 ms, nor the loop the writer."""

COLLECT_AFTER = 20_000
"""Objects that come before the collector looks for cycles among them: requests and receipts leave few,
and what the house itself is made of is never looked at again."""

LONGEST_BIND = 30.0
"""Seconds we wait for the response to a bind, unless the link waits less for any response."""

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
    holder: Holder
    acceptance: Acceptance
    chores: Chores
    vocabulary: Vocabulary
    url: str


OnReady = Callable[[House], Coroutine[Any, Any, None]]


def key_secret(settings: Settings) -> bytes:
    """Return the secret of the keyed hashes of API keys; beside a SQLite file it is made when it is missing.

    Raises ConfigError when that file cannot be read or made, and when a store that is shared has no secret.
    """
    if settings.store.secret:
        return settings.store.secret.encode()
    if settings.store.shared:
        raise ConfigError("store.secret must be set, the same for every process that works with this store")
    path = settings.store.path.parent / "esito.secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_hex(32).encode())
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"store.secret: cannot read or make {path}: {error.strerror}") from error
    if not secret:
        raise ConfigError(f"store.secret: {path} is empty; the keys that were made with its content need it back")
    return secret


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, durably, unless it exists; two processes may race here."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@asynccontextmanager
async def open_store(settings: Settings, *, actor: str = "server") -> AsyncIterator[Store]:
    """Open the store the settings name, migrated; close it at the end. `actor` stands in the audit log."""
    store: Store
    if settings.store.shared:
        store = PostgresStore(settings.store.url, actor=actor, allow_unsafe=settings.store.allow_unsafe)
    else:
        store = SqliteStore(settings.store.path, actor=actor)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def serve(
    settings: Settings,
    *,
    role: str = "all",
    clock: Clock | None = None,
    on_ready: OnReady | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; then finish what was begun.

    Raises ConfigError, StoreError, and OSError when the address cannot be listened on.
    """
    if role != "all" and not settings.store.shared:
        raise ConfigError(f"role: {role!r} needs a store that several processes share, such as postgresql://...")
    sys.setswitchinterval(SWITCH_INTERVAL)
    _allow_many_connections()
    async with open_store(settings) as store:
        house = await _furnish(settings, store, clock or await _clock(settings, store), Role(role))
        await _run(house, on_ready)


def _allow_many_connections() -> None:
    """Take as many file descriptors as we may: a thousand slow clients must not use up the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _clock(settings: Settings, store: Store) -> Clock:
    if not settings.clock.pushable:
        return RealClock()
    return PushableClock(speed=settings.clock.speed, offset_ms=int(await store.setting(CLOCK_OFFSET) or 0))


async def _furnish(settings: Settings, store: Store, clock: Clock, role: Role) -> House:
    numbers = await store.register_links([_record(link) for link in settings.links])
    if not store.shared:
        uncertain = await store.recover(clock.now())
        if uncertain:
            log.warning("segments_uncertain", count=uncertain, reason="the process died before their submit_sm_resp")
    callbacks = callback_worker(settings, store=store, clock=clock)
    stop_kept = asyncio.Event()
    receiving = Receiving(
        store=store,
        clock=clock,
        zones={link.name: link.zone for link in settings.links},
        moved=callbacks.wake,
        stopped=stop_kept.set,
    )
    gateway = Gateway(receiving)
    if role.has_links:
        for link_settings in settings.links:
            gateway.add(link_settings.name, partial(_make_link, link_settings, gateway, store, clock))
    prefixes = {prefix: link.name for link in settings.links for prefix in (link.prefixes or ("",))}
    acceptance = Acceptance(
        store=store,
        clock=clock,
        routes=Routes(prefixes=prefixes, numbers=numbers),
        prices=_prices(settings),
        kept=gateway.wake,
        currency=settings.pricing.currency,
    )
    scheme = "https" if settings.http.tls_cert else "http"
    host, port = settings.http.address
    return House(
        settings=settings,
        role=role,
        clock=clock,
        store=store,
        gateway=gateway,
        holder=Holder(store, f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"),
        acceptance=acceptance,
        chores=chores(
            settings, store=store, clock=clock, acceptance=acceptance, callbacks=callbacks, stop_kept=stop_kept
        ),
        vocabulary=_vocabulary(settings),
        url=f"{scheme}://{host}:{port}",
    )


def _make_link(settings: LinkSettings, gateway: Gateway, store: Store, clock: Clock) -> tuple[Link, Submitter]:
    link = Link(smpp_settings(settings), gateway)
    concatenation = Concatenation(settings.concatenation)
    submitter = Submitter(
        store=store, clock=clock, link=link, default_sender=settings.sender, concatenation=concatenation
    )
    return link, submitter


def _prices(settings: Settings) -> PriceList:
    pricing = settings.pricing
    return PriceList(default=pricing.default, low_cost=pricing.low_cost, countries=pricing.countries)


def _vocabulary(settings: Settings) -> Vocabulary:
    """Read the error tables; a table that no link asks for is likely a misspelt file name."""
    vocabulary = load_vocabulary(Path(settings.errors.directory) if settings.errors.directory else None)
    unused = vocabulary.operators - {link.operator or link.name for link in settings.links} - {SIMULATOR}
    if unused:
        log.warning("error_tables_unused", operators=sorted(unused))
    return vocabulary


def _record(link: LinkSettings) -> LinkRecord:
    return LinkRecord(
        name=link.name,
        operator=link.operator or link.name,
        multipart_rule=link.multipart_rule,
        resubmit_uncertain=link.resubmit_uncertain,
        message_id_form=IdForm(link.message_id_form),
    )


def smpp_settings(link: LinkSettings) -> SmppSettings:
    """Return what the SMPP room needs to know of a configured link."""
    return SmppSettings(
        name=link.name,
        host=link.host,
        port=link.port,
        system_id=link.system_id,
        password=link.password,
        system_type=link.system_type,
        bind=link.bind,
        sessions=link.sessions,
        window=link.window,
        throughput=float(link.throughput),
        tls=ssl.create_default_context() if link.tls else None,
        enquire_interval=link.enquire_interval,
        response_timeout=link.response_timeout,
        bind_timeout=min(LONGEST_BIND, link.response_timeout),
        rebind_min=min(1.0, link.rebind_max),
        rebind_max=link.rebind_max,
    )


async def _run(house: House, on_ready: OnReady | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    services = _services(house)
    app = build(services) if house.role.serves else build_for_monitors(services)
    server = WebServer(app, house.settings.http, max_headers=MAX_HEADERS)
    server.start()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(server.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    working = await _start(house)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    ready = loop.create_task(on_ready(house)) if on_ready is not None else None
    waiting = loop.create_task(stopping.wait())
    try:
        doing: set[asyncio.Future[Any]] = {server.ended, waiting, *working}
        done, _ = await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _stop(house, server, [task for task in (ready, waiting, *working) if task is not None])


async def _start(house: House) -> list[asyncio.Task[None]]:
    """Begin what this role does; return what runs until it is cancelled."""
    loop = asyncio.get_running_loop()
    working = []
    if house.role.has_links and house.store.shared:
        sharing = share_links(house.gateway, house.store, house.clock, house.holder, partial(_told, house))
        working.append(loop.create_task(sharing, name="links"))
    elif house.role.has_links:
        await house.gateway.start()
    if house.role.has_chores:
        working += house.chores.start(house.holder if house.store.shared else None)
    return working


async def _stop(house: House, server: WebServer, tasks: list[asyncio.Task[Any]]) -> None:
    """Take no more requests, then no more receipts, then keep what is still on its way."""
    log.info("stopping")
    await server.stop()
    await house.gateway.stop()
    for task in tasks:  # whoever holds links lays them down and gives their leases back
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _services(house: House) -> Services:
    return Services(
        store=house.store,
        acceptance=house.acceptance,
        clock=house.clock,
        prices=_prices(house.settings),
        key_secret=key_secret(house.settings),
        vocabulary=house.vocabulary,
        error_status=house.settings.http.error_status,
        trusted_proxies=tuple(ip_network(one) for one in house.settings.http.trusted_proxies),
        bad_keys_per_minute=house.settings.limits.bad_keys_per_minute,
        limits=Limits(house.settings.limits.requests_per_second),
        pushable=house.settings.clock.pushable,
        ready=lambda: _not_ready(house),
        links=lambda: _links(house),
    )


async def _links(house: House) -> list[LinkStatus]:
    """Say how every configured link stands, whoever holds it."""
    if not house.store.shared:
        return [_link_status(house, link) for link in house.gateway.links]
    leases = {line.name.removeprefix("link:"): line for line in await house.store.leases.all()}
    return [_told_status(one, leases.get(one.name)) for one in house.settings.links]


def _told(house: House, link: Link) -> str:
    """Write down how a link of ours stands, for those who do not hold it."""
    return msgspec.json.encode(_link_status(house, link)).decode()


def _told_status(configured: LinkSettings, line: LeaseLine | None) -> LinkStatus:
    if line is not None and line.left_ms > 0 and line.told:
        return msgspec.json.decode(line.told, type=LinkStatus)
    return LinkStatus(name=configured.name, operator=configured.operator or configured.name, state="down", sessions=())


def _link_status(house: House, link: Link) -> LinkStatus:
    configured = next(one for one in house.settings.links if one.name == link.settings.name)
    bound = [word for word, can in (("sending", link.can_send), ("receiving", link.can_receive)) if can]
    return LinkStatus(
        name=configured.name,
        operator=configured.operator or configured.name,
        state="bound" if len(bound) == 2 else f"{bound[0]} only" if bound else "down",
        sessions=tuple(
            SessionStatus(
                bind=binding.kind,
                state=binding.state,
                since=int(binding.since * SECOND_MS),
                last_error=binding.last_error,
            )
            for binding in link.bindings
        ),
    )


async def _not_ready(house: House) -> list[str]:
    """Say what keeps us from serving: an unwritable store, no link bound for receiving."""
    missing = [] if await _is_writable(house.store) else ["the store cannot be written"]
    links = list(house.gateway.links)
    # Where links are shared, a process that holds none stands by; it is others who are bound.
    mine = not house.store.shared or house.holder.count > 0
    if links and mine and not any(link.can_receive for link in links):
        missing.append("no link is bound for receiving")
    return missing


async def _is_writable(store: Store) -> bool:
    try:
        async with asyncio.timeout(WRITABLE_WITHIN):
            return await store.writable()
    except TimeoutError:  # a commit that waits for a standby waits for ever
        return False
