"""Links as they are configured, made into links that work; and how they stand, whoever holds them."""

import ssl
from collections.abc import Iterable, Sequence

import msgspec

from esito.api.services import LinkStatus, SessionStatus
from esito.config import LinkSettings, Settings
from esito.domain.id_forms import IdForm
from esito.domain.timing import SECOND_MS, Clock
from esito.lifecycle.gateway import Gateway
from esito.lifecycle.submit import Submitter
from esito.smpp.link import Link
from esito.smpp.outgoing import Concatenation
from esito.smpp.settings import LinkSettings as SmppSettings
from esito.store.base import LinkRecord, Store
from esito.store.leases import LeaseLine

LONGEST_BIND = 30.0
"""Seconds we wait for the response to a bind, unless the link waits less for any response."""


async def register_links(settings: Settings, store: Store) -> dict[str, int]:
    """Tell the store what it needs to know of the configured links; return their numbers. Raises StoreError."""
    return await store.register_links([_record(link) for link in settings.links])


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
        rebind_refused_max=link.rebind_refused_max,
        stop_patience=link.stop_patience,
        retries=link.retries,
    )


def make_link(settings: LinkSettings, gateway: Gateway, store: Store, clock: Clock) -> tuple[Link, Submitter]:
    """Return a new link, and what submits by it."""
    link = Link(smpp_settings(settings), gateway)
    concatenation = Concatenation(settings.concatenation)
    submitter = Submitter(
        store=store, clock=clock, link=link, default_sender=settings.sender, concatenation=concatenation
    )
    return link, submitter


def standing(configured: Sequence[LinkSettings], links: Iterable[Link]) -> list[LinkStatus]:
    """Say how links of ours stand."""
    by_name = {one.name: one for one in configured}
    return [link_status(by_name[link.settings.name], link) for link in links]


def told_standing(configured: Sequence[LinkSettings], lines: Sequence[LeaseLine]) -> list[LinkStatus]:
    """Say how every configured link stands, by what its holder has told the store."""
    leases = {line.name.removeprefix("link:"): line for line in lines}
    return [_told_status(one, leases.get(one.name)) for one in configured]


def told(configured: LinkSettings, link: Link) -> str:
    """Write down how a link of ours stands, for those who do not hold it."""
    return msgspec.json.encode(link_status(configured, link)).decode()


def _told_status(configured: LinkSettings, line: LeaseLine | None) -> LinkStatus:
    if line is not None and line.left_ms > 0 and line.told:
        return msgspec.json.decode(line.told, type=LinkStatus)
    return LinkStatus(name=configured.name, operator=configured.operator or configured.name, state="down", sessions=())


def link_status(configured: LinkSettings, link: Link) -> LinkStatus:
    """Say how a link of ours stands."""
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
        troubles=tuple(link.troubles),
    )
