"""What the HTTP API is given of the application, and what monitors are told of it."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_network

from esito.api.http.rate_limits import Limits
from esito.api.services import LinkStatus, Services
from esito.app.application import Application, price_list
from esito.app.background_jobs import address_judge
from esito.app.link_admin import LinkAdmin
from esito.app.link_status import statuses_of_leases, statuses_of_ours
from esito.app.wiring import key_secret
from esito.store.interface.store import Store
from esito.webhooks.targets import refusal

WRITABLE_WITHIN = 5.0
"""Seconds within which a commit must succeed for us to be ready."""


def api_services(app: Application, on_request: Callable[[tuple[str, int | str]], None]) -> Services:
    """Return what the API works with; `on_request` is called with the peer of every request."""
    settings = app.settings
    judge = address_judge(settings)
    return Services(
        store=app.store,
        acceptance=app.acceptance,
        clock=app.clock,
        prices=price_list(settings.pricing),
        currency=settings.pricing.currency,
        key_secret=key_secret(settings),
        vocabulary=app.vocabulary,
        retries=app.changes.retries,
        error_status=settings.http.error_status,
        trusted_proxies=tuple(ip_network(one) for one in settings.http.trusted_proxies),
        bad_keys_per_minute=settings.limits.bad_keys_per_minute,
        limits=Limits(settings.limits.requests_per_second),
        pushable=settings.clock.pushable,
        ready=lambda: _not_ready(app),
        warnings=lambda: _warnings(app),
        links=lambda: _links(app),
        aside=app.acceptance.threads,
        link_desk=LinkAdmin(app.changes),
        requested=on_request,
        never_called=lambda url: refusal(url, judge),
    )


async def _links(app: Application) -> list[LinkStatus]:
    """Return the status of every configured link, whichever process holds it."""
    configured = app.changes.settings.links
    if not app.store.shared:
        return statuses_of_ours(configured, app.gateway.links)
    return statuses_of_leases(configured, await app.store.leases.all())


async def _not_ready(app: Application) -> list[str]:
    """Return what keeps us from serving: an unwritable store, a silent log, no link bound for receiving."""
    missing = [] if await _is_writable(app.store) else ["the store cannot be written"]
    if app.publisher is not None and not app.publisher.answers:
        missing.append("the log of receipts does not answer")
    # Where processes share the links, the holder of a link must have it bound; a process without links stands by.
    mine = app.gateway.running if app.store.shared else app.gateway.links
    receiving = [link for link in mine if link.settings.receives]
    if receiving and not any(link.can_receive for link in receiving):
        missing.append("no link is bound for receiving")
    return missing


def _warnings(app: Application) -> list[str]:
    """Return the troubles of our links, and the link settings that were refused while we run."""
    troubles = [f"link {link.settings.name}: {trouble}" for link in app.gateway.links for trouble in link.troubles]
    return troubles + app.changes.problems


async def _is_writable(store: Store) -> bool:
    try:
        async with asyncio.timeout(WRITABLE_WITHIN):
            return await store.writable()
    except TimeoutError:  # a commit that waits for a standby waits for ever
        return False
