"""How links differ between two settings, which differences need a new bind, and which settings are doubtful."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from esito.app.link_settings import shown_setting
from esito.config import LinkSettings, Settings

LONGEST_SYSTEM_ID, LONGEST_PASSWORD = 15, 8
"""Octets that SMPP has room for (SMPP 3.4, 4.1.1)."""

NEEDS_NO_BIND = frozenset(one.name for one in dataclasses.fields(LinkSettings) if one.metadata["live"])
"""Settings that may change while a link is bound; a change of any other one makes it bind again."""


class LinkChange(NamedTuple):
    """How one link differs between two sets of links."""

    act: str
    """`link added`, `link changed` or `link removed`, as the audit log has it."""
    name: str
    details: str
    rebinds: bool


def bound_with(link: LinkSettings) -> tuple[object, ...]:
    """Return the settings of a link whose change needs a new bind."""
    return tuple(getattr(link, name) for name in LinkSettings.__dataclass_fields__ if name not in NEEDS_NO_BIND)


def changes(before: Sequence[LinkSettings], after: Sequence[LinkSettings]) -> Iterator[LinkChange]:
    """Yield how links differ; passwords are hidden."""
    old, new = {link.name: link for link in before}, {link.name: link for link in after}
    for name, link in new.items():
        if name not in old:
            yield LinkChange("link added", name, f"{link.host}:{link.port}", rebinds=link.enabled)
        elif names := _differences(old[name], link):
            details = ", ".join(shown_setting(one, getattr(link, one)) for one in names)
            rebinds = link.enabled and (bound_with(old[name]) != bound_with(link) or not old[name].enabled)
            yield LinkChange("link changed", name, details, rebinds=rebinds)
    for name in old:
        if name not in new:
            yield LinkChange("link removed", name, "", rebinds=False)


def _differences(before: LinkSettings, after: LinkSettings) -> list[str]:
    return [name for name in LinkSettings.__dataclass_fields__ if getattr(before, name) != getattr(after, name)]


def doubts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the name of a link and a sentence about a doubtful setting of it."""
    receiving = {link.operator or link.name for link in settings.links if link.receives}
    for link in settings.links:
        for sentence in doubts_of(link):
            yield link.name, sentence
        if link.sends and (link.operator or link.name) not in receiving:
            yield link.name, "no link of its operator receives, so that no receipt will come"


def doubts_of(link: LinkSettings) -> Iterator[str]:
    """Yield a sentence for every setting of one link that is doubtful by itself."""
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
