"""The links to the operators: how they stand, and what an administrator changes about them (design 6).

What is changed so is what `esito link add`, `change` and `remove` change: it is kept in the store and goes over the
settings file. Every running server takes it up within some seconds, this one at once.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from esito.api.answer import Answer
from esito.api.call import AdminCall
from esito.api.paging import unusable
from esito.api.services import LinkDesk, LinkEdited, LinkStatus
from esito.api.xml import Value
from esito.domain.errors import NoSuchLink
from esito.domain.operator_habits import IdForm, Learned


async def links(call: AdminCall) -> Answer:
    """GET /v2/links: every link, its state, and what is known of its operator's ids."""
    forms = await call.services.store.id_forms()
    return call.answer({"links": [_link(one, forms.get(one.operator)) for one in await call.services.links()]})


async def add(call: AdminCall) -> Answer:
    """POST /v2/links: add a link; `name`, and beside it the settings of a section `[[link]]`."""
    settings = _settings(call)
    name = settings.pop("name", "")
    if not isinstance(name, str) or not name:
        raise unusable("name", "Le nom du lien est requis")
    if not settings:  # it would be bound to this machine, and serve every number that no other link does
        raise unusable("host", "L'adresse du SMSC est requise")
    edited = await _desk(call).add(name, settings, actor=call.administrator.actor)
    return call.answer(_edited(name, edited))


async def change(call: AdminCall) -> Answer:
    """PATCH /v2/links/{name}: change settings of a link; those of `unset` are again as in the file, or as usual."""
    name = call.inputs.text("name")
    settings = _settings(call)
    settings.pop("name", None)
    unset = _names(settings.pop("unset", []))
    if not (settings or unset):
        raise unusable("unset", "Rien n'est à changer")
    if both := settings.keys() & set(unset):
        raise unusable(min(both), "Ce réglage est donné deux fois")
    edited = await _desk(call).change(name, settings, unset, actor=call.administrator.actor)
    return call.answer(_edited(name, edited))


async def remove(call: AdminCall) -> Answer:
    """DELETE /v2/links/{name}: remove a link that was added so; with `force` though segments wait for it."""
    name, forced = call.inputs.text("name"), call.inputs.flag("force")
    edited = await _desk(call).remove(name, forced=forced, actor=call.administrator.actor)
    return call.answer(_edited(name, edited))


def _desk(call: AdminCall) -> LinkDesk:
    if call.services.link_desk is None:
        raise NoSuchLink
    return call.services.link_desk


LONGEST = 16_384
"""Octets of a request that changes a link: all settings there are take less."""


def _settings(call: AdminCall) -> dict[str, Any]:
    settings = {name: value for name, value in call.inputs.items() if name not in {"apiKey", "_format"}}
    if call.is_long or len(msgspec.json.encode(settings)) > LONGEST:
        raise unusable("link", "Les réglages sont trop longs")
    return settings


def _names(given: Any) -> list[str]:
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise unusable("unset", "La liste n'est pas valide")
    return [one.strip() for one in names if one.strip()]


def _edited(name: str, edited: LinkEdited) -> dict[str, Value]:
    return {"link": name, "changed": edited.changed, "rebinds": edited.rebinds, "notes": list(edited.notes)}


def _link(one: LinkStatus, learned: Learned | None) -> dict[str, Value]:
    return {
        "link": one.name,
        "operator": one.operator,
        "state": one.state,
        "sessions": [
            {"bind": session.bind, "state": session.state, "since": session.since, "last_error": session.last_error}
            for session in one.sessions
        ],
        # Empty: not known yet, or the evidence disagrees.
        "id_form": "" if learned is None or learned.form is IdForm.AUTO else learned.form.value,
        "id_form_locked": learned is not None and learned.locked is not IdForm.AUTO,
        "ambiguous_receipts": 0 if learned is None else learned.ambiguous,
        "warnings": [*one.troubles, *_warnings(learned)],
    }


AMBIGUOUS = "ambiguous: receipts were kept as orphans because their id could mean two segments; see message_id_form"

MISLEADING = (
    "dates: the submit dates in the operator's receipts are far from our own; is receipt_timezone right? Until they"
    " agree, receipts of segments whose response was lost are not recognised"
)


def _warnings(learned: Learned | None) -> Iterator[Value]:
    """Say what somebody should look at; an ambiguity is over once the form is known."""
    if learned is not None and learned.ambiguous and learned.form is IdForm.AUTO:
        yield AMBIGUOUS
    if learned is not None and learned.dates.mislead:
        yield MISLEADING
