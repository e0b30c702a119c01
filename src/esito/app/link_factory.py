"""Makes working links of configured ones, and registers them with the store."""

import dataclasses
import ssl
from collections.abc import Iterable

from esito.config import ConfigError, LinkSettings, Settings
from esito.config_rules import host_and_maybe_port
from esito.domain.address import numbering
from esito.domain.operator_habits import IdForm
from esito.domain.opt_out import stop_number_of_link
from esito.domain.routing import Routes, Serving, shares_by_prefix
from esito.domain.states import MultipartRule
from esito.domain.timing import Clock
from esito.lifecycle.query import QuerySender
from esito.lifecycle.submit import Submitter
from esito.links.gateway import Gateway
from esito.links.link_interface import LinkSubmitter
from esito.links.smpp_link import SmppLink
from esito.smpp.connect import SmppSettings
from esito.smpp.incoming import IncomingSettings, WithoutEsmClass
from esito.smpp.outgoing import Concatenation, OutgoingSettings, Validity
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store

LONGEST_BIND = 30.0
"""Seconds we wait for the response to a bind, unless the link waits less for any response."""


async def register_links(settings: Settings, store: Store) -> Routes:
    """Register the configured links with the store; return their routes. Raises StoreError."""
    await store.register_links([_record(link) for link in settings.links])
    serving = [
        Serving(link.name, link.prefixes, link.weight, link.priority, _stop_number(link))
        for link in settings.links
        if link.sends
    ]
    routes = [share.route for shares in shares_by_prefix(serving).values() for share in shares]
    return Routes.of(serving, await store.register_routes(list(dict.fromkeys(routes))))


def _record(link: LinkSettings) -> LinkRecord:
    return LinkRecord(
        name=link.name,
        operator=link.operator or link.name,
        # message_payload carries the whole text in one submit_sm, whose receipt speaks for all of it.
        multipart_rule=MultipartRule.FIRST if link.concatenation == "message_payload" else link.multipart_rule,
        resubmit_uncertain=link.resubmit_uncertain,
        priority=link.priority,
        message_id_form=IdForm(link.message_id_form),
        wait_ms=link.wait_ms,
        query_after_ms=link.query_after_ms,
        prefixes=link.prefixes if link.sends else None,
        sender=link.sender,
        stop_number=_stop_number(link),
    )


def _stop_number(link: LinkSettings) -> str:
    return stop_number_of_link(sender=link.sender, stop_number=link.stop_number)


_VERSIONS = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}
"""interface_version (SMPP 3.4, 5.2.4; SMPP 5.0, 4.7.13)."""


def smpp_settings(link: LinkSettings) -> SmppSettings:
    """Return a configured link as `esito.smpp` needs it. Raises ConfigError for TLS files that cannot be used."""
    return SmppSettings(
        name=link.name,
        host=link.host,
        port=link.port,
        system_id=link.system_id,
        password=link.password,
        system_type=link.system_type,
        interface_version=_VERSIONS[link.interface_version],
        addr_ton=link.addr_ton,
        addr_npi=link.addr_npi,
        address_range=link.address_range,
        fallback_hosts=tuple(host_and_maybe_port(one, link.port) for one in link.fallback_hosts),
        tls_name=link.tls_name or None,
        bind=link.bind,
        sessions=link.sessions,
        window=link.window,
        throughput=float(link.throughput),
        tls=_tls(link) if link.tls else None,
        enquire_interval=link.enquire_interval,
        response_timeout=link.response_timeout,
        bind_timeout=min(LONGEST_BIND, link.response_timeout),
        rebind_min=min(1.0, link.rebind_max),
        rebind_max=link.rebind_max,
        rebind_refused_max=link.rebind_refused_max,
        stop_patience=link.stop_patience,
        retries=link.retries,
    )


def _tls(link: LinkSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=link.tls_ca or None)
    except (OSError, ValueError) as error:
        why = f"{link.tls_ca} holds no certificates we can read: {error}"
        raise ConfigError(f"link.{link.name}.tls_ca: {why}") from error
    if link.tls_cert:
        try:
            # An empty password, as nobody is at the terminal to type one.
            context.load_cert_chain(link.tls_cert, link.tls_key, password="")
        except (OSError, ValueError) as error:
            why = f"{link.tls_cert} and {link.tls_key} are no certificate and its key that we can read: {error}"
            raise ConfigError(f"link.{link.name}.tls_cert: {why}") from error
    return context


def make_link(settings: LinkSettings, gateway: Gateway, store: Store, clock: Clock) -> tuple[SmppLink, Submitter]:
    """Return a new link and its submitter."""
    link = SmppLink(smpp_settings(settings), gateway)
    outgoing = outgoing_settings(settings)
    submitter = Submitter(
        store=store,
        clock=clock,
        link=link,
        outgoing=outgoing,
        passed_over=gateway.passed_over,
    )
    submitter.query_sender = QuerySender(
        store=store,
        clock=clock,
        link=link,
        outgoing=outgoing,
        zone=settings.zone,
        asks=bool(settings.query_after),
        held=lambda: submitter.held,
    )
    return link, submitter


def revise_link(settings: LinkSettings, submitter: LinkSubmitter) -> None:
    """Apply to a bound link the settings that may change without a new bind."""
    submitter.revise(outgoing_settings(settings), settings.zone, asks=bool(settings.query_after))


_OF_ITS_NAME = [one.name for one in dataclasses.fields(OutgoingSettings) if hasattr(LinkSettings, one.name)]
"""What an outgoing PDU takes from the setting of the same name, unless `outgoing_settings` makes something of it."""


def outgoing_settings(link: LinkSettings) -> OutgoingSettings:
    """Return the settings of every submit_sm of a configured link."""
    made = {
        "stop_number": _stop_number(link),
        "source_numbering": numbering(link.source_numbering),
        "destination_numbering": numbering(link.destination_numbering),
        "validity": Validity(link.validity),
        "concatenation": Concatenation("udh8" if link.concatenation == "udh" else link.concatenation),
    }
    return OutgoingSettings(**({name: getattr(link, name) for name in _OF_ITS_NAME} | made))


def incoming_settings(link: LinkSettings) -> IncomingSettings:
    """Return how the operator of a configured link writes what it delivers to us."""
    return IncomingSettings(
        zone=link.zone,
        words=link.stat_words,
        codings=link.codings,
        without_esm_class=WithoutEsmClass(link.receipts_without_esm_class),
        names_recipient=link.receipt_addresses == "recipient",
        country=link.country,
        sender=link.sender,
    )


def incoming_of(links: Iterable[LinkSettings]) -> dict[str, IncomingSettings]:
    """Return the incoming settings by name of the link."""
    return {link.name: incoming_settings(link) for link in links}


def check_links(settings: Settings) -> None:
    """Check what shows only when a link is made, such as TLS files. Raises ConfigError."""
    for link in settings.links:
        if link.enabled:
            smpp_settings(link)
