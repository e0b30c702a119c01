"""The application: everything that runs in one process, built from settings and an open store."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import structlog

from esito.app.background_jobs import BackgroundJobs, background_jobs, callback_worker
from esito.app.error_tables import load_vocabulary
from esito.app.link_factory import check_links, incoming_of, register_links
from esito.app.link_settings import present
from esito.app.link_status import published
from esito.app.reload import LinkFollowers, LinkReloader
from esito.app.roles import Role
from esito.app.wiring import key_secret
from esito.config import PricingSettings, Settings
from esito.domain.pricing import PriceList
from esito.domain.timing import Clock
from esito.domain.vocabulary import Vocabulary
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.receive import Receiver
from esito.links.gateway import Gateway
from esito.links.lease_keeper import LeaseKeeper
from esito.links.smpp_link import SmppLink
from esito.links.supervisor import LinkSupervisor
from esito.receipt_log.consumer import Consumer
from esito.receipt_log.interface import ReceiptLog
from esito.receipt_log.publisher import Publisher
from esito.store.interface.store import Store

log = structlog.get_logger()

SIMULATOR = "simulator"
"""The operator whose error table we ship, for the demo."""


class SettingsSource(NamedTuple):
    """The settings as the process was given them, without the links that the store holds."""

    settings: Settings
    environ: Mapping[str, str]
    """Overrides what the store says of links."""
    load: Callable[[], Settings] | None
    """Reads the file again."""


@dataclass(slots=True, kw_only=True)
class Application:
    """Everything that runs in this process."""

    settings: Settings
    role: Role
    clock: Clock
    store: Store
    gateway: Gateway
    relinking: LinkSupervisor
    changes: LinkReloader
    holder: LeaseKeeper
    publisher: Publisher | None
    """None where receipts go straight into the store, or where this process has no links."""
    consumer: Consumer | None
    """None where there is no receipt log, or where this process does not read it."""
    acceptance: Acceptance
    jobs: BackgroundJobs
    vocabulary: Vocabulary
    url: str


async def build(
    source: SettingsSource,
    store: Store,
    clock: Clock,
    role: Role,
    *,
    receipt_log: ReceiptLog | None,
    publisher: Publisher | None,
) -> Application:
    """Build the application; nothing of it runs yet. Raises ConfigError, StoreError."""
    secret = key_secret(source.settings)
    settings = await present(source.settings, store, secret=secret, environ=source.environ)
    check_links(settings)
    _log_prices(settings.pricing)
    routes = await register_links(settings, store)
    if not store.shared:
        await _recover(store, clock)
    callbacks = callback_worker(settings, store=store, clock=clock)
    stop_kept = asyncio.Event()
    receiving = Receiver(
        store=store,
        clock=clock,
        incoming=incoming_of(settings.links),
        publisher=publisher,
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
    followers = LinkFollowers(
        store=store, clock=clock, receiving=receiving, acceptance=acceptance, gateway=gateway, relinking=None
    )
    relinking, changes = _changing_links(source, settings, followers, holder, binds=role.has_links)
    consumer = None
    if receipt_log is not None and role.has_background_jobs:
        consumer = Consumer(receipt_log=receipt_log, store=store, on_moved=callbacks.wake)
    return Application(
        settings=settings,
        role=role,
        clock=clock,
        store=store,
        gateway=gateway,
        relinking=relinking,
        changes=changes,
        holder=holder,
        publisher=publisher,
        consumer=consumer,
        acceptance=acceptance,
        jobs=background_jobs(
            settings, store=store, clock=clock, acceptance=acceptance, callbacks=callbacks, stop_kept=stop_kept
        ),
        vocabulary=_vocabulary(settings),
        url=_url(settings),
    )


def _changing_links(
    source: SettingsSource, settings: Settings, followers: LinkFollowers, holder: LeaseKeeper, *, binds: bool
) -> tuple[LinkSupervisor, LinkReloader]:
    """Return what starts and stops links, and what tells it of changes; each knows the other."""

    async def look() -> None:
        await changes.look()

    store = followers.store
    relinking = LinkSupervisor(
        followers.gateway,
        store,
        followers.clock,
        keeper=holder if store.shared else None,
        status=lambda link: _status_to_publish(changes, link),
        refresh=look,
    )
    if binds:
        followers.relinking = relinking
    changes = LinkReloader(
        source.settings,
        settings,
        followers,
        secret=key_secret(source.settings),
        environ=source.environ,
        load=source.load,
    )
    return relinking, changes


async def _recover(store: Store, clock: Clock) -> None:
    """Mark as uncertain what a killed process had submitted and no submit_sm_resp was stored for."""
    uncertain = await store.recover(clock.now())
    if uncertain:
        log.warning("segments_uncertain", count=uncertain, reason="the process died before their submit_sm_resp")


def _status_to_publish(changes: LinkReloader, link: SmppLink) -> str:
    """Return the status of a link of ours for other processes; empty for a link that is being stopped."""
    of_that_name = (one for one in changes.settings.links if one.name == link.name)
    return next((published(one, link) for one in of_that_name), "")


def _vocabulary(settings: Settings) -> Vocabulary:
    """Read the error tables; a table that no link uses probably has a misspelt file name."""
    vocabulary = load_vocabulary(Path(settings.errors.directory) if settings.errors.directory else None)
    unused = vocabulary.operators - {link.operator or link.name for link in settings.links} - {SIMULATOR}
    if unused:
        log.warning("error_tables_unused", operators=sorted(unused))
    return vocabulary


def price_list(pricing: PricingSettings) -> PriceList:
    """Return the prices of the settings."""
    return PriceList(
        home=pricing.home,
        default=pricing.default,
        low_cost=pricing.low_cost,
        countries=pricing.countries,
        prefixes=pricing.prefixes,
    )


def _log_prices(pricing: PricingSettings) -> None:
    """Log which countries have a price: messages go to no other."""
    log.info("priced", home=pricing.home, countries=sorted(pricing.countries), prefixes=sorted(pricing.prefixes))


def _url(settings: Settings) -> str:
    scheme = "https" if settings.http.tls_cert else "http"
    host, port = settings.http.address
    return f"{scheme}://{host}:{port}"
