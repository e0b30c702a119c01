"""What an administrator changes about the links to the operators (design 6).

It is what `esito link add`, `change` and `remove` change: it is kept in the store and overrides the settings file.
Every running server follows within some seconds, this one at once.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import AdminEndpoint
from esito.api.http.paging import unusable
from esito.api.http.request import AdminRequest
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, Parameters
from esito.api.services import LinkDesk, LinkEdited
from esito.domain.errors import InvalidFields, LinkChanged, LinkInUse, NoSuchLink

LONGEST = 16_384
"""Octets of a request; all settings of a link together are shorter."""


class NewLink(Parameters):
    """Settings of a section `[[link]]` (docs/reference/configuration.md), as JSON or as text."""

    name: Annotated[str, Meta(description="Of the link.")]
    host: Annotated[str, Meta(description="Of the SMSC; one of the settings is required.")] | UnsetType = UNSET


class LinkChange(Parameters):
    """Settings of a section `[[link]]` (docs/reference/configuration.md), as JSON or as text."""

    unset: (
        Annotated[
            list[Annotated[str, Meta(description="A setting to have as in the file again, or as usual.")]],
            Meta(max_length=100),
        ]
        | UnsetType
    ) = UNSET
    enabled: Annotated[bool, Meta(description="Whether the link is bound.")] | UnsetType = UNSET


class LinkPath(Parameters):
    """Which link."""

    name: Annotated[str, Meta(description="Of a link.")]


class LinkRemoval(LinkPath):
    """Which link, and whether it is removed though it is in use."""

    force: (
        Annotated[str, Meta(description="1: though segments wait for it, or for its operator's answer.")] | UnsetType
    ) = UNSET


class LinkAnswer(GoodAnswer):
    """What the change came to."""

    link: Annotated[str, Meta(description="Its name.")]
    changed: Annotated[bool, Meta(description="Whether it was otherwise before.")]
    rebinds: Annotated[bool, Meta(description="Whether it is bound anew.")]
    notes: Annotated[list[Annotated[str, Meta(description="What is worth a word.")]], Meta(max_length=100)]


async def add(request: AdminRequest) -> Response:
    """Add a link; running servers bind it within some seconds."""
    settings = _settings(request)
    name = settings.pop("name", "")
    if not isinstance(name, str) or not name:
        raise unusable("name", "Le nom du lien est requis")
    if not settings:  # it would be bound to this machine, and serve every number that no other link does
        raise unusable("host", "L'adresse du SMSC est requise")
    edited = await _desk(request).add(name, settings, actor=request.administrator.actor)
    return request.answer(_edited(name, edited))


async def change(request: AdminRequest) -> Response:
    """Change settings of a link, of one in the settings file too; `enabled` unbinds or binds it."""
    name = request.inputs.text("name")
    settings = _settings(request)
    settings.pop("name", None)
    unset = _names(settings.pop("unset", []))
    if not (settings or unset):
        raise unusable("unset", "Rien n'est à changer")
    if both := settings.keys() & set(unset):
        raise unusable(min(both), "Ce réglage est donné deux fois")
    edited = await _desk(request).change(name, settings, unset, actor=request.administrator.actor)
    return request.answer(_edited(name, edited))


async def remove(request: AdminRequest) -> Response:
    """Remove a link that was added so, or by command, once nothing waits for it."""
    name, forced = request.inputs.text("name"), request.inputs.flag("force")
    edited = await _desk(request).remove(name, forced=forced, actor=request.administrator.actor)
    return request.answer(_edited(name, edited))


def _desk(request: AdminRequest) -> LinkDesk:
    if request.services.link_desk is None:
        raise NoSuchLink
    return request.services.link_desk


def _settings(request: AdminRequest) -> dict[str, Any]:
    settings = {name: value for name, value in request.inputs.items() if name not in {"apiKey", "_format"}}
    if request.is_long or len(msgspec.json.encode(settings)) > LONGEST:
        raise unusable("link", "Les réglages sont trop longs")
    return settings


def _names(given: Any) -> list[str]:
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise unusable("unset", "La liste n'est pas valide")
    return [one.strip() for one in names if one.strip()]


def _edited(name: str, edited: LinkEdited) -> LinkAnswer:
    return LinkAnswer(link=name, changed=edited.changed, rebinds=edited.rebinds, notes=list(edited.notes))


EXAMPLE = LinkAnswer(link="north", changed=True, rebinds=False, notes=[])

ADD_LINK = AdminEndpoint(
    "POST",
    "/v2/links",
    add,
    body=NewLink(name="north", host="smsc.example.org"),
    answer=EXAMPLE,
    refusals=(InvalidFields, NoSuchLink, LinkChanged),
)

CHANGE_LINK = AdminEndpoint(
    "PATCH",
    "/v2/links/{name}",
    change,
    parameters=LinkPath(name="north"),
    body=LinkChange(enabled=False),
    answer=EXAMPLE,
    refusals=(InvalidFields, NoSuchLink, LinkChanged),
)

REMOVE_LINK = AdminEndpoint(
    "DELETE",
    "/v2/links/{name}",
    remove,
    parameters=LinkRemoval(name="north"),
    answer=EXAMPLE,
    refusals=(InvalidFields, NoSuchLink, LinkChanged, LinkInUse),
)
