"""What is allowed in the settings of a link and yet worth a word at the start: it may be meant, or a slip."""

from collections.abc import Iterator

from esito.config import LinkSettings, Settings

LONGEST_SYSTEM_ID, LONGEST_PASSWORD = 15, 8
"""Octets that SMPP has room for (SMPP 3.4, 4.1.1)."""


def doubts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the name of a link and a sentence about it."""
    receiving = {link.operator or link.name for link in settings.links if link.receives}
    for link in settings.links:
        for sentence in doubts_of(link):
            yield link.name, sentence
        if link.sends and (link.operator or link.name) not in receiving:
            yield link.name, "no link of its operator receives, so that no receipt will come"


def doubts_of(link: LinkSettings) -> Iterator[str]:
    """Yield what is worth a word about one link."""
    if len(link.system_id) > LONGEST_SYSTEM_ID:
        yield f"system_id has {len(link.system_id)} octets; SMPP has room for {LONGEST_SYSTEM_ID}"
    if len(link.password) > LONGEST_PASSWORD:
        yield f"password has {len(link.password)} octets; SMPP has room for {LONGEST_PASSWORD}"
    if link.interface_version == "3.3":
        if link.bind == "transceiver":
            yield 'SMPP 3.3 has no bind_transceiver; bind = "transmitter + receiver" is what it knows'
        if link.concatenation in {"sar", "message_payload"}:
            yield f"SMPP 3.3 has no optional parameters, and concatenation = {link.concatenation!r} needs them"
    if not link.registered_delivery & 3:
        yield f"registered_delivery = {link.registered_delivery} asks for no receipts"
